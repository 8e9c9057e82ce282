//! The reader's word on the quotes that the rules found.
//!
//! In: quotes by rule, and the reading of the text. Out: quotes in text order that do not overlap. Rules know marks and
//! paragraphs; the reader knows where a reported clause ends, reports that no rule foresees, and marks that quote nobody.

use std::ops::Range;

use super::{Quote, QuoteKind, Source};
use crate::article::Span;
use crate::model::labels::{QuoteLabel, Tag};
use crate::model::{Labelled, Reading};
use crate::text::Segments;

/// Below this mean probability of being said, what the rules found is no quote.
const CONTENT_MIN: f32 = 0.1;
/// From this confidence on the reader's bounds of a reported clause are taken for the rules'.
const BOUNDS_CONFIDENCE_MIN: f32 = 0.9;
/// How much two bounds of one clause overlap at least, as intersection over union.
const SAME_CLAUSE_MIN: f32 = 0.3;
/// From this confidence on a clause that no rule found is a quote.
const ADDED_CONFIDENCE_MIN: f32 = 0.6;
/// Shorter clauses are too often a word or two that only look reported.
const ADDED_WORDS_MIN: usize = 3;

/// What the reader takes for parts of quotes, in text order.
struct Parts {
    contents: Vec<Labelled<QuoteLabel>>,
    cues: Vec<Labelled<QuoteLabel>>,
    sources: Vec<Labelled<QuoteLabel>>,
}

/// Without a reading the quotes stay as they are.
pub(super) fn revise(segments: &Segments, quotes: Vec<Quote>, reading: &Reading) -> Vec<Quote> {
    if reading.n_words() != segments.words.len() {
        return quotes;
    }
    let parts = Parts::of(reading);
    // A quote that goes on with the one before it must keep that one before it.
    let goes_on: Vec<bool> = quotes.iter().map(Quote::goes_on).collect();
    let is_followed = |at: usize| goes_on.get(at + 1).copied().unwrap_or(false);
    let mut revised: Vec<Quote> = quotes
        .into_iter()
        .enumerate()
        .filter(|(at, quote)| is_followed(*at) || is_said(segments, quote, reading))
        .map(|(_, quote)| quote)
        .collect();
    for at in 0..revised.len() {
        if let Some(span) = better_bounds(segments, &revised, at, &parts) {
            revised[at].segments = vec![span];
        }
    }
    let added: Vec<Quote> = parts
        .contents
        .iter()
        .filter_map(|content| added(segments, content, &parts))
        .filter(|quote| {
            let next = revised.partition_point(|known| known.span().start < quote.span().start);
            let is_free = |known: &Quote| !known.span().overlaps(quote.span());
            let neighbours = revised[next.saturating_sub(1)..].iter().take(2);
            neighbours.clone().all(is_free) && !revised.get(next).is_some_and(Quote::goes_on)
        })
        .collect();
    revised.extend(added);
    revised.sort_by_key(|quote| quote.span());
    revised
}

impl Parts {
    fn of(reading: &Reading) -> Self {
        let mut parts = Self { contents: Vec::new(), cues: Vec::new(), sources: Vec::new() };
        for part in reading.quotes() {
            match part.label {
                QuoteLabel::Content => parts.contents.push(part),
                QuoteLabel::Cue => parts.cues.push(part),
                QuoteLabel::Source => parts.sources.push(part),
            }
        }
        parts
    }
}

/// Whether the reader sees something said in the quote, or has not read it.
fn is_said(segments: &Segments, quote: &Quote, reading: &Reading) -> bool {
    let [begin, inside] =
        [Tag::Begin(QuoteLabel::Content), Tag::Inside(QuoteLabel::Content)].map(Tag::index);
    let words = quote.segments.iter().flat_map(|segment| segments.words_in(*segment));
    let (mut sum, mut n_words) = (0.0, 0.0);
    for word in words.filter(|word| reading.is_read(*word)) {
        let row = reading.quote(word);
        sum += row[begin].exp() + row[inside].exp();
        n_words += 1.0;
    }
    n_words == 0.0 || sum / n_words >= CONTENT_MIN
}

/// The reader's bounds of a reported clause, where they meet neither its own cue and source nor another quote.
fn better_bounds(segments: &Segments, quotes: &[Quote], at: usize, parts: &Parts) -> Option<Span> {
    let quote = &quotes[at];
    if quote.kind != QuoteKind::Indirect || quote.segments.len() > 1 {
        return None;
    }
    let own = quote.span();
    let span_of = |content: &Labelled<QuoteLabel>| span_of(segments, &content.words);
    // Contents are in text order and do not overlap: those that meet the quote stand together.
    let first = parts.contents.partition_point(|content| span_of(content).end <= own.start);
    let (overlap, span) = parts.contents[first..]
        .iter()
        .take_while(|content| span_of(content).start < own.end)
        .filter(|content| content.confidence >= BOUNDS_CONFIDENCE_MIN)
        .map(|content| (overlap(span_of(content), own), span_of(content)))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    let written = match quote.source {
        Source::Written(source) => Some(source),
        Source::SameAsPrevious | Source::Unstated => None,
    };
    // The span meets its quote, so it meets a neighbour before any other.
    let neighbours = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
    let mut neighbours = neighbours.filter_map(|at| quotes.get(at));
    let is_free = quote.cue.into_iter().chain(written).all(|other| !other.overlaps(span))
        && neighbours.all(|other| !other.span().overlaps(span));
    (overlap >= SAME_CLAUSE_MIN && span != own && is_free).then_some(span)
}

/// A reported clause that only the reader found: it needs a cue in its sentence.
fn added(segments: &Segments, content: &Labelled<QuoteLabel>, parts: &Parts) -> Option<Quote> {
    if content.confidence < ADDED_CONFIDENCE_MIN || content.words.len() < ADDED_WORDS_MIN {
        return None;
    }
    let cue = nearest(segments, &parts.cues, &content.words)?;
    let source = nearest(segments, &parts.sources, &content.words);
    Some(Quote {
        kind: QuoteKind::Indirect,
        segments: vec![span_of(segments, &content.words)],
        cue: Some(cue),
        source: source.map_or(Source::Unstated, Source::Written),
        confidence: content.confidence,
    })
}

/// The part nearest to some words in their sentence.
fn nearest(
    segments: &Segments,
    parts: &[Labelled<QuoteLabel>],
    words: &Range<usize>,
) -> Option<Span> {
    let sentence = segments.words[words.start].sentence;
    let first = parts.partition_point(|part| segments.words[part.words.start].sentence < sentence);
    let in_sentence = parts[first..]
        .iter()
        .take_while(|part| segments.words[part.words.start].sentence == sentence)
        .filter(|part| part.words.end <= words.start || words.end <= part.words.start);
    let distance = |part: &&Labelled<QuoteLabel>| {
        words.start.abs_diff(part.words.end).min(part.words.start.abs_diff(words.end))
    };
    in_sentence.min_by_key(distance).map(|part| span_of(segments, &part.words))
}

fn span_of(segments: &Segments, words: &Range<usize>) -> Span {
    segments.words[words.start].span.cover(segments.words[words.end - 1].span)
}

/// Intersection over union, in bytes.
#[expect(clippy::cast_precision_loss, reason = "a text has far fewer than 2^23 bytes in a quote")]
fn overlap(a: Span, b: Span) -> f32 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    shared as f32 / a.cover(b).len() as f32
}
