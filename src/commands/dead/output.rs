//! Dead letters as people and programs read them.
//!
//! In: a letter. Out: one line of it, as text or JSON, or all of it. Text is made harmless: what was refused may hold
//! anything.

use std::io::Write;

use jiff::Timestamp;
use serde_json::json;

use crate::dead_letter::Received;
use crate::pretty::harmless;
use crate::source::Header;

pub(super) fn line(out: &mut impl Write, letter: &Received, is_json: bool) -> anyhow::Result<()> {
    let record = &letter.record;
    let (position, key) = (record.position.to_string(), record.key.as_deref().map(text));
    if is_json {
        let line = json!({
            "position": position, "time": time(letter), "reason": letter.reason, "detail": letter.detail,
            "source": letter.source, "attempts": letter.attempts, "key": key,
            "bytes": record.value.as_ref().map(bytes::Bytes::len),
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{position}  {}  {}  attempts {}  from {}  key {}  {}",
            time(letter).unwrap_or_else(|| "-".to_owned()),
            harmless(&letter.reason),
            letter.attempts,
            harmless(&letter.source),
            harmless(key.as_deref().unwrap_or("-")),
            harmless(&letter.detail),
        )?;
    }
    Ok(())
}

/// Headers and value; or the value alone, byte for byte, to be saved.
pub(super) fn whole(out: &mut impl Write, letter: &Received, is_value: bool) -> anyhow::Result<()> {
    let value = letter.record.value.as_deref();
    if is_value {
        out.write_all(value.unwrap_or_default())?;
        return Ok(());
    }
    line(out, letter, false)?;
    for Header { name, value } in &letter.record.headers {
        let value = value.as_deref().map_or_else(|| "(null)".to_owned(), text);
        writeln!(out, "  {}: {}", harmless(name), harmless(&value))?;
    }
    let value = value.map_or_else(|| "(null)".to_owned(), text);
    for line in value.lines() {
        writeln!(out, "  | {}", harmless(line))?;
    }
    writeln!(out)?;
    Ok(())
}

fn time(letter: &Received) -> Option<String> {
    Some(Timestamp::from_millisecond(letter.record.timestamp_ms?).ok()?.to_string())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
