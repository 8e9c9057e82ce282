//! Variants of annotated text, so that the model leans on what holds beyond its few articles.
//!
//! In: a document. Out: the same text with every name exchanged for another of its kind, after a dateline; or in the
//! capitals of a headline. The names exchanged come from the training data itself.

use std::collections::BTreeMap;

use copydesk::article::{Field, Span};
use copydesk::stages::entities::learning::KINDS;

use crate::corpus::{Document, kind_of_label};

/// How much a variant counts, compared with the text that people wrote and annotated.
const VARIANT_WEIGHT: f32 = 0.5;
/// Every so many sentences one is written as a headline.
const HEADLINE_EVERY: usize = 12;
/// Every so many headlines one is in capitals throughout.
const CAPITALS_EVERY: usize = 4;

/// Names to exchange, by kind.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_kind: [Vec<String>; KINDS.len()],
    random: u64,
}

impl Names {
    pub(crate) fn of(documents: &[Document]) -> Self {
        let mut names = Self { random: 0x9E37_79B9_7F4A_7C15, ..Self::default() };
        for document in documents {
            let text = document.text();
            for (span, kind) in &document.gold {
                names.by_kind[*kind].push(span.of(text).to_owned());
            }
        }
        names
    }

    fn draw(&mut self, kind: usize) -> String {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let list = &self.by_kind[kind];
        let n_names = u64::try_from(list.len()).expect("fewer than 2^64 names");
        let at = usize::try_from(self.random % n_names.max(1)).expect("smaller than a length");
        list.get(at).cloned().unwrap_or_default()
    }
}

/// The text with its names exchanged, the same for the same; with a dateline in front when `has_dateline`.
pub(crate) fn exchange(document: &Document, names: &mut Names, has_dateline: bool) -> Document {
    let text = document.text();
    let mut exchanged: BTreeMap<(&str, usize), String> = BTreeMap::new();
    let mut out = String::new();
    let mut gold = Vec::new();
    if has_dateline {
        let kind = kind_of_label("GPE").expect("a kind of its own");
        out.push_str(&names.draw(kind).to_uppercase());
        gold.push((Span::new(0, out.len()), kind));
        out.push_str(" — ");
    }
    let mut at = 0;
    for &(span, kind) in document.gold.iter().filter(|(span, _)| !span.is_empty()) {
        if span.start < at {
            continue;
        }
        out.push_str(Span::new(at, span.start).of(text));
        let name = exchanged.entry((span.of(text), kind)).or_insert_with(|| names.draw(kind));
        gold.push((Span::new(out.len(), out.len() + name.len()), kind));
        out.push_str(name);
        at = span.end;
    }
    out.push_str(Span::new(at, text.len()).of(text));
    Document::new(out, gold, document.scope, document.weight * VARIANT_WEIGHT)
}

/// Some of the sentences as headlines.
pub(crate) fn headlines(documents: &[Document]) -> Vec<Document> {
    let chosen = documents.iter().step_by(HEADLINE_EVERY).enumerate();
    chosen.map(|(i, document)| headline(document, i % CAPITALS_EVERY == 0)).collect()
}

fn headline(document: &Document, in_capitals: bool) -> Document {
    let text = document.text();
    let mut out = String::new();
    // Where each byte of the text went: letters may change their length.
    let mut places = vec![0; text.len() + 1];
    let mut starts_word = true;
    for (at, c) in text.char_indices() {
        places[at] = out.len();
        let word = Span::new(at, text.len()).of(text).split(' ').next().unwrap_or_default();
        let raise = in_capitals || starts_word && word.len() > 3;
        if raise {
            out.extend(c.to_uppercase())
        } else {
            out.push(c)
        }
        starts_word = c == ' ';
    }
    places[text.len()] = out.len();
    let gold = document
        .gold
        .iter()
        .map(|&(span, kind)| (Span::new(places[span.start], places[span.end]), kind));
    Document::new(out, gold.collect(), document.scope, document.weight * VARIANT_WEIGHT)
}

impl Document {
    fn text(&self) -> &str {
        self.segmented.article.field(Field::Text)
    }
}
