//! "He", "she", "it" and "they": whom the article last made them.
//!
//! In: a pronoun that speaks. Out: the entity that stands out among those before it, or why none does.

use super::phrases::Pronoun;
use super::scene::Scene;
use crate::article::Span;
use crate::link::Unattributed;
use crate::stages::Quote;
use crate::stages::entities::{EntityType, Gender};
use crate::text::Shape;

/// How far back a pronoun reaches, in the narrator's sentences.
const SENTENCES_MAX: usize = 5;
/// Most mentions that are weighed: work a pronoun stays bounded.
const MENTIONS_MAX: usize = 60;

/// Weights of the evidence, in sentences of distance; chosen on the annotated training articles.
const SUBJECT: f32 = 0.8;
const OWNER: f32 = -0.3;
const SPEAKER: f32 = 0.5;
const GENDER: f32 = 0.6;
/// The best must lead the next by this much, or it is a guess.
const MARGIN: f32 = 0.15;

pub(super) fn resolve(
    scene: &Scene<'_>,
    quote: &Quote,
    span: Span,
    pronoun: Pronoun,
) -> Result<usize, Unattributed> {
    match pronoun {
        Pronoun::He => person(scene, quote, span, Gender::Male),
        Pronoun::She => person(scene, quote, span, Gender::Female),
        Pronoun::It | Pronoun::They => body(scene, span),
        Pronoun::Other => Err(Unattributed::Ambiguous),
    }
}

/// The person of that sex who stands out before `span`.
fn person(
    scene: &Scene<'_>,
    quote: &Quote,
    span: Span,
    gender: Gender,
) -> Result<usize, Unattributed> {
    let mut scores: Vec<(usize, f32)> = Vec::new();
    let mut note = |entity: usize, score: f32| match scores.iter_mut().find(|(e, _)| *e == entity) {
        Some((_, best)) => *best = best.max(score),
        None => scores.push((entity, score)),
    };
    let fits = |entity: usize| {
        let entity = &scene.entities[entity];
        entity.kind == EntityType::Person && entity.gender.is_none_or(|known| known == gender)
    };
    let bonus = |entity: usize| {
        if scene.entities[entity].gender == Some(gender) { GENDER } else { 0.0 }
    };
    for sighting in scene.mentions_before(span.start).take(MENTIONS_MAX) {
        let distance = scene.distance(sighting.span.start, span.start);
        if distance > SENTENCES_MAX {
            break;
        }
        let is_own = quote.segments.iter().any(|segment| segment.contains(sighting.span));
        if !fits(sighting.entity) || is_own || scene.is_quoted(sighting.span) {
            continue;
        }
        let place = if is_subject(scene, sighting.span) {
            SUBJECT
        } else if is_owner(scene, sighting.span) {
            OWNER
        } else {
            0.0
        };
        note(sighting.entity, place + bonus(sighting.entity) - steps(distance));
    }
    for (place, entity) in scene.spoken().take(3) {
        let distance = scene.distance(place.start.min(span.start), span.start);
        let Some(entity) = entity.filter(|&entity| fits(entity) && distance <= SENTENCES_MAX)
        else {
            continue;
        };
        note(entity, SUBJECT + SPEAKER + bonus(entity) - steps(distance));
    }
    choose(&mut scores)
}

#[allow(clippy::cast_precision_loss, reason = "at most SENTENCES_MAX")]
fn steps(distance: usize) -> f32 {
    distance as f32
}

fn choose(scores: &mut [(usize, f32)]) -> Result<usize, Unattributed> {
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    match *scores {
        [] => Err(Unattributed::Ambiguous),
        [(_, first), (_, second), ..] if first - second < MARGIN => Err(Unattributed::Ambiguous),
        [(best, _), ..] => Ok(best),
    }
}

/// Whether the mention is the first of its sentence's persons, no owner, and not brought by a preposition.
fn is_subject(scene: &Scene<'_>, span: Span) -> bool {
    let sentence = &scene.segments.sentences[scene.segments.sentence_at(span.start)];
    let first_person = scene
        .mentions_in(sentence.span)
        .iter()
        .filter(|sighting| scene.entities[sighting.entity].kind == EntityType::Person)
        .find(|sighting| !is_owner(scene, sighting.span));
    let words = scene.segments.words_in(Span::new(sentence.span.start, span.start));
    let is_brought = scene.segments.words[words].iter().rev().take(2).any(|word| {
        matches!(
            word.span.of(scene.text),
            "by" | "with" | "to" | "from" | "for" | "against" | "about" | "By" | "With"
        )
    });
    !is_brought && first_person.is_some_and(|first| first.span == span)
}

fn is_owner(scene: &Scene<'_>, span: Span) -> bool {
    let after = scene.segments.word_at(span.end);
    scene.segments.words.get(after).is_some_and(|next| next.shape == Shape::Possessive)
}

/// The organisation or state that spoke last; "they" after people without a name are those.
fn body(scene: &Scene<'_>, span: Span) -> Result<usize, Unattributed> {
    let is_body = |entity: usize| {
        matches!(scene.entities[entity].kind, EntityType::Org | EntityType::Gpe | EntityType::Norp)
    };
    match scene.spoken().next() {
        Some((place, speaker)) if scene.distance(place.start.min(span.start), span.start) <= 2 => {
            match speaker {
                Some(entity) if is_body(entity) => Ok(entity),
                Some(_) => Err(Unattributed::Ambiguous),
                None => Err(Unattributed::Anonymous),
            }
        }
        _ => Err(Unattributed::Ambiguous),
    }
}
