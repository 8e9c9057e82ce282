//! Language and tone on whole articles.

use std::fs;

use copydesk::article::{Article, ArticleId, Format};
use copydesk::text::language;

use crate::support;

fn article(text: &str, declared_language: Option<&str>) -> Article {
    Article {
        id: ArticleId::parse("urn:test").unwrap(),
        version: None,
        headline: None,
        text: text.to_owned(),
        declared_language: declared_language.map(str::to_owned),
        published: None,
        updated: None,
        embargoed_until: None,
        format: Format::Plain,
        source_map: None,
        n_unknown_fields: 0,
        warnings: Vec::new(),
    }
}

#[test]
fn news_in_english_is_told_to_be_english() {
    let Some(path) = support::data("samples/wikinews.jsonl") else { return };
    let mut n_articles = 0;
    for line in fs::read_to_string(path).unwrap().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let article = article(record["text"].as_str().unwrap(), None);
        let language = language::detect(&article);
        assert_eq!(
            (language.code.as_str(), language.is_supported()),
            ("en", true),
            "{}",
            record["id"]
        );
        n_articles += 1;
    }
    assert!(n_articles > 600);
}
