//! What is said: the quotations and clauses that each cue of a line reports.
//!
//! In: a line under reading and a cue whose source is known. Out: statements, pushed onto the reading.

use std::ops::Range;

use super::super::QuoteKind;
use super::super::adjuncts;
use super::super::clauses::{self, After};
use super::super::cues::Mood;
use super::super::lexicon::Tags;
use super::super::phrases;
use super::super::sources;
use super::super::tokens::{Kind, Token};
use super::super::verbs;
use super::{
    CONFIDENCE_ADJACENT, CONFIDENCE_CLAUSE, CONFIDENCE_FRAGMENT, CONFIDENCE_GUESS,
    FRAGMENT_WORDS_MIN, Reading, Statement,
};

impl Reading<'_> {
    /// What follows "said Lee": a quotation that goes on.
    pub(super) fn after_turned(&self, at: usize, source: &Range<usize>) -> After {
        let mut start = adjuncts::skip_adjuncts(self.text, self.tokens, source.end);
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
                        && !verbs::has_verb(self.text, self.tokens, source.end..next) =>
                {
                    next
                }
                _ => self.tokens.len(),
            };
        }
        let end = clauses::end(self.text, self.tokens, self.hits, at, start);
        After { range: start..end.max(start), has_that: false }
    }

    /// Attributes the quotations right before a source or cue; says whether there were any.
    pub(super) fn quotes_before(&mut self, at: usize, left: usize) -> bool {
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

    /// "The talks failed, the ministry said": the clause before source and cue, and what follows a parenthesis ("The
    /// talks, the ministry said, failed").
    pub(super) fn clause_before(&mut self, at: usize, left: usize) -> bool {
        if left == 0 || !matches!(self.tokens[left - 1].kind, Kind::Comma | Kind::Dash) {
            return false;
        }
        let cue = self.hits[at].words.clone();
        let turned = self.sources[at].as_ref().is_some_and(|source| source.start >= cue.end);
        if !turned && !self.ends_after(at) {
            return false;
        }
        let floor = self.floor(left - 1);
        let range = clauses::trim(self.tokens, floor_words(self.tokens, floor..left - 1));
        let is_whole = self.is_whole(&range);
        let begins_clause =
            self.tokens.get(range.start).is_some_and(|first| first.has(Tags::SUBORDINATOR));
        let is_adjunct = range.is_empty() || phrases::is_adjunct(self.text, self.tokens, &range);
        let mut is_found = false;
        let close = match &self.sources[at] {
            Some(source) if turned => source.end,
            _ => cue.end,
        };
        if self.tokens.get(close).is_some_and(|next| next.kind == Kind::Comma) {
            let rest = close + 1..clauses::end(self.text, self.tokens, self.hits, at, close + 1);
            let first = self.tokens.get(rest.start);
            let goes_on = first.is_some_and(|first| {
                first.is_word()
                    && !first.has(Tags::CONJUNCTION | Tags::RELATIVE)
                    && !verbs::is_ing(self.text, first)
                    && (!is_whole || first.has(Tags::AUXILIARY) || self.text_of(rest.start) == "to")
            });
            if goes_on && rest.len() > 1 && self.is_free(&rest) {
                self.region(rest, at, CONFIDENCE_CLAUSE);
                is_found = true;
            }
        }
        let dangles = range.is_empty() || self.tokens[range.end - 1].has(Tags::RELATIVE);
        let counts = is_whole || begins_clause && is_found || !is_adjunct;
        if range.len() >= 2 && counts && !dangles {
            let has_quote = self.tokens[range.clone()].iter().any(Token::is_quote);
            let kind = if has_quote { QuoteKind::Mixed } else { QuoteKind::Indirect };
            self.push(kind, range, at, CONFIDENCE_CLAUSE);
            is_found = true;
        }
        is_found
    }

    /// Whether nothing that could be reported follows the cue: the line's end, a comma, or "in a statement" and then that.
    fn ends_after(&self, at: usize) -> bool {
        let hit = &self.hits[at];
        let after = clauses::after(self.text, self.tokens, self.hits, at).range;
        let is_end = |at: usize| self.tokens.get(at).is_none_or(|token| !token.is_word());
        is_end(hit.words.end)
            || is_end(adjuncts::skip_adjuncts(self.text, self.tokens, after.start))
    }

    /// Quoted words in the reach of a cue that names or acts: "called it “a mess”". The next cue has words of its own.
    pub(super) fn fragments(&mut self, at: usize) {
        let hit = &self.hits[at];
        if self.sources[at].is_none() && hit.mood != Mood::Participle
            || hit.mood == Mood::Hypothetical
        {
            return;
        }
        let start = hit.words.end;
        let next = self.hits[at + 1..].iter().find(|next| next.mood == Mood::Finite);
        let end = clauses::end(self.text, self.tokens, self.hits, at, start.min(self.tokens.len()));
        let end = next.map_or(end, |next| end.min(next.words.start));
        for quote in start..end {
            if self.tokens[quote].is_quote() && !self.taken[quote] {
                self.push(QuoteKind::Direct, quote..quote + 1, at, CONFIDENCE_FRAGMENT);
            }
        }
    }

    /// Words that a cue reports: quotations alone, a clause with quoted words, or a clause.
    pub(super) fn region(&mut self, range: Range<usize>, at: usize, confidence: f32) {
        let mut range = clauses::trim(self.tokens, range);
        if range.is_empty() || !self.is_free(&range) {
            return;
        }
        if let Some(that) = self.second_that(&range) {
            self.region(that + 1..range.end, at, confidence);
            range = clauses::trim(self.tokens, range.start..that);
        }
        if !self.tokens[range.clone()].iter().any(Token::is_quote) {
            self.push(QuoteKind::Indirect, range, at, confidence);
            return;
        }
        if !self.tokens[range.start].is_quote() {
            self.push(QuoteKind::Mixed, range, at, confidence.min(CONFIDENCE_CLAUSE));
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
        if next < range.end && self.goes_on(last_quote, &rest) {
            self.push(QuoteKind::Mixed, range, at, confidence.min(CONFIDENCE_CLAUSE));
            return;
        }
        for quote in range.start..=last_quote {
            if self.tokens[quote].is_quote() {
                self.push(QuoteKind::Direct, quote..quote + 1, at, confidence);
            }
        }
        if next < range.end && self.text_of(next - 1) == "that" {
            // "said that “we go”, and that the plan is dead": a second clause.
            self.region(next..range.end, at, confidence);
        }
    }

    /// ", and that": a second clause is reported.
    fn second_that(&self, range: &Range<usize>) -> Option<usize> {
        (range.start + 3..range.end).find(|&at| {
            self.text_of(at) == "that"
                && self.tokens[at - 1].has(Tags::CONJUNCTION)
                && self.tokens[at - 2].kind == Kind::Comma
        })
    }

    /// Whether the clause goes on after a quotation that begins it: "“no locked doors” where passengers would have been".
    pub(super) fn goes_on(&self, quote: usize, rest: &Range<usize>) -> bool {
        let Some(first) = self.tokens.get(rest.start).filter(|_| !rest.is_empty()) else {
            return false;
        };
        let Kind::Quote(index) = self.tokens[quote].kind else { return false };
        let inner = self.quotations[index].inner.of(self.text).trim_end();
        first.is_word()
            && !inner.ends_with([',', '.', '!', '?', ';', ':'])
            && !first.has(Tags::CONJUNCTION)
            && adjuncts::skip_adjuncts(self.text, self.tokens, rest.start) < rest.end
    }

    /// Quotations that no cue reaches: after a colon, or a fragment in a clause with a subject.
    pub(super) fn orphans(&mut self) {
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
            if n_words < FRAGMENT_WORDS_MIN {
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
