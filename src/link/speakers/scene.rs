//! Who is in sight at a place of the text.
//!
//! In: an article, its entities and quotes. Out: mentions by position, how far apart two places are in the narrator's
//! sentences, and who spoke last.

use std::collections::BTreeMap;

use crate::article::{Field, Span};
use crate::stages::entities::{EntityType, Mention};
use crate::stages::quotes::QuoteKind;
use crate::stages::{Entity, Quote};
use crate::text::{Segmented, Segments};

pub(super) struct Scene<'a> {
    pub(super) text: &'a str,
    pub(super) segments: &'a Segments,
    pub(super) entities: &'a [Entity],
    /// Mentions of the body by position: no values.
    mentions: Vec<Sighting>,
    /// What direct quotations cover, by position.
    quoted: Vec<Span>,
    /// For each sentence, how many sentences before it are not wholly quoted.
    ranks: Vec<usize>,
    /// Persons by the head of a role: "minister" of "foreign minister".
    by_role_head: BTreeMap<&'a str, Vec<usize>>,
    /// Who spoke, in text order of the quotes; `None` for somebody without a name.
    spoken: Vec<(Span, Option<usize>)>,
}

/// A place where an entity is named, or where a pronoun was found to stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) span: Span,
    pub(super) entity: usize,
}

impl<'a> Scene<'a> {
    pub(super) fn new(article: &'a Segmented, entities: &'a [Entity], quotes: &[Quote]) -> Self {
        let mut mentions: Vec<Sighting> = Vec::new();
        for (index, entity) in entities.iter().enumerate().filter(|(_, e)| !e.kind.is_value()) {
            let body = entity.mentions.iter().filter(|mention| mention.field == Field::Text);
            mentions.extend(body.map(|mention| Sighting { span: mention.span, entity: index }));
        }
        mentions.sort_by_key(|sighting| sighting.span);
        let direct = quotes.iter().filter(|quote| quote.kind == QuoteKind::Direct);
        let mut quoted: Vec<Span> =
            direct.flat_map(|quote| quote.segments.iter().copied()).collect();
        quoted.sort_unstable();
        let mut scene = Self {
            text: article.article.field(Field::Text),
            segments: &article.text,
            entities,
            mentions,
            quoted,
            ranks: Vec::new(),
            by_role_head: by_role_head(entities),
            spoken: Vec::new(),
        };
        let mut rank = 0;
        for sentence in &article.text.sentences {
            scene.ranks.push(rank);
            rank += usize::from(!scene.is_quoted(sentence.span));
        }
        scene
    }

    /// Persons with a role of that head; not more than [`ROLE_HOLDERS_MAX`].
    pub(super) fn with_role_head(&self, noun: &str) -> &[usize] {
        self.by_role_head.get(noun).map_or(&[], Vec::as_slice)
    }

    /// The mentions of one entity in the body.
    pub(super) fn mentions_of(&self, entity: usize) -> impl Iterator<Item = Mention> {
        self.entities[entity].mentions.iter().filter(|m| m.field == Field::Text).copied()
    }

    pub(super) fn speaks(&mut self, span: Span, entity: usize) {
        self.spoken.push((span, Some(entity)));
    }

    pub(super) fn somebody_speaks(&mut self, span: Span) {
        self.spoken.push((span, None));
    }

    /// Those who spoke, the last first.
    pub(super) fn spoken(&self) -> impl Iterator<Item = (Span, Option<usize>)> {
        self.spoken.iter().rev().copied()
    }

    /// The mentions inside `span`.
    pub(super) fn mentions_in(&self, span: Span) -> &[Sighting] {
        let first = self.mentions.partition_point(|sighting| sighting.span.start < span.start);
        let end = self.mentions.partition_point(|sighting| sighting.span.start < span.end);
        &self.mentions[first..end.max(first)]
    }

    /// The mentions that end at or before `position`, the last first.
    pub(super) fn mentions_before(&self, position: usize) -> impl Iterator<Item = Sighting> {
        let end = self.mentions.partition_point(|sighting| sighting.span.start < position);
        self.mentions[..end].iter().rev().copied()
    }

    /// The mention that lies over `position`.
    pub(super) fn mention_at(&self, position: usize) -> Option<Sighting> {
        let after = self.mentions.partition_point(|sighting| sighting.span.start <= position);
        let sighting = *self.mentions.get(after.checked_sub(1)?)?;
        (sighting.span.end > position).then_some(sighting)
    }

    /// Whether `span` lies in a direct quotation.
    pub(super) fn is_quoted(&self, span: Span) -> bool {
        let after = self.quoted.partition_point(|quoted| quoted.start <= span.start);
        after.checked_sub(1).is_some_and(|at| self.quoted[at].contains(span))
    }

    /// Sentences of the narrator between two places, `earlier` first.
    pub(super) fn distance(&self, earlier: usize, later: usize) -> usize {
        let rank = |position| {
            self.ranks.get(self.segments.sentence_at(position)).copied().unwrap_or_default()
        };
        rank(later).saturating_sub(rank(earlier))
    }
}

/// Most persons that are looked at for one noun: work a description stays bounded.
const ROLE_HOLDERS_MAX: usize = 32;

fn by_role_head(entities: &[Entity]) -> BTreeMap<&str, Vec<usize>> {
    let mut heads: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, entity) in entities.iter().enumerate() {
        if entity.kind != EntityType::Person {
            continue;
        }
        for role in &entity.roles {
            let head = role.split(" of ").next().and_then(|role| role.split(' ').next_back());
            let holders = heads.entry(head.unwrap_or_default()).or_default();
            if holders.last() != Some(&index) && holders.len() < ROLE_HOLDERS_MAX {
                holders.push(index);
            }
        }
    }
    heads
}
