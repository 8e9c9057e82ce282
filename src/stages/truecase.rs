//! Capitals for a text that was written without any: transcripts, captions, hasty wires.
//!
//! In: an article. Out: one in which what is a name by all that is known of its words has capitals, or `None` where the
//! text has capitals of its own. Every character keeps its length, so spans in one are spans in the other. The stages
//! then see a text like those that they know; what is published is the text as it was sent.

use std::ops::Range;

use crate::article::{Article, Span};
use crate::knowledge::{Knowledge, NameKey, NameType, WordEvidence, fold};
use crate::text::{Segments, Shape, Word};

/// Fewer words do not tell how a text is written.
const WORDS_MIN: usize = 5;
/// More than one capitalised word in so many: the writer uses capitals.
const WORDS_PER_CAPITAL_MIN: usize = 50;
/// Longest name that is looked up, in words.
const NAME_WORDS_MAX: usize = 6;
/// A word that news writes small less often than this is a name's.
const LOWER_SHARE_MAX: f32 = 0.3;

/// A name of common words alone ("world health organization") is one from this prominence on.
const PROMINENCE_MIN: u8 = 5;

/// Words of a field, with what is known of each.
struct Field<'a> {
    text: &'a str,
    words: Vec<Word>,
    folded: Vec<String>,
    evidence: Vec<WordEvidence>,
}

pub fn restore(article: &Article, knowledge: &Knowledge) -> Option<Article> {
    let headline = article.headline.as_deref().and_then(|headline| restored(headline, knowledge));
    let text = restored(&article.text, knowledge);
    if headline.is_none() && text.is_none() {
        return None;
    }
    let mut article = article.clone();
    article.headline = headline.or(article.headline);
    article.text = text.unwrap_or(article.text);
    Some(article)
}

/// `None` where the text has capitals of its own, or too little text.
fn restored(text: &str, knowledge: &Knowledge) -> Option<String> {
    // Most texts show a capital at once: only those that do not are split into words.
    let is_capital = |word: &&str| word.starts_with(char::is_uppercase);
    let n_capitals = text.split_whitespace().filter(is_capital).count();
    if n_capitals * WORDS_PER_CAPITAL_MIN > text.split_whitespace().count() {
        return None;
    }
    let field = Field::of(text, knowledge);
    let is_word = |word: &&Word| word.shape == Shape::Lower;
    if field.words.iter().filter(is_word).count() < WORDS_MIN {
        return None;
    }
    let mut restored = text.as_bytes().to_vec();
    let mut at = 0;
    while at < field.words.len() {
        let name = field.name_at(at, knowledge);
        for word in name.clone() {
            field.capitalize(word, &mut restored);
        }
        if field.opens_sentence(at) {
            field.capitalize(at, &mut restored);
        }
        at = name.end.max(at + 1);
    }
    String::from_utf8(restored).ok()
}

impl<'a> Field<'a> {
    fn of(text: &'a str, knowledge: &Knowledge) -> Self {
        let words = Segments::of(text).words;
        let folded: Vec<_> = words.iter().map(|word| fold(word.span.of(text))).collect();
        let evidence = folded.iter().map(|word| knowledge.word(word)).collect();
        Self { text, words, folded, evidence }
    }

    /// The words of a name that begins here; empty where none does.
    fn name_at(&self, at: usize, knowledge: &Knowledge) -> Range<usize> {
        if self.words[at].shape != Shape::Lower {
            return at..at;
        }
        let mut name = at..at;
        let mut key = NameKey::default();
        for end in at..self.words.len().min(at + NAME_WORDS_MAX) {
            if self.words[end].shape != Shape::Lower || end > at && !self.follows(end) {
                break;
            }
            key.push(&self.folded[end]);
            let is_rare = (at..=end).any(|word| self.is_rarely_small(word));
            let is_known = end > at
                && knowledge.name(key).is_some_and(|name| {
                    !matches!(name.kind(), NameType::Work | NameType::Other)
                        && (is_rare || name.prominence() >= PROMINENCE_MIN)
                });
            if is_known {
                name.end = end + 1;
            }
        }
        if name.is_empty() && (self.is_rarely_small(at) || self.is_initials(at)) {
            name.end = at + 1;
        }
        // Nobody knows every family name: what follows a given name and is not a common word is one.
        let is_given = !name.is_empty() && self.evidence[name.end - 1].given_name() > 0;
        if is_given
            && self.words.get(name.end).is_some_and(|word| word.shape == Shape::Lower)
            && self.follows(name.end)
            && self.evidence[name.end].lower_share().is_none_or(|share| share < LOWER_SHARE_MAX)
        {
            name.end += 1;
        }
        name
    }

    /// Whether only a space stands before the word.
    fn follows(&self, word: usize) -> bool {
        let gap = Span { start: self.words[word - 1].span.end, end: self.words[word].span.start };
        gap.of(self.text) == " "
    }

    fn is_rarely_small(&self, word: usize) -> bool {
        let evidence = self.evidence[word];
        match evidence.lower_share() {
            Some(share) => share < LOWER_SHARE_MAX,
            None => evidence.given_name() > 0 || evidence.family_name() > 0,
        }
    }

    /// "u.s.", "i".
    fn is_initials(&self, word: usize) -> bool {
        let text = self.words[word].span.of(self.text);
        text == "i" || text.len() > 2 && text.split_terminator('.').all(|part| part.len() == 1)
    }

    fn opens_sentence(&self, word: usize) -> bool {
        let Some(before) = word.checked_sub(1) else { return true };
        let (before, here) = (self.words[before].span, self.words[word].span);
        let gap = Span { start: before.end, end: here.start }.of(self.text);
        gap.contains('\n')
            || !gap.is_empty() && matches!(before.of(self.text), "." | "?" | "!")
            || before.end == here.start && matches!(before.of(self.text), "“" | "\"")
    }

    /// Connectors inside names ("bank of england") stay small.
    fn capitalize(&self, word: usize, restored: &mut [u8]) {
        const SMALL: &[&str] = &["and", "de", "for", "in", "of", "on", "the"];
        let Word { span, .. } = self.words[word];
        let is_initials = self.is_initials(word);
        if SMALL.contains(&span.of(self.text)) && !self.opens_sentence(word) {
            return;
        }
        let mut is_first = true;
        for (at, c) in span.of(self.text).char_indices() {
            if is_first || is_initials {
                let mut upper = c.to_uppercase();
                if let (Some(upper), None) = (upper.next(), upper.next())
                    && upper.len_utf8() == c.len_utf8()
                {
                    let place = span.start + at;
                    upper.encode_utf8(&mut restored[place..place + c.len_utf8()]);
                }
            }
            is_first = c == '-';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let restored = restored(text, &Knowledge::embedded());
        assert_eq!(restored.as_deref(), expected);
    }

    #[test]
    fn names_and_sentences_get_their_capitals() {
        check(
            "the chancellor angela merkel met barack obama in new york on monday. she praised the world health organization, \
             said volker kauderbach.",
            Some(
                "The Chancellor Angela Merkel met Barack Obama in New York on Monday. She praised the World Health \
                 Organization, said Volker Kauderbach.",
            ),
        );
        check(
            "“we will see,” the u.s. official said in são paulo, after a long walk through the rain.",
            Some(
                "“We will see,” the U.S. official said in São Paulo, after a long walk through the rain.",
            ),
        );
    }

    #[test]
    fn a_text_with_capitals_stays() {
        check("Ann Lee will march on Monday, she said in Dover.", None);
        check("the council met. It was late when Ann Lee of Dover came.", None);
        check("four words are few", None);
        check("42 / 17 — …", None);
        check("", None);
    }

    #[test]
    fn every_character_keeps_its_length() {
        // The capital of "ŉ" is two characters, that of "ı" is shorter in UTF-8.
        let text = "ŉorth ıstanbul ßen ǆorđe ﬁnland angela merkel and the others came";
        let restored = restored(text, &Knowledge::embedded()).unwrap();
        assert_eq!(restored.len(), text.len());
        let lengths = |text: &str| text.chars().map(char::len_utf8).collect::<Vec<_>>();
        assert_eq!(lengths(&restored), lengths(text));
    }
}
