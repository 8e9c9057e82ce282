//! Whether quotes are found, with their type, cue and speaker.

use std::collections::BTreeSet;

use super::CodePoints;
use super::figures::{Fraction, QuoteTypes, Quotes, percent, share};
use super::gold::{GoldArticle, GoldQuote};
use super::pairing::Alignment;
use crate::enriched::view;

/// Intersection over union from which a published quote is the annotated one.
const OVERLAP_MIN: f64 = 0.8;
/// Marks and spaces at a quote's edges make no difference.
const EDGES: &str = " \t\r\n\u{a0}\"'“”‘’„‟«»‹›.,;:!?()[]—–-…";

#[derive(Debug, Default)]
pub(super) struct QuoteCounts {
    exact: Fraction,
    overlap: Fraction,
    /// Found and annotated: direct, mixed, indirect.
    by_type: [(usize, usize); 3],
    n_type: usize,
    n_cue: usize,
    n_speaker: usize,
    n_entity: usize,
    n_complete: usize,
    n_wrong: usize,
}

/// A published quote; one for each paragraph that it runs over, as in the annotation.
struct PublishedQuote<'a> {
    span: CodePoints,
    quote: &'a view::Quote,
}

impl PublishedQuote<'_> {
    fn cue(&self) -> Option<CodePoints> {
        self.quote.cue.as_ref().map(|cue| (cue.start, cue.end))
    }

    fn speaker(&self) -> Option<CodePoints> {
        let speaker = self.quote.speaker.as_ref()?;
        Some((speaker.start?, speaker.end?))
    }

    fn entity(&self) -> Option<&str> {
        self.quote.speaker.as_ref()?.entity.as_deref()
    }
}

impl QuoteCounts {
    pub(super) fn add(
        &mut self,
        gold: &GoldArticle,
        record: Option<&view::Enriched>,
        alignment: &Alignment<'_>,
    ) {
        let quotes = record.map(|record| record.quotes.as_slice()).unwrap_or_default();
        let published: Vec<PublishedQuote<'_>> = quotes
            .iter()
            .flat_map(|quote| {
                quote.parts().into_iter().map(move |span| PublishedQuote { span, quote })
            })
            .collect();
        let text: Vec<char> = gold.text.chars().collect();
        let trimmed: BTreeSet<CodePoints> =
            published.iter().map(|quote| trim(&text, quote.span)).collect();
        let n_exact =
            gold.quotes.iter().filter(|q| trimmed.contains(&trim(&text, (q.start, q.end)))).count();
        let pairs = pair(&gold.quotes, &published);
        for (fraction, n_right) in [(&mut self.exact, n_exact), (&mut self.overlap, pairs.len())] {
            fraction.add_sizes(published.len(), gold.quotes.len());
            fraction.n_right += n_right;
        }
        for quote in &gold.quotes {
            if let Some(at) = type_index(&quote.kind) {
                self.by_type[at].1 += 1;
            }
        }
        for (quote, found) in pairs {
            self.add_pair(&gold.quotes[quote], &published[found], alignment);
        }
    }

    fn add_pair(
        &mut self,
        gold: &GoldQuote,
        found: &PublishedQuote<'_>,
        alignment: &Alignment<'_>,
    ) {
        let is_type_right = gold.kind == found.quote.kind;
        let is_entity_right = alignment.is_same_entity(gold.entity.as_deref(), found.entity());
        let is_speaker_right = match (gold.speaker, found.speaker()) {
            (None, None) => true,
            (Some(a), Some(b)) => a.1.min(b.1) > a.0.max(b.0),
            _ => false,
        };
        if let Some(at) = type_index(&gold.kind) {
            self.by_type[at].0 += 1;
        }
        self.n_type += usize::from(is_type_right);
        self.n_cue += usize::from(gold.cue == found.cue());
        self.n_speaker += usize::from(is_speaker_right);
        self.n_entity += usize::from(is_entity_right);
        self.n_complete += usize::from(is_type_right && is_entity_right);
        self.n_wrong += usize::from(found.entity().is_some() && !is_entity_right);
    }

    pub(super) fn figures(&self) -> Quotes {
        let of_gold = |n: usize| percent(n, self.overlap.n_gold);
        let recall = |at: usize| {
            let (found, n) = self.by_type[at];
            (n > 0).then(|| percent(found, n))
        };
        Quotes {
            exact: self.exact.f1(),
            overlap: self.overlap.f1(),
            recall_by_type: QuoteTypes { direct: recall(0), mixed: recall(1), indirect: recall(2) },
            r#type: of_gold(self.n_type),
            cue: of_gold(self.n_cue),
            speaker: of_gold(self.n_speaker),
            entity: of_gold(self.n_entity),
            complete: of_gold(self.n_complete),
            wrong_speaker: percent(self.n_wrong, self.overlap.n_published),
        }
    }
}

fn type_index(kind: &str) -> Option<usize> {
    ["direct", "mixed", "indirect"].iter().position(|known| *known == kind)
}

/// Annotated and published quotes that are the same, the closest first; each is paired once.
fn pair(gold: &[GoldQuote], published: &[PublishedQuote<'_>]) -> Vec<(usize, usize)> {
    let mut close: Vec<(f64, usize, usize)> = Vec::new();
    for (i, quote) in gold.iter().enumerate() {
        for (j, found) in published.iter().enumerate() {
            let overlap = overlap((quote.start, quote.end), found.span);
            if overlap >= OVERLAP_MIN {
                close.push((overlap, i, j));
            }
        }
    }
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then((b.1, b.2).cmp(&(a.1, a.2))));
    let (mut gold_taken, mut taken) = (BTreeSet::new(), BTreeSet::new());
    close.retain(|&(_, i, j)| {
        let is_free = !gold_taken.contains(&i) && !taken.contains(&j);
        if is_free {
            gold_taken.insert(i);
            taken.insert(j);
        }
        is_free
    });
    close.into_iter().map(|(_, i, j)| (i, j)).collect()
}

/// Intersection over union.
fn overlap(a: CodePoints, b: CodePoints) -> f64 {
    let shared = a.1.min(b.1).saturating_sub(a.0.max(b.0));
    share(shared, a.1.max(b.1) - a.0.min(b.0))
}

fn trim(text: &[char], (mut start, mut end): CodePoints) -> CodePoints {
    let is_edge = |at: usize| text.get(at).is_some_and(|c| EDGES.contains(*c));
    while start < end && is_edge(start) {
        start += 1;
    }
    while end > start && is_edge(end - 1) {
        end -= 1;
    }
    (start, end)
}
