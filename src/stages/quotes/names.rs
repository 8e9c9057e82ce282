//! Words in marks that nobody says: titles of works, nicknames, terms that are introduced.
//!
//! In: quotations. Out: those that may be somebody's words, by their own look and the words beside them.

use super::lexicon::{self, Tags};
use super::marks::Quotation;
use crate::text::{Segments, Shape, Word};

/// Longest name in words.
const NAME_WORDS_MAX: usize = 8;

/// Drops the quotations that are names.
pub(super) fn without_names(
    text: &str,
    segments: &Segments,
    quotations: Vec<Quotation>,
) -> Vec<Quotation> {
    quotations.into_iter().filter(|quotation| !is_name(text, segments, quotation)).collect()
}

fn is_name(text: &str, segments: &Segments, quotation: &Quotation) -> bool {
    let inside = segments.words_in(quotation.inner);
    let words = &segments.words[inside.clone()];
    let n_words = words.iter().filter(|word| word.shape != Shape::Mark).count();
    if n_words == 0 {
        return true;
    }
    if n_words > NAME_WORDS_MAX || !quotation.is_closed {
        return false;
    }
    let outside = segments.words_in(quotation.span);
    let before = segments.words[..outside.start].last();
    let after = segments.words.get(outside.end);
    is_nickname(words, before, after)
        || is_title(text, words)
        || follows_naming(text, segments, outside.start)
}

/// Dwayne “The Rock” Johnson.
fn is_nickname(words: &[Word], before: Option<&Word>, after: Option<&Word>) -> bool {
    words.len() <= 3
        && words.iter().all(|word| word.shape.is_name_like())
        && before.is_some_and(|word| word.shape.is_name_like())
        && after.is_some_and(|word| word.shape.is_name_like())
}

/// “The Old Man and the Sea”: every word that matters is capitalised, and no sentence ends inside.
fn is_title(text: &str, words: &[Word]) -> bool {
    let last = words[words.len() - 1].span.of(text);
    let inner = &words[..words.len() - 1];
    let is_sentence = matches!(last, "." | "!" | "?" | ",") && words.len() > 6
        || inner.iter().any(|word| matches!(word.span.of(text), "." | "!" | "?" | ";"));
    let matters = |word: &&Word| {
        word.shape != Shape::Mark && word.shape != Shape::Possessive && word.span.len() > 3
    };
    let n_matter = words.iter().filter(matters).count();
    let all_capital = words
        .iter()
        .filter(matters)
        .all(|word| word.shape.is_name_like() || word.shape == Shape::Number);
    !is_sentence && n_matter >= 2 && all_capital && words[0].shape != Shape::Lower
}

/// "known as “…”", "a song called “…”", "the term “…”".
fn follows_naming(text: &str, segments: &Segments, start: usize) -> bool {
    let mut before = segments.words[..start]
        .iter()
        .rev()
        .take(3)
        .map(|word| (word, lexicon::look_up(word.span.of(text)).0, word.span.of(text)));
    let Some(mut near) = before.next() else { return false };
    if matches!(near.2, "the" | "as" | "a" | "an" | "," | ":") {
        let Some(next) = before.next() else { return false };
        if near.2 == "as" && next.2 != "known" {
            return false;
        }
        near = next;
    }
    let is_active = before.any(|(_, tags, _)| tags.has(Tags::RELATIVE | Tags::SUBJECT_PRONOUN));
    near.1.has(Tags::NAMING) && !(near.2 == "called" && is_active)
}
