//! Annotated articles: one JSON object a line.
//!
//! In: a line. Out: a [`GoldArticle`] whose spans lie in its text and whose labels are known.

use serde::Deserialize;

use super::CodePoints;

/// An article as people annotated it; spans are half-open, in code points of `text`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GoldArticle {
    pub doc_id: String,
    pub text: String,
    pub mentions: Vec<GoldMention>,
    pub entities: Vec<GoldEntity>,
    pub quotes: Vec<GoldQuote>,
    /// Tone of the whole: -1, 0 or 1.
    #[serde(default)]
    pub sentiment: i8,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GoldMention {
    pub start: usize,
    pub end: usize,
    pub label: String,
    pub entity: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GoldEntity {
    pub id: String,
    pub name: String,
    pub sentiment: Option<i8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GoldQuote {
    pub start: usize,
    pub end: usize,
    #[serde(rename = "type")]
    pub kind: String,
    pub cue: Option<CodePoints>,
    pub speaker: Option<CodePoints>,
    pub entity: Option<String>,
}

/// Why a line is no annotated article.
#[derive(Debug, thiserror::Error)]
pub enum InvalidGold {
    #[error("not an annotated article: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "{doc_id}: the {what} at {start}..{end} does not lie in the text of {n_chars} code points"
    )]
    Span { doc_id: String, what: &'static str, start: usize, end: usize, n_chars: usize },
    #[error("{doc_id}: unknown label {label:?}; known are {}", LABELS.join(", "))]
    Label { doc_id: String, label: String },
}

/// The labels of the annotation.
const LABELS: [&str; 9] = ["EVENT", "FAC", "GPE", "LOC", "NORP", "ORG", "PER", "PRODUCT", "WORK"];

impl GoldArticle {
    /// # Errors
    /// When the line is not such an object, a span does not lie in the text, or a label is unknown.
    pub fn parse(line: &str) -> Result<Self, InvalidGold> {
        let article: Self = serde_json::from_str(line)?;
        let n_chars = article.text.chars().count();
        let mentions = article.mentions.iter().map(|m| ("mention", (m.start, m.end)));
        let quotes = article.quotes.iter().map(|q| ("quote", (q.start, q.end)));
        let parts = article
            .quotes
            .iter()
            .flat_map(|quote| [("cue", quote.cue), ("speaker", quote.speaker)]);
        let parts = parts.filter_map(|(what, span)| Some((what, span?)));
        for (what, (start, end)) in mentions.chain(quotes).chain(parts) {
            if start >= end || end > n_chars {
                let doc_id = article.doc_id.clone();
                return Err(InvalidGold::Span { doc_id, what, start, end, n_chars });
            }
        }
        for mention in &article.mentions {
            if label(&mention.label).is_none() {
                let (doc_id, label) = (article.doc_id.clone(), mention.label.clone());
                return Err(InvalidGold::Label { doc_id, label });
            }
        }
        Ok(article)
    }
}

/// The annotation's label of that name.
pub(super) fn label(name: &str) -> Option<&'static str> {
    LABELS.into_iter().find(|label| *label == name)
}

/// The annotation's label for a published type; `None` for values.
pub(super) fn label_of_type(kind: &str) -> Option<&'static str> {
    match kind {
        "PERSON" => Some("PER"),
        "WORK_OF_ART" | "LAW" => Some("WORK"),
        other => label(other),
    }
}
