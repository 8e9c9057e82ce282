//! The offline knowledge base: what names can mean, and what words say about names.
//!
//! In: the file that `training/knowledge/build.py` builds, inside the binary or read from disk. Out: look-ups by
//! folded name. Nothing is unpacked at start-up: tables are read where they lie, after one checksum over the file.
//!
//! Layout: magic, format version (u32), SHA-256 of the rest, then two tables: names with u64 values, words with u16.
//! All numbers are little-endian.

mod fold;
mod table;

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest, Sha256};

pub use fold::{NameKey, fold};
pub(crate) use table::{Table, Truncated, u32_at};

const MAGIC: &[u8; 8] = b"CDKNOW\r\n";
const FORMAT_VERSION: u32 = 1;
const HEADER_BYTES: usize = 8 + 4 + 32;
const NAME_BYTES: usize = 8;
const WORD_BYTES: usize = 2;
/// Ids from here on are the file's own: the thing has no Wikidata id.
const FIRST_LOCAL_ID: u32 = 1 << 27;

/// Names and words with their evidence.
#[derive(Clone)]
pub struct Knowledge {
    bytes: Cow<'static, [u8]>,
    names: Table,
    words: Table,
    version: String,
}

/// Why a knowledge file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnowledgeError {
    #[error("not a knowledge file: it does not start with the magic bytes")]
    NotKnowledge,
    #[error("knowledge file has format version {found}, this build reads {FORMAT_VERSION}")]
    WrongVersion { found: u32 },
    #[error("knowledge file is damaged: its checksum does not match")]
    Checksum,
    #[error("knowledge file is damaged: a table does not fit")]
    Truncated,
}

impl From<Truncated> for KnowledgeError {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl Knowledge {
    /// The knowledge base inside the binary.
    pub fn embedded() -> Self {
        let bytes: &'static [u8] = include_bytes!("../models/knowledge.bin");
        Self::parse(bytes).expect("the file inside the binary is whole: a test reads it")
    }

    /// Reads a knowledge file.
    ///
    /// # Errors
    /// When the bytes are not a whole knowledge file of this format version.
    pub fn parse(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, KnowledgeError> {
        let bytes = bytes.into();
        if !bytes.starts_with(MAGIC) {
            return Err(KnowledgeError::NotKnowledge);
        }
        let found = u32_at(&bytes, 8).ok_or(KnowledgeError::Truncated)?;
        if found != FORMAT_VERSION {
            return Err(KnowledgeError::WrongVersion { found });
        }
        let declared = bytes.get(12..HEADER_BYTES).ok_or(KnowledgeError::Truncated)?;
        let digest = Sha256::digest(&bytes[HEADER_BYTES..]);
        if digest.as_slice() != declared {
            return Err(KnowledgeError::Checksum);
        }
        let version = format!("knowledge-{FORMAT_VERSION}@sha256:{}", hex::encode(digest));
        let names = Table::parse(&bytes, HEADER_BYTES, NAME_BYTES)?;
        let words = Table::parse(&bytes, names.end(), WORD_BYTES)?;
        if words.end() != bytes.len() {
            return Err(KnowledgeError::Truncated);
        }
        Ok(Self { bytes, names, words, version })
    }

    /// The version that records carry as `provenance.knowledge`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a name can mean.
    pub fn name(&self, key: NameKey) -> Option<Name> {
        let bytes = self.names.find(&self.bytes, key.hash())?;
        Some(Name(u64::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// What a single folded word says about names; all zero for an unknown word.
    pub fn word(&self, folded: &str) -> WordEvidence {
        let mut key = NameKey::default();
        key.push(folded);
        let value = self.words.find(&self.bytes, key.hash());
        WordEvidence(value.and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes))
    }
}

impl Default for Knowledge {
    fn default() -> Self {
        Self::embedded()
    }
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("version", &self.version)
            .field("n_names", &self.names.len())
            .field("n_words", &self.words.len())
            .finish()
    }
}

/// What kind of thing a name stands for, as the sources type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum NameType {
    Person,
    Org,
    Gpe,
    Loc,
    Fac,
    Norp,
    Event,
    Product,
    Work,
    /// Typed by nobody: anything but a person.
    #[default]
    Other,
}

impl NameType {
    pub const ALL: [Self; 10] = [
        Self::Person,
        Self::Org,
        Self::Gpe,
        Self::Loc,
        Self::Fac,
        Self::Norp,
        Self::Event,
        Self::Product,
        Self::Work,
        Self::Other,
    ];
}

/// The readings of one name: bits 0–27 id of the best reading, 28–31 its type, 32–35 how well known it is,
/// 36–46 the types of all readings, 48–55 the country of the best reading, 56–57 how near a rival comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(u64);

impl Name {
    /// An id that is equal for names of one thing; `None` for names that stand for no thing in particular.
    pub fn id(self) -> Option<u32> {
        let id = (self.0 & 0x0FFF_FFFF) as u32;
        (id != 0).then_some(id)
    }

    /// The number of the best reading's Wikidata id.
    pub fn wikidata(self) -> Option<u32> {
        self.id().filter(|&id| id < FIRST_LOCAL_ID)
    }

    /// The type of the best reading.
    pub fn kind(self) -> NameType {
        let index = (self.0 >> 28 & 0xF) as usize;
        NameType::ALL.get(index.wrapping_sub(1)).copied().unwrap_or(NameType::Other)
    }

    /// How well known the best reading is, 0 to 15: cities of 15,000 about 4, large countries 14.
    pub fn prominence(self) -> u8 {
        (self.0 >> 32 & 0xF) as u8
    }

    /// Whether any reading has this type.
    pub fn can_be(self, kind: NameType) -> bool {
        let index = NameType::ALL.iter().position(|&k| k == kind).unwrap_or(0) + 1;
        self.0 >> (36 + index) & 1 == 1
    }

    /// A number that is equal for things of one country; 0 when no country is known.
    pub fn country(self) -> u8 {
        (self.0 >> 48 & 0xFF) as u8
    }

    /// How near another thing of the same type and name comes.
    pub fn ambiguity(self) -> Ambiguity {
        match self.0 >> 56 & 3 {
            0 => Ambiguity::None,
            1 => Ambiguity::Some,
            _ => Ambiguity::High,
        }
    }
}

/// Whether a name stands for one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguity {
    /// No other thing of its type comes near.
    None,
    /// Another is known, though less well: more evidence decides.
    Some,
    /// Another is about as well known, or the name is relative ("the Senate").
    High,
}

/// What a word says about names: bits 0–2 how often it is a given name (logarithmic), 3–4 the sex that bears it,
/// 5–7 how often it is a family name, 8–10 how often it is lower-cased in the middle of sentences, 11–13 how often it
/// is seen at all (logarithmic).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordEvidence(u16);

impl WordEvidence {
    /// 0 (never) to 7 (very often).
    pub fn given_name(self) -> u8 {
        (self.0 & 7) as u8
    }

    /// 0 (never) to 7 (very often).
    pub fn family_name(self) -> u8 {
        (self.0 >> 5 & 7) as u8
    }

    pub fn is_female_name(self) -> bool {
        self.0 >> 3 & 3 == 1
    }

    pub fn is_male_name(self) -> bool {
        self.0 >> 3 & 3 == 2
    }

    /// The share of lower-cased occurrences in the middle of sentences, 0 to 1; `None` when the word was not seen.
    pub fn lower_share(self) -> Option<f32> {
        let level = self.0 >> 8 & 7;
        (level > 0).then(|| f32::from(level - 1) / 6.0)
    }

    /// 0 (not seen) to 7 (tens of thousands in the texts counted).
    pub fn frequency(self) -> u8 {
        (self.0 >> 11 & 7) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_whole() {
        let knowledge = Knowledge::embedded();
        assert!(knowledge.version().starts_with("knowledge-1@sha256:"));
    }

    #[track_caller]
    fn check(name: &str, kind: NameType, wikidata: Option<u32>) {
        let found = Knowledge::embedded().name(NameKey::of(name)).expect(name);
        assert_eq!((found.kind(), found.wikidata()), (kind, wikidata), "{name}");
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        check("United States", NameType::Gpe, Some(30));
        check("U.S.", NameType::Gpe, Some(30));
        check("the United States of America", NameType::Gpe, Some(30));
        check("North Korean", NameType::Norp, None);
        check("Kim Jong-un", NameType::Person, Some(56226));
        check("Kim Jong Un", NameType::Person, Some(56226));
        check("São Paulo", NameType::Gpe, None);
        check("Sao Paulo", NameType::Gpe, None);
        check("Boston", NameType::Gpe, Some(100));
        check("WHO", NameType::Org, Some(7817));
        assert_eq!(Knowledge::embedded().name(NameKey::of("qqqq zzzz")), None);
    }

    #[test]
    fn words_carry_evidence() {
        let knowledge = Knowledge::embedded();
        let mary = knowledge.word("mary");
        assert!(mary.is_female_name() && !mary.is_male_name() && mary.given_name() > 3);
        assert!(knowledge.word("smith").family_name() > 3);
        assert!(knowledge.word("after").lower_share().unwrap() > 0.9);
        assert!(knowledge.word("monday").lower_share().unwrap() < 0.1);
        assert_eq!(knowledge.word("qqqzzz"), WordEvidence::default());
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let whole = include_bytes!("../models/knowledge.bin").to_vec();
        let refuse = |bytes: Vec<u8>| Knowledge::parse(bytes).expect_err("refused");
        assert_eq!(refuse(b"PK\x03\x04".to_vec()), KnowledgeError::NotKnowledge);
        assert_eq!(refuse(whole[..9].to_vec()), KnowledgeError::Truncated);
        assert_eq!(refuse(whole[..whole.len() - 1].to_vec()), KnowledgeError::Checksum);
        let mut flipped = whole.clone();
        flipped[100] ^= 1;
        assert_eq!(refuse(flipped), KnowledgeError::Checksum);
        let mut newer = whole;
        newer[8] = 99;
        assert_eq!(refuse(newer), KnowledgeError::WrongVersion { found: 99 });
    }
}
