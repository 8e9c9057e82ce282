//! The figures of an evaluation, for people and as JSON; all in per cent.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What `copydesk eval` says of a set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    pub documents: usize,
    /// Articles for which no record was published.
    pub missing: usize,
    pub entities: Entities,
    pub clusters: Clusters,
    pub quotes: Quotes,
    pub sentiment: Sentiment,
}

/// Mentions whose span is exactly the annotated one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entities {
    /// With the annotated type.
    pub typed: F1,
    pub untyped: F1,
    /// Persons, organisations and places, the kinds of places merged.
    pub plo: F1,
    pub by_type: BTreeMap<&'static str, F1>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Clusters {
    pub b3: f64,
    pub conll: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quotes {
    /// Equal but for marks, spaces and punctuation at the edges.
    pub exact: F1,
    /// Intersection over union of at least 0.8.
    pub overlap: F1,
    pub recall_by_type: QuoteTypes,
    /// Of the annotated quotes, the share found with the right type, and so on.
    pub r#type: f64,
    pub cue: f64,
    pub speaker: f64,
    pub entity: f64,
    /// Type and speaker entity are right.
    pub complete: f64,
    /// Of the published quotes, the share that is attributed to somebody else.
    pub wrong_speaker: f64,
}

/// Left out where none is annotated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct QuoteTypes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indirect: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sentiment {
    /// Accuracy.
    pub document: f64,
    /// The mean F1 of the three tones, on entities of both sides.
    pub entities: f64,
}

/// Precision, recall, their harmonic mean, and the number annotated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct F1 {
    pub p: f64,
    pub r: f64,
    pub f1: f64,
    pub n: usize,
}

impl fmt::Display for F1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P {:.1} R {:.1} F1 {:.1} (n={})", self.p, self.r, self.f1, self.n)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entities, clusters, quotes, sentiment, .. } = self;
        writeln!(f, "documents {}, without a record {}", self.documents, self.missing)?;
        writeln!(f, "entities.typed     {}", entities.typed)?;
        writeln!(f, "entities.untyped   {}", entities.untyped)?;
        writeln!(f, "entities.plo       {}", entities.plo)?;
        let types = entities.by_type.iter().map(|(label, of)| format!("{label} {:.0}", of.f1));
        writeln!(f, "  {}", types.collect::<Vec<_>>().join("  "))?;
        writeln!(f, "clusters.b3 {:.1}  clusters.conll {:.1}", clusters.b3, clusters.conll)?;
        writeln!(f, "quotes.exact     {}", quotes.exact)?;
        writeln!(f, "quotes.overlap   {}", quotes.overlap)?;
        let QuoteTypes { direct, mixed, indirect } = quotes.recall_by_type;
        let recalls = [("direct", direct), ("mixed", mixed), ("indirect", indirect)];
        let found = recalls.iter().filter_map(|(kind, of)| Some(format!("{kind} {:.0}%", (*of)?)));
        writeln!(f, "  found {}", found.collect::<Vec<_>>().join("  "))?;
        writeln!(
            f,
            "  of gold quotes: type {:.1}  cue {:.1}  speaker {:.1}  entity {:.1}  complete {:.1}",
            quotes.r#type, quotes.cue, quotes.speaker, quotes.entity, quotes.complete
        )?;
        writeln!(f, "  wrong speaker among published: {:.1}%", quotes.wrong_speaker)?;
        write!(
            f,
            "sentiment.document {:.1}  sentiment.entities {:.1}",
            sentiment.document, sentiment.entities
        )
    }
}

/// Counts of which precision and recall are made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fraction {
    pub(super) n_right: usize,
    pub(super) n_published: usize,
    pub(super) n_gold: usize,
}

impl Fraction {
    pub(super) fn add_sizes(&mut self, n_published: usize, n_gold: usize) {
        self.n_published += n_published;
        self.n_gold += n_gold;
    }

    pub(super) fn f1(self) -> F1 {
        let (p, r) = (percent(self.n_right, self.n_published), percent(self.n_right, self.n_gold));
        F1 { p, r, f1: harmonic_mean(p, r), n: self.n_gold }
    }
}

pub(super) fn percent(part: usize, whole: usize) -> f64 {
    100.0 * share(part, whole)
}

/// 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    ratio(part as f64, whole)
}

/// 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn ratio(part: f64, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

pub(super) fn harmonic_mean(p: f64, r: f64) -> f64 {
    if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    ratio(values.iter().sum(), values.len())
}
