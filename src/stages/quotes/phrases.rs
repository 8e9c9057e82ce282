//! Noun phrases, as far as words without a tagger show them.
//!
//! In: a range of tokens that may name somebody. Out: its pieces between commas, the adjuncts among them, and the
//! phrase without relative clauses, adverbs and adjuncts.

use std::ops::Range;

use super::lexicon::Tags;
use super::tokens::{Kind, Token};
use super::verbs::{has_verb, is_ed, is_ing};
use crate::text::Shape;

/// Longest noun phrase in tokens; a longer one is a clause that was taken for one.
pub(super) const PHRASE_TOKENS_MAX: usize = 30;

/// Longest apposition that may carry a name: "civil engineering professor Ana Roy".
const APPOSITION_TOKENS_MAX: usize = 9;

/// Splits at commas.
pub(super) fn pieces(tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = range.start;
    for at in range.clone() {
        if matches!(tokens[at].kind, Kind::Comma | Kind::Dash) {
            if start < at {
                pieces.push(start..at);
            }
            start = at + 1;
        }
    }
    if start < range.end {
        pieces.push(start..range.end);
    }
    pieces
}

/// The pieces of a range without those before its noun phrase: "On Monday,", "In Austin, Texas,", "However,".
pub(super) fn without_adjuncts(
    text: &str,
    tokens: &[Token],
    range: Range<usize>,
) -> Vec<Range<usize>> {
    let pieces = pieces(tokens, range);
    let mut first = 0;
    while first < pieces.len() {
        let piece = &pieces[first];
        let goes_on_place = first > 0
            && first + 1 < pieces.len()
            && piece.len() <= 2
            && is_all_names(tokens, piece)
            && tokens[pieces[first - 1].start].has(Tags::PREPOSITION)
            && tokens[piece.start - 2].is_name();
        if !goes_on_place && !is_adjunct(text, tokens, piece) {
            break;
        }
        first += 1;
    }
    pieces.into_iter().skip(first).collect()
}

/// "On Monday", "Speaking to reporters", "However", "If elected": not a noun phrase.
pub(super) fn is_adjunct(text: &str, tokens: &[Token], piece: &Range<usize>) -> bool {
    let first = &tokens[piece.start];
    let second = tokens.get(piece.start + 1).filter(|_| piece.len() > 1);
    if first.has(Tags::ADVERB | Tags::CONJUNCTION) && !first.has(Tags::DETERMINER) {
        let rest = piece.start + 1..piece.end;
        return rest.is_empty() || is_adjunct(text, tokens, &rest);
    }
    let is_time = tokens[piece.clone()].iter().all(|token| {
        token.has(Tags::TIME | Tags::DETERMINER | Tags::ADVERB) || token.shape == Shape::Number
    }) && (has_time(tokens, piece) || !first.has(Tags::DETERMINER));
    // "Speaking to reporters", but "Boeing" and "King Lear".
    let is_participle = is_ing(text, first)
        && second.is_some_and(|second| !second.is_name() || first.cue.is_some());
    let opens_adjunct = matches!(first.span.of(text), "Asked" | "Born" | "Last" | "This")
        && second.is_some_and(|second| !second.is_name());
    is_time
        || first.has(Tags::PREPOSITION)
        || first.has(Tags::SUBORDINATOR) && !first.has(Tags::DETERMINER)
        || is_participle
        || is_ed(text, first) && second.is_some_and(|second| second.has(Tags::PREPOSITION))
        || opens_adjunct && has_time(tokens, piece)
}

fn has_time(tokens: &[Token], piece: &Range<usize>) -> bool {
    tokens[piece.clone()].iter().any(|token| token.has(Tags::TIME))
}

pub(super) fn is_all_names(tokens: &[Token], piece: &Range<usize>) -> bool {
    tokens[piece.clone()].iter().all(Token::is_name)
}

/// A description that waits for a name: begins with a determiner or names of offices, ends in a common noun or a place.
pub(super) fn is_title(text: &str, tokens: &[Token], piece: &Range<usize>) -> bool {
    !is_all_names(tokens, piece)
        && piece.len() <= 12
        && tokens[piece.clone()].iter().all(Token::is_word)
        && !has_verb(text, tokens, piece.clone())
}

/// Takes in an apposition in commas that carries the name, when the phrase itself does not end in one.
pub(super) fn with_name(
    text: &str,
    tokens: &[Token],
    core: Range<usize>,
    limit: usize,
) -> Range<usize> {
    if core.is_empty() || tokens.get(core.end).is_none_or(|token| token.kind != Kind::Comma) {
        return core;
    }
    let words = &tokens[core.clone()];
    let has_determiner = words[0].has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN);
    let is_described = words.iter().any(|token| {
        is_of(text, token) || token.shape == Shape::Lower || token.shape == Shape::Possessive
    });
    if words[words.len() - 1].is_name() && !has_determiner && !is_described {
        return core;
    }
    let limit = limit.min(tokens.len());
    let mut end = core.end + 1;
    while end < limit && tokens[end].is_word() && end - core.end <= APPOSITION_TOKENS_MAX {
        end += 1;
    }
    let closes =
        end == limit || matches!(tokens[end].kind, Kind::Comma | Kind::Stop | Kind::Quote(_));
    let apposition = core.end + 1..end;
    let ends_in_name = apposition.len() >= 2
        && is_all_names(tokens, &(end - 2..end))
        && !has_verb(text, tokens, apposition.clone())
        && !tokens[apposition].iter().any(|token| token.has(Tags::PREPOSITION));
    if closes && ends_in_name { core.start..end } else { core }
}

/// Cuts a candidate down to a noun phrase; `None` when it is none.
pub(super) fn noun_phrase(
    text: &str,
    tokens: &[Token],
    range: Range<usize>,
) -> Option<Range<usize>> {
    let Range { mut start, mut end } = range;
    if tokens.get(start).is_some_and(|first| first.has(Tags::PREPOSITION) && start < end) {
        // "During a visit on Tuesday President Lee": what follows the time.
        let time = (start..end).rev().find(|&at| tokens[at].has(Tags::TIME));
        start = time.map_or(start, |time| time + 1);
    }
    let leads = |token: &Token| {
        token.has(Tags::CONJUNCTION | Tags::ADVERB) && !token.has(Tags::DETERMINER)
            || !(token.is_word() || token.is_quote())
    };
    while start < end && leads(&tokens[start]) {
        start += 1;
    }
    // A relative clause or a parenthesis, and whatever follows it, is not the source.
    let cut = (start + 1..end)
        .find(|&at| tokens[at].has(Tags::RELATIVE) || tokens[at].span.of(text) == "(");
    end = cut.unwrap_or(end);
    let trails = |token: &Token| {
        token.has(Tags::ADVERB | Tags::CONJUNCTION | Tags::AUXILIARY) && !token.is_name()
            || !token.is_word()
            || is_dangling(text, token)
    };
    while end > start && trails(&tokens[end - 1]) {
        end -= 1;
    }
    let words = &tokens[start..end];
    let is_function_word = words.len() == 1
        && words[0].has(Tags::PREPOSITION | Tags::SUBORDINATOR)
        && !words[0].has(Tags::DETERMINER);
    let is_phrase = !words.is_empty()
        && words.len() <= PHRASE_TOKENS_MAX
        && words.iter().any(|token| token.is_name() || token.shape == Shape::Lower)
        && !words.iter().any(Token::is_quote)
        && !is_function_word;
    is_phrase.then_some(start..end)
}

/// A preposition at the end belongs to what was cut off.
fn is_dangling(text: &str, token: &Token) -> bool {
    token.has(Tags::PREPOSITION) && token.span.of(text).starts_with(char::is_lowercase)
}

pub(super) fn is_of(text: &str, token: &Token) -> bool {
    matches!(token.span.of(text), "of" | "for" | "to" | "as")
}

/// A preposition that does not go on with a title: "at", "in", "on", but not "of", "for", "to".
pub(super) fn is_outer_preposition(text: &str, token: &Token) -> bool {
    token.has(Tags::PREPOSITION)
        && !matches!(token.span.of(text), "of" | "for" | "to" | "from" | "with")
}
