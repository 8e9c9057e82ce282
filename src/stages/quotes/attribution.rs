//! One line read: who says which part of it.
//!
//! In: the tokens of a line. Out: [`Statement`]s in order, which do not overlap: quotations that are attributed, and
//! reported clauses, each with its cue and its source.

use std::ops::Range;

use super::QuoteKind;
use super::clauses::{self, After};
use super::cues::{self, Hit, Mood};
use super::lexicon::{Frame, Tags};
use super::marks::Quotation;
use super::sources;
use super::tokens::{Kind, Token};

/// Confidence by how a statement was found; ordered by precision on annotated articles.
const CONFIDENCE_ADJACENT: f32 = 0.95;
const CONFIDENCE_CLAUSE: f32 = 0.8;
const CONFIDENCE_FRAGMENT: f32 = 0.7;
const CONFIDENCE_GUESS: f32 = 0.4;

/// Fewest words of a quoted fragment without a cue: shorter ones are scare quotes and terms more often than not.
const FRAGMENT_WORDS_MIN: usize = 4;

/// A part of a line that somebody says; ranges are of the line's tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) kind: QuoteKind,
    pub(super) content: Range<usize>,
    pub(super) cue: Option<Range<usize>>,
    pub(super) source: Option<Range<usize>>,
    pub(super) confidence: f32,
}

/// Reads a line.
pub(super) fn read(text: &str, tokens: &[Token], quotations: &[Quotation]) -> Vec<Statement> {
    let hits = cues::find(text, tokens);
    let mut reading = Reading {
        text,
        tokens,
        quotations,
        sources: vec![None; hits.len()],
        hits: &hits,
        taken: vec![false; tokens.len()],
        found: Vec::new(),
    };
    for (at, hit) in hits.iter().enumerate() {
        if reading.taken[hit.words.start] {
            continue;
        }
        if hit.frame == Frame::According {
            reading.according(at);
        } else {
            reading.verb(at);
        }
    }
    reading.orphans();
    reading.found.sort_by_key(|statement| statement.content.start);
    reading.found
}

struct Reading<'a> {
    text: &'a str,
    tokens: &'a [Token],
    quotations: &'a [Quotation],
    hits: &'a [Hit],
    /// The source of each hit, once known.
    sources: Vec<Option<Range<usize>>>,
    /// Tokens that are part of a statement.
    taken: Vec<bool>,
    found: Vec<Statement>,
}

impl Reading<'_> {
    fn according(&mut self, at: usize) {
        let cue = self.hits[at].words.clone();
        let Some(source) = sources::after(self.text, self.tokens, cue.end) else { return };
        self.sources[at] = Some(source.clone());
        let floor = self.floor(cue.start);
        let before = clauses::trim(self.tokens, floor..cue.start);
        let leads = self.tokens[before.clone()]
            .iter()
            .all(|token| token.has(Tags::CONJUNCTION | Tags::ADVERB | Tags::SUBORDINATOR));
        let content = if leads {
            let comma = (source.end..self.tokens.len())
                .find(|&at| self.tokens[at].kind == Kind::Comma || self.tokens[at].is_quote());
            let Some(comma) = comma else { return };
            let start = comma + usize::from(self.tokens[comma].kind == Kind::Comma);
            start..clauses::end(self.text, self.tokens, self.hits, at, start)
        } else if self.tokens.get(source.end).is_some_and(Token::is_quote) {
            source.end..source.end + 1
        } else {
            before
        };
        if content.is_empty() || !self.is_free(&content) {
            return;
        }
        let has_quote = self.tokens[content.clone()].iter().any(Token::is_quote);
        if has_quote || leads || sources::has_verb(self.text, self.tokens, content.clone()) {
            self.region(content, at, CONFIDENCE_CLAUSE);
        }
    }

    fn verb(&mut self, at: usize) {
        let hit = &self.hits[at];
        let turned = self.turned_source(at);
        let source = turned.clone().or_else(|| self.source(at));
        self.sources[at].clone_from(&source);
        let left = match &source {
            _ if turned.is_some() => hit.words.start,
            Some(source) if source.end <= hit.words.start => source.start,
            _ => hit.words.start,
        };
        let is_verb = matches!(hit.mood, Mood::Finite | Mood::Hypothetical);
        let had_quote = is_verb && self.quotes_before(at, left);
        let after = match &turned {
            Some(source) => self.after_turned(at, source),
            None => clauses::after(self.text, self.tokens, self.hits, at),
        };
        match hit.frame {
            Frame::Label | Frame::Act => {
                let is_clause =
                    hit.frame == Frame::Act && after.has_that && hit.mood == Mood::Finite;
                if is_clause {
                    self.region(after.range, at, CONFIDENCE_CLAUSE);
                } else {
                    self.fragments(at);
                }
            }
            _ if hit.mood == Mood::Passive => self.passive(at, after),
            _ if had_quote => {
                if after.starts_with_quote(self.tokens) || after.has_that {
                    self.region(after.range, at, CONFIDENCE_ADJACENT);
                }
            }
            _ if hit.mood == Mood::Hypothetical => {
                if after.starts_with_quote(self.tokens) {
                    self.region(after.range, at, CONFIDENCE_FRAGMENT);
                }
            }
            _ => {
                let is_reported = self.is_reported(hit.frame, &after) && turned.is_none();
                if is_reported || after.starts_with_quote(self.tokens) {
                    let confidence = if after.starts_with_quote(self.tokens) {
                        CONFIDENCE_ADJACENT
                    } else {
                        CONFIDENCE_CLAUSE
                    };
                    self.region(after.range, at, confidence);
                } else if is_verb && self.clause_before(at, left) {
                } else {
                    self.fragments(at);
                }
            }
        }
    }

    /// Whether the words after a cue are what it reports.
    fn is_reported(&self, frame: Frame, after: &After) -> bool {
        let Some(first) = self.tokens.get(after.range.start).filter(|_| !after.range.is_empty())
        else {
            return false;
        };
        after.has_that
            || after.starts_with_quote(self.tokens)
            || clauses::is_clause(self.text, self.tokens, &after.range)
            || frame == Frame::Report
                && after.range.len() >= 3
                && first.is_word()
                && !first.has(Tags::PREPOSITION | Tags::CONJUNCTION | Tags::SUBORDINATOR)
    }

    /// "“…,” said Lee" and "“…,” said the ministry": the source after a cue that follows its words or opens the line.
    fn turned_source(&self, at: usize) -> Option<Range<usize>> {
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

    fn first_piece_has_verb(&self, range: Range<usize>) -> bool {
        let first_comma =
            range.clone().find(|&at| self.tokens[at].kind == Kind::Comma).unwrap_or(range.end);
        let relative = (range.start..first_comma)
            .find(|&at| self.tokens[at].has(Tags::RELATIVE))
            .unwrap_or(first_comma);
        let is_adjunct = self.tokens[range.start].has(Tags::PREPOSITION | Tags::SUBORDINATOR);
        if is_adjunct && first_comma < range.end {
            return self.first_piece_has_verb(first_comma + 1..range.end);
        }
        sources::has_verb(self.text, self.tokens, range.start..relative)
    }

    /// What follows "said Lee": a quotation that goes on.
    fn after_turned(&self, at: usize, source: &Range<usize>) -> After {
        let mut start = clauses::skip_adjuncts(self.text, self.tokens, source.end);
        while self.tokens.get(start).is_some_and(|token| {
            matches!(token.kind, Kind::Comma | Kind::Colon) || token.has(Tags::CONJUNCTION)
        }) {
            start += 1;
        }
        if !self.tokens.get(start).is_some_and(Token::is_quote) {
            // "said Lee, the minister, “…”"
            let next = (source.end..self.tokens.len()).find(|&at| self.tokens[at].is_quote());
            start = match next {
                Some(next)
                    if matches!(self.tokens[next - 1].kind, Kind::Comma | Kind::Colon)
                        && !sources::has_verb(self.text, self.tokens, source.end..next) =>
                {
                    next
                }
                _ => self.tokens.len(),
            };
        }
        let end = clauses::end(self.text, self.tokens, self.hits, at, start);
        After { range: start..end.max(start), has_that: false }
    }

    fn source(&self, at: usize) -> Option<Range<usize>> {
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
                let Some(token) = joint_token else {
                    let comma = (cue..tokens.len()).find(|&at| tokens[at].kind == Kind::Comma)?;
                    return sources::subject(text, tokens, comma + 1, tokens.len());
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
                    if !sources::has_verb(text, tokens, low..cue) {
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
        let cue = self.hits[at].words.start;
        let verb = (0..cue).rev().take(12).find(|&verb| {
            matches!(
                self.text_of(verb),
                "quoted" | "cited" | "quotes" | "cites" | "quoting" | "citing"
            )
        })?;
        if verb > 0 && self.tokens[verb - 1].has(Tags::BE | Tags::ADVERB) {
            return sources::before(self.text, self.tokens, self.clause_floor(verb), verb);
        }
        sources::after(self.text, self.tokens, verb + 1).filter(|source| source.end < cue)
    }

    /// The start of the phrase that a participle may follow: after the last comma or "with".
    fn phrase_floor(&self, cue: usize) -> usize {
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
    fn clause_floor(&self, cue: usize) -> usize {
        (0..cue)
            .rev()
            .find(|&at| {
                matches!(self.tokens[at].kind, Kind::Semicolon | Kind::Stop | Kind::Colon)
                    || self.taken[at]
            })
            .map_or(0, |at| at + 1)
    }

    /// The end of what was taken before `position`.
    fn floor(&self, position: usize) -> usize {
        (0..position)
            .rev()
            .find(|&at| self.taken[at] || self.tokens[at].kind == Kind::Semicolon)
            .map_or(0, |at| at + 1)
    }

    /// Attributes the quotations right before a source or cue; says whether there were any.
    fn quotes_before(&mut self, at: usize, left: usize) -> bool {
        let mut last = left;
        while last > 0 && matches!(self.tokens[last - 1].kind, Kind::Comma | Kind::Dash)
            || last > 0 && last == left && self.tokens[last - 1].has(Tags::ADVERB)
        {
            last -= 1;
        }
        if last == 0 || !self.tokens[last - 1].is_quote() || self.taken[last - 1] {
            return false;
        }
        let floor = self.floor(last - 1);
        let lead = clauses::trim(self.tokens, floor..last - 1);
        let follows_break = last >= 2
            && matches!(
                self.tokens[last - 2].kind,
                Kind::Comma | Kind::Colon | Kind::Stop | Kind::Mark
            );
        let is_plain = lead.is_empty()
            || follows_break
            || self.tokens[lead.clone()].iter().all(|token| {
                token.is_quote() || token.has(Tags::ADVERB | Tags::CONJUNCTION) || !token.is_word()
            });
        if is_plain {
            for quote in (lead.start..last).filter(|&quote| self.tokens[quote].is_quote()) {
                if !self.taken[quote] && (quote + 1 == last || lead.is_empty() || !follows_break) {
                    self.push(QuoteKind::Direct, quote..quote + 1, at, CONFIDENCE_ADJACENT);
                }
            }
        } else {
            self.push(
                QuoteKind::Mixed,
                floor_words(self.tokens, floor..last),
                at,
                CONFIDENCE_CLAUSE,
            );
        }
        true
    }

    /// "The talks failed, the ministry said": the clause before source and cue.
    fn clause_before(&mut self, at: usize, left: usize) -> bool {
        if left == 0 || !matches!(self.tokens[left - 1].kind, Kind::Comma | Kind::Dash) {
            return false;
        }
        let floor = self.floor(left - 1);
        let range = clauses::trim(self.tokens, floor_words(self.tokens, floor..left - 1));
        if range.len() < 2 || !sources::has_verb(self.text, self.tokens, range.clone()) {
            return false;
        }
        let has_quote = self.tokens[range.clone()].iter().any(Token::is_quote);
        let kind = if has_quote { QuoteKind::Mixed } else { QuoteKind::Indirect };
        self.push(kind, range, at, CONFIDENCE_CLAUSE);
        true
    }

    /// "It is reported that …", "was described as “…” by …".
    fn passive(&mut self, at: usize, after: After) {
        let cue = self.hits[at].words.start;
        let is_impersonal = (0..cue)
            .rev()
            .find(|&before| !self.tokens[before].has(Tags::AUXILIARY | Tags::ADVERB))
            .is_some_and(|before| self.text_of(before).eq_ignore_ascii_case("it"));
        let has_clause = after.has_that || clauses::is_clause(self.text, self.tokens, &after.range);
        if is_impersonal && has_clause || self.sources[at].is_some() && after.has_that {
            self.region(after.range, at, CONFIDENCE_FRAGMENT);
        } else {
            self.fragments(at);
        }
    }

    /// Quoted words in the reach of a cue that names or acts: "called it “a mess”".
    fn fragments(&mut self, at: usize) {
        let start = self.hits[at].words.end;
        let end = clauses::end(self.text, self.tokens, self.hits, at, start.min(self.tokens.len()));
        let is_weak = self.sources[at].is_none() || self.hits[at].mood == Mood::Hypothetical;
        if is_weak && self.hits[at].mood != Mood::Participle {
            return;
        }
        for quote in start..end {
            if self.tokens[quote].is_quote() && !self.taken[quote] {
                self.push(QuoteKind::Direct, quote..quote + 1, at, CONFIDENCE_FRAGMENT);
            }
        }
    }

    /// Words that a cue reports: quotations alone, a clause with quoted words, or a clause.
    fn region(&mut self, range: Range<usize>, at: usize, confidence: f32) {
        let range = clauses::trim(self.tokens, range);
        if range.is_empty() || !self.is_free(&range) {
            return;
        }
        if !self.tokens[range.clone()].iter().any(Token::is_quote) {
            self.push(QuoteKind::Indirect, range, at, confidence);
            return;
        }
        if !self.tokens[range.start].is_quote() {
            self.push(QuoteKind::Mixed, range, at, confidence);
            return;
        }
        let mut next = range.start;
        let mut last_quote = range.start;
        while next < range.end {
            let token = &self.tokens[next];
            if token.is_quote() {
                last_quote = next;
            } else if !(token.has(Tags::CONJUNCTION)
                || matches!(token.kind, Kind::Comma | Kind::Mark)
                || self.text_of(next) == "that")
            {
                break;
            }
            next += 1;
        }
        let rest = last_quote + 1..range.end;
        if next == range.end || !self.goes_on(last_quote, &rest) {
            for quote in range.start..=last_quote {
                if self.tokens[quote].is_quote() {
                    self.push(QuoteKind::Direct, quote..quote + 1, at, confidence);
                }
            }
        } else {
            self.push(QuoteKind::Mixed, range, at, confidence.min(CONFIDENCE_CLAUSE));
        }
    }

    /// Whether the clause goes on after a quotation that begins it: "“no locked doors” where passengers would have been".
    fn goes_on(&self, quote: usize, rest: &Range<usize>) -> bool {
        let Some(first) = self.tokens.get(rest.start).filter(|_| !rest.is_empty()) else {
            return false;
        };
        let Kind::Quote(index) = self.tokens[quote].kind else { return false };
        let inner = self.quotations[index].inner.of(self.text).trim_end();
        first.is_word()
            && !inner.ends_with([',', '.', '!', '?', ';', ':'])
            && !first.has(Tags::CONJUNCTION)
            && clauses::skip_adjuncts(self.text, self.tokens, rest.start) < rest.end
    }

    /// Quotations that no cue reaches: after a colon, or a fragment in a clause with a subject.
    fn orphans(&mut self) {
        let has_words = self.tokens.iter().any(|token| token.is_word());
        if !has_words {
            return;
        }
        for quote in 0..self.tokens.len() {
            let Kind::Quote(index) = self.tokens[quote].kind else { continue };
            if self.taken[quote] {
                continue;
            }
            let inner = self.quotations[index].inner.of(self.text);
            let n_words = inner.split_whitespace().take(FRAGMENT_WORDS_MIN).count();
            let follows_colon =
                quote > 0 && matches!(self.tokens[quote - 1].kind, Kind::Colon | Kind::Semicolon);
            if n_words < FRAGMENT_WORDS_MIN && !follows_colon {
                continue;
            }
            let known = (0..self.hits.len())
                .rev()
                .find(|&at| self.hits[at].words.end <= quote && self.sources[at].is_some());
            let source = known
                .and_then(|at| self.sources[at].clone())
                .or_else(|| sources::subject(self.text, self.tokens, 0, quote));
            self.taken[quote] = true;
            self.found.push(Statement {
                kind: QuoteKind::Direct,
                content: quote..quote + 1,
                cue: known.map(|at| self.hits[at].words.clone()),
                source,
                confidence: CONFIDENCE_GUESS,
            });
        }
    }

    fn push(&mut self, kind: QuoteKind, content: Range<usize>, at: usize, confidence: f32) {
        self.taken[content.clone()].fill(true);
        self.found.push(Statement {
            kind,
            content,
            cue: Some(self.hits[at].words.clone()),
            source: self.sources[at].clone(),
            confidence,
        });
    }

    fn is_free(&self, range: &Range<usize>) -> bool {
        !self.taken[range.clone()].contains(&true)
    }

    fn text_of(&self, at: usize) -> &str {
        self.tokens[at].span.of(self.text)
    }
}

/// Without a conjunction or comma at the start.
fn floor_words(tokens: &[Token], range: Range<usize>) -> Range<usize> {
    let mut start = range.start;
    while start < range.end
        && (tokens[start].has(Tags::CONJUNCTION)
            || !(tokens[start].is_word()
                || tokens[start].is_quote()
                || tokens[start].kind == Kind::Mark))
    {
        start += 1;
    }
    start..range.end
}
