//! A published record as a page for people.
//!
//! In: the record's bytes. Out: lines of at most the given width: the article with names and quotes marked, then what
//! was found in tables. Everything shown is read back from the published record; nothing in an article can steer the
//! terminal.

mod look;
mod marks;
mod tables;
mod wrap;

use crate::enriched::view::{Enriched, Published, Retracted};

pub use look::Look;

/// A line longer than this is tiring to read.
pub const WIDTH_MAX: usize = 100;

/// Columns when nothing says how wide the terminal is.
pub const WIDTH_DEFAULT: usize = 80;

/// Narrower than this, the tables say nothing.
const WIDTH_MIN: usize = 40;

/// The page of one record, without a final line feed.
///
/// # Errors
/// When `record` is not a record of this schema.
pub fn page(record: &[u8], look: Look, width: usize) -> serde_json::Result<String> {
    let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    let lines = match Published::parse(record)? {
        Published::Enriched(article) => article_page(&article, look, width),
        Published::Retracted(retracted) => vec![retraction_line(&retracted, look)],
    };
    Ok(lines.join("\n"))
}

/// What stands between two pages.
pub fn separator(look: Look, width: usize) -> String {
    let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    format!("\n{}\n", look::paint(look.dim(), &"─".repeat(width)))
}

fn article_page(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let mut lines = marks::headline(article, look, width);
    lines.extend(tables::origin(article, look, width));
    lines.push(String::new());
    lines.extend(marks::body(article, look, width));
    let sections = [
        tables::entities(article, look, width),
        tables::quotes(article, look, width),
        tables::tone(article, look, width),
        tables::stages(article, look, width),
    ];
    for section in sections {
        if !section.is_empty() {
            lines.push(String::new());
            lines.extend(section);
        }
    }
    lines
}

fn retraction_line(retracted: &Retracted, look: Look) -> String {
    let version = retracted.version.as_deref().map(|version| format!(" (version {version})"));
    let text = format!(
        "RETRACTED {}{}: {}",
        look::harmless(&retracted.id),
        look::harmless(&version.unwrap_or_default()),
        retracted.reason
    );
    look::paint(look.warning(), &text)
}
