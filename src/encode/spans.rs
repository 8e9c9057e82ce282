//! Byte spans to published spans, each checked before it leaves.
//!
//! In: spans of one article. Out: their records with positions in every unit that is published; `None` for a span that
//! does not lie in its text, or whose published positions do not lead back to the same characters.

use super::{OffsetUnits, tone, unit_interval};
use crate::article::{Article, Field, Span};
use crate::enriched::{
    EntityRecord, MentionRecord, QuoteRecord, RangeRecord, SentenceRecord, SentimentRecord,
    SourceRecord, SpanRecord, SpeakerRecord, ToneRecord,
};
use crate::link::{ArticleTone, LinkedEntity, LinkedQuote, Speaker, Unattributed};
use crate::text::offsets::{UnitIndex, UnitTable};

/// Turns byte spans into published ones, and checks each.
pub(super) struct Spans<'a> {
    article: &'a Article,
    units: OffsetUnits,
    headline: FieldUnits<'a>,
    text: FieldUnits<'a>,
    n_withheld: usize,
    /// Published ids by index in `Linked::entities`: a quote must not name an entity that was withheld.
    published_entities: Vec<bool>,
}

impl<'a> Spans<'a> {
    pub(super) fn new(article: &'a Article, units: OffsetUnits) -> Self {
        Self {
            article,
            units,
            headline: FieldUnits::new(article.field(Field::Headline)),
            text: FieldUnits::new(article.field(Field::Text)),
            n_withheld: 0,
            published_entities: Vec::new(),
        }
    }

    pub(super) fn n_withheld(&self) -> usize {
        self.n_withheld
    }

    pub(super) fn entity(
        &mut self,
        index: usize,
        linked: &'a LinkedEntity,
    ) -> Option<EntityRecord<'a>> {
        let entity = &linked.entity;
        let mentions: Vec<MentionRecord<'a>> = entity
            .mentions
            .iter()
            .filter_map(|mention| {
                let span = self.span(mention.field, mention.span)?;
                Some(MentionRecord { span, confidence: unit_interval(mention.confidence) })
            })
            .collect();
        let evidence = linked
            .evidence
            .iter()
            .filter_map(|&(field, sentence)| self.span(field, sentence))
            .collect();
        self.published_entities.push(!mentions.is_empty());
        (!mentions.is_empty()).then(|| EntityRecord {
            id: entity_id(index),
            kind: entity.kind.as_str(),
            name: &entity.name,
            salience: unit_interval(entity.salience),
            wikidata: entity.wikidata.clone(),
            sentiment: tone(linked.tone),
            evidence,
            mentions,
        })
    }

    pub(super) fn quote(&mut self, index: usize, linked: &LinkedQuote) -> Option<QuoteRecord<'a>> {
        let quote = &linked.quote;
        let span = self.span(Field::Text, quote.span())?;
        let segments = if quote.segments.len() > 1 {
            quote
                .segments
                .iter()
                .map(|&segment| self.span(Field::Text, segment))
                .collect::<Option<Vec<_>>>()?
        } else {
            Vec::new()
        };
        let cue = quote.cue.and_then(|cue| self.span(Field::Text, cue));
        let (speaker, unattributed, certainty) = match linked.speaker {
            Speaker::Entity { entity, mention, confidence } => {
                let mention = mention.and_then(|mention| self.span(Field::Text, mention));
                // An entity without a mention left was withheld: nobody may be quoted under an id that is not there.
                let id = self.published_entities[entity].then(|| entity_id(entity));
                let reason = id.is_none().then_some(Unattributed::EntitiesMissing.as_str());
                let speaker = (mention.is_some() || id.is_some())
                    .then_some(SpeakerRecord { mention, entity: id });
                (speaker, reason, confidence)
            }
            Speaker::Unattributed { mention, reason } => {
                let mention = mention.and_then(|mention| self.span(Field::Text, mention));
                let speaker =
                    mention.map(|mention| SpeakerRecord { mention: Some(mention), entity: None });
                (speaker, Some(reason.as_str()), 1.0)
            }
        };
        Some(QuoteRecord {
            id: format!("q{}", index + 1),
            kind: quote.kind.as_str(),
            span,
            segments,
            cue,
            speaker,
            unattributed,
            confidence: unit_interval(quote.confidence * certainty),
        })
    }

    pub(super) fn sentiment(&mut self, article: &ArticleTone) -> SentimentRecord<'a> {
        let sentences = article
            .sentences
            .iter()
            .filter_map(|sentence| {
                let span = self.span(Field::Text, sentence.span)?;
                let ToneRecord { label, score } = tone(sentence.tone);
                Some(SentenceRecord {
                    start: span.start,
                    end: span.end,
                    utf8: span.utf8,
                    utf16: span.utf16,
                    source: span.source,
                    label,
                    score,
                })
            })
            .collect();
        SentimentRecord {
            document: tone(article.document),
            narrator: article.narrator.map(tone),
            quoted: article.quoted.map(tone),
            headline: article.headline.map(tone),
            sentences,
        }
    }

    /// The published span, or `None` (counted) when it is not what it says in some unit.
    fn span(&mut self, field: Field, span: Span) -> Option<SpanRecord<'a>> {
        let record = self.checked_span(field, span);
        self.n_withheld += usize::from(record.is_none());
        record
    }

    fn checked_span(&self, field: Field, span: Span) -> Option<SpanRecord<'a>> {
        let article = self.article;
        let whole = article.field(field);
        let text = whole.get(span.start..span.end).filter(|text| !text.is_empty())?;
        let units = match field {
            Field::Headline => &self.headline,
            Field::Text => &self.text,
        };
        let (start, end) = (units.index.code_point(span.start), units.index.code_point(span.end));
        let utf16 =
            RangeRecord { start: units.index.utf16(span.start), end: units.index.utf16(span.end) };
        let leads_back = units.code_points.slice(whole, start, end) == Some(text)
            && units.utf16.slice(whole, utf16.start, utf16.end) == Some(text);
        leads_back.then(|| SpanRecord {
            field: (field == Field::Headline).then_some("headline"),
            start,
            end,
            text,
            utf8: self.units.utf8.then_some(RangeRecord { start: span.start, end: span.end }),
            utf16: self.units.utf16.then_some(utf16),
            source: self.source(field, span),
        })
    }

    fn source(&self, field: Field, span: Span) -> Option<SourceRecord<'a>> {
        let map = self.article.source_map.as_ref();
        let range = map.filter(|_| self.units.source && field == Field::Text)?.range(span)?;
        Some(SourceRecord { field: range.field, start: range.start, end: range.end })
    }
}

/// One field's positions, there and back by two independent ways: the index counts, the tables list.
struct FieldUnits<'a> {
    index: UnitIndex<'a>,
    code_points: UnitTable,
    utf16: UnitTable,
}

impl<'a> FieldUnits<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            index: UnitIndex::new(text),
            code_points: UnitTable::code_points(text),
            utf16: UnitTable::utf16(text),
        }
    }
}

fn entity_id(index: usize) -> String {
    format!("e{}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{ArticleId, Format, SourceMap};
    use crate::link::Tone;
    use crate::stages::Entity;
    use crate::stages::entities::{EntityType, Mention};
    use crate::text::offsets::OffsetMap;

    const ALL_UNITS: OffsetUnits = OffsetUnits { utf8: true, utf16: true, source: true };

    fn article(text: &str) -> Article {
        Article {
            id: ArticleId::parse("a1").unwrap(),
            version: None,
            headline: None,
            text: text.to_owned(),
            declared_language: None,
            published: None,
            updated: None,
            embargoed_until: None,
            format: Format::Plain,
            source_map: None,
            n_unknown_fields: 0,
            warnings: Vec::new(),
        }
    }

    fn entity(spans: &[Span]) -> LinkedEntity {
        let mention = |&span| Mention { field: Field::Text, span, confidence: 0.5 };
        let entity = Entity {
            kind: EntityType::Person,
            name: "Zoë".to_owned(),
            mentions: spans.iter().map(mention).collect(),
            salience: 0.5,
            wikidata: None,
            roles: Vec::new(),
            gender: None,
        };
        LinkedEntity { entity, tone: Tone::default(), evidence: Vec::new() }
    }

    #[test]
    fn positions_are_told_in_every_unit() {
        let mut article = article("😀 Zoë left");
        let mut offsets = OffsetMap::default();
        offsets.push(0, 14, 10, 14);
        let mut source_map = SourceMap::default();
        source_map.push(0, "body", offsets);
        article.source_map = Some(source_map);
        let linked = entity(&[Span::new(5, 9)]);
        let mut spans = Spans::new(&article, ALL_UNITS);
        let record = spans.entity(0, &linked).unwrap();
        let span = &record.mentions[0].span;
        assert_eq!((span.start, span.end, span.text), (2, 5, "Zoë"));
        assert_eq!(span.utf8, Some(RangeRecord { start: 5, end: 9 }));
        assert_eq!(span.utf16, Some(RangeRecord { start: 3, end: 6 }));
        assert_eq!(span.source, Some(SourceRecord { field: "body", start: 15, end: 19 }));
        assert_eq!(spans.n_withheld(), 0);
    }

    #[test]
    fn spans_that_lie_are_withheld_and_counted() {
        let article = article("😀 Zoë left");
        let inside_a_character = Span { start: 5, end: 8 };
        let past_the_end = Span { start: 5, end: 99 };
        let empty = Span { start: 5, end: 5 };
        let linked = entity(&[inside_a_character, Span::new(5, 9), past_the_end, empty]);
        let mut spans = Spans::new(&article, ALL_UNITS);
        assert_eq!(spans.entity(0, &linked).unwrap().mentions.len(), 1);
        assert_eq!(spans.n_withheld(), 3);
    }

    #[test]
    fn nobody_is_quoted_under_an_id_that_was_withheld() {
        use crate::stages::quotes::{Quote, QuoteKind, Source};
        let article = article("Go, he said.");
        let linked = entity(&[Span { start: 90, end: 99 }]);
        let quote = Quote {
            kind: QuoteKind::Indirect,
            segments: vec![Span::new(0, 2)],
            cue: None,
            source: Source::Written(Span::new(4, 6)),
            confidence: 0.9,
        };
        let speaker =
            Speaker::Entity { entity: 0, mention: Some(Span::new(4, 6)), confidence: 1.0 };
        let mut spans = Spans::new(&article, OffsetUnits::default());
        assert!(spans.entity(0, &linked).is_none());
        let record = spans.quote(0, &LinkedQuote { quote, speaker }).unwrap();
        assert_eq!(record.speaker.unwrap().entity, None);
        assert_eq!(record.unattributed, Some("entities_missing"));
    }
}
