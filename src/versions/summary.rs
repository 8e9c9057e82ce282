//! What a version of an article means, as little of it as a comparison needs.
//!
//! In: a linked article. Out: its [`Summary`]: entities with their tone, quotes with their speakers, the document's
//! tone. What a stage did not find because it failed is not known, which is not the same as not there. All lists and
//! texts are bounded, since the summary of every known article is kept.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::bounded;
use crate::article::{Article, Span};
use crate::encode::{Outcomes, RunProvenance};
use crate::knowledge::fold;
use crate::link::{Linked, Speaker};
use crate::stages::StageOutcome;

/// A long read names a hundred things; what is beyond is not compared.
const ENTITIES_MAX: usize = 150;
const QUOTES_MAX: usize = 60;

const NAME_BYTES_MAX: usize = 120;

/// A long quote is told from another by its digest; this much of it is shown, and matched by its words.
const QUOTE_BYTES_MAX: usize = 300;

/// Shorter headlines ("Briefs", "Weather today") stand over many articles.
const HEADLINE_WORDS_MIN: usize = 3;

/// `None` where a stage had no result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(super) entities: Option<Vec<EntitySummary>>,
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub(super) quotes: Option<Vec<QuoteSummary>>,
    /// The document's label.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(super) tone: Option<String>,
    /// Some lists are cut: what is missing from them may be there.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct EntitySummary {
    #[serde(rename = "k")]
    pub(super) kind: String,
    #[serde(rename = "n")]
    pub(super) name: String,
    #[serde(rename = "t")]
    pub(super) tone: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct QuoteSummary {
    /// Of the whole text, without its marks.
    #[serde(rename = "d")]
    pub(super) digest: u64,
    #[serde(rename = "x")]
    pub(super) text: String,
    /// The entity's name; `None` when nobody is named.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) speaker: Option<String>,
}

impl Summary {
    pub(super) fn of(article: &Article, linked: &Linked, outcomes: Outcomes) -> Self {
        let [entities, quotes, sentiment] = outcomes.map(|outcome| outcome == StageOutcome::Ok);
        let is_cut = linked.entities.len() > ENTITIES_MAX || linked.quotes.len() > QUOTES_MAX;
        Self {
            entities: entities.then(|| self::entities(linked)),
            quotes: quotes.then(|| self::quotes(article, linked)),
            tone: sentiment.then(|| linked.tone.document.label().to_owned()),
            is_cut,
        }
    }

    /// Whether speakers are known: they are entities.
    pub(super) fn has_speakers(&self) -> bool {
        self.entities.is_some() && self.quotes.is_some()
    }
}

/// One of each type and name, in the order of the record.
fn entities(linked: &Linked) -> Vec<EntitySummary> {
    let mut seen = BTreeSet::new();
    let is_new = |entity: &EntitySummary| seen.insert((entity.kind.clone(), entity.name.clone()));
    let summary = linked.entities.iter().take(ENTITIES_MAX).map(|linked| EntitySummary {
        kind: linked.entity.kind.as_str().to_owned(),
        name: bounded(&linked.entity.name, NAME_BYTES_MAX),
        tone: linked.tone.label().to_owned(),
    });
    summary
        .filter({
            let mut is_new = is_new;
            move |entity| is_new(entity)
        })
        .collect()
}

/// The n-th has the id `qn` in the record.
fn quotes(article: &Article, linked: &Linked) -> Vec<QuoteSummary> {
    let summary = |linked_quote: &crate::link::LinkedQuote| {
        let text = quote_text(&linked_quote.quote.segments, &article.text);
        QuoteSummary {
            digest: digest(fold(&text).as_bytes()),
            text: bounded(&text, QUOTE_BYTES_MAX),
            speaker: match linked_quote.speaker {
                Speaker::Entity { entity, .. } => linked
                    .entities
                    .get(entity)
                    .map(|linked| bounded(&linked.entity.name, NAME_BYTES_MAX)),
                Speaker::Unattributed { .. } => None,
            },
        }
    };
    linked.quotes.iter().take(QUOTES_MAX).map(summary).collect()
}

/// Paragraph by paragraph, without the marks around them.
fn quote_text(segments: &[Span], text: &str) -> String {
    let is_mark = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '‘' | '’' | '\'')
    };
    let segments: Vec<_> =
        segments.iter().map(|segment| segment.of(text).trim_matches(is_mark)).collect();
    segments.join(" ")
}

/// Of the folded headline; `None` for one that is too short to tell articles apart.
pub(super) fn headline_digest(headline: &str) -> Option<u64> {
    let folded = fold(headline);
    (folded.split(' ').count() >= HEADLINE_WORDS_MIN).then(|| digest(folded.as_bytes()))
}

/// Of all that decides what is read out of an article.
pub(super) fn maker_digest(maker: &RunProvenance) -> String {
    let RunProvenance { build, model, knowledge, config: _ } = maker;
    format!("{:016x}", digest(format!("{build}\n{model}\n{knowledge}").as_bytes()))
}

pub(super) fn digest(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    let first = digest.first_chunk().expect("SHA-256 has more than eight bytes");
    u64::from_be_bytes(*first)
}
