//! The weights of features, learned by `training/names`.
//!
//! In: the file inside the binary. Out: scores of a candidate. A weight is an int8 in steps of the file's scale; a
//! feature that is not in the table weighs nothing.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::lattice::{Blend, KINDS, Scores};
use crate::knowledge::{Table, u32_at};

const MAGIC: &[u8; 8] = b"CDNAMES\n";
const FORMAT_VERSION: u32 = 2;
/// Magic, format version, SHA-256 of the rest.
const HEADER_BYTES: usize = 8 + 4 + 32;
const BYTES: &[u8] = include_bytes!("../../../models/names.bin");

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    Weights::parse(BYTES).expect("the file inside the binary is whole: a test reads it")
});

/// The weights inside the binary.
pub(super) fn embedded() -> &'static Weights {
    &WEIGHTS
}

#[derive(Debug, Clone)]
pub(super) struct Weights {
    bytes: &'static [u8],
    table: Table,
    /// What one step of an int8 weight is worth.
    scale: f32,
    blend: Blend,
}

impl Weights {
    fn parse(bytes: &'static [u8]) -> Option<Self> {
        let version = u32_at(bytes, MAGIC.len())?;
        let digest = bytes.get(MAGIC.len() + 4..HEADER_BYTES)?;
        let rest = bytes.get(HEADER_BYTES..)?;
        let whole = bytes.starts_with(MAGIC)
            && version == FORMAT_VERSION
            && Sha256::digest(rest).as_slice() == digest;
        let scale = f32::from_bits(u32_at(bytes, HEADER_BYTES)?);
        let blend = Blend::parse(bytes.get(HEADER_BYTES + 4..)?)?;
        let table = Table::parse(bytes, HEADER_BYTES + 4 + Blend::BYTES, KINDS.len()).ok()?;
        (whole && table.end() == bytes.len()).then_some(Self { bytes, table, scale, blend })
    }

    /// Adds a feature's weights, in steps.
    pub(super) fn add(&self, feature: u64, steps: &mut [i32; KINDS.len()]) {
        let Some(row) = self.table.find(self.bytes, feature) else { return };
        steps.iter_mut().zip(row).for_each(|(sum, &step)| *sum += i32::from(step.cast_signed()));
    }

    /// What the features, in steps, and the reader's tags say together.
    pub(super) fn scores(&self, steps: &[i32; KINDS.len()], of_tags: &Scores) -> Scores {
        #[expect(clippy::cast_precision_loss, reason = "a hundred int8 steps stay far below 2^23")]
        let of_features = steps.map(|sum| sum as f32 * self.scale);
        self.blend.scores(&of_features, of_tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_whole() {
        assert!(embedded().table.len() > 10_000);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let cut: &'static [u8] = &BYTES[..BYTES.len() - 1];
        assert!(Weights::parse(cut).is_none());
        assert!(Weights::parse(b"CDNAMES\n").is_none());
    }
}
