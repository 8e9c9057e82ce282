//! Names of one thing brought together: one entity per real thing in the article.
//!
//! In: the names found, in text order. Out: entities in order of their first mention. Persons by the parts of their
//! names; other things by surface, knowledge-base id, acronym, and short form.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::lists::Classes;
use super::names::FoundName;
use super::people::{self, PersonMention};
use super::tokens::{FieldTokens, Token};
use super::{Entity, EntityType, Gender, Mention, titles, values};
use crate::article::{Field, Span};
use crate::knowledge::{Name, NameType};
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
    clusters.extend(group_others(fields, names, &others));
    clusters.sort_by_key(|cluster| cluster.names[0]);
    clusters.iter().map(|cluster| entity(fields, names, cluster)).collect()
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

/// Groups the names that are not persons'.
fn group_others(fields: &[FieldTokens<'_>], names: &[FoundName], others: &[usize]) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut by_key: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for &i in others {
        let name = &names[i];
        let keys = keys_of(&fields[name.field], name);
        let kind = kind_class(name.kind);
        let known = keys.iter().find_map(|key| by_key.get(&(kind, key.clone())).copied());
        let cluster = known.unwrap_or_else(|| {
            clusters.push(Cluster { kind: name.kind, names: Vec::new() });
            clusters.len() - 1
        });
        clusters[cluster].names.push(i);
        for key in keys {
            by_key.entry((kind, key)).or_insert(cluster);
        }
    }
    join_short_forms(fields, names, clusters)
}

/// Kinds that one thing may be found as in different places: names of places are often typed both ways.
fn kind_class(kind: NameType) -> usize {
    match kind {
        NameType::Gpe | NameType::Loc | NameType::Fac => 1,
        NameType::Norp => 2,
        NameType::Org => 3,
        NameType::Event => 4,
        NameType::Product => 5,
        NameType::Person | NameType::Work | NameType::Other => 6,
    }
}

/// Under which keys a name is looked up: its folded surface (singular for groups), and what the knowledge base calls it.
fn keys_of(field: &FieldTokens<'_>, name: &FoundName) -> Vec<String> {
    let mut surface = folded_surface(field, name);
    if name.kind == NameType::Norp
        && let Some(singular) = surface.strip_suffix('s')
        && !singular.ends_with('s')
        && singular.len() > 3
    {
        surface = singular.to_owned();
    }
    let mut keys = vec![surface];
    if let Some(id) = name.known.filter(|known| known.kind() == name.kind).and_then(Name::id) {
        keys.push(format!("#{id}"));
    }
    keys
}

fn folded_surface(field: &FieldTokens<'_>, name: &FoundName) -> String {
    let words: Vec<&str> = field.tokens[name.words.clone()]
        .iter()
        .map(|token| token.folded.as_str())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Acronyms to long forms, and short forms to the long form they begin or end.
fn join_short_forms(
    fields: &[FieldTokens<'_>],
    names: &[FoundName],
    clusters: Vec<Cluster>,
) -> Vec<Cluster> {
    let forms: Vec<Forms> =
        clusters.iter().map(|cluster| Forms::of(fields, names, cluster)).collect();
    let mut by_initials: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut by_edge: BTreeMap<(usize, &str), Option<usize>> = BTreeMap::new();
    for (i, form) in forms.iter().enumerate() {
        let class = kind_class(clusters[i].kind);
        for initials in &form.initials {
            by_initials.entry((class, initials)).or_insert(i);
        }
        for edge in &form.edges {
            // Two long forms with one short form: it names neither for sure.
            by_edge.entry((class, edge)).and_modify(|owner| *owner = None).or_insert(Some(i));
        }
    }
    let target: Vec<usize> = forms
        .iter()
        .enumerate()
        .map(|(i, form)| {
            let class = kind_class(clusters[i].kind);
            let acronym =
                form.acronyms.iter().find_map(|a| by_initials.get(&(class, a.as_str())).copied());
            let short = || {
                form.shorts
                    .iter()
                    .find_map(|s| by_edge.get(&(class, s.as_str())).copied().flatten())
            };
            acronym.or_else(short).filter(|&owner| owner != i).unwrap_or(i)
        })
        .collect();
    merge(clusters, &target)
}

/// Follows each cluster's target (at most a few steps: a cycle stops where it began) and merges.
fn merge(clusters: Vec<Cluster>, target: &[usize]) -> Vec<Cluster> {
    let root = |mut at: usize| {
        for _ in 0..4 {
            at = target[at];
        }
        at
    };
    let mut merged: BTreeMap<usize, Cluster> = BTreeMap::new();
    for (i, cluster) in clusters.into_iter().enumerate() {
        let root = root(i);
        match merged.get_mut(&root) {
            Some(known) => {
                if root == i {
                    known.kind = cluster.kind;
                }
                known.names.extend(cluster.names);
            }
            None => {
                merged.insert(root, cluster);
            }
        }
    }
    let mut clusters: Vec<Cluster> = merged.into_values().collect();
    clusters.iter_mut().for_each(|cluster| cluster.names.sort_unstable());
    clusters
}

/// The forms by which a cluster can be recognised.
#[derive(Debug, Default)]
struct Forms {
    /// Single words in capitals: "FSB".
    acronyms: Vec<String>,
    /// Initials of the long forms: "fsb".
    initials: Vec<String>,
    /// Whole forms that may be short for something longer.
    shorts: Vec<String>,
    /// Beginnings and ends of long forms.
    edges: Vec<String>,
}

impl Forms {
    fn of(fields: &[FieldTokens<'_>], names: &[FoundName], cluster: &Cluster) -> Self {
        let mut forms = Self::default();
        for &i in &cluster.names {
            let name = &names[i];
            let tokens = &fields[name.field].tokens[name.words.clone()];
            let words: Vec<&Token<'_>> =
                tokens.iter().filter(|token| !token.folded.is_empty()).collect();
            if let [word] = words.as_slice() {
                if word.shape == Shape::AllCaps || word.shape == Shape::Mixed {
                    forms.acronyms.push(word.folded.clone());
                }
                forms.shorts.push(word.folded.clone());
            } else {
                forms.add_long(&words, cluster.kind);
            }
        }
        for list in [&mut forms.acronyms, &mut forms.initials, &mut forms.shorts, &mut forms.edges]
        {
            list.sort_unstable();
            list.dedup();
        }
        forms
    }

    fn add_long(&mut self, words: &[&Token<'_>], kind: NameType) {
        let initial = |word: &&&Token<'_>| word.folded.chars().next();
        let capitals = words.iter().filter(|word| word.shape.is_name_like());
        self.initials.push(capitals.filter_map(|word| initial(&word)).collect());
        self.initials.push(words.iter().filter_map(|word| initial(&word)).collect());
        let join = |words: &[&Token<'_>]| -> String {
            let words: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
            words.join(" ")
        };
        self.shorts.push(join(words));
        if kind == NameType::Org {
            // "Supreme Court" for "United States Supreme Court", "Security Council" likewise.
            (1..words.len().saturating_sub(1)).for_each(|at| self.edges.push(join(&words[at..])));
            // "Etihad" for "Etihad Airways": what remains is a head.
            let head = words.last().is_some_and(|last| last.classes.any(Classes::ORG_HEAD));
            if head {
                self.edges.push(join(&words[..words.len() - 1]));
            }
        }
        if matches!(kind, NameType::Loc | NameType::Gpe | NameType::Fac) {
            let head = words.last().is_some_and(|last| {
                let class = Classes::LOC_HEAD.or(Classes::FAC_HEAD).or(Classes::GPE_HEAD);
                last.classes.any(class) || last.folded == "strip"
            });
            if head {
                self.edges.push(join(&words[..words.len() - 1]));
            }
        }
        if matches!(kind, NameType::Event | NameType::Product | NameType::Work) {
            (1..words.len()).for_each(|at| self.edges.push(join(&words[at..])));
        }
    }
}

fn entity(fields: &[FieldTokens<'_>], names: &[FoundName], cluster: &Cluster) -> Entity {
    let longest = cluster.names.iter().copied().reduce(|best, next| {
        if weight(fields, &names[next]) > weight(fields, &names[best]) { next } else { best }
    });
    let longest = &names[longest.unwrap_or(cluster.names[0])];
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
        wikidata: wikidata(names, cluster),
        roles,
        gender,
    }
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

/// The Wikidata id, when all that is known of the cluster's names agrees.
fn wikidata(names: &[FoundName], cluster: &Cluster) -> Option<String> {
    let known = cluster.names.iter().filter_map(|&i| names[i].known.map(|known| (i, known)));
    let mut ids = known
        .filter(|(i, known)| {
            known.kind() == cluster.kind
                && !known.is_ambiguous()
                && (cluster.kind != NameType::Person || names[*i].words.len() > 1)
        })
        .filter_map(|(_, known)| known.wikidata());
    let first = ids.next()?;
    ids.all(|id| id == first).then(|| format!("Q{first}"))
}
