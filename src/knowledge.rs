//! The offline knowledge base: names to Wikidata ids.
//!
//! In: the file that `training/knowledge` builds, inside the binary. Out: look-ups by name.

#[derive(Debug, Default)]
pub struct Knowledge {}

impl Knowledge {
    /// The knowledge base inside the binary.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// The version that records carry as `provenance.knowledge`.
    pub fn version(&self) -> &'static str {
        "none"
    }
}
