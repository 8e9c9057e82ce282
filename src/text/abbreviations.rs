//! Abbreviations written with a full stop, by what the stop can mean.
//!
//! In: a word without its final stop. Out: whether the stop belongs to it, and whether a sentence can end there.

/// What the stop after a word can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abbreviation {
    /// `Mr.`, `Gen.`, `vs.`: what it introduces always follows in the same sentence.
    Introduces,
    /// `J.`, `W.`: part of a name, rarely the end of one (`Malcolm X.`).
    Initial,
    /// `a.m.`, `p.m.`: ends a sentence unless a zone or a day follows.
    TimeOfDay,
    /// `U.S.`, `Inc.`, `Sept.`, `Calif.`: ends a sentence only before a word that often begins one.
    MayEnd,
    /// `etc.`, `mph.`: ends a sentence before any capital.
    OftenEnds,
}

/// Lower-cased, sorted, in the order of the variants that they become.
const INTRODUCES: &[&str] = &[
    "adm", "amb", "approx", "atty", "brig", "capt", "cf", "cmdr", "col", "cpl", "det", "dr", "fr",
    "ft", "gen", "gov", "govs", "hon", "insp", "lt", "maj", "messrs", "mr", "mrs", "ms", "msgr",
    "mt", "pfc", "pres", "prof", "pvt", "rep", "reps", "rev", "sen", "sens", "sgt", "st", "ste",
    "supt", "v", "vs",
];
const MAY_END: &[&str] = &[
    "al", "assn", "ave", "blvd", "bros", "co", "corp", "cos", "dept", "esq", "hwy", "inc", "jr",
    "llc", "ltd", "mfg", "plc", "rd", "sr", "univ",
];
/// Abbreviations that are words too unless they are capitalised: months, and states in AP style.
const MAY_END_CAPITALIZED: &[&str] = &[
    "Ala", "Alta", "Apr", "Ariz", "Ark", "Aug", "Calif", "Colo", "Conn", "Dec", "Del", "Feb",
    "Fla", "Ga", "Ill", "Ind", "Jan", "Jul", "Jun", "Kan", "Ky", "Mass", "Md", "Mich", "Minn",
    "Mont", "Neb", "Nev", "Nov", "Oct", "Okla", "Ont", "Ore", "Penn", "Que", "Sask", "Sep", "Sept",
    "Tenn", "Tex", "Va", "Vt", "Wash", "Wis", "Wyo",
];
/// Abbreviations only before a number: `No. 5`, `pp. 3`.
const BEFORE_NUMBER: &[&str] =
    &["art", "c", "ca", "ch", "est", "fig", "no", "nos", "p", "pp", "rs", "sec", "vol"];

/// What `word` (without its stop) abbreviates; `before_number` says that a digit comes after the stop.
/// `None` when the stop is a full stop.
pub(super) fn kind_of(word: &str, before_number: bool) -> Option<Abbreviation> {
    // Longer words are never in the lists; a word can be a megabyte long.
    if word.len() > 16 {
        return None;
    }
    if word.contains('.') {
        return kind_of_dotted(word);
    }
    let mut chars = word.chars();
    let first = chars.next()?;
    if chars.next().is_none() && first.is_uppercase() {
        return (word != "I").then_some(Abbreviation::Initial);
    }
    if MAY_END_CAPITALIZED.binary_search(&word).is_ok() {
        return Some(Abbreviation::MayEnd);
    }
    let lower = word.to_lowercase();
    let is_in = |list: &[&str]| list.binary_search(&lower.as_str()).is_ok();
    if is_in(INTRODUCES) || before_number && is_in(BEFORE_NUMBER) {
        Some(Abbreviation::Introduces)
    } else if matches!(lower.as_str(), "etc" | "mph") {
        Some(Abbreviation::OftenEnds)
    } else if is_in(MAY_END) && word != "co" {
        Some(Abbreviation::MayEnd)
    } else {
        None
    }
}

/// `U.S`, `p.m`, `Ph.D`, `e.g`: letters, at most two between stops.
fn kind_of_dotted(word: &str) -> Option<Abbreviation> {
    let is_dotted = word.split('.').all(|part| {
        (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic)
    });
    if !is_dotted {
        return None;
    }
    match word.to_lowercase().as_str() {
        "a.m" | "p.m" => Some(Abbreviation::TimeOfDay),
        "e.g" | "i.e" => Some(Abbreviation::Introduces),
        _ => Some(Abbreviation::MayEnd),
    }
}

/// Words that often begin a sentence and hardly ever a name.
const OPENERS: &[&str] = &[
    "A",
    "About",
    "According",
    "After",
    "All",
    "Also",
    "Although",
    "Among",
    "An",
    "And",
    "Another",
    "Any",
    "As",
    "At",
    "Because",
    "Before",
    "Both",
    "But",
    "By",
    "Despite",
    "During",
    "Each",
    "Earlier",
    "Even",
    "Every",
    "For",
    "From",
    "He",
    "Her",
    "Here",
    "His",
    "How",
    "However",
    "I",
    "If",
    "In",
    "Instead",
    "It",
    "Its",
    "Later",
    "Many",
    "Meanwhile",
    "More",
    "Moreover",
    "Most",
    "Much",
    "My",
    "Neither",
    "Nobody",
    "Nor",
    "Not",
    "Nothing",
    "Now",
    "Of",
    "On",
    "Once",
    "Only",
    "Or",
    "Other",
    "Others",
    "Our",
    "She",
    "Since",
    "So",
    "Some",
    "Soon",
    "Still",
    "Such",
    "That",
    "The",
    "Their",
    "Then",
    "There",
    "These",
    "They",
    "This",
    "Those",
    "Though",
    "Through",
    "Thus",
    "To",
    "Today",
    "Until",
    "Was",
    "We",
    "Were",
    "What",
    "When",
    "Where",
    "Whether",
    "While",
    "Who",
    "Why",
    "With",
    "Without",
    "Yesterday",
    "Yet",
    "You",
    "Your",
];

pub(super) fn often_opens_sentence(word: &str) -> bool {
    OPENERS.binary_search(&word).is_ok()
}

/// What follows a time of day within its sentence: `5 p.m. Eastern`, `9 a.m. Monday`.
pub(super) fn goes_on_after_time(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "April",
        "August",
        "Central",
        "Coordinated",
        "December",
        "EDT",
        "EST",
        "ET",
        "Eastern",
        "February",
        "Friday",
        "GMT",
        "Greenwich",
        "January",
        "July",
        "June",
        "March",
        "May",
        "Monday",
        "Mountain",
        "November",
        "October",
        "PDT",
        "PST",
        "PT",
        "Pacific",
        "Saturday",
        "September",
        "Sunday",
        "Thursday",
        "Tuesday",
        "UTC",
        "Wednesday",
    ];
    WORDS.binary_search(&word).is_ok() || word.ends_with('T') && word.len() <= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        let lists = [INTRODUCES, MAY_END, MAY_END_CAPITALIZED, BEFORE_NUMBER, OPENERS];
        for list in lists {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn stops_are_told_apart() {
        let cases = [
            ("Mr", false, Some(Abbreviation::Introduces)),
            ("J", false, Some(Abbreviation::Initial)),
            ("I", false, None),
            ("U.S", false, Some(Abbreviation::MayEnd)),
            ("Ph.D", false, Some(Abbreviation::MayEnd)),
            ("3.5", false, None),
            ("p.m", false, Some(Abbreviation::TimeOfDay)),
            ("No", true, Some(Abbreviation::Introduces)),
            ("No", false, None),
            ("Sept", false, Some(Abbreviation::MayEnd)),
            ("wash", false, None),
            ("rain", false, None),
        ];
        for (word, before_number, expected) in cases {
            assert_eq!(kind_of(word, before_number), expected, "{word}");
        }
    }
}
