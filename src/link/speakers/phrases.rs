//! What kind of phrase names a speaker.
//!
//! In: the source as written. Out: a [`Phrase`]: a name, a pronoun, a description, or somebody without a name.

use super::scene::{Scene, Sighting};
use crate::article::Span;
use crate::stages::entities::EntityType;
use crate::text::{Shape, Word};

/// A source, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phrase {
    Named(usize),
    Pronoun(Pronoun),
    /// "the president", "the agency": the head noun's place.
    Described(Span),
    /// "officials", "a local man".
    Nameless,
    /// A name that is no entity of the article.
    UnknownName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pronoun {
    He,
    She,
    It,
    They,
    /// "I", "we", "you": of the interview, not of the article.
    Other,
}

/// Nouns for those who speak for a body: without a name, the body speaks.
const VOICES: &[&str] = &[
    "rep",
    "representative",
    "spokesman",
    "spokesmen",
    "spokesperson",
    "spokespeople",
    "spokeswoman",
];

/// Nouns for what a body or person says or writes: "the agency's report".
#[rustfmt::skip]
const DOCUMENTS: &[&str] = &[
    "account", "analysis", "announcement", "article", "blog", "bulletin", "complaint", "data",
    "database", "decision", "editorial", "email", "estimate", "estimates", "figures", "filing",
    "findings", "letter", "memo", "message", "notice", "page", "poll", "post", "proposal", "proposals", "release",
    "report", "reports", "research", "schedule", "site", "spokes", "statement", "statements",
    "statistics", "study", "survey", "testimony", "tweet", "tweets", "website", "words",
];

/// Nouns for a body that its name stands before: "the Interfax news agency".
#[rustfmt::skip]
const BODIES: &[&str] = &[
    "agency", "airline", "alert", "army", "association", "authority", "bank", "broadcaster",
    "campaign", "channel", "charity", "club", "committee", "company", "council", "court",
    "department", "firm", "foundation", "group", "hospital", "institute", "magazine", "ministry",
    "network", "newspaper", "office", "organisation", "organization", "paper", "party", "police",
    "portal", "programme", "school", "service", "site", "station", "team", "union", "university",
    "website",
];

/// Nouns for persons with an office: with a capital they are still no names.
#[rustfmt::skip]
const OFFICES: &[&str] = &[
    "admiral", "ambassador", "archbishop", "bishop", "captain", "chairman", "chancellor", "chief",
    "colonel", "commander", "commissioner", "congressman", "congresswoman", "coordinator",
    "director", "general", "governor", "judge", "justice", "king", "leader", "lieutenant", "mayor",
    "minister", "pm", "pontiff", "pope", "premier", "president", "prince", "princess",
    "professor", "queen", "secretary", "senator", "sergeant", "sheriff", "speaker",
];

/// Nouns for those who lead a state as one: "the Japanese government" speaks for Japan.
const GOVERNMENTS: &[&str] = &["administration", "embassy", "government", "regime"];

/// What the words of a source say.
pub(super) fn read(scene: &Scene<'_>, span: Span) -> Phrase {
    let words = &scene.segments.words[scene.segments.words_in(span)];
    let Some(first) = words.first() else { return Phrase::Nameless };
    if words.len() == 1
        && let Some(pronoun) = pronoun(first.span.of(scene.text))
    {
        return Phrase::Pronoun(pronoun);
    }
    let mentions = scene.mentions_in(span);
    if let Some(person) = person(scene, words, mentions) {
        return Phrase::Named(person);
    }
    let core = core(scene, words);
    let Some(head) = core.iter().rev().find(|word| word.shape != Shape::Mark) else {
        return Phrase::Nameless;
    };
    if let Some(sighting) = scene.mention_at(head.span.start) {
        let is_head = sighting.span.end >= head.span.end;
        if is_head && scene.entities[sighting.entity].kind != EntityType::Norp {
            return Phrase::Named(sighting.entity);
        }
        return Phrase::Nameless;
    }
    match by_noun(scene, (first, head), core, mentions) {
        // "the group, the Free Town League, said": a name that is no entity stands in for the description.
        Phrase::Described(_) | Phrase::Nameless if has_unknown_name(scene, words) => {
            Phrase::UnknownName
        }
        phrase => phrase,
    }
}

/// Whether an apposition in commas ends in a capitalised word that is part of no mention.
fn has_unknown_name(scene: &Scene<'_>, words: &[Word]) -> bool {
    let comma = words.iter().position(|word| word.span.of(scene.text) == ",");
    words[comma.map_or(words.len(), |comma| comma + 1)..].last().is_some_and(|last| {
        last.shape.is_name_like() && scene.mention_at(last.span.start).is_none()
    })
}

/// A phrase whose head is a common noun, by what the noun stands for.
fn by_noun(
    scene: &Scene<'_>,
    (first, head): (&Word, &Word),
    core: &[Word],
    mentions: &[Sighting],
) -> Phrase {
    let noun = head.span.of(scene.text).to_lowercase();
    let is_one_of = |nouns: &[&str]| nouns.contains(&noun.as_str());
    let org = || owner(scene, mentions, &[EntityType::Org]);
    let body = if is_one_of(VOICES) {
        org()
    } else if is_one_of(BODIES) {
        let inside = scene.mentions_in(core[0].span.cover(head.span));
        inside
            .iter()
            .find(|mention| {
                scene.entities[mention.entity].kind == EntityType::Org && !is_owner(core, mention)
            })
            .map(|mention| mention.entity)
    } else {
        None
    };
    let is_document = is_one_of(DOCUMENTS) || is_one_of(GOVERNMENTS);
    let kinds = [EntityType::Org, EntityType::Person, EntityType::Gpe, EntityType::Fac];
    let author = || owner(scene, mentions, &kinds).or_else(|| state(scene, mentions));
    if let Some(named) = body.or_else(|| author().filter(|_| is_document)) {
        return Phrase::Named(named);
    }
    let is_capital = head.shape.is_name_like() && !is_one_of(OFFICES);
    if is_capital && (head.span != first.span || !is_sentence_start(scene, head)) {
        return Phrase::UnknownName;
    }
    let determiner = first.span.of(scene.text).to_lowercase();
    let is_definite = matches!(determiner.as_str(), "the" | "his" | "her" | "its" | "their")
        || mentions.first().is_some_and(|mention| mention.span.start == first.span.start)
        || noun == "police" && core.len() == 1
        || is_one_of(OFFICES) && !matches!(determiner.as_str(), "a" | "an" | "one" | "another");
    if is_definite { Phrase::Described(head.span) } else { Phrase::Nameless }
}

/// Whether a possessive follows the mention.
fn is_owner(words: &[Word], mention: &Sighting) -> bool {
    let next = words.iter().find(|word| word.span.start >= mention.span.end);
    next.is_some_and(|next| next.shape == Shape::Possessive)
}

fn pronoun(word: &str) -> Option<Pronoun> {
    let lower = word.to_lowercase();
    Some(match lower.split(['\'', '’']).next().unwrap_or_default() {
        "he" | "him" | "his" => Pronoun::He,
        "she" | "her" => Pronoun::She,
        "it" => Pronoun::It,
        "they" | "them" => Pronoun::They,
        "i" | "we" | "you" | "me" | "us" => Pronoun::Other,
        _ => return None,
    })
}

/// The person whom the phrase names: not an owner ("Lee’s lawyer"), not what a preposition brings ("a lawyer for Lee").
fn person(scene: &Scene<'_>, words: &[Word], mentions: &[Sighting]) -> Option<usize> {
    let persons = mentions
        .iter()
        .filter(|mention| scene.entities[mention.entity].kind == EntityType::Person)
        .filter(|mention| !is_owner(words, mention));
    let mut found: Option<Sighting> = None;
    for mention in persons {
        // "Lee and Roy said": the first is as good as any, and named first.
        let joins = found.is_some_and(|found| {
            let between = Span::new(found.span.end, mention.span.start).of(scene.text);
            between.contains(" and ")
        });
        if !is_brought(scene, words, mention) && !joins {
            found = Some(*mention);
        }
    }
    found.map(|found| found.entity)
}

/// Whether a preposition brings the name: "a lawyer for Lee", but not "the envoy for Iran Jo Lee", where the name stands
/// beside another, or "the speaker of the house Jo Lee".
fn is_brought(scene: &Scene<'_>, words: &[Word], mention: &Sighting) -> bool {
    let before: Vec<&Word> =
        words.iter().take_while(|word| word.span.start < mention.span.start).collect();
    let comma = before.iter().rposition(|word| word.span.of(scene.text) == ",");
    let piece = &before[comma.map_or(0, |comma| comma + 1)..];
    let written = |at: usize| piece[at].span.of(scene.text);
    let preposition = piece.iter().rposition(|word| {
        is_preposition(word.span.of(scene.text)) && scene.mention_at(word.span.start).is_none()
    });
    let Some(preposition) = preposition else { return false };
    let Some(last) = piece.last().filter(|_| preposition + 1 < piece.len()) else { return true };
    let other = scene.mention_at(last.span.start).map(|other| other.entity);
    let follows_name = other.is_some_and(|other| scene.entities[other].kind != EntityType::Person);
    let is_honorific = last.span.of(scene.text).ends_with('.');
    let follows_title = last.shape.is_name_like() && written(preposition) == "of";
    let follows_noun = last.shape == Shape::Lower
        && written(preposition) == "of"
        && matches!(written(preposition + 1), "the" | "his" | "her" | "its" | "their");
    !(follows_name || is_honorific || follows_title || follows_noun)
}

/// The words before the first comma or preposition that is not inside a name.
fn core<'s>(scene: &Scene<'_>, words: &'s [Word]) -> &'s [Word] {
    let end = words.iter().position(|word| {
        let written = word.span.of(scene.text);
        (written == "," || is_preposition(written)) && scene.mention_at(word.span.start).is_none()
    });
    &words[..end.filter(|&end| end > 0).unwrap_or(words.len())]
}

fn is_preposition(word: &str) -> bool {
    matches!(
        word,
        "of" | "for"
            | "from"
            | "in"
            | "at"
            | "on"
            | "to"
            | "with"
            | "by"
            | "within"
            | "near"
            | "aboard"
            | "inside"
            | "on behalf"
            | "such"
            | "published"
            | "who"
    )
}

/// The entity of one of `kinds` that the phrase names beside its head: "a WHO report", "the report by the WHO".
fn owner(scene: &Scene<'_>, mentions: &[Sighting], kinds: &[EntityType]) -> Option<usize> {
    kinds.iter().find_map(|&kind| {
        mentions
            .iter()
            .map(|mention| mention.entity)
            .find(|&entity| scene.entities[entity].kind == kind)
    })
}

/// Most entities among which a state is looked for: an article that names more is a list.
const ENTITIES_MAX: usize = 1000;

/// The state whose people the phrase names: "the Japanese government" is Japan, when the article names Japan.
fn state(scene: &Scene<'_>, mentions: &[Sighting]) -> Option<usize> {
    let people = owner(scene, mentions, &[EntityType::Norp])?;
    let adjective = scene.entities[people].name.to_lowercase();
    let special = STATES.iter().find(|(people, _)| *people == adjective);
    scene.entities.iter().take(ENTITIES_MAX).position(|entity| {
        let name = entity.name.to_lowercase();
        entity.kind == EntityType::Gpe
            && match special {
                Some((_, states)) => states.contains(&name.as_str()),
                None => shares_stem(&adjective, &name),
            }
    })
}

/// Adjectives that do not begin as their state does.
const STATES: &[(&str, &[&str])] = &[
    ("american", &["united states", "us", "u.s.", "usa", "america"]),
    ("british", &["united kingdom", "uk", "u.k.", "britain", "great britain"]),
    ("danish", &["denmark"]),
    ("dutch", &["netherlands", "the netherlands"]),
    ("filipino", &["philippines"]),
    ("french", &["france"]),
    ("greek", &["greece"]),
    ("irish", &["ireland"]),
    ("north korean", &["north korea", "dprk"]),
    ("polish", &["poland"]),
    ("scottish", &["scotland"]),
    ("south korean", &["south korea"]),
    ("spanish", &["spain"]),
    ("swedish", &["sweden"]),
    ("swiss", &["switzerland"]),
    ("turkish", &["turkey", "türkiye"]),
    ("welsh", &["wales"]),
];

fn shares_stem(adjective: &str, name: &str) -> bool {
    let common = adjective.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    common >= 4 && common + 3 >= adjective.chars().count().saturating_sub(1)
}

fn is_sentence_start(scene: &Scene<'_>, word: &Word) -> bool {
    scene
        .segments
        .sentences
        .get(word.sentence)
        .is_some_and(|sentence| sentence.span.start == word.span.start)
}
