//! `copydesk schema`: the JSON Schema of the output topic.

use std::io::Write as _;

use super::Ending;
use crate::enriched::JSON_SCHEMA;

pub(super) fn run() -> anyhow::Result<Ending> {
    let mut out = std::io::stdout().lock();
    out.write_all(JSON_SCHEMA.as_bytes())?;
    out.flush()?;
    Ok(Ending::Ok)
}
