//! Words per second of the reader, by kernel: pieces, encoder, heads and decoding, without splitting into words.
//!
//! Input: the texts of `$COPYDESK_DATA/samples/wikinews.jsonl`, or the project's own briefs without it. An item is a word
//! between blanks; the reader's own words, marks included, are a sixth more. Compare rates of one run with each other.

use std::path::Path;
use std::sync::LazyLock;

use copydesk::model::{Kernel, Reader};
use copydesk::text::Segments;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const WEIGHTS: &[u8] = include_bytes!("../../models/reader.bin");

/// What one sample reads: a second or two on each kernel.
const TEXTS_MAX: usize = 100;
const PORTABLE_TEXTS_MAX: usize = 5;

fn main() {
    divan::main();
}

/// From bytes to packed weights: what start-up pays.
#[divan::bench(args = available(), sample_count = 10)]
fn load(kernel: Kernel) {
    black_box(Reader::load_for(WEIGHTS, kernel).is_ok());
}

/// All texts, one after the other; on two threads each reads them all.
#[divan::bench(args = available(), threads = [1, 2], sample_count = 3, sample_size = 1)]
fn read(bencher: Bencher<'_, '_>, kernel: Kernel) {
    let reader = Reader::load_for(WEIGHTS, kernel).expect("the weights inside the repository");
    let n_texts = if kernel == Kernel::Portable { PORTABLE_TEXTS_MAX } else { TEXTS_MAX };
    let texts: Vec<_> = TEXTS.iter().take(n_texts).collect();
    let n_words: usize = texts.iter().map(|(text, _)| text.split_whitespace().count()).sum();
    bencher.counter(ItemsCount::new(n_words)).bench(|| {
        for (text, segments) in &texts {
            black_box(reader.read(text, segments));
        }
    });
}

fn available() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_available())
}

static TEXTS: LazyLock<Vec<(String, Segments)>> = LazyLock::new(|| {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/14-briefs.jsonl");
    let data = std::env::var_os("COPYDESK_DATA").filter(|path| !path.is_empty());
    let path = data.map_or(own, |data| Path::new(&data).join("samples/wikinews.jsonl"));
    let lines = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let texts = lines.lines().filter_map(|line| {
        let article: serde_json::Value = serde_json::from_str(line).ok()?;
        let text = article["text"].as_str()?.to_owned();
        Some((text.clone(), Segments::of(&text)))
    });
    texts.collect()
});
