//! Names of one thing brought together: one entity per real thing in the article.
//!
//! In: the names found, in text order. Out: entities in order of their first mention. Persons by the parts of their
//! names; other things by surface, knowledge-base id, acronym, and short form.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::lists::Classes;
use super::names::FoundName;
use super::people::{self, PersonMention};
use super::tokens::{FieldTokens, Token};
use super::{Entity, EntityType, Gender, Mention, things, titles, values};
use crate::article::{Field, Span};
use crate::knowledge::{Ambiguity, Name, NameType};
use crate::text::Shape;

/// The mentions of one thing, as indices into the names found.
#[derive(Debug)]
struct Cluster {
    kind: NameType,
    names: Vec<usize>,
}

pub(super) fn group(fields: &[FieldTokens<'_>], names: &[FoundName]) -> Vec<Entity> {
    let is_person = |name: &FoundName| name.kind == NameType::Person;
    let persons: Vec<usize> = (0..names.len()).filter(|&i| is_person(&names[i])).collect();
    let others: Vec<usize> = (0..names.len()).filter(|&i| !is_person(&names[i])).collect();
    let mentions: Vec<PersonMention> =
        persons.iter().map(|&i| person_mention(fields, &names[i])).collect();
    let mut clusters: Vec<Cluster> = Vec::new();
    for (&name, group) in persons.iter().zip(people::group(&mentions)) {
        if group == clusters.len() {
            clusters.push(Cluster { kind: NameType::Person, names: Vec::new() });
        }
        clusters[group].names.push(name);
    }
    for group in things::group(fields, names, &others) {
        clusters.push(Cluster { kind: kind_of(fields, names, &group), names: group });
    }
    clusters.sort_by_key(|cluster| cluster.names[0]);
    let countries = countries(names);
    clusters.iter().map(|cluster| entity(fields, names, cluster, &countries)).collect()
}

/// Adds the values that do not lie in a name; equal values are one entity.
pub(super) fn add_values(fields: &[FieldTokens<'_>], entities: &mut Vec<Entity>) {
    let names = entities.iter().flat_map(|entity| &entity.mentions);
    let mut taken: Vec<(Field, Span)> =
        names.map(|mention| (mention.field, mention.span)).collect();
    taken.sort_unstable();
    let mut by_surface: BTreeMap<(EntityType, String), usize> = BTreeMap::new();
    for field in fields {
        for value in values::find(field) {
            let span = field.span(&value.words);
            let next = taken
                .partition_point(|&(other, name)| (other, name.end) <= (field.field, span.start));
            if taken
                .get(next)
                .is_some_and(|&(other, name)| other == field.field && name.overlaps(span))
            {
                continue;
            }
            let mention = Mention { field: field.field, span, confidence: VALUE_CONFIDENCE };
            let surface = field.surface(&value.words);
            match by_surface.entry((value.kind, surface.to_lowercase())) {
                Entry::Occupied(known) => entities[*known.get()].mentions.push(mention),
                Entry::Vacant(new) => {
                    new.insert(entities.len());
                    entities.push(Entity::of_value(value.kind, surface, mention));
                }
            }
        }
    }
    entities.sort_by_key(|entity| entity.mentions.first().map(|first| (first.field, first.span)));
}

/// Rules for values are exact or silent; what is left is words with two meanings.
const VALUE_CONFIDENCE: f32 = 0.9;

impl Entity {
    fn of_value(kind: EntityType, surface: &str, mention: Mention) -> Self {
        Self {
            kind,
            name: surface.split_whitespace().collect::<Vec<_>>().join(" "),
            mentions: vec![mention],
            salience: 0.0,
            wikidata: None,
            roles: Vec::new(),
            gender: None,
        }
    }
}

/// Position of a token among all words of the article.
fn position(fields: &[FieldTokens<'_>], name: &FoundName) -> usize {
    let before: usize = fields[..name.field].iter().map(|field| field.tokens.len()).sum();
    before + name.words.start
}

fn sentence_bounds(field: &FieldTokens<'_>, name: &FoundName) -> std::ops::Range<usize> {
    let at = field.sentences.partition_point(|s| s.tokens.end <= name.words.start);
    field.sentences.get(at).map_or(0..field.tokens.len(), |s| s.tokens.clone())
}

fn person_mention(fields: &[FieldTokens<'_>], name: &FoundName) -> PersonMention {
    let field = &fields[name.field];
    let bounds = sentence_bounds(field, name);
    let tokens = &field.tokens[name.words.clone()];
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| !token.folded.is_empty() && token.shape != Shape::Possessive)
        .map(|token| token.folded.clone())
        .collect();
    let mut title =
        titles::before(&field.tokens, name.words.start, bounds.start).unwrap_or_default();
    if let Some(after) = titles::after(&field.tokens, name.words.end, bounds.end) {
        title.role = title.role.or(after.role);
        title.gender = title.gender.or(after.gender);
    }
    let mut next = name.words.end;
    if field.tokens.get(next).is_some_and(|token| token.shape == Shape::Possessive) {
        next += 1;
    }
    let next = if next < bounds.end { field.tokens[next].folded.clone() } else { String::new() };
    let last_is_western = tokens.last().is_some_and(|token| token.evidence.family_name() >= 3);
    let is_family_first = people::is_family_first(&words, last_is_western);
    let given = if is_family_first { None } else { tokens.first() };
    let name_gender = given.filter(|_| words.len() > 1).and_then(given_name_gender);
    PersonMention {
        words,
        position: position(fields, name),
        title,
        next,
        is_acronym: matches!(tokens, [only] if only.shape == Shape::AllCaps),
        starts_with_given: tokens.first().is_some_and(|first| {
            first.evidence.given_name() >= 3
                && first.evidence.given_name() > first.evidence.family_name()
        }),
        name_gender,
        is_family_first,
    }
}

fn given_name_gender(token: &Token<'_>) -> Option<Gender> {
    match (token.evidence.is_female_name(), token.evidence.is_male_name()) {
        (true, false) => Some(Gender::Female),
        (false, true) => Some(Gender::Male),
        _ => None,
    }
}

fn entity(
    fields: &[FieldTokens<'_>],
    names: &[FoundName],
    cluster: &Cluster,
    countries: &BTreeSet<u8>,
) -> Entity {
    let longest = &names[fullest(fields, names, &cluster.names)];
    let name = fields[longest.field].surface(&longest.words);
    let mut roles = Vec::new();
    let mut genders = [0usize; 2];
    let mut mentions = Vec::new();
    for &i in &cluster.names {
        let found = &names[i];
        let field = &fields[found.field];
        mentions.push(Mention {
            field: field.field,
            span: field.span(&found.words),
            confidence: found.confidence,
        });
        if cluster.kind == NameType::Person {
            let person = person_mention(fields, found);
            roles.extend(person.title.role.filter(|role| !roles.contains(role)));
            // A title is worth more than what the given name suggests.
            if let Some(gender) = person.title.gender {
                genders[gender as usize] += 4;
            }
            if let Some(gender) = person.name_gender {
                genders[gender as usize] += 1;
            }
        }
    }
    let gender = match genders {
        [f, m] if f > m => Some(Gender::Female),
        [f, m] if m > f => Some(Gender::Male),
        _ => None,
    };
    Entity {
        kind: published_kind(cluster.kind, &fields[longest.field], longest),
        name: name.split_whitespace().collect::<Vec<_>>().join(" "),
        mentions,
        salience: 0.0,
        wikidata: wikidata(names, cluster, countries),
        roles,
        gender,
    }
}

/// The kind of a group is its fullest form's.
fn kind_of(fields: &[FieldTokens<'_>], names: &[FoundName], group: &[usize]) -> NameType {
    names[fullest(fields, names, group)].kind
}

fn fullest(fields: &[FieldTokens<'_>], names: &[FoundName], group: &[usize]) -> usize {
    let fuller = |best: usize, next: usize| {
        if weight(fields, &names[next]) > weight(fields, &names[best]) { next } else { best }
    };
    group.iter().copied().reduce(fuller).unwrap_or(group[0])
}

/// The fullest form names the entity: most words, then most letters; the headline's form is not preferred.
fn weight(fields: &[FieldTokens<'_>], name: &FoundName) -> (usize, usize) {
    (name.words.len(), fields[name.field].span(&name.words).len())
}

fn published_kind(kind: NameType, field: &FieldTokens<'_>, name: &FoundName) -> EntityType {
    match kind {
        NameType::Person => EntityType::Person,
        NameType::Org => EntityType::Org,
        NameType::Gpe => EntityType::Gpe,
        NameType::Loc => EntityType::Loc,
        NameType::Fac => EntityType::Fac,
        NameType::Norp => EntityType::Norp,
        NameType::Event => EntityType::Event,
        NameType::Product => EntityType::Product,
        NameType::Work | NameType::Other => {
            let law = |token: &Token<'_>| token.classes.any(Classes::LAW_HEAD);
            if field.tokens[name.words.clone()].iter().any(law) {
                EntityType::Law
            } else {
                EntityType::WorkOfArt
            }
        }
    }
}

/// Persons less well known than this are taken for their namesake only in an article about their country.
const PERSON_PROMINENCE_MIN: u8 = 4;

/// The Wikidata id, when all that is known of the cluster's names agrees and the article leaves no doubt.
fn wikidata(names: &[FoundName], cluster: &Cluster, countries: &BTreeSet<u8>) -> Option<String> {
    let is_sure = |found: &FoundName, known: &Name| {
        let is_person = cluster.kind == NameType::Person;
        let needs_country = known.ambiguity() == Ambiguity::Some
            || is_person && known.prominence() < PERSON_PROMINENCE_MIN;
        known.kind() == cluster.kind
            && known.ambiguity() != Ambiguity::High
            && (!is_person || found.words.len() > 1)
            && (!needs_country || countries.contains(&known.country()))
    };
    let found = cluster.names.iter().map(|&i| &names[i]);
    let known = found.filter_map(|found| found.known.filter(|known| is_sure(found, known)));
    let mut ids = known.filter_map(Name::wikidata);
    let first = ids.next()?;
    ids.all(|id| id == first).then(|| format!("Q{first}"))
}

/// The countries that the article names, by themselves or by their people.
fn countries(names: &[FoundName]) -> BTreeSet<u8> {
    let known =
        names.iter().filter_map(|found| found.known.filter(|known| known.kind() == found.kind));
    let sure = known.filter(|known| {
        known.kind() == NameType::Norp
            || known.kind() == NameType::Gpe && known.ambiguity() == Ambiguity::None
    });
    sure.map(Name::country).filter(|&country| country > 0).collect()
}
