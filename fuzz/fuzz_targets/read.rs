//! Any text: every word is read, and probabilities are probabilities.
#![no_main]

use std::sync::LazyLock;

use copydesk::model::Reader;
use copydesk::text::Segments;
use libfuzzer_sys::fuzz_target;

static READER: LazyLock<Reader> = LazyLock::new(Reader::embedded);

fuzz_target!(|text: &str| {
    let segments = Segments::of(text);
    let reading = READER.read(text, &segments);
    assert_eq!(reading.n_words(), segments.words.len());
    for word in 0..reading.n_words() {
        for total in [
            reading.entity(word).iter().map(|x| x.exp()).sum::<f32>(),
            reading.quote(word).iter().map(|x| x.exp()).sum::<f32>(),
        ] {
            assert!((total - 1.0).abs() < 1e-3, "{total}");
        }
    }
    for span in reading.entities() {
        assert!(span.words.start < span.words.end && span.words.end <= reading.n_words());
    }
});
