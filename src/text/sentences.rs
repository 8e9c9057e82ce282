//! Sentences: a paragraph is cut after closing marks, never inside an abbreviation, a number or a quotation's end.

use crate::text::{Segments, Sentence, Shape, Word, words};

/// Longest sentence in words: run-on input (tables, transcripts without stops) is cut there, so that work per sentence is bounded.
const SENTENCE_WORDS_MAX: usize = 400;

/// Cuts the words from `first_word` on into sentences of `paragraph`.
pub(super) fn split(text: &str, first_word: usize, paragraph: usize, segments: &mut Segments) {
    let n_words = segments.words.len();
    let mut start = first_word;
    let mut at = first_word;
    while at < n_words {
        let end = if ends_sentence(text, &segments.words, at) {
            closing_marks(text, &segments.words, at + 1)
        } else if at + 1 - start >= SENTENCE_WORDS_MAX {
            at + 1
        } else {
            at += 1;
            continue;
        };
        push(start..end, paragraph, segments);
        (start, at) = (end, end);
    }
    if start < n_words {
        push(start..n_words, paragraph, segments);
    }
}

fn push(words: std::ops::Range<usize>, paragraph: usize, segments: &mut Segments) {
    let sentence = segments.sentences.len();
    for word in &mut segments.words[words.clone()] {
        word.sentence = sentence;
    }
    let span = segments.words[words.start].span.cover(segments.words[words.end - 1].span);
    segments.sentences.push(Sentence { span, words, paragraph });
}

/// Whether the sentence ends with word `at` (closing quotation marks after it not counted).
fn ends_sentence(text: &str, words: &[Word], at: usize) -> bool {
    let mark = words[at].span.of(text);
    let next = closing_marks(text, words, at + 1);
    let Some(next_word) = words.get(next) else { return true };
    let gap = words[next - 1].span.end < next_word.span.start;
    match mark {
        "!" | "?" | "…" => gap && starts_sentence(text, words, next),
        "." => (gap || next > at + 1) && starts_sentence(text, words, next),
        _ if mark.ends_with('.') && mark.len() > 1 => {
            gap && abbreviation_ends_sentence(text, words, at, next)
        }
        _ => false,
    }
}

/// The first word from `at` on that does not close a quotation or bracket.
fn closing_marks(text: &str, words: &[Word], mut at: usize) -> usize {
    while let Some(word) = words.get(at) {
        let attached = words[at - 1].span.end == word.span.start;
        let closes = matches!(
            word.span.of(text),
            "”" | "’" | "\"" | "'" | "»" | ")" | "]" | "“" | "." | "!" | "?"
        );
        if !(attached && closes) {
            break;
        }
        at += 1;
    }
    at
}

/// A capital, a digit or an opening mark begins a sentence; a lower-case word goes on with the one before.
fn starts_sentence(text: &str, words: &[Word], at: usize) -> bool {
    let word = &words[at];
    match word.shape {
        Shape::Capitalized | Shape::AllCaps | Shape::Mixed | Shape::Number => true,
        Shape::Lower => !word.span.of(text).starts_with(|c: char| c.is_lowercase()),
        Shape::Possessive => false,
        Shape::Mark => !matches!(word.span.of(text), "," | ";" | ":" | ")" | "-" | "%"),
    }
}

/// After `U.S.` or `Inc.` a sentence ends only before a word that often begins one; after `Mr.` or an initial never.
fn abbreviation_ends_sentence(text: &str, words: &[Word], at: usize, next: usize) -> bool {
    const OPENERS: &[&str] = &[
        "A", "After", "An", "And", "As", "At", "But", "For", "He", "His", "I", "If", "In", "It",
        "Its", "On", "She", "That", "The", "Their", "There", "They", "This", "We", "When", "While",
        "With", "You",
    ];
    let abbreviation = words[at].span.of(text).trim_end_matches('.');
    let can_end = abbreviation.contains('.')
        || matches!(
            abbreviation.to_lowercase().as_str(),
            "inc" | "corp" | "ltd" | "co" | "jr" | "sr" | "etc" | "bros" | "esq"
        );
    let next_word = words[next].span.of(text);
    can_end
        && (OPENERS.binary_search(&next_word).is_ok()
            || words[next].shape == Shape::Mark
                && starts_sentence(text, words, next)
                && next_word != "("
                && !words::is_apostrophe_str(next_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let segments = Segments::of(text);
        let found: Vec<&str> =
            segments.sentences.iter().map(|sentence| sentence.span.of(text)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn stops_end_sentences() {
        check(
            "It rained. We left! Why? Nobody knows…",
            &["It rained.", "We left!", "Why?", "Nobody knows…"],
        );
        check("He paid $3.5 million. 12 men left.", &["He paid $3.5 million.", "12 men left."]);
        check("one. two", &["one. two"]);
    }

    #[test]
    fn abbreviations_do_not() {
        check("Mr. Smith met J. Doe at St. Mary.", &["Mr. Smith met J. Doe at St. Mary."]);
        check("He left the U.S. The rest stayed.", &["He left the U.S.", "The rest stayed."]);
        check("The U.S. Senate met.", &["The U.S. Senate met."]);
        check("Acme Inc. But it failed.", &["Acme Inc.", "But it failed."]);
    }

    #[test]
    fn closing_marks_stay_with_their_sentence() {
        check("“We go. We win.” He left.", &["“We go.", "We win.”", "He left."]);
        check("“Go!” she said. (Yes.) No.", &["“Go!” she said.", "(Yes.)", "No."]);
        check("“Why?” he asked.", &["“Why?” he asked."]);
    }

    #[test]
    fn a_run_on_is_cut() {
        let text = "word ".repeat(SENTENCE_WORDS_MAX * 2 + 1);
        assert_eq!(Segments::of(&text).sentences.len(), 3);
    }

    #[test]
    fn openers_of_quotations_are_seen() {
        assert!(words::is_apostrophe_str("‘") && !words::is_apostrophe_str("a‘"));
    }
}
