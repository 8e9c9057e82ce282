//! Weights of unknown origin: refused, or read without a panic.
//!
//! In: a header and a blob, put into a file whose magic, version and hash are right, so that the checks behind them are
//! reached.
#![no_main]

use copydesk::model::Reader;
use copydesk::text::Segments;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};

fuzz_target!(|body: &[u8]| {
    assert!(Reader::load(body.to_vec()).is_err() || body.starts_with(b"CDREADER"));
    let mut file = b"CDREADER\x01\0\0\0".to_vec();
    file.extend_from_slice(&Sha256::digest(body));
    file.extend_from_slice(body);
    if let Ok(reader) = Reader::load(file) {
        let text = "Anna Kowalska spoke.";
        let segments = Segments::of(text);
        assert_eq!(reader.read(text, &segments).n_words(), segments.words.len());
    }
});
