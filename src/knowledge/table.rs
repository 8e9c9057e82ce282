//! A table from hashes to values of a fixed width, read where it lies.
//!
//! Layout: its length (u32), 65,537 bucket starts (u32) by the top 16 bits of the key's hash, the next 32 bits of every
//! hash, and the values, in hash order. Keys themselves are not stored: 48 bits tell them apart, and the builders refuse
//! a collision between keys they know. All numbers are little-endian.

const BUCKETS: usize = 1 << 16;

/// Where a table lies in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    starts: usize,
    len: usize,
    width: usize,
}

/// The file ends before the table does, or its buckets contradict its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truncated;

impl Table {
    /// Finds the table that starts at `at`, with values of `width` bytes.
    pub(crate) fn parse(bytes: &[u8], at: usize, width: usize) -> Result<Self, Truncated> {
        let len = u32_at(bytes, at).ok_or(Truncated)? as usize;
        let table = Self { starts: at + 4, len, width };
        let last = u32_at(bytes, table.starts + 4 * BUCKETS).ok_or(Truncated)?;
        if table.end() > bytes.len() || last as usize != len {
            return Err(Truncated);
        }
        Ok(table)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn prints(&self) -> usize {
        self.starts + 4 * (BUCKETS + 1)
    }

    /// Where the table ends in its file.
    pub(crate) fn end(&self) -> usize {
        self.prints() + self.len * (4 + self.width)
    }

    /// The value of the key with this hash. A bucket holds a handful of keys.
    pub(crate) fn find<'a>(&self, bytes: &'a [u8], hash: u64) -> Option<&'a [u8]> {
        let bucket = (hash >> 48) as usize;
        let print = (hash >> 16 & 0xFFFF_FFFF) as u32;
        let from = u32_at(bytes, self.starts + 4 * bucket)? as usize;
        let to = u32_at(bytes, self.starts + 4 * (bucket + 1))? as usize;
        let at = (from..to).find(|&at| u32_at(bytes, self.prints() + 4 * at) == Some(print))?;
        let start = self.prints() + 4 * self.len + self.width * at;
        bytes.get(start..start + self.width)
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
