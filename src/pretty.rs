//! A published record as a page for people.
//!
//! In: the record's bytes. Out: lines of at most the given width: the article with names and quotes marked, then what
//! was found in tables. Everything shown is read back from the published record; nothing in an article can steer the
//! terminal.

mod look;
mod marks;
mod tables;
mod wrap;

use crate::enriched::view::{Enriched, Published, Retracted};

pub use look::{Look, column, cut, cut_front, harmless};

/// A line longer than this is tiring to read.
pub const WIDTH_MAX: usize = 100;

/// Columns when nothing says how wide the terminal is.
pub const WIDTH_DEFAULT: usize = 80;

/// Narrower than this, the tables say nothing.
const WIDTH_MIN: usize = 40;

/// The page of one record, without a final line feed.
///
/// # Errors
/// When `record` is not a record of this schema.
pub fn page(record: &[u8], look: Look, width: usize) -> serde_json::Result<String> {
    let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    let lines = match Published::parse(record)? {
        Published::Enriched(article) => article_page(&article, look, width),
        Published::Retracted(retracted) => vec![retraction_line(&retracted, look)],
    };
    Ok(lines.join("\n"))
}

/// What stands between two pages.
pub fn separator(look: Look, width: usize) -> String {
    let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    format!("\n{}\n", look::paint(look.dim(), &"─".repeat(width)))
}

fn article_page(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let mut lines = marks::headline(article, look, width);
    lines.extend(tables::origin(article, look, width));
    lines.push(String::new());
    lines.extend(marks::body(article, look, width));
    let sections = [
        tables::legend(article, look, width),
        tables::entities(article, look, width),
        tables::quotes(article, look, width),
        tables::tone(article, look, width),
        tables::stages(article, look, width),
    ];
    for section in sections {
        if !section.is_empty() {
            lines.push(String::new());
            lines.extend(section);
        }
    }
    lines
}

fn retraction_line(retracted: &Retracted, look: Look) -> String {
    let version = retracted.version.as_deref().map(|version| format!(" (version {version})"));
    let text = format!(
        "RETRACTED {}{}: {}",
        look::harmless(&retracted.id),
        look::harmless(&version.unwrap_or_default()),
        retracted.reason
    );
    look::paint(look.warning(), &text)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;

    const TEXT: &str = "“We\u{1b}[31m start,” Mayor Ada Vik said in Bergen, “today.”\nOfficials denied it: \
        «اليوم» 🎉🎉 and 東京 are wide; \u{202e}this is not reversed.\n\nOn Monday";

    /// The span of the first `part` of [`TEXT`], in code points.
    fn span(part: &str) -> Value {
        let at = TEXT.find(part).unwrap();
        let start = TEXT.get(..at).unwrap().chars().count();
        json!({ "start": start, "end": start + part.chars().count(), "text": part, "confidence": 1.0 })
    }

    fn quote(kind: &str, part: &str, attribution: &Value) -> Value {
        let mut quote = span(part);
        quote["id"] = "q1".into();
        quote["type"] = kind.into();
        quote.as_object_mut().unwrap().extend(attribution.as_object().unwrap().clone());
        quote
    }

    fn entity(id: &str, kind: &str, part: &str, wikidata: Option<&str>) -> Value {
        let tone = json!({ "label": "positive", "score": 0.25 });
        json!({ "id": id, "type": kind, "name": part, "salience": 0.5, "wikidata": wikidata,
            "sentiment": tone, "mentions": [span(part)] })
    }

    fn record() -> Vec<u8> {
        let vik = json!({ "speaker": { "text": "Mayor Ada Vik", "entity": "e1" } });
        let officials = json!({ "speaker": { "text": "Officials" }, "unattributed": "anonymous" });
        let neutral = json!({ "label": "neutral", "score": 0.0 });
        let mut sentence = span("Officials denied it");
        sentence["label"] = "negative".into();
        sentence["score"] = (-0.4).into();
        json!({
            "schema": "copydesk/enriched/1", "id": "desk\u{7}1", "version": "2", "status": "enriched",
            "language": { "code": "en", "confidence": 1.0 }, "headline": "Bergen starts",
            "embargoed_until": "2024-05-01T00:00:00Z", "text": TEXT,
            "entities": [
                entity("e1", "PERSON", "Ada Vik", Some("Q1")), entity("e2", "GPE", "Bergen", None),
                entity("e3", "DATE", "Monday", None),
            ],
            "quotes": [
                quote("direct", "“We\u{1b}[31m start,”", &vik), quote("direct", "“today.”", &vik),
                quote("indirect", "are wide", &officials),
            ],
            "sentiment": { "document": neutral, "headline": neutral, "sentences": [sentence] },
            "stages": { "entities": { "outcome": "ok" }, "quotes": { "outcome": "budget_exceeded" },
                "sentiment": { "outcome": "ok" } },
            "provenance": { "build": "1", "model": "m", "knowledge": "k", "config": "c", "input": "i" },
        })
        .to_string()
        .into_bytes()
    }

    #[track_caller]
    fn check(look: Look, width: usize, expected: Expect) {
        let page = page(&record(), look, width).unwrap();
        for line in anstream::adapter::strip_str(&page).to_string().lines() {
            assert!(textwrap::core::display_width(line) <= width, "too wide: {line}");
        }
        // Blanks at the end of a line would be lost in an editor.
        let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
        expected.assert_eq(&lines.join("\n").replace('\u{1b}', "␛"));
    }

    #[test]
    fn a_page_is_readable_without_colours() {
        check(
            Look::Plain,
            60,
            expect![[r#"
                Bergen starts
                desk�1 · language en · version 2 ·
                EMBARGOED until 2024-05-01T00:00:00Z

                {“We�[31m start,” ← Ada Vik (direct)} Mayor [PERSON Ada Vik]
                said in [GPE Bergen], {“today.” ← Ada Vik (direct)}

                Officials denied it: «اليوم» 🎉🎉 and 東京 {are wide
                ← nobody named: anonymous (indirect)}; �this is not
                reversed.

                On [DATE Monday]

                Entities
                 PERSON      Ada Vik  1×   Q1         positive +0.25
                 GPE         Bergen   1×   –          positive +0.25
                 DATE        Monday

                Quotes
                 direct   Ada Vik                 “We�[31m start,”
                 direct   Ada Vik                 “today.”
                 indirect “Officials” (anonymous) are wide

                Tone
                 document      neutral   0.00
                 headline      neutral   0.00
                 narrator      –
                 quoted        –
                 most negative negative -0.40 Officials denied it

                Stages
                 entities ok · quotes budget_exceeded · sentiment ok
                 build 1 · model m · knowledge k"#]],
        );
    }

    #[test]
    fn a_page_has_colours_by_type_and_nothing_of_the_articles_own() {
        check(
            Look::Colour,
            80,
            expect![[r#"
                ␛[1mBergen starts␛[0m
                ␛[2mdesk�1 · language en · version 2 · EMBARGOED until 2024-05-01T00:00:00Z␛[0m

                ␛[4m“We�[31m start,”␛[0m ␛[2m← Ada Vik (direct)␛[0m Mayor ␛[1m␛[36mAda Vik␛[0m said in ␛[1m␛[32mBergen␛[0m, ␛[4m“today.”␛[0m
                ␛[2m← Ada Vik (direct)␛[0m

                Officials denied it: «اليوم» 🎉🎉 and 東京 ␛[4mare wide␛[0m
                ␛[2m← nobody named: anonymous (indirect)␛[0m; �this is not reversed.

                On ␛[34mMonday␛[0m

                ␛[34mDATE␛[0m ␛[1m␛[32mGPE␛[0m ␛[1m␛[36mPERSON␛[0m ␛[4mwhat is quoted␛[0m␛[2m ← who says it␛[0m

                ␛[1mEntities␛[0m
                 ␛[1m␛[36mPERSON     ␛[0m Ada Vik  1×   Q1         ␛[32mpositive +0.25␛[0m
                 ␛[1m␛[32mGPE        ␛[0m Bergen   1×   –          ␛[32mpositive +0.25␛[0m
                 ␛[34mDATE       ␛[0m Monday

                ␛[1mQuotes␛[0m
                 ␛[2mdirect  ␛[0m Ada Vik                 “We�[31m start,”
                 ␛[2mdirect  ␛[0m Ada Vik                 “today.”
                 ␛[2mindirect␛[0m ␛[33m“Officials” (anonymous)␛[0m are wide

                ␛[1mTone␛[0m
                 document      neutral   0.00
                 headline      neutral   0.00
                 narrator      –
                 quoted        –
                 most negative ␛[31mnegative -0.40␛[0m Officials denied it

                ␛[1mStages␛[0m
                 entities ok · quotes ␛[33mbudget_exceeded␛[0m · sentiment ok
                ␛[2m build 1 · model m · knowledge k␛[0m"#]],
        );
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut_between_characters() {
        let text = format!("{}🎉{}", "x".repeat(39), "東".repeat(30));
        let mut paragraph = wrap::Paragraph::new(40);
        paragraph.push(anstyle::Style::new(), &text);
        let lines = paragraph.lines();
        let widths: Vec<usize> =
            lines.iter().map(|line| textwrap::core::display_width(line)).collect();
        assert_eq!(widths, [39, 40, 22]);
        assert_eq!(lines.concat(), text);
    }

    #[test]
    fn a_retraction_is_one_line() {
        let record = br#"{"schema":"copydesk/enriched/1","id":"a","version":"2","status":"retracted","reason":"canceled"}"#;
        assert_eq!(page(record, Look::Plain, 80).unwrap(), "RETRACTED a (version 2): canceled");
    }
}
