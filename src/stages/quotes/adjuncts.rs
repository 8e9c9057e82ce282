//! What stands between a cue and what it reports: "reporters", "on Monday", "in a statement".
//!
//! In: the tokens of a line and a place after a cue. Out: the place after what was stepped over.

use super::lexicon::Tags;
use super::tokens::{Kind, Token};
use super::verbs::is_finite;
use crate::text::Shape;

/// Longest phrase between a cue and its clause that is skipped, in tokens.
pub(super) const ADJUNCT_TOKENS_MAX: usize = 14;

/// Steps over "reporters", "the press", "Reuters", "her", and all that stands before "that".
pub(super) fn skip_audience(text: &str, tokens: &[Token], start: usize) -> usize {
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
        let closes =
            tokens.get(inner).is_some_and(|token| token.kind == Kind::Comma || token.is_quote());
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
