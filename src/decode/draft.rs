//! What a format has found in a record, and how it becomes an article or a retraction.
//!
//! In: a [`Draft`], its strings as they were sent. Out: [`Decoded`]. What all formats share is decided here: the id,
//! the canonical text and its way back, dates, kill notices, and what to do when there is no text.

use super::html::{self, Markup};
use super::json::Members;
use super::status::{self, Status};
use super::{DecodeError, Decoded, kill_notice};
use crate::article::{
    Article, ArticleId, DecodeWarning, Format, Retraction, RetractionReason, SourceMap, Version,
    parse_date,
};
use crate::source::RawRecord;
use crate::text::normalize::{is_mojibake, normalize};
use crate::text::offsets::OffsetMap;

/// What a format has found.
#[derive(Debug)]
pub(super) struct Draft {
    pub format: Format,
    pub id: Option<String>,
    pub version: Option<String>,
    pub retracted: Option<RetractionReason>,
    pub headline: Option<(String, Markup)>,
    /// Notes to editors and slug lines: where kill notices stand beside headline and text.
    pub notes: Vec<String>,
    pub body: Vec<Part>,
    /// The text when there is no body.
    pub description: Option<Part>,
    pub language: Option<String>,
    pub published: Option<String>,
    pub updated: Option<String>,
    pub embargoed_until: Option<String>,
    pub n_unknown_fields: usize,
    pub warnings: Vec<DecodeWarning>,
}

/// A stretch of text from one input field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub field: String,
    pub value: String,
    pub markup: Markup,
}

impl Draft {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            id: None,
            version: None,
            retracted: None,
            headline: None,
            notes: Vec::new(),
            body: Vec::new(),
            description: None,
            language: None,
            published: None,
            updated: None,
            embargoed_until: None,
            n_unknown_fields: 0,
            warnings: Vec::new(),
        }
    }

    /// The first of the fields that holds a date; those that hold something else are ignored with a warning.
    pub(super) fn date(&mut self, members: &Members<'_>, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let raw = members.raw(name)?;
            let date = members.lenient_string(name);
            let valid = date.filter(|date| parse_date(date).is_some());
            if valid.is_none() && raw != "\"\"" {
                self.warnings.push(DecodeWarning::InvalidDate);
            }
            valid
        })
    }

    /// An embargo that is not a date is kept as written: nobody may take the story for free to show.
    pub(super) fn embargo(&mut self, embargo: Option<String>) {
        self.embargoed_until = embargo.filter(|embargo| !embargo.trim().is_empty());
        if self.embargoed_until.as_deref().is_some_and(|embargo| parse_date(embargo).is_none()) {
            self.warnings.push(DecodeWarning::InvalidDate);
        }
    }

    /// A status word in a field that takes any: one that is not known leaves the story standing, with a warning.
    pub(super) fn status(&mut self, word: Option<&str>) {
        let Some(word) = word.filter(|word| !word.trim().is_empty()) else { return };
        match status::of_word(word) {
            Some(Status::Usable) => {}
            Some(Status::Retracted(reason)) => self.retracted = Some(reason),
            None => self.warnings.push(DecodeWarning::UnknownStatus),
        }
    }

    /// Counts the members that `known` (sorted) does not list and notes a name that stands twice.
    pub(super) fn count_unknown(&mut self, members: &Members<'_>, known: &[&str]) {
        debug_assert!(known.is_sorted());
        self.n_unknown_fields =
            members.names().filter(|name| known.binary_search(name).is_err()).count();
        if members.has_duplicates {
            self.warnings.push(DecodeWarning::DuplicateField);
        }
    }

    /// # Errors
    /// `InvalidId`; `MissingText` and `EmptyText` for a story that stands and says nothing.
    pub(super) fn finish(mut self, raw: &RawRecord) -> Result<Decoded, DecodeError> {
        let id = identify(self.id.as_deref(), raw)?;
        let version = self.version.take().filter(|version| !version.trim().is_empty());
        let version = version.map(Version::new);
        let has_body = !self.body.is_empty();
        let text = self.text();
        let headline = self.headline(text.is_mojibake);
        let is_notice = kill_notice::is_kill_notice(headline.as_deref(), &self.notes, &text.text);
        let reason = self.retracted.or(is_notice.then_some(RetractionReason::KillNotice));
        if reason.is_none() && is_blank(&text.text) {
            self.check_without_text(headline.is_some(), has_body)?;
        }
        self.warnings.sort_unstable();
        self.warnings.dedup();
        if let Some(reason) = reason {
            let warnings = self.warnings;
            let names = (is_notice && self.retracted.is_none())
                .then(|| kill_notice::named_items(headline.as_deref(), &self.notes, &text.text));
            let names = names.flatten().map(Box::new);
            return Ok(Decoded::Retraction(Retraction { id, version, reason, names, warnings }));
        }
        Ok(Decoded::Article(Box::new(Article {
            id,
            version,
            headline,
            text: text.text,
            declared_language: self.language.filter(|language| !language.trim().is_empty()),
            published: self.published,
            updated: self.updated,
            embargoed_until: self.embargoed_until,
            format: self.format,
            source_map: Some(text.source_map),
            n_unknown_fields: self.n_unknown_fields,
            warnings: self.warnings,
        })))
    }

    /// A flash may be a headline and nothing else. Beyond that, ninjs and ANS ask for no text at all: a picture without
    /// a caption is valid. In the other formats a record that says nothing is a mistake.
    fn check_without_text(
        &mut self,
        has_headline: bool,
        has_body: bool,
    ) -> Result<(), DecodeError> {
        let warning = match self.format {
            _ if has_headline => DecodeWarning::HeadlineOnly,
            Format::Ninjs | Format::Ans => DecodeWarning::NoText,
            Format::Plain | Format::SchemaOrg | Format::RawText if has_body => {
                return Err(DecodeError::EmptyText);
            }
            Format::Plain | Format::SchemaOrg | Format::RawText => {
                return Err(DecodeError::MissingText);
            }
        };
        self.warnings.push(warning);
        Ok(())
    }

    fn headline(&mut self, beside_mojibake: bool) -> Option<String> {
        let (headline, markup) = self.headline.take()?;
        let (headline, _) = html::to_text(headline, markup);
        let mojibake = beside_mojibake || is_mojibake(&headline);
        let headline = match normalize(&headline, mojibake) {
            Some(normalized) => {
                self.note_repair(normalized.repaired);
                normalized.text
            }
            None => headline,
        };
        (!is_blank(&headline)).then_some(headline)
    }

    /// The body's parts, one a line or more; the description when there is no body.
    fn text(&mut self) -> Text {
        let mut parts = extract(std::mem::take(&mut self.body));
        if parts.iter().all(|part| is_blank(&part.text))
            && let Some(description) = self.description.take()
        {
            let description = extract(vec![description]);
            if !description.iter().all(|part| is_blank(&part.text)) {
                parts = description;
                self.warnings.push(DecodeWarning::DescriptionAsText);
            }
        }
        let is_mojibake = match parts.as_slice() {
            [part] => is_mojibake(&part.text),
            _ => is_mojibake(&parts.iter().map(|part| part.text.as_str()).collect::<String>()),
        };
        let mut text = Text { text: String::new(), source_map: SourceMap::default(), is_mojibake };
        for mut part in parts {
            if let Some(normalized) = normalize(&part.text, is_mojibake) {
                self.note_repair(normalized.repaired);
                part.offsets = normalized.map.then(&part.offsets);
                part.text = normalized.text;
            }
            text.push(part);
        }
        text
    }

    fn note_repair(&mut self, repaired: bool) {
        if repaired {
            self.warnings.push(DecodeWarning::MojibakeRepaired);
        }
    }
}

/// The canonical text under construction.
#[derive(Debug)]
struct Text {
    text: String,
    source_map: SourceMap,
    is_mojibake: bool,
}

impl Text {
    fn push(&mut self, part: ExtractedPart) {
        if self.text.is_empty() {
            self.source_map.push(0, part.field, part.offsets);
            self.text = part.text;
        } else if !is_blank(&part.text) {
            self.text.push('\n');
            self.source_map.push(
                self.text.len(),
                part.field,
                part.offsets.shifted(self.text.len()),
            );
            self.text.push_str(&part.text);
        }
    }
}

/// A part after its markup is gone.
#[derive(Debug)]
struct ExtractedPart {
    field: String,
    text: String,
    offsets: OffsetMap,
}

fn extract(parts: Vec<Part>) -> Vec<ExtractedPart> {
    let extract = |part: Part| {
        let (text, offsets) = html::to_text(part.value, part.markup);
        ExtractedPart { field: part.field, text, offsets }
    };
    parts.into_iter().map(extract).collect()
}

/// The id that the record says; else its key; else a digest of the key (when that cannot be an id) or of the value.
///
/// An id that is there but cannot be used is an error: another one would make each version an article of its own.
///
/// # Errors
/// `InvalidId`; `MissingId` when there is neither id, key nor value.
pub(super) fn identify(id: Option<&str>, raw: &RawRecord) -> Result<ArticleId, DecodeError> {
    if let Some(id) = id.filter(|id| !id.trim().is_empty()) {
        return Ok(ArticleId::parse(id)?);
    }
    if let Some(key) = raw.key.as_deref().filter(|key| !key.is_empty()) {
        let text = std::str::from_utf8(key).ok();
        let id = text.and_then(|key| ArticleId::parse(key).ok());
        return Ok(id.unwrap_or_else(|| ArticleId::digest_of(key)));
    }
    raw.value.as_deref().map(ArticleId::digest_of).ok_or(DecodeError::MissingId)
}

/// Whether nothing in `text` can be seen.
pub(super) fn is_blank(text: &str) -> bool {
    let is_invisible =
        |c| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}
