//! Verbs, as far as words without a tagger show them.
//!
//! In: the tokens of a line. Out: whether a word is a finite verb, and whether words make a clause. Strict where a
//! reported clause hangs on it ([`is_clause`]), loose where only its absence tells ([`has_verb`]).

use std::ops::Range;

use super::lexicon::{Form, Frame, Tags};
use super::tokens::{Kind, Token};
use crate::text::Shape;

/// Whether the words in `range`, not introduced by "that", make a clause: a subject and a finite verb.
pub(super) fn is_clause(text: &str, tokens: &[Token], range: &Range<usize>) -> bool {
    let tokens = &tokens[..range.end];
    let Some(first) = tokens.get(range.start).filter(|_| range.len() >= 2) else { return false };
    let word = |token: &Token| token.span.of(text);
    if first.has(Tags::SUBJECT_PRONOUN) {
        let next = range.start + 1;
        let is_subject = is_finite(text, tokens, next)
            || tokens.get(next).is_some_and(|next| is_ed(text, next) || is_third(text, next));
        return is_subject || !first.has(Tags::OBJECT_PRONOUN);
    }
    if first.has(Tags::OBJECT_PRONOUN) && !first.has(Tags::POSSESSIVE_PRONOUN) {
        return false;
    }
    if word(first) == "there" {
        return true;
    }
    let counts = first.has(Tags::PREPOSITION | Tags::ADVERB)
        && tokens.get(range.start + 1).is_some_and(|next| {
            next.shape == Shape::Number || matches!(word(next), "least" | "most" | "many")
        });
    if !first.is_word() && !first.is_quote() && !matches!(word(first), "$" | "£" | "€")
        || first.has(Tags::PREPOSITION | Tags::CONJUNCTION) && !counts
        || is_ing(text, first)
    {
        return false;
    }
    let mut at = range.start + 1;
    while at < range.end {
        if is_finite(text, tokens, at) {
            return true;
        }
        if ends_phrase(text, tokens, at) {
            return false;
        }
        at = past_relative(tokens, at).unwrap_or(at + 1);
    }
    false
}

/// Whether the noun phrase that a clause begins with cannot go on past the token at `at`.
fn ends_phrase(text: &str, tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let next = tokens.get(at + 1);
    match token.kind {
        Kind::Word => {
            token.has(Tags::SUBORDINATOR) && !token.has(Tags::PREPOSITION | Tags::RELATIVE)
                || matches!(token.span.of(text), "so" | "but")
                || token.has(Tags::CONJUNCTION) && is_finite(text, tokens, at + 1)
        }
        Kind::Comma => next.is_none_or(|next| {
            next.has(Tags::CONJUNCTION) || next.has(Tags::SUBORDINATOR) && !next.has(Tags::RELATIVE)
        }),
        Kind::Dash | Kind::Mark | Kind::Quote(_) => false,
        Kind::Colon | Kind::Semicolon | Kind::Stop => true,
    }
}

/// The end of ", which …," when one begins at `at`; a relative clause without commas ends the search.
fn past_relative(tokens: &[Token], at: usize) -> Option<usize> {
    if tokens[at].has(Tags::RELATIVE) {
        return Some(tokens.len());
    }
    if tokens[at].kind != Kind::Comma || !tokens.get(at + 1)?.has(Tags::RELATIVE) {
        return None;
    }
    let close = (at + 1..tokens.len()).find(|&close| tokens[close].kind == Kind::Comma);
    Some(close.map_or(tokens.len(), |close| close + 1))
}

/// Whether the word at `at` is a finite verb, as far as its form and the words beside it tell.
pub(super) fn is_finite(text: &str, tokens: &[Token], at: usize) -> bool {
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
    let reports = |cue: super::lexicon::Cue| {
        matches!(cue.form, Form::Past | Form::Third)
            && !cue.is_nounlike
            && matches!(cue.frame, Frame::Report | Frame::Claim)
    };
    let Some(previous) = at.checked_sub(1).map(|at| &tokens[at]) else { return false };
    let is_attributive = previous.has(Tags::ADVERB)
        && at >= 2
        && (tokens[at - 2].has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN)
            || tokens[at - 2].shape == Shape::Possessive);
    if is_attributive || previous.shape == Shape::Possessive {
        // "the widely criticised election"
        return false;
    }
    let follows_noun = previous.kind == Kind::Comma
        || previous.is_word()
            && !previous.has(
                Tags::DETERMINER | Tags::PREPOSITION | Tags::POSSESSIVE_PRONOUN | Tags::CONJUNCTION,
            );
    let goes_on = next.is_none_or(|next| {
        !next.is_word()
            || next.has(
                Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN | Tags::ADVERB | Tags::OBJECT_PRONOUN,
            )
            || next.is_name()
            || next.shape == Shape::Number
            || next.shape == Shape::Lower && !next.has(Tags::PREPOSITION)
    });
    follows_noun && (token.cue.is_some_and(reports) || is_ed(text, token) && goes_on)
        || follows_noun
            && previous.is_word()
            && is_third(text, token)
            && is_singular(text, previous)
            && takes_object(text, next)
}

/// "repels", "flies": a third person, unless it is a plural.
fn is_third(text: &str, token: &Token) -> bool {
    let word = token.span.of(text);
    token.shape == Shape::Lower
        && word.len() > 3
        && word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("us")
        && !word.ends_with("is")
}

fn is_singular(text: &str, token: &Token) -> bool {
    !token.span.of(text).ends_with('s')
}

/// Whether what follows a word is an object with a determiner: "repels the bacteria".
fn takes_object(text: &str, next: Option<&Token>) -> bool {
    next.is_some_and(|next| {
        next.span.of(text) != "that"
            && next.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN | Tags::OBJECT_PRONOUN)
    })
}

pub(super) fn has_verb(text: &str, tokens: &[Token], range: Range<usize>) -> bool {
    tokens[range].iter().any(|token| {
        token.has(Tags::AUXILIARY | Tags::PAST)
            || token.cue.is_some_and(|cue| !cue.is_nounlike)
            || is_ed(text, token)
    })
}

pub(super) fn is_ed(text: &str, token: &Token) -> bool {
    token.shape == Shape::Lower
        && token.span.of(text).len() > 4
        && token.span.of(text).ends_with("ed")
}

pub(super) fn is_ing(text: &str, token: &Token) -> bool {
    let word = token.span.of(text);
    token.is_word()
        && word.len() > 5
        && word.ends_with("ing")
        && !matches!(word, "King" | "Beijing" | "during" | "spring" | "evening" | "morning")
}
