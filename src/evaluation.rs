//! How good the published records are, against articles that people annotated.
//!
//! In: annotated articles and the records that the pipeline publishes for their texts. Out: [`Figures`], summed over
//! the set (micro-averages, in per cent). The annotation's layout and the definitions of the figures are those of the
//! project's `eval/score.py`; a test compares the two.

mod gold;
mod pairing;
mod clusters;
mod quotes;
mod figures;
mod targets;

use std::collections::{BTreeMap, HashMap};

use crate::enriched::view::Enriched;

use self::clusters::ClusterSums;
use self::figures::Fraction;
use self::pairing::{Alignment, published_mentions};
use self::quotes::QuoteCounts;

pub use self::figures::{F1, Figures};
pub use self::gold::{GoldArticle, InvalidGold};
pub use self::targets::{GoldTarget, InvalidTarget, TargetEvaluation, TargetFigures};

/// A span in code points of the article's text.
type CodePoints = (usize, usize);

/// The figures of a set while it is read.
#[derive(Debug, Default)]
pub struct Evaluation {
    n_articles: usize,
    n_missing: usize,
    typed: Fraction,
    untyped: Fraction,
    person_org_place: Fraction,
    by_label: BTreeMap<&'static str, Fraction>,
    clusters: ClusterSums,
    quotes: QuoteCounts,
    n_document_tones_right: usize,
    /// Entities of both sides, by gold and published tone (−1, 0, 1).
    entity_tones: HashMap<(i8, i8), usize>,
}

impl Evaluation {
    /// Adds an article; `record` is `None` when none was published for it.
    ///
    /// # Errors
    /// When the record's text is not the article's: offsets could not be compared.
    pub fn add(
        &mut self,
        gold: &GoldArticle,
        record: Option<&Enriched>,
    ) -> Result<(), DifferentText> {
        if record.is_some_and(|record| record.text != gold.text) {
            return Err(DifferentText(gold.doc_id.clone()));
        }
        self.n_articles += 1;
        self.n_missing += usize::from(record.is_none());
        let published = record.map(published_mentions).unwrap_or_default();
        let alignment = Alignment::new(gold, &published);
        self.add_mentions(&alignment);
        self.clusters.add(&alignment);
        self.quotes.add(gold, record, &alignment);
        let document = record.map(|record| tone(&record.sentiment.document.label));
        self.n_document_tones_right += usize::from(document == Some(gold.sentiment));
        for entity in &gold.entities {
            if let Some(hit) = alignment.published_entity_of(&entity.id) {
                let tones = (entity.sentiment.unwrap_or(0), tone(&hit.sentiment.label));
                *self.entity_tones.entry(tones).or_default() += 1;
            }
        }
        Ok(())
    }

    fn add_mentions(&mut self, alignment: &Alignment<'_>) {
        let (gold, published) = (&alignment.gold, &alignment.published);
        self.typed.add_sizes(published.len(), gold.len());
        self.untyped.add_sizes(published.len(), gold.len());
        for mention in gold {
            self.by_label.entry(mention.label).or_default().n_gold += 1;
        }
        for mention in published {
            let label = alignment.gold_label_at(mention.span);
            let counts = self.by_label.entry(mention.label).or_default();
            counts.n_published += 1;
            self.untyped.n_right += usize::from(label.is_some());
            if label == Some(mention.label) {
                counts.n_right += 1;
                self.typed.n_right += 1;
            }
        }
        let (gold, published) = (alignment.gold_places(), alignment.published_places());
        self.person_org_place.add_sizes(published.len(), gold.len());
        self.person_org_place.n_right += published.intersection(&gold).count();
    }

    pub fn figures(&self) -> Figures {
        Figures {
            documents: self.n_articles,
            missing: self.n_missing,
            entities: figures::Entities {
                typed: self.typed.f1(),
                untyped: self.untyped.f1(),
                plo: self.person_org_place.f1(),
                by_type: self.by_label.iter().map(|(label, of)| (*label, of.f1())).collect(),
            },
            clusters: self.clusters.figures(),
            quotes: self.quotes.figures(),
            sentiment: figures::Sentiment {
                document: figures::percent(self.n_document_tones_right, self.n_articles),
                entities: self.entity_tone_f1(),
            },
        }
    }

    /// The mean F1 of the tones that occur in the annotation.
    fn entity_tone_f1(&self) -> f64 {
        let f1_of = |tone: i8| {
            let sum = |keep: &dyn Fn(i8, i8) -> bool| -> usize {
                let kept =
                    self.entity_tones.iter().filter(|&(&(gold, found), _)| keep(gold, found));
                kept.map(|(_, n)| n).sum()
            };
            let fraction = Fraction {
                n_right: sum(&|gold, found| gold == tone && found == tone),
                n_published: sum(&|_, found| found == tone),
                n_gold: sum(&|gold, _| gold == tone),
            };
            (fraction.n_gold > 0).then(|| fraction.f1().f1)
        };
        let found: Vec<f64> = [-1, 0, 1].into_iter().filter_map(f1_of).collect();
        figures::mean(&found)
    }
}

/// The record of an article is about another text.
#[derive(Debug, thiserror::Error)]
#[error("{0}: the record's text is not the article's text; offsets cannot be compared")]
pub struct DifferentText(String);

fn tone(label: &str) -> i8 {
    match label {
        "positive" => 1,
        "negative" => -1,
        _ => 0,
    }
}
