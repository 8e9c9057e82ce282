//! What the article says of each entity.
//!
//! In: entities with their mentions, and the quotes with their speakers. Out: a tone an entity.

use super::Tone;
use super::voices::{is_inside, words_of};
use crate::article::{Field, Span};
use crate::link::{LinkedQuote, Speaker};
use crate::stages::entities::{EntityType, Mention};
use crate::stages::sentiment::{Target, of_target};
use crate::stages::{Entity, Tones};
use crate::text::Segmented;

pub(in crate::link) fn of_entities(
    article: &Segmented,
    tones: &Tones,
    entities: &[Entity],
    quotes: &[LinkedQuote],
) -> Vec<Tone> {
    let own_words = own_words(entities.len(), quotes);
    let n_sentences = tones.sentences.len().max(1);
    entities
        .iter()
        .zip(&own_words)
        .map(|(entity, own_words)| {
            if entity.kind.is_value() {
                return Tone::default();
            }
            let sum: f32 = entity
                .mentions
                .iter()
                .map(|mention| of_mention(article, tones, mention, own_words))
                .sum();
            #[expect(clippy::cast_precision_loss, reason = "sentences are far fewer than 2^24")]
            let spread = (n_sentences as f32).sqrt();
            Tone { score: (weight_of(entity.kind) * sum / spread).tanh() }
        })
        .collect()
}

/// How much of what stands near a name of this kind is said about it: places and peoples are mostly the setting.
fn weight_of(kind: EntityType) -> f32 {
    match kind {
        EntityType::Gpe | EntityType::Loc | EntityType::Fac | EntityType::Norp => 0.4,
        _ => 1.0,
    }
}

fn of_mention(article: &Segmented, tones: &Tones, mention: &Mention, own_words: &[Span]) -> f32 {
    let segments = article.segments(mention.field);
    let first = segments.word_at(mention.span.start);
    let last = segments.word_at(mention.span.end.saturating_sub(1));
    let Some(word) = segments.words.get(first) else { return 0.0 };
    let sentence = &segments.sentences[word.sentence];
    let target = Target {
        sentence: sentence.words.clone(),
        words: first..(last + 1).min(sentence.words.end),
    };
    let text = article.article.field(mention.field);
    of_target(text, segments, words_of(tones, mention.field, sentence), &target, |word| {
        mention.field == Field::Headline || !is_inside(own_words, word.span)
    })
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
