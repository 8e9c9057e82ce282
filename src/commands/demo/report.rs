//! What the demo shows: a line for each article that went in, and one for what came out.
//!
//! In: settled records. Out: lines of at most 80 columns on standard output, with colours where it is a terminal.

use std::fmt::Write as _;
use std::io::{self, Stdout, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::article::Version;
use crate::config::Config;
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

pub(super) struct Report {
    out: anstream::AutoStream<Stdout>,
    /// To say again what the pipeline found out about an input: its format, and what exactly is wrong with it.
    decode: DecodeOptions,
    totals: Totals,
}

#[derive(Debug, Default)]
struct Totals {
    enriched: usize,
    retracted: usize,
    dead_letters: usize,
    entities: usize,
    quotes: usize,
    attributed: usize,
}

impl Report {
    pub(super) fn to_stdout(decode: DecodeOptions) -> Self {
        let out = anstream::AutoStream::auto(io::stdout());
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
            column(&harmless(&origin.0), FILE_WIDTH),
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
        let n_records = totals.enriched + totals.retracted + totals.dead_letters;
        writeln!(
            self.out,
            "\n{BOLD}{n_records} in{BOLD:#}: {} enriched, {} retracted, {}",
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

    pub(super) fn hints(&mut self, metrics: SocketAddr, broker: &str) -> io::Result<()> {
        let hints = [
            (format!("curl -s http://{metrics}/metrics | grep copydesk_"), "what a dashboard sees"),
            (format!("kcat -C -e -b {broker} -t articles.enriched"), "the records themselves"),
            ("copydesk enrich --pretty ARTICLE.txt".to_owned(), "one article, for people"),
            ("copydesk demo --input FOLDER".to_owned(), "your own articles"),
        ];
        writeln!(self.out, "\n{BOLD}Try next{BOLD:#}")?;
        for (command, what) in hints {
            let gap = if command.len() + what.len() + 5 > WIDTH { "\n      " } else { "  " };
            writeln!(self.out, "  {command}{gap}{DIM}{what}{DIM:#}")?;
        }
        writeln!(self.out, "\nThe service goes on; Ctrl-C stops it.")?;
        self.out.flush()
    }

    pub(super) fn stopped(&mut self) -> io::Result<()> {
        writeln!(self.out, "\nstopped: everything taken was settled and its offsets committed")?;
        self.out.flush()
    }
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
    let mut found = String::new();
    // Writing to a string cannot fail.
    let _infallible = write!(
        found,
        "{} {} {} {:+.2}",
        column(&format!("{:>2} {}", article.entities.len(), "entities"), 12),
        column(&format!("{:>2} quotes, {attributed} attributed", article.quotes.len()), 24),
        column(&tone.label, 8),
        tone.score,
    );
    found
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

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
