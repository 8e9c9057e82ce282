//! The language of an article: what it declares and what its text looks like.

use crate::article::{Article, Field};

/// Least confidence at which a detected language overrules English rules: below it short texts are guessed too often.
const CONFIDENCE_MIN: f64 = 0.9;

/// A detected language.
#[derive(Debug, Clone, PartialEq)]
pub struct Language {
    /// ISO 639-1 where there is one, else 639-3; `und` when nothing can be said.
    pub code: String,
    pub confidence: f64,
}

impl Language {
    /// Whether the stages, which are made for English, may run.
    pub fn is_supported(&self) -> bool {
        self.code == "en" || self.code == "und" || self.confidence < CONFIDENCE_MIN
    }
}

/// Detects the language of the article's text.
pub fn detect(article: &Article) -> Language {
    match whatlang::detect(article.field(Field::Text)) {
        Some(info) if info.lang() == whatlang::Lang::Eng => {
            Language { code: "en".into(), confidence: info.confidence() }
        }
        Some(info) => Language { code: info.lang().code().into(), confidence: info.confidence() },
        None => Language { code: "und".into(), confidence: 0.0 },
    }
}
