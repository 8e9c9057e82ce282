//! `copydesk eval`: the figures of annotated articles, and the project's scorer as their independent twin.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use copydesk::enriched::view::Published;
use copydesk::evaluation::{Evaluation, GoldArticle};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support;

fn eval(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_copydesk")).arg("eval").args(arguments).output().unwrap()
}

/// The span of a string in the article below.
fn span(part: &str) -> (usize, usize) {
    let (before, _) = TEXT.split_once(part).unwrap();
    let start = before.chars().count();
    (start, start + part.chars().count())
}

const TEXT: &str = "“We start in Oslo,” said Ann Lee. Lee praised Bergen. Norway is cold.";

/// The article with its right annotation.
fn gold() -> Value {
    let mention = |part: &str, label: &str, entity: &str| {
        let (start, end) = span(part);
        json!({"start": start, "end": end, "label": label, "entity": entity})
    };
    let (start, end) = span("“We start in Oslo,”");
    json!({
        "doc_id": "a",
        "text": TEXT,
        "mentions": [
            mention("Oslo", "GPE", "e1"), mention("Ann Lee", "PER", "e2"),
            {"start": span(" Lee praised").0 + 1, "end": span(" Lee praised").0 + 4, "label": "PER", "entity": "e2"},
            mention("Bergen", "GPE", "e3"), mention("Norway", "GPE", "e4"),
        ],
        "entities": [
            {"id": "e1", "name": "Oslo", "sentiment": 0}, {"id": "e2", "name": "Ann Lee", "sentiment": 0},
            {"id": "e3", "name": "Bergen", "sentiment": 1}, {"id": "e4", "name": "Norway", "sentiment": 0},
        ],
        "quotes": [{"start": start, "end": end, "type": "direct", "cue": span("said"), "speaker": span("Ann Lee"), "entity": "e2"}],
        "sentiment": 0,
    })
}

/// A record that says what the annotation says.
fn record() -> Value {
    let gold = gold();
    let entity = |id: &str, name: &str, kind: &str, spans: &[&Value]| {
        let mentions: Vec<Value> = spans
            .iter()
            .map(|m| json!({"start": m["start"], "end": m["end"], "text": "-"}))
            .collect();
        let tone = json!({"label": if id == "x3" { "positive" } else { "neutral" }, "score": 0.0});
        json!({"id": id, "name": name, "type": kind, "salience": 0.1, "sentiment": tone, "mentions": mentions})
    };
    let m = &gold["mentions"];
    let quote = &gold["quotes"][0];
    let part = |at: &Value| json!({"start": at[0], "end": at[1], "text": "-"});
    let mut speaker = part(&quote["speaker"]);
    speaker["entity"] = json!("x2");
    let ok = json!({"outcome": "ok"});
    json!({
        "schema": "copydesk/enriched/1", "status": "enriched", "id": "a", "text": TEXT,
        "language": {"code": "en", "confidence": 1.0},
        "entities": [
            entity("x1", "Oslo", "GPE", &[&m[0]]), entity("x2", "Ann Lee", "PERSON", &[&m[1], &m[2]]),
            entity("x3", "Bergen", "GPE", &[&m[3]]), entity("x4", "Norway", "GPE", &[&m[4]]),
        ],
        "quotes": [{
            "id": "q1", "type": "direct", "start": quote["start"], "end": quote["end"], "text": "-",
            "cue": part(&quote["cue"]), "speaker": speaker, "confidence": 0.9,
        }],
        "sentiment": {"document": {"label": "neutral", "score": 0.0}, "sentences": []},
        "stages": {"entities": ok, "quotes": ok, "sentiment": ok},
        "provenance": {"build": "-", "model": "-", "knowledge": "-"},
    })
}

fn figures(record: &Value) -> String {
    let Published::Enriched(record) = Published::parse(record.to_string().as_bytes()).unwrap()
    else {
        panic!("not enriched");
    };
    let mut evaluation = Evaluation::default();
    let gold = GoldArticle::parse(&gold().to_string()).unwrap();
    evaluation.add(&gold, Some(&record)).unwrap();
    evaluation.figures().to_string()
}

/// The lines of the figures that a change of the right record changes.
#[track_caller]
fn check(change: impl FnOnce(&mut Value), expected: &Expect) {
    let mut changed = record();
    let perfect = figures(&changed);
    change(&mut changed);
    let figures = figures(&changed);
    let lines = figures.lines().zip(perfect.lines()).filter(|(a, b)| a != b);
    expected.assert_eq(&lines.map(|(line, _)| line.trim()).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_record_that_says_what_people_said_is_perfect() {
    let expected = expect![[r#"
        documents 1, without a record 0
        entities.typed     P 100.0 R 100.0 F1 100.0 (n=5)
        entities.untyped   P 100.0 R 100.0 F1 100.0 (n=5)
        entities.plo       P 100.0 R 100.0 F1 100.0 (n=5)
          GPE 100  PER 100
        clusters.b3 100.0  clusters.conll 100.0
        quotes.exact     P 100.0 R 100.0 F1 100.0 (n=1)
        quotes.overlap   P 100.0 R 100.0 F1 100.0 (n=1)
          found direct 100%
          of gold quotes: type 100.0  cue 100.0  speaker 100.0  entity 100.0  complete 100.0
          wrong speaker among published: 0.0%
        sentiment.document 100.0  sentiment.entities 100.0"#]];
    expected.assert_eq(&figures(&record()));
}

#[test]
fn an_error_in_a_mention_moves_its_own_figures() {
    check(
        |record| record["entities"][3]["type"] = json!("ORG"),
        &expect![[r#"
            entities.typed     P 80.0 R 80.0 F1 80.0 (n=5)
            entities.plo       P 80.0 R 80.0 F1 80.0 (n=5)
            GPE 80  ORG 0  PER 100"#]],
    );
    check(
        |record| {
            let mut second = record["entities"][1].clone();
            second["id"] = json!("x5");
            second["mentions"].as_array_mut().unwrap().remove(0);
            record["entities"][1]["mentions"].as_array_mut().unwrap().remove(1);
            record["entities"].as_array_mut().unwrap().push(second);
        },
        &expect!["clusters.b3 88.9  clusters.conll 56.8"],
    );
}

#[test]
fn an_error_in_a_quote_or_a_tone_moves_its_own_figures() {
    check(
        |record| record["quotes"][0]["speaker"]["entity"] = json!("x3"),
        &expect![[r#"
          of gold quotes: type 100.0  cue 100.0  speaker 100.0  entity 0.0  complete 0.0
          wrong speaker among published: 100.0%"#]],
    );
    check(
        |record| record["quotes"][0]["type"] = json!("mixed"),
        &expect!["of gold quotes: type 0.0  cue 100.0  speaker 100.0  entity 100.0  complete 0.0"],
    );
    check(
        |record| record["quotes"][0]["end"] = json!(12),
        &expect![[r#"
            quotes.exact     P 0.0 R 0.0 F1 0.0 (n=1)
            quotes.overlap   P 0.0 R 0.0 F1 0.0 (n=1)
            found direct 0%
            of gold quotes: type 0.0  cue 0.0  speaker 0.0  entity 0.0  complete 0.0"#]],
    );
    check(
        |record| record["entities"][2]["sentiment"]["label"] = json!("negative"),
        &expect!["sentiment.document 100.0  sentiment.entities 50.0"],
    );
}

#[test]
fn what_is_no_annotation_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gold.jsonl");
    let refused = |content: &str, said: &str| {
        fs::write(&path, content).unwrap();
        let output = eval(&[path.to_str().unwrap()]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(said), "{said:?} is not in {error:?}");
        assert_eq!(output.status.code(), Some(1));
    };
    refused("", "has no articles");
    refused("\n{\"doc_id\":1}\n", "gold.jsonl:2");
    let mut article = gold();
    article["mentions"][0]["label"] = json!("PLACE");
    refused(&article.to_string(), "unknown label \"PLACE\"");
    article = gold();
    article["quotes"][0]["end"] = json!(5000);
    refused(&article.to_string(), "the quote at 0..5000 does not lie in the text");
}

#[test]
fn the_figures_are_those_of_the_projects_scorer() {
    let Some(articles) = support::data("dev/wikinews.jsonl") else { return };
    let scorer = articles.parent().unwrap().join("../../eval/score.py");
    let folder = tempfile::tempdir().unwrap();
    let enriched = folder.path().join("enriched.jsonl");
    fs::write(&enriched, published(&articles)).unwrap();
    let twin =
        Command::new("python3").arg(scorer).args([&articles, &enriched]).arg("--json").output();
    let twin: Value =
        serde_json::from_slice(&twin.expect("python3 runs the scorer").stdout).unwrap();
    let ours = eval(&[articles.to_str().unwrap(), "--json"]);
    let ours: Value = serde_json::from_slice(&ours.stdout).unwrap();
    compare("", &twin, &ours);
}

/// The records of annotated articles as `copydesk enrich` publishes them.
fn published(articles: &Path) -> Vec<u8> {
    let articles = fs::read_to_string(articles).unwrap().replace("\"doc_id\"", "\"id\"");
    let lines = articles.lines().map(|line| {
        let article: Value = serde_json::from_str(line).unwrap();
        let value = json!({"id": article["id"], "text": article["text"]}).to_string();
        [&support::enrich(value.as_bytes())[..], b"\n"].concat()
    });
    lines.collect::<Vec<_>>().concat()
}

/// Equal structure and numbers within rounding.
#[track_caller]
fn compare(path: &str, twin: &Value, ours: &Value) {
    match (twin, ours) {
        (Value::Object(twin), Value::Object(ours)) => {
            assert_eq!(twin.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>(), "{path}");
            for (key, value) in twin {
                compare(&format!("{path}.{key}"), value, &ours[key]);
            }
        }
        _ => {
            let (twin, ours) = (twin.as_f64().unwrap(), ours.as_f64().unwrap());
            assert!((twin - ours).abs() < 1e-6, "{path}: {twin} by the scorer, {ours} here");
        }
    }
}
