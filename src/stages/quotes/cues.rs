//! Reporting words in a line: which of them report here, and in what construction.
//!
//! In: the tokens of a line. Out: [`Hit`]s in order. Nouns ("the report"), participles before a noun ("the alleged
//! plan") and hopes ("would like to say") are left out or marked.

use std::ops::Range;

use super::lexicon::{Cue, Form, Frame, Tags};
use super::tokens::{Kind, Token};
use super::verbs;
use crate::text::Shape;

/// Longest name between "quoted" and "as saying", in tokens.
pub(super) const CITED_TOKENS_MAX: usize = 14;

/// A reporting word at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// The cue's words.
    pub(super) words: Range<usize>,
    pub(super) frame: Frame,
    pub(super) mood: Mood,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// "said", "has said", "is reporting": its subject stands before it, or after it when turned round.
    Finite,
    /// ", adding", "by announcing": the subject is the sentence's, or the noun before it.
    Participle,
    /// "was described … by", "it is reported that".
    Passive,
    /// "did not say", "will say", "refused to say": quoted words count, a clause does not.
    Hypothetical,
}

/// Finds the reporting words of a line.
pub(super) fn find(text: &str, tokens: &[Token]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for at in 0..tokens.len() {
        if is_according_to(text, tokens, at) {
            hits.push(Hit { words: at..at + 2, frame: Frame::According, mood: Mood::Finite });
            continue;
        }
        let Some(cue) = tokens[at].cue else { continue };
        if is_citing(text, tokens, at) {
            continue;
        }
        if let Some(mood) = mood(text, tokens, at, cue) {
            hits.push(Hit { words: words(text, tokens, at), frame: cue.frame, mood });
        }
    }
    hits
}

fn is_according_to(text: &str, tokens: &[Token], at: usize) -> bool {
    let is = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| token.span.of(text).eq_ignore_ascii_case(word))
    };
    is(at, "according") && is(at + 1, "to")
}

/// "quoted Lee as saying", "was reported as saying": "saying" is the cue.
fn is_citing(text: &str, tokens: &[Token], at: usize) -> bool {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.span.of(text));
    matches!(word(at), "quoted" | "cited" | "quotes" | "cites" | "quoting" | "citing" | "reported")
        && (at + 1..tokens.len())
            .take(CITED_TOKENS_MAX)
            .take_while(|&next| tokens[next].is_word())
            .any(|next| word(next) == "as" && matches!(word(next + 1), "saying" | "telling"))
}

/// "said", "pointed out", "referred to", "went on to say".
fn words(text: &str, tokens: &[Token], at: usize) -> Range<usize> {
    let is = |at: usize, words: &[&str]| {
        tokens.get(at).is_some_and(|token| words.contains(&token.span.of(text)))
    };
    if at >= 3 && is(at - 1, &["to"]) && is(at - 2, &["on"]) && is(at - 3, &["went", "goes", "go"])
    {
        return at - 3..at + 1;
    }
    let stem = tokens[at].span.of(text).to_lowercase();
    let particle: &[&str] = match stem.get(..4).unwrap_or(&stem) {
        "poin" => &["out"],
        "refe" => &["to"],
        "call" => &["for", "on", "upon"],
        "spea" | "spok" | "talk" => &["of"],
        _ => &[],
    };
    at..at + 1 + usize::from(is(at + 1, particle))
}

fn mood(text: &str, tokens: &[Token], at: usize, cue: Cue) -> Option<Mood> {
    let is_capital_inside = at > 0 && tokens[at].is_name() && !tokens[at - 1].is_quote();
    if is_capital_inside {
        // "State University", "Post Office": part of a name.
        return None;
    }
    let before = last_before(text, tokens, at);
    let previous = before.map(|before| &tokens[before]);
    let previous_word = previous.map_or(String::new(), |token| token.span.of(text).to_lowercase());
    let follows = |tags| previous.is_some_and(|token| token.has(tags));
    if follows(Tags::MODAL | Tags::DO) || is_negated(text, tokens, before, at) {
        return Some(Mood::Hypothetical);
    }
    if previous_word == "to" {
        let governor = before.and_then(|before| before.checked_sub(1));
        let is_done = governor.is_some_and(|governor| {
            SPEAKING_ON.contains(&tokens[governor].span.of(text).to_lowercase().as_str())
        });
        return Some(if is_done { Mood::Finite } else { Mood::Hypothetical });
    }
    let is_attributive = previous.is_some_and(|token| {
        token.shape == Shape::Possessive || token.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN)
    });
    let stands_alone = STANDING_ALONE.contains(&previous_word.as_str()) && !cue.is_nounlike;
    if is_attributive && !stands_alone {
        return None;
    }
    let is_before_by = tokens.get(at + 1).is_some_and(|next| next.span.of(text) == "by")
        && !tokens.get(at + 2).is_some_and(|agent| verbs::is_ing(text, agent));
    match cue.form {
        Form::Gerund if follows(Tags::BE) => Some(Mood::Finite),
        Form::Gerund => {
            // "a flood warning covering the coast": a noun after a noun.
            let is_noun = previous
                .is_some_and(|token| token.shape == Shape::Lower && token.tags == Tags::NONE)
                && tokens
                    .get(at + 1)
                    .is_some_and(|next| next.is_word() && next.span.of(text) != "that")
                && !verbs::is_clause(text, tokens, &(at + 1..tokens.len()));
            (previous_word != "of" && !is_noun).then_some(Mood::Participle)
        }
        Form::Past if follows(Tags::BE) || is_before_by => Some(Mood::Passive),
        Form::Past => Some(Mood::Finite),
        Form::Base | Form::Third => {
            is_present(text, tokens, (before, at), cue).then_some(Mood::Finite)
        }
    }
}

/// What "to say" may follow and still be said: "went on to say", "was keen to point out".
pub(super) const SPEAKING_ON: &[&str] =
    &["on", "continued", "continues", "keen", "pains", "quick", "careful", "eager", "twitter"];

/// Determiners that stand for a subject: "some say".
const STANDING_ALONE: &[&str] =
    &["all", "another", "both", "few", "many", "most", "one", "several", "some", "that", "this"];

/// "did not say", "never said", "didn't say".
fn is_negated(text: &str, tokens: &[Token], before: Option<usize>, at: usize) -> bool {
    let skipped = before.map_or(0, |before| before + 1)..at;
    let auxiliary = before.map(|before| &tokens[before]).filter(|token| token.has(Tags::AUXILIARY));
    tokens[skipped].iter().chain(auxiliary).any(|token| token.has(Tags::NEGATION))
        || auxiliary.is_some_and(|token| token.span.of(text).ends_with("n't"))
        || auxiliary.is_some_and(|token| token.span.of(text).ends_with("n’t"))
}

/// Whether a word that may be a noun ("reports", "state") is a verb in the present tense here.
fn is_present(
    text: &str,
    tokens: &[Token],
    (before, at): (Option<usize>, usize),
    cue: Cue,
) -> bool {
    let next = tokens.get(at + 1);
    let introduces = next.is_some_and(|next| {
        next.is_quote() || next.kind == Kind::Colon || next.span.of(text) == "that"
    });
    let takes_clause = introduces
        || next.is_some_and(|next| next.has(Tags::SUBJECT_PRONOUN))
        || verbs::is_clause(text, tokens, &(at + 1..tokens.len()));
    let Some(previous) = before.map(|before| &tokens[before]) else {
        // "Says Lee, …" opens a line; "Report: …" does not.
        return cue.form == Form::Third && !cue.is_nounlike;
    };
    if !previous.is_word() || previous.has(Tags::CONJUNCTION) {
        // "…, says Lee", "Lee, a poet, claims the town was lost", "and report they are".
        return !cue.is_nounlike || takes_clause && previous.kind != Kind::Stop;
    }
    let is_object = previous.has(Tags::PREPOSITION) && !previous.has(Tags::SUBJECT_PRONOUN)
        || previous.cue.is_some_and(|cue| !cue.is_nounlike);
    let after_time = (at + 1..tokens.len()).find(|&next| !tokens[next].has(Tags::TIME));
    let is_subject_noun = cue.is_nounlike
        && after_time.is_some_and(|next| {
            tokens[next].has(Tags::AUXILIARY | Tags::PAST)
                || tokens[next].cue.is_some_and(|cue| cue.form != Form::Gerund)
        });
    if is_object || is_subject_noun {
        // "in reports that", "deny claims that", "media reports say".
        return false;
    }
    let is_subject = previous.has(Tags::SUBJECT_PRONOUN | Tags::RELATIVE);
    // "a media report": one thing, no subject of "report".
    let is_single = (0..at).rev().take(5).take_while(|&at| tokens[at].is_word()).any(|at| {
        matches!(tokens[at].span.of(text), "a" | "an" | "another" | "A" | "An" | "Another")
    });
    let agrees = if cue.form == Form::Base {
        is_plural(text, previous) && !is_single
    } else {
        !is_plural(text, previous)
    };
    if tokens[at].span.of(text).starts_with("state") {
        return is_subject
            || takes_clause && agrees && (!previous.is_name() || previous.shape != Shape::AllCaps)
            || introduces && previous.shape == Shape::Capitalized;
    }
    let is_joined = (0..at).rev().take(8).any(|at| tokens[at].has(Tags::CONJUNCTION));
    if previous.is_name() && cue.is_nounlike && cue.form == Form::Base && !agrees && !is_joined {
        // "the Chuck Jones quote that".
        return false;
    }
    if is_subject || previous.is_name() {
        let ends = next.is_none_or(|next| !next.is_word());
        let has_object = next.is_some_and(|next| {
            next.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN) || next.is_name()
        });
        return !cue.is_nounlike || takes_clause || has_object || ends;
    }
    agrees && (!cue.is_nounlike || takes_clause) || introduces && !cue.is_nounlike
}

fn is_plural(text: &str, token: &Token) -> bool {
    let word = token.span.of(text);
    word.ends_with('s') && !word.ends_with("ss") || matches!(word, "police" | "people" | "media")
}

/// The nearest token before `at` that is not an adverb, a negation, or a mark around a title.
fn last_before(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    (0..at).rev().find(|&before| {
        let token = &tokens[before];
        let is_mark =
            token.kind == Kind::Mark && matches!(token.span.of(text), "'" | "\"" | "”" | "’");
        let is_adverb = token.has(Tags::ADVERB | Tags::NEGATION) || token.span.of(text) == "there";
        token.has(Tags::AUXILIARY) || !(is_adverb || is_mark)
    })
}
