//! Speakers to entities.
//!
//! In: quotes with the source as written, and the article's entities. Out: one [`Speaker`] a quote, in order. A name
//! speaks for its bearer, a spokesman without a name for his organisation, "the president" and "she" for whoever the
//! article makes them; where two could be meant, nobody is named: a gap is better than words in the wrong mouth.

mod descriptions;
mod phrases;
mod pronouns;
mod scene;

use super::{Speaker, Unattributed};
use crate::article::Span;
use crate::stages::quotes::Source;
use crate::stages::{Entity, Quote, StageOutcome, StageResult};
use crate::text::Segmented;
use phrases::Phrase;
use scene::Scene;

pub(super) fn resolve(
    article: &Segmented,
    entities: &StageResult<Vec<Entity>>,
    quotes: &[Quote],
) -> Vec<Speaker> {
    if entities.outcome != StageOutcome::Ok {
        return quotes.iter().map(unresolved).collect();
    }
    let mut scene = Scene::new(article, &entities.value, quotes);
    let mut speakers: Vec<Speaker> = Vec::with_capacity(quotes.len());
    for (at, quote) in quotes.iter().enumerate() {
        let speaker = match quote.source {
            Source::Written(span) => written(&mut scene, quote, span),
            Source::SameAsPrevious => same(at, quotes, &speakers),
            Source::Unstated => {
                Speaker::Unattributed { mention: None, reason: Unattributed::NoSource }
            }
        };
        speakers.push(speaker);
    }
    speakers
}

/// How sure an attribution is, by the way it was found.
const CONFIDENCE_NAMED: f32 = 0.97;
const CONFIDENCE_DESCRIBED: f32 = 0.8;
const CONFIDENCE_PRONOUN: f32 = 0.8;
const CONFIDENCE_CONTINUED: f32 = 0.9;

fn written(scene: &mut Scene<'_>, quote: &Quote, span: Span) -> Speaker {
    let found = match phrases::read(scene, span) {
        Phrase::Named(entity) => Ok((entity, CONFIDENCE_NAMED)),
        Phrase::Pronoun(pronoun) => pronouns::resolve(scene, quote, span, pronoun)
            .map(|entity| (entity, CONFIDENCE_PRONOUN)),
        Phrase::Described(head) => {
            descriptions::resolve(scene, span, head).map(|entity| (entity, CONFIDENCE_DESCRIBED))
        }
        Phrase::Nameless => Err(Unattributed::Anonymous),
        Phrase::UnknownName => Err(Unattributed::EntitiesMissing),
    };
    match found {
        Ok((entity, confidence)) => {
            scene.speaks(span, entity);
            Speaker::Entity { entity, mention: Some(span), confidence }
        }
        Err(reason) => {
            scene.somebody_speaks(span);
            Speaker::Unattributed { mention: Some(span), reason }
        }
    }
}

/// The speaker of the quote before; its mention only where that is in sight, in the same paragraph.
fn same(at: usize, quotes: &[Quote], speakers: &[Speaker]) -> Speaker {
    let Some(before) = at.checked_sub(1) else {
        return Speaker::Unattributed { mention: None, reason: Unattributed::NoSource };
    };
    let is_near = quotes[at].cue.is_some();
    match speakers[before] {
        Speaker::Entity { entity, mention, confidence } => Speaker::Entity {
            entity,
            mention: mention.filter(|_| is_near),
            confidence: confidence * CONFIDENCE_CONTINUED,
        },
        Speaker::Unattributed { mention, reason } => {
            Speaker::Unattributed { mention: mention.filter(|_| is_near), reason }
        }
    }
}

fn unresolved(quote: &Quote) -> Speaker {
    let (mention, reason) = match quote.source {
        Source::Written(span) => (Some(span), Unattributed::EntitiesMissing),
        Source::SameAsPrevious => (None, Unattributed::EntitiesMissing),
        Source::Unstated => (None, Unattributed::NoSource),
    };
    Speaker::Unattributed { mention, reason }
}
