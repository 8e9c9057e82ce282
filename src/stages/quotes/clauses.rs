//! Where a reported clause begins and ends.
//!
//! In: the tokens of a line and a cue. Out: ranges of tokens: after the cue, past the one who is told, the adjuncts
//! and "that"; up to the next cue, a semicolon, or the sentence's end.

use std::ops::Range;

use super::cues::{Hit, Mood};
use super::lexicon::{Frame, Tags};
use super::sources::{self, has_verb};
use super::tokens::{Kind, Token};
use crate::text::Shape;

/// Longest phrase between a cue and its clause that is skipped, in tokens.
const ADJUNCT_TOKENS_MAX: usize = 14;

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
    let mut start = hit.words.end;
    let word = |at: usize| tokens.get(at).map_or("", |token: &Token| token.span.of(text));
    let introduces = |at: usize| word(at) == "that" || tokens.get(at).is_some_and(Token::is_quote);
    if hit.frame == Frame::Tell {
        start = skip_audience(text, tokens, start);
    }
    start = skip_adjuncts(text, tokens, start);
    let mut has_that = false;
    if is_comma(tokens, start) && introduces(start + 1) {
        start += 1;
    } else if is_comma(tokens, start)
        && tokens.get(start + 1).is_some_and(|next| next.has(Tags::SUBORDINATOR))
        && hit.words.end == start
        && hit.mood == Mood::Finite
        && matches!(word(start + 1), "although" | "if" | "because" | "while" | "though")
    {
        // "said, although it rained, the match went on"
        start += 1;
    } else if is_comma(tokens, start) {
        // "explains, in a way that many know, that …"
        let close =
            (start + 1..tokens.len()).take(ADJUNCT_TOKENS_MAX).find(|&at| is_comma(tokens, at));
        start = close.filter(|&close| introduces(close + 1)).map_or(start, |close| close + 1);
    }
    if word(start) == "that" && !tokens.get(start + 1).is_some_and(|next| next.has(Tags::AUXILIARY))
    {
        has_that = true;
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

fn is_comma(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == Kind::Comma)
}

/// Whether the words in `range`, not introduced by "that", make a clause: a subject and a finite verb.
pub(super) fn is_clause(text: &str, tokens: &[Token], range: &Range<usize>) -> bool {
    let tokens = &tokens[..range.end];
    let Some(first) = tokens.get(range.start).filter(|_| range.len() >= 2) else { return false };
    let word = |token: &Token| token.span.of(text);
    if first.has(Tags::SUBJECT_PRONOUN) {
        let is_object =
            first.has(Tags::OBJECT_PRONOUN) && !is_finite(text, tokens, range.start + 1);
        return !is_object;
    }
    if word(first) == "there" {
        return true;
    }
    if !first.is_word() && !first.is_quote()
        || first.has(Tags::PREPOSITION | Tags::CONJUNCTION)
        || sources::is_ing(text, first)
    {
        return false;
    }
    for at in range.start + 1..range.end {
        let token = &tokens[at];
        let next = tokens.get(at + 1);
        let is_joint = |token: &Token| token.has(Tags::CONJUNCTION | Tags::SUBORDINATOR);
        let ends_phrase = match token.kind {
            Kind::Word => {
                token.has(Tags::SUBORDINATOR) && !token.has(Tags::PREPOSITION)
                    || word(token) == "so"
                    || token.has(Tags::CONJUNCTION) && is_finite(text, tokens, at + 1)
            }
            Kind::Comma => next.is_none_or(is_joint),
            Kind::Dash => false,
            _ => !matches!(token.kind, Kind::Mark | Kind::Quote(_)),
        };
        if ends_phrase {
            return false;
        }
        if is_finite(text, tokens, at) {
            return true;
        }
    }
    false
}

/// Whether the word at `at` is a finite verb, as far as its form and the next word tell.
fn is_finite(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(token) = tokens.get(at).filter(|token| token.is_word()) else { return false };
    let word = token.span.of(text);
    if token.has(Tags::AUXILIARY) {
        return !matches!(word, "being" | "having" | "be" | "been");
    }
    let next = tokens.get(at + 1);
    if next.is_some_and(|next| matches!(next.span.of(text), "by" | "as")) {
        return false;
    }
    if token.has(Tags::PAST) {
        return true;
    }
    let is_ed = token.shape == Shape::Lower && word.len() > 4 && word.ends_with("ed");
    let follows_noun = at > 0
        && tokens[at - 1].is_word()
        && !tokens[at - 1].has(
            Tags::DETERMINER | Tags::PREPOSITION | Tags::POSSESSIVE_PRONOUN | Tags::CONJUNCTION,
        );
    is_ed
        && follows_noun
        && next.is_none_or(|next| {
            !next.is_word()
                || next.has(
                    Tags::DETERMINER
                        | Tags::POSSESSIVE_PRONOUN
                        | Tags::ADVERB
                        | Tags::OBJECT_PRONOUN,
                )
                || next.is_name()
                || next.shape == Shape::Number
                || next.shape == Shape::Lower && !next.has(Tags::PREPOSITION | Tags::CONJUNCTION)
        })
}

/// Steps over "reporters", "the press", "Reuters", "her", and all that stands before "that".
fn skip_audience(text: &str, tokens: &[Token], start: usize) -> usize {
    let Some(first) = tokens.get(start).filter(|token| token.is_word()) else { return start };
    if first.span.of(text) == "that" || first.has(Tags::PREPOSITION) {
        return start;
    }
    let limit = tokens.len().min(start + ADJUNCT_TOKENS_MAX * 2);
    let that = (start..limit)
        .take_while(|&at| tokens[at].is_word() && !is_finite(text, tokens, at))
        .find(|&at| tokens[at].span.of(text) == "that");
    if let Some(that) = that {
        return that;
    }
    if first.has(Tags::SUBJECT_PRONOUN) && is_finite(text, tokens, start + 1) {
        return start;
    }
    let second = tokens.get(start + 1);
    let owns = first.has(Tags::POSSESSIVE_PRONOUN)
        && second.is_some_and(|second| second.has(Tags::AUDIENCE));
    if first.has(Tags::OBJECT_PRONOUN) && !owns {
        return start + 1;
    }
    let mut at = start;
    let mut had_noun = false;
    while let Some(token) =
        tokens.get(at).filter(|token| token.is_word() && at - start < ADJUNCT_TOKENS_MAX)
    {
        let begins_clause = token.has(
            Tags::DETERMINER
                | Tags::POSSESSIVE_PRONOUN
                | Tags::SUBJECT_PRONOUN
                | Tags::PREPOSITION
                | Tags::SUBORDINATOR
                | Tags::TIME,
        );
        let follows_audience = at > start
            && (tokens[at - 1].has(Tags::AUDIENCE) && !token.has(Tags::AUDIENCE)
                || tokens[at - 1].is_name()
                    && token.shape == Shape::Lower
                    && !token.has(Tags::AUDIENCE));
        if had_noun && (begins_clause || follows_audience) {
            break;
        }
        if is_finite(text, tokens, at) {
            // "warned two men were lost": nobody is named who was warned.
            return start;
        }
        had_noun |= !token.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN);
        at += 1;
    }
    at
}

/// Steps over "on Monday", "in a statement", "earlier this week", "to reporters", with or without commas around.
pub(super) fn skip_adjuncts(text: &str, tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    loop {
        let next = skip_adjunct(text, tokens, at);
        if next == at || next - start > ADJUNCT_TOKENS_MAX * 2 {
            return at;
        }
        at = next;
    }
}

fn skip_adjunct(text: &str, tokens: &[Token], start: usize) -> usize {
    let Some(first) = tokens.get(start) else { return start };
    let word = first.span.of(text);
    if first.kind == Kind::Comma {
        let inner = skip_adjunct(text, tokens, start + 1);
        let closes = tokens.get(inner).is_some_and(|token| {
            token.kind == Kind::Comma || token.is_quote() || token.span.of(text) == "that"
        });
        return if inner > start + 1 && closes { inner } else { start };
    }
    if !first.is_word() {
        return start;
    }
    if first.has(Tags::ADVERB)
        && !matches!(word, "only" | "just" | "even" | "never" | "nearly" | "once" | "then")
        && !first.is_name()
    {
        return start + 1;
    }
    let is_time = |token: &Token| token.has(Tags::TIME) || token.shape == Shape::Number;
    if first.has(Tags::TIME)
        || matches!(word, "this" | "that")
            && tokens.get(start + 1).is_some_and(|next| next.has(Tags::TIME))
    {
        let mut at = start + 1;
        while tokens.get(at).is_some_and(is_time) {
            at += 1;
        }
        return at;
    }
    if !matches!(
        word,
        "in" | "on"
            | "at"
            | "to"
            | "via"
            | "through"
            | "during"
            | "after"
            | "from"
            | "by"
            | "before"
            | "with"
            | "about"
            | "ahead"
    ) {
        return start;
    }
    let end = phrase_end(text, tokens, start + 1);
    let phrase = &tokens[start + 1..end];
    let is_adjunct = phrase
        .iter()
        .any(|token| token.has(Tags::MEDIUM | Tags::TIME | Tags::AUDIENCE))
        || phrase.iter().all(|token| token.is_name() || token.has(Tags::DETERMINER))
            && !phrase.is_empty()
        || word != "to"
            && tokens.get(end).is_some_and(|token| {
                token.span.of(text) == "that"
                    || token.is_quote()
                    || token.kind == Kind::Comma && tokens.get(end + 1).is_some_and(Token::is_quote)
            });
    let is_year = phrase.len() == 1 && phrase[0].shape == Shape::Number;
    if end > start + 1 && (is_adjunct || is_year) { end } else { start }
}

/// The end of a noun phrase from `start` on: before a new clause, a comma, a quotation.
fn phrase_end(text: &str, tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while let Some(token) =
        tokens.get(at).filter(|token| token.is_word() && at - start < ADJUNCT_TOKENS_MAX)
    {
        let begins_new = at > start
            && (token.has(
                Tags::DETERMINER | Tags::SUBJECT_PRONOUN | Tags::SUBORDINATOR | Tags::AUXILIARY,
            ) && tokens[at - 1].span.of(text) != "of"
                || token.has(Tags::POSSESSIVE_PRONOUN) && !tokens[at - 1].has(Tags::PREPOSITION)
                || token.has(Tags::PREPOSITION)
                    && !matches!(token.span.of(text), "of" | "with" | "for" | "to" | "from")
                || tokens[at - 1].has(Tags::TIME | Tags::MEDIUM)
                    && !token.has(Tags::TIME | Tags::MEDIUM | Tags::PREPOSITION | Tags::AUDIENCE)
                    && token.shape != Shape::Number
                    && !(token.is_name() && tokens[at - 1].is_name()));
        if begins_new {
            break;
        }
        at += 1;
    }
    at
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

/// Where the clause from `start` on ends because `next` reports something of its own; `None` when `next` is part of it.
fn cut_before(text: &str, tokens: &[Token], start: usize, next: &Hit) -> Option<usize> {
    let cue = next.words.start;
    if cue <= start {
        return None;
    }
    let mut at = cue;
    while at > start && tokens[at - 1].has(Tags::ADVERB | Tags::HAVE | Tags::BE) {
        at -= 1;
    }
    let previous = &tokens[at - 1];
    let is_comma = matches!(previous.kind, Kind::Comma | Kind::Dash) || previous.is_quote();
    if next.frame == Frame::According {
        return Some(at);
    }
    match next.mood {
        Mood::Participle if is_comma => return Some(at - usize::from(!previous.is_quote())),
        Mood::Participle if previous.has(Tags::CONJUNCTION) => return Some(at - 1),
        Mood::Hypothetical | Mood::Passive if !previous.has(Tags::CONJUNCTION) => return None,
        Mood::Hypothetical | Mood::Passive => {}
        Mood::Participle | Mood::Finite => {}
    }
    if next.mood == Mood::Participle {
        // "…, with officials reporting": from the comma on.
        let with = (start..at).rev().take(10).find(|&with| tokens[with].span.of(text) == "with")?;
        return Some(with);
    }
    if previous.has(Tags::CONJUNCTION) {
        return Some(at - 1);
    }
    // ", and Lee said", ", while the ministry said": the conjunction with a comma, or after a quotation.
    let low = start.max(at.saturating_sub(20));
    let joint = (low..at).rev().find(|&joint| {
        let token = &tokens[joint];
        (matches!(
            token.span.of(text),
            "and" | "but" | "while" | "whereas" | "though" | "although" | "whilst"
        )) && joint > start
            && (tokens[joint - 1].kind == Kind::Comma || tokens[joint - 1].is_quote())
    })?;
    (!has_verb(text, tokens, joint + 1..at) && has_verb(text, tokens, start..joint))
        .then_some(joint)
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
