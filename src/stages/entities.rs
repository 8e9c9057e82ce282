//! Who and what is named.
//!
//! In: a segmented article and the knowledge base. Out: entities, each with its mentions in text order; mentions do
//! not overlap, and a mention is the name alone: no title, no leading "the", no possessive.

mod compounds;
mod tokens;
mod lists;
mod titles;
mod tag_evidence;
mod candidates;
mod features;
mod memory;
mod lattice;
mod weights;
mod names;
mod values;
mod people;
mod things;
mod clusters;
mod salience;
pub mod learning;

use crate::article::{Field, Span};
use crate::knowledge::Knowledge;
use crate::model::ArticleReading;
use crate::text::Segmented;

use self::tag_evidence::TagEvidence;

/// One real thing that the article names.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    pub kind: EntityType,
    /// The fullest form of the name in the article.
    pub name: String,
    /// In text order, headline first; never empty.
    pub mentions: Vec<Mention>,
    /// How much the article is about it, in [0, 1].
    pub salience: f32,
    /// Its Wikidata id ("Q473239"), when the article leaves no doubt.
    pub wikidata: Option<String>,
    /// What the article calls it: "secretary of state", "spokeswoman"; lower-cased, for resolving "the spokeswoman".
    pub roles: Vec<String>,
    /// Soft evidence for "he" and "she".
    pub gender: Option<Gender>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mention {
    pub field: Field,
    pub span: Span,
    /// In [0, 1].
    pub confidence: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gender {
    Female,
    Male,
}

/// OntoNotes names; the last five are found by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityType {
    Person,
    Org,
    Gpe,
    Loc,
    Fac,
    Norp,
    Event,
    Product,
    WorkOfArt,
    Law,
    Date,
    Time,
    Money,
    Percent,
    Quantity,
}

impl EntityType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Org => "ORG",
            Self::Gpe => "GPE",
            Self::Loc => "LOC",
            Self::Fac => "FAC",
            Self::Norp => "NORP",
            Self::Event => "EVENT",
            Self::Product => "PRODUCT",
            Self::WorkOfArt => "WORK_OF_ART",
            Self::Law => "LAW",
            Self::Date => "DATE",
            Self::Time => "TIME",
            Self::Money => "MONEY",
            Self::Percent => "PERCENT",
            Self::Quantity => "QUANTITY",
        }
    }

    /// Dates, amounts and measures: not things that act or are talked about.
    pub fn is_value(self) -> bool {
        matches!(self, Self::Date | Self::Time | Self::Money | Self::Percent | Self::Quantity)
    }
}

/// Finds the entities of an article that the reader has read.
pub fn find(article: &Segmented, knowledge: &Knowledge, reading: &ArticleReading) -> Vec<Entity> {
    let fields = [Field::Headline, Field::Text].map(|field| {
        let text = article.article.field(field);
        tokens::FieldTokens::new(field, text, article.segments(field), knowledge)
    });
    let tags: Vec<TagEvidence> =
        fields.iter().map(|field| TagEvidence::of(field, reading.field(field.field))).collect();
    let names = names::find(&fields, &tags, knowledge);
    let mut entities = clusters::group(&fields, &names);
    clusters::add_values(&fields, &mut entities);
    salience::score(&mut entities, article.article.text.len());
    entities
}
