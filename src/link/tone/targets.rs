//! What the article says of each entity, and where.
//!
//! In: entities with their mentions, and the quotes with their speakers. Out: a tone an entity, with the sentences that
//! carry it.

use super::Tone;
use super::voices::is_inside;
use crate::article::{Field, Span};
use crate::link::{LinkedQuote, Speaker};
use crate::stages::entities::{EntityType, Mention};
use crate::stages::sentiment::Target;
use crate::stages::{Entity, Tones};
use crate::text::Segmented;

/// Sentences that are named for an entity's tone, at most.
const EVIDENCE_MAX: usize = 3;
/// A sentence that says less than this share of what the strongest says is not named.
const EVIDENCE_SHARE_MIN: f32 = 0.5;

/// What the article says of an entity.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetTone {
    pub tone: Tone,
    /// The sentences that carry it, in text order, headline first; none for a neutral tone.
    pub evidence: Vec<(Field, Span)>,
}

pub(in crate::link) fn of_entities(
    article: &Segmented,
    tones: &Tones,
    entities: &[Entity],
    quotes: &[LinkedQuote],
) -> Vec<TargetTone> {
    let own_words = own_words(entities.len(), quotes);
    let n_sentences = tones.sentences.len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "sentences are far fewer than 2^24")]
    let spread = (n_sentences as f32).sqrt();
    let of_entity = |(entity, own_words): (&Entity, &Vec<Span>)| {
        if entity.kind.is_value() {
            return TargetTone::default();
        }
        let said: Vec<Said> = entity
            .mentions
            .iter()
            .filter_map(|mention| of_mention(article, tones, mention, own_words))
            .collect();
        let sum: f32 = said.iter().map(|said| said.score).sum();
        let tone = Tone { score: (weight_of(entity.kind) * sum / spread).tanh() };
        TargetTone { tone, evidence: evidence(&said, tone) }
    };
    entities.iter().zip(&own_words).map(of_entity).collect()
}

/// What one sentence says of an entity that it names.
#[derive(Debug, Clone, Copy)]
struct Said {
    field: Field,
    sentence: Span,
    score: f32,
}

/// The strongest sentences that say what the whole says.
fn evidence(said: &[Said], tone: Tone) -> Vec<(Field, Span)> {
    if tone.label() == Tone::default().label() {
        return Vec::new();
    }
    // A sentence with several mentions counts once; mentions are in text order.
    let mut sentences: Vec<Said> = Vec::new();
    for &next in said {
        match sentences.last_mut() {
            Some(last) if (last.field, last.sentence) == (next.field, next.sentence) => {
                last.score += next.score;
            }
            _ => sentences.push(next),
        }
    }
    let strength = |said: &Said| said.score * tone.score.signum();
    sentences.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    let least = sentences.first().map_or(0.0, strength) * EVIDENCE_SHARE_MIN;
    let mut found: Vec<(Field, Span)> = sentences
        .iter()
        .take(EVIDENCE_MAX)
        .filter(|said| strength(said) > 0.0 && strength(said) >= least)
        .map(|said| (said.field, said.sentence))
        .collect();
    found.sort_unstable();
    found
}

/// How much of what stands near a name of this kind is said about it: places and peoples are mostly the setting.
fn weight_of(kind: EntityType) -> f32 {
    match kind {
        EntityType::Gpe | EntityType::Loc | EntityType::Fac | EntityType::Norp => 0.4,
        _ => 1.0,
    }
}

/// `None` of a mention that lies in no sentence.
fn of_mention(
    article: &Segmented,
    tones: &Tones,
    mention: &Mention,
    own_words: &[Span],
) -> Option<Said> {
    let field = mention.field;
    let segments = article.segments(field);
    let first = segments.word_at(mention.span.start);
    let last = segments.word_at(mention.span.end.saturating_sub(1));
    let word = segments.words.get(first)?;
    let sentence = &segments.sentences[word.sentence];
    let target = Target {
        sentence: sentence.words.clone(),
        words: first..(last + 1).min(sentence.words.end),
    };
    let text = article.article.field(field);
    let score = tones.of_target((field, text), segments, &target, |word| {
        field == Field::Headline || !is_inside(own_words, word.span)
    });
    Some(Said { field, sentence: sentence.span, score })
}

/// For each entity, the spans of its own quotes in text order.
fn own_words(n_entities: usize, quotes: &[LinkedQuote]) -> Vec<Vec<Span>> {
    let mut own_words = vec![Vec::new(); n_entities];
    for linked in quotes {
        if let Speaker::Entity { entity, .. } = linked.speaker
            && let Some(spans) = own_words.get_mut(entity)
        {
            spans.extend(&linked.quote.segments);
        }
    }
    for spans in &mut own_words {
        spans.sort_unstable();
    }
    own_words
}
