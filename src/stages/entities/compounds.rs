//! Hyphenated words that hold a name and something else: "US-led", "anti-Brexit", "Israeli-Palestinian".
//!
//! In: a word. Out: the spans of its parts, hyphens among them, or nothing where the hyphen belongs to the name
//! ("Jong-un", "Guinea-Bissau", "Hewlett-Packard").

use crate::article::Span;
use crate::knowledge::{Knowledge, NameKey, NameType, fold};
use crate::text::Shape;

/// Most parts of a word: more is no compound of names.
const PARTS_MAX: usize = 8;

/// What precedes a name's hyphen and is no part of it.
const PREFIXES: &[&str] =
    &["anti", "cross", "ex", "intra", "mid", "non", "post", "pre", "pro", "then", "trans"];

/// What follows a name's hyphen and is no part of it, beside participles on "-ed".
const SUFFIXES: &[&str] = &[
    "born", "bound", "built", "drawn", "era", "friendly", "held", "led", "like", "linked", "made",
    "majority", "only", "owned", "run", "speaking", "style", "trained", "wide", "winner",
    "winning",
];

/// Shorter participles are syllables of names.
const PARTICIPLE_BYTES_MIN: usize = 5;

/// The parts of a compound in text order, each hyphen a part of its own; empty when the word is one name or no compound.
pub(super) fn parts(text: &str, span: Span, shape: Shape, knowledge: &Knowledge) -> Vec<Span> {
    let is_compound =
        matches!(shape, Shape::Capitalized | Shape::AllCaps | Shape::Mixed | Shape::Lower)
            && text.contains('-')
            && text.matches('-').count() < PARTS_MAX;
    if !is_compound {
        return Vec::new();
    }
    let words: Vec<&str> = text.split('-').collect();
    if words.iter().any(|word| word.is_empty()) {
        return Vec::new();
    }
    let first = usize::from(is_one_of(PREFIXES, words[0]) && starts_upper(words[1]));
    let last =
        words.len() - usize::from(words.len() - first > 1 && is_suffix(words[words.len() - 1]));
    let names = &words[first..last];
    let is_several = names.len() > 1
        && kind_of(&names.join("-"), knowledge).is_none()
        && names.iter().all(|name| is_place_or_people(name, knowledge));
    let has_affix = first > 0 || last < words.len();
    let is_parted = is_several || has_affix && names.iter().all(|name| starts_upper(name));
    if !is_parted {
        return Vec::new();
    }
    cuts(&words, first, last, is_several, span)
}

/// Spans of prefix, names and suffix with the hyphens between them; several names are parted too.
fn cuts(words: &[&str], first: usize, last: usize, is_several: bool, span: Span) -> Vec<Span> {
    let mut parts = Vec::new();
    let mut at = span.start;
    let mut start = at;
    for (i, word) in words.iter().enumerate() {
        at += word.len();
        let is_inside_name = !is_several && i >= first && i + 1 < last;
        let is_last = i + 1 == words.len();
        if !is_inside_name || is_last {
            parts.push(Span::new(start, at));
            start = at;
        }
        if is_last {
            break;
        }
        at += 1;
        if !is_inside_name {
            parts.push(Span::new(start, at));
            start = at;
        }
    }
    parts
}

fn is_suffix(word: &str) -> bool {
    is_one_of(SUFFIXES, word)
        || word.len() >= PARTICIPLE_BYTES_MIN && word.to_lowercase().ends_with("ed")
}

fn is_one_of(list: &[&str], word: &str) -> bool {
    list.binary_search(&word.to_lowercase().as_str()).is_ok()
}

fn starts_upper(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn kind_of(name: &str, knowledge: &Knowledge) -> Option<NameType> {
    let mut key = NameKey::default();
    key.push(&fold(name));
    knowledge.name(key).map(|name| name.kind())
}

fn is_place_or_people(name: &str, knowledge: &Knowledge) -> bool {
    starts_upper(name) && matches!(kind_of(name, knowledge), Some(NameType::Gpe | NameType::Norp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(PREFIXES.is_sorted() && SUFFIXES.is_sorted());
    }

    #[track_caller]
    fn check(word: &str, expected: &[&str]) {
        let span = Span::new(0, word.len());
        let found = parts(word, span, Shape::of(word), &Knowledge::embedded());
        let found: Vec<&str> = found.iter().map(|span| span.of(word)).collect();
        assert_eq!(found, expected, "{word}");
    }

    #[test]
    fn names_are_parted_from_what_hangs_on_them() {
        check("US-led", &["US", "-", "led"]);
        check("anti-Brexit", &["anti", "-", "Brexit"]);
        check("Turkish-claimed", &["Turkish", "-", "claimed"]);
        check("Israeli-Palestinian", &["Israeli", "-", "Palestinian"]);
        check("pro-Abu-backed", &["pro", "-", "Abu", "-", "backed"]);
        check("Shia-Backed", &["Shia", "-", "Backed"]);
        check("Kim-Lee-backed", &["Kim-Lee", "-", "backed"]);
    }

    #[test]
    fn hyphens_that_belong_to_a_name_stay() {
        for name in
            ["Jong-un", "Guinea-Bissau", "Hewlett-Packard", "long-term", "Jean-Claude", "-", "A--B"]
        {
            check(name, &[]);
        }
    }
}
