//! Titles and roles beside a person's name: "Secretary of State", "Mr.", "spokeswoman".
//!
//! In: the tokens before or after a name. Out: where the title starts, the role it states, the sex it implies.

use std::ops::Range;

use super::Gender;
use super::lists::Classes;
use super::tokens::Token;
use crate::text::Shape;

/// Forms of address: they say who is a person, and no role.
#[rustfmt::skip]
pub(super) const HONORIFICS: &[&str] = &[
    "adm", "brig", "capt", "cmdr", "col", "dame", "dr", "fr", "gen", "gov", "hon", "imam",
    "justice", "lady", "lord", "lt", "madam", "maj", "master", "miss", "mr", "mrs", "ms", "mullah",
    "mx", "pres", "prof", "pvt", "rep", "reps", "rev", "saint", "sen", "sens", "sgt", "sheik",
    "sheikh", "sir", "sister", "brother", "father", "mother",
];

/// What an abbreviated title stands for as a role.
const EXPANSIONS: &[(&str, &str)] = &[
    ("adm", "admiral"),
    ("capt", "captain"),
    ("col", "colonel"),
    ("dr", "doctor"),
    ("gen", "general"),
    ("gov", "governor"),
    ("lt", "lieutenant"),
    ("maj", "major"),
    ("pres", "president"),
    ("prof", "professor"),
    ("rep", "representative"),
    ("rev", "reverend"),
    ("sen", "senator"),
    ("sgt", "sergeant"),
];

/// Heads of roles, singular: "foreign minister" ends in one.
#[rustfmt::skip]
pub(super) const ROLE_HEADS: &[&str] = &[
    "activist", "actor", "actress", "administrator", "admiral", "adviser", "advisor", "advocate",
    "aide", "ambassador", "analyst", "anchor", "archaeologist", "archbishop", "artist",
    "assemblyman", "assemblywoman", "assistant", "astronaut", "astronomer", "attorney", "author",
    "ayatollah", "banker", "baron", "baroness", "biologist", "bishop", "boss", "brigadier",
    "broadcaster", "businessman", "businesswoman", "candidate", "captain", "cardinal", "ceo", "cfo",
    "chair", "chairman", "chairperson", "chairwoman", "champion", "chancellor", "chief", "cleric",
    "co chair", "co founder", "coach", "cofounder", "columnist", "commander", "commentator",
    "commissioner", "comptroller", "congressman", "congresswoman", "constable", "consul", "coo",
    "coordinator", "coroner", "correspondent", "councillor", "councilman", "councilor",
    "councilwoman", "counsel", "count", "cto", "curator", "dean", "defender", "delegate", "deputy",
    "designer", "detective", "dictator", "diplomat", "director", "director general", "doctor",
    "driver", "duchess", "duke", "earl", "economist", "editor", "emir", "emperor", "empress",
    "engineer", "envoy", "executive", "expert", "fighter", "firefighter", "footballer", "founder",
    "general", "governor", "guitarist", "head", "historian", "host", "inspector", "inventor",
    "investigator", "journalist", "judge", "justice", "king", "lawmaker", "lawyer", "leader",
    "lecturer", "legislator", "lieutenant", "magistrate", "major", "manager", "marshal", "mayor",
    "meteorologist", "midfielder", "minister", "monarch", "mp", "mufti", "musician", "negotiator",
    "nominee", "novelist", "nurse", "officer", "official", "ombudsman", "organiser", "organizer",
    "owner", "painter", "paramedic", "pastor", "patriarch", "philanthropist", "photographer",
    "physician", "physicist", "pilot", "player", "playwright", "poet", "politician", "pontiff",
    "pope", "premier", "president", "president elect", "priest", "prince", "princess", "principal",
    "prisoner", "producer", "professor", "prosecutor", "psychologist", "publisher", "queen",
    "rabbi", "rapper", "rector", "reporter", "representative", "researcher", "reverend", "runner",
    "scholar", "scientist", "secretary", "secretary general", "senator", "sergeant", "sheriff",
    "singer", "skipper", "sociologist", "soldier", "solicitor", "songwriter", "speaker",
    "spokesman", "spokesperson", "spokeswoman", "statesman", "strategist", "striker", "student",
    "sultan", "superintendent", "supervisor", "surgeon", "suspect", "swimmer", "teacher",
    "technician", "trainer", "treasurer", "trooper", "trustee", "veteran", "vice president",
    "victim", "volunteer", "warden", "whistleblower", "winner", "wrestler", "writer",
];

/// Words that stand before a role's head and belong to it.
#[rustfmt::skip]
pub(super) const ROLE_MODIFIERS: &[&str] = &[
    "acting", "assistant", "associate", "attorney", "brigadier", "cabinet", "chief", "crown",
    "defence", "defense", "deputy", "district", "economic", "education", "environment", "executive",
    "federal", "field", "finance", "financial", "first", "foreign", "former", "general", "head",
    "health", "high", "home", "house", "inspector", "interim", "interior", "justice", "lieutenant",
    "lord", "major", "majority", "managing", "military", "minority", "national", "operating",
    "opposition", "party", "police", "press", "prime", "public", "rear", "security", "senior",
    "shadow", "solicitor", "special", "staff", "state", "supreme", "top", "transport", "under",
    "union", "vice",
];

/// What may follow "of" in a role: "Secretary of State", "leader of the opposition".
#[rustfmt::skip]
const ROLE_COMPLEMENTS: &[&str] = &[
    "state", "staff", "defense", "defence", "opposition", "police", "commons", "agriculture",
    "commerce", "labor", "education", "energy", "transportation", "treasury", "interior", "health",
    "operations",
];

#[rustfmt::skip]
const FEMALE: &[&str] = &[
    "actress", "assemblywoman", "baroness", "businesswoman", "chairwoman", "congresswoman",
    "councilwoman", "dame", "duchess", "empress", "lady", "madam", "miss", "mother", "mrs", "ms",
    "princess", "queen", "sister", "spokeswoman", "wife", "daughter", "widow",
];
#[rustfmt::skip]
const MALE: &[&str] = &[
    "assemblyman", "ayatollah", "baron", "brother", "businessman", "chairman", "congressman",
    "councilman", "duke", "earl", "emperor", "father", "imam", "king", "lord", "mr", "mullah",
    "pope", "priest", "prince", "sheik", "sheikh", "sir", "spokesman", "sultan", "husband", "son",
];

/// What stands before a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Title {
    /// How many tokens before the name belong to the title.
    pub(super) n_tokens: usize,
    /// Lower-cased, without honorifics: "secretary of state".
    pub(super) role: Option<String>,
    pub(super) gender: Option<Gender>,
}

/// Longest title in tokens: "deputy assistant secretary of state for public affairs" is rare, work stays bounded.
const TITLE_TOKENS_MAX: usize = 6;

/// The title that ends where the name at `start` begins, in tokens from `sentence_start` on.
pub(super) fn before(tokens: &[Token<'_>], start: usize, sentence_start: usize) -> Option<Title> {
    let (at, role_end) = extent(tokens, start, sentence_start);
    if at == start {
        return None;
    }
    let mut title = Title { n_tokens: start - at, ..Title::default() };
    title.gender = tokens[at..start].iter().rev().find_map(|token| gender_of(&token.folded));
    if at < role_end {
        title.role = Some(role_text(tokens, at..role_end));
    } else {
        let expand =
            |token: &Token<'_>| EXPANSIONS.iter().find(|(short, _)| *short == token.folded);
        title.role = tokens[at..start].iter().find_map(expand).map(|(_, full)| (*full).to_owned());
    }
    Some(title)
}

/// How many words before `start` are a person's title.
pub(super) fn n_tokens_before(tokens: &[Token<'_>], start: usize, sentence_start: usize) -> usize {
    start - extent(tokens, start, sentence_start).0
}

/// Where the title before `start` begins, and where its honorifics do.
fn extent(tokens: &[Token<'_>], start: usize, sentence_start: usize) -> (usize, usize) {
    let floor = sentence_start.max(start.saturating_sub(TITLE_TOKENS_MAX));
    let mut role_end = start;
    while role_end > floor
        && is_honorific(&tokens[role_end - 1])
        && !is_role_head(&tokens[role_end - 1])
    {
        role_end -= 1;
    }
    (role_ending_at(tokens, role_end, floor).unwrap_or(role_end), role_end)
}

/// The role that an apposition after a name states: "Sung Kim, US ambassador to the Philippines," → "ambassador".
pub(super) fn after(tokens: &[Token<'_>], end: usize, sentence_end: usize) -> Option<Title> {
    if tokens.get(end)?.text != "," || end + 1 >= sentence_end {
        return None;
    }
    let ceiling = sentence_end.min(end + 2 + TITLE_TOKENS_MAX);
    let mut head = None;
    for (at, token) in tokens.iter().enumerate().take(ceiling).skip(end + 1) {
        if token.shape == Shape::Mark || is_clause_word(&token.folded) {
            break;
        }
        if is_role_head(token) {
            head = Some(at);
        } else if head.is_some() {
            break;
        }
    }
    let head = head?;
    let mut start = head;
    while start > end + 1 && is_role_modifier(&tokens[start - 1]) {
        start -= 1;
    }
    let stop = complement_end(tokens, head + 1, sentence_end);
    Some(Title {
        n_tokens: stop - end,
        role: Some(role_text(tokens, start..stop)),
        gender: tokens[start..=head].iter().find_map(|token| gender_of(&token.folded)),
    })
}

pub(super) fn is_honorific(token: &Token<'_>) -> bool {
    token.shape.is_name_like() && token.classes.any(Classes::HONORIFIC)
}

fn is_role_head(token: &Token<'_>) -> bool {
    token.classes.any(Classes::ROLE_HEAD)
}

pub(super) fn gender_of(word: &str) -> Option<Gender> {
    if FEMALE.contains(&word) {
        Some(Gender::Female)
    } else if MALE.contains(&word) {
        Some(Gender::Male)
    } else {
        None
    }
}

/// Where the role phrase that ends before `end` starts: "prime minister", "Secretary of State".
fn role_ending_at(tokens: &[Token<'_>], end: usize, floor: usize) -> Option<usize> {
    let mut head = end.checked_sub(1).filter(|&at| at >= floor)?;
    if !is_role_head(&tokens[head]) {
        // "Secretary of State", "Leader of the Opposition".
        let complement = ROLE_COMPLEMENTS.contains(&tokens[head].folded.as_str());
        let mut at = head.checked_sub(1).filter(|_| complement)?;
        if tokens[at].folded == "the" {
            at = at.checked_sub(1)?;
        }
        if tokens[at].folded != "of" {
            return None;
        }
        head = at.checked_sub(1).filter(|&at| at >= floor && is_role_head(&tokens[at]))?;
    }
    let mut start = head;
    while start > floor
        && (is_role_modifier(&tokens[start - 1]) || is_role_head(&tokens[start - 1]))
    {
        start -= 1;
    }
    Some(start)
}

fn is_role_modifier(token: &Token<'_>) -> bool {
    token.classes.any(Classes::ROLE_MODIFIER)
}

/// "of state" after "secretary".
fn complement_end(tokens: &[Token<'_>], at: usize, end: usize) -> usize {
    let of = tokens.get(at).is_some_and(|token| at + 1 < end && token.folded == "of");
    if of && ROLE_COMPLEMENTS.contains(&tokens[at + 1].folded.as_str()) { at + 2 } else { at }
}

fn role_text(tokens: &[Token<'_>], words: Range<usize>) -> String {
    let words: Vec<String> = tokens[words]
        .iter()
        .map(|token| token.text.to_lowercase())
        .filter(|w| w != "former")
        .collect();
    words.join(" ")
}

/// Words after which a comma's phrase is a clause, not a role.
fn is_clause_word(folded: &str) -> bool {
    matches!(
        folded,
        "who"
            | "which"
            | "whose"
            | "said"
            | "says"
            | "and"
            | "but"
            | "where"
            | "when"
            | "in"
            | "on"
            | "he"
            | "she"
            | "it"
            | "told"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(ROLE_HEADS.is_sorted(), "{:?}", ROLE_HEADS.windows(2).find(|w| w[0] > w[1]));
    }
}
