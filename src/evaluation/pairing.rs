//! Which published mention is which annotated one, and which published entity is which annotated one.
//!
//! In: an article's annotation and its record. Out: an [`Alignment`]; spans are compared exactly, in code points.

use std::collections::{BTreeMap, BTreeSet};

use super::{CodePoints, GoldArticle, gold};
use crate::enriched::view;

/// A named mention; `entity` is an id of its side.
#[derive(Debug, Clone)]
pub(super) struct Mention<'a> {
    pub(super) span: CodePoints,
    pub(super) label: &'static str,
    pub(super) entity: &'a str,
}

/// The named entities of a record with their mentions in the text.
#[derive(Debug, Default)]
pub(super) struct PublishedMentions<'a> {
    entities: Vec<&'a view::Entity>,
    mentions: Vec<Mention<'a>>,
}

/// Named mentions in the text: values and the headline are not annotated.
pub(super) fn published_mentions(record: &view::Enriched) -> PublishedMentions<'_> {
    let mut published = PublishedMentions::default();
    for entity in &record.entities {
        let Some(label) = gold::label_of_type(&entity.kind) else { continue };
        published.entities.push(entity);
        for span in entity.mentions.iter().filter(|span| !span.is_in_headline()) {
            let span = (span.start, span.end);
            published.mentions.push(Mention { span, label, entity: &entity.id });
        }
    }
    published
}

/// Mentions of both sides: one for each span, in their order.
#[derive(Debug)]
pub(super) struct Alignment<'a> {
    pub(super) gold: Vec<Mention<'a>>,
    pub(super) published: Vec<Mention<'a>>,
    gold_at: BTreeMap<CodePoints, usize>,
    published_at: BTreeMap<CodePoints, usize>,
    article: &'a GoldArticle,
    entities: Vec<&'a view::Entity>,
}

impl<'a> Alignment<'a> {
    pub(super) fn new(article: &'a GoldArticle, published: &PublishedMentions<'a>) -> Self {
        let of_gold = article.mentions.iter().filter_map(|mention| {
            let label = gold::label(&mention.label)?;
            Some(Mention { span: (mention.start, mention.end), label, entity: &mention.entity })
        });
        let (gold, gold_at) = one_for_each_span(of_gold);
        let (published_mentions, published_at) =
            one_for_each_span(published.mentions.iter().cloned());
        Self {
            gold,
            published: published_mentions,
            gold_at,
            published_at,
            article,
            entities: published.entities.clone(),
        }
    }

    pub(super) fn gold_label_at(&self, span: CodePoints) -> Option<&'static str> {
        self.gold_at.get(&span).map(|&at| self.gold[at].label)
    }

    pub(super) fn gold_entity_at(&self, span: CodePoints) -> Option<&'a str> {
        self.gold_at.get(&span).map(|&at| self.gold[at].entity)
    }

    pub(super) fn published_entity_at(&self, span: CodePoints) -> Option<&'a str> {
        self.published_at.get(&span).map(|&at| self.published[at].entity)
    }

    /// Persons, organisations and places of all kinds.
    pub(super) fn gold_places(&self) -> BTreeSet<(CodePoints, &'static str)> {
        places(&self.gold)
    }

    pub(super) fn published_places(&self) -> BTreeSet<(CodePoints, &'static str)> {
        places(&self.published)
    }

    /// The first published entity that is this one.
    pub(super) fn published_entity_of(&self, gold: &str) -> Option<&'a view::Entity> {
        let mut entities = self.entities.iter();
        entities.find(|entity| self.is_same_entity(Some(gold), Some(&entity.id))).copied()
    }

    /// A published entity is the annotated one when most of its mentions that are annotated at all are that one's;
    /// without a shared mention, when the last words of their names are equal. Nobody is nobody.
    pub(super) fn is_same_entity(&self, gold: Option<&str>, published: Option<&str>) -> bool {
        let (gold, published) = match (gold, published) {
            (Some(gold), Some(published)) => (gold, published),
            (gold, published) => return gold.is_none() && published.is_none(),
        };
        let mut owners: Vec<(&str, usize)> = Vec::new();
        for mention in self.published.iter().filter(|mention| mention.entity == published) {
            let Some(owner) = self.gold_entity_at(mention.span) else { continue };
            match owners.iter_mut().find(|(known, _)| *known == owner) {
                Some((_, n)) => *n += 1,
                None => owners.push((owner, 1)),
            }
        }
        if owners.iter().any(|(owner, _)| *owner == gold) {
            // The first of equals, as they come in the record.
            let most = owners.iter().rev().max_by_key(|(_, n)| *n);
            return most.is_some_and(|(owner, _)| *owner == gold);
        }
        let name_of_gold = self.article.entities.iter().find(|entity| entity.id == gold);
        let name = self.entities.iter().find(|entity| entity.id == published);
        match (name_of_gold, name) {
            (Some(gold), Some(published)) => {
                let last = last_word(&gold.name);
                last.is_some() && last == last_word(&published.name)
            }
            _ => false,
        }
    }
}

fn one_for_each_span<'a>(
    mentions: impl Iterator<Item = Mention<'a>>,
) -> (Vec<Mention<'a>>, BTreeMap<CodePoints, usize>) {
    let (mut kept, mut places): (Vec<Mention<'a>>, BTreeMap<CodePoints, usize>) =
        Default::default();
    for mention in mentions {
        match places.get(&mention.span) {
            Some(&at) => kept[at] = mention,
            None => {
                places.insert(mention.span, kept.len());
                kept.push(mention);
            }
        }
    }
    (kept, places)
}

fn places(mentions: &[Mention<'_>]) -> BTreeSet<(CodePoints, &'static str)> {
    let merged = |label| match label {
        "GPE" | "LOC" | "FAC" => Some("LOC"),
        "PER" | "ORG" => Some(label),
        _ => None,
    };
    mentions.iter().filter_map(|mention| Some((mention.span, merged(mention.label)?))).collect()
}

fn last_word(name: &str) -> Option<String> {
    name.split_whitespace().last().map(str::to_lowercase)
}
