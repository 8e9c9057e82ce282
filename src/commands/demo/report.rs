//! What the demo shows: a line for each article that went in, and one for what came out.
//!
//! In: settled records. Out: lines of at most 80 columns on standard output, with colours where it is a terminal.

use std::io::{self, Stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::article::Version;
use crate::config::{Config, program};
use crate::decode::{self, DecodeOptions, Decoded};
use crate::enriched::view::{Enriched, Published};
use crate::pipeline::{Fate, Settled};
use crate::pretty::{column, cut, cut_front, harmless};
use crate::source::RawRecord;
use crate::source::lines::InputFault;

const WIDTH: usize = 80;
const FILE_WIDTH: usize = 29;
const FORMAT_WIDTH: usize = 10;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = colour(AnsiColor::Green);
const BAD: Style = colour(AnsiColor::Red);
const WARNING: Style = colour(AnsiColor::Yellow);

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(colour)))
}

/// Where a record came from: a file, or a position in the topic.
pub(super) struct Origin(pub(super) String);

pub(super) struct Report<W = anstream::AutoStream<Stdout>> {
    out: W,
    /// To say again what the pipeline found out about an input: its format, and what exactly is wrong with it.
    decode: DecodeOptions,
    totals: Totals,
}

#[derive(Debug, Default)]
struct Totals {
    enriched: usize,
    retracted: usize,
    dead_letters: usize,
    skipped: usize,
    entities: usize,
    quotes: usize,
    attributed: usize,
}

impl Report {
    pub(super) fn to_stdout(decode: DecodeOptions) -> Self {
        Self::new(anstream::AutoStream::auto(io::stdout()), decode)
    }
}

impl<W: io::Write> Report<W> {
    fn new(out: W, decode: DecodeOptions) -> Self {
        Self { out, decode, totals: Totals::default() }
    }

    pub(super) fn opening(
        &mut self,
        folder: Option<&str>,
        broker: &str,
        metrics: SocketAddr,
        config: &Config,
    ) -> io::Result<()> {
        let articles = folder.map_or_else(
            || "the samples inside this program".to_owned(),
            |folder| format!("from {}", harmless(folder)),
        );
        let output = &config.output;
        let lines = [
            ("articles", articles),
            ("broker", format!("embedded, {broker}")),
            ("topics", format!("{} → {}", config.input.topic, output.topic)),
            ("", format!("refused records → {}", output.dead_letter_topic)),
            ("metrics", format!("http://{metrics}/metrics")),
            ("delivery", "at least once: the embedded broker has no transactions".to_owned()),
        ];
        writeln!(self.out, "{BOLD}copydesk {} demo{BOLD:#}", crate::BUILD)?;
        for (name, value) in lines {
            writeln!(self.out, "  {} {}", column(name, 9), cut(&value, WIDTH - 12))?;
        }
        writeln!(self.out, "{DIM}  the consumer group forms in about three seconds …{DIM:#}\n")?;
        self.out.flush()
    }

    pub(super) fn fault(&mut self, fault: &InputFault) -> io::Result<()> {
        writeln!(self.out, "{BAD}→ {}{BAD:#}", harmless(&fault.to_string()))?;
        self.out.flush()
    }

    pub(super) fn settled(&mut self, origin: &Origin, settled: &Settled) -> io::Result<()> {
        let decoded = decode::decode(&as_read(settled), &self.decode);
        let (format, id) = match &decoded {
            Ok(Decoded::Article(article)) => {
                (article.format.as_str(), named(article.id.as_str(), article.version.as_ref()))
            }
            Ok(Decoded::Retraction(retraction)) => {
                ("", named(retraction.id.as_str(), retraction.version.as_ref()))
            }
            Err(_) => ("", String::new()),
        };
        let input = format!(
            "→ {} {} {}",
            column(&cut_front(&harmless(&origin.0), FILE_WIDTH), FILE_WIDTH),
            column(format, FORMAT_WIDTH),
            cut_front(&harmless(&id), WIDTH - FILE_WIDTH - FORMAT_WIDTH - 4),
        );
        writeln!(self.out, "{}", input.trim_end())?;
        let took = milliseconds(settled.elapsed);
        match settled.fate {
            Fate::Enriched => self.enriched(settled, &took)?,
            Fate::Retracted(reason) => {
                self.totals.retracted += 1;
                let what = column(reason.as_str(), WIDTH - 21);
                writeln!(self.out, "{WARNING}← retracted{WARNING:#}   {what}{took}")?;
            }
            Fate::DeadLettered(reason) => {
                self.totals.dead_letters += 1;
                let detail = decoded.err().map(|error| format!(": {error}")).unwrap_or_default();
                let why = cut(&format!("{}{}", reason.as_str(), harmless(&detail)), WIDTH - 14);
                writeln!(self.out, "{BAD}← dead letter{BAD:#} {why}")?;
            }
            Fate::Skipped(reason) => {
                self.totals.skipped += 1;
                writeln!(self.out, "{WARNING}← skipped{WARNING:#}     {}", reason.as_str())?;
            }
        }
        self.out.flush()
    }

    fn enriched(&mut self, settled: &Settled, took: &str) -> io::Result<()> {
        self.totals.enriched += 1;
        let output = settled.output.as_deref().unwrap_or_default();
        let Ok(Published::Enriched(article)) = Published::parse(output) else {
            return writeln!(self.out, "{BAD}← not a record of our schema{BAD:#}");
        };
        let attributed = article.quotes.iter().filter(|quote| quote.unattributed.is_none()).count();
        self.totals.entities += article.entities.len();
        self.totals.quotes += article.quotes.len();
        self.totals.attributed += attributed;
        let found = match trouble(&article) {
            Some(trouble) => trouble,
            None => found(&article, attributed),
        };
        let language = column(&article.language.code, 3);
        let what = column(&found, WIDTH - 25);
        writeln!(self.out, "{GOOD}← enriched{GOOD:#}    {language} {what}{took}")
    }

    pub(super) fn summary(&mut self) -> io::Result<()> {
        let totals = &self.totals;
        let n_records = totals.enriched + totals.retracted + totals.dead_letters + totals.skipped;
        let skipped = match totals.skipped {
            0 => String::new(),
            n => format!(", {n} skipped"),
        };
        writeln!(
            self.out,
            "\n{BOLD}{n_records} in{BOLD:#}: {} enriched, {} retracted, {}{skipped}",
            totals.enriched,
            totals.retracted,
            counted(totals.dead_letters, "dead letter", "dead letters"),
        )?;
        writeln!(
            self.out,
            "{}, {}, {} of them with a named speaker",
            counted(totals.entities, "entity", "entities"),
            counted(totals.quotes, "quote", "quotes"),
            totals.attributed,
        )?;
        self.out.flush()
    }

    pub(super) fn hints(
        &mut self,
        metrics: SocketAddr,
        broker: &str,
        topic: &str,
    ) -> io::Result<()> {
        let program = program();
        let hints = [
            ("what a dashboard sees", format!("curl -s http://{metrics}/metrics")),
            ("the records, with any Kafka client", format!("kcat -C -e -b {broker} -t {topic}")),
            ("one article for people", format!("{program} enrich --pretty {}", an_article())),
            ("your own articles", format!("{program} demo --input FOLDER")),
        ];
        writeln!(self.out, "\n{BOLD}Try next{BOLD:#}")?;
        for (what, command) in hints {
            writeln!(self.out, "  {DIM}{what}{DIM:#}\n    {command}")?;
        }
        writeln!(self.out, "\nThe service goes on; Ctrl-C stops it.")?;
        self.out.flush()
    }

    pub(super) fn stopped(&mut self) -> io::Result<()> {
        writeln!(self.out, "\nstopped: everything taken was settled and its offsets committed")?;
        self.out.flush()
    }
}

/// A file that is there to be tried: in a checkout the first sample is.
fn an_article() -> &'static str {
    const SAMPLE: &str = "samples/01-harbour-tunnel.json";
    if Path::new(SAMPLE).is_file() { SAMPLE } else { "ARTICLE.txt" }
}

/// The record as the pipeline read it, as far as decoding looks at it.
fn as_read(settled: &Settled) -> RawRecord {
    RawRecord {
        position: settled.position.clone(),
        timestamp_ms: None,
        key: None,
        value: settled.input.clone(),
        headers: Vec::new(),
    }
}

fn named(id: &str, version: Option<&Version>) -> String {
    version.map_or_else(|| id.to_owned(), |version| format!("{id} v{}", version.as_str()))
}

fn found(article: &Enriched, attributed: usize) -> String {
    let tone = &article.sentiment.document;
    let score = if tone.score == 0.0 { " 0.00".to_owned() } else { format!("{:+.2}", tone.score) };
    let entities = right_counted(article.entities.len(), "entity", "entities");
    let quotes = right_counted(article.quotes.len(), "quote", "quotes");
    format!(
        "{} {} {} {score}",
        column(&entities, 12),
        column(&format!("{quotes}, {attributed} attributed"), 25),
        column(&tone.label, 8),
    )
}

/// Which stages have no result, and why; `None` when all have.
fn trouble(article: &Enriched) -> Option<String> {
    let stages = &article.stages;
    let outcomes = [
        ("entities", &stages.entities.outcome),
        ("quotes", &stages.quotes.outcome),
        ("sentiment", &stages.sentiment.outcome),
    ];
    let failed: Vec<_> = outcomes.into_iter().filter(|(_, outcome)| *outcome != "ok").collect();
    match failed.as_slice() {
        [] => None,
        [(_, outcome), rest @ ..]
            if rest.len() == 2 && rest.iter().all(|(_, other)| other == outcome) =>
        {
            Some(format!("without annotations: {outcome}"))
        }
        some => {
            let parts = some.iter().map(|(stage, outcome)| format!("{stage} {outcome}"));
            Some(parts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn milliseconds(elapsed: Duration) -> String {
    let ms = elapsed.as_millis();
    if ms == 0 { "  <1 ms".to_owned() } else { format!("{ms:>4} ms") }
}

fn right_counted(n: usize, one: &str, many: &str) -> String {
    format!("{n:>3} {}", if n == 1 { one } else { many })
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use expect_test::{Expect, expect};

    use super::*;
    use crate::article::RetractionReason;
    use crate::dead_letter::Reason;
    use crate::source::Position;

    fn record(outcome: &str) -> String {
        let neutral = serde_json::json!({ "label": "negative", "score": -0.42 });
        let quote = serde_json::json!({ "id": "q", "type": "direct", "start": 0, "end": 1, "text": "a",
            "confidence": 1.0, "speaker": { "entity": "e1" } });
        let mut unattributed = quote.clone();
        unattributed["unattributed"] = "anonymous".into();
        serde_json::json!({
            "schema": "copydesk/enriched/1", "id": "a", "status": "enriched", "text": "abc",
            "language": { "code": "en", "confidence": 1.0 },
            "entities": [{ "id": "e1", "type": "GPE", "name": "a", "salience": 0.5, "sentiment": neutral, "mentions": [] }],
            "quotes": [quote, unattributed],
            "sentiment": { "document": neutral, "sentences": [] },
            "stages": { "entities": { "outcome": outcome }, "quotes": { "outcome": "ok" }, "sentiment": { "outcome": "ok" } },
            "provenance": { "build": "1", "model": "m", "knowledge": "k", "config": "c", "input": "i" },
        })
        .to_string()
    }

    fn settled(input: &str, fate: Fate, output: &str) -> Settled {
        Settled {
            position: Position { topic: "articles.raw".into(), partition: 0, offset: 7 },
            key: None,
            fate,
            input: Some(Bytes::copy_from_slice(input.as_bytes())),
            output: Some(Bytes::copy_from_slice(output.as_bytes())),
            elapsed: Duration::from_micros(12_345),
        }
    }

    #[track_caller]
    fn check(settled: &[(&str, Settled)], expected: Expect) {
        let mut out = anstream::StripStream::new(Vec::new());
        let mut report = Report::new(&mut out, DecodeOptions::default());
        for (origin, settled) in settled {
            report.settled(&Origin((*origin).to_owned()), settled).unwrap();
        }
        report.summary().unwrap();
        let shown = String::from_utf8(out.into_inner()).unwrap();
        for line in shown.lines() {
            assert!(textwrap::core::display_width(line) <= WIDTH, "too wide: {line}");
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn each_fate_has_its_line() {
        let plain = r#"{"id":"urn:desk:a:very:long:name:of:an:article:that:does:not:fit","version":"2","text":"abc"}"#;
        let cases = [
            ("01-a.json", settled(plain, Fate::Enriched, &record("ok"))),
            (
                "folder/with-a-name-that-is-much-too-long.jsonl:3",
                settled(plain, Fate::Enriched, &record("failed")),
            ),
            ("02-b.json", settled("{", Fate::DeadLettered(Reason::TruncatedJson), "")),
            ("03-c.json", settled(plain, Fate::Retracted(RetractionReason::Canceled), "{}")),
        ];
        check(
            &cases,
            expect![[r#"
                → 01-a.json                     plain      …e:of:an:article:that:does:not:fit v2
                ← enriched    en    1 entity     2 quotes, 1 attributed  negative -0.42    12 ms
                → …hat-is-much-too-long.jsonl:3 plain      …e:of:an:article:that:does:not:fit v2
                ← enriched    en  entities failed                                          12 ms
                → 02-b.json
                ← dead letter truncated_json: JSON ends early at line 1, column 1
                → 03-c.json                     plain      …e:of:an:article:that:does:not:fit v2
                ← retracted   canceled                                                     12 ms

                4 in: 2 enriched, 1 retracted, 1 dead letter
                2 entities, 4 quotes, 2 of them with a named speaker
            "#]],
        );
    }
}
