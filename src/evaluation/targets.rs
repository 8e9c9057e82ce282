//! How well the tone towards a given target is told, on sentences that people labelled.
//!
//! In: labelled targets, and what the sentiment stage and `link` say of each. Out: [`TargetFigures`], in per cent, with
//! those of the one answer that is right most often beside them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::figures::{Fraction, mean, percent};
use super::{CodePoints, tone};
use crate::article::Span;

/// A target in its text; its span in code points.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GoldTarget {
    pub text: String,
    pub target: CodePoints,
    /// What the text says of it: -1, 0 or 1.
    pub label: i8,
}

/// Why a line is no labelled target.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    #[error("not a labelled target: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the target at {start}..{end} does not lie in the text of {n_chars} code points")]
    Span { start: usize, end: usize, n_chars: usize },
    #[error("label {label} is none of -1, 0, 1")]
    Label { label: i8 },
}

impl GoldTarget {
    /// # Errors
    /// When the line is not such an object, or its target does not lie in its text.
    pub fn parse(line: &str) -> Result<Self, InvalidTarget> {
        let gold: Self = serde_json::from_str(line)?;
        let (start, end) = gold.target;
        let n_chars = gold.text.chars().count();
        if start >= end || end > n_chars {
            return Err(InvalidTarget::Span { start, end, n_chars });
        }
        if !(-1..=1).contains(&gold.label) {
            return Err(InvalidTarget::Label { label: gold.label });
        }
        Ok(gold)
    }

    /// The target's span in bytes.
    pub fn span(&self) -> Span {
        let byte_at = |n_chars: usize| {
            self.text.char_indices().nth(n_chars).map_or(self.text.len(), |(at, _)| at)
        };
        Span::new(byte_at(self.target.0), byte_at(self.target.1))
    }
}

/// Counts while a set is read.
#[derive(Debug, Clone, Default)]
pub struct TargetEvaluation {
    /// By gold and found tone, each negative, neutral, positive.
    confusion: [[usize; 3]; 3],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetFigures {
    pub targets: usize,
    /// The mean F1 of the three tones.
    pub macro_f1: f64,
    pub accuracy: f64,
    pub negative: f64,
    pub neutral: f64,
    pub positive: f64,
    /// The same two figures of always giving the commonest label.
    pub majority_macro_f1: f64,
    pub majority_accuracy: f64,
}

impl TargetEvaluation {
    /// Adds a target of which the product says `label` ("positive", "neutral" or "negative").
    pub fn add(&mut self, gold: &GoldTarget, label: &str) {
        self.confusion[row_of(gold.label)][row_of(tone(label))] += 1;
    }

    pub fn figures(&self) -> TargetFigures {
        let n_gold: [usize; 3] = self.confusion.map(|row| row.iter().sum());
        let targets = n_gold.iter().sum();
        let n_commonest = n_gold.into_iter().max().unwrap_or_default();
        let [negative, neutral, positive] = [0, 1, 2].map(|at| {
            let n_published = self.confusion.iter().map(|row| row[at]).sum();
            let n_right = self.confusion[at][at];
            Fraction { n_right, n_published, n_gold: n_gold[at] }.f1().f1
        });
        let n_right = (0..3).map(|at| self.confusion[at][at]).sum();
        let majority = Fraction { n_right: n_commonest, n_published: targets, n_gold: n_commonest };
        TargetFigures {
            targets,
            macro_f1: mean(&[negative, neutral, positive]),
            accuracy: percent(n_right, targets),
            negative,
            neutral,
            positive,
            majority_macro_f1: majority.f1().f1 / 3.0,
            majority_accuracy: percent(n_commonest, targets),
        }
    }
}

impl fmt::Display for TargetFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "targets {}", self.targets)?;
        writeln!(f, "macro-F1 {:.1}  accuracy {:.1}", self.macro_f1, self.accuracy)?;
        writeln!(
            f,
            "  negative {:.1}  neutral {:.1}  positive {:.1}",
            self.negative, self.neutral, self.positive
        )?;
        write!(
            f,
            "always the commonest: macro-F1 {:.1}  accuracy {:.1}",
            self.majority_macro_f1, self.majority_accuracy
        )
    }
}

/// Negative, neutral, positive.
fn row_of(tone: i8) -> usize {
    match tone {
        ..0 => 0,
        0 => 1,
        1.. => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_counts() {
        let mut evaluation = TargetEvaluation::default();
        let gold = |label| GoldTarget { text: "Żaba won".to_owned(), target: (0, 4), label };
        for (label, found) in
            [(-1, "negative"), (-1, "neutral"), (0, "neutral"), (1, "positive"), (-1, "negative")]
        {
            evaluation.add(&gold(label), found);
        }
        let figures = evaluation.figures();
        assert_eq!((figures.targets, figures.accuracy, figures.positive), (5, 80.0, 100.0));
        assert!((figures.negative - 80.0).abs() < 1e-9, "{figures}");
        assert!((figures.neutral - 66.7).abs() < 0.1, "{figures}");
        // 3 of 5 are negative: F1 75 on them, nothing on the others.
        assert!((figures.majority_macro_f1 - 25.0).abs() < 1e-9, "{figures}");
        assert_eq!(gold(0).span().of("Żaba won"), "Żaba");
    }

    #[track_caller]
    fn check_refused(line: &str, expected: &str) {
        let error = GoldTarget::parse(line).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn lines_that_are_no_targets_are_refused() {
        check_refused("{}", "missing field");
        check_refused(
            r#"{"text": "Lee", "target": [0, 4], "label": 0}"#,
            "does not lie in the text",
        );
        check_refused(
            r#"{"text": "Lee", "target": [2, 2], "label": 0}"#,
            "does not lie in the text",
        );
        check_refused(r#"{"text": "Lee", "target": [0, 3], "label": 2}"#, "none of -1, 0, 1");
    }
}
