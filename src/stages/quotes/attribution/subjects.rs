//! Whose words they are: the subject of each cue of a line.
//!
//! In: a line under reading. Out: the source's tokens, before the cue, after it, or taken over from the cue before.

use std::ops::Range;

use super::super::cues::{CITED_TOKENS_MAX, Mood};
use super::super::lexicon::{Frame, Tags};
use super::super::phrases;
use super::super::sources;
use super::super::tokens::{Kind, Token};
use super::super::verbs;
use super::Reading;

impl Reading<'_> {
    /// "“…,” said Lee" and "“…,” said the ministry": the source after a cue that follows its words or opens the line.
    pub(super) fn turned_source(&self, at: usize) -> Option<Range<usize>> {
        let hit = &self.hits[at];
        let next = self.tokens.get(hit.words.end)?;
        if hit.mood != Mood::Finite || !next.is_word() || self.text_of(hit.words.end) == "that" {
            return None;
        }
        let begins_phrase = next.is_name()
            || next.has(Tags::DETERMINER | Tags::POSSESSIVE_PRONOUN | Tags::SUBJECT_PRONOUN)
            || !next.has(
                Tags::PREPOSITION
                    | Tags::AUXILIARY
                    | Tags::ADVERB
                    | Tags::CONJUNCTION
                    | Tags::SUBORDINATOR
                    | Tags::TIME
                    | Tags::OBJECT_PRONOUN,
            );
        if !begins_phrase {
            return None;
        }
        let before = hit.words.start.checked_sub(1);
        let follows_words = match before.map(|before| &self.tokens[before]) {
            None => true,
            Some(token) if token.is_quote() => true,
            Some(token) if matches!(token.kind, Kind::Comma | Kind::Dash) => {
                let floor = self.floor(hit.words.start);
                let comma = before.unwrap_or_default();
                comma > floor
                    && (self.tokens[comma - 1].is_quote()
                        || self.first_piece_has_verb(floor..comma))
            }
            Some(_) => false,
        };
        if !follows_words {
            return None;
        }
        let start = match hit.frame {
            Frame::Tell => return None,
            _ => hit.words.end,
        };
        sources::after(self.text, self.tokens, start)
    }

    pub(super) fn first_piece_has_verb(&self, range: Range<usize>) -> bool {
        let first_comma =
            range.clone().find(|&at| self.tokens[at].kind == Kind::Comma).unwrap_or(range.end);
        let relative = (range.start..first_comma)
            .find(|&at| self.tokens[at].has(Tags::RELATIVE))
            .unwrap_or(first_comma);
        let is_adjunct = self.tokens[range.start].has(Tags::PREPOSITION | Tags::SUBORDINATOR);
        if is_adjunct && first_comma < range.end {
            return self.first_piece_has_verb(first_comma + 1..range.end);
        }
        verbs::has_verb(self.text, self.tokens, range.start..relative)
    }

    pub(super) fn source(&self, at: usize) -> Option<Range<usize>> {
        let hit = &self.hits[at];
        let (text, tokens, cue) = (self.text, self.tokens, hit.words.start);
        let previous = (0..at).rev().find(|&before| {
            self.hits[before].frame != Frame::According && self.sources[before].is_some()
        });
        let inherited = previous.and_then(|before| self.sources[before].clone());
        let joint = (0..cue).rev().find(|&before| !tokens[before].has(Tags::ADVERB | Tags::HAVE));
        let joint_token = joint.map(|joint| &tokens[joint]);
        match hit.mood {
            Mood::Passive => {
                let by =
                    (hit.words.end..tokens.len()).take(25).find(|&by| self.text_of(by) == "by")?;
                sources::after(text, tokens, by + 1)
            }
            Mood::Participle => {
                let leads = |token: &Token| token.has(Tags::SUBORDINATOR) && joint == Some(0);
                let Some(token) = joint_token.filter(|token| !leads(token)) else {
                    // "Calling it “a mess”, Lee said".
                    let main = (cue..tokens.len()).find(|&at| {
                        tokens[at].kind == Kind::Comma || at > cue && tokens[at - 1].is_quote()
                    })?;
                    let main = main + usize::from(tokens[main].kind == Kind::Comma);
                    return sources::subject(text, tokens, main, tokens.len());
                };
                if self.text_of(joint.unwrap_or_default()) == "as"
                    && let Some(source) = self.cited(at)
                {
                    return Some(source);
                }
                let is_loose = !token.is_word()
                    || token.has(Tags::CONJUNCTION | Tags::PREPOSITION | Tags::SUBORDINATOR);
                if !is_loose {
                    let low = self.phrase_floor(cue);
                    let is_place =
                        phrases::is_all_names(tokens, &(low..joint.map_or(low, |j| j + 1)))
                            && low > 0;
                    if !is_place && !verbs::has_verb(text, tokens, low..cue) {
                        return sources::before(text, tokens, low, cue);
                    }
                }
                inherited.or_else(|| sources::subject(text, tokens, self.clause_floor(cue), cue))
            }
            Mood::Finite | Mood::Hypothetical => {
                if joint_token.is_some_and(|token| token.has(Tags::CONJUNCTION))
                    && inherited.is_some()
                {
                    return inherited;
                }
                sources::before(text, tokens, self.clause_floor(cue), cue)
            }
        }
    }

    /// "was quoted as saying", "cited officials as saying": who is quoted.
    fn cited(&self, at: usize) -> Option<Range<usize>> {
        let (verb, is_passive) = self.citing_verb(at)?;
        if is_passive {
            return sources::before(self.text, self.tokens, self.clause_floor(verb), verb);
        }
        let cue = self.hits[at].words.start;
        sources::after(self.text, self.tokens, verb + 1).filter(|source| source.end < cue)
    }

    /// Where the words of "the agency quoted Lee as saying" begin that a quotation may stand before.
    pub(super) fn citing(&self, at: usize) -> Option<usize> {
        let (verb, _) = self.citing_verb(at)?;
        sources::before(self.text, self.tokens, self.clause_floor(verb), verb)
            .map(|agency| agency.start)
    }

    fn citing_verb(&self, at: usize) -> Option<(usize, bool)> {
        let cue = self.hits[at].words.start;
        if cue == 0 || self.text_of(cue - 1) != "as" {
            return None;
        }
        let verb = (0..cue).rev().take(CITED_TOKENS_MAX).find(|&verb| {
            matches!(
                self.text_of(verb),
                "quoted" | "cited" | "quotes" | "cites" | "quoting" | "citing" | "reported"
            )
        })?;
        let before = (0..verb).rev().find(|&at| !self.tokens[at].has(Tags::ADVERB));
        let is_passive = before.is_some_and(|before| self.tokens[before].has(Tags::BE));
        Some((verb, is_passive))
    }

    /// The start of the phrase that a participle may follow: after the last comma or "with".
    pub(super) fn phrase_floor(&self, cue: usize) -> usize {
        (0..cue)
            .rev()
            .find(|&at| {
                matches!(
                    self.tokens[at].kind,
                    Kind::Comma | Kind::Semicolon | Kind::Dash | Kind::Quote(_)
                ) || self.text_of(at) == "with"
            })
            .map_or(0, |at| at + 1)
    }

    /// Where the clause of `cue` may begin: after a semicolon or colon, or after a statement that was found.
    pub(super) fn clause_floor(&self, cue: usize) -> usize {
        (0..cue)
            .rev()
            .find(|&at| {
                matches!(self.tokens[at].kind, Kind::Semicolon | Kind::Stop | Kind::Colon)
                    || self.taken[at]
            })
            .map_or(0, |at| at + 1)
    }
}
