//! Words per second of each step of one article's way, on one thread.
//!
//! Input: the articles of `$COPYDESK_DATA/samples/wikinews.jsonl`, or the project's own samples without it. Compare
//! rates of one run with each other; the machine is named in `docs/performance.md`.

use std::path::Path;

use bytes::Bytes;
use copydesk::config::Config;
use copydesk::decode::{self, DecodeOptions, Decoded};
use copydesk::encode::{self, OffsetUnits, RunProvenance};
use copydesk::knowledge::Knowledge;
use copydesk::link;
use copydesk::metrics::Metrics;
use copydesk::model::{ArticleReading, Reader};
use copydesk::sink::Destination;
use copydesk::source::{Position, RawRecord};
use copydesk::stages::{
    Annotations, Models, StageOutcome, StageResult, entities, quotes, sentiment,
};
use copydesk::text::{Segmented, Segments, language};
use copydesk::trace::{self, Endpoint};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let (records, n_words) = (records(), n_words());
    let options = DecodeOptions::default();
    bencher.counter(n_words).bench(|| {
        for record in &records {
            black_box(decode::decode(record, &options).is_ok());
        }
    });
}

#[divan::bench]
fn segment(bencher: Bencher<'_, '_>) {
    let articles = articles();
    bencher.counter(n_words()).bench(|| {
        for article in &articles {
            black_box(Segments::of(&article.article.text));
        }
    });
}

#[divan::bench]
fn detect_language(bencher: Bencher<'_, '_>) {
    let articles = articles();
    bencher.counter(n_words()).bench(|| {
        for article in &articles {
            black_box(language::detect(&article.article));
        }
    });
}

#[divan::bench]
fn entities(bencher: Bencher<'_, '_>) {
    let (articles, knowledge, reader) = (articles(), Knowledge::embedded(), Reader::embedded());
    bencher.counter(n_words()).bench(|| {
        for article in &articles {
            black_box(entities::find(article, &knowledge, &reader.read_article(article)));
        }
    });
}

#[divan::bench]
fn quotes(bencher: Bencher<'_, '_>) {
    let articles = articles();
    bencher.counter(n_words()).bench(|| {
        for article in &articles {
            black_box(quotes::find(article, &ArticleReading::default()));
        }
    });
}

#[divan::bench]
fn sentiment(bencher: Bencher<'_, '_>) {
    let (articles, reader) = (articles(), Reader::embedded());
    let readings: Vec<ArticleReading> =
        articles.iter().map(|article| reader.read_article(article)).collect();
    bencher.counter(n_words()).bench(|| {
        for (article, reading) in articles.iter().zip(&readings) {
            black_box(sentiment::score(article, reading));
        }
    });
}

/// From bytes to bytes: what one core does for a record.
#[divan::bench]
fn whole(bencher: Bencher<'_, '_>) {
    let (records, models) = (records(), Models::embedded());
    bencher.counter(n_words()).bench(|| {
        for record in &records {
            black_box(enrich(record, &models));
        }
    });
}

fn enrich(record: &RawRecord, models: &Models) -> Bytes {
    let run = RunProvenance {
        build: "b".into(),
        model: "m".into(),
        knowledge: "k".into(),
        config: "c".into(),
    };
    let article = article(record);
    let language = language::detect(&article.article);
    let reading = models.reader.read_article(&article);
    let annotations = Annotations {
        entities: StageResult {
            value: entities::find(&article, &models.knowledge, &reading),
            ..StageResult::default()
        },
        quotes: StageResult { value: quotes::find(&article, &reading), ..StageResult::default() },
        sentiment: StageResult {
            value: sentiment::score(&article, &reading),
            ..StageResult::default()
        },
    };
    let linked = link::link(&article, annotations);
    let options = (&run, OffsetUnits::default());
    encode::enriched(&article.article, &language, &linked, [StageOutcome::Ok; 3], record, options)
        .bytes
}

/// The five spans of each record, for a collector that is not there: the time is that of the records' own threads.
#[divan::bench]
fn traces(bencher: Bencher<'_, '_>) {
    let records = records();
    let mut config = Config::default();
    config.tracing.endpoint = Endpoint::parse("http://127.0.0.1:9");
    let metrics = Metrics::new(&config);
    let runtime = tokio::runtime::Runtime::new().expect("the system gives a thread");
    let started = runtime.block_on(async { trace::start(&config, &metrics.trace) });
    let (tracer, _exporter) = started.expect("no TLS is set up").expect("there is an endpoint");
    let runs = Annotations::default().runs();
    bencher.counter(ItemsCount::new(records.len())).bench(|| {
        for record in &records {
            let processing = tracer.begin(record).expect("all are sampled");
            let sending = tracer.processed(processing, record, &runs, None, Destination::Enriched);
            tracer.sent(&sending, false, None);
            black_box(sending);
        }
    });
}

fn article(record: &RawRecord) -> Segmented {
    match decode::decode(record, &DecodeOptions::default()) {
        Ok(Decoded::Article(article)) => Segmented::new(*article),
        other => panic!("not an article: {other:?}"),
    }
}

fn articles() -> Vec<Segmented> {
    records().iter().map(article).collect()
}

fn n_words() -> ItemsCount {
    ItemsCount::new(articles().iter().map(n_words_of).sum::<usize>())
}

fn n_words_of(article: &Segmented) -> usize {
    article.article.text.split_whitespace().count()
}

fn records() -> Vec<RawRecord> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/14-briefs.jsonl");
    let data = std::env::var_os("COPYDESK_DATA").filter(|path| !path.is_empty());
    let path = data.map_or(own, |data| Path::new(&data).join("samples/wikinews.jsonl"));
    let lines = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let record = |(offset, line): (i64, &str)| RawRecord {
        position: Position { topic: "samples".into(), partition: 0, offset },
        timestamp_ms: None,
        key: None,
        value: Some(Bytes::copy_from_slice(line.as_bytes())),
        headers: Vec::new(),
    };
    (0..).zip(lines.lines()).map(record).collect()
}
