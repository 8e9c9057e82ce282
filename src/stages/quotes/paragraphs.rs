//! Quotations across lines: those that run over paragraphs, and those that go on without a cue of their own.
//!
//! In: the lines of a text with their statements. Out: quotes in text order.

use super::attribution::Statement;
use super::lexicon::Tags;
use super::marks::Quotation;
use super::sources;
use super::tokens::{Kind, Line, Lines, Token};
use super::{Quote, QuoteKind, Source};
use crate::article::Span;
use crate::text::Paragraph;

/// Confidence of a quotation that is attributed by what is said around it.
const CONFIDENCE_FLOATING: f32 = 0.7;
const CONFIDENCE_UNSTATED: f32 = 0.4;

/// Joins what the lines say.
pub(super) fn join(
    text: &str,
    paragraphs: &[Paragraph],
    lines: &Lines,
    quotations: &[Quotation],
    statements: Vec<Vec<Statement>>,
) -> Vec<Quote> {
    let mut quotes: Vec<Quote> = Vec::new();
    let mut previous: Option<&Line> = None;
    for (line, statements) in lines.lines.iter().zip(statements) {
        let tokens = &lines.tokens[line.tokens.clone()];
        if statements.is_empty() && !tokens.iter().any(Token::is_word) {
            let before = previous.map(|before| &lines.tokens[before.tokens.clone()]);
            let is_same_paragraph = previous.is_some_and(|p| p.paragraph == line.paragraph);
            let surroundings = Surroundings {
                before: before.filter(|_| is_same_paragraph),
                lead: before
                    .filter(|before| before.last().is_some_and(|last| last.kind == Kind::Colon)),
                floor: if is_same_paragraph {
                    paragraphs[line.paragraph].span.start
                } else {
                    line.paragraph.checked_sub(1).map_or(0, |p| paragraphs[p].span.start)
                },
            };
            floating(text, tokens, quotations, &surroundings, &mut quotes);
        }
        for statement in statements {
            quotes.push(quote(tokens, quotations, statement));
        }
        previous = Some(line);
    }
    merge_paragraphs(paragraphs, quotations, quotes)
}

/// What stands before a line without words.
struct Surroundings<'a> {
    /// The line before it in its paragraph.
    before: Option<&'a [Token]>,
    /// The line before it, when a colon ends it: "Lee issued this statement:".
    lead: Option<&'a [Token]>,
    /// Where a quote must lie to be gone on with.
    floor: usize,
}

fn quote(tokens: &[Token], quotations: &[Quotation], statement: Statement) -> Quote {
    let span =
        |range: &std::ops::Range<usize>| tokens[range.start].span.cover(tokens[range.end - 1].span);
    let mut content = span(&statement.content);
    let mut confidence = statement.confidence;
    if let Kind::Quote(index) = tokens[statement.content.start].kind {
        content = content.cover(quotations[index].span);
        confidence *= if quotations[index].is_closed { 1.0 } else { 0.7 };
    }
    Quote {
        kind: statement.kind,
        segments: vec![content],
        cue: statement.cue.as_ref().map(span),
        source: statement
            .source
            .as_ref()
            .map_or(Source::Unstated, |source| Source::Written(span(source))),
        confidence,
    }
}

/// A line that is nothing but quotations: who a colon before it announces, else the one who spoke last in this paragraph
/// goes on, or the subject of the sentence before speaks. At the start of a paragraph, the one who spoke last in the
/// paragraph before.
fn floating(
    text: &str,
    tokens: &[Token],
    quotations: &[Quotation],
    surroundings: &Surroundings<'_>,
    quotes: &mut Vec<Quote>,
) {
    for token in tokens {
        let Kind::Quote(index) = token.kind else { continue };
        let last = quotes.last().filter(|last| last.span().start >= surroundings.floor);
        let is_known = last.is_some_and(|last| last.source != Source::Unstated);
        let announced = surroundings.lead.and_then(|lead| announced(text, lead));
        let (source, cue, confidence) = match (announced, surroundings.before) {
            (Some((source, cue)), _) => (source, cue, CONFIDENCE_FLOATING),
            (None, _) if is_known => {
                // Beside the quotation that it goes on with, the cue is in sight.
                let is_near = surroundings.before.is_some() || surroundings.lead.is_some();
                let cue = last.filter(|_| is_near).and_then(|last| last.cue);
                (Source::SameAsPrevious, cue, CONFIDENCE_FLOATING)
            }
            (None, Some(before)) if last.is_none() => {
                let subject = sources::subject(text, before, 0, before.len())
                    .filter(|subject| !before[subject.start].has(Tags::DETERMINER));
                let source =
                    subject.map_or(Source::Unstated, |s| Source::Written(span(before, &s)));
                (source, None, CONFIDENCE_UNSTATED)
            }
            _ => (Source::Unstated, None, CONFIDENCE_UNSTATED),
        };
        let segments = vec![quotations[index].span];
        quotes.push(Quote { kind: QuoteKind::Direct, segments, cue, source, confidence });
    }
}

/// "Lee issued this statement:", with no words of Lee's yet: Lee and the word for what follows.
fn announced(text: &str, lead: &[Token]) -> Option<(Source, Option<Span>)> {
    let cue = lead.iter().rposition(|token| token.has(Tags::MEDIUM) || token.cue.is_some())?;
    if lead.iter().any(Token::is_quote) {
        return None;
    }
    let subject = sources::subject(text, lead, 0, cue)?;
    Some((Source::Written(span(lead, &subject)), Some(lead[cue].span)))
}

fn span(tokens: &[Token], range: &std::ops::Range<usize>) -> Span {
    tokens[range.start].span.cover(tokens[range.end - 1].span)
}

/// Joins a quotation that is not closed with the one that opens the next paragraph: one speech, opened again.
fn merge_paragraphs(
    paragraphs: &[Paragraph],
    quotations: &[Quotation],
    quotes: Vec<Quote>,
) -> Vec<Quote> {
    let quotation_at = |span: Span| {
        let at = quotations.binary_search_by_key(&span.start, |q| q.span.start).ok()?;
        Some(&quotations[at])
    };
    let mut merged: Vec<Quote> = Vec::with_capacity(quotes.len());
    for quote in quotes {
        let goes_on = merged.last().is_some_and(|last| {
            let open = quotation_at(last.segments[last.segments.len() - 1]);
            let next = quotation_at(quote.segments[0]);
            open.zip(next).is_some_and(|(open, next)| {
                !open.is_closed
                    && last.kind == QuoteKind::Direct
                    && quote.kind == QuoteKind::Direct
                    && next.paragraph == open.paragraph + 1
                    && next.span.start == paragraphs[next.paragraph].span.start
            })
        });
        let Some(last) = merged.last_mut().filter(|_| goes_on) else {
            merged.push(quote);
            continue;
        };
        last.segments.extend(quote.segments);
        last.confidence = last.confidence.max(quote.confidence);
        if !matches!(last.source, Source::Written(_)) && matches!(quote.source, Source::Written(_))
        {
            (last.source, last.cue) = (quote.source, quote.cue);
        }
    }
    merged
}
