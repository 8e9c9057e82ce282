//! Speakers to entities.
//!
//! In: quotes with the source as written, and the article's entities. Out: one [`Speaker`] a quote, in order.

use super::{Speaker, Unattributed};
use crate::article::Field;
use crate::stages::quotes::Source;
use crate::stages::{Entity, Quote, StageOutcome, StageResult};
use crate::text::Segmented;

pub(super) fn resolve(
    _article: &Segmented,
    entities: &StageResult<Vec<Entity>>,
    quotes: &[Quote],
) -> Vec<Speaker> {
    quotes
        .iter()
        .map(|quote| match quote.source {
            Source::Written(span) => {
                if entities.outcome != StageOutcome::Ok {
                    return Speaker::Unattributed {
                        mention: Some(span),
                        reason: Unattributed::EntitiesMissing,
                    };
                }
                let named = entities.value.iter().position(|entity| {
                    entity.mentions.iter().any(|m| m.field == Field::Text && span.contains(m.span))
                });
                match named {
                    Some(entity) => Speaker::Entity {
                        entity,
                        mention: Some(span),
                        confidence: quote.confidence,
                    },
                    None => Speaker::Unattributed {
                        mention: Some(span),
                        reason: Unattributed::Anonymous,
                    },
                }
            }
            Source::SameAsPrevious | Source::Unstated => {
                Speaker::Unattributed { mention: None, reason: Unattributed::NoSource }
            }
        })
        .collect()
}
