//! `copydesk schema`: the JSON Schema of the output topic.

use std::io::Write as _;

use super::Ending;
use crate::enriched::JSON_SCHEMA;

pub(super) fn run() -> anyhow::Result<Ending> {
    std::io::stdout().lock().write_all(JSON_SCHEMA.as_bytes())?;
    Ok(Ending::Ok)
}
