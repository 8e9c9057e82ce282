//! Words that the rules know: reporting verbs with the way they take what is said, and closed classes of English.
//!
//! In: a word. Out: its [`Cue`] if it reports, and its [`Tags`]. The verbs are facts gathered from the cue lists of
//! GenderGapTracker (MIT), JournalismAI quote extraction (Apache-2.0) and textacy (Apache-2.0), sorted into frames by
//! how often each introduced a quotation in 220 annotated Wikinews articles.

use std::collections::{HashMap, HashSet};
use std::ops::BitOr;
use std::sync::LazyLock;

/// How a reporting word takes its quotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// `said`: any clause, with or without "that".
    Report,
    /// `told`: as `Report`, after the one who is told.
    Tell,
    /// `announced`: a clause, but often a plain object, which is no quotation.
    Claim,
    /// `called`, `described … as`: quoted words alone, as a name for something.
    Label,
    /// `urged`, `accused`, `committed to`: an act of speech; quoted words alone, or a clause after "that".
    Act,
    /// `according to`.
    According,
}

/// The form of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Base,
    Third,
    Past,
    Gerund,
}

/// A reporting word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) frame: Frame,
    pub(super) form: Form,
    /// `report`, `claims`, `state`: a noun as often as a verb.
    pub(super) is_nounlike: bool,
}

/// Closed word classes, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tags(u32);

impl Tags {
    pub(super) const NONE: Self = Self(0);
    pub(super) const DETERMINER: Self = Self(1);
    pub(super) const SUBJECT_PRONOUN: Self = Self(1 << 1);
    pub(super) const OBJECT_PRONOUN: Self = Self(1 << 2);
    pub(super) const POSSESSIVE_PRONOUN: Self = Self(1 << 3);
    pub(super) const PREPOSITION: Self = Self(1 << 4);
    pub(super) const BE: Self = Self(1 << 5);
    pub(super) const HAVE: Self = Self(1 << 6);
    pub(super) const DO: Self = Self(1 << 7);
    pub(super) const MODAL: Self = Self(1 << 8);
    pub(super) const CONJUNCTION: Self = Self(1 << 9);
    /// Opens a dependent clause: "that", "which", "while", "because".
    pub(super) const SUBORDINATOR: Self = Self(1 << 10);
    /// "who", "which", "what": stands for a subject.
    pub(super) const RELATIVE: Self = Self(1 << 11);
    pub(super) const ADVERB: Self = Self(1 << 12);
    /// "Monday", "July", "yesterday", "week".
    pub(super) const TIME: Self = Self(1 << 13);
    /// "statement", "interview", "Twitter": where a statement is made.
    pub(super) const MEDIUM: Self = Self(1 << 14);
    /// "reporters", "media": who is told.
    pub(super) const AUDIENCE: Self = Self(1 << 15);
    pub(super) const NEGATION: Self = Self(1 << 16);
    /// An irregular past form: evidence of a finite clause.
    pub(super) const PAST: Self = Self(1 << 17);
    /// "called", "dubbed", "term", "song": what follows in marks is a name or a title.
    pub(super) const NAMING: Self = Self(1 << 18);

    /// An auxiliary or modal verb.
    pub(super) const AUXILIARY: Self = Self(Self::BE.0 | Self::HAVE.0 | Self::DO.0 | Self::MODAL.0);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Tags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Longest word that is looked up, in bytes: nothing in the tables is longer.
const WORD_BYTES_MAX: usize = 24;

/// What the tables say about a word.
pub(super) fn look_up(word: &str) -> (Tags, Option<Cue>) {
    if word.len() > WORD_BYTES_MAX {
        return (Tags::NONE, None);
    }
    if word.len() >= 2 && word.chars().all(char::is_uppercase) {
        // "WHO", "US", "IT": names, not the words that they look like.
        return (Tags::NONE, None);
    }
    let lower = word.to_lowercase();
    if let Some(at) = lower.find(['\'', '’'])
        && lower.get(..at).is_some_and(|pronoun| PRONOUNS.contains(&pronoun))
    {
        // "they've", "he’d".
        return (Tags::SUBJECT_PRONOUN, None);
    }
    let mut tags = TABLES.classes.get(lower.as_str()).copied().unwrap_or_default();
    if word.starts_with(char::is_lowercase) && matches!(lower.as_str(), "august" | "march" | "may")
    {
        tags.0 &= !Tags::TIME.0;
    }
    let is_adverb = lower.len() > 4
        && lower.ends_with("ly")
        && if word.starts_with(char::is_uppercase) {
            TABLES.sentence_adverbs.contains(lower.as_str())
        } else {
            !TABLES.not_adverbs.contains(lower.as_str())
        };
    if is_adverb {
        tags = tags | Tags::ADVERB;
    }
    (tags, cue(&lower))
}

/// The reporting verb that `lower` is a form of.
fn cue(lower: &str) -> Option<Cue> {
    if let Some((_, lemma)) = IRREGULAR.iter().find(|(form, _)| *form == lower) {
        return make(lemma, Form::Past, lower);
    }
    if let Some(cue) = make(lower, Form::Base, lower) {
        return Some(cue);
    }
    let endings: &[(&str, Form, &[&str])] = &[
        ("ies", Form::Third, &["y"]),
        ("es", Form::Third, &["", "e"]),
        ("s", Form::Third, &[""]),
        ("ied", Form::Past, &["y"]),
        ("ed", Form::Past, &["", "e"]),
        ("ing", Form::Gerund, &["", "e"]),
    ];
    for &(ending, form, restores) in endings {
        let Some(stem) = lower.strip_suffix(ending) else { continue };
        for restore in restores {
            if let Some(cue) = make(&format!("{stem}{restore}"), form, lower) {
                return Some(cue);
            }
        }
        // "admitted", "labelling": the last consonant was doubled.
        let mut chars = stem.chars();
        let last = chars.next_back();
        if last.is_some()
            && last == chars.clone().next_back()
            && let Some(cue) = make(chars.as_str(), form, lower)
        {
            return Some(cue);
        }
    }
    None
}

fn make(lemma: &str, form: Form, word: &str) -> Option<Cue> {
    let frame = *TABLES.verbs.get(lemma)?;
    let is_irregular = IRREGULAR.iter().any(|&(_, irregular)| irregular == lemma);
    if form == Form::Past && word.ends_with("ed") && is_irregular {
        return None;
    }
    Some(Cue { frame, form, is_nounlike: TABLES.nouns.contains(word) })
}

/// The tables below, for look-up.
struct Tables {
    classes: HashMap<&'static str, Tags>,
    verbs: HashMap<&'static str, Frame>,
    nouns: HashSet<&'static str>,
    not_adverbs: HashSet<&'static str>,
    sentence_adverbs: HashSet<&'static str>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut classes: HashMap<&str, Tags> = HashMap::new();
    for &(class, words) in CLASSES {
        for word in words.split_whitespace() {
            let tags = classes.entry(word).or_default();
            *tags = *tags | class;
        }
    }
    let verbs = VERBS.iter();
    let verbs =
        verbs.flat_map(|&(frame, lemmas)| lemmas.split_whitespace().map(move |l| (l, frame)));
    Tables {
        classes,
        verbs: verbs.collect(),
        nouns: NOUNS.split_whitespace().collect(),
        not_adverbs: NOT_ADVERBS.split_whitespace().collect(),
        sentence_adverbs: SENTENCE_ADVERBS.split_whitespace().collect(),
    }
});

const IRREGULAR: &[(&str, &str)] = &[
    ("foretold", "foretell"),
    ("retold", "retell"),
    ("said", "say"),
    ("sang", "sing"),
    ("swore", "swear"),
    ("told", "tell"),
    ("wrote", "write"),
];

/// Verbs by frame. Third persons, past forms and gerunds are found by their endings.
const VERBS: &[(Frame, &str)] = &[
    (
        Frame::Report,
        "argue assert contend exclaim explain insist joke note opine quip reason remark reply \
         retort say state tweet",
    ),
    (Frame::Tell, "advise assure caution inform notify reassure remind tell warn"),
    (
        Frame::Claim,
        "acknowledge add admit affirm allege announce boast claim clarify comment complain concede \
         conclude confess confirm continue counter cry declare deny disclose divulge elaborate \
         emphasise emphasize estimate hint imply indicate intimate lament maintain mention muse \
         observe point post predict proclaim promise reaffirm reassert recall reckon recount \
         reiterate reminisce report respond restate retell reveal rule shout signal specify \
         speculate stipulate stress suggest sum swear testify theorise theorize underline \
         underscore vow write yell",
    ),
    (
        Frame::Label,
        "brand call characterise characterize denounce deride describe dismiss dub hail label \
         praise slam",
    ),
    (
        Frame::Act,
        "accuse apologise apologize appeal applaud ask attack blame blast cite commit condemn \
         congratulate credit criticise criticize decry demand direct express identify laud offer order \
         pledge propose quote read recommend refer reject request sing slate speak talk thank \
         threaten urge voice welcome",
    ),
];

/// Forms of the verbs above that are nouns as often.
const NOUNS: &str = "appeal appeals attack attacks blame call calls claim claims comment comments counter credit \
     credits cry demand demands estimate estimates hint hints joke jokes label labels note notes \
     offer offers order orders pledge pledges point points post posts praise promise promises \
     quote quotes reason reasons reply report reports request requests rule rules signal \
  signals state states stress sum sums talk talks tweet tweets voice vow vows welcome";

const NOT_ADVERBS: &str = "ally anomaly apply assembly belly beverly billy bully butterfly comply daily early \
     elderly emily family fly friendly holly homily imply italy jelly july kelly kimberly likely \
     lily molly monopoly multiply polly rally rely reply sally supply ugly weekly";

/// Adverbs that begin a sentence; other words in "-ly" with a capital are names ("Kelly", "Italy").
const SENTENCE_ADVERBS: &str = "additionally allegedly apparently consequently currently eventually \
     finally generally initially interestingly notably originally presently previously privately \
     publicly recently reportedly separately shortly similarly simply specifically subsequently \
     suddenly surprisingly ultimately unfortunately usually";

const PRONOUNS: &[&str] = &["he", "i", "it", "she", "they", "we", "who", "you"];

const CLASSES: &[(Tags, &str)] = &[
    (
        Tags::DETERMINER,
        "a all an another any both each every few many most no one several some that the these \
         this those",
    ),
    (Tags::SUBJECT_PRONOUN, "he i it she they we you"),
    (Tags::OBJECT_PRONOUN, "her him it me them us you"),
    (Tags::POSSESSIVE_PRONOUN, "her his its my our their your"),
    (
        Tags::PREPOSITION,
        "about after against among around as at before between by despite during following for \
         from in inside into near of on outside over since through to under until upon via with \
         within without",
    ),
    (Tags::BE, "am are be been being is isn't was wasn't were"),
    (Tags::HAVE, "had has hasn't have haven't having"),
    (Tags::DO, "did didn't didn’t do does doesn't doesn’t don't don’t"),
    (
        Tags::MODAL,
        "can can't cannot could couldn't may might must shall should will won't would wouldn't",
    ),
    (Tags::CONJUNCTION, "and but nor or then yet"),
    (
        Tags::SUBORDINATOR,
        "after although as because before how if once since than that though unless until what \
         when where whereas whether which while whilst who whom whose why",
    ),
    (Tags::RELATIVE, "what which who"),
    (
        Tags::ADVERB,
        "again ago also always earlier even ever further furthermore however indeed instead just \
         later meanwhile moreover never now often once only still then therefore thus too",
    ),
    (
        Tags::TIME,
        "afternoon april august day december evening february friday january july june last march \
         may monday month morning next night november october saturday september sunday thursday \
         today tomorrow tonight tuesday wednesday week weekend year yesterday",
    ),
    (
        Tags::MEDIUM,
        "address analysis announcement article blog briefing broadcast column comment comments \
         complaint conference conversation court debate declaration editorial email event facebook \
         filing hearing interview letter meeting memo message news newspaper note op-ed page paper \
         parliament phone post press programme radio rally release remarks report reports \
         resolution session site speech statement stream study summit telephone television \
         testimony tweet tweets twitter video website",
    ),
    (
        Tags::AUDIENCE,
        "agency anyone assembly audience cnn colleagues committee conference congress council court crowd \
         everyone family fans hearing investigators journalists jurors jury lawmakers listeners \
         media ministers network news newspaper outlet parliament people police press public radio \
         readers reporter reporters residents senators station supporters television voters \
         website workers",
    ),
    (Tags::NEGATION, "cannot neither never no none nor not nothing"),
    (
        Tags::PAST,
        "appears arose ate awoke beat became becomes began bit bled blew bore bought bred broke \
         brought built came caught chose clung contains cost crept dealt did died drank drew drove \
         dug fed fell felt fled flew flung forbade forced forgave forgot fought found froze gave \
         gets goes got grew had held hid hit hung hurt includes involves kept knew laid lay led \
         left lent lies lit lost made makes means meant met needs overcame paid put ran rang \
         remains requires rode rose said sang sank sat saw says seems sent set shook shot shows \
         shrank slept slid sold sought spent spoke sprang spread stands stole stood struck stuck \
         swam swept swims swore swung takes taught thought threw told took tore tried understood \
         undertook upheld wants went wept withdrew woke won wore wrote",
    ),
    (
        Tags::NAMING,
        "aka album alias banner book called code-named codenamed designated dubbed entitled \
         expression film game headline headlined known labeled labelled magazine meaning movie \
         named nicknamed novel phrase show single slogan so-called song songs tagged term termed \
         terms titled tune website word words",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_has_one_frame() {
        let n_lemmas: usize =
            VERBS.iter().map(|(_, lemmas)| lemmas.split_whitespace().count()).sum();
        assert_eq!(TABLES.verbs.len(), n_lemmas);
    }

    #[test]
    fn forms_are_found_by_their_lemma() {
        let form = |word| cue(word).map(|cue| cue.form);
        assert_eq!(form("said"), Some(Form::Past));
        assert_eq!(form("says"), Some(Form::Third));
        assert_eq!(form("saying"), Some(Form::Gerund));
        assert_eq!(form("denied"), Some(Form::Past));
        assert_eq!(form("admitted"), Some(Form::Past));
        assert_eq!(form("labelling"), Some(Form::Gerund));
        assert_eq!(form("tweet"), Some(Form::Base));
        assert_eq!(form("announces"), Some(Form::Third));
        assert_eq!(form("writes"), Some(Form::Third));
        for word in ["table", "sayed", "unsaid", "s", "ing", "believes"] {
            assert_eq!(cue(word), None, "{word}");
        }
    }
}
