//! One line read: who says which part of it.
//!
//! In: the tokens of a line. Out: [`Statement`]s in order, which do not overlap: quotations that are attributed, and
//! reported clauses, each with its cue and its source.

mod contents;
mod subjects;

use std::ops::Range;

use super::QuoteKind;
use super::clauses::{self, After};
use super::cues::{self, Hit, Mood};
use super::lexicon::{Frame, Tags};
use super::marks::Quotation;
use super::phrases;
use super::sources;
use super::tokens::{Kind, Token};
use super::verbs;

/// Confidence by how a statement was found; ordered by precision on annotated articles.
const CONFIDENCE_ADJACENT: f32 = 0.95;
const CONFIDENCE_CLAUSE: f32 = 0.8;
const CONFIDENCE_FRAGMENT: f32 = 0.7;
const CONFIDENCE_GUESS: f32 = 0.4;

/// Fewest words of a quoted fragment without a cue: shorter ones are scare quotes and terms more often than not.
const FRAGMENT_WORDS_MIN: usize = 4;

/// A part of a line that somebody says; ranges are of the line's tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) kind: QuoteKind,
    pub(super) content: Range<usize>,
    pub(super) cue: Option<Range<usize>>,
    pub(super) source: Option<Range<usize>>,
    pub(super) confidence: f32,
}

/// Reads a line.
pub(super) fn read(text: &str, tokens: &[Token], quotations: &[Quotation]) -> Vec<Statement> {
    let hits = cues::find(text, tokens);
    let mut reading = Reading {
        text,
        tokens,
        quotations,
        sources: vec![None; hits.len()],
        hits: &hits,
        taken: vec![false; tokens.len()],
        found: Vec::new(),
    };
    // "According to the paper, Lee said …": what Lee says is Lee's. So verbs first.
    for is_according in [false, true] {
        for (at, hit) in hits.iter().enumerate() {
            if reading.taken[hit.words.start] || (hit.frame == Frame::According) != is_according {
                continue;
            }
            if is_according {
                reading.according(at);
            } else {
                reading.verb(at);
            }
        }
    }
    reading.orphans();
    reading.found.sort_by_key(|statement| statement.content.start);
    reading.found
}

struct Reading<'a> {
    text: &'a str,
    tokens: &'a [Token],
    quotations: &'a [Quotation],
    hits: &'a [Hit],
    /// The source of each hit, once known.
    sources: Vec<Option<Range<usize>>>,
    /// Tokens that are part of a statement.
    taken: Vec<bool>,
    found: Vec<Statement>,
}

impl Reading<'_> {
    /// "According to X, …", "…, according to X", "…, according to X, …".
    fn according(&mut self, at: usize) {
        let cue = self.hits[at].words.clone();
        let Some(source) = sources::after(self.text, self.tokens, cue.end) else { return };
        self.sources[at] = Some(source.clone());
        let before = clauses::trim(self.tokens, self.floor(cue.start)..cue.start);
        let leads =
            !self.tokens[before.clone()].iter().any(|token| token.is_word() || token.is_quote())
                || self.tokens[cue.start - 1].has(Tags::CONJUNCTION | Tags::SUBORDINATOR)
                || cue.start >= 2
                    && self.tokens[cue.start - 1].kind == Kind::Comma
                    && self.tokens[cue.start - 2].has(Tags::CONJUNCTION | Tags::SUBORDINATOR);
        let has_quote = self.tokens[before.clone()].iter().any(Token::is_quote);
        let content = if self.tokens.get(source.end).is_some_and(Token::is_quote) {
            source.end..source.end + 1
        } else if leads || !has_quote && !self.is_whole(&before) {
            let dangles = self.tokens[cue.start - usize::from(cue.start > 0)].has(Tags::RELATIVE);
            let is_adjunct = leads || phrases::is_adjunct(self.text, self.tokens, &before);
            if !is_adjunct && !dangles && before.len() >= 2 && self.is_free(&before) {
                // "The ship, according to the navy, sank": both parts are reported.
                self.push(QuoteKind::Indirect, before.clone(), at, CONFIDENCE_FRAGMENT);
            }
            let Some(start) = self.after_apposition(source.end) else { return };
            start..clauses::end(self.text, self.tokens, self.hits, at, start)
        } else {
            before
        };
        if !content.is_empty() && self.is_free(&content) {
            self.region(content, at, CONFIDENCE_CLAUSE);
        }
    }

    /// Where the clause begins after "According to Lee, the ambassador to Peru,": past pieces without a verb, as long as
    /// a clause follows.
    fn after_apposition(&self, from: usize) -> Option<usize> {
        let is_break =
            |at: &usize| self.tokens[*at].kind == Kind::Comma || self.tokens[*at].is_quote();
        let first = (from..self.tokens.len()).find(is_break)?;
        let mut start = first + usize::from(self.tokens[first].kind == Kind::Comma);
        while let Some(comma) = (start..self.tokens.len()).find(is_break) {
            let is_apposition = self.tokens[comma].kind == Kind::Comma
                && !verbs::has_verb(self.text, self.tokens, start..comma)
                && !phrases::is_adjunct(self.text, self.tokens, &(start..comma))
                && verbs::is_clause(self.text, self.tokens, &(comma + 1..self.tokens.len()));
            if !is_apposition || start == comma {
                break;
            }
            start = comma + 1;
        }
        Some(start)
    }

    fn verb(&mut self, at: usize) {
        let hit = &self.hits[at];
        let turned = self.turned_source(at);
        let source = turned.clone().or_else(|| self.source(at));
        self.sources[at].clone_from(&source);
        let left = match &source {
            _ if let Some(citing) = self.citing(at) => citing,
            _ if turned.is_some() => hit.words.start,
            Some(source) if source.end <= hit.words.start => source.start,
            _ => hit.words.start,
        };
        let is_verb = matches!(hit.mood, Mood::Finite | Mood::Hypothetical)
            || left != hit.words.start && self.citing(at).is_some();
        let had_quote = is_verb && self.quotes_before(at, left);
        let after = match &turned {
            Some(source) => self.after_turned(at, source),
            None => clauses::after(self.text, self.tokens, self.hits, at),
        };
        match hit.frame {
            Frame::Label | Frame::Act => {
                let is_clause =
                    hit.frame == Frame::Act && after.has_that && hit.mood == Mood::Finite;
                if is_clause {
                    self.region(after.range, at, CONFIDENCE_CLAUSE);
                } else {
                    self.fragments(at);
                }
            }
            _ if hit.mood == Mood::Passive => self.passive(at, after),
            _ if had_quote => {
                if after.starts_with_quote(self.tokens) || after.has_that {
                    self.region(after.range, at, CONFIDENCE_ADJACENT);
                }
            }
            _ if hit.mood == Mood::Hypothetical || self.is_question(source.as_ref()) => {
                if after.starts_with_quote(self.tokens) {
                    self.region(after.range, at, CONFIDENCE_FRAGMENT);
                }
            }
            _ => {
                let is_reported = self.is_reported(hit.frame, &after) && turned.is_none();
                if is_reported || after.starts_with_quote(self.tokens) {
                    let confidence = if after.starts_with_quote(self.tokens) {
                        CONFIDENCE_ADJACENT
                    } else {
                        CONFIDENCE_CLAUSE
                    };
                    self.region(after.range, at, confidence);
                } else if !(is_verb && self.clause_before(at, left)) {
                    self.fragments(at);
                }
            }
        }
    }

    /// "Could you explain why": the auxiliary stands before the subject.
    fn is_question(&self, source: Option<&Range<usize>>) -> bool {
        source
            .and_then(|source| source.start.checked_sub(1))
            .is_some_and(|before| self.tokens[before].has(Tags::MODAL | Tags::DO))
    }

    /// Whether the words after a cue are what it reports.
    fn is_reported(&self, frame: Frame, after: &After) -> bool {
        let Some(first) = self.tokens.get(after.range.start).filter(|_| !after.range.is_empty())
        else {
            return false;
        };
        after.has_that
            || after.starts_with_quote(self.tokens)
            || verbs::is_clause(self.text, self.tokens, &after.range)
            || frame == Frame::Report
                && after.range.len() >= 3
                && first.is_word()
                && (!first.has(Tags::PREPOSITION | Tags::CONJUNCTION | Tags::SUBORDINATOR)
                    || matches!(self.text_of(after.range.start), "if" | "when" | "because"))
    }

    /// The end of what was taken before `position`.
    fn floor(&self, position: usize) -> usize {
        (0..position)
            .rev()
            .find(|&at| self.taken[at] || self.tokens[at].kind == Kind::Semicolon)
            .map_or(0, |at| at + 1)
    }

    /// "It is reported that …", "was described as “…” by …".
    fn passive(&mut self, at: usize, after: After) {
        let cue = self.hits[at].words.start;
        let is_impersonal = (0..cue)
            .rev()
            .find(|&before| !self.tokens[before].has(Tags::AUXILIARY | Tags::ADVERB))
            .is_some_and(|before| self.text_of(before).eq_ignore_ascii_case("it"));
        let has_clause = after.has_that || verbs::is_clause(self.text, self.tokens, &after.range);
        if is_impersonal && has_clause || self.sources[at].is_some() && after.has_that {
            self.region(after.range, at, CONFIDENCE_FRAGMENT);
        } else {
            self.fragments(at);
        }
    }

    fn push(&mut self, kind: QuoteKind, content: Range<usize>, at: usize, confidence: f32) {
        self.taken[content.clone()].fill(true);
        self.found.push(Statement {
            kind,
            content,
            cue: Some(self.hits[at].words.clone()),
            source: self.sources[at].clone(),
            confidence,
        });
    }

    /// Whether words before a parenthesis ("…, officials said, …") are a clause that needs nothing after it.
    fn is_whole(&self, range: &Range<usize>) -> bool {
        let Some(last) = self.tokens[range.clone()].last() else { return false };
        verbs::has_verb(self.text, self.tokens, range.clone())
            && !last.has(Tags::AUXILIARY | Tags::RELATIVE | Tags::PAST | Tags::PREPOSITION)
            && (!self.tokens[range.start].has(Tags::SUBORDINATOR)
                || self.tokens[range.clone()].iter().any(|token| token.kind == Kind::Comma))
    }

    fn is_free(&self, range: &Range<usize>) -> bool {
        !self.taken[range.clone()].contains(&true)
    }

    fn text_of(&self, at: usize) -> &str {
        self.tokens[at].span.of(self.text)
    }
}
