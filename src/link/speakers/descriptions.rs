//! "The president", "the agency": what the article calls those it names.
//!
//! In: a definite description that speaks, and its head noun. Out: the one entity that it fits, or why none does.

use super::scene::{Scene, Sighting};
use crate::article::Span;
use crate::link::Unattributed;
use crate::stages::entities::EntityType;

/// How far back a description of a body reaches, in the narrator's sentences.
const SENTENCES_MAX: usize = 4;
/// Most mentions that are looked at: work a description stays bounded.
const MENTIONS_MAX: usize = 80;
/// How near a name must stand to the state or body of its office, in bytes: "President Jo Lee of Peru".
const OFFICE_BYTES_MAX: usize = 60;

/// Nouns for a body of any name.
const BODIES: &[&str] = &[
    "airline",
    "broadcaster",
    "charity",
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

/// Nouns for a body's voice: "the spokesman" goes on for the body that spoke.
const VOICES: &[&str] = &["spokesman", "spokesperson", "spokeswoman"];

pub(super) fn resolve(scene: &Scene<'_>, span: Span, head: Span) -> Result<usize, Unattributed> {
    let noun = head.of(scene.text).to_lowercase();
    let persons = with_role(scene, span, head, &noun);
    match persons.as_slice() {
        [] => {}
        [only] => return Ok(*only),
        several => return nearest(scene, span, several),
    }
    if VOICES.contains(&noun.as_str())
        && let Some((place, Some(body))) = scene.spoken().next()
        && scene.entities[body].kind == EntityType::Org
        && scene.distance(place.start.min(span.start), span.start) <= SENTENCES_MAX
    {
        return Ok(body);
    }
    body(scene, span, &noun).unwrap_or(Err(Unattributed::Anonymous))
}

/// Persons whose role is what the phrase says, beside the state or body that the phrase names, if it does.
fn with_role(scene: &Scene<'_>, span: Span, head: Span, noun: &str) -> Vec<usize> {
    const LEFT_OUT: &[&str] =
        &["'s", "former", "her", "his", "its", "senior", "the", "their", "then", "top", "’s"];
    let words = scene.segments.words_in(Span::new(span.start, head.end));
    let phrase: Vec<String> = scene.segments.words[words]
        .iter()
        .filter(|word| scene.mention_at(word.span.start).is_none())
        .map(|word| word.span.of(scene.text).to_lowercase())
        .filter(|word| !LEFT_OUT.contains(&word.as_str()))
        .collect();
    let title = phrase.join(" ");
    let fits = |role: &String| {
        let role_head = role.split(" of ").next().unwrap_or(role).split(' ').next_back();
        *role == title
            || role.strip_prefix(title.as_str()).is_some_and(|rest| rest.starts_with(" of "))
            || phrase.len() == 1 && role_head == Some(noun)
    };
    let office: Vec<usize> = scene.mentions_in(span).iter().map(|mention| mention.entity).collect();
    scene
        .with_role_head(noun)
        .iter()
        .copied()
        .filter(|&person| scene.entities[person].roles.iter().any(fits))
        .filter(|&person| office.iter().all(|&office| is_beside(scene, person, office)))
        .collect()
}

/// Whether some mention of the person stands beside one of the office's state or body.
fn is_beside(scene: &Scene<'_>, person: usize, office: usize) -> bool {
    scene.mentions_of(person).take(MENTIONS_MAX).any(|mention| {
        let around = Span {
            start: mention.span.start.saturating_sub(OFFICE_BYTES_MAX),
            end: mention.span.end + OFFICE_BYTES_MAX,
        };
        scene.mentions_in(around).iter().any(|near| near.entity == office)
    })
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
fn body(scene: &Scene<'_>, span: Span, noun: &str) -> Option<Result<usize, Unattributed>> {
    let is_org = |sighting: &Sighting| {
        scene.entities[sighting.entity].kind == EntityType::Org && !scene.is_quoted(sighting.span)
    };
    let before = || scene.mentions_before(span.start).take(MENTIONS_MAX).filter(is_org);
    let named_so = |sighting: &Sighting| {
        let name = scene.entities[sighting.entity].name.to_lowercase();
        name.split(' ').any(|word| word == noun)
    };
    if let Some(sighting) = before().find(named_so) {
        return Some(Ok(sighting.entity));
    }
    // "the party" is one that was named; "his party" and "Lee’s party" need not be.
    let is_definite =
        span.of(scene.text).get(..4).is_some_and(|the| the.eq_ignore_ascii_case("the "));
    if !is_definite || !BODIES.contains(&noun) {
        return None;
    }
    let nearest = before().next()?;
    let distance = |sighting: &Sighting| scene.distance(sighting.span.start, span.start);
    let reach = distance(&nearest);
    if reach > SENTENCES_MAX {
        return Some(Err(Unattributed::Ambiguous));
    }
    let mut same_sentence = before().take_while(|sighting| distance(sighting) <= reach);
    let is_only = same_sentence.all(|sighting| sighting.entity == nearest.entity);
    Some(if is_only { Ok(nearest.entity) } else { Err(Unattributed::Ambiguous) })
}
