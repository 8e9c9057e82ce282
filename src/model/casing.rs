//! How words are written: one class a word, the channel that gives an uncased encoder its capitals back.
//!
//! In: the words of a sentence with what precedes them. Out: a row of the casing table for each (training's
//! `FORMAT.md`, §4).

/// Classes without those of words that open a paragraph; the table has twice as many rows.
pub(super) const N_CLASSES: usize = OPENS_PARAGRAPH as usize;
/// Added to the class of a word that opens a paragraph.
const OPENS_PARAGRAPH: u8 = 20;

/// Of `[CLS]` and `[SEP]`.
pub(super) const NONE: u8 = 0;
const NUMBER: u8 = 1;
const STOP: u8 = 2;
const OPENING_QUOTE: u8 = 3;
const CLOSING_QUOTE: u8 = 4;
const MARK: u8 = 5;
const LETTERS_AND_DIGITS: u8 = 6;
const LOWER: u8 = 7;
const CAPITAL: u8 = 8;
const UPPER: u8 = 9;
const DOTTED: u8 = 10;
const CAPITALIZED: u8 = 11;
const FIRST_CAPITALIZED: u8 = 12;
const COMPOUND: u8 = 13;
const MIXED_UPPER: u8 = 14;
const MIXED_LOWER: u8 = 15;
const POSSESSIVE: u8 = 16;
const SHOUTED: u8 = 17;

/// A word and what precedes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) text: &'a str,
    /// White space or an invisible character precedes it, or it opens its paragraph.
    pub(super) has_gap: bool,
}

/// Appends the classes of a sentence's words.
pub(super) fn classify(words: &[Written<'_>], opens_paragraph: bool, classes: &mut Vec<u8>) {
    let shouted = is_shouted(words);
    let first_class = classes.len();
    let mut is_first = true;
    for word in words {
        let mut class = class_of(*word, is_first);
        is_first &= !word.text.starts_with(char::is_alphanumeric);
        if shouted && matches!(class, UPPER | DOTTED | CAPITAL) {
            class = SHOUTED;
        }
        classes.push(class);
    }
    if opens_paragraph && let Some(first) = classes.get_mut(first_class) {
        *first += OPENS_PARAGRAPH;
    }
}

fn class_of(word: Written<'_>, is_first: bool) -> u8 {
    let Some(first) = word.text.chars().next() else { return MARK };
    if !first.is_alphanumeric() {
        return class_of_mark(word, first);
    }
    let letters = Letters::of(word.text);
    if letters.n_letters == 0 {
        NUMBER
    } else if letters.n_letters < letters.n_chars && letters.has_digit {
        LETTERS_AND_DIGITS
    } else if letters.n_upper == 0 {
        LOWER
    } else if letters.n_upper == letters.n_letters {
        match letters.n_upper {
            1 => CAPITAL,
            _ if word.text.contains('.') => DOTTED,
            _ => UPPER,
        }
    } else if letters.n_upper == 1 && first.is_uppercase() {
        match (letters.n_letters < letters.n_chars, is_first) {
            (true, _) => COMPOUND,
            (false, true) => FIRST_CAPITALIZED,
            (false, false) => CAPITALIZED,
        }
    } else if first.is_uppercase() {
        MIXED_UPPER
    } else {
        MIXED_LOWER
    }
}

fn class_of_mark(word: Written<'_>, first: char) -> u8 {
    match first {
        '\'' | '’' | 'ʼ' | '‘' | '`' | '´' if word.text.len() > first.len_utf8() => {
            POSSESSIVE
        }
        '.' | ',' | ';' | ':' | '!' | '?' => STOP,
        '“' | '‘' | '«' | '„' => OPENING_QUOTE,
        '”' | '»' => CLOSING_QUOTE,
        '"' | '\'' | '’' | '`' | '´' if word.has_gap => OPENING_QUOTE,
        '"' | '\'' | '’' | '`' | '´' => CLOSING_QUOTE,
        _ => MARK,
    }
}

/// What a word is made of.
#[derive(Debug, Default)]
struct Letters {
    n_chars: usize,
    n_letters: usize,
    n_upper: usize,
    has_lower: bool,
    has_digit: bool,
}

impl Letters {
    fn of(word: &str) -> Self {
        let mut letters = Self::default();
        for c in word.chars() {
            letters.n_chars += 1;
            letters.has_digit |= c.is_numeric();
            if c.is_alphabetic() {
                letters.n_letters += 1;
                letters.n_upper += usize::from(c.is_uppercase());
                letters.has_lower |= c.is_lowercase();
            }
        }
        letters
    }
}

/// Whether a sentence is written in capitals: at least 4 words of two or more letters, and 4 in 5 of them without a
/// lower-case letter.
fn is_shouted(words: &[Written<'_>]) -> bool {
    let (mut n_words, mut n_upper) = (0, 0);
    for word in words {
        let letters = Letters::of(word.text);
        if letters.n_letters >= 2 {
            n_words += 1;
            n_upper += usize::from(!letters.has_lower);
        }
    }
    n_words >= 4 && 5 * n_upper >= 4 * n_words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentence: &str, expected: &[u8]) {
        let words: Vec<Written<'_>> = sentence
            .split(' ')
            .map(|text| Written {
                text: text.trim_start_matches('_'),
                has_gap: !text.starts_with('_'),
            })
            .collect();
        let mut classes = Vec::new();
        classify(&words, false, &mut classes);
        assert_eq!(classes, expected, "{sentence}");
    }

    /// An underscore stands for "no gap".
    #[test]
    fn each_class_is_recognised() {
        check("The Vistula _'s bank", &[FIRST_CAPITALIZED, CAPITALIZED, POSSESSIVE, LOWER]);
        check("“ We _, _” he", &[OPENING_QUOTE, FIRST_CAPITALIZED, STOP, CLOSING_QUOTE, LOWER]);
        check("' x _'", &[OPENING_QUOTE, LOWER, CLOSING_QUOTE]);
        check("1,200 A-12 3rd", &[NUMBER, LETTERS_AND_DIGITS, LETTERS_AND_DIGITS]);
        check("a U.S. NATO I", &[LOWER, DOTTED, UPPER, CAPITAL]);
        check(
            "on St. Jong-un O’Brien iPhone McKay",
            &[LOWER, COMPOUND, COMPOUND, MIXED_UPPER, MIXED_LOWER, MIXED_UPPER],
        );
        check("— $ ½", &[MARK, MARK, NUMBER]);
    }

    #[test]
    fn shouted_sentences_say_nothing_by_their_capitals() {
        check("STORM HITS PORT OF X.Y. !", &[SHOUTED, SHOUTED, SHOUTED, SHOUTED, SHOUTED, STOP]);
        check("STORM HITS PORT", &[UPPER, UPPER, UPPER]);
    }

    #[test]
    fn the_first_word_of_a_paragraph_is_marked() {
        let mut classes = vec![LOWER];
        classify(&[Written { text: "so", has_gap: true }; 2], true, &mut classes);
        assert_eq!(classes, [LOWER, LOWER + 20, LOWER]);
    }
}
