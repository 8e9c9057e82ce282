//! ninjs, the IPTC's news in JSON: versions 1.x (`body_xhtml`, `headline`), 2.x (`bodies`, `headlines`, lower case)
//! and 3.x (the same in camel case).
//!
//! In: the members of a news object. Out: a [`Draft`].
//!
//! Of several bodies, HTML comes first, then plain text, then other XML (NITF): providers flatten paragraphs in plain
//! text, and positions that lead back into the HTML are those that a site can use. Within a kind the main role comes
//! first. An item without a body (a picture) is read by its description, the caption.

use serde_json::Value;

use super::DecodeError;
use super::draft::{Draft, Part, is_blank};
use super::html::{self, Markup};
use super::json::{Members, invalid, shorten, string_at};
use super::status::{self, Status};
use crate::article::{DecodeWarning, Format};

/// The properties of ninjs 1.0 to 3.1, sorted; `body_*`, `description_*` and `headline_*` besides.
const KNOWN: &[&str] = &[
    "$schema",
    "$standard",
    "advice",
    "altIds",
    "altids",
    "associations",
    "bodies",
    "by",
    "byline",
    "charcount",
    "contentCreated",
    "contentcreated",
    "copyrightHolder",
    "copyrightNotice",
    "copyrightholder",
    "copyrightnotice",
    "descriptions",
    "digitalSourceType",
    "digitalsourcetype",
    "edNote",
    "ednote",
    "embargoed",
    "embargoedUntil",
    "event",
    "eventDetails",
    "events",
    "expires",
    "firstCreated",
    "firstcreated",
    "genre",
    "genres",
    "headline",
    "headlines",
    "infoSources",
    "infosource",
    "infosources",
    "language",
    "located",
    "mimetype",
    "object",
    "objects",
    "organisation",
    "organisations",
    "people",
    "person",
    "place",
    "places",
    "plannedCoverage",
    "profile",
    "pubStatus",
    "pubstatus",
    "renditions",
    "representationType",
    "representationtype",
    "rightsInfo",
    "rightsinfo",
    "slugline",
    "standard",
    "subject",
    "subjects",
    "title",
    "trustIndicators",
    "trustindicator",
    "trustindicators",
    "type",
    "urgency",
    "uri",
    "usageTerms",
    "usageterms",
    "version",
    "versionCreated",
    "versioncreated",
    "wordcount",
];

const PATTERNS: &[&str] = &["body_", "description_", "headline_"];

/// The roles that name a text itself, not one about it.
const MAIN_ROLES: &[&str] = &["", "body", "caption", "html", "html5", "main", "text", "xhtml"];

pub(super) fn recognises(members: &Members<'_>) -> bool {
    let marks = ["bodies", "headlines", "pubstatus", "pubStatus"];
    members.has("uri")
        && (marks.iter().any(|name| members.has(name))
            || members.names().any(|name| name.starts_with("body_")))
}

pub(super) fn recognises_without_text(members: &Members<'_>) -> bool {
    members.has("uri")
}

pub(super) fn read(members: &Members<'_>) -> Result<Draft, DecodeError> {
    let mut draft = Draft::new(Format::Ninjs);
    draft.count_unknown(members, KNOWN);
    let patterned = |name: &&str| PATTERNS.iter().any(|pattern| name.starts_with(pattern));
    draft.n_unknown_fields -= members.names().filter(patterned).count();
    draft.id = members.string("uri")?;
    draft.version = members.string_or_number("version")?;
    draft.language = members.string("language")?;
    for name in ["ednote", "edNote", "slugline", "title"] {
        draft.notes.extend(members.string(name)?);
    }
    read_status(&mut draft, members)?;
    draft.published =
        draft.date(members, &["firstcreated", "firstCreated", "contentcreated", "contentCreated"]);
    draft.updated = draft.date(members, &["versioncreated", "versionCreated"]);
    let embargo = match members.string_or_number("embargoed")? {
        None => members.string_or_number("embargoedUntil")?,
        embargoed => embargoed,
    };
    draft.embargo(embargo);
    let headline = best(candidates(members, "headline_", "headlines")?);
    draft.headline = match members.string("headline")?.filter(|headline| !is_blank(headline)) {
        Some(headline) => Some((headline, Markup::Text)),
        None => headline.map(|part| (part.value, part.markup)),
    };
    if draft.headline.is_none() {
        draft.headline = members.string("title")?.map(|title| (title, Markup::Text));
    }
    draft.body = best(candidates(members, "body_", "bodies")?).into_iter().collect();
    draft.description = best(candidates(members, "description_", "descriptions")?);
    Ok(draft)
}

/// The vocabulary is closed: a word outside it might be a kill, so it is refused and not guessed at.
fn read_status(draft: &mut Draft, members: &Members<'_>) -> Result<(), DecodeError> {
    for field in ["pubstatus", "pubStatus"] {
        let Some(word) = members.string(field)? else { continue };
        match status::of_word(&word) {
            Some(Status::Usable) => {}
            Some(Status::Retracted(reason)) => draft.retracted = Some(reason),
            None => {
                return Err(DecodeError::UnknownStatus {
                    field: field.to_owned(),
                    status: shorten(&word),
                });
            }
        }
        if word.trim().eq_ignore_ascii_case("cancelled") {
            draft.warnings.push(DecodeWarning::CancelledSpelling);
        }
    }
    Ok(())
}

/// One of the texts that stand for the same thing.
#[derive(Debug)]
struct Candidate {
    part: Part,
    kind: Kind,
    is_main: bool,
}

/// In order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Html,
    Text,
    Xml,
}

fn best(candidates: Vec<Candidate>) -> Option<Part> {
    let rank = |candidate: &Candidate| {
        (is_blank(&candidate.part.value), candidate.kind, !candidate.is_main)
    };
    candidates.into_iter().min_by_key(rank).map(|candidate| candidate.part)
}

/// The members `PREFIX*` of version 1, in order of their names, and the array of versions 2 and 3.
fn candidates(
    members: &Members<'_>,
    prefix: &str,
    array: &str,
) -> Result<Vec<Candidate>, DecodeError> {
    let mut candidates = Vec::new();
    for name in members.names().filter(|name| name.starts_with(prefix)) {
        let Some(value) = members.string(name)? else { continue };
        let role = name.strip_prefix(prefix).unwrap_or_default();
        candidates.push(candidate(shorten(name), value, role, role));
    }
    for (i, item) in members.array(array)?.iter().enumerate() {
        let Value::Object(item) = item else {
            return Err(invalid(format!("{array}[{i}]"), "an object"));
        };
        let field = format!("{array}[{i}].value");
        let Some(value) = string_at(item.get("value"), || field.clone())? else { continue };
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let role = text("role").unwrap_or_default();
        let media_type = text("contenttype").or_else(|| text("contentType"));
        candidates.push(candidate(field, value.to_owned(), role, media_type.unwrap_or(role)));
    }
    Ok(candidates)
}

/// `kind_hint` is a media type, or the name that version 1 appends to a member's.
fn candidate(field: String, value: String, role: &str, kind_hint: &str) -> Candidate {
    let hint = kind_hint.to_ascii_lowercase();
    let kind = if hint.contains("html") {
        Kind::Html
    } else if hint.contains("xml") || hint.contains("nitf") {
        Kind::Xml
    } else if !hint.contains("text") && html::looks_like_html(&value) {
        Kind::Html
    } else {
        Kind::Text
    };
    let markup = if kind == Kind::Text { Markup::Text } else { Markup::Html };
    let is_main = MAIN_ROLES.binary_search(&role.to_ascii_lowercase().as_str()).is_ok();
    Candidate { part: Part { field, value, markup }, kind, is_main }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::testing::check;

    #[test]
    fn version_1() {
        check(
            r#"{"uri": "urn:newsml:x:1", "type": "text", "version": "2", "versioncreated": "2024-05-14T10:00:00Z",
                "firstcreated": "2024-05-14T09:00:00Z", "pubstatus": "usable", "language": "en-GB", "headline": "Rain",
                "headline_short": "R", "byline": "Ann Lee", "embargoed": "2024-05-15T00:00:00Z", "x_desk": "A",
                "body_text": "It rained. It snowed.", "body_xhtml": "<p>It rained.</p><p>It snowed.</p>",
                "description_text": "Weather"}"#,
            expect![[r#"
                ninjs: urn:newsml:x:1
                version: 2
                headline: Rain
                language: en-GB
                published: 2024-05-14T09:00:00Z
                updated: 2024-05-14T10:00:00Z
                embargoed: 2024-05-15T00:00:00Z
                text: It rained. (body_xhtml 3..13)
                text: It snowed. (body_xhtml 20..30)
                unknown fields: 1
            "#]],
        );
    }

    #[test]
    fn version_2_and_3() {
        check(
            r#"{"uri": "urn:newsml:x:2", "pubstatus": "usable", "version": "1",
                "headlines": [{"role": "short", "value": "R"}, {"role": "main", "value": "Rain"}],
                "bodies": [{"role": "main", "contenttype": "text/plain", "value": "It rained."}]}"#,
            expect![[r#"
                ninjs: urn:newsml:x:2
                version: 1
                headline: Rain
                text: It rained. (bodies[0].value 0..10)
            "#]],
        );
        check(
            r#"{"uri": "urn:newsml:x:3", "pubStatus": "usable", "versionCreated": "2024-05-14T10:00:00Z",
                "firstCreated": "2024-05-14", "embargoedUntil": "2024-05-15T00:00:00Z", "edNote": "Adds byline",
                "headlines": [{"contentType": "text/html", "value": "Rain &amp; <i>snow</i>"}],
                "bodies": [{"role": "nitf", "contentType": "text/vnd.IPTC.NITF", "value": "<nitf><p>N</p></nitf>"},
                           {"role": "text", "contentType": "text/plain", "value": "T"},
                           {"role": "summary", "contentType": "application/xhtml+xml", "value": "<p>S</p>"},
                           {"role": "html", "contentType": "text/html", "value": "<p>It rained.</p>"}]}"#,
            expect![[r#"
                ninjs: urn:newsml:x:3
                headline: Rain & snow
                published: 2024-05-14
                updated: 2024-05-14T10:00:00Z
                embargoed: 2024-05-15T00:00:00Z
                text: It rained. (bodies[3].value 3..13)
            "#]],
        );
    }

    #[test]
    fn bodies_without_a_kind_are_looked_at() {
        check(
            r#"{"uri": "u", "body_main": "<p>One</p><p>Two</p>"}"#,
            expect![[r#"
            ninjs: u
            text: One (body_main 3..6)
            text: Two (body_main 13..16)
        "#]],
        );
        check(
            r#"{"uri": "u", "body_main": "a < b"}"#,
            expect![[r#"
            ninjs: u
            text: a < b (body_main 0..5)
        "#]],
        );
        check(
            r#"{"uri": "u", "bodies": [{"value": ""}, {"value": null}, {"value": "One<br>Two"}]}"#,
            expect![[r#"
                ninjs: u
                text: One (bodies[2].value 0..3)
                text: Two (bodies[2].value 7..10)
            "#]],
        );
    }

    #[test]
    fn pictures_are_read_by_their_caption() {
        check(
            r#"{"uri": "u", "type": "picture", "headlines": [{"value": "Rain"}],
                "descriptions": [{"role": "writer", "value": "ann"}, {"role": "text", "value": "Ann Lee in the rain."}]}"#,
            expect![[r#"
                ninjs: u
                headline: Rain
                text: Ann Lee in the rain. (descriptions[1].value 0..20)
                warning: description_as_text
            "#]],
        );
        check(
            r#"{"uri": "u", "type": "picture", "headline": "Rain"}"#,
            expect![[r#"
            ninjs: u
            headline: Rain
            text: 
            warning: headline_only
        "#]],
        );
        check(
            r#"{"uri": "u", "type": "text", "title": "Rain"}"#,
            expect![[r#"
            ninjs: u
            headline: Rain
            text: 
            warning: headline_only
        "#]],
        );
        check(
            r#"{"uri": "u", "type": "picture"}"#,
            expect![[r#"
                ninjs: u
                text: 
                warning: no_text
            "#]],
        );
        check(
            r#"{"uri": "u"}"#,
            expect![[r#"
                ninjs: u
                text: 
                warning: no_text
            "#]],
        );
    }

    #[test]
    fn statuses() {
        check(
            r#"{"uri": "u", "pubstatus": "canceled", "version": "2"}"#,
            expect![[r#"
            retraction: canceled
            id: u
            version: 2
        "#]],
        );
        check(
            r#"{"uri": "u", "pubStatus": "cancelled"}"#,
            expect![[r#"
            retraction: canceled
            id: u
            warning: cancelled_spelling
        "#]],
        );
        check(
            r#"{"uri": "u", "pubStatus": "stat:withheld", "body_text": "x"}"#,
            expect![[r#"
            retraction: withheld
            id: u
        "#]],
        );
        check(
            r#"{"uri": "u", "pubstatus": "commissioned", "body_text": "x"}"#,
            expect![[r#"
            unknown_status: field "pubstatus" has an unknown status: "commissioned"
        "#]],
        );
        check(
            r#"{"uri": "u", "pubstatus": 1, "body_text": "x"}"#,
            expect![[r#"
            invalid_field: field "pubstatus" is not a string
        "#]],
        );
        check(
            r#"{"uri": "u", "ednote": "MANDATORY KILL", "body_text": "x"}"#,
            expect![[r#"
            retraction: kill_notice
            id: u
        "#]],
        );
    }

    #[test]
    fn wrong_types_are_refused() {
        check(
            &format!(r#"{{"uri": "u", "body_{}": 1}}"#, "x".repeat(1000)),
            expect![[r#"
            invalid_field: field "body_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is not a string
        "#]],
        );
        check(
            r#"{"uri": "u", "body_text": 1}"#,
            expect![[r#"
            invalid_field: field "body_text" is not a string
        "#]],
        );
        check(
            r#"{"uri": 5, "body_text": "x"}"#,
            expect![[r#"
            invalid_field: field "uri" is not a string
        "#]],
        );
        check(
            r#"{"uri": "u", "bodies": "x"}"#,
            expect![[r#"
            invalid_field: field "bodies" is not an array
        "#]],
        );
        check(
            r#"{"uri": "u", "bodies": ["x"]}"#,
            expect![[r#"
            invalid_field: field "bodies[0]" is not an object
        "#]],
        );
        check(
            r#"{"uri": "u", "bodies": [{"value": ["x"]}]}"#,
            expect![[r#"
            invalid_field: field "bodies[0].value" is not a string
        "#]],
        );
    }

    #[test]
    fn known_names_are_sorted() {
        assert!(super::KNOWN.is_sorted());
        assert!(super::MAIN_ROLES.is_sorted());
    }
}
