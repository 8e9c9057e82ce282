//! How much speaks for a run of words being a name of each kind.
//!
//! In: a candidate and what the article has said so far. Out: the best kind with its score, a rough log-odds against
//! "not a name". The knowledge base is evidence, not law.

use std::ops::Range;

use super::lists;
use super::memory::Memory;
use super::tokens::{FieldTokens, SentenceTokens, Token};
use super::{names, titles};
use crate::knowledge::{Name, NameType};
use crate::text::Shape;

/// A run of words that may be a name.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) field: &'a FieldTokens<'a>,
    pub(super) sentence: &'a SentenceTokens,
    pub(super) words: Range<usize>,
    pub(super) known: Option<Name>,
}

const KINDS: [NameType; 9] = [
    NameType::Person,
    NameType::Org,
    NameType::Gpe,
    NameType::Loc,
    NameType::Fac,
    NameType::Norp,
    NameType::Event,
    NameType::Product,
    NameType::Work,
];

/// The most probable kind of a candidate, or `None` when it cannot be a name.
pub(super) fn judge(candidate: &Candidate<'_>, memory: &Memory) -> Option<(NameType, f32)> {
    let facts = Facts::of(candidate, memory)?;
    let common = facts.common();
    KINDS
        .iter()
        .map(|&kind| (kind, common + facts.for_kind(kind) + memory.support(facts.surface, kind)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// What is seen of a candidate.
struct Facts<'a> {
    tokens: &'a [Token<'a>],
    surface: &'a str,
    known: Option<Name>,
    first: &'a Token<'a>,
    last: &'a Token<'a>,
    previous: Option<&'a Token<'a>>,
    next: Option<&'a Token<'a>>,
    n_names: usize,
    has_title: bool,
    /// The word before is a place or a nationality.
    previous_known: bool,
    is_person_word: bool,
    lower: f32,
    is_title_case: bool,
}

impl<'a> Facts<'a> {
    fn of(candidate: &Candidate<'a>, memory: &Memory) -> Option<Self> {
        let Candidate { field, sentence, words, known } = candidate;
        let tokens = &field.tokens[words.clone()];
        let (first, last) = (tokens.first()?, tokens.last()?);
        if lists::CALENDAR.contains(&first.folded.as_str()) || is_pronoun(&first.folded) {
            return None;
        }
        let bounds = &sentence.tokens;
        let previous = (words.start > bounds.start).then(|| &field.tokens[words.start - 1]);
        let next = (words.end < bounds.end).then(|| &field.tokens[words.end]);
        let lower = if memory.n_raised(&first.folded) > 0 {
            0.0
        } else if memory.n_lowered(&first.folded) > 0 {
            1.0
        } else {
            first.evidence.lower_share().unwrap_or(0.1)
        };
        Some(Self {
            tokens,
            surface: field.surface(words),
            known: *known,
            first,
            last,
            previous,
            next,
            n_names: tokens.iter().filter(|token| token.shape.is_name_like()).count(),
            has_title: names::has_title(field, sentence, words.start),
            previous_known: previous.is_some_and(|token| {
                matches!(
                    memory.kind_of(token.text),
                    Some(NameType::Gpe | NameType::Norp | NameType::Org)
                )
            }),
            is_person_word: tokens.len() == 1 && memory.is_person_word(&first.folded),
            lower,
            is_title_case: sentence.is_title_case,
        })
    }

    /// For a name of any kind, against common words with a capital.
    fn common(&self) -> f32 {
        let mut score = 0.6;
        let single = self.tokens.len() == 1;
        let known =
            self.known.is_some_and(|name| !single || name.prominence() > 3 || self.lower < 0.3);
        if self.first.is_initial || self.is_title_case {
            score -= if single { 4.0 * self.lower } else { 2.5 * self.lower };
        } else if self.first.shape == Shape::Capitalized && single {
            score -= 2.0 * self.lower;
        }
        if self.is_title_case && !known && !self.is_person_word {
            score -= 1.5;
        }
        if known {
            score += 1.0;
        }
        let inner =
            self.tokens.iter().filter(|t| t.shape == Shape::Lower || t.shape == Shape::Mark);
        #[expect(clippy::cast_precision_loss, reason = "a candidate has ten words at most")]
        let n_inner = inner.count() as f32;
        if !known {
            score -= 0.8 * n_inner;
        }
        let bad_start = matches!(
            self.first.folded.as_str(),
            "the" | "a" | "an" | "and" | "of" | "for" | "in" | "on" | "this" | "that"
        );
        if bad_start && !known {
            score -= 4.0;
        }
        if self.tokens.iter().any(|t| t.text == ",") && !known {
            score -= 4.0;
        }
        if self.tokens.iter().all(|t| titles::is_title_word(t) || !t.shape.is_name_like()) {
            score -= 5.0;
        }
        score -= self.neighbours();
        // A longer candidate must beat the sum of its parts.
        #[expect(clippy::cast_precision_loss, reason = "a candidate has ten words at most")]
        let n_names = self.n_names as f32;
        score + if known { 1.2 * (n_names - 1.0) } else { 0.5 * (n_names - 1.0) }
    }

    /// A capitalised neighbour probably belongs to the same name, unless it is a title, a place or a nationality.
    fn neighbours(&self) -> f32 {
        let stands_before_names = self.known.is_some_and(|name| {
            matches!(name.kind(), NameType::Gpe | NameType::Norp | NameType::Org)
        });
        let mut penalty = 0.0;
        if let Some(next) = self.next
            && next.shape.is_name_like()
        {
            penalty += if stands_before_names { 0.5 } else { 2.5 };
        }
        if let Some(previous) = self.previous
            && previous.shape.is_name_like()
            && !self.has_title
        {
            penalty += if self.previous_known { 0.5 } else { 2.5 };
        }
        penalty
    }

    fn for_kind(&self, kind: NameType) -> f32 {
        let known = self.known_as(kind);
        known
            + match kind {
                NameType::Person => self.person(),
                NameType::Org => self.org(),
                NameType::Gpe => self.place() + self.head(lists::GPE_HEADS, 1.5),
                NameType::Loc => self.place() + self.head(lists::LOC_HEADS, 3.0),
                NameType::Fac => self.head(lists::FAC_HEADS, 2.5) - 1.0,
                NameType::Norp => self.norp(),
                NameType::Event => self.head(lists::EVENT_HEADS, 2.5) - 1.0,
                NameType::Product => self.product(),
                NameType::Work | NameType::Other => self.head(lists::WORK_HEADS, 2.5) - 1.0,
            }
    }

    fn known_as(&self, kind: NameType) -> f32 {
        let Some(known) = self.known else { return 0.0 };
        let prominence = f32::from(known.prominence());
        if known.kind() == kind {
            let single_small =
                self.tokens.len() == 1 && kind == NameType::Gpe && known.prominence() < 6;
            if single_small { 0.8 } else { 1.5 + 0.15 * prominence }
        } else if known.can_be(kind) {
            0.7
        } else {
            0.0
        }
    }

    fn person(&self) -> f32 {
        let mut score = -0.3;
        let given = f32::from(self.first.evidence.given_name());
        let family = f32::from(self.last.evidence.family_name());
        if (2..=4).contains(&self.tokens.len()) && self.n_names > 1 {
            score += 0.35 * given + 0.2 * family;
            if self.last.evidence.lower_share().is_none_or(|share| share < 0.2) {
                score += 0.5;
            }
        } else if self.tokens.len() == 1 {
            score += 0.1 * given + 0.15 * family;
        }
        if self.has_title {
            score += 2.5;
        }
        if titles::is_title_word(self.first) {
            score -= 4.0;
        }
        if self.is_person_word {
            score += 3.5;
        }
        // "Donald" before "Trump", which the text also writes alone.
        if self.next.is_some_and(|t| t.shape.is_name_like()) && self.tokens.len() == 1 {
            score -= 3.0;
        }
        if self.tokens.iter().any(|t| {
            matches!(t.folded.as_str(), "of" | "the" | "and" | "for") || t.shape == Shape::Number
        }) {
            score -= 4.0;
        }
        if self.tokens.iter().any(|t| is_head(&t.folded)) && self.tokens.len() > 1 {
            score -= 1.5;
        }
        if self.next.is_some_and(|t| lists::SPEECH_VERBS.contains(&t.folded.as_str())) {
            score += 0.5;
        }
        if self.last.shape == Shape::AllCaps && !self.is_title_case {
            score -= 1.5;
        }
        score
    }

    fn org(&self) -> f32 {
        let mut score = -0.1;
        let heads = self.head(lists::ORG_HEADS, 2.5);
        score += heads;
        if self.tokens.len() == 1 && self.first.shape == Shape::AllCaps && !self.is_title_case {
            score += 1.2;
        }
        if self.first.shape == Shape::Mixed {
            score += 0.5;
        }
        if self.previous.is_some_and(|t| t.folded == "the") {
            score += 0.3;
        }
        if self.is_person_word {
            score -= 1.0;
        }
        score
    }

    fn place(&self) -> f32 {
        let mut score = -0.4;
        if self.previous.is_some_and(|t| lists::PLACE_PREPOSITIONS.contains(&t.text)) {
            score += 0.9;
        }
        if self.has_title {
            score -= 1.5;
        }
        if self.next.is_some_and(|t| lists::SPEECH_VERBS.contains(&t.folded.as_str())) {
            score -= 0.5;
        }
        score
    }

    fn norp(&self) -> f32 {
        let plural_or_adjective =
            ["ans", "ian", "ians", "ish", "ese", "ist", "ists", "crat", "crats", "ite", "ites"];
        let suffix = plural_or_adjective.iter().any(|suffix| self.last.folded.ends_with(suffix));
        match self.known.map(Name::kind) {
            Some(NameType::Norp) => 1.0,
            _ if suffix && self.tokens.len() == 1 => -0.2,
            _ => -2.0,
        }
    }

    fn product(&self) -> f32 {
        let has_digits = self.tokens.iter().any(|t| t.text.contains(|c: char| c.is_ascii_digit()));
        if has_digits { 0.8 } else { -1.5 }
    }

    fn head(&self, heads: &[&str], weight: f32) -> f32 {
        let is = |token: &Token<'_>| heads.contains(&token.folded.as_str());
        let before_of = self.tokens.windows(2).any(|pair| pair[1].text == "of" && is(&pair[0]));
        if self.tokens.len() > 1 && (is(self.last) || before_of) {
            weight
        } else if self.tokens.len() > 1 && is(self.first) {
            weight * 0.5
        } else {
            0.0
        }
    }
}

/// "I’m", "I’ve": a capital that means nothing anywhere.
fn is_pronoun(folded: &str) -> bool {
    matches!(folded, "i" | "im" | "ive" | "ill" | "id")
}

fn is_head(folded: &str) -> bool {
    [lists::ORG_HEADS, lists::FAC_HEADS, lists::LOC_HEADS, lists::EVENT_HEADS, lists::WORK_HEADS]
        .iter()
        .any(|heads| heads.contains(&folded))
}
