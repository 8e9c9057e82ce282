//! The source as it is written: the noun phrase that a cue belongs to.
//!
//! In: the tokens of a line and where the cue stands. Out: a range of tokens, without relative clauses, adverbs and
//! adjuncts; with its apposition where that carries the name ("the ambassador, Jo Lee").

use std::ops::Range;

use super::lexicon::Tags;
use super::tokens::{Kind, Token};
use super::verbs::{has_verb, is_ed, is_ing};
use crate::text::Shape;

/// Longest source in tokens; a longer one is a clause that was taken for a noun phrase.
const SOURCE_TOKENS_MAX: usize = 30;

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
    let has_comma = last.kind == Kind::Comma || last.kind == Kind::Dash;
    let end = if has_comma { end - 1 } else { end };
    let start = clause_start(text, tokens, floor, end, has_comma);
    let pieces = pieces(tokens, start..end);
    let mut pieces: Vec<Range<usize>> =
        pieces.into_iter().skip_while(|piece| is_adjunct(text, tokens, piece)).collect();
    if pieces.is_empty() {
        return None;
    }
    let core = if has_comma {
        // "Lee, a spokesman for the ministry, said": the first piece names.
        pieces.swap_remove(0)
    } else if pieces.len() == 2
        && (pieces[0].start == floor || !tokens[pieces[0].start - 1].is_word())
        && is_all_names(tokens, &pieces[0])
        && tokens[pieces[1].start].has(Tags::DETERMINER)
    {
        // "Lee, the son of the general said".
        pieces.swap_remove(0)
    } else {
        let last = pieces.pop().expect("checked not to be empty");
        match pieces.pop() {
            // "the ambassador, Jo Lee said".
            Some(title) if is_title(text, tokens, &title) && is_all_names(tokens, &last) => {
                title.start..last.end
            }
            _ => last,
        }
    };
    let core = with_name(text, tokens, core, cue);
    noun_phrase(text, tokens, core)
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
    while let Some(token) = tokens.get(end).filter(|_| end - from < SOURCE_TOKENS_MAX) {
        let has_head = end > from;
        let stops = match token.kind {
            Kind::Word => {
                has_head
                    && (token
                        .has(Tags::SUBORDINATOR | Tags::RELATIVE | Tags::AUXILIARY | Tags::PAST)
                        && !is_of(text, token)
                        || is_outer_preposition(text, token)
                        || token.has(Tags::ADVERB)
                        || token.has(Tags::TIME) && token.is_name()
                        || token.has(Tags::SUBJECT_PRONOUN)
                        || token.cue.is_some_and(|cue| !cue.is_nounlike)
                        || is_ing(text, token))
            }
            Kind::Mark => !matches!(token.span.of(text), "&" | "/" | "'" | "’"),
            _ => true,
        };
        if stops {
            break;
        }
        end += 1;
    }
    if end == from {
        return None;
    }
    let range = with_name(text, tokens, from..end, tokens.len());
    noun_phrase(text, tokens, range)
}

/// The first noun phrase of the clause that ends before `end`: what a participle or a second verb is said of.
pub(super) fn subject(
    text: &str,
    tokens: &[Token],
    floor: usize,
    end: usize,
) -> Option<Range<usize>> {
    let pieces = pieces(tokens, floor..end);
    let main = pieces.into_iter().find(|piece| !is_adjunct(text, tokens, piece))?;
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
            || token.cue.is_some_and(|cue| !cue.is_nounlike)
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
fn clause_start(text: &str, tokens: &[Token], floor: usize, end: usize, has_comma: bool) -> usize {
    let low = floor.max(end.saturating_sub(SOURCE_TOKENS_MAX * 2));
    let mut at = end;
    while at > low {
        let token = &tokens[at - 1];
        let stops = match token.kind {
            Kind::Quote(_) | Kind::Semicolon | Kind::Colon | Kind::Stop => true,
            Kind::Word if at < end => {
                // "Lee, who left in May, said": the clause is Lee's.
                let is_loose_relative = token.has(Tags::RELATIVE)
                    && at >= low + 2
                    && tokens[at - 2].kind == Kind::Comma;
                let is_and = matches!(token.span.of(text), "and" | "but" | "And" | "But" | "or");
                is_and
                    && (has_verb(text, tokens, low..at - 1)
                        || at >= 2 && tokens[at - 2].kind == Kind::Comma)
                    || token.has(Tags::SUBORDINATOR)
                        && (!has_comma || !is_loose_relative)
                        && !is_of(text, token)
                        && !is_determiner_that(text, tokens, at - 1)
                    || token.span.of(text) == "with"
                        && !has_comma
                        && !tokens[at..end].iter().any(|token| token.kind == Kind::Comma)
                        && has_verb(text, tokens, low..at - 1)
            }
            _ => false,
        };
        if stops {
            break;
        }
        at -= 1;
    }
    at
}

/// "that" before a noun phrase that is its own: never taken for one, a clause is more common.
fn is_determiner_that(text: &str, tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    token.has(Tags::PREPOSITION)
        && !matches!(token.span.of(text), "as" | "before" | "after" | "since" | "until")
}

/// Splits at commas.
fn pieces(tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
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
    });
    is_time
        || first.has(Tags::PREPOSITION)
        || first.has(Tags::SUBORDINATOR) && !first.has(Tags::DETERMINER)
        || is_ing(text, first)
            && !second.is_some_and(|second| second.is_name() && first.cue.is_none())
        || is_ed(text, first) && second.is_some_and(|second| second.has(Tags::PREPOSITION))
        || matches!(first.span.of(text), "To" | "According" | "Asked" | "Born" | "Last" | "This")
            && !second.is_some_and(Token::is_name)
            && !first.has(Tags::SUBJECT_PRONOUN)
            && has_time(tokens, piece)
}

fn has_time(tokens: &[Token], piece: &Range<usize>) -> bool {
    tokens[piece.clone()].iter().any(|token| token.has(Tags::TIME))
}

fn is_all_names(tokens: &[Token], piece: &Range<usize>) -> bool {
    tokens[piece.clone()].iter().all(Token::is_name)
}

/// A description that waits for a name: begins with a determiner or names of offices, ends in a common noun or a place.
fn is_title(text: &str, tokens: &[Token], piece: &Range<usize>) -> bool {
    !is_all_names(tokens, piece)
        && piece.len() <= 12
        && tokens[piece.clone()].iter().all(Token::is_word)
        && !has_verb(text, tokens, piece.clone())
}

/// Takes in an apposition in commas that carries the name, when the phrase itself ends in a common noun.
fn with_name(text: &str, tokens: &[Token], core: Range<usize>, limit: usize) -> Range<usize> {
    let Some(head) = tokens.get(core.end.wrapping_sub(1)) else { return core };
    if core.is_empty() || tokens.get(core.end).is_none_or(|token| token.kind != Kind::Comma) {
        return core;
    }
    let has_determiner = tokens[core.start].has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN);
    if head.is_name()
        && !has_determiner
        && !tokens[core.clone()].iter().any(|t| is_of(text, t) || t.shape == Shape::Lower)
    {
        return core;
    }
    let mut end = core.end + 1;
    while end < limit.min(tokens.len()) && tokens[end].is_name() && end - core.end <= 5 {
        end += 1;
    }
    let closes = end == tokens.len()
        || end == limit
        || matches!(tokens[end].kind, Kind::Comma | Kind::Stop | Kind::Quote(_));
    let is_role = tokens[core.clone()].iter().any(|token| {
        token.shape == Shape::Lower && !token.has(Tags::PREPOSITION | Tags::DETERMINER)
    });
    if end > core.end + 1 && closes && (is_role || has_determiner) { core.start..end } else { core }
}

/// Cuts a candidate down to a noun phrase; `None` when it is none.
fn noun_phrase(text: &str, tokens: &[Token], range: Range<usize>) -> Option<Range<usize>> {
    let Range { mut start, mut end } = range;
    while start < end
        && (tokens[start].has(Tags::CONJUNCTION | Tags::ADVERB)
            && !tokens[start].has(Tags::DETERMINER)
            || !(tokens[start].is_word() || tokens[start].is_quote()))
    {
        start += 1;
    }
    // A relative clause, and whatever follows it, is not the source.
    if let Some(relative) = (start + 1..end).find(|&at| tokens[at].has(Tags::RELATIVE)) {
        end = relative;
    }
    while end > start
        && (tokens[end - 1].has(Tags::ADVERB | Tags::CONJUNCTION | Tags::AUXILIARY)
            && !tokens[end - 1].is_name()
            || !tokens[end - 1].is_word()
            || is_dangling(text, &tokens[end - 1]))
    {
        end -= 1;
    }
    let is_phrase = start < end
        && end - start <= SOURCE_TOKENS_MAX
        && tokens[start..end].iter().any(|token| token.is_name() || token.shape == Shape::Lower)
        && !tokens[start..end].iter().any(|token| token.is_quote())
        && !(end - start == 1
            && tokens[start].has(Tags::PREPOSITION | Tags::SUBORDINATOR)
            && !tokens[start].has(Tags::DETERMINER));
    is_phrase.then_some(start..end)
}

/// A preposition at the end belongs to what was cut off.
fn is_dangling(text: &str, token: &Token) -> bool {
    token.has(Tags::PREPOSITION) && token.span.of(text).starts_with(char::is_lowercase)
}

/// The noun phrase that "who" or "which" at `at` stands for.
fn antecedent(text: &str, tokens: &[Token], floor: usize, at: usize) -> Option<Range<usize>> {
    let comma = at > floor && tokens[at - 1].kind == Kind::Comma;
    let end = if comma { at - 1 } else { at };
    let mut start = end;
    let mut n_names = 0;
    while start > floor && end - start < SOURCE_TOKENS_MAX {
        let token = &tokens[start - 1];
        let is_verb = token.has(Tags::AUXILIARY | Tags::PAST | Tags::SUBORDINATOR)
            && !token.is_name()
            && !is_of(text, token)
            || token.cue.is_some_and(|cue| !cue.is_nounlike && !token.is_name());
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
    noun_phrase(text, tokens, start..end)
}

fn is_of(text: &str, token: &Token) -> bool {
    matches!(token.span.of(text), "of" | "for" | "to" | "as")
}

/// A preposition that does not go on with a title: "at", "in", "on", but not "of", "for", "to".
fn is_outer_preposition(text: &str, token: &Token) -> bool {
    token.has(Tags::PREPOSITION)
        && !matches!(token.span.of(text), "of" | "for" | "to" | "from" | "with")
}
