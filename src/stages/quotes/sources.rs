//! The source as it is written: the noun phrase that a cue belongs to.
//!
//! In: the tokens of a line and where the cue stands. Out: a range of tokens, without relative clauses, adverbs and
//! adjuncts; with its apposition where that carries the name ("the ambassador, Jo Lee").

use std::ops::Range;

use super::cues::SPEAKING_ON;
use super::lexicon::Tags;
use super::phrases::{
    PHRASE_TOKENS_MAX, is_all_names, is_of, is_outer_preposition, is_title, noun_phrase, with_name,
    without_adjuncts,
};
use super::tokens::{Kind, Token};
use super::verbs::{has_verb, is_ed, is_finite, is_ing};
use crate::text::Shape;

/// The subject of the verb at `cue`, looking back no further than `floor`.
pub(super) fn before(
    text: &str,
    tokens: &[Token],
    floor: usize,
    cue: usize,
) -> Option<Range<usize>> {
    let end = skip_verb_group(text, tokens, floor, cue);
    if end == floor {
        return None;
    }
    let last = &tokens[end - 1];
    if last.has(Tags::SUBJECT_PRONOUN) && !last.has(Tags::DETERMINER) {
        return Some(end - 1..end);
    }
    if last.has(Tags::RELATIVE) && last.is_word() {
        return antecedent(text, tokens, floor, end - 1);
    }
    if last.has(Tags::CONJUNCTION) {
        // "She left and said": the subject of the verb before.
        return subject(text, tokens, floor, end - 1);
    }
    let core = if matches!(last.kind, Kind::Comma | Kind::Dash) {
        before_comma(text, tokens, floor, end - 1)?
    } else {
        let start = clause_start(text, tokens, floor, end);
        let is_relative = start > floor
            && (tokens[start - 1].has(Tags::RELATIVE) || tokens[start - 1].span.of(text) == "that");
        if is_relative && (is_finite(text, tokens, start) || tokens[start].has(Tags::AUXILIARY)) {
            // "Lee, who left in May said".
            return antecedent(text, tokens, floor, start - 1);
        }
        beside(text, tokens, start..end)?
    };
    noun_phrase(text, tokens, with_name(text, tokens, core, cue))
}

/// The subject where a comma stands before the verb: "Lee, a spokesman for the ministry, said". The first piece that
/// is neither adjunct nor clause.
fn before_comma(text: &str, tokens: &[Token], floor: usize, end: usize) -> Option<Range<usize>> {
    let low = floor.max(end.saturating_sub(PHRASE_TOKENS_MAX * 2));
    let start = (low..end).rev().find(|&at| match tokens[at].kind {
        Kind::Quote(_) | Kind::Semicolon | Kind::Colon | Kind::Stop => true,
        Kind::Word => {
            matches!(tokens[at].span.of(text), "and" | "but" | "while")
                && at > low
                && tokens[at - 1].kind == Kind::Comma
                && has_verb(text, tokens, low..at)
        }
        _ => false,
    });
    let pieces = without_adjuncts(text, tokens, start.map_or(low, |start| start + 1)..end);
    let is_clause = |piece: &Range<usize>| {
        let relative = piece.clone().find(|&at| tokens[at].has(Tags::RELATIVE));
        has_verb(text, tokens, piece.start..relative.unwrap_or(piece.end))
    };
    let named = pieces.iter().find(|piece| !is_clause(piece)).or(pieces.first())?;
    Some(named.clone())
}

/// The subject that stands right before its verb.
fn beside(text: &str, tokens: &[Token], clause: Range<usize>) -> Option<Range<usize>> {
    let opens = clause.start == 0 || !tokens[clause.start - 1].is_word();
    let mut pieces = without_adjuncts(text, tokens, clause.clone());
    if let [name, description] = pieces.as_slice()
        && is_all_names(tokens, name)
        && opens
        && !tokens[description.start].has(Tags::PREPOSITION)
        && (tokens[description.start].has(Tags::DETERMINER)
            || name.len() >= 2 && !is_all_names(tokens, description))
    {
        // "Lee, the son of the general said", "Jo Lee, coordinator of the group said".
        return Some(name.clone());
    }
    let Some(last) = pieces.pop() else {
        // "At the same time the ministry said": an adjunct without a comma, which `noun_phrase` cuts off.
        let has_time = tokens[clause.clone()].iter().any(|token| token.has(Tags::TIME));
        let is_one = !tokens[clause.clone()].iter().any(|token| token.kind == Kind::Comma);
        return (has_time && is_one).then_some(clause);
    };
    match pieces.pop() {
        // "the ambassador, Jo Lee said".
        Some(title) if is_title(text, tokens, &title) && is_all_names(tokens, &last) => {
            Some(title.start..last.end)
        }
        _ => Some(last),
    }
}

/// The subject of a verb that stands before its subject: "said Lee", "according to Lee". Starts at `from`.
pub(super) fn after(text: &str, tokens: &[Token], from: usize) -> Option<Range<usize>> {
    let first = tokens.get(from)?;
    if first.has(Tags::SUBJECT_PRONOUN | Tags::OBJECT_PRONOUN)
        && !first.has(Tags::POSSESSIVE_PRONOUN)
    {
        return Some(from..from + 1);
    }
    let mut end = from;
    while end < tokens.len() && end - from < PHRASE_TOKENS_MAX && !stops(text, tokens, from, end) {
        end += 1;
    }
    if end == from {
        return None;
    }
    let range = with_name(text, tokens, from..end, tokens.len());
    noun_phrase(text, tokens, range)
}

/// Whether the noun phrase from `from` on ends before the token at `at`.
fn stops(text: &str, tokens: &[Token], from: usize, at: usize) -> bool {
    let token = &tokens[at];
    let is_number = |at: usize| tokens.get(at).is_some_and(|token| token.shape == Shape::Number);
    match token.kind {
        Kind::Word if at == from => false,
        Kind::Word => {
            let is_author = token.span.of(text) == "by"
                && tokens[from..at].iter().any(|token| token.has(Tags::MEDIUM));
            let is_time =
                token.has(Tags::TIME) && token.is_name() && !tokens[at - 1].has(Tags::DETERMINER);
            token.has(Tags::SUBORDINATOR | Tags::RELATIVE | Tags::AUXILIARY | Tags::PAST)
                && !is_of(text, token)
                || is_outer_preposition(text, token) && !is_author
                || token.has(Tags::ADVERB | Tags::SUBJECT_PRONOUN)
                || is_time
                || token.cue.is_some_and(|cue| !cue.is_nounlike) && !token.is_name()
                || is_ing(text, token) && !token.is_name()
        }
        Kind::Comma => !(is_number(at + 1) && at > from && is_number(at - 1)),
        Kind::Mark => !matches!(token.span.of(text), "&" | "/" | "'" | "’"),
        _ => true,
    }
}

/// The first noun phrase of the clause that ends before `end`: what a participle or a second verb is said of.
pub(super) fn subject(
    text: &str,
    tokens: &[Token],
    floor: usize,
    end: usize,
) -> Option<Range<usize>> {
    let pieces = without_adjuncts(text, tokens, floor..end);
    let main = pieces.into_iter().next()?;
    let mut start = main.start;
    while start < main.end
        && (tokens[start].has(Tags::CONJUNCTION | Tags::ADVERB) || !tokens[start].is_word())
    {
        start += 1;
    }
    let mut stop = start;
    while stop < main.end {
        let token = &tokens[stop];
        let is_verb = token.has(Tags::AUXILIARY | Tags::PAST)
            || token.cue.is_some_and(|cue| !cue.is_nounlike || stop == start + 1)
            || token.has(Tags::RELATIVE)
            || is_ed(text, token);
        if stop > start && (is_verb || token.has(Tags::ADVERB) || token.is_quote()) {
            break;
        }
        stop += 1;
    }
    let range = with_name(text, tokens, start..stop, end);
    noun_phrase(text, tokens, range)
}

/// Steps back over what may stand between a subject and its verb: adverbs, auxiliaries, "on Monday".
fn skip_verb_group(text: &str, tokens: &[Token], floor: usize, cue: usize) -> usize {
    let mut end = cue;
    while end > floor {
        let token = &tokens[end - 1];
        let is_negation = matches!(token.span.of(text), "not" | "never" | "there");
        if token.has(Tags::AUXILIARY | Tags::ADVERB) && !token.is_name() || is_negation {
            end -= 1;
            continue;
        }
        if token.span.of(text) == "to" && end < cue + 1 && end >= floor + 2 {
            // "was at pains to say", "went on to say", "continues to claim".
            let governor = tokens[end - 2].span.of(text);
            if SPEAKING_ON.contains(&governor) {
                end -= 2;
                end -= usize::from(
                    end > floor && matches!(tokens[end - 1].span.of(text), "at" | "went" | "goes"),
                );
                continue;
            }
        }
        // "Lee on Monday told", "Lee last week said", "Lee yesterday said".
        let mut at = end;
        while at > floor
            && (tokens[at - 1].has(Tags::TIME) || tokens[at - 1].shape == Shape::Number)
        {
            at -= 1;
        }
        if at == end {
            break;
        }
        let has_preposition =
            at > floor && matches!(tokens[at - 1].span.of(text), "on" | "in" | "at" | "this");
        let is_sentence_start = at <= floor + usize::from(has_preposition);
        if is_sentence_start || !has_preposition && !tokens[at].has(Tags::TIME) {
            break;
        }
        end = at - usize::from(has_preposition);
    }
    end
}

/// Where the clause of the words before `end` begins: after a quotation, a semicolon, "and" after a verb, "while".
fn clause_start(text: &str, tokens: &[Token], floor: usize, end: usize) -> usize {
    let low = floor.max(end.saturating_sub(PHRASE_TOKENS_MAX * 2));
    let mut in_first_piece = true;
    let mut at = end;
    while at > low {
        let token = &tokens[at - 1];
        let stops = match token.kind {
            Kind::Quote(_) | Kind::Semicolon | Kind::Colon | Kind::Stop => true,
            Kind::Comma => {
                in_first_piece = false;
                false
            }
            Kind::Word if at < end => joins_clauses(text, tokens, low..at - 1, in_first_piece),
            _ => false,
        };
        if stops {
            break;
        }
        at -= 1;
    }
    at
}

/// Whether the word at `before.end` begins another clause than the words in `before`.
fn joins_clauses(text: &str, tokens: &[Token], before: Range<usize>, in_first_piece: bool) -> bool {
    let token = &tokens[before.end];
    let word = token.span.of(text);
    let after_comma = before.end > before.start && tokens[before.end - 1].kind == Kind::Comma;
    let piece_start = before.clone().rev().find(|&at| tokens[at].kind == Kind::Comma);
    let piece = piece_start.map_or(before.start, |comma| comma + 1)..before.end;
    match word {
        "and" | "but" | "And" | "But" | "or" => after_comma || has_verb(text, tokens, piece),
        "with" => in_first_piece && has_verb(text, tokens, before),
        "as" => {
            let previous = before.clone().next_back().map_or("", |at| tokens[at].span.of(text));
            !matches!(previous, "" | "such" | "known" | "well" | "acting" | "described")
        }
        "for" | "to" | "of" => false,
        _ => {
            let is_both = token.has(Tags::PREPOSITION)
                && !matches!(word, "before" | "after" | "since" | "until");
            token.has(Tags::SUBORDINATOR) && !is_both
        }
    }
}

/// The noun phrase that "who" or "which" at `at` stands for.
fn antecedent(text: &str, tokens: &[Token], floor: usize, at: usize) -> Option<Range<usize>> {
    let comma = at > floor && tokens[at - 1].kind == Kind::Comma;
    let end = if comma { at - 1 } else { at };
    let piece = phrase_before(text, tokens, floor, end);
    if piece.is_empty() {
        return None;
    }
    let is_document = tokens[piece.end - 1].has(Tags::MEDIUM) && !tokens[piece.start].is_name();
    if is_document {
        // "They released a statement which said": those who released it.
        return subject(text, tokens, floor, piece.start).or(Some(piece));
    }
    let piece_start = (floor..end).rev().find(|&at| tokens[at].kind == Kind::Comma);
    if let Some(comma) = piece_start.filter(|&comma| comma > floor)
        && !tokens[comma + 1].is_name()
        && !has_verb(text, tokens, comma + 1..end)
    {
        // "Mark Hay, a biologist at the college, who said": what the apposition is of.
        let name = phrase_before(text, tokens, floor, comma);
        if name.len() >= 2 && is_all_names(tokens, &(name.end - 2..name.end)) {
            return noun_phrase(text, tokens, name);
        }
    }
    noun_phrase(text, tokens, with_name(text, tokens, piece, at))
}

/// The words before `end` that can be one noun phrase.
fn phrase_before(text: &str, tokens: &[Token], floor: usize, end: usize) -> Range<usize> {
    let mut start = end;
    let mut n_names = 0;
    while start > floor && end - start < PHRASE_TOKENS_MAX {
        let token = &tokens[start - 1];
        let is_verb = token.has(Tags::AUXILIARY | Tags::PAST | Tags::SUBORDINATOR)
            && !token.is_name()
            && !is_of(text, token)
            || token.cue.is_some_and(|cue| !cue.is_nounlike && !token.is_name())
            || is_ed(text, token);
        let is_break = !token.is_word()
            || is_verb
            || is_outer_preposition(text, token)
            || token.has(Tags::CONJUNCTION);
        if is_break {
            break;
        }
        n_names += usize::from(token.is_name());
        start -= 1;
        if token.has(Tags::DETERMINER) && n_names == 0 {
            break;
        }
    }
    start..end
}
