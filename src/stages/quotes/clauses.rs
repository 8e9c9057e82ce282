//! Where a reported clause begins and ends.
//!
//! In: the tokens of a line and a cue. Out: ranges of tokens: after the cue, past the one who is told, the adjuncts
//! and "that"; up to the next cue, a semicolon, or the sentence's end.

use std::ops::Range;

use super::adjuncts::{self, ADJUNCT_TOKENS_MAX};
use super::cues::{Hit, Mood};
use super::lexicon::{Frame, Tags};
use super::tokens::{Kind, Token};
use super::verbs::{self, has_verb, is_finite};

/// What follows a cue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct After {
    pub(super) range: Range<usize>,
    /// "that" stood before it.
    pub(super) has_that: bool,
}

impl After {
    pub(super) fn starts_with_quote(&self, tokens: &[Token]) -> bool {
        tokens.get(self.range.start).is_some_and(Token::is_quote)
    }
}

/// The words that follow `hit` as what it reports; empty when nothing does.
pub(super) fn after(text: &str, tokens: &[Token], hits: &[Hit], at: usize) -> After {
    let hit = &hits[at];
    let word = |at: usize| tokens.get(at).map_or("", |token: &Token| token.span.of(text));
    let mut start = begin(text, tokens, hit);
    let has_that = word(start) == "that"
        && !tokens.get(start + 1).is_some_and(|next| next.has(Tags::AUXILIARY));
    if has_that {
        start += 1;
        start += usize::from(
            tokens.get(start).is_some_and(|token| matches!(token.kind, Kind::Comma | Kind::Colon)),
        );
    }
    if matches!(tokens.get(start).map(|token| token.kind), Some(Kind::Colon | Kind::Dash))
        && tokens.get(start + 1).is_some_and(Token::is_quote)
    {
        start += 1;
    }
    let is_nothing = tokens.get(start).is_none_or(|token| {
        !(token.is_word() || token.is_quote() || matches!(word(start), "$" | "£" | "€" | "["))
    });
    let end = if is_nothing { start } else { end(text, tokens, hits, at, start) };
    After { range: start..end.max(start), has_that }
}

/// Where the words begin that may be what `hit` reports; at "that", if there is one.
fn begin(text: &str, tokens: &[Token], hit: &Hit) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |token: &Token| token.span.of(text));
    let introduces = |at: usize| word(at) == "that" || tokens.get(at).is_some_and(Token::is_quote);
    let mut start = hit.words.end;
    if hit.frame == Frame::Tell {
        start = adjuncts::skip_audience(text, tokens, start);
    }
    start = adjuncts::skip_adjuncts(text, tokens, start);
    let first = tokens.get(start);
    let is_loose =
        first.is_some_and(|first| first.kind == Kind::Comma || first.has(Tags::PREPOSITION));
    if let Some(that) =
        that_after(text, tokens, start).filter(|_| is_loose && hit.mood != Mood::Passive)
    {
        // "said in Cairo, Egypt that …", "said, on condition of anonymity, that …"
        return that;
    }
    if !is_comma(tokens, start) {
        return about(text, tokens, hit, start).unwrap_or(start);
    }
    let opens_clause = start == hit.words.end
        && hit.mood == Mood::Finite
        && matches!(word(start + 1), "although" | "if" | "because" | "while" | "though");
    if introduces(start + 1) || opens_clause {
        return start + 1;
    }
    // "explains, in a way that many know, that …", "alleged, by way of example, the airline had …"
    let close = (start + 1..tokens.len()).take(ADJUNCT_TOKENS_MAX).find(|&at| is_comma(tokens, at));
    let is_parenthesis = |close: usize| {
        introduces(close + 1)
            || tokens[start + 1].has(Tags::PREPOSITION)
                && !has_verb(text, tokens, start + 1..close)
                && verbs::is_clause(text, tokens, &(close + 1..tokens.len()))
                && start == hit.words.end
    };
    close.filter(|&close| is_parenthesis(close)).map_or(start, |close| close + 1)
}

/// "that" after nothing but words and commas without a verb.
fn that_after(text: &str, tokens: &[Token], start: usize) -> Option<usize> {
    (start..tokens.len())
        .take(ADJUNCT_TOKENS_MAX)
        .take_while(|&at| {
            matches!(tokens[at].kind, Kind::Word | Kind::Comma)
                && !is_finite(text, tokens, at)
                && !tokens[at].has(Tags::RELATIVE)
                && tokens[at].cue.is_none_or(|cue| cue.is_nounlike)
        })
        .find(|&at| tokens[at].span.of(text) == "that" && at > start)
        .filter(|&that| {
            let before = &tokens[that - 1];
            // "in a sign that": a noun's own clause.
            before.kind == Kind::Comma || before.is_name() || before.has(Tags::TIME | Tags::MEDIUM)
        })
}

/// "said of the plan, the town is …": the clause after what it is about.
fn about(text: &str, tokens: &[Token], hit: &Hit, start: usize) -> Option<usize> {
    let first = tokens.get(start)?.span.of(text);
    if start != hit.words.end || !matches!(first, "of" | "about" | "regarding") {
        return None;
    }
    let comma = (start..tokens.len()).take(ADJUNCT_TOKENS_MAX).find(|&at| is_comma(tokens, at))?;
    verbs::is_clause(text, tokens, &(comma + 1..tokens.len())).then_some(comma + 1)
}

fn is_comma(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == Kind::Comma)
}

/// Where what `hits[at]` reports from `start` on ends.
pub(super) fn end(text: &str, tokens: &[Token], hits: &[Hit], at: usize, start: usize) -> usize {
    let mut end = tokens.len();
    for position in start..tokens.len() {
        let token = &tokens[position];
        let is_end = match token.kind {
            Kind::Semicolon => true,
            Kind::Colon => {
                tokens.get(position + 1).is_some_and(Token::is_quote) && position > start
            }
            _ => false,
        };
        if is_end {
            end = position;
            break;
        }
    }
    if let Some(comma) = first_clause_end(tokens, &hits[at], start) {
        end = end.min(comma);
    }
    for next in &hits[at + 1..] {
        if next.words.start >= end {
            break;
        }
        if let Some(cut) = cut_before(text, tokens, start, next) {
            end = cut;
            break;
        }
    }
    trim(tokens, start..end).end
}

/// "Commenting on the plan, Lee said", "Lee, which said the plan failed, left": the clause that a comma ends.
fn first_clause_end(tokens: &[Token], hit: &Hit, start: usize) -> Option<usize> {
    let leads = hit.mood == Mood::Participle
        && tokens[..hit.words.start].iter().all(|token| {
            token.has(Tags::ADVERB | Tags::CONJUNCTION | Tags::SUBORDINATOR | Tags::PREPOSITION)
        });
    let before = hit.words.start.checked_sub(1).map(|at| &tokens[at]);
    let is_relative = before.is_some_and(|before| before.has(Tags::RELATIVE));
    if !(leads || is_relative) || tokens.get(start).is_some_and(Token::is_quote) {
        return None;
    }
    (start..tokens.len()).find(|&at| is_comma(tokens, at))
}

/// Where the clause from `start` on ends because `next` reports something of its own; `None` when `next` is part of it.
fn cut_before(text: &str, tokens: &[Token], start: usize, next: &Hit) -> Option<usize> {
    let cue = next.words.start;
    if cue <= start {
        return None;
    }
    let mut at = cue;
    while at > start && tokens[at - 1].has(Tags::ADVERB | Tags::AUXILIARY) {
        at -= 1;
    }
    let previous = &tokens[at - 1];
    let is_comma = matches!(previous.kind, Kind::Comma | Kind::Dash);
    if next.frame == Frame::According {
        return Some(at);
    }
    if previous.has(Tags::CONJUNCTION) {
        return Some(at - 1);
    }
    match next.mood {
        Mood::Hypothetical | Mood::Passive => None,
        Mood::Participle if is_comma => Some(at - 1),
        Mood::Participle if previous.is_quote() && next.frame != Frame::Act => Some(at),
        Mood::Participle if tokens[cue].span.of(text) == "adding" => Some(at),
        Mood::Participle => {
            // "…, with officials reporting", "…, and the ministry issued a statement saying".
            let with = (start..at).rev().take(10).find(|&at| tokens[at].span.of(text) == "with");
            with.or_else(|| {
                joint(text, tokens, start, at).filter(|&joint| has_verb(text, tokens, start..joint))
            })
        }
        // "…, urged the crowd to stay": one of a row of verbs.
        Mood::Finite if is_comma && is_row(text, tokens, cue) => Some(at - 1),
        Mood::Finite => {
            let joint = joint(text, tokens, start, at)?;
            (!has_verb(text, tokens, joint + 1..at) && has_verb(text, tokens, start..joint))
                .then_some(joint)
        }
    }
}

/// Whether the verb at `cue`, after a comma, goes on a row of verbs: what follows is an object, and not its subject.
fn is_row(text: &str, tokens: &[Token], cue: usize) -> bool {
    let rest = &tokens[cue + 1..];
    let object = rest.first().is_some_and(|next| {
        next.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN) || next.span.of(text) == "that"
    });
    let goes_on =
        rest.iter().position(|token| token.kind == Kind::Comma || token.has(Tags::CONJUNCTION));
    object && goes_on.is_some()
}

/// "…, and Lee", "…, while the ministry", "… and he": the conjunction that begins another clause before `at`.
fn joint(text: &str, tokens: &[Token], start: usize, at: usize) -> Option<usize> {
    let low = start.max(at.saturating_sub(20));
    (low..at).rev().find(|&joint| {
        let is_joint = matches!(
            tokens[joint].span.of(text),
            "and" | "but" | "however" | "while" | "whereas" | "though" | "although" | "whilst"
        );
        let follows_break = joint > start
            && (tokens[joint - 1].kind == Kind::Comma || tokens[joint - 1].is_quote());
        let is_pronoun = joint + 2 == at && tokens[joint + 1].has(Tags::SUBJECT_PRONOUN);
        is_joint && joint > start && (follows_break || is_pronoun)
    })
}

/// Without commas, stops and dangling conjunctions at the end, and leading marks.
pub(super) fn trim(tokens: &[Token], range: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range;
    while end > start
        && (matches!(
            tokens[end - 1].kind,
            Kind::Comma | Kind::Stop | Kind::Semicolon | Kind::Colon | Kind::Dash
        ) || tokens[end - 1].has(Tags::CONJUNCTION))
    {
        end -= 1;
    }
    while start < end
        && matches!(
            tokens[start].kind,
            Kind::Comma | Kind::Stop | Kind::Semicolon | Kind::Colon | Kind::Dash
        )
    {
        start += 1;
    }
    start..end
}
