//! Words: runs of letters and digits with the marks that belong inside them; every other mark is a word of its own.
//!
//! In: one paragraph. Out: its words in order, none empty, none overlapping; white space, zero-width characters and
//! soft hyphens at a word's edge belong to no word.

mod links;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::article::Span;
use crate::text::{Shape, Word, abbreviations};

/// Appends the words of `paragraph`; their `sentence` is set by the sentence splitter.
pub(super) fn split(text: &str, paragraph: Span, words: &mut Vec<Word>) {
    let mut splitter =
        Splitter { text, end: paragraph.end, first: words.len(), words, is_single_open: false };
    let mut position = paragraph.start;
    while let Some(first) = splitter.rest(position).chars().next() {
        position = if first.is_whitespace() || is_invisible(first) {
            position + first.len_utf8()
        } else if let Some(len) = links::len(splitter.rest(position)) {
            splitter.push(position, len, Shape::Lower)
        } else if first.is_alphanumeric() {
            splitter.push_core(position)
        } else if is_apostrophe(first) {
            splitter.push_apostrophe(position, first)
        } else {
            let len = mark_len(splitter.rest(position), first);
            splitter.push(position, len, Shape::Mark)
        };
    }
}

/// Zero-width characters and the soft hyphen are neither words nor boundaries.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '‘' | '`' | '´' | '＇')
}

struct Splitter<'a> {
    text: &'a str,
    /// End of the paragraph.
    end: usize,
    /// Index of the paragraph's first word.
    first: usize,
    words: &'a mut Vec<Word>,
    /// A single quotation mark was opened and not closed: an apostrophe after `s` may close it.
    is_single_open: bool,
}

impl Splitter<'_> {
    fn rest(&self, position: usize) -> &str {
        Span::new(position, self.end).of(self.text)
    }

    /// Returns where the next word may start.
    fn push(&mut self, position: usize, len: usize, shape: Shape) -> usize {
        self.words.push(Word { span: Span::new(position, position + len), shape, sentence: 0 });
        position + len
    }

    /// A run of letters and digits, with a possessive `'s` split off and an abbreviation's full stop taken in.
    fn push_core(&mut self, position: usize) -> usize {
        let rest = self.rest(position);
        let len = core_len(rest);
        let core = Span::new(0, len).of(rest);
        let after = Span::new(len, rest.len()).of(rest);
        let path_len = links::path_len(core, after);
        if path_len > 0 {
            return self.push(position, len + path_len, Shape::Lower);
        }
        if let Some(stem) = core.strip_suffix(['s', 'S'])
            && stem.ends_with(is_apostrophe)
        {
            let stem_len = stem.trim_end_matches(is_apostrophe).len();
            let shape = shape_of(Span::new(0, stem_len).of(core));
            let possessive = self.push(position, stem_len, shape);
            return self.push(possessive, len - stem_len, Shape::Possessive);
        }
        let keeps_stop = after.strip_prefix('.').is_some_and(|after| {
            let before_number = after.trim_start().starts_with(|c: char| c.is_ascii_digit());
            // "Mr..." trails off; its stop is not the abbreviation's.
            !after.starts_with('.') && abbreviations::kind_of(core, before_number).is_some()
        });
        let len = len + usize::from(keeps_stop);
        let shape = shape_of(Span::new(0, len).of(rest));
        self.push(position, len, shape)
    }

    /// An apostrophe that no word holds: a possessive, an elision (`’90s`, `’em`) or a quotation mark.
    fn push_apostrophe(&mut self, position: usize, mark: char) -> usize {
        let previous = self.words.get(self.first..).and_then(<[Word]>::last).copied();
        let attached = previous.filter(|word| word.span.end == position);
        let rest = self.rest(position);
        let after = rest.strip_prefix(mark).unwrap_or_default();
        let next = after.chars().next();
        let is_doubled = next == Some(mark);
        if let Some(word) = attached.filter(|_| !is_doubled && mark != '‘') {
            let word_text = word.span.of(self.text);
            if let Some(s) = next.filter(|c| matches!(c, 's' | 'S'))
                && (word.shape != Shape::Mark || matches!(word_text, "”" | ")"))
                && !after.chars().nth(1).is_some_and(char::is_alphanumeric)
            {
                return self.push(position, mark.len_utf8() + s.len_utf8(), Shape::Possessive);
            }
            if word.shape != Shape::Mark
                && word_text.ends_with(['s', 'S', 'z'])
                && !self.is_single_open
            {
                return self.push(position, mark.len_utf8(), Shape::Possessive);
            }
        }
        if attached.is_none()
            && mark != '‘'
            && let Some(len) = elision_len(after)
        {
            let shape =
                if next.is_some_and(char::is_numeric) { Shape::Number } else { Shape::Lower };
            return self.push(position, mark.len_utf8() + len, shape);
        }
        let opens = mark == '‘'
            || mark != '’'
                && attached.is_none_or(|word| word.shape == Shape::Mark)
                && next.is_some_and(char::is_alphanumeric);
        self.is_single_open = opens;
        self.push(position, mark.len_utf8(), Shape::Mark)
    }
}

/// Length of a word whose start an apostrophe stands for: `90s`, `em`, `til`.
fn elision_len(after: &str) -> Option<usize> {
    const WORDS: &[&str] = &["cause", "em", "n", "round", "til", "tis", "twas"];
    let len = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
    let word = after.get(..len.min(5)).filter(|_| len <= 5)?;
    let is_decade =
        matches!(word.as_bytes(), [b'0'..=b'9', b'0'..=b'9'] | [b'0'..=b'9', b'0', b's']);
    (is_decade || WORDS.contains(&word.to_ascii_lowercase().as_str())).then_some(len)
}

/// Length of the run of letters and digits that starts `rest`, with joined marks: `Jong-un`, `O’Brien`, `1,000.5`, `U.S`, `AT&T`.
fn core_len(rest: &str) -> usize {
    let mut end = 0;
    // Letters since the last joined full stop, and the last character that was not zero-width or combining.
    let (mut n_part, mut previous) = (0, ' ');
    for (at, c) in rest.char_indices() {
        if is_invisible(c) {
            continue;
        }
        if !is_combining(c) {
            let follows = rest.get(at + c.len_utf8()..).unwrap_or_default();
            if !(c.is_alphanumeric() || joins(previous, c, follows, n_part)) {
                break;
            }
            n_part = if c == '.' { 0 } else { n_part + 1 };
            previous = c;
        }
        end = at + c.len_utf8();
    }
    end
}

/// Whether `mark` binds the letter or digit before it to what follows.
fn joins(previous: char, mark: char, follows: &str, n_part: usize) -> bool {
    let mut follows = follows.chars();
    let Some(next) = follows.next().filter(|next| next.is_alphanumeric()) else { return false };
    match mark {
        '-' | '\u{2010}' | '\u{2011}' | '&' | '_' | '@' => true,
        '.' => {
            // "it ended.He left" lacks a space; "Ph.D", "U.S" and "example.com" do not.
            let lacks_space = n_part >= 3
                && previous.is_lowercase()
                && next.is_uppercase()
                && follows.next().is_none_or(|c| !c.is_uppercase());
            previous.is_ascii_digit() && next.is_ascii_digit()
                || previous.is_alphabetic() && next.is_alphabetic() && !lacks_space
        }
        ',' | ':' | '/' => previous.is_ascii_digit() && next.is_ascii_digit(),
        _ => is_apostrophe(mark) && mark != '‘' && previous.is_alphabetic() && next.is_alphabetic(),
    }
}

fn is_combining(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Runs of stops and of hyphens are one mark, and so is an emoji with all its parts.
fn mark_len(rest: &str, first: char) -> usize {
    match first {
        '.' | '-' => rest.len() - rest.trim_start_matches(first).len(),
        '#'
        | '*'
        | '©'
        | '®'
        | '\u{203c}'
        | '\u{2049}'
        | '\u{2122}'
        | '\u{2190}'..='\u{2bff}'
        | '\u{3030}'
        | '\u{303d}'
        | '\u{3297}'
        | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}' => {
            rest.graphemes(true).next().map_or(first.len_utf8(), str::len)
        }
        _ => first.len_utf8(),
    }
}

pub(super) fn shape_of(word: &str) -> Shape {
    let first = word.chars().next().unwrap_or(' ');
    if first.is_numeric() {
        return Shape::Number;
    }
    let n_upper = word.chars().filter(|c| c.is_uppercase()).count();
    let n_lower = word.chars().filter(|c| c.is_lowercase()).count();
    match (first.is_uppercase(), n_upper, n_lower) {
        (_, 0, _) => Shape::Lower,
        (_, 2.., 0) => Shape::AllCaps,
        (true, 1, _) => Shape::Capitalized,
        (true, _, _) if word.split(['-', '\u{2010}', '\u{2011}']).all(is_capitalized_part) => {
            Shape::Capitalized
        }
        _ => Shape::Mixed,
    }
}

/// `Jong`, `un`, `O’Brien`'s parts: at most one upper-case letter, at the start.
fn is_capitalized_part(part: &str) -> bool {
    part.split(is_apostrophe).all(|piece| piece.chars().skip(1).all(|c| !c.is_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut words = Vec::new();
        split(text, Span::new(0, text.len()), &mut words);
        let found: Vec<&str> = words.iter().map(|word| word.span.of(text)).collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check_shape(text: &str, nth: usize, expected: Shape) {
        let mut words = Vec::new();
        split(text, Span::new(0, text.len()), &mut words);
        assert_eq!(words[nth].shape, expected, "{}", words[nth].span.of(text));
    }

    #[test]
    fn marks_inside_words_stay() {
        check("Kim Jong-un’s AT&T, O’Brien", &["Kim", "Jong-un", "’s", "AT&T", ",", "O’Brien"]);
        check("Mr. Smith of the U.S. said.", &["Mr.", "Smith", "of", "the", "U.S.", "said", "."]);
        check("He has no. I.", &["He", "has", "no", ".", "I", "."]);
        check("$1,000.50 (5%)", &["$", "1,000.50", "(", "5", "%", ")"]);
        check("the U.S.’s plan", &["the", "U.S.", "’s", "plan"]);
        check("“end.”", &["“", "end", ".", "”"]);
        check("It cost $3.5.", &["It", "cost", "$", "3.5", "."]);
        check("COVID-19 on 9/11 at 10:30", &["COVID-19", "on", "9/11", "at", "10:30"]);
        check("He ended.She left", &["He", "ended", ".", "She", "left"]);
        check("a Ph.D. at example.com", &["a", "Ph.D.", "at", "example.com"]);
        check("US$5 and €3m", &["US", "$", "5", "and", "€", "3m"]);
    }

    #[test]
    fn possessives_are_words_of_their_own() {
        check("workers’ rights don't end.", &["workers", "’", "rights", "don't", "end", "."]);
        check_shape("workers’ rights", 1, Shape::Possessive);
        check_shape("the Joneses' car", 2, Shape::Possessive);
        check_shape("‘the workers’ left", 3, Shape::Mark);
        check_shape("He said 'no jobs' again", 5, Shape::Mark);
        check("the Times's view", &["the", "Times", "'s", "view"]);
        check("“Hamlet”’s end", &["“", "Hamlet", "”", "’s", "end"]);
    }

    #[test]
    fn elisions_are_not_quotation_marks() {
        check("in the ’90s, tell 'em", &["in", "the", "’90s", ",", "tell", "'em"]);
        check("a ’quote’", &["a", "’", "quote", "’"]);
    }

    #[test]
    fn dashes_and_dots_are_marks() {
        check("war—or peace--now", &["war", "—", "or", "peace", "--", "now"]);
        check("Well... no. . .", &["Well", "...", "no", ".", ".", "."]);
        check("2006–2007 and/or", &["2006", "–", "2007", "and", "/", "or"]);
    }

    #[test]
    fn addresses_are_one_word() {
        check("see https://a.org/b?c=1, or", &["see", "https://a.org/b?c=1", ",", "or"]);
        check("(a.b+c@d.org)", &["(", "a.b+c@d.org", ")"]);
        check("@jane says #MeToo", &["@jane", "says", "#MeToo"]);
        check("at bbc.co.uk/news.", &["at", "bbc.co.uk/news", "."]);
        check_shape("@JaneDoe", 0, Shape::Lower);
    }

    #[test]
    fn unicode_is_kept_together() {
        check(
            "soft\u{ad}hyphen zero\u{200b}width\u{200b}",
            &["soft\u{ad}hyphen", "zero\u{200b}width"],
        );
        check("cafe\u{301}’s", &["cafe\u{301}", "’s"]);
        check("a\u{a0}b\u{202f}c", &["a", "b", "c"]);
        check("👩‍👩‍👧 🇫🇷🇩🇪 👍🏽 1️⃣", &["👩‍👩‍👧", "🇫🇷", "🇩🇪", "👍🏽", "1️⃣"]);
        check("北京大学。שלום עולם", &["北京大学", "。", "שלום", "עולם"]);
        check("हिन्दी में", &["हिन्दी", "में"]);
    }

    #[test]
    fn shapes_follow_the_casing() {
        let cases = [
            ("word", Shape::Lower),
            ("Word", Shape::Capitalized),
            ("Jong-Un", Shape::Capitalized),
            ("O’Brien", Shape::Capitalized),
            ("NATO", Shape::AllCaps),
            ("U.S.", Shape::AllCaps),
            ("McDonald", Shape::Mixed),
            ("iPhone", Shape::Mixed),
            ("9am", Shape::Number),
            ("A", Shape::Capitalized),
        ];
        for (word, shape) in cases {
            assert_eq!(shape_of(word), shape, "{word}");
        }
    }
}
