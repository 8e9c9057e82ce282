//! Knowledge and reader for the commands that need them.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::config::Config;
use crate::knowledge::Knowledge;
use crate::model::{FILE_BYTES_MAX, Reader};
use crate::stages::Models;

/// Those inside the binary, but for the weights that the configuration names.
pub(super) fn load(config: &Config) -> anyhow::Result<Models> {
    let reader = match &config.model.file {
        Some(path) => from_file(path).with_context(|| format!("model.file: {}", path.display()))?,
        None => Reader::embedded(),
    };
    let models = Models { knowledge: Arc::new(Knowledge::embedded()), reader: Arc::new(reader) };
    let (model, knowledge) = (models.reader.version(), models.knowledge.version());
    tracing::info!(model, knowledge, kernel = models.reader.kernel().as_str(), "models loaded");
    Ok(models)
}

fn from_file(path: &Path) -> anyhow::Result<Reader> {
    let mut bytes = Vec::new();
    // One byte more than is allowed tells a file that is too large from one that is not.
    let bytes_max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    fs::File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Reader::load(bytes)?)
}
