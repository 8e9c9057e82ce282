//! "The president", "the agency": what the article calls those it names.
//!
//! In: a definite description that speaks, and its head noun. Out: the one entity that it fits, or why none does.

use super::scene::Scene;
use crate::article::Span;
use crate::link::Unattributed;
use crate::stages::Quote;
use crate::stages::entities::EntityType;

/// How far back a description of a body reaches, in the narrator's sentences.
const SENTENCES_MAX: usize = 6;
const MENTIONS_MAX: usize = 80;

/// Heads for a body of any name.
const BODIES: &[&str] = &[
    "airline",
    "broadcaster",
    "company",
    "firm",
    "group",
    "manufacturer",
    "network",
    "newspaper",
    "organisation",
    "organization",
    "outlet",
    "paper",
    "party",
    "publication",
    "union",
    "website",
];

pub(super) fn resolve(
    scene: &Scene<'_>,
    quote: &Quote,
    span: Span,
    head: Span,
) -> Result<usize, Unattributed> {
    let noun = head.of(scene.text).to_lowercase();
    let persons = with_role(scene, span, head, &noun);
    match persons.as_slice() {
        [] => {}
        [only] => return Ok(*only),
        several => return nearest(scene, span, several),
    }
    if let Some(body) = body(scene, quote, span, &noun) {
        return body;
    }
    Err(Unattributed::Anonymous)
}

/// Persons whose role is what the phrase says: every word before the head that is part of some role counts.
fn with_role(scene: &Scene<'_>, span: Span, head: Span, noun: &str) -> Vec<usize> {
    let phrase: Vec<String> = scene.segments.words
        [scene.segments.words_in(Span::new(span.start, head.end))]
    .iter()
    .filter(|word| scene.mention_at(word.span.start).is_none())
    .map(|word| word.span.of(scene.text).to_lowercase())
    .filter(|word| {
        !matches!(
            word.as_str(),
            "the"
                | "his"
                | "her"
                | "its"
                | "their"
                | "'s"
                | "’s"
                | "then"
                | "former"
                | "top"
                | "senior"
        )
    })
    .collect();
    let title = phrase.join(" ");
    let fits = |role: &String| {
        let role_head = role.split(" of ").next().unwrap_or(role).split(' ').next_back();
        *role == title
            || role.starts_with(&format!("{title} of "))
            || phrase.len() == 1 && role_head == Some(noun)
    };
    let persons = scene.entities.iter().enumerate().filter(|(_, e)| e.kind == EntityType::Person);
    persons.filter(|(_, entity)| entity.roles.iter().any(fits)).map(|(index, _)| index).collect()
}

/// Of several, the one that was named last before the phrase.
fn nearest(scene: &Scene<'_>, span: Span, several: &[usize]) -> Result<usize, Unattributed> {
    let last = scene
        .mentions_before(span.start)
        .take(MENTIONS_MAX)
        .find(|sighting| several.contains(&sighting.entity) && !scene.is_quoted(sighting.span));
    last.map(|sighting| sighting.entity).ok_or(Unattributed::Ambiguous)
}

/// The body that the noun fits: by a word of its name ("the court"), or the only one in sight ("the company").
fn body(
    scene: &Scene<'_>,
    quote: &Quote,
    span: Span,
    noun: &str,
) -> Option<Result<usize, Unattributed>> {
    let _ = quote;
    let is_org = |entity: usize| scene.entities[entity].kind == EntityType::Org;
    let named_so = |entity: usize| {
        let name = scene.entities[entity].name.to_lowercase();
        name.split(' ').any(|word| word == noun)
    };
    let before = || {
        scene
            .mentions_before(span.start)
            .take(MENTIONS_MAX)
            .filter(|sighting| !scene.is_quoted(sighting.span) && is_org(sighting.entity))
    };
    if let Some(sighting) = before().find(|sighting| named_so(sighting.entity)) {
        return Some(Ok(sighting.entity));
    }
    if !BODIES.contains(&noun) {
        return None;
    }
    let mut near = before()
        .take_while(|sighting| scene.distance(sighting.span.start, span.start) <= SENTENCES_MAX)
        .map(|sighting| sighting.entity);
    let spoken =
        scene.spoken().next().and_then(|(_, entity)| entity).filter(|&entity| is_org(entity));
    if let Some(entity) = spoken {
        return Some(Ok(entity));
    }
    let first = near.next()?;
    Some(if near.all(|entity| entity == first) { Ok(first) } else { Err(Unattributed::Ambiguous) })
}
