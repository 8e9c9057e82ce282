//! Annotated text: articles and sentences, as training examples.
//!
//! In: JSON Lines with offsets in code points. Out: documents with spans in bytes, and their lattices with what the
//! annotation allows.

use std::collections::HashMap;
use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use copydesk::article::{Article, ArticleId, Format, Span};
use copydesk::knowledge::Knowledge;
use copydesk::model::Reader;
use copydesk::stages::entities::learning::{self, KINDS, Scores, SentenceLattice};
use copydesk::text::Segmented;

use crate::model::{Example, FeatureIds};

/// How much more an article of the right scheme counts than a sentence from elsewhere.
const ARTICLE_WEIGHT: f32 = 4.0;

/// Nearly a copy of an article of the development set, under another id.
const HELD_OUT: &[&str] = &["wikinews-248548"];

/// Sources whose language is too far from news: short messages.
const LEFT_OUT: &[&str] =
    &["btc_a", "btc_b", "btc_e", "btc_f", "btc_h", "wnut17_train", "wnut17_dev", "wnut17_test"];

/// Labels in the order of kinds.
const LABELS: [&str; KINDS.len()] =
    ["PER", "ORG", "GPE", "LOC", "FAC", "NORP", "EVENT", "PRODUCT", "WORK"];

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) segmented: Segmented,
    /// Spans with the index of their kind.
    pub(crate) gold: Vec<(Span, usize)>,
    /// Kinds that are annotated wherever they occur.
    pub(crate) scope: [bool; KINDS.len()],
    pub(crate) weight: f32,
    /// A reader that was not trained on this document.
    pub(crate) reader: Option<Arc<Reader>>,
}

#[derive(Deserialize)]
struct ArticleRow {
    doc_id: String,
    text: String,
    mentions: Vec<SpanRow>,
}

#[derive(Deserialize)]
struct LabelRow {
    doc_id: String,
    sha256: String,
    mentions: Vec<SpanRow>,
}

#[derive(Deserialize)]
struct TextRow {
    id: String,
    text: String,
}

#[derive(Deserialize)]
struct MixRow {
    text: String,
    spans: Vec<SpanRow>,
    scope: Vec<String>,
    weight: f32,
    mix_source: String,
}

#[derive(Deserialize)]
struct SpanRow {
    start: usize,
    end: usize,
    label: String,
}

pub(crate) fn articles(path: &Path) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for line in lines(path)? {
        let row: ArticleRow = serde_json::from_str(&line?)?;
        if HELD_OUT.contains(&row.doc_id.as_str()) {
            continue;
        }
        let names = names_in(&row.text, &row.mentions);
        documents.push(Document::new(row.text, names, [true; KINDS.len()], ARTICLE_WEIGHT));
    }
    Ok(documents)
}

/// Articles whose labels stand in `training/annotations`, with their texts by id.
pub(crate) fn labelled(
    path: &Path,
    texts: &HashMap<String, String>,
    reader: Option<&Arc<Reader>>,
) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for line in lines(path)? {
        let row: LabelRow = serde_json::from_str(&line?)?;
        let text = texts.get(&row.doc_id);
        let text = text.with_context(|| format!("{} is in none of the texts", row.doc_id))?;
        let digest = hex::encode(Sha256::digest(text));
        anyhow::ensure!(digest == row.sha256, "{} is not the text that was annotated", row.doc_id);
        let names = names_in(text, &row.mentions);
        let mut document = Document::new(text.clone(), names, [true; KINDS.len()], ARTICLE_WEIGHT);
        document.reader = reader.cloned();
        documents.push(document);
    }
    Ok(documents)
}

/// Unlabelled articles by id.
pub(crate) fn texts(path: &Path) -> anyhow::Result<impl Iterator<Item = (String, String)>> {
    let rows: Vec<TextRow> = lines(path)?
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect::<anyhow::Result<_>>()?;
    Ok(rows.into_iter().map(|row| (row.id, row.text)))
}

pub(crate) fn mix(path: &Path) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for line in lines(path)? {
        let row: MixRow = serde_json::from_str(&line?)?;
        if LEFT_OUT.contains(&row.mix_source.as_str()) {
            continue;
        }
        let scope = LABELS.map(|label| row.scope.iter().any(|other| other == label));
        let names = names_in(&row.text, &row.spans);
        documents.push(Document::new(row.text, names, scope, row.weight));
    }
    Ok(documents)
}

fn lines(path: &Path) -> anyhow::Result<impl Iterator<Item = std::io::Result<String>>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(std::io::BufReader::new(file).lines())
}

impl Document {
    /// A document with names in text order.
    pub(crate) fn new(
        text: String,
        gold: Vec<(Span, usize)>,
        scope: [bool; KINDS.len()],
        weight: f32,
    ) -> Self {
        let article = Article {
            id: ArticleId::parse("training").expect("a valid id"),
            version: None,
            headline: None,
            text,
            declared_language: None,
            published: None,
            updated: None,
            embargoed_until: None,
            format: Format::Plain,
            source_map: None,
            n_unknown_fields: 0,
            warnings: Vec::new(),
        };
        Self { segmented: Segmented::new(article), gold, scope, weight, reader: None }
    }

    pub(crate) fn examples(
        &self,
        knowledge: &Knowledge,
        first_pass: Option<&[Vec<Scores>]>,
        ids: &mut FeatureIds,
    ) -> Vec<Example> {
        learning::lattices(&self.segmented, knowledge, self.reader.as_deref(), first_pass)
            .iter()
            .map(|lattice| self.example(lattice, ids))
            .collect()
    }

    fn example(&self, lattice: &SentenceLattice, ids: &mut FeatureIds) -> Example {
        let sentence = lattice.words[0].cover(lattice.words[lattice.words.len() - 1]);
        let gold: Vec<&(Span, usize)> =
            self.gold.iter().filter(|(span, _)| span.overlaps(sentence)).collect();
        let span_of: Vec<Span> = lattice
            .candidates
            .iter()
            .map(|c| lattice.words[c.start].cover(lattice.words[c.end - 1]))
            .collect();
        let places: HashMap<Span, usize> = span_of.iter().copied().zip(0..).collect();
        let mut allowed = vec![[false; KINDS.len()]; span_of.len()];
        let mut outside = vec![true; lattice.words.len()];
        for (place, allowed) in allowed.iter_mut().enumerate() {
            let free = gold.iter().all(|(span, _)| !span.overlaps(span_of[place]));
            *allowed = self.scope.map(|in_scope| free && !in_scope);
        }
        let mut n_reachable = 0;
        for (span, kind) in &gold {
            if let Some(&place) = places.get(span) {
                allowed[place][*kind] = true;
                n_reachable += 1;
                let candidate = &lattice.candidates[place];
                outside[candidate.start..candidate.end].fill(false);
            }
        }
        Example::new(
            lattice,
            span_of,
            (allowed, outside),
            self.weight,
            (gold.len(), n_reachable),
            ids,
        )
    }
}

/// The annotated names in bytes, in text order.
fn names_in(text: &str, spans: &[SpanRow]) -> Vec<(Span, usize)> {
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let mut names: Vec<(Span, usize)> = spans
        .iter()
        .filter_map(|span| {
            // An award is a work in this project's scheme.
            let label = if span.label == "AWARD" { "WORK" } else { span.label.as_str() };
            let kind = kind_of_label(label)?;
            Some((name_alone(text, Span::new(bytes[span.start], bytes[span.end]), kind), kind))
        })
        .collect();
    names.sort_unstable();
    names
}

pub(crate) fn kind_of_label(label: &str) -> Option<usize> {
    LABELS.iter().position(|other| *other == label)
}

/// Gold spans, and how many of them are candidates.
pub(crate) fn reachable(articles: &[Vec<Example>]) -> (usize, usize) {
    let counts = articles.iter().flatten().map(|example| example.n_gold);
    counts.fold((0, 0), |(gold, found), (g, f)| (gold + g, found + f))
}

/// Some sources count "the" and titles in; this project's scheme does not.
fn name_alone(text: &str, span: Span, kind: usize) -> Span {
    const ARTICLES: &[&str] = &["The ", "the "];
    const TITLES: &[&str] = &[
        "Dr. ",
        "Emperor ",
        "Governor ",
        "King ",
        "Mr. ",
        "Mrs. ",
        "Ms. ",
        "Pope ",
        "President ",
        "Prince ",
        "Princess ",
        "Queen ",
        "Saint ",
        "Senator ",
        "Sir ",
    ];
    let strip = if LABELS[kind] == "PER" { TITLES } else { ARTICLES };
    if LABELS[kind] == "WORK" {
        return span;
    }
    let name = span.of(text);
    let n = strip.iter().find(|prefix| name.starts_with(**prefix)).map_or(0, |prefix| prefix.len());
    Span::new(span.start + n, span.end)
}
