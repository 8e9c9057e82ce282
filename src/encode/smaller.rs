//! A published body made smaller, for topics that do not take it whole.
//!
//! In: the body of an enriched record. Out: the same with one thing more left out, in the order of [`STEPS`]; `omitted`
//! names what is missing, so that nobody takes a short list for a whole one. Text, headline, entities and quotes stay:
//! without them the record would say something else.

use bytes::Bytes;
use serde_json::Value;

/// What is left out first, and next. Sentences have a range each and say the least; an entity's first mention is kept.
pub const STEPS: [&str; 2] = ["sentiment.sentences", "entities.mentions"];

/// The next smaller form, and what it omits beyond the last; `None` when there is none.
pub fn smaller(body: &Bytes) -> Option<(Bytes, &'static str)> {
    let mut record: Value = serde_json::from_slice(body).ok()?;
    if record.get("status")? != "enriched" {
        return None;
    }
    let mut omitted = record.get("omitted").and_then(Value::as_array).cloned().unwrap_or_default();
    let step = *STEPS.get(omitted.len())?;
    match step {
        "sentiment.sentences" => {
            *record.pointer_mut("/sentiment/sentences")? = Value::Array(vec![])
        }
        _ => {
            for entity in record.get_mut("entities")?.as_array_mut()? {
                entity.get_mut("mentions")?.as_array_mut()?.truncate(1);
            }
        }
    }
    omitted.push(step.into());
    record.as_object_mut()?.insert("omitted".to_owned(), Value::Array(omitted));
    let bytes = serde_json::to_vec(&record).ok()?;
    Some((bytes.into(), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_after_the_other_is_left_out_and_named() {
        let body = r#"{"status":"enriched","text":"Ann met Ann.",
            "entities":[{"name":"Ann","mentions":[{"start":0,"end":3},{"start":8,"end":11}]}],
            "sentiment":{"document":{"label":"neutral"},"sentences":[{"start":0,"end":12}]}}"#;
        let (first, step) = smaller(&Bytes::from(body)).unwrap();
        let record: Value = serde_json::from_slice(&first).unwrap();
        assert_eq!(step, "sentiment.sentences");
        assert_eq!(record["sentiment"]["sentences"], Value::Array(vec![]));
        assert_eq!(record["entities"][0]["mentions"].as_array().unwrap().len(), 2);
        let (second, _) = smaller(&first).unwrap();
        let record: Value = serde_json::from_slice(&second).unwrap();
        assert_eq!(record["entities"][0]["mentions"].as_array().unwrap().len(), 1);
        assert_eq!(record["omitted"], serde_json::json!(STEPS));
        assert_eq!(record["text"], "Ann met Ann.");
        assert_eq!(smaller(&second), None);
        assert_eq!(smaller(&Bytes::from_static(b"{\"status\":\"retracted\"}")), None);
    }
}
