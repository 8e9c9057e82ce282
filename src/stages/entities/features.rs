//! What is seen of a candidate, as hashed features.
//!
//! In: a candidate in its sentence, and what the article's first pass remembers. Out: 64-bit hashes, a fixed set of
//! templates for each candidate. The trainer and the stage call the same code, so that they see the same.

use std::ops::Range;

use super::candidates::Candidate;
use super::memory::Memory;
use super::titles;
use super::tokens::{FieldTokens, SentenceTokens, Token};
use crate::knowledge::Name;
use crate::text::Shape;

/// What candidates of one sentence share.
#[derive(Debug)]
pub(super) struct Context<'a> {
    field: &'a FieldTokens<'a>,
    sentence: &'a SentenceTokens,
    /// For every word of the sentence, the longest candidate of several words that the knowledge base knows.
    covers: Vec<Option<Cover>>,
    /// For every word, how many words before it are a person's title.
    titles: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Cover {
    words: Range<usize>,
    name: Name,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        field: &'a FieldTokens<'a>,
        sentence: &'a SentenceTokens,
        candidates: &[Candidate],
    ) -> Self {
        let bounds = &sentence.tokens;
        let mut covers: Vec<Option<Cover>> = vec![None; bounds.len()];
        for candidate in candidates.iter().filter(|candidate| candidate.words.len() > 1) {
            let Some(name) = candidate.known else { continue };
            for cover in &mut covers
                [candidate.words.start - bounds.start..candidate.words.end - bounds.start]
            {
                if cover.as_ref().is_none_or(|known| known.words.len() < candidate.words.len()) {
                    *cover = Some(Cover { words: candidate.words.clone(), name });
                }
            }
        }
        let titles = bounds
            .clone()
            .map(|at| {
                let may_start = field.tokens[at].shape.is_name_like();
                if may_start { titles::n_tokens_before(&field.tokens, at, bounds.start) } else { 0 }
            })
            .collect();
        Self { field, sentence, covers, titles }
    }

    fn token(&self, at: usize) -> Option<&'a Token<'a>> {
        self.sentence.tokens.contains(&at).then(|| &self.field.tokens[at])
    }
}

/// The kinds of features: each has its own space of hashes.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Template {
    Bias,
    Shapes,
    Initial,
    Surface,
    FirstWord,
    LastWord,
    InnerWord,
    LastTwo,
    FirstTwo,
    FirstPrefix,
    FirstSuffix,
    LastPrefix,
    LastSuffix,
    LastPattern,
    Previous,
    PreviousTwo,
    Next,
    NextTwo,
    Around,
    Second,
    SecondNext,
    PreviousClass,
    NextClass,
    NeighbourShapes,
    Title,
    Known,
    KnownAlso,
    KnownInitial,
    Unknown,
    Covered,
    Crossed,
    Contains,
    FirstKnown,
    LastKnown,
    PreviousKnown,
    NextKnown,
    GivenFamily,
    GivenOnly,
    FamilyOnly,
    FirstLower,
    LastLower,
    LowerMax,
    FirstFrequency,
    FirstClass,
    LastClass,
    HeadBeforeOf,
    Connectors,
    Marks,
    TitleCase,
    TitleCaseLower,
    Quoted,
    Votes,
    VoteCount,
    PartOfName,
    AcronymOf,
    Lowered,
    Raised,
}

struct Emitter<'f, F: FnMut(u64)> {
    sink: &'f mut F,
}

impl<F: FnMut(u64)> Emitter<'_, F> {
    fn add(&mut self, template: Template, a: u32, b: u32) {
        // A multiply-xorshift mix: values are hashes or small numbers, and the table wants even high bits.
        let mut x = u64::from(a) << 32 | u64::from(b);
        x ^= (template as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ x >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        x = (x ^ x >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (self.sink)(x ^ x >> 32);
    }
}

/// Features that a candidate has by itself and by its sentence.
pub(super) fn of<F: FnMut(u64)>(context: &Context<'_>, candidate: &Candidate, sink: &mut F) {
    let tokens = &context.field.tokens[candidate.words.clone()];
    let mut out = Emitter { sink };
    words(tokens, &mut out);
    surroundings(context, candidate, &mut out);
    knowledge(context, candidate, tokens, &mut out);
    evidence(context, candidate, tokens, &mut out);
}

/// Features that come from the article's first pass.
pub(super) fn of_memory<F: FnMut(u64)>(
    field: &FieldTokens<'_>,
    candidate: &Candidate,
    memory: &Memory,
    sink: &mut F,
) {
    use Template::*;
    let tokens = &field.tokens[candidate.words.clone()];
    let mut out = Emitter { sink };
    let len = small(tokens.len(), 3);
    if let Some(votes) = memory.votes(field.surface(&candidate.words)) {
        for (kind, &share) in votes.shares.iter().enumerate() {
            if share >= 0.05 {
                out.add(Votes, quarter(share), small(kind, 15));
            }
        }
        out.add(VoteCount, small(votes.n_seen, 3), quarter(votes.shares.iter().sum()));
    }
    let first = &tokens[0];
    if tokens.len() == 1 {
        for part in memory.parts(&first.folded) {
            out.add(PartOfName, part, len);
        }
        if let Some(kind) =
            memory.acronym(&first.folded).filter(|_| first.shape != Shape::Capitalized)
        {
            out.add(AcronymOf, small(kind, 15), 0);
        }
    }
    let initial = u32::from(first.is_initial);
    out.add(Lowered, small(memory.n_lowered(&first.folded), 2), initial << 2 | len);
    out.add(Raised, small(memory.n_raised(&first.folded), 2), initial << 2 | len);
}

fn words<F: FnMut(u64)>(tokens: &[Token<'_>], out: &mut Emitter<'_, F>) {
    use Template::*;
    let (first, last) = (&tokens[0], &tokens[tokens.len() - 1]);
    let len = small(tokens.len(), 6);
    out.add(Bias, 0, 0);
    out.add(Bias, 1, len);
    let shapes = tokens.iter().fold(7u32, |hash, token| {
        let code = if token.shape.is_name_like() || token.shape == Shape::Number {
            token.hashes.pattern
        } else {
            token.shape as u32
        };
        hash.wrapping_mul(0x0100_0193) ^ code
    });
    out.add(Shapes, shapes, 0);
    out.add(Initial, u32::from(first.is_initial), len << 3 | first.shape as u32);
    let surface =
        tokens.iter().fold(3u32, |hash, token| hash.wrapping_mul(0x0100_0193) ^ token.hashes.word);
    out.add(Surface, surface, 0);
    out.add(FirstWord, first.hashes.word, u32::from(tokens.len() > 1));
    out.add(LastWord, last.hashes.word, u32::from(tokens.len() > 1));
    for token in &tokens[1..tokens.len().max(2) - 1] {
        out.add(InnerWord, token.hashes.word, 0);
    }
    if tokens.len() > 1 {
        out.add(LastTwo, tokens[tokens.len() - 2].hashes.word, last.hashes.word);
        out.add(FirstTwo, first.hashes.word, tokens[1].hashes.word);
    }
    let several = u32::from(tokens.len() > 1);
    out.add(FirstPrefix, first.hashes.prefix, several);
    out.add(FirstSuffix, first.hashes.suffix, several);
    out.add(LastPrefix, last.hashes.prefix, several);
    out.add(LastSuffix, last.hashes.suffix, several);
    out.add(LastPattern, last.hashes.pattern, len);
}

fn surroundings<F: FnMut(u64)>(
    context: &Context<'_>,
    candidate: &Candidate,
    out: &mut Emitter<'_, F>,
) {
    use Template::*;
    let words = &candidate.words;
    let word = |token: Option<&Token<'_>>| token.map_or(0, |token| token.hashes.word);
    let before = |n: usize| words.start.checked_sub(n).and_then(|at| context.token(at));
    let after = |n: usize| context.token(words.end + n - 1);
    let (previous, second) = (before(1), before(2));
    let (next, second_next) = (after(1), after(2));
    let len = small(words.len(), 3);
    out.add(Previous, word(previous), 0);
    out.add(Previous, word(previous), len);
    out.add(PreviousTwo, word(second), word(previous));
    out.add(Next, word(next), 0);
    out.add(Next, word(next), len);
    out.add(NextTwo, word(next), word(second_next));
    out.add(Around, word(previous), word(next));
    out.add(Second, word(second), 0);
    out.add(SecondNext, word(second_next), 0);
    let class = |token: Option<&Token<'_>>| {
        token.map_or(u32::from(u16::MAX), |token| u32::from(token.classes.bits()))
    };
    out.add(PreviousClass, class(previous), 0);
    out.add(NextClass, class(next), 0);
    let shape = |token: Option<&Token<'_>>| token.map_or(9, |token| token.shape as u32);
    out.add(NeighbourShapes, shape(previous) << 4 | shape(next), len);
    out.add(NeighbourShapes, shape(previous) | 256, 0);
    out.add(NeighbourShapes, shape(next) | 512, 0);
    let title = context.titles[words.start - context.sentence.tokens.start];
    out.add(Title, small(title, 2), len);
    let opens = previous.is_some_and(|token| matches!(token.text, "“" | "\"" | "‘" | "'" | "«"));
    let closes = next.is_some_and(|token| matches!(token.text, "”" | "\"" | "’" | "'" | "»"));
    out.add(Quoted, u32::from(opens) << 1 | u32::from(closes), len);
}

fn knowledge<F: FnMut(u64)>(
    context: &Context<'_>,
    candidate: &Candidate,
    tokens: &[Token<'_>],
    out: &mut Emitter<'_, F>,
) {
    use Template::*;
    let len = small(tokens.len(), 3);
    let first = &tokens[0];
    match candidate.known {
        Some(name) => {
            let kind = name.kind() as u32;
            out.add(Known, kind, len);
            out.add(Known, kind << 8 | u32::from(name.prominence()), 16);
            out.add(Known, kind << 8 | u32::from(name.prominence()), 32 | len);
            out.add(KnownInitial, kind, u32::from(first.is_initial) << 8 | lower(first));
            let also = crate::knowledge::NameType::ALL.iter().enumerate();
            for (other, _) in
                also.filter(|(_, other)| name.can_be(**other) && **other != name.kind())
            {
                out.add(KnownAlso, small(other, 15), kind);
            }
        }
        None => out.add(Unknown, len, u32::from(first.is_initial)),
    }
    let sentence = context.sentence.tokens.start;
    let cover_of = |at: usize| context.covers[at - sentence].as_ref();
    let (start, end) = (candidate.words.start, candidate.words.end);
    for cover in [cover_of(start), cover_of(end - 1)].into_iter().flatten() {
        let kind = cover.name.kind() as u32;
        if cover.words.start <= start && end <= cover.words.end {
            if cover.words != candidate.words {
                out.add(Covered, kind, len);
                out.add(Covered, u32::from(cover.name.prominence()) | 256, kind);
            }
        } else if start <= cover.words.start && cover.words.end <= end {
            out.add(
                Contains,
                kind,
                u32::from(cover.words.start == start) << 1 | u32::from(cover.words.end == end),
            );
        } else {
            out.add(Crossed, kind, 0);
        }
    }
    let kind_of = |token: Option<&Token<'_>>| {
        token.and_then(|token| token.known).map_or(15, |name| name.kind() as u32)
    };
    if tokens.len() > 1 {
        out.add(FirstKnown, kind_of(tokens.first()), len);
        out.add(LastKnown, kind_of(tokens.last()), len);
    }
    let previous = start.checked_sub(1).and_then(|at| context.token(at));
    out.add(
        PreviousKnown,
        kind_of(previous),
        u32::from(previous.is_some_and(|token| token.shape.is_name_like())),
    );
    let next = context.token(end);
    out.add(
        NextKnown,
        kind_of(next),
        u32::from(next.is_some_and(|token| token.shape.is_name_like())),
    );
}

fn evidence<F: FnMut(u64)>(
    context: &Context<'_>,
    candidate: &Candidate,
    tokens: &[Token<'_>],
    out: &mut Emitter<'_, F>,
) {
    use Template::*;
    let len = small(tokens.len(), 3);
    let (first, last) = (&tokens[0], &tokens[tokens.len() - 1]);
    let given = u32::from(first.evidence.given_name());
    let family = u32::from(last.evidence.family_name());
    out.add(GivenFamily, given << 4 | family, len);
    out.add(GivenOnly, given, len);
    out.add(FamilyOnly, family, len);
    let initial = u32::from(first.is_initial);
    out.add(FirstLower, lower(first), initial << 4 | len);
    out.add(LastLower, lower(last), len);
    let names = tokens.iter().filter(|token| token.shape.is_name_like() && !token.is_initial);
    out.add(LowerMax, names.map(lower).max().unwrap_or(15), len);
    out.add(
        FirstFrequency,
        u32::from(first.evidence.frequency()) << 4 | lower(first),
        initial << 4 | len,
    );
    out.add(FirstClass, u32::from(first.classes.bits()), len);
    out.add(LastClass, u32::from(last.classes.bits()), len);
    let head = tokens.windows(2).find(|pair| pair[1].folded == "of");
    if let Some(pair) = head {
        out.add(HeadBeforeOf, u32::from(pair[0].classes.bits()), 0);
        out.add(HeadBeforeOf, pair[0].hashes.word, 1);
    }
    for token in tokens {
        match token.shape {
            Shape::Lower => out.add(Connectors, token.hashes.word, 0),
            Shape::Mark | Shape::Possessive => out.add(Marks, token.hashes.word, 0),
            Shape::Number => out.add(Marks, 1, u32::from(std::ptr::eq(token, first))),
            Shape::Capitalized | Shape::AllCaps | Shape::Mixed => {}
        }
    }
    if context.sentence.is_title_case {
        out.add(TitleCase, len, u32::from(candidate.known.is_some()));
        out.add(TitleCaseLower, lower(first), lower(last));
    }
}

/// How often the word is lower-cased elsewhere: 15 when nobody has seen it.
fn lower(token: &Token<'_>) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of six")]
    token.evidence.lower_share().map_or(15, |share| (share * 6.0).round() as u32)
}

/// A share in five steps, so that a feature fires often enough to be learned.
fn quarter(share: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 4")]
    let steps = (share.clamp(0.0, 1.0) * 4.0).round() as u32;
    steps
}

fn small(value: usize, max: u32) -> u32 {
    u32::try_from(value).unwrap_or(max).min(max)
}
