//! What has changed in meaning from one version of an article to the next.
//!
//! In: two summaries. Out: a [`ChangesRecord`], whose lists are empty where nothing has changed and absent where that is
//! not known. A person is the same under a shorter name ("Ann Lee", "Lee"), a quote under another wording.

use std::collections::BTreeMap;

use super::pairing::{self, Pair};
use super::summary::{EntitySummary, QuoteSummary, Summary};
use crate::enriched::{ChangesRecord, EntityChangeRecord, QuoteChangeRecord, ToneChangeRecord};
use crate::knowledge::fold;

/// Of each list; what is beyond is counted. A version that changes more is another article.
const CHANGES_MAX: usize = 40;

/// Compares what is known of both.
pub(super) fn between(since: Option<&str>, before: &Summary, after: &Summary) -> ChangesRecord {
    let mut n_left_out = 0;
    let known = before.entities.as_deref().zip(after.entities.as_deref());
    let pairs = known.map(|(before, after)| same_entities(before, after));
    let entities = known.zip(pairs.as_deref()).map(|((before_entities, after_entities), pairs)| {
        let mut changes = entity_changes(before_entities, after_entities, pairs);
        // What is missing from a list that was cut may be there.
        changes.retain(|change| match change.change {
            "added" => !before.is_cut,
            _ => !after.is_cut,
        });
        bound(changes, &mut n_left_out)
    });
    let quotes = before.quotes.as_deref().zip(after.quotes.as_deref()).map(|(b, a)| {
        let has_speakers = before.has_speakers() && after.has_speakers();
        let mut changes = quote_changes(b, a, has_speakers);
        changes.retain(|change| match change.change {
            "added" => !before.is_cut,
            "removed" => !after.is_cut,
            _ => true,
        });
        bound(changes, &mut n_left_out)
    });
    let tone = before.tone.as_deref().zip(after.tone.as_deref()).map(|document| {
        let changes = tone_changes(document, known.zip(pairs.as_deref()));
        bound(changes, &mut n_left_out)
    });
    ChangesRecord { since: since.map(str::to_owned), entities, quotes, tone, left_out: n_left_out }
}

fn bound<T>(mut changes: Vec<T>, n_left_out: &mut usize) -> Vec<T> {
    *n_left_out += changes.len().saturating_sub(CHANGES_MAX);
    changes.truncate(CHANGES_MAX);
    changes
}

/// Indices of an entity in both versions, in the order of the later one.
fn same_entities(before: &[EntitySummary], after: &[EntitySummary]) -> Vec<(usize, usize)> {
    let key = |entity: &EntitySummary| (entity.kind.clone(), fold(&entity.name));
    let mut places: BTreeMap<_, usize> = BTreeMap::new();
    for (index, entity) in before.iter().enumerate() {
        places.entry(key(entity)).or_insert(index);
    }
    let mut pairs = Vec::new();
    let mut others = Vec::new();
    for (index, entity) in after.iter().enumerate() {
        match places.remove(&key(entity)) {
            Some(place) => pairs.push((place, index)),
            None => others.push(index),
        }
    }
    // Persons that are left, by the last word of their name: the same one only where there is no other.
    type Namesakes = (Vec<usize>, Vec<usize>);
    let mut namesakes: BTreeMap<String, Namesakes> = BTreeMap::new();
    let last_word = |entity: &EntitySummary| {
        let folded = fold(&entity.name);
        (entity.kind == "PERSON").then(|| folded.rsplit(' ').next().map(str::to_owned))?
    };
    for &index in places.values() {
        if let Some(word) = last_word(&before[index]) {
            namesakes.entry(word).or_default().0.push(index);
        }
    }
    for index in others {
        if let Some(word) = last_word(&after[index]) {
            namesakes.entry(word).or_default().1.push(index);
        }
    }
    for namesakes in namesakes.into_values() {
        if let ([one], [other]) = (&namesakes.0[..], &namesakes.1[..])
            && is_same_person(&before[*one].name, &after[*other].name)
        {
            pairs.push((*one, *other));
        }
    }
    pairs.sort_by_key(|&(_, after)| after);
    pairs
}

/// Equal, or one the end of the other: "Ann Lee" and "Lee".
fn is_same_person(a: &str, b: &str) -> bool {
    let (a, b) = (fold(a), fold(b));
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    !short.is_empty()
        && long
            .strip_suffix(short.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
}

fn entity_changes(
    before: &[EntitySummary],
    after: &[EntitySummary],
    pairs: &[(usize, usize)],
) -> Vec<EntityChangeRecord> {
    let change = |change, entity: &EntitySummary| EntityChangeRecord {
        change,
        kind: entity.kind.clone(),
        name: entity.name.clone(),
    };
    let (was, is) = found(pairs, before.len(), after.len());
    let added = unmarked(after, &is).map(|(_, entity)| change("added", entity));
    let gone = unmarked(before, &was).map(|(_, entity)| change("gone", entity));
    added.chain(gone).collect()
}

/// Marks what stands in a pair.
fn found(pairs: &[(usize, usize)], n_before: usize, n_after: usize) -> (Vec<bool>, Vec<bool>) {
    let mut marks = (vec![false; n_before], vec![false; n_after]);
    for &(before, after) in pairs {
        marks.0[before] = true;
        marks.1[after] = true;
    }
    marks
}

fn unmarked<'a, T>(items: &'a [T], marks: &'a [bool]) -> impl Iterator<Item = (usize, &'a T)> {
    items.iter().enumerate().filter(|(index, _)| !marks[*index])
}

/// In the order of the later version; what was removed comes last.
fn quote_changes(
    before: &[QuoteSummary],
    after: &[QuoteSummary],
    has_speakers: bool,
) -> Vec<QuoteChangeRecord> {
    let pairs = pairing::pair(before, after);
    let of_later: BTreeMap<usize, Pair> = pairs.iter().map(|pair| (pair.after, *pair)).collect();
    let speaker = |quote: &QuoteSummary| quote.speaker.clone().filter(|_| has_speakers);
    let mut changes = Vec::new();
    for (index, quote) in after.iter().enumerate() {
        let mut record = QuoteChangeRecord {
            change: "added",
            id: Some(format!("q{}", index + 1)),
            text: quote.text.clone(),
            before: None,
            speaker: speaker(quote),
            speaker_before: None,
        };
        if let Some(pair) = of_later.get(&index) {
            let earlier = &before[pair.before];
            let is_reattributed = has_speakers && !is_same_speaker(earlier, quote);
            if pair.is_same_text && !is_reattributed {
                continue;
            }
            record.change = if pair.is_same_text { "reattributed" } else { "altered" };
            record.before = (!pair.is_same_text).then(|| earlier.text.clone());
            record.speaker_before = speaker(earlier).filter(|_| is_reattributed);
        }
        changes.push(record);
    }
    let indices: Vec<_> = pairs.iter().map(|pair| (pair.before, pair.after)).collect();
    let (was, _) = found(&indices, before.len(), after.len());
    let removed = unmarked(before, &was).map(|(_, quote)| QuoteChangeRecord {
        change: "removed",
        id: None,
        text: quote.text.clone(),
        before: None,
        speaker: speaker(quote),
        speaker_before: None,
    });
    changes.extend(removed);
    changes
}

fn is_same_speaker(before: &QuoteSummary, after: &QuoteSummary) -> bool {
    match (&before.speaker, &after.speaker) {
        (None, None) => true,
        (Some(before), Some(after)) => is_same_person(before, after),
        _ => false,
    }
}

/// Entities of both versions, and which is which.
type Entities<'a> = ((&'a [EntitySummary], &'a [EntitySummary]), &'a [(usize, usize)]);

fn tone_changes(document: (&str, &str), entities: Option<Entities<'_>>) -> Vec<ToneChangeRecord> {
    let change = |target: &str, before: &str, after: &str| {
        (before != after).then(|| ToneChangeRecord {
            target: target.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        })
    };
    let mut changes: Vec<_> = change("document", document.0, document.1).into_iter().collect();
    if let Some(((before, after), pairs)) = entities {
        changes.extend(pairs.iter().filter_map(|&(one, other)| {
            let (before, after) = (&before[one], &after[other]);
            change(&after.name, &before.tone, &after.tone)
        }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::super::summary::digest;
    use super::*;

    /// `ORG Acme -` is an entity with a negative tone; `“We start.” Ann Lee` is a quote and who says it.
    fn summary(lines: &[&str]) -> Summary {
        let (mut entities, mut quotes, mut tone) = (Vec::new(), Vec::new(), "neutral");
        let label = |mark| match mark {
            "+" => "positive",
            "-" => "negative",
            _ => "neutral",
        };
        for line in lines {
            if let Some(mark) = line.strip_prefix("document ") {
                tone = label(mark);
            } else if let Some((text, speaker)) =
                line.strip_prefix('“').and_then(|line| line.split_once('”'))
            {
                let speaker = Some(speaker.trim()).filter(|name| !name.is_empty());
                quotes.push(QuoteSummary {
                    digest: digest(fold(text).as_bytes()),
                    text: text.to_owned(),
                    speaker: speaker.map(str::to_owned),
                });
            } else {
                let (kind, name) = line.split_once(' ').unwrap();
                let (name, mark) = match name.rsplit_once(' ') {
                    Some((name, mark @ ("+" | "-"))) => (name, mark),
                    _ => (name, ""),
                };
                let (kind, name) = (kind.to_owned(), name.to_owned());
                entities.push(EntitySummary { kind, name, tone: label(mark).to_owned() });
            }
        }
        let tone = Some(tone.to_owned());
        Summary { entities: Some(entities), quotes: Some(quotes), tone, is_cut: false }
    }

    fn shown(changes: &ChangesRecord) -> Vec<String> {
        let mut lines = Vec::new();
        for EntityChangeRecord { change, kind, name } in changes.entities.iter().flatten() {
            lines.push(format!("{change} {kind} {name}"));
        }
        for quote in changes.quotes.iter().flatten() {
            let name = |speaker: &Option<String>| speaker.clone().unwrap_or_else(|| "-".to_owned());
            let id = quote.id.as_deref().unwrap_or("-");
            let mut line = format!("{} {id} {}", quote.change, quote.text);
            if let Some(before) = &quote.before {
                line += &format!(" | {before}");
            }
            line += &format!(" ({}", name(&quote.speaker));
            if quote.speaker_before.is_some() {
                line += &format!(", was {}", name(&quote.speaker_before));
            }
            lines.push(line + ")");
        }
        for ToneChangeRecord { target, before, after } in changes.tone.iter().flatten() {
            lines.push(format!("{target}: {before} to {after}"));
        }
        lines
    }

    #[track_caller]
    fn check(before: &[&str], after: &[&str], expected: &[&str]) {
        let changes = between(Some("1"), &summary(before), &summary(after));
        assert_eq!(shown(&changes), expected, "from {before:?} to {after:?}");
    }

    const STORY: &[&str] = &[
        "PERSON Ann Lee",
        "PERSON Bob Ray",
        "ORG Acme",
        "“The tunnel will open in May.” Ann Lee",
        "“We have no money left for schools.” Bob Ray",
    ];

    /// The story with one line in the place of another; empty for none.
    fn edited<'a>(old: &str, new: &'a str) -> Vec<&'a str> {
        let lines = STORY.iter().map(|line| if *line == old { new } else { *line });
        let more = Some(new).filter(|_| old.is_empty());
        lines.chain(more).filter(|line| !line.is_empty()).collect()
    }

    /// One planted change is found, and the other way round too, and nothing else.
    #[track_caller]
    fn check_edit(old: &str, new: &str, expected: &[&str], backwards: &[&str]) {
        let edited = edited(old, new);
        check(STORY, &edited, expected);
        check(&edited, STORY, backwards);
    }

    #[test]
    fn planted_changes_are_found_and_nothing_else() {
        check(STORY, STORY, &[]);
        check(&[], &[], &[]);
        check_edit("", "GPE Oslo", &["added GPE Oslo"], &["gone GPE Oslo"]);
        check_edit(
            "ORG Acme",
            "GPE Acme",
            &["added GPE Acme", "gone ORG Acme"],
            &["added ORG Acme", "gone GPE Acme"],
        );
        check_edit(
            "",
            "“Nobody asked us.” Ann Lee",
            &["added q3 Nobody asked us. (Ann Lee)"],
            &["removed - Nobody asked us. (Ann Lee)"],
        );
        check_edit(
            STORY[3],
            "“The tunnel will open in June.” Ann Lee",
            &["altered q1 The tunnel will open in June. | The tunnel will open in May. (Ann Lee)"],
            &["altered q1 The tunnel will open in May. | The tunnel will open in June. (Ann Lee)"],
        );
        check_edit(
            STORY[3],
            "“The tunnel will open in May.” Bob Ray",
            &["reattributed q1 The tunnel will open in May. (Bob Ray, was Ann Lee)"],
            &["reattributed q1 The tunnel will open in May. (Ann Lee, was Bob Ray)"],
        );
        check_edit(
            STORY[3],
            "“The tunnel will open in May.”",
            &["reattributed q1 The tunnel will open in May. (-, was Ann Lee)"],
            &["reattributed q1 The tunnel will open in May. (Ann Lee)"],
        );
        check_edit(
            STORY[3],
            "“The tunnel will open in June.” Bob Ray",
            &[
                "altered q1 The tunnel will open in June. | The tunnel will open in May. (Bob Ray, was Ann Lee)",
            ],
            &[
                "altered q1 The tunnel will open in May. | The tunnel will open in June. (Ann Lee, was Bob Ray)",
            ],
        );
        check_edit(
            "ORG Acme",
            "ORG Acme -",
            &["Acme: neutral to negative"],
            &["Acme: negative to neutral"],
        );
        check_edit(
            "",
            "document +",
            &["document: neutral to positive"],
            &["document: positive to neutral"],
        );
    }

    #[test]
    fn another_form_of_the_same_is_no_change() {
        check_edit("ORG Acme", "ORG ACME", &[], &[]);
        check_edit("PERSON Ann Lee", "PERSON Lee", &[], &[]);
        check_edit(STORY[3], "“The tunnel will open in May” Lee", &[], &[]);
        let mut turned = STORY.to_vec();
        turned.reverse();
        check(STORY, &turned, &[]);
        // Two of that name leave a doubt.
        check(
            &["PERSON Lee"],
            &["PERSON Ann Lee", "PERSON Bob Lee"],
            &["added PERSON Ann Lee", "added PERSON Bob Lee", "gone PERSON Lee"],
        );
        check(&["ORG Lee"], &["ORG Ann Lee"], &["added ORG Ann Lee", "gone ORG Lee"]);
    }

    #[test]
    fn what_a_stage_did_not_find_is_not_a_change() {
        let whole = summary(STORY);
        let without_entities = Summary { entities: None, ..whole.clone() };
        let changes = between(None, &whole, &without_entities);
        assert_eq!((&changes.entities, shown(&changes)), (&None, vec![]));
        let nothing = Summary::default();
        let changes = between(None, &nothing, &whole);
        assert_eq!((changes.entities, changes.quotes, changes.tone), (None, None, None));
    }

    #[test]
    fn lists_are_bounded_and_say_what_is_missing() {
        let many: Vec<String> = (0..100).map(|n| format!("ORG Firm{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let changes = between(None, &summary(&[]), &summary(&many));
        assert_eq!((changes.entities.unwrap().len(), changes.left_out), (40, 60));
        // What a list was cut off before may have been there.
        let cut = Summary { is_cut: true, ..summary(&[]) };
        assert_eq!(between(None, &cut, &summary(&many)).entities, Some(vec![]));
        assert_eq!(between(None, &summary(&many), &cut).entities, Some(vec![]));
    }
}
