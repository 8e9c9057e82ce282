//! The reader against training's reference vectors, and its kernels against each other.

use std::ops::Range;

use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::text::Segments;

const EMBEDDED: &[u8] = include_bytes!("../../models/reader.bin");

/// An activation on the edge between two steps of int8 rounds the other way for a difference of 10⁻⁶ before it, and moves
/// the logits of its window; the same noise as int8 itself makes (0.3 at most, by training's `FORMAT.md`). The numpy twin
/// with 10⁻⁶ of noise on gelu moves as far: 0.14 at most, 0.016 in the median.
const LOG_PROBABILITY_ERROR_MAX: f64 = 0.25;
const LOG_PROBABILITY_ERROR_MEAN_MAX: f64 = 0.04;

fn available() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_available())
}

fn reader(kernel: Kernel) -> Reader {
    Reader::load_for(EMBEDDED, kernel).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn ids(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// The reference's windows are as long as training's.
fn reference_reader(kernel: Kernel) -> Reader {
    let mut reader = reader(kernel);
    reader.limits.filled = reader.limits.sentence;
    reader
}

fn reference() -> Value {
    serde_json::from_str(include_str!("../../training/reader/reference.json")).unwrap()
}

#[test]
fn words_pieces_and_casing_are_those_of_training() {
    let reader = reference_reader(Kernel::Portable);
    for case in reference().as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let segments = Segments::of(text);
        let mut windows = case["windows"].as_array().unwrap().iter();
        windows::each(&segments.sentences, reader.limits, |parts| {
            let mut batch = Batch::default();
            reader.push(text, &segments, parts, &mut batch);
            let window = windows.next().unwrap();
            let of_window = parts[0].words.start..parts.last().unwrap().words.end;
            let words: Vec<&str> =
                segments.words[of_window].iter().map(|word| word.span.of(text)).collect();
            let expected: Vec<&str> = window["words"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word["text"].as_str().unwrap())
                .collect();
            assert_eq!(words, expected);
            for (index, word) in words.iter().enumerate() {
                let pieces: Vec<u64> =
                    pieces_at(&batch, index + 1).iter().map(|&piece| piece.into()).collect();
                assert_eq!(pieces, ids(&window["pieces"][index]), "{word}");
            }
            let casing: Vec<u64> = batch.casing.iter().map(|&class| class.into()).collect();
            assert_eq!(casing[1..casing.len() - 1], ids(&window["casing"]));
        });
        assert!(windows.next().is_none());
    }
}

fn pieces_at(batch: &Batch, position: usize) -> &[u16] {
    &batch.pieces[batch.piece_ends[position - 1]..batch.piece_ends[position]]
}

fn differences(found: &[f32], logits: &Value) -> Vec<f64> {
    let logits = numbers(logits);
    assert_eq!(found.len(), logits.len());
    let total = logits.iter().map(|logit| logit.exp()).sum::<f64>().ln();
    found.iter().zip(logits).map(|(&found, logit)| f64::from(found) - (logit - total)).collect()
}

#[test]
fn every_kernel_reproduces_the_reference() {
    for kernel in available() {
        let reader = reference_reader(kernel);
        for case in reference().as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let reading = reader.read(text, &Segments::of(text));
            let windows = case["windows"].as_array().unwrap();
            let of_words = |key: &str| -> Vec<Value> {
                windows.iter().flat_map(|window| window[key].as_array().unwrap().clone()).collect()
            };
            let (entity, quote) = (of_words("entity_logits"), of_words("quote_logits"));
            let errors: Vec<f64> = (0..reading.n_words())
                .flat_map(|word| {
                    let mut errors = differences(reading.entity(word), &entity[word]);
                    errors.extend(differences(reading.quote(word), &quote[word]));
                    errors
                })
                .map(f64::abs)
                .collect();
            let greatest = errors.iter().copied().fold(0.0, f64::max);
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            assert!(greatest < LOG_PROBABILITY_ERROR_MAX, "{kernel:?}: {greatest}");
            assert!(mean < LOG_PROBABILITY_ERROR_MEAN_MAX, "{kernel:?}: {mean}");
            let names: Vec<Value> =
                reading.entity_tags().iter().map(|tag| tag.name().into()).collect();
            assert_eq!(names, of_words("entity_tags"), "{kernel:?}");
            let names: Vec<Value> =
                reading.quote_tags().iter().map(|tag| tag.name().into()).collect();
            assert_eq!(names, of_words("quote_tags"), "{kernel:?}");
        }
    }
}

/// Sentence by sentence, and mention by mention in its sentence, against the numpy pass.
#[test]
fn every_kernel_reproduces_the_tones_of_the_reference() {
    for kernel in available() {
        let reader = reference_reader(kernel);
        let mut errors: Vec<f64> = Vec::new();
        let mut compare = |found: Option<ToneLogits>, expected: &Value| {
            let found = found.expect("a sentence has words").0;
            let pairs = found.into_iter().zip(numbers(expected));
            errors.extend(pairs.map(|(found, expected)| (f64::from(found) - expected).abs()));
        };
        for case in reference().as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let reading = reader.read(text, &Segments::of(text));
            let mut rest = reading.tone_evidence();
            for window in case["windows"].as_array().unwrap() {
                let (words, after) = rest.split_at(window["words"].as_array().unwrap().len());
                rest = after;
                let mut sentences: Vec<Range<usize>> = Vec::new();
                for length in ids(&window["sentence_lengths"]) {
                    let start = sentences.last().map_or(0, |sentence| sentence.end);
                    sentences.push(start..start + usize::try_from(length).unwrap());
                }
                let expected = window["tone_sentence_logits"].as_array().unwrap();
                assert_eq!(expected.len(), sentences.len());
                for (sentence, expected) in sentences.iter().zip(expected) {
                    compare(ToneEvidence::of_sentence(&words[sentence.clone()]), expected);
                }
                for target in window["tone_target_logits"].as_array().unwrap() {
                    let [start, end] = ids(&target["words"])[..] else { panic!("{target}") };
                    let own = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
                    let sentence = sentences.iter().find(|at| at.contains(&own.start)).unwrap();
                    let around = &words[sentence.clone()];
                    compare(ToneEvidence::of_target(&words[own], around), &target["logits"]);
                }
            }
            assert!(rest.is_empty());
        }
        let greatest = errors.iter().copied().fold(0.0, f64::max);
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!(errors.len() > 30, "{} logits", errors.len());
        assert!(greatest < LOG_PROBABILITY_ERROR_MAX, "{kernel:?}: {greatest}");
        assert!(mean < LOG_PROBABILITY_ERROR_MEAN_MAX, "{kernel:?}: {mean}");
    }
}

/// Whatever part of a sentence is asked for: no words say nothing, and one word says what it says.
#[test]
fn the_tone_of_words_is_the_mean_of_what_each_says() {
    let text = "Critics praised the plan.";
    let reading = reader(Kernel::fastest()).read(text, &Segments::of(text));
    let words = reading.tone_evidence();
    assert_eq!(words.len(), reading.n_words());
    assert_eq!(ToneEvidence::of_sentence([]), None);
    assert_eq!(ToneEvidence::of_target([], words), None);
    let [first, second] = [0, 1].map(|word| ToneEvidence::of_sentence([&words[word]]).unwrap().0);
    let both = ToneEvidence::of_sentence(&words[..2]).unwrap().0;
    for tone in 0..3 {
        assert!((both[tone] - f32::midpoint(first[tone], second[tone])).abs() < 1e-5);
    }
    let tone = ToneLogits(both).probabilities();
    assert!((tone.negative + tone.neutral + tone.positive - 1.0).abs() < 1e-6);
}

#[test]
fn a_file_without_a_tone_layer_says_nothing_of_tone() {
    let (mut header, blob) = embedded_parts();
    header["tone"] = Value::Null;
    let reader = Reader::load(file_of(&header.to_string(), blob)).unwrap();
    let text = "Critics praised the plan.";
    let reading = reader.read(text, &Segments::of(text));
    assert_eq!((reading.n_words(), reading.tone_evidence().len()), (5, 0));
}

#[test]
fn spans_have_the_least_confidence_of_their_words() {
    let text = "Anna Kowalska met the Sejm’s speaker in Warsaw.";
    let reading = reader(Kernel::fastest()).read(text, &Segments::of(text));
    let found: Vec<(EntityLabel, Range<usize>)> =
        reading.entities().iter().map(|span| (span.label, span.words.clone())).collect();
    assert_eq!(
        found,
        [(EntityLabel::Person, 0..2), (EntityLabel::Org, 4..5), (EntityLabel::Gpe, 8..9)]
    );
    let begin = reading.entity(0)[Tag::Begin(EntityLabel::Person).index()];
    let inside = reading.entity(1)[Tag::Inside(EntityLabel::Person).index()];
    assert!((reading.entities()[0].confidence.ln() - begin.min(inside)).abs() < 1e-4);
}

/// Texts for which every path through the encoder is taken: long and short windows, unknown and odd words.
fn texts() -> Vec<String> {
    let word = "Gdynia’s 1,200 iRadio-led U.S. cafés “won”, Jan O’Malley said; ";
    vec![
        String::new(),
        "Yes.".to_owned(),
        word.to_owned(),
        word.repeat(40),
        "Rain fell. ".repeat(100),
        format!("{}\n{}", "ħ☃漢字 🇵🇱 ".repeat(30), "A B. ".repeat(200)),
    ]
}

#[test]
fn kernels_agree_in_every_bit() {
    let portable = reader(Kernel::Portable);
    for kernel in available() {
        let reader = reader(kernel);
        for text in texts() {
            let segments = Segments::of(&text);
            assert_eq!(
                reader.read(&text, &segments),
                portable.read(&text, &segments),
                "{kernel:?}"
            );
        }
    }
}

#[test]
fn a_text_reads_the_same_alone_and_after_others() {
    let reader = reader(Kernel::fastest());
    let texts = texts();
    let segments: Vec<Segments> = texts.iter().map(|text| Segments::of(text)).collect();
    let all: Vec<(&str, &Segments)> =
        texts.iter().map(String::as_str).zip(segments.iter()).collect();
    let mut together = reader.read_all(&all);
    for (text, segments) in all {
        let after = together.split_off(segments.words.len());
        assert_eq!(together, reader.read(text, segments));
        together = after;
    }
}

#[track_caller]
fn check_monster(text: &str) {
    let segments = Segments::of(text);
    let reading = reader(Kernel::fastest()).read(text, &segments);
    assert_eq!(reading.n_words(), segments.words.len());
    assert_eq!(reading.entity_tags().len(), segments.words.len());
}

#[test]
fn hostile_texts_are_read() {
    check_monster(&"x".repeat(1_000_000));
    check_monster(&"e\u{301}\u{302}".repeat(200_000));
    check_monster(&format!("a{}", "\u{301}".repeat(500_000)));
    check_monster(&"👩\u{200d}🚀".repeat(3_000));
    check_monster(&"ALL CAPS AND NO END ".repeat(500));
    check_monster(&"İSTANBUL ŒUVRE ǅ ﬁ ẞ 漢字 ".repeat(300));
    check_monster(&"a ".repeat(10_000));
    check_monster(&"\u{ad}\u{200b}'".repeat(3_000));
}

#[test]
fn words_beyond_the_limit_are_left_unread() {
    let mut reading = Reading::default();
    reading.fill(2);
    assert_eq!(reading.n_words(), 2);
    assert_eq!((reading.entity(1)[0], reading.entity(1)[1]), (0.0, UNREAD));
    assert_eq!(reading.quote_tags(), [Tag::Outside; 2]);
}

#[track_caller]
fn check_refused(bytes: Vec<u8>, expected: &LoadError) {
    assert_eq!(Reader::load(bytes).unwrap_err(), *expected);
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    check_refused(Vec::new(), &LoadError::NotWeights);
    check_refused(b"PK\x03\x04".to_vec(), &LoadError::NotWeights);
    check_refused(EMBEDDED[..9].to_vec(), &LoadError::Truncated);
    check_refused(EMBEDDED[..EMBEDDED.len() - 1].to_vec(), &LoadError::Checksum);
    let mut newer = EMBEDDED.to_vec();
    newer[8] = 2;
    check_refused(newer, &LoadError::WrongVersion { found: 2 });
    let mut flipped = EMBEDDED.to_vec();
    flipped[1_000_000] ^= 1;
    check_refused(flipped, &LoadError::Checksum);
}

/// A whole file with this header and blob.
fn file_of(header: &str, blob: &[u8]) -> Vec<u8> {
    let mut body = u32::try_from(header.len()).unwrap().to_le_bytes().to_vec();
    body.extend_from_slice(header.as_bytes());
    body.extend_from_slice(blob);
    let mut file = b"CDREADER\x01\0\0\0".to_vec();
    file.extend_from_slice(&Sha256::digest(&body));
    file.extend(body);
    file
}

/// The embedded file's header, and its blob.
fn embedded_parts() -> (Value, &'static [u8]) {
    let length = u32::from_le_bytes(EMBEDDED[44..48].try_into().unwrap()) as usize;
    let (header, blob) = EMBEDDED[48..].split_at(length);
    (serde_json::from_slice(header).unwrap(), blob)
}

#[track_caller]
fn check_header_refused(pointer: &str, value: Value, expected: &str) {
    let (mut header, blob) = embedded_parts();
    *header.pointer_mut(pointer).unwrap() = value;
    let error = Reader::load(file_of(&header.to_string(), blob)).unwrap_err();
    assert!(error.to_string().contains(expected), "{pointer}: {error}");
}

#[test]
fn hostile_headers_are_refused() {
    let (header, blob) = embedded_parts();
    assert!(Reader::load(file_of(&header.to_string(), blob)).is_ok(), "the parts make a whole");
    assert_eq!(
        Reader::load(file_of("{}", blob)).unwrap_err(),
        LoadError::Header { detail: "missing field `name` at line 1 column 2".to_owned() }
    );
    assert_eq!(
        Reader::load(file_of(&header.to_string(), &blob[..9])).unwrap_err(),
        LoadError::Truncated
    );
    for (pointer, value, expected) in [
        ("/architecture/layers", 0, "layers 0"),
        ("/architecture/layers", 1_000_000, "layers 1000000"),
        ("/architecture/layers", 4, "no tensor layer.3.qkv.q"),
        ("/architecture/width", 400, "width 400"),
        ("/architecture/heads", 6, "heads 6"),
        ("/architecture/inner", 1536, "layer.0.up.q"),
        ("/architecture/pieces", 100_000, "pieces 100000"),
        ("/architecture/positions", 64, "126"),
        ("/architecture/window_words", 127, "words per window 127"),
        ("/architecture/casing_classes", 30, "casing classes 30"),
        ("/architecture/pieces_per_word_max", 0, "pieces per word 0"),
        ("/tensors/position/offset", u64::MAX, "position"),
        ("/tensors/vocabulary/shape/0", u64::MAX, "vocabulary"),
        ("/tensors/vocabulary/shape/0", 1000, "another number of pieces"),
        ("/tensors/casing/offset", blob.len() as u64 - 8, "truncated"),
    ] {
        check_header_refused(pointer, value.into(), expected);
    }
    check_header_refused("/entity_tags/3", "B-CITY".into(), "other entity tags");
    check_header_refused("/quote_tags/0", "X".into(), "other quote tags");
    check_header_refused("/tone/tones/0", 1.into(), "other tone tags");
    check_header_refused("/tone/heads", 0.into(), "tone heads 0");
    check_header_refused("/tone/inner", 48.into(), "tone inner width 48");
    check_header_refused("/tone/encoder", "0".into(), "trained on another encoder");
    check_header_refused("/tensors/piece.q/type", "f32".into(), "piece.q of another type");
    check_header_refused("/tensors/piece.q/type", "f64".into(), "unknown variant");
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let (header, blob) = embedded_parts();
    let offset = header["tensors"]["norm.bias"]["offset"].as_u64().unwrap();
    let mut blob = blob.to_vec();
    let at = usize::try_from(offset).unwrap();
    blob[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = Reader::load(file_of(&header.to_string(), &blob)).unwrap_err();
    assert_eq!(error, LoadError::NotFinite { name: "norm.bias".to_owned() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also where the hash fits: a file is refused or read, and what it reads with does not panic.
    #[test]
    fn damaged_files_do_no_harm(
        header_damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        blob_damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..50),
        length in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let (header, blob) = embedded_parts();
        let mut header = header.to_string().into_bytes();
        let mut blob = blob.to_vec();
        header_damage.iter().for_each(|(at, byte)| *at.get_mut(&mut header) = *byte);
        blob_damage.iter().for_each(|(at, byte)| *at.get_mut(&mut blob) = *byte);
        let header = String::from_utf8_lossy(&header).into_owned();
        let mut file = file_of(&header, &blob);
        if is_cut {
            file.truncate(length.index(file.len()));
        }
        if let Ok(reader) = Reader::load(file) {
            let text = "“We won”, said Anna Kowalska of Gdynia.";
            let reading = reader.read(text, &Segments::of(text));
            prop_assert_eq!(reading.n_words(), 11);
        }
    }

    #[test]
    fn foreign_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(Reader::load(bytes.clone()).is_err());
        let mut file = b"CDREADER\x01\0\0\0".to_vec();
        file.extend(bytes);
        prop_assert!(Reader::load(file).is_err());
    }
}

#[test]
fn the_version_names_the_file() {
    let version = reader(Kernel::Portable).version().to_owned();
    let (name, hash) = version.split_once("@sha256:").unwrap();
    assert!(name.starts_with("reader-") && hash.len() == 64, "{version}");
}
