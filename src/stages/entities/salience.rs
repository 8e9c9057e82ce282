//! How much an article is about each entity.
//!
//! In: entities with their mentions. Out: `salience` in [0, 1], from frequency, place and headline.

use super::Entity;
use crate::article::Field;

/// A mention in the headline is worth this many in the text: an editor chose it.
const HEADLINE_WEIGHT: f32 = 3.0;
/// The first mention's place counts as much as this many further mentions.
const LEAD_WEIGHT: f32 = 2.0;

pub(super) fn score(entities: &mut [Entity], text_bytes: usize) {
    let weights: Vec<f32> = entities.iter().map(|entity| weight(entity, text_bytes)).collect();
    let total: f32 = weights.iter().sum();
    for (entity, weight) in entities.iter_mut().zip(weights) {
        entity.salience = if total > 0.0 { weight / total } else { 0.0 };
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "positions are shares of the text, counts are small"
)]
fn weight(entity: &Entity, text_bytes: usize) -> f32 {
    if entity.kind.is_value() {
        return 0.0;
    }
    let in_headline = entity.mentions.iter().any(|mention| mention.field == Field::Headline);
    let in_text: Vec<_> = entity.mentions.iter().filter(|m| m.field == Field::Text).collect();
    let first = in_text.iter().map(|mention| mention.span.start).min();
    let lead = first.map_or(0.0, |at| 1.0 - at as f32 / text_bytes.max(1) as f32);
    in_text.len() as f32 + LEAD_WEIGHT * lead + if in_headline { HEADLINE_WEIGHT } else { 0.0 }
}
