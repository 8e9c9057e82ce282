//! Text hygiene: what is certain to be damage is put right, everything else stays as it was sent.
//!
//! In: a text. Out: the text that offsets refer to, with the way back; `None` when it is the same.
//! A replacement is one character for one (of the same length in UTF-16), so published offsets also hold in the text
//! that was sent. Only the repair of mojibake changes the number of characters.
//!
//! Left alone on purpose: composed and decomposed letters, no-break and other spaces (white space to the segmenter),
//! soft hyphens, zero-width characters and byte order marks (invisible to it), CRLF (one line break to it).

use crate::text::offsets::OffsetMap;

/// A text that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    pub text: String,
    /// From `text` to the text it was made from.
    pub map: OffsetMap,
    /// Windows-1252 was put right, as mojibake or as control characters.
    pub repaired: bool,
}

/// Puts right what is certainly damaged in `text`; `None` when nothing is.
///
/// - With `mojibake` (see [`is_mojibake`]): UTF-8 that was read as Windows-1252 or Latin-1 is read back.
/// - Windows-1252 that was read as Latin-1: the control characters U+0080 to U+009F are its marks and letters.
/// - A line break that is neither LF nor CRLF becomes LF; NUL becomes U+FFFD; other control characters become spaces.
pub fn normalize(text: &str, mojibake: bool) -> Option<Normalized> {
    let repaired = if mojibake && !text.is_ascii() { read_back(text) } else { None };
    let Some(repaired) = repaired else { return replace_controls(text) };
    let map = map_back(&repaired, text);
    Some(match replace_controls(&repaired) {
        Some(clean) => Normalized { map: clean.map.then(&map), repaired: true, ..clean },
        None => Normalized { text: repaired, map, repaired: true },
    })
}

/// Whether `text` is UTF-8 that was read as Windows-1252 or Latin-1 (`â€œ` for `“`): every character beyond ASCII is
/// part of a well-formed sequence.
///
/// In text that is not damaged such sequences do not come about by chance: each needs a letter such as `Ã` or `â`
/// directly before a sign such as `€` or `©`. A single pair might (`VILÃ…`), so there must be two, or a longer one, or
/// the pair must stand inside a word (`BrudziÅ„ski`), where no sign can.
pub fn is_mojibake(text: &str) -> bool {
    let may_lead = |c| matches!(c, '\u{c2}'..='\u{f4}');
    let Some(repaired) = text.contains(may_lead).then(|| read_back(text)).flatten() else {
        return false;
    };
    let mut sequences = repaired.char_indices().filter(|(_, c)| !c.is_ascii());
    match (sequences.next(), sequences.next()) {
        (None, _) => false,
        (Some((at, c)), None) => {
            let sign = text.chars().filter(|c| !c.is_ascii()).nth(1);
            let is_sign = sign.is_some_and(|sign| !sign.is_alphanumeric());
            c.len_utf8() > 2 || is_sign && is_inside_word(&repaired, at)
        }
        (Some(_), Some(_)) => true,
    }
}

fn is_inside_word(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    before.chars().next_back().is_some_and(char::is_alphabetic)
        && after.chars().nth(1).is_some_and(char::is_alphabetic)
}

fn replace_controls(text: &str) -> Option<Normalized> {
    if !has_replaced(text.as_bytes()) {
        return None;
    }
    let mut normalized =
        Normalized { text: String::new(), map: OffsetMap::default(), repaired: false };
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let before_lf = chars.peek().is_some_and(|&(_, next)| next == '\n');
        let replacement = replacement(c, before_lf);
        normalized.repaired |= replacement.is_some() && is_c1(c);
        let c_out = replacement.unwrap_or(c);
        normalized.map.push(normalized.text.len(), c_out.len_utf8(), at, c.len_utf8());
        normalized.text.push(c_out);
    }
    Some(normalized)
}

/// Whether [`replacement`] changes a character: a look at the bytes, since most texts need no more.
fn has_replaced(bytes: &[u8]) -> bool {
    let next = |at: usize, ahead: usize| bytes.get(at + ahead).copied().unwrap_or_default();
    bytes.iter().enumerate().any(|(at, &byte)| match byte {
        b'\t' | b'\n' => false,
        b'\r' => next(at, 1) != b'\n',
        0..=0x1f | 0x7f => true,
        0xc2 => next(at, 1) < 0xa0,
        0xe2 => next(at, 1) == 0x80 && matches!(next(at, 2), 0xa8 | 0xa9),
        _ => false,
    })
}

fn replacement(c: char, before_lf: bool) -> Option<char> {
    match c {
        '\r' if before_lf => None,
        '\r' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\0' => Some(char::REPLACEMENT_CHARACTER),
        '\t' | '\n' => None,
        '\u{1}'..='\u{1f}' | '\u{7f}' => Some(' '),
        '\u{80}'..='\u{9f}' => {
            let meant = WINDOWS_1252_HIGH[c as usize - 0x80];
            Some(if is_c1(meant) { ' ' } else { meant })
        }
        _ => None,
    }
}

fn is_c1(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}')
}

/// What the bytes 0x80 to 0x9F mean in Windows-1252; five of them mean nothing and stay control characters (WHATWG
/// Encoding Standard, index-windows-1252).
const WINDOWS_1252_HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The byte that Windows-1252 or Latin-1 reads as `c`.
fn windows_1252_byte(c: char) -> Option<u8> {
    match u8::try_from(c) {
        Ok(byte) => Some(byte),
        Err(_) => {
            let slot = WINDOWS_1252_HIGH.iter().position(|&high| high == c)?;
            u8::try_from(0x80 + slot).ok()
        }
    }
}

/// The UTF-8 that `text` was before it was read as Windows-1252 or Latin-1.
fn read_back(text: &str) -> Option<String> {
    let bytes: Vec<u8> = text.chars().map(windows_1252_byte).collect::<Option<_>>()?;
    String::from_utf8(bytes).ok()
}

/// From `repaired` to `text`, which has one character for each of its bytes.
fn map_back(repaired: &str, text: &str) -> OffsetMap {
    let mut map = OffsetMap::default();
    let mut read_as = text.chars();
    let mut source = 0;
    for (target, c) in repaired.char_indices() {
        let source_len = read_as.by_ref().take(c.len_utf8()).map(char::len_utf8).sum();
        map.push(target, c.len_utf8(), source, source_len);
        source += source_len;
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            normalize(text, is_mojibake(text)).map(|normalized| normalized.text).as_deref(),
            expected
        );
    }

    #[test]
    fn text_stays_as_it_was_sent() {
        check("plain", None);
        check("tab\tand\r\nCRLF\n", None);
        check("no\u{a0}break, soft\u{ad}hyphen, zero\u{200b}width, \u{feff}mark", None);
        check("e\u{301} and é", None);
        check("“curly” — naïve café", None);
        check("עברית مرحبا 日本語 😀", None);
    }

    #[test]
    fn the_look_at_the_bytes_sees_what_the_characters_say() {
        for code in 0..0x1_0000 {
            let Some(c) = char::from_u32(code) else { continue };
            let bytes = c.to_string();
            assert_eq!(has_replaced(bytes.as_bytes()), replacement(c, false).is_some(), "{code:x}");
        }
    }

    #[test]
    fn controls_are_replaced_one_for_one() {
        check(
            "one\rtwo\u{2028}three\u{2029}four\u{b}five\u{c}six",
            Some("one\ntwo\nthree\nfour\nfive\nsix"),
        );
        check("a\r\r\nb", Some("a\n\r\nb"));
        check("nul\0 esc\u{1b}[31m del\u{7f}", Some("nul\u{fffd} esc [31m del "));
    }

    #[test]
    fn windows_1252_controls_are_its_marks() {
        let normalized = normalize("\u{93}Go\u{94}, she said\u{85} \u{81}", false).unwrap();
        assert_eq!(normalized.text, "“Go”, she said…  ");
        assert!(normalized.repaired);
        assert_eq!(normalized.map.source_range(0, 3), Some((0, 2)));
        assert_eq!(normalized.map.source_range(3, 5), Some((2, 4)));
        assert!(!normalize("a\rb", false).unwrap().repaired);
    }

    #[test]
    fn mojibake_is_repaired_when_certain() {
        check("â€œGo, said Zoë", None);
        check("â€œGoâ€\u{9d}, said ZoÃ«", Some("“Go”, said Zoë"));
        check("Itâ€™s late", Some("It’s late"));
        check("cafÃ© crÃ¨me", Some("café crème"));
        check("\u{e2}\u{80}\u{9c}Go", Some("“Go"));
        check("ðŸ˜€", Some("😀"));
        check("AMANHÃ” OU VILÃ", None);
        check("VILÃ…", None);
        check("â€œ and “", None);
        check("Å and Ã", None);
    }

    #[test]
    fn mojibake_maps_back() {
        let normalized = normalize("Itâ€™s", true).unwrap();
        assert_eq!(normalized.map.source_range(0, 2), Some((0, 2)));
        assert_eq!(normalized.map.source_range(2, 5), Some((2, 10)));
        assert_eq!(normalized.map.source_range(5, 6), Some((10, 11)));
        let both = normalize("Itâ€™s\rlate", true).unwrap();
        assert_eq!(both.text, "It’s\nlate");
        assert_eq!(both.map.source_range(2, 7), Some((2, 12)));
    }

    #[test]
    fn a_single_letter_is_proof_only_beside_others() {
        check("ZoÃ« wins", None);
        check("BrudziÅ„ski", Some("Brudziński"));
        check("VILÃšA", None);
        assert_eq!(normalize("ZoÃ« wins", true).unwrap().text, "Zoë wins");
        assert_eq!(normalize("Zoë wins", true), None);
    }
}
