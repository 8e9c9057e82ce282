//! ANS, the Arc XP format: stories and operations on stories.
//!
//! In: the members of a story, or of an operation that carries one. Out: a [`Draft`].
//!
//! The text is made of the elements that are the story's own words, one line or more each: text, headers, quotes with
//! their citations, lists, tables, raw HTML, corrections. Their content is HTML. Left out: pictures, embeds, links to
//! other stories, and pull quotes, which repeat the text. `version` is the version of ANS; a story's own is when it
//! was last updated, which, unlike its revision id, can be compared.

use serde_json::Value;

use super::DecodeError;
use super::draft::{Draft, Part};
use super::html::Markup;
use super::json::{Members, invalid, shorten, string_at};
use crate::article::{Format, RetractionReason};

/// The properties of an ANS 0.10 story, sorted.
const KNOWN: &[&str] = &[
    "_id",
    "additional_properties",
    "address",
    "alignment",
    "canonical_url",
    "canonical_website",
    "channels",
    "comments",
    "content",
    "content_aliases",
    "content_elements",
    "content_restrictions",
    "contributors",
    "copyright",
    "corrections",
    "created_date",
    "credits",
    "description",
    "display_date",
    "distributor",
    "editor_note",
    "embed_html",
    "first_publish_date",
    "geo",
    "headlines",
    "label",
    "language",
    "last_updated_date",
    "location",
    "owner",
    "pitches",
    "planning",
    "promo_items",
    "publish_date",
    "publishing",
    "rating",
    "related_content",
    "revision",
    "short_url",
    "slug",
    "source",
    "status",
    "subheadlines",
    "subtype",
    "syndication",
    "taxonomy",
    "tracking",
    "type",
    "vanity_credits",
    "version",
    "voice_transcripts",
    "website",
    "website_url",
    "websites",
    "workflow",
];

const STORY: &str = "story";

pub(super) fn recognises(members: &Members<'_>) -> bool {
    members.has("content_elements") || is_operation(members)
}

/// Another kind of ANS content, or a story whose elements are missing.
pub(super) fn recognises_without_text(members: &Members<'_>) -> bool {
    let kind = members.lenient_string("type");
    kind.is_some_and(|kind| kind == STORY || members.has("_id"))
}

pub(super) fn read(members: &Members<'_>) -> Result<Draft, DecodeError> {
    if is_operation(members) { read_operation(members) } else { read_story(members) }
}

fn is_operation(members: &Members<'_>) -> bool {
    members.has("operation")
        && members.lenient_string("type").is_some_and(|kind| kind.ends_with("operation"))
}

/// An operation's story; none is needed to take one back.
fn read_operation(members: &Members<'_>) -> Result<Draft, DecodeError> {
    let kind = members.string("type")?.unwrap_or_default();
    let operation = members.string("operation")?.unwrap_or_default().replace('-', "_");
    // `story_operation`, and `content-operation` with `insert-story`.
    if !kind.starts_with(STORY) && !operation.ends_with(STORY) {
        return Err(DecodeError::NotAnArticle { kind: shorten(&kind) });
    }
    let story = match members.object(STORY)? {
        None => members.object("body")?,
        story => story,
    };
    let takes_back =
        ["delete", "remove", "unpublish"].iter().any(|verb| operation.starts_with(verb));
    let mut draft = match &story {
        _ if takes_back => Draft::new(Format::Ans),
        Some(story) => read_story(story)?,
        None => return Err(DecodeError::MissingText),
    };
    if takes_back {
        draft.retracted = Some(RetractionReason::Deleted);
        draft.version = draft.date(members, &["date"]);
    }
    if draft.id.is_none() {
        draft.id = match story.map(|story| story.string("_id")).transpose()?.flatten() {
            None => members.string("story_id")?,
            id => id,
        };
    }
    Ok(draft)
}

fn read_story(members: &Members<'_>) -> Result<Draft, DecodeError> {
    let kind = members.string("type")?.unwrap_or_else(|| STORY.to_owned());
    if kind != STORY {
        return Err(DecodeError::NotAnArticle { kind: shorten(&kind) });
    }
    let mut draft = Draft::new(Format::Ans);
    draft.count_unknown(members, KNOWN);
    draft.id = members.string("_id")?;
    draft.language = members.string("language")?;
    draft.status(members.string("status")?.as_deref());
    for name in ["editor_note", "slug"] {
        draft.notes.extend(members.string(name)?);
    }
    draft.published = draft
        .date(members, &["publish_date", "first_publish_date", "display_date", "created_date"]);
    draft.updated = draft.date(members, &["last_updated_date"]);
    draft.version = draft.updated.clone();
    draft.embargo(embargo(members)?);
    draft.headline = labelled(members, "headlines")?.map(|headline| (headline, Markup::Html));
    let description = labelled(members, "description")?;
    draft.description = description.map(|value| Part {
        field: "description.basic".to_owned(),
        value,
        markup: Markup::Html,
    });
    draft.body = read_elements(&members.array("content_elements")?)?;
    Ok(draft)
}

/// The `basic` one of a story's headlines or descriptions.
fn labelled(members: &Members<'_>, name: &str) -> Result<Option<String>, DecodeError> {
    let Some(labels) = members.object(name)? else { return Ok(None) };
    labels.string("basic").map_err(|_| invalid(format!("{name}.basic"), "a string"))
}

/// `content_restrictions.embargo`, while it is active.
fn embargo(members: &Members<'_>) -> Result<Option<String>, DecodeError> {
    let Some(restrictions) = members.value("content_restrictions")? else { return Ok(None) };
    let embargo = &restrictions["embargo"];
    let is_active = embargo["active"] != Value::Bool(false);
    let end =
        string_at(embargo.get("end_time"), || "content_restrictions.embargo.end_time".to_owned())?;
    Ok(end.filter(|_| is_active).map(str::to_owned))
}

/// The elements' own words in reading order.
fn read_elements(elements: &[Value]) -> Result<Vec<Part>, DecodeError> {
    let mut parts = Vec::new();
    // What is still to be read, the next one last. Nesting is bounded by the parser.
    let mut waiting = Vec::new();
    push_children(&mut waiting, "content_elements", Some(elements));
    while let Some((path, element)) = waiting.pop() {
        let Value::Object(fields) = element else { return Err(invalid(path, "an object")) };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let children = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(children)) => Ok(Some(children.as_slice())),
            Some(_) => Err(invalid(format!("{path}.{name}"), "an array")),
        };
        let content = match text("type") {
            "text" | "header" | "blockquote" | "raw_html" | "list_element" => Some("content"),
            "correction" => Some("text"),
            "quote" if text("subtype") != "pullquote" => {
                if let Some(citation) = fields.get("citation").filter(|value| !value.is_null()) {
                    waiting.push((format!("{path}.citation"), citation));
                }
                push_children(
                    &mut waiting,
                    &format!("{path}.content_elements"),
                    children("content_elements")?,
                );
                None
            }
            "element_group" => {
                push_children(
                    &mut waiting,
                    &format!("{path}.content_elements"),
                    children("content_elements")?,
                );
                None
            }
            "list" => {
                push_children(&mut waiting, &format!("{path}.items"), children("items")?);
                None
            }
            "table" => {
                push_rows(&mut waiting, &format!("{path}.rows"), children("rows")?)?;
                push_children(&mut waiting, &format!("{path}.header"), children("header")?);
                None
            }
            _ => None,
        };
        let Some(content) = content else { continue };
        let field = format!("{path}.{content}");
        if let Some(value) = string_at(fields.get(content), || field.clone())? {
            parts.push(Part { value: value.to_owned(), markup: Markup::Html, field });
        }
    }
    Ok(parts)
}

/// An element that is still to be read, and where it stands.
type Waiting<'e> = Vec<(String, &'e Value)>;

fn push_children<'e>(waiting: &mut Waiting<'e>, path: &str, children: Option<&'e [Value]>) {
    let children = children.unwrap_or_default().iter().enumerate().rev();
    waiting.extend(children.map(|(i, child)| (format!("{path}[{i}]"), child)));
}

fn push_rows<'e>(
    waiting: &mut Waiting<'e>,
    path: &str,
    rows: Option<&'e [Value]>,
) -> Result<(), DecodeError> {
    for (i, row) in rows.unwrap_or_default().iter().enumerate().rev() {
        let path = format!("{path}[{i}]");
        let Value::Array(cells) = row else { return Err(invalid(path, "an array")) };
        push_children(waiting, &path, Some(cells));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::testing::check;

    #[test]
    fn a_story_in_elements() {
        check(
            r#"{"type": "story", "version": "0.10.12", "_id": "ABC", "language": "en", "status": "published",
                "headlines": {"basic": "Rain &amp; <i>snow</i>"}, "first_publish_date": "2024-05-14T10:00:00Z",
                "last_updated_date": "2024-05-14T11:00:00Z", "editor_note": "Corrected", "foo": 1,
                "content_restrictions": {"embargo": {"active": true, "end_time": "2024-05-15T00:00:00Z"}},
                "content_elements": [
                    {"type": "text", "content": "It <b>rained</b>.<br/>A lot."},
                    {"type": "image", "caption": "Rain"},
                    {"type": "header", "content": "More"},
                    {"type": "quote", "content_elements": [{"type": "text", "content": "Go!"},
                        {"type": "quote", "content_elements": [{"type": "text", "content": "In."}]}],
                     "citation": {"type": "text", "content": "Ann Lee"}},
                    {"type": "quote", "subtype": "pullquote", "content_elements": [{"type": "text", "content": "A lot."}]},
                    {"type": "list", "items": [{"type": "text", "content": "one"},
                        {"type": "list", "items": [{"type": "text", "content": "two"}]}]},
                    {"type": "table", "header": [{"type": "text", "content": "h"}],
                     "rows": [[{"type": "text", "content": "r1"}, {"type": "text", "content": "r2"}]]},
                    {"type": "element_group", "content_elements": [{"type": "text", "content": "grouped"}]},
                    {"type": "raw_html", "content": "<script>x</script>"},
                    {"type": "interstitial_link", "content": "Read this too"},
                    {"type": "correction", "text": "It did not snow."},
                    {"type": "ghost"}]}"#,
            expect![[r#"
                ans: ABC
                version: 2024-05-14T11:00:00Z
                headline: Rain & snow
                language: en
                published: 2024-05-14T10:00:00Z
                updated: 2024-05-14T11:00:00Z
                embargoed: 2024-05-15T00:00:00Z
                text: It rained. (content_elements[0].content 0..17)
                text: A lot. (content_elements[0].content 22..28)
                text: More (content_elements[2].content 0..4)
                text: Go! (content_elements[3].content_elements[0].content 0..3)
                text: In. (content_elements[3].content_elements[1].content_elements[0].content 0..3)
                text: Ann Lee (content_elements[3].citation.content 0..7)
                text: one (content_elements[5].items[0].content 0..3)
                text: two (content_elements[5].items[1].items[0].content 0..3)
                text: h (content_elements[6].header[0].content 0..1)
                text: r1 (content_elements[6].rows[0][0].content 0..2)
                text: r2 (content_elements[6].rows[0][1].content 0..2)
                text: grouped (content_elements[7].content_elements[0].content 0..7)
                text: It did not snow. (content_elements[10].text 0..16)
                unknown fields: 1
            "#]],
        );
    }

    #[test]
    fn stories_without_elements() {
        check(
            r#"{"type": "story", "_id": "A", "headlines": {"basic": "Flash"}}"#,
            expect![[r#"
            ans: A
            headline: Flash
            text: 
            warning: headline_only
        "#]],
        );
        check(
            r#"{"type": "story", "_id": "A", "description": {"basic": "Short"}, "content_elements": []}"#,
            expect![[r#"
                ans: A
                text: Short (description.basic 0..5)
                warning: description_as_text
            "#]],
        );
        check(
            r#"{"type": "story", "_id": "A", "content_elements": [{"type": "image"}]}"#,
            expect![[r#"
                ans: A
                text: 
                warning: no_text
            "#]],
        );
        check(
            r#"{"type": "story", "_id": "A", "content_elements": [{"type": "text", "content": " "}]}"#,
            expect![[r#"
                ans: A
                text: 
                warning: no_text
            "#]],
        );
        check(
            r#"{"type": "gallery", "_id": "A", "content_elements": []}"#,
            expect![[r#"
            not_an_article: "gallery" is not a text article
        "#]],
        );
        check(
            r#"{"type": "image", "_id": "A", "version": "0.10.12"}"#,
            expect![[r#"
            not_an_article: "image" is not a text article
        "#]],
        );
    }

    #[test]
    fn operations() {
        check(
            r#"{"type": "story_operation", "operation": "publish_edition", "story_id": "S", "version": "0.10.12",
                "story": {"type": "story", "content_elements": [{"type": "text", "content": "It rained."}]}}"#,
            expect![[r#"
                ans: S
                text: It rained. (content_elements[0].content 0..10)
            "#]],
        );
        check(
            r#"{"type": "content-operation", "operation": "insert-story", "id": "op1",
                "body": {"type": "story", "_id": "S", "content_elements": [{"type": "text", "content": "It rained."}]}}"#,
            expect![[r#"
                ans: S
                text: It rained. (content_elements[0].content 0..10)
            "#]],
        );
        check(
            r#"{"type": "story_operation", "operation": "unpublish_edition", "story_id": "S", "date": "2024-05-14T10:00:00Z"}"#,
            expect![[r#"
                retraction: deleted
                id: S
                version: 2024-05-14T10:00:00Z
            "#]],
        );
        check(
            r#"{"type": "story-operation", "operation": "unpublish-edition", "story_id": "S"}"#,
            expect![[r#"
                retraction: deleted
                id: S
            "#]],
        );
        check(
            r#"{"type": "story_operation", "operation": "delete", "story_id": "S"}"#,
            expect![[r#"
                retraction: deleted
                id: S
            "#]],
        );
        check(
            r#"{"type": "content-operation", "operation": "delete-story", "body": {"_id": "S"}}"#,
            expect![[r#"
                retraction: deleted
                id: S
            "#]],
        );
        check(
            r#"{"type": "image-operation", "operation": "delete", "_id": "I"}"#,
            expect![[r#"
            not_an_article: "image-operation" is not a text article
        "#]],
        );
        check(
            r#"{"type": "story_operation", "operation": "update", "story_id": "S"}"#,
            expect![[r#"
                missing_text: article has neither text nor headline
            "#]],
        );
    }

    #[test]
    fn wrong_types_are_refused() {
        let story = |elements: &str| {
            format!(r#"{{"type": "story", "_id": "A", "content_elements": {elements}}}"#)
        };
        check(
            &story(r#""x""#),
            expect![[r#"
            invalid_field: field "content_elements" is not an array
        "#]],
        );
        check(
            &story(r#"["x"]"#),
            expect![[r#"
            invalid_field: field "content_elements[0]" is not an object
        "#]],
        );
        check(
            &story(r#"[{"type": "text", "content": 5}]"#),
            expect![[r#"
            invalid_field: field "content_elements[0].content" is not a string
        "#]],
        );
        check(
            &story(r#"[{"type": "list", "items": [{"type": "text", "content": {}}]}]"#),
            expect![[r#"
                invalid_field: field "content_elements[0].items[0].content" is not a string
            "#]],
        );
        check(
            &story(r#"[{"type": "quote", "citation": "Ann Lee", "content_elements": []}]"#),
            expect![[r#"
                invalid_field: field "content_elements[0].citation" is not an object
            "#]],
        );
        check(
            &story(r#"[{"type": "table", "rows": [5]}]"#),
            expect![[r#"
            invalid_field: field "content_elements[0].rows[0]" is not an array
        "#]],
        );
        let deep = r#"[{"type":"list","items":"#.repeat(100) + "[]" + &"}]".repeat(100);
        check(
            &story(&deep),
            expect![[r#"
            too_deep: field "content_elements" nests deeper than 128 levels
        "#]],
        );
    }

    #[test]
    fn known_names_are_sorted() {
        assert!(super::KNOWN.is_sorted());
    }
}
