//! What was found, in tables below the article.
//!
//! In: a published article. Out: lines of at most the given width, one section a function; an empty section is no line.

use std::collections::BTreeSet;

use anstyle::Style;

use super::look::{Look, column, cut, harmless, paint};
use super::wrap::Paragraph;
use crate::enriched::view::{Enriched, Entity, Quote, SentenceTone};
use crate::text::offsets::UnitTable;

/// The widest type's name: `WORK_OF_ART`.
const TYPE_WIDTH: usize = 11;
/// `Q123456789`.
const WIKIDATA_WIDTH: usize = 10;
/// `negative -0.42`.
const TONE_WIDTH: usize = 14;
/// `most negative`.
const VOICE_WIDTH: usize = 13;
/// `indirect`.
const KIND_WIDTH: usize = 8;
/// `12×`.
const COUNT_WIDTH: usize = 4;
/// Types that are amounts and dates: listed by type, since each is mostly named once.
const VALUE_TYPES: [&str; 5] = ["DATE", "TIME", "MONEY", "PERCENT", "QUANTITY"];

/// Id, version, language and dates.
pub(super) fn origin(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let mut parts = vec![harmless(&article.id)];
    let dated = [
        ("version", &article.version),
        ("published", &article.published),
        ("updated", &article.updated),
        ("EMBARGOED until", &article.embargoed_until),
    ];
    parts.push(format!("language {}", harmless(&article.language.code)));
    for (name, value) in dated {
        parts.extend(value.as_ref().map(|value| format!("{name} {}", harmless(value))));
    }
    let mut paragraph = Paragraph::new(width);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            paragraph.push(look.dim(), " · ");
        }
        paragraph.push_unbroken(look.dim(), part);
    }
    paragraph.lines()
}

/// What the colours mean: the types that occur, each in its own.
pub(super) fn legend(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let kinds: BTreeSet<&str> =
        article.entities.iter().map(|entity| entity.kind.as_str()).collect();
    if look == Look::Plain || (kinds.is_empty() && article.quotes.is_empty()) {
        return Vec::new();
    }
    let mut paragraph = Paragraph::new(width);
    for kind in kinds {
        paragraph.push(look.entity(kind), kind);
        paragraph.push(Style::new(), " ");
    }
    if !article.quotes.is_empty() {
        paragraph.push_unbroken(look.quoted(Style::new()), "what is quoted");
        paragraph.push_unbroken(look.dim(), " ← who says it");
    }
    paragraph.lines()
}

pub(super) fn entities(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let is_value = |entity: &&Entity| VALUE_TYPES.contains(&entity.kind.as_str());
    let (values, names): (Vec<&Entity>, Vec<&Entity>) = article.entities.iter().partition(is_value);
    if article.entities.is_empty() {
        return Vec::new();
    }
    let fixed = TYPE_WIDTH + COUNT_WIDTH + WIKIDATA_WIDTH + TONE_WIDTH + 5;
    let longest = names.iter().map(|entity| textwrap::core::display_width(&harmless(&entity.name)));
    let name_width = longest.max().unwrap_or(0).clamp(8, (width.saturating_sub(fixed)).max(8));
    let mut lines = vec![paint(look.title(), "Entities")];
    for entity in names {
        lines.push(format!(
            " {} {} {} {} {}",
            paint(look.entity(&entity.kind), &column(&entity.kind, TYPE_WIDTH)),
            column(&harmless(&entity.name), name_width),
            column(&format!("{}×", entity.mentions.len()), COUNT_WIDTH),
            column(entity.wikidata.as_deref().unwrap_or("–"), WIKIDATA_WIDTH),
            tone_text(&entity.sentiment.label, entity.sentiment.score, look),
        ));
    }
    for kind in VALUE_TYPES {
        let of_kind = values.iter().filter(|entity| entity.kind == kind);
        let named: Vec<String> = of_kind.map(|entity| harmless(&entity.name)).collect();
        if !named.is_empty() {
            let label = paint(look.entity(kind), &column(kind, TYPE_WIDTH));
            lines.extend(hanging(&label, &named.join(" · "), TYPE_WIDTH + 2, width));
        }
    }
    lines
}

pub(super) fn quotes(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    if article.quotes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![paint(look.title(), "Quotes")];
    let named = article.quotes.iter().zip(article.speakers());
    let speakers: Vec<String> = named.map(|(quote, name)| speaker(quote, name)).collect();
    let longest = speakers.iter().map(|speaker| textwrap::core::display_width(speaker)).max();
    let speaker_width = longest.unwrap_or(0).clamp(8, width * 2 / 5);
    let text_width = width.saturating_sub(KIND_WIDTH + speaker_width + 3);
    for (quote, speaker) in article.quotes.iter().zip(&speakers) {
        let style = if quote.unattributed.is_some() { look.warning() } else { Style::new() };
        lines.push(format!(
            " {} {} {}",
            paint(look.dim(), &column(&quote.kind, KIND_WIDTH)),
            paint(style, &column(speaker, speaker_width)),
            cut(&harmless(&quote.text), text_width),
        ));
    }
    lines
}

pub(super) fn tone(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let sentiment = &article.sentiment;
    let voices = [
        ("document", Some(&sentiment.document)),
        ("headline", sentiment.headline.as_ref()),
        ("narrator", sentiment.narrator.as_ref()),
        ("quoted", sentiment.quoted.as_ref()),
    ];
    let mut lines = vec![paint(look.title(), "Tone")];
    for (voice, tone) in voices {
        let tone =
            tone.map_or_else(|| "–".to_owned(), |tone| tone_text(&tone.label, tone.score, look));
        lines.push(format!(" {} {tone}", column(voice, VOICE_WIDTH)));
    }
    lines.extend(strongest_sentences(article, look, width));
    lines
}

pub(super) fn stages(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let stages = [
        ("entities", &article.stages.entities),
        ("quotes", &article.stages.quotes),
        ("sentiment", &article.stages.sentiment),
    ];
    let parts = stages.map(|(stage, outcome)| {
        let outcome = outcome.outcome.as_str();
        let style = if outcome == "ok" { Style::new() } else { look.warning() };
        format!("{stage} {}", paint(style, outcome))
    });
    let provenance = &article.provenance;
    let made_by = format!(
        " build {} · model {} · knowledge {}",
        provenance.build,
        short(&provenance.model),
        short(&provenance.knowledge)
    );
    vec![
        paint(look.title(), "Stages"),
        format!(" {}", parts.join(" · ")),
        paint(look.dim(), &cut(&made_by, width)),
    ]
}

/// A version whose digest is cut to what people compare.
fn short(version: &str) -> String {
    const DIGITS: usize = 8;
    match version.split_once("sha256:") {
        Some((name, digest)) => {
            format!("{name}{}", digest.chars().take(DIGITS).collect::<String>())
        }
        None => version.to_owned(),
    }
}

/// The entity's name, and the words that stand for it when they do not name it.
fn speaker(quote: &Quote, name: Option<&str>) -> String {
    let written = quote.speaker.as_ref().and_then(|speaker| speaker.text.as_deref()).map(harmless);
    match (name.map(harmless), written) {
        (Some(name), Some(written)) if shares_a_word(&name, &written) => name,
        (Some(name), Some(written)) => format!("{name} (“{written}”)"),
        (Some(name), None) => name,
        (None, written) => {
            let reason = quote.unattributed.as_deref().unwrap_or("nobody named").replace('_', " ");
            written
                .map_or_else(|| format!("({reason})"), |written| format!("“{written}” ({reason})"))
        }
    }
}

/// Whether what is written names the entity in part: "Sanders" needs no explanation, "she" does.
fn shares_a_word(name: &str, written: &str) -> bool {
    let name = name.to_lowercase();
    written.to_lowercase().split(' ').any(|word| name.split(' ').any(|part| part == word))
}

/// The sentences that make the tone: the most positive and the most negative one.
fn strongest_sentences(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let sentences = &article.sentiment.sentences;
    let by_score = |a: &&SentenceTone, b: &&SentenceTone| a.score.total_cmp(&b.score);
    let best = sentences.iter().filter(|sentence| sentence.label == "positive").max_by(by_score);
    let worst = sentences.iter().filter(|sentence| sentence.label == "negative").min_by(by_score);
    let table = UnitTable::code_points(&article.text);
    [("most positive", best), ("most negative", worst)]
        .into_iter()
        .filter_map(|(name, sentence)| {
            let sentence = sentence?;
            let text = table.slice(&article.text, sentence.start, sentence.end)?;
            let tone = tone_text(&sentence.label, sentence.score, look);
            let room = width.saturating_sub(VOICE_WIDTH + TONE_WIDTH + 3);
            let text = cut(&harmless(text), room);
            Some(format!(" {} {tone} {text}", column(name, VOICE_WIDTH)))
        })
        .collect()
}

fn tone_text(label: &str, score: f64, look: Look) -> String {
    let sign = if score == 0.0 { " " } else { "" };
    let text = if score == 0.0 { "0.00".to_owned() } else { format!("{score:+.2}") };
    paint(look.tone(label), &format!("{label:8} {sign}{text}"))
}

/// `label`, then `text` over as many lines as it needs, all beginning in column `indent`.
fn hanging(label: &str, text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut paragraph = Paragraph::new(width.saturating_sub(indent).max(1));
    paragraph.push(Style::new(), text);
    let lines = paragraph.lines().into_iter().enumerate();
    lines
        .map(|(index, line)| {
            if index == 0 {
                format!(" {label} {line}")
            } else {
                format!("{}{line}", " ".repeat(indent))
            }
        })
        .collect()
}
