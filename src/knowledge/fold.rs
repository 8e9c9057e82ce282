//! Names made comparable: lower case, no accents, no apostrophes or stops, every other mark a space.
//!
//! The same as `fold` in `training/knowledge/build.py`: "Médecins Sans Frontières" and "medecins sans frontieres",
//! "Kim Jong-un" and "Kim Jong Un", "U.S." and "US" are one key. A leading "the" is not part of a key.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Folds a text; words are separated by one space.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        text.chars().for_each(|c| push(c, &mut folded));
    } else {
        text.nfd().filter(|&c| !is_combining_mark(c)).for_each(|c| push(c, &mut folded));
    }
    folded.truncate(folded.trim_end().len());
    folded
}

fn push(c: char, folded: &mut String) {
    match c {
        '\'' | '’' | '‘' | 'ʼ' | '`' | '´' | '.' => {}
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
        'ø' | 'Ø' => folded.push('o'),
        'ł' | 'Ł' => folded.push('l'),
        'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
        'ı' => folded.push('i'),
        'ß' => folded.push_str("ss"),
        'æ' | 'Æ' => folded.push_str("ae"),
        'œ' | 'Œ' => folded.push_str("oe"),
        'þ' | 'Þ' => folded.push_str("th"),
        _ if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
        _ if folded.ends_with(' ') || folded.is_empty() => {}
        _ => folded.push(' '),
    }
}

/// The hash of a folded name, grown word by word: FNV-1a with a final mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameKey {
    state: u64,
    is_empty: bool,
    /// So far there is only "the", which is not part of a key that goes on.
    only_the: bool,
}

impl Default for NameKey {
    fn default() -> Self {
        Self { state: OFFSET_BASIS, is_empty: true, only_the: false }
    }
}

const OFFSET_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x100_0000_01B3;

impl NameKey {
    pub fn of(name: &str) -> Self {
        let mut key = Self::default();
        key.push(&fold(name));
        key
    }

    /// Appends one folded word, or several.
    pub fn push(&mut self, folded: &str) {
        folded.split(' ').filter(|word| !word.is_empty()).for_each(|word| self.push_word(word));
    }

    /// Appends a possessive `s`, which belongs to the word before: "Macy's" is "macys".
    pub fn push_possessive(&mut self) {
        if !self.is_empty {
            self.push_bytes(b"s");
        }
    }

    fn push_word(&mut self, word: &str) {
        if self.only_the {
            *self = Self::default();
        }
        if !self.is_empty {
            self.push_bytes(b" ");
        }
        self.only_the = self.is_empty && word == "the";
        self.is_empty = false;
        self.push_bytes(word.as_bytes());
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.state = (self.state ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }

    pub(super) fn hash(self) -> u64 {
        // The last bytes of a key hardly reach the top bits, by which the table is cut into buckets.
        (self.state ^ self.state >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(fold(text), expected);
    }

    #[test]
    fn folding() {
        check("Médecins Sans Frontières", "medecins sans frontieres");
        check("Kim Jong-un", "kim jong un");
        check("O’Brien", "obrien");
        check("U.S.", "us");
        check("AT&T Inc.", "at t inc");
        check("Łódź", "lodz");
        check("--", "");
    }

    #[test]
    fn keys_grow_word_by_word() {
        let mut key = NameKey::default();
        key.push("the");
        assert_eq!(key, NameKey { only_the: true, ..NameKey::of("the") });
        key.push("united");
        key.push("states");
        assert_eq!(key, NameKey::of("United States"));
        let mut key = NameKey::of("Macy");
        key.push_possessive();
        assert_eq!(key, NameKey::of("Macys"));
    }
}
