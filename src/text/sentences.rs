//! Sentences: a paragraph is cut after closing marks, never inside an abbreviation, a number or a quotation's end.
//!
//! In: a paragraph's words. Out: its sentences, which cover every word and do not overlap.

use std::ops::Range;

use crate::text::abbreviations::{self, Abbreviation};
use crate::text::{Segments, Sentence, Shape, Word};

/// Longest sentence in words: run-on input (tables, transcripts without stops) is cut there, so that work per sentence is bounded.
const SENTENCE_WORDS_MAX: usize = 400;

/// Most marks that close one sentence ("?!”)" has four): a bound on the look ahead at each stop.
const CLOSING_MARKS_MAX: usize = 8;

/// Names that end in an exclamation mark.
const EXCLAIMED_NAMES: &[&str] = &["Jeopardy", "Yahoo", "Yum"];

/// Cuts the words from `first_word` on into sentences of `paragraph`.
pub(super) fn split(text: &str, first_word: usize, paragraph: usize, segments: &mut Segments) {
    let n_words = segments.words.len();
    let mut start = first_word;
    let mut at = first_word;
    while at < n_words {
        let scan = Scan { text, words: &segments.words, start };
        let end = if scan.ends_sentence(at) {
            scan.closing_marks(at + 1)
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

fn push(words: Range<usize>, paragraph: usize, segments: &mut Segments) {
    let sentence = segments.sentences.len();
    for word in &mut segments.words[words.clone()] {
        word.sentence = sentence;
    }
    let span = segments.words[words.start].span.cover(segments.words[words.end - 1].span);
    segments.sentences.push(Sentence { span, words, paragraph });
}

/// A paragraph's words, while the sentence that starts at `start` is sought.
struct Scan<'a> {
    text: &'a str,
    /// Up to the paragraph's end.
    words: &'a [Word],
    start: usize,
}

impl<'a> Scan<'a> {
    fn word(&self, at: usize) -> &'a str {
        self.words.get(at).map_or("", |word| word.span.of(self.text))
    }

    /// Whether white space or a zero-width character lies before word `at`.
    fn has_gap_before(&self, at: usize) -> bool {
        self.words[at - 1].span.end < self.words[at].span.start
    }

    /// Whether the sentence ends with word `at` (closing quotation marks after it not counted).
    fn ends_sentence(&self, at: usize) -> bool {
        if is_bullet(self.word(at + 1)) {
            return true;
        }
        let Some(mark) = stop_of(self.word(at), self.words[at].shape) else { return false };
        let next = self.closing_marks(at + 1);
        if next == self.words.len() {
            return true;
        }
        let has_gap = self.has_gap_before(next);
        match mark {
            Stop::Ideographic => true,
            Stop::Abbreviation => has_gap && self.abbreviation_ends_sentence(at, next),
            Stop::Full if self.is_list_number(at) => false,
            Stop::Full => {
                (has_gap || next > at + 1 || self.lacks_space(at, next))
                    && self.starts_sentence(next)
                    && !self.is_pronoun_like_initial(at, next)
            }
            Stop::Strong => {
                has_gap
                    && self.starts_sentence(next)
                    && !self.is_attribution(at, next)
                    && !self.is_exclaimed_name(at, next)
            }
        }
    }

    /// The first word from `from` on that does not close a quotation or bracket, nor marks an omission (`[...]`).
    fn closing_marks(&self, from: usize) -> usize {
        let mut at = from;
        while at < self.words.len() && at - from < CLOSING_MARKS_MAX && !self.has_gap_before(at) {
            let closes = match self.word(at) {
                "”" | "’" | "»" | ")" | "]" | "." | "!" | "?" | "！" | "？" | "」" | "』" => {
                    true
                }
                // Either way round: they close when no word follows them directly.
                "\"" | "'" | "“" | "‘" | "„" | "«" | "›" => {
                    at + 1 == self.words.len()
                        || self.has_gap_before(at + 1)
                        || self.words[at + 1].shape == Shape::Mark
                        || matches!(self.word(at), "\"" | "'")
                }
                word => is_ellipsis(word),
            };
            if !closes {
                break;
            }
            at += 1;
        }
        if self.word(at) == "[" && is_ellipsis(self.word(at + 1)) && self.word(at + 2) == "]" {
            return at + 3;
        }
        at
    }

    /// A capital, a digit or an opening mark begins a sentence; a lower-case word goes on with the one before.
    fn starts_sentence(&self, at: usize) -> bool {
        let word = self.word(at);
        match self.words[at].shape {
            Shape::Capitalized | Shape::AllCaps | Shape::Mixed => true,
            Shape::Number => true,
            Shape::Lower => !word.starts_with(char::is_lowercase),
            Shape::Possessive => false,
            Shape::Mark => !matches!(
                word.chars().next().unwrap_or(' '),
                ',' | ';'
                    | ':'
                    | ')'
                    | ']'
                    | '}'
                    | '-'
                    | '–'
                    | '—'
                    | '%'
                    | '/'
                    | '&'
                    | '='
                    | '”'
                    | '’'
                    | '»'
                    | '.'
                    | '!'
                    | '?'
                    | '…'
            ),
        }
    }

    fn abbreviation_ends_sentence(&self, at: usize, next: usize) -> bool {
        let abbreviation = self.word(at).trim_end_matches('.');
        let before_number = self.words[next].shape == Shape::Number;
        let kind = abbreviations::kind_of(abbreviation, before_number);
        let next_word = self.word(next);
        let opens = abbreviations::often_opens_sentence(next_word);
        let opens_quotation = self.words[next].shape == Shape::Mark
            && self.starts_sentence(next)
            && !next_word.starts_with(['(', '[', '&', '\'', '‘']);
        match kind {
            // "St." is a saint before a name and a street before a sentence; "rep" is a trade, "Rep." a title.
            Some(Abbreviation::Introduces) => {
                let is_word =
                    abbreviation.len() >= 3 && abbreviation.starts_with(char::is_lowercase);
                opens && next_word != "A" && (abbreviation == "St" || is_word)
            }
            // Between two names an initial is one, whatever the second looks like.
            Some(Abbreviation::Initial) => opens && next_word != "A" && next_word != "I",
            Some(Abbreviation::TimeOfDay) => {
                opens_quotation
                    || self.words[next].shape.is_name_like()
                        && !abbreviations::goes_on_after_time(next_word)
            }
            Some(Abbreviation::MayEnd) => opens || opens_quotation,
            Some(Abbreviation::OftenEnds) | None => self.starts_sentence(next),
        }
    }

    /// `1. First`, `2) …`: the number of a list item opens its sentence.
    fn is_list_number(&self, at: usize) -> bool {
        at == self.start + 1
            && self.words[self.start].shape == Shape::Number
            && self.words[self.start].span.len() <= 3
    }

    /// `ended.He` and `ended.“We` without a space.
    fn lacks_space(&self, at: usize, next: usize) -> bool {
        at > self.start
            && self.words[at - 1].shape == Shape::Lower
            && self.words[at - 1].span.len() >= 3
            && (self.words[next].shape == Shape::Capitalized || self.word(next) == "“")
    }

    /// The `I` of "I. M. Pei": before another initial it is one too.
    fn is_pronoun_like_initial(&self, at: usize, next: usize) -> bool {
        let next_word = self.word(next);
        at > self.start
            && self.word(at - 1) == "I"
            && next_word.len() == 2
            && next_word.ends_with('.')
    }

    /// `“Why?” Smith asked.`: the words that say who asked belong to the question.
    fn is_attribution(&self, at: usize, next: usize) -> bool {
        const CUES: &[&str] = &[
            "added",
            "asked",
            "asks",
            "cried",
            "exclaimed",
            "replied",
            "said",
            "says",
            "shouted",
            "told",
            "tweeted",
            "wondered",
            "wrote",
        ];
        /// Longest name before the cue: "Prime Minister Jane Doe".
        const NAME_WORDS_MAX: usize = 4;
        let is_quotation =
            next > at + 1 && matches!(self.word(next - 1), "”" | "\"" | "’" | "'" | "“");
        if !is_quotation || self.words[next].shape == Shape::Mark {
            return false;
        }
        let name = (next..self.words.len())
            .take(NAME_WORDS_MAX)
            .take_while(|&word| self.words[word].shape.is_name_like())
            .count();
        let cue = next + name;
        name > 0
            && CUES.binary_search(&self.word(cue)).is_ok()
            && matches!(self.word(cue + 1), "." | "," | ":" | "")
    }

    fn is_exclaimed_name(&self, at: usize, next: usize) -> bool {
        at > self.start
            && self.word(at) == "!"
            && EXCLAIMED_NAMES.contains(&self.word(at - 1))
            && !abbreviations::often_opens_sentence(self.word(next))
    }
}

/// Marks at which a sentence can end.
enum Stop {
    /// A full stop.
    Full,
    /// The stop of an abbreviation, which may be the sentence's too.
    Abbreviation,
    /// `!`, `?`, an ellipsis: ends a sentence only before a new start.
    Strong,
    /// Stops of scripts that need no space after them.
    Ideographic,
}

fn stop_of(word: &str, shape: Shape) -> Option<Stop> {
    match word {
        "." => Some(Stop::Full),
        "!" | "?" | "…" | "؟" | "۔" | "।" | "‼" | "⁉" | "‽" => Some(Stop::Strong),
        "。" | "！" | "？" | "．" => Some(Stop::Ideographic),
        _ if shape == Shape::Mark => word.starts_with("..").then_some(Stop::Strong),
        _ => word.ends_with('.').then_some(Stop::Abbreviation),
    }
}

fn is_ellipsis(word: &str) -> bool {
    word == "…" || word.starts_with("..")
}

/// Marks that open an item of a list which lost its line breaks.
fn is_bullet(word: &str) -> bool {
    matches!(word, "•" | "●" | "▪" | "■" | "◦" | "‣" | "⁃")
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
        check("He paid $3.5. Twelve left.", &["He paid $3.5.", "Twelve left."]);
        check("one. two", &["one. two"]);
        check("It ended.She left. iPhones sold.", &["It ended.", "She left.", "iPhones sold."]);
        check("今日は雨。明日は晴れ。", &["今日は雨。", "明日は晴れ。"]);
        check("What?! No.", &["What?!", "No."]);
    }

    #[test]
    fn abbreviations_do_not() {
        check("Mr. Smith met J. Doe at St. Mary.", &["Mr. Smith met J. Doe at St. Mary."]);
        check("He left the U.S. The rest stayed.", &["He left the U.S.", "The rest stayed."]);
        check("The U.S. Senate met.", &["The U.S. Senate met."]);
        check("Acme Inc. But it failed.", &["Acme Inc.", "But it failed."]);
        check("Roe v. Wade fell on Jan. 5.", &["Roe v. Wade fell on Jan. 5."]);
        check("She is No. 1. He is not.", &["She is No. 1.", "He is not."]);
        check("They said no. He left.", &["They said no.", "He left."]);
        check("He lives on Main St. It is quiet.", &["He lives on Main St.", "It is quiet."]);
        check("He is a sales rep. She is not.", &["He is a sales rep.", "She is not."]);
        check("In San Jose, Calif. The mayor left.", &["In San Jose, Calif.", "The mayor left."]);
        check("Architect I. M. Pei died.", &["Architect I. M. Pei died."]);
        check("After World War I. The end.", &["After World War I.", "The end."]);
        check("They bought cars, etc. Smith left.", &["They bought cars, etc.", "Smith left."]);
        check("Yahoo! News closed. Yahoo! The", &["Yahoo! News closed.", "Yahoo!", "The"]);
    }

    #[test]
    fn times_of_day_end_sentences() {
        check("It began at 5 p.m. Smith left.", &["It began at 5 p.m.", "Smith left."]);
        check("It began at 5 p.m. He left.", &["It began at 5 p.m.", "He left."]);
        check("It began at 5 p.m. EST on time.", &["It began at 5 p.m. EST on time."]);
        check("It began at 5 p.m. Monday.", &["It began at 5 p.m. Monday."]);
    }

    #[test]
    fn closing_marks_stay_with_their_sentence() {
        check("“We go. We win.” He left.", &["“We go.", "We win.”", "He left."]);
        check("“Go!” she said. (Yes.) No.", &["“Go!” she said.", "(Yes.)", "No."]);
        check("“Why?” he asked.", &["“Why?” he asked."]);
        check("“Why now?” Jane Doe asked. No.", &["“Why now?” Jane Doe asked.", "No."]);
        check("He left. \"We go.\" \"No.\"", &["He left.", "\"We go.\"", "\"No.\""]);
        check("It “ended.“ She left.", &["It “ended.“", "She left."]);
        check("“We go. [...] We win.”", &["“We go. [...]", "We win.”"]);
        check("He left.“We go.”", &["He left.", "“We go.”"]);
        check("“We can’t.” – Jane Doe", &["“We can’t.” – Jane Doe"]);
        check("He left the U.S. “We go.”", &["He left the U.S.", "“We go.”"]);
    }

    #[test]
    fn lists_and_datelines_hold_together() {
        check("1. First item. More.", &["1. First item.", "More."]);
        check("Points: • one • two", &["Points:", "• one", "• two"]);
        check("WASHINGTON, D.C. — The vote failed.", &["WASHINGTON, D.C. — The vote failed."]);
        check("PARIS, Sept. 5 (Agency) - Rain fell.", &["PARIS, Sept. 5 (Agency) - Rain fell."]);
    }

    #[test]
    fn a_run_on_is_cut() {
        let text = "word ".repeat(SENTENCE_WORDS_MAX * 2 + 1);
        assert_eq!(Segments::of(&text).sentences.len(), 3);
    }
}
