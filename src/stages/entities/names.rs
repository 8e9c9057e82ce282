//! Names: which runs of words are names, and of what kind.
//!
//! In: the tokens of headline and text. Out: names that do not overlap, in text order. Every sentence is cut so that
//! the scores of its names add up highest; what the first pass found in the whole article is evidence in the second
//! ("Pompeo" alone after "Mike Pompeo").

use std::collections::HashMap;
use std::ops::Range;

use super::candidates::{self, Candidate};
use super::features::{self, Context};
use super::lattice::{self, Arc, KINDS, Scores};
use super::memory::Memory;
use super::tag_evidence::TagEvidence;
use super::tokens::{FieldTokens, SentenceTokens};
use super::weights::{self, Weights};
use crate::knowledge::{Knowledge, Name, NameType};

/// A name at its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundName {
    /// Index into the fields.
    pub(super) field: usize,
    /// Tokens of that field.
    pub(super) words: Range<usize>,
    pub(super) kind: NameType,
    pub(super) known: Option<Name>,
    /// How sure it is: [`calibrated`] once all is settled.
    pub(super) confidence: f32,
}

/// The candidates of a sentence with what their own features weigh.
struct Scored {
    field: usize,
    sentence: usize,
    candidates: Vec<Candidate>,
    steps: Vec<[i32; KINDS.len()]>,
    /// What the reader's tags say of each.
    of_tags: Vec<Scores>,
}

pub(super) fn find(
    fields: &[FieldTokens<'_>],
    tags: &[TagEvidence],
    knowledge: &Knowledge,
) -> Vec<FoundName> {
    let weights = weights::embedded();
    let mut scored = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        for (number, sentence) in field.sentences.iter().enumerate() {
            let candidates = candidates::of(
                field,
                &sentence.tokens,
                tags[index].names_in(&sentence.tokens),
                knowledge,
            );
            if !candidates.is_empty() {
                let steps = own_steps(field, sentence, &candidates, weights);
                let of_tags = candidates.iter().map(|c| tags[index].scores(&c.words)).collect();
                scored.push(Scored { field: index, sentence: number, candidates, steps, of_tags });
            }
        }
    }
    let casing = Memory::of(fields);
    let mut memory = Memory::of(fields);
    for sentence in &scored {
        let field = &fields[sentence.field];
        let arcs = arcs(field, sentence, &casing, weights);
        let n_words = field.sentences[sentence.sentence].tokens.len();
        let (probabilities, _) = lattice::marginals(n_words, &arcs, &[]);
        for (candidate, probabilities) in sentence.candidates.iter().zip(&probabilities) {
            memory.add(field, &candidate.words, probabilities);
        }
    }
    let mut arcs_of: Vec<Vec<Arc>> = scored
        .iter()
        .map(|sentence| arcs(&fields[sentence.field], sentence, &memory, weights))
        .collect();
    let mut settled = Settled::default();
    for (sentence, arcs) in scored.iter().zip(&arcs_of) {
        let field = &fields[sentence.field];
        if !field.sentences[sentence.sentence].is_title_case {
            cut(fields, sentence, arcs).for_each(|name| settled.add(field, &name));
        }
    }
    let mut found = Vec::new();
    for (sentence, arcs) in scored.iter().zip(&mut arcs_of) {
        settled.raise(&fields[sentence.field], sentence, &memory, arcs);
        found.extend(cut(fields, sentence, arcs).map(|mut name| {
            let word = &fields[name.field].tokens[name.words.start].folded;
            if name.words.len() == 1 && memory.is_storm(word) {
                name.kind = NameType::Event;
            }
            name.confidence = calibrated(name.confidence);
            name
        }));
    }
    found.retain(|name| name.confidence >= confidence_min(name.kind));
    found
}

/// Names that are likelier wrong than right are not published: below these confidences a name costs more than it gives
/// on the development articles. Works are the weakest kind (`docs/evaluation.md`).
fn confidence_min(kind: NameType) -> f32 {
    match kind {
        NameType::Work => 0.6,
        _ => 0.4,
    }
}

/// The model is too sure of itself, since what it settles it then believes more. On the development articles these two
/// numbers make "0.9" right nine times in ten (Platt scaling; `docs/evaluation.md`).
const CALIBRATION_SLOPE: f32 = 0.41;
const CALIBRATION_OFFSET: f32 = -0.38;
/// Log-odds beyond which a probability in 32 bits says nothing more.
const CALIBRATION_LOG_ODDS_MAX: f32 = 12.0;

/// The probability that a name is right, from the one that the model gives it.
fn calibrated(probability: f32) -> f32 {
    // Sums over paths may round a little above 1.
    let probability = probability.clamp(0.0, 1.0);
    let log_odds = (probability / (1.0 - probability)).ln();
    let log_odds = log_odds.clamp(-CALIBRATION_LOG_ODDS_MAX, CALIBRATION_LOG_ODDS_MAX);
    1.0 / (1.0 + (-(CALIBRATION_SLOPE * log_odds + CALIBRATION_OFFSET)).exp())
}

/// What was found with confidence is a name wherever it is written alike: the log-odds that this adds.
const SETTLED_BONUS: f32 = 3.0;
const SETTLED_CONFIDENCE_MIN: f32 = 0.6;
/// What a headline's capital is worth less than one in running text, as a log-odds.
const TITLE_CASE_PENALTY: f32 = 2.0;

/// Surfaces of names that were found with confidence, with the kind that was surest.
#[derive(Debug, Default)]
struct Settled<'a> {
    kinds: HashMap<&'a str, (NameType, f32)>,
}

impl<'a> Settled<'a> {
    fn add(&mut self, field: &FieldTokens<'a>, name: &FoundName) {
        if name.confidence < SETTLED_CONFIDENCE_MIN {
            return;
        }
        let surface = field.surface(&name.words);
        // "Acme" for "Acme Inc.".
        let short = without_legal_form(field, name).map(|words| field.surface(&words));
        for surface in short.into_iter().chain([surface]) {
            let known = self.kinds.entry(surface).or_insert((name.kind, 0.0));
            if name.confidence > known.1 {
                *known = (name.kind, name.confidence);
            }
        }
    }

    /// Raises what is settled; in a headline's capitals, lowers what neither the reader nor anything else in the article
    /// or in the knowledge base says is a name.
    fn raise(&self, field: &FieldTokens<'a>, sentence: &Scored, memory: &Memory, arcs: &mut [Arc]) {
        let is_title_case = field.sentences[sentence.sentence].is_title_case;
        for ((candidate, of_tags), arc) in
            sentence.candidates.iter().zip(&sentence.of_tags).zip(arcs)
        {
            let settled = self.kinds.get(field.surface(&candidate.words));
            if let Some(at) = settled.and_then(|(kind, _)| KINDS.iter().position(|k| k == kind)) {
                arc.scores[at] += SETTLED_BONUS;
                continue;
            }
            let first = &field.tokens[candidate.words.start];
            let is_part =
                candidate.words.len() == 1 && memory.parts(&first.folded).next().is_some();
            let is_tagged = of_tags.iter().any(|odds| *odds > 0.0);
            if is_title_case && candidate.known.is_none() && !is_part && !is_tagged {
                arc.scores.iter_mut().for_each(|score| *score -= TITLE_CASE_PENALTY);
            }
        }
    }
}

/// The words of an organisation's name before "Inc." or "Ltd.".
fn without_legal_form(field: &FieldTokens<'_>, name: &FoundName) -> Option<Range<usize>> {
    let last = name.words.end - 1;
    let has_form = matches!(
        field.tokens[last].folded.as_str(),
        "ag" | "co" | "corp" | "gmbh" | "inc" | "limited" | "llc" | "ltd" | "plc"
    );
    (name.kind == NameType::Org && has_form && last > name.words.start)
        .then_some(name.words.start..last)
}

fn own_steps(
    field: &FieldTokens<'_>,
    sentence: &SentenceTokens,
    candidates: &[Candidate],
    weights: &Weights,
) -> Vec<[i32; KINDS.len()]> {
    let context = Context::new(field, sentence, candidates);
    candidates
        .iter()
        .map(|candidate| {
            let mut steps = [0; KINDS.len()];
            features::of(&context, candidate, &mut |feature| weights.add(feature, &mut steps));
            steps
        })
        .collect()
}

/// The arcs of a sentence, with what the memory's features weigh and what grammar knows added.
fn arcs(
    field: &FieldTokens<'_>,
    sentence: &Scored,
    memory: &Memory,
    weights: &Weights,
) -> Vec<Arc> {
    let first_word = field.sentences[sentence.sentence].tokens.start;
    let scores = |candidate: &Candidate, own: &[i32; KINDS.len()], of_tags: &Scores| -> Scores {
        let mut steps = *own;
        features::of_memory(field, candidate, memory, &mut |feature| {
            weights.add(feature, &mut steps);
        });
        let mut scores = weights.scores(&steps, of_tags);
        if let Some((kind, bonus)) = grammar(field, candidate) {
            scores[kind] += bonus;
        }
        scores
    };
    sentence
        .candidates
        .iter()
        .zip(sentence.steps.iter().zip(&sentence.of_tags))
        .map(|(candidate, (own, of_tags))| Arc {
            start: candidate.words.start - first_word,
            end: candidate.words.end - first_word,
            scores: scores(candidate, own, of_tags),
        })
        .collect()
}

/// Patterns too rare to be learned from a few hundred articles: the kind that they speak for, and the log-odds.
fn grammar(field: &FieldTokens<'_>, candidate: &Candidate) -> Option<(usize, f32)> {
    let tokens = &field.tokens[candidate.words.clone()];
    let capitals = tokens.iter().all(|token| token.shape.is_name_like());
    let at = |kind: NameType| KINDS.iter().position(|other| *other == kind);
    if let [.., storm, _name] = tokens
        && capitals
        && matches!(storm.folded.as_str(), "cyclone" | "hurricane" | "storm" | "typhoon")
    {
        return at(NameType::Event).map(|kind| (kind, 4.0));
    }
    // "North Korean", not "Korean": a well-known longer name is meant, also where a sentence starts with it.
    let known = candidate.known.filter(|known| {
        matches!(known.kind(), NameType::Gpe | NameType::Norp) && known.prominence() >= 8
    });
    let kind = known.filter(|_| capitals && tokens.len() > 1)?.kind();
    at(kind).map(|kind| (kind, 2.0))
}

/// The names on the best path through a sentence.
fn cut<'s>(
    fields: &[FieldTokens<'_>],
    sentence: &'s Scored,
    arcs: &'s [Arc],
) -> impl Iterator<Item = FoundName> + 's {
    let n_words = fields[sentence.field].sentences[sentence.sentence].tokens.len();
    let (probabilities, _) = lattice::marginals(n_words, arcs, &[]);
    lattice::best_path(n_words, arcs).into_iter().map(move |(arc, kind)| FoundName {
        field: sentence.field,
        words: sentence.candidates[arc].words.clone(),
        kind: KINDS[kind],
        known: sentence.candidates[arc].known,
        confidence: probabilities[arc][kind],
    })
}
