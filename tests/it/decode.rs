//! Every input format, on the conformance files of those who defined it. The samples of this project's own stand
//! beside the code.
//!
//! The tables say what becomes of each file, and why. A fault in a property that is not read is no reason to refuse a
//! story: what is wrong with its renditions says nothing about its text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use copydesk::article::{Article, DecodeWarning};
use copydesk::dead_letter::Reason;
use copydesk::decode::{DecodeOptions, Decoded, decode};

use crate::support;

/// What a file becomes: `article`, `retraction` with its reason, or the reason why it is refused.
fn outcome(path: &Path) -> String {
    let raw = support::record(None, Some(&fs::read(path).unwrap()));
    match decode(&raw, &DecodeOptions::default()) {
        Ok(Decoded::Article(_)) => "article".to_owned(),
        Ok(Decoded::Retraction(retraction)) => format!("retraction {}", retraction.reason.as_str()),
        Err(error) => Reason::from(&error).as_str().to_owned(),
    }
}

/// The JSON files under `root`, by their path in it.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Checks every file under `root` that `includes` admits against its line in `exceptions` (whose names end the path),
/// or against `otherwise`.
#[track_caller]
fn check(
    root: &Path,
    includes: impl Fn(&str) -> bool,
    otherwise: impl Fn(&str) -> &'static str,
    exceptions: &[(&str, &str, &str)],
) {
    let mut unused: BTreeMap<&str, ()> = exceptions.iter().map(|&(name, ..)| (name, ())).collect();
    let mut faults = Vec::new();
    let mut n_checked = 0;
    for file in files(root).iter().filter(|file| includes(file)) {
        let exception = exceptions.iter().find(|(name, ..)| file.ends_with(name));
        let expected = match exception {
            Some((name, expected, _why)) => {
                unused.remove(name);
                expected
            }
            None => otherwise(file),
        };
        let found = outcome(&root.join(file));
        if !expected.split('|').any(|expected| expected == found) {
            faults.push(format!("{file}: {found}, expected {expected}"));
        }
        n_checked += 1;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(unused.is_empty(), "no such files: {unused:?}");
    assert!(n_checked > 20, "only {n_checked} files");
}

#[test]
fn ninjs_that_should_pass_decodes() {
    let Some(root) = support::data("formats/ninjs") else { return };
    let includes = |file: &str| file.contains("should_pass") || file.contains("examples");
    check(
        &root,
        includes,
        |_| "article",
        &[
            ("022_pubstatus_withheld.json", "retraction withheld", "the status says so"),
            ("023_pubstatus_canceled.json", "retraction canceled", "the status says so"),
            ("extension-schema.json", "unknown_format", "a JSON Schema among the examples"),
            ("event-timeline-sample.json", "not_an_object", "a file of fourteen items, not one"),
        ],
    );
}

#[test]
fn ninjs_that_should_fail_is_refused_for_what_is_read() {
    let Some(root) = support::data("formats/ninjs") else { return };
    check(
        &root,
        |file| file.contains("should_fail"),
        |_| "article",
        &[
            ("001_no_uri_declared.json", "unknown_format", "without a uri nothing says ninjs"),
            (
                "007_pubstatus_cancelled.json",
                "retraction canceled",
                "a kill, whatever its spelling",
            ),
            ("009_body_text_with_cr.json", "not_json", "a raw line break in a string"),
            ("010_body_must_be_string.json", "not_json", "a comma is missing"),
            ("011_description_must_be_string.json", "not_json", "a comma is missing"),
            ("012_location_not_object.json", "not_json", "a value is missing"),
            ("015_pubstatus_commissioned.json", "unknown_status", "it might be a kill"),
            ("001_title_as_number.json", "invalid_field", "the title stands in for a headline"),
            ("003_ednote_bad_type.json", "invalid_field", "kill notices stand in the note"),
            ("005_pubstatus_replaced.json", "unknown_status", "it might be a kill"),
            ("006_pubstatus_commissioned.json", "unknown_status", "it might be a kill"),
            ("006_bad_genre.json", "not_json", "a value is missing"),
        ],
    );
}

#[test]
fn ans_stories_decode_and_fragments_do_not() {
    let Some(root) = support::data("formats/ans") else { return };
    let is_story = |file: &str| file.starts_with("story-") || file.starts_with("operation-");
    check(
        &root,
        is_story,
        |_| "article",
        &[
            ("operation-delete.json", "retraction deleted", "the operation says so"),
            ("operation-unpublish-edition.json", "retraction deleted", "the operation says so"),
            ("story-fixture-bad-embargo.json", "invalid_field", "the embargo's end is no string"),
            (
                "story-fixture-bad-wrong-type.json",
                "not_an_article",
                "its type says that it is no story",
            ),
        ],
    );
    check(
        &root,
        |file| !is_story(file),
        |_| "not_an_article|unknown_format",
        &[
            ("content-operation-good.json", "article", "it carries a story"),
            ("reference-fixture-bad-array.json", "not_an_object", "an array"),
            ("header-fixture-bad.json", "article", "an object with a text is the plain format"),
            (
                "interstitial-link-fixture-bad.json",
                "article",
                "an object with a text is the plain format",
            ),
            (
                "tag-fixture-bad-subtype.json",
                "article",
                "an object with a text is the plain format",
            ),
            ("tag-fixture-bad-type.json", "article", "an object with a text is the plain format"),
            ("tag-fixture-good.json", "article", "an object with a text is the plain format"),
        ],
    );
}

/// Decodes a conformance file that is an article; `None` without the data.
fn article(file: &str) -> Option<Box<Article>> {
    let path = support::data("formats")?.join(file);
    let raw = support::record(None, Some(&fs::read(path).unwrap()));
    match decode(&raw, &DecodeOptions::default()) {
        Ok(Decoded::Article(article)) => Some(article),
        other => panic!("{file}: {other:?}"),
    }
}

#[test]
fn the_same_story_in_three_versions_of_ninjs_has_the_same_text() {
    let files = [
        "ninjs/examples/1.4/ninjsExSimpleText1.json",
        "ninjs/examples/2.1/ninjsExSimpleText_2.json",
        "ninjs/examples/3.0/ninjsExSimpleText_3.json",
    ];
    let Some(articles) = files.map(article).into_iter().collect::<Option<Vec<_>>>() else { return };
    let [first, second, third] = articles.as_slice() else { unreachable!("three files") };
    assert!(first.text.lines().count() > 3, "the HTML's paragraphs are lines");
    assert_eq!(first.text, second.text);
    assert_eq!(first.text, third.text);
    assert_eq!(first.headline, third.headline);
}

#[test]
fn nothing_that_the_formats_define_counts_as_unknown() {
    let files = [
        "ninjs/examples/1.4/ninjsExComplex2.json",
        "ninjs/examples/2.1/tt_text_image_2.json",
        "ninjs/examples/3.0/tt_text_image_3.json",
        "ans/story-fixture-good.json",
        "ans/story-fixture-tiny-house.json",
    ];
    for file in files {
        let Some(article) = article(file) else { return };
        assert_eq!(article.n_unknown_fields, 0, "{file}");
    }
    let extended = article("ninjs/examples/2.1/schema-extension/extension-example.json").unwrap();
    assert_eq!(extended.n_unknown_fields, 1);
}

#[test]
fn mojibake_in_the_wild_is_repaired() {
    let Some(article) = article("ninjs/examples/1.4/businesswire-newsml-20130515006361.json")
    else {
        return;
    };
    assert_eq!(article.warnings, [DecodeWarning::MojibakeRepaired]);
    assert!(article.text.contains("the world’s most powerful"));
}

/// The articles are sent as they were published: with white space of every kind and letters of many scripts.
#[test]
fn plain_text_is_published_as_it_was_sent() {
    let Some(path) = support::data("samples/wikinews.jsonl") else { return };
    let lines = fs::read_to_string(path).unwrap();
    let mut n_checked = 0;
    for line in lines.lines() {
        let sent: serde_json::Value = serde_json::from_str(line).unwrap();
        let raw = support::record(None, Some(line.as_bytes()));
        let Ok(Decoded::Article(article)) = decode(&raw, &DecodeOptions::default()) else {
            panic!("{line}");
        };
        assert_eq!(Some(article.text.as_str()), sent["text"].as_str());
        assert_eq!(article.headline.as_deref(), sent["headline"].as_str());
        n_checked += 1;
    }
    assert!(n_checked > 600);
}
