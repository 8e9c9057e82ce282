//! Bad input: each case a clear reason or a correct record, none a crash.
//! (Monstrous texts through the stages stand in `properties`.)

use copydesk::article::{Article, Format, Span};
use copydesk::dead_letter::Reason;
use copydesk::decode::{DecodeOptions, Decoded, decode};
use copydesk::text::normalize::is_mojibake;
use proptest::prelude::*;

use crate::support;

/// What a value becomes: its text (cut short), or the reason and the message.
fn outcome(value: &[u8], options: &DecodeOptions) -> String {
    match decode(&support::record(None, Some(value)), options) {
        Ok(Decoded::Article(article)) => article.text.chars().take(60).collect(),
        Ok(Decoded::Retraction(retraction)) => {
            format!("retraction: {}", retraction.reason.as_str())
        }
        Err(error) => format!("{}: {error}", Reason::from(&error).as_str()),
    }
}

#[track_caller]
fn check(value: &[u8], expected: &str) {
    assert_eq!(outcome(value, &DecodeOptions::default()), expected);
}

#[track_caller]
fn check_up_to(bytes_max: usize, value: &[u8], expected: &str) {
    let options = DecodeOptions { article_bytes_max: bytes_max, ..DecodeOptions::default() };
    assert_eq!(outcome(value, &options), expected);
}

fn plain(text: &str) -> Vec<u8> {
    serde_json::json!({"id": "a", "text": text}).to_string().into_bytes()
}

/// Far above what is sent and below what a machine notices.
const MEGABYTES_20: usize = 20 * 1024 * 1024;

#[test]
fn invalid_utf8_says_where() {
    check(b"\xff\xfe{\x00}\x00", "not_utf8: value is not UTF-8: invalid byte at 0");
    check(b"{\"text\": \"caf\xe9\"}", "not_utf8: value is not UTF-8: invalid byte at 13");
    check(b"{\"text\": \"\xed\xa0\x80\"}", "not_utf8: value is not UTF-8: invalid byte at 10");
}

#[test]
fn a_transfer_that_breaks_off_says_so() {
    let whole = r#"{"id": "a", "n": [1.5e3, true], "text": "“Go,” she said."}"#.as_bytes();
    check(whole, "“Go,” she said.");
    check(&whole[..0], "empty_value: value has no bytes; a deletion is a null value");
    for end in 1..whole.len() {
        let found = outcome(&whole[..end], &DecodeOptions::default());
        let expected =
            if std::str::from_utf8(&whole[..end]).is_ok() { "truncated_json" } else { "not_utf8" };
        assert!(found.starts_with(expected), "cut at {end}: {found}");
    }
}

#[test]
fn large_values_are_refused_or_read() {
    let value = plain(&"It rained. ".repeat(MEGABYTES_20 / 11));
    let expected = format!("too_large: value is {} bytes, more than 1048576", value.len());
    check(&value, &expected);
    let start: String = "It rained. ".chars().cycle().take(60).collect();
    check_up_to(2 * MEGABYTES_20, &value, &start);
}

#[test]
fn deep_nesting_is_skipped_or_refused() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let (arrays, objects) = (deep("[", "]"), deep(r#"{"a":["#, "1]}").replacen("1]}", "]}", 1));
    let cases = [
        (arrays.clone(), "not_an_object: JSON is not an object but an array"),
        ("[".repeat(100_000), "not_an_object: JSON is not an object but an array"),
        (r#"{"a":"#.repeat(100_000), "truncated_json: JSON ends early at line 1, column 500000"),
        (format!(r#"{{"text": "It rained.", "x": {arrays}}}"#), "It rained."),
        (format!(r#"{{"text": {arrays}}}"#), r#"invalid_field: field "text" is not a string"#),
        (
            format!(r#"{{"uri": "u", "bodies": {arrays}}}"#),
            r#"too_deep: field "bodies" nests deeper than 128 levels"#,
        ),
        (
            format!(r#"{{"type": "story", "content_elements": {arrays}}}"#),
            r#"too_deep: field "content_elements" nests deeper than 128 levels"#,
        ),
        (format!(r#"{{"@type": {arrays}}}"#), r#"not_an_article: "@type" is not a text article"#),
        (
            format!(r#"{{"@graph": [{arrays}]}}"#),
            r#"not_an_article: "@graph" is not a text article"#,
        ),
        (format!(r#"{{"text": "It rained.", "x": {objects}}}"#), "not_json"),
    ];
    for (value, expected) in cases {
        let found = outcome(value.as_bytes(), &DecodeOptions::default());
        assert!(found.starts_with(expected), "{found}, expected {expected}");
    }
    let tags = "<div>".repeat(100_000) + "It rained." + &"</div>".repeat(100_000);
    let html = serde_json::json!({"id": "a", "body_html": tags}).to_string();
    check_up_to(MEGABYTES_20, html.as_bytes(), "It rained.");
}

#[test]
fn texts_of_hardly_anything() {
    check(&plain(""), "empty_text: text is blank and there is no headline");
    check(
        &plain(" \t\r\n\u{a0}\u{200b}\u{feff}"),
        "empty_text: text is blank and there is no headline",
    );
    check(&plain("x"), "x");
    check(&plain("😀"), "😀");
    check(&plain("\""), "\"");
    check(&plain("\0"), "\u{fffd}");
    check(
        br#"{"id": "a", "body_html": "<p>&nbsp;</p><script>x</script>"}"#,
        "empty_text: text is blank and there is no headline",
    );
}

#[test]
fn texts_of_one_kind_of_character() {
    for character in
        ["\"", "“", "'", "\u{5d0}", "😀", "\u{200f}", "&", "<", "\u{93}", "Ã", "\r", "\u{ad}x"]
    {
        let text = character.repeat(1_000_000);
        let value = plain(&text);
        let options = DecodeOptions { article_bytes_max: MEGABYTES_20, ..DecodeOptions::default() };
        let result = decode(&support::record(None, Some(&value)), &options);
        if character == "\r" || character == "\u{200f}" {
            assert_eq!(result.unwrap_err().to_string(), "text is blank and there is no headline");
            continue;
        }
        let Ok(Decoded::Article(article)) = result else { panic!("{character}: {result:?}") };
        let expected = if character == "\u{93}" { text.replace('\u{93}', "“") } else { text };
        assert_eq!(article.text, expected, "{character}");
    }
}

#[test]
fn other_scripts_stay_as_they_were_sent() {
    for text in [
        "🎉🏆 “What a night!”",
        "אמר: “שלום”",
        "قال: «مرحبا»",
        "\u{202e}reversed\u{202c} text",
        "e\u{301}\u{301}\u{301}",
    ] {
        check(&plain(text), text);
    }
}

/// Checks what holds of every article, whatever it was made from.
fn check_article(article: &Article) {
    let map = article.source_map.as_ref().unwrap();
    let mut last: Option<(String, usize)> = None;
    for (at, c) in article.text.char_indices() {
        let Some(range) = map.range(Span::new(at, at + c.len_utf8())) else {
            assert_eq!(c, '\n', "only the break between two fields has no source");
            continue;
        };
        assert!(range.start <= range.end);
        if let Some((field, start)) = &last
            && field == range.field
        {
            assert!(*start <= range.start, "sources are in text order");
        }
        last = Some((range.field.to_owned(), range.start));
    }
    assert!(!article.text.contains('\0'));
}

/// Decodes `value` in each way, and checks what comes out.
fn check_any(value: &[u8]) {
    let formats = [None].into_iter().chain(Format::ALL.map(Some));
    for format in formats {
        let options = DecodeOptions { format, ..DecodeOptions::default() };
        let raw = support::record(None, Some(value));
        let first = decode(&raw, &options);
        if let Ok(Decoded::Article(article)) = &first {
            check_article(article);
        }
        assert_eq!(first, decode(&raw, &options), "same input, same reading");
    }
}

/// One valid record of each format, as small as it can be while every field that is read is there.
const SAMPLES: [&str; 6] = [
    r#"{"id": "a", "version": 2, "headline": "Rain", "text": "“Go,” she said.\r\nIt\u2019s late \ud83d\ude00.", "language": "en",
        "published": "2024-05-14T10:00:00Z", "status": "usable"}"#,
    r#"{"id": "a", "body_html": "<p>&ldquo;Go,&rdquo; she <b>said</b>.</p><figure>x</figure><p>It&#146;s late.<br>caf&eacute;</p>"}"#,
    r#"{"uri": "u", "pubstatus": "usable", "headline": "Rain", "body_xhtml": "<p>It rained.</p>", "body_text": "It rained."}"#,
    r#"{"uri": "u", "pubStatus": "usable", "headlines": [{"role": "main", "value": "Rain"}],
        "bodies": [{"role": "main", "contentType": "text/html", "value": "<p>It rained.</p>"}]}"#,
    r#"{"@type": "NewsArticle", "@id": "a", "headline": "Rain", "articleBody": "It&#8217;s wet.\nItâ€™s late.", "inLanguage": {"name": "en"}}"#,
    r#"{"type": "story", "_id": "a", "headlines": {"basic": "Rain"}, "content_elements": [{"type": "text", "content": "It <i>rained</i>."},
        {"type": "list", "items": [{"type": "text", "content": "one"}]}, {"type": "quote", "content_elements":
        [{"type": "text", "content": "Go"}], "citation": {"type": "text", "content": "Ann"}}]}"#,
];

/// What is put in the place of a stretch of a valid record.
const SPLICES: &[&str] = &[
    "",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "5",
    "-1e999",
    "true",
    "\\",
    "\\ud83d",
    "\\u0000",
    "\\u0093",
    "<",
    ">",
    "&",
    "&nbsp;",
    "<figure>",
    "</p>",
    "<!--",
    "\r",
    "\u{feff}",
    "\u{c3}\u{a9}",
    "é",
    "😀",
    "KILL",
    "\"status\": \"killed\",",
];

fn mutated_sample() -> impl Strategy<Value = Vec<u8>> {
    let splice = (any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(SPLICES));
    (prop::sample::select(&SAMPLES[..]), prop::collection::vec(splice, 0..4)).prop_map(
        |(sample, splices)| {
            let mut value = sample.as_bytes().to_vec();
            for (at, len, splice) in splices {
                let start = at.index(value.len().max(1)).min(value.len());
                let end = (start + len).min(value.len());
                value.splice(start..end, splice.bytes());
            }
            value
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_an_outcome(value in prop::collection::vec(any::<u8>(), 0..200)) {
        check_any(&value);
    }

    #[test]
    fn any_damage_to_a_record_has_an_outcome(value in mutated_sample()) {
        check_any(&value);
    }

    #[test]
    fn any_text_survives(text in "\\PC{1,60}") {
        prop_assume!(!is_mojibake(&text));
        let expected = text.replace(['\u{2028}', '\u{2029}'], "\n");
        let outcome = outcome(&plain(&text), &DecodeOptions::default());
        prop_assert!(outcome == expected || outcome.starts_with("empty_text"), "{outcome}");
    }
}

#[test]
fn the_samples_decode() {
    for sample in SAMPLES {
        let found = outcome(sample.as_bytes(), &DecodeOptions::default());
        assert!(found.starts_with('“') || found.starts_with("It"), "{found}");
    }
}
