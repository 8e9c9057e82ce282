//! Words: runs of letters and digits with the marks that belong inside them; every other mark is a word of its own.

use crate::article::Span;
use crate::text::{Shape, Word};

/// Abbreviations that keep their full stop, lower-cased and without it.
pub(super) const ABBREVIATIONS: &[&str] = &[
    "adm", "apr", "assn", "aug", "ave", "brig", "bros", "capt", "cmdr", "co", "col", "corp", "cpl",
    "dec", "dept", "dr", "esq", "etc", "feb", "fr", "ft", "gen", "gov", "hon", "inc", "insp",
    "jan", "jr", "lt", "ltd", "maj", "messrs", "mr", "mrs", "ms", "mt", "no", "nov", "oct", "pfc",
    "pres", "prof", "pvt", "rep", "reps", "rev", "sen", "sens", "sep", "sept", "sgt", "sr", "st",
    "supt", "vs",
];

/// Appends the words of `paragraph`; their `sentence` is set by the sentence splitter.
pub(super) fn split(text: &str, paragraph: Span, words: &mut Vec<Word>) {
    let mut position = paragraph.start;
    while position < paragraph.end {
        let rest = Span::new(position, paragraph.end).of(text);
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() || is_invisible(first) {
            position += first.len_utf8();
        } else if first.is_alphanumeric() {
            let len = core_len(rest);
            let span = Span::new(position, position + len);
            position = push_core(text, span, paragraph.end, words);
        } else {
            let len = possessive_len(rest, words.last(), position).unwrap_or(first.len_utf8());
            let shape = if len > first.len_utf8() { Shape::Possessive } else { Shape::Mark };
            words.push(Word { span: Span::new(position, position + len), shape, sentence: 0 });
            position += len;
        }
    }
}

/// Zero-width characters and the soft hyphen are neither words nor boundaries.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '‘' | '`' | '´')
}

/// Whether `word` is an apostrophe and nothing else.
pub(super) fn is_apostrophe_str(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(is_apostrophe) && chars.next().is_none()
}

/// Length of the run of letters and digits that starts `rest`, with joined marks: `Jong-un`, `O’Brien`, `1,000.5`, `U.S`, `AT&T`.
fn core_len(rest: &str) -> usize {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    let mut previous = ' ';
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        let joins = next.is_some_and(|next| joins(previous, c, next));
        if !(c.is_alphanumeric()
            || is_combining(c)
            || joins
            || is_invisible(c) && next.is_some_and(char::is_alphanumeric))
        {
            break;
        }
        end = at + c.len_utf8();
        previous = c;
    }
    end
}

fn joins(previous: char, mark: char, next: char) -> bool {
    if !next.is_alphanumeric() {
        return false;
    }
    match mark {
        '-' | '\u{2010}' | '\u{2011}' | '&' | '_' | '@' => true,
        '.' => {
            previous.is_ascii_digit() && next.is_ascii_digit()
                || previous.is_alphabetic() && next.is_alphabetic()
        }
        ',' | ':' | '/' => previous.is_ascii_digit() && next.is_ascii_digit(),
        _ => is_apostrophe(mark) && mark != '‘' && previous.is_alphabetic() && next.is_alphabetic(),
    }
}

fn is_combining(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Splits a possessive `'s` off and takes an abbreviation's full stop in; returns where the next word may start.
fn push_core(text: &str, span: Span, paragraph_end: usize, words: &mut Vec<Word>) -> usize {
    let core = span.of(text);
    let mut end = span.end;
    let mut possessive = None;
    if let Some(stem) = core.strip_suffix(['s', 'S'])
        && stem.ends_with(is_apostrophe)
    {
        let stem_len = stem.trim_end_matches(is_apostrophe).len();
        possessive = Some(Span::new(span.start + stem_len, end));
        end = span.start + stem_len;
    }
    let name = Span::new(span.start, end);
    let keeps_stop = possessive.is_none() && keeps_full_stop(name.of(text));
    let mut after = possessive.map_or(end, |p| p.end);
    if keeps_stop && Span::new(end, paragraph_end).of(text).starts_with('.') {
        end += 1;
        after = end;
    }
    let span = Span::new(name.start, end);
    words.push(Word { span, shape: shape_of(span.of(text)), sentence: 0 });
    if let Some(span) = possessive {
        words.push(Word { span, shape: Shape::Possessive, sentence: 0 });
    }
    after
}

/// `Mr`, `U.S`, `J`: words after which a full stop is part of the word.
fn keeps_full_stop(core: &str) -> bool {
    let mut chars = core.chars();
    let single_capital = chars.next().is_some_and(char::is_uppercase) && chars.next().is_none();
    if single_capital {
        return core != "I";
    }
    if core.contains('.') {
        return core.split('.').all(|part| part.chars().count() <= 2);
    }
    let lower = core.to_lowercase();
    ABBREVIATIONS.binary_search(&lower.as_str()).is_ok() && (core != "no" && core != "co")
}

/// Length of `'s` or of a lone apostrophe after a plural, when it follows a word without a gap.
fn possessive_len(rest: &str, previous: Option<&Word>, position: usize) -> Option<usize> {
    let mut chars = rest.chars();
    let mark = chars.next().filter(|&c| is_apostrophe(c))?;
    let previous =
        previous.filter(|word| word.span.end == position && word.shape != Shape::Mark)?;
    debug_assert!(!previous.span.is_empty());
    let s = chars.next().filter(|c| matches!(c, 's' | 'S'))?;
    (!chars.next().is_some_and(char::is_alphanumeric)).then(|| mark.len_utf8() + s.len_utf8())
}

fn shape_of(word: &str) -> Shape {
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

    #[test]
    fn abbreviations_are_sorted() {
        let mut sorted = ABBREVIATIONS.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, ABBREVIATIONS);
    }

    #[test]
    fn marks_inside_words_stay() {
        check("Kim Jong-un’s AT&T, O’Brien", &["Kim", "Jong-un", "’s", "AT&T", ",", "O’Brien"]);
        check("Mr. Smith of the U.S. said.", &["Mr.", "Smith", "of", "the", "U.S.", "said", "."]);
        check("He has no. I.", &["He", "has", "no", ".", "I", "."]);
        check("$1,000.50 (5%)", &["$", "1,000.50", "(", "5", "%", ")"]);
        check("the U.S.’s plan", &["the", "U.S.", "’s", "plan"]);
        check("workers’ rights don't end.", &["workers", "’", "rights", "don't", "end", "."]);
        check("“end.”", &["“", "end", ".", "”"]);
        check("soft\u{ad}hyphen", &["soft\u{ad}hyphen"]);
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
