//! Reporting words in a line: which of them report here, and in what construction.
//!
//! In: the tokens of a line. Out: [`Hit`]s in order. Nouns ("the report"), participles before a noun ("the alleged
//! plan") and hopes ("would like to say") are left out or marked.

use std::ops::Range;

use super::lexicon::{Cue, Form, Frame, Tags};
use super::tokens::{Kind, Token};

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
    let before = last_before(tokens, at);
    let previous = before.map(|before| &tokens[before]);
    let word = |token: &Token| token.span.of(text).to_lowercase();
    let follows = |tags| previous.is_some_and(|token| token.has(tags));
    let next = tokens.get(at + 1);
    let is_negated = (before.map_or(0, |before| before + 1)..at)
        .chain(before.filter(|_| follows(Tags::AUXILIARY)))
        .any(|skipped| tokens[skipped].has(Tags::NEGATION))
        || previous
            .is_some_and(|token| word(token).ends_with("n't") || word(token).ends_with("n’t"));
    if follows(Tags::MODAL | Tags::DO) || is_negated {
        return Some(Mood::Hypothetical);
    }
    if previous.is_some_and(|token| word(token) == "to") {
        let is_going_on = before >= Some(2)
            && before.is_some_and(|before| {
                matches!(word(&tokens[before - 1]).as_str(), "on" | "continued" | "continues")
            });
        return Some(if is_going_on { Mood::Finite } else { Mood::Hypothetical });
    }
    let attributive = previous.is_some_and(|token| {
        token.shape == crate::text::Shape::Possessive
            || token.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN)
                && !is_pronoun_like(text, token)
    });
    match cue.form {
        Form::Gerund if follows(Tags::BE) => Some(Mood::Finite),
        Form::Gerund => {
            (!attributive && previous.is_none_or(|t| word(t) != "of")).then_some(Mood::Participle)
        }
        Form::Past if follows(Tags::BE) => Some(Mood::Passive),
        Form::Past if next.is_some_and(|next| word(next) == "by") => Some(Mood::Passive),
        Form::Past => (!attributive).then_some(Mood::Finite),
        Form::Base | Form::Third if attributive => None,
        Form::Base | Form::Third => {
            let introduces = next.is_some_and(|next| {
                next.is_quote()
                    || matches!(next.kind, Kind::Colon)
                    || word(next) == "that"
                    || next.has(Tags::SUBJECT_PRONOUN)
            });
            let has_subject = follows(Tags::SUBJECT_PRONOUN | Tags::RELATIVE)
                || previous.is_some_and(|token| token.is_name() && word(token) != "united");
            let is_plural = cue.form == Form::Base
                && previous.is_some_and(|token| {
                    token.is_word() && word(token).ends_with('s') && !token.has(Tags::PREPOSITION)
                });
            let is_verb = has_subject
                || introduces && !follows(Tags::PREPOSITION)
                || !cue.is_nounlike && !follows(Tags::PREPOSITION)
                || is_plural && !cue.is_nounlike;
            (is_verb && !(cue.form == Form::Base && previous.is_none())).then_some(Mood::Finite)
        }
    }
}

/// "some say", "this suggests": a determiner that stands alone.
fn is_pronoun_like(text: &str, token: &Token) -> bool {
    matches!(
        token.span.of(text).to_lowercase().as_str(),
        "some"
            | "many"
            | "others"
            | "another"
            | "both"
            | "all"
            | "few"
            | "most"
            | "one"
            | "that"
            | "this"
    )
}

/// The nearest token before `at` that is not an adverb or a negation.
fn last_before(tokens: &[Token], at: usize) -> Option<usize> {
    (0..at).rev().find(|&before| {
        !tokens[before].has(Tags::ADVERB | Tags::NEGATION) || tokens[before].has(Tags::AUXILIARY)
    })
}
