//! Positions in one text, told in another's units.
//!
//! [`UnitIndex`] turns UTF-8 byte positions into code points and UTF-16 units in constant time; [`OffsetMap`] turns
//! positions of a canonical text into positions of the source it was made from.

/// Distance in bytes between two stored counts: a lookup scans at most this much.
const STRIDE: usize = 64;

/// Code point and UTF-16 positions of the bytes of one text.
#[derive(Debug)]
pub struct UnitIndex<'t> {
    text: &'t str,
    /// For each multiple of [`STRIDE`]: code points and UTF-16 units that start before it.
    counts: Vec<(usize, usize)>,
}

impl<'t> UnitIndex<'t> {
    pub fn new(text: &'t str) -> Self {
        let mut counts = Vec::with_capacity(text.len() / STRIDE + 1);
        let (mut code_points, mut utf16) = (0, 0);
        for (position, &byte) in text.as_bytes().iter().enumerate() {
            if position % STRIDE == 0 {
                counts.push((code_points, utf16));
            }
            code_points += usize::from(starts_char(byte));
            utf16 += utf16_units(byte);
        }
        if text.len().is_multiple_of(STRIDE) {
            counts.push((code_points, utf16));
        }
        Self { text, counts }
    }

    /// Code points before byte `position`.
    pub fn code_point(&self, position: usize) -> usize {
        let (base, rest) = self.nearest(position);
        base.0 + rest.iter().filter(|&&byte| starts_char(byte)).count()
    }

    /// UTF-16 units before byte `position`.
    pub fn utf16(&self, position: usize) -> usize {
        let (base, rest) = self.nearest(position);
        base.1 + rest.iter().map(|&byte| utf16_units(byte)).sum::<usize>()
    }

    fn nearest(&self, position: usize) -> ((usize, usize), &[u8]) {
        let slot = position / STRIDE;
        (self.counts[slot], &self.text.as_bytes()[slot * STRIDE..position])
    }
}

fn starts_char(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// UTF-16 units of the character that starts with `byte`: two for four-byte characters, none for a continuation.
fn utf16_units(byte: u8) -> usize {
    usize::from(starts_char(byte)) + usize::from(byte >= 0xF0)
}

/// The byte position of every unit of one text: the way back from published positions, by a list and not by counting.
#[derive(Debug)]
pub struct UnitTable {
    /// `None` for ASCII, where all units are bytes; else one entry a unit, and one for the end.
    bytes: Option<Vec<usize>>,
}

/// Stands for a position inside a character: the second half of a surrogate pair.
const INSIDE: usize = usize::MAX;

impl UnitTable {
    pub fn code_points(text: &str) -> Self {
        let starts = || text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self { bytes: (!text.is_ascii()).then(starts) }
    }

    pub fn utf16(text: &str) -> Self {
        let units = |(at, c): (usize, char)| {
            std::iter::once(at).chain((c.len_utf16() == 2).then_some(INSIDE))
        };
        let starts = || text.char_indices().flat_map(units).chain([text.len()]).collect();
        Self { bytes: (!text.is_ascii()).then(starts) }
    }

    /// The characters of `text` between two unit positions; `None` outside the text or inside a character.
    pub fn slice<'t>(&self, text: &'t str, start: usize, end: usize) -> Option<&'t str> {
        match &self.bytes {
            None => text.get(start..end),
            Some(bytes) => text.get(*bytes.get(start)?..*bytes.get(end)?),
        }
    }
}

/// A monotone map from byte positions of a canonical text to byte positions of its source, in linear pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OffsetMap {
    pieces: Vec<Piece>,
}

/// `target..target + target_len` came from `source..source + source_len`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    target: usize,
    target_len: usize,
    source: usize,
    source_len: usize,
}

impl OffsetMap {
    /// Says that the next `target_len` bytes of the canonical text came from `source..source + source_len`.
    ///
    /// Equal lengths are copied bytes and map one to one; different lengths (a character reference, a tag that became
    /// a line break) map as a whole. Pieces come in target order; target bytes that no piece covers map to its end.
    pub fn push(&mut self, target: usize, target_len: usize, source: usize, source_len: usize) {
        if let Some(last) = self.pieces.last_mut() {
            debug_assert!(last.target + last.target_len <= target, "pieces come in target order");
            let copied = last.target_len == last.source_len && target_len == source_len;
            if copied
                && last.target + last.target_len == target
                && last.source + last.source_len == source
            {
                last.target_len += target_len;
                last.source_len += source_len;
                return;
            }
        }
        self.pieces.push(Piece { target, target_len, source, source_len });
    }

    /// The source range of the canonical range `start..end`: the smallest that covers it.
    /// `None` when no piece touches it.
    pub fn source_range(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let first = self.pieces.partition_point(|piece| piece.target + piece.target_len <= start);
        let last = self.pieces.partition_point(|piece| piece.target < end).checked_sub(1)?;
        if first > last {
            return None;
        }
        let (first, last) = (self.pieces[first], self.pieces[last]);
        let from = if first.target_len == first.source_len {
            first.source + start.saturating_sub(first.target)
        } else {
            first.source
        };
        let to = if last.target_len == last.source_len {
            last.source + (end - last.target).min(last.target_len)
        } else {
            last.source + last.source_len
        };
        Some((from, to))
    }

    /// The map from this one's targets to `inner`'s sources, where this one's sources are `inner`'s targets.
    #[must_use]
    pub fn then(&self, inner: &Self) -> Self {
        let mut composed = Self::default();
        for piece in &self.pieces {
            if piece.target_len == piece.source_len {
                inner.pieces_within(piece.source, piece.source_len, |within| {
                    let target = piece.target + (within.target - piece.source);
                    composed.push(target, within.target_len, within.source, within.source_len);
                });
            } else if let Some((start, end)) =
                inner.source_range(piece.source, piece.source + piece.source_len)
            {
                composed.push(piece.target, piece.target_len, start, end - start);
            }
        }
        composed
    }

    /// The same map for a text that has `by` bytes before it.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        for piece in &mut self.pieces {
            piece.target += by;
        }
        self
    }

    /// The pieces that touch `target..target + target_len`, cut to it where they map one to one.
    fn pieces_within(&self, target: usize, target_len: usize, mut each: impl FnMut(Piece)) {
        let end = target + target_len;
        let first = self.pieces.partition_point(|piece| piece.target + piece.target_len <= target);
        for piece in self.pieces[first..].iter().take_while(|piece| piece.target < end) {
            let cut_start = piece.target.max(target);
            let cut_end = (piece.target + piece.target_len).min(end);
            let mut within = Piece { target: cut_start, target_len: cut_end - cut_start, ..*piece };
            if piece.target_len == piece.source_len {
                within.source = piece.source + (cut_start - piece.target);
                within.source_len = within.target_len;
            }
            each(within);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_agree_with_counting() {
        let text = "aé😀b\u{301}“x”".repeat(40);
        let index = UnitIndex::new(&text);
        for (n_chars, (position, _)) in text.char_indices().enumerate() {
            assert_eq!(index.code_point(position), n_chars);
            assert_eq!(index.utf16(position), text.get(..position).unwrap().encode_utf16().count());
        }
        assert_eq!(index.code_point(text.len()), text.chars().count());
        assert_eq!(index.utf16(text.len()), text.encode_utf16().count());
    }

    #[test]
    fn units_of_a_text_of_exactly_one_stride() {
        let text = "x".repeat(STRIDE);
        assert_eq!(UnitIndex::new(&text).code_point(STRIDE), STRIDE);
        assert_eq!(UnitIndex::new("").utf16(0), 0);
    }

    #[test]
    fn tables_lead_back() {
        let text = "aé😀b";
        assert_eq!(UnitTable::code_points(text).slice(text, 1, 3), Some("é😀"));
        assert_eq!(UnitTable::utf16(text).slice(text, 2, 4), Some("😀"));
        assert_eq!(UnitTable::utf16(text).slice(text, 2, 3), None, "inside a surrogate pair");
        assert_eq!(UnitTable::utf16(text).slice(text, 4, 6), None, "past the end");
        assert_eq!(UnitTable::code_points("abc").slice("abc", 1, 3), Some("bc"));
    }

    #[test]
    fn source_ranges_cross_character_references() {
        // <p>A &amp; B</p> became "A & B"
        let mut map = OffsetMap::default();
        map.push(0, 2, 3, 2);
        map.push(2, 1, 5, 5);
        map.push(3, 2, 10, 2);
        assert_eq!(map.source_range(0, 1), Some((3, 4)));
        assert_eq!(map.source_range(0, 5), Some((3, 12)));
        assert_eq!(map.source_range(2, 3), Some((5, 10)));
        assert_eq!(map.source_range(5, 6), None);
    }

    #[test]
    fn maps_compose() {
        // "<p>A &amp; B</p>" became "A & B", and "&" became "and".
        let mut inner = OffsetMap::default();
        inner.push(0, 2, 3, 2);
        inner.push(2, 1, 5, 5);
        inner.push(3, 2, 10, 2);
        let mut outer = OffsetMap::default();
        outer.push(0, 2, 0, 2);
        outer.push(2, 3, 2, 1);
        outer.push(5, 2, 3, 2);
        let composed = outer.then(&inner);
        assert_eq!(composed.source_range(0, 1), Some((3, 4)));
        assert_eq!(composed.source_range(2, 5), Some((5, 10)));
        assert_eq!(composed.source_range(6, 7), Some((11, 12)));
        let mut same = OffsetMap::default();
        same.push(0, 5, 0, 5);
        assert_eq!(same.then(&inner), inner);
    }
}
