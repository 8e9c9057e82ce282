//! The plain format, and text without any.
//!
//! In: `{id, headline, text | body | body_html, language, published, updated, embargoed_until, version, status}`, all
//! but one of the three texts optional; or a value that is nothing but text. Out: a [`Draft`].
//!
//! The first of `text`, `body`, `body_html` that says something is the article's text. `text` is published byte for
//! byte (but for control characters and mojibake, see [`crate::text::normalize`]); `body` is taken for HTML when a tag
//! that lays out text stands in it.

use super::DecodeError;
use super::draft::{Draft, Part, is_blank};
use super::html::{self, Markup};
use super::json::Members;
use crate::article::Format;

const KNOWN: &[&str] = &[
    "body",
    "body_html",
    "embargoed_until",
    "headline",
    "id",
    "language",
    "published",
    "status",
    "text",
    "updated",
    "version",
];

pub(super) fn recognises(members: &Members<'_>) -> bool {
    ["text", "body", "body_html"].iter().any(|name| members.has(name))
}

/// A story without a text: a flash, or one that is taken back.
pub(super) fn recognises_without_text(members: &Members<'_>) -> bool {
    members.has("headline") || members.has("id") && members.has("status")
}

pub(super) fn read(members: &Members<'_>) -> Result<Draft, DecodeError> {
    let mut draft = Draft::new(Format::Plain);
    draft.count_unknown(members, KNOWN);
    draft.id = members.string_or_number("id")?;
    draft.version = members.string_or_number("version")?;
    draft.headline = members.string("headline")?.map(|headline| (headline, Markup::Text));
    draft.language = members.string("language")?;
    draft.status(members.string("status")?.as_deref());
    draft.published = draft.date(members, &["published"]);
    draft.updated = draft.date(members, &["updated"]);
    draft.embargo(members.string_or_number("embargoed_until")?);
    let text = part(members, "text", |_| Markup::Text)?;
    let body = part(members, "body", sniff)?;
    let html = part(members, "body_html", |_| Markup::Html)?;
    let given: Vec<Part> = [text, body, html].into_iter().flatten().collect();
    let says_something = given.iter().position(|part| !is_blank(&part.value));
    draft.body = given.into_iter().skip(says_something.unwrap_or_default()).take(1).collect();
    Ok(draft)
}

/// A value that is text: a file from a desk, a wire dump. A byte order mark is the file's, not the text's.
pub(super) fn read_raw_text(value: &str) -> Draft {
    let mut draft = Draft::new(Format::RawText);
    let text = value.to_owned();
    draft.body = vec![Part { field: "value".to_owned(), value: text, markup: Markup::TextFile }];
    draft
}

fn part(
    members: &Members<'_>,
    name: &str,
    markup: impl FnOnce(&str) -> Markup,
) -> Result<Option<Part>, DecodeError> {
    let value = members.string(name)?;
    Ok(value.map(|value| Part { field: name.to_owned(), markup: markup(&value), value }))
}

fn sniff(body: &str) -> Markup {
    if html::looks_like_html(body) { Markup::Html } else { Markup::Text }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::testing::check;

    #[test]
    fn all_fields() {
        check(
            r#"{"id": "desk-1", "version": 3, "headline": "Rain", "text": "It rained.", "language": "en",
                "published": "2024-05-14T10:00:00Z", "updated": "2024-05-14T11:00:00Z", "status": "published",
                "embargoed_until": "2024-05-15T00:00:00Z", "byline": "Ann Lee", "desk": null}"#,
            expect![[r#"
                plain: desk-1
                version: 3
                headline: Rain
                language: en
                published: 2024-05-14T10:00:00Z
                updated: 2024-05-14T11:00:00Z
                embargoed: 2024-05-15T00:00:00Z
                text: It rained. (text 0..10)
                unknown fields: 2
            "#]],
        );
    }

    #[test]
    fn the_first_text_that_says_something_counts() {
        check(
            r#"{"id": "a", "text": "T", "body": "B", "body_html": "<p>H</p>"}"#,
            expect![[r#"
            plain: a
            text: T (text 0..1)
        "#]],
        );
        check(
            r#"{"id": "a", "text": " ", "body": "", "body_html": "<p>H</p>"}"#,
            expect![[r#"
            plain: a
            text: H (body_html 3..4)
        "#]],
        );
        check(
            r#"{"id": "a", "body": "B & <b>"}"#,
            expect![[r#"
            plain: a
            text: B & <b> (body 0..7)
        "#]],
        );
        check(
            r#"{"id": "a", "body": "<p>One &amp;</p><p>two</p>"}"#,
            expect![[r#"
            plain: a
            text: One & (body 3..12)
            text: two (body 19..22)
        "#]],
        );
        check(
            r#"{"id": "a", "text": "<p>One &amp;</p>"}"#,
            expect![[r#"
            plain: a
            text: <p>One &amp;</p> (text 0..16)
        "#]],
        );
    }

    #[test]
    fn stories_without_a_text() {
        check(
            r#"{"id": "a", "headline": "Flash: rain", "text": ""}"#,
            expect![[r#"
            plain: a
            headline: Flash: rain
            text: 
            warning: headline_only
        "#]],
        );
        check(
            r#"{"id": "a", "headline": "Flash: rain"}"#,
            expect![[r#"
            plain: a
            headline: Flash: rain
            text: 
            warning: headline_only
        "#]],
        );
        check(
            r#"{"id": "a", "text": " \u200b\n"}"#,
            expect![[r#"
                empty_text: text is blank and there is no headline
            "#]],
        );
        check(
            r#"{"id": "a", "text": null}"#,
            expect![[r#"
            missing_text: article has neither text nor headline
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x"}"#,
            expect![[r#"
            plain: a
            text: x (text 0..1)
        "#]],
        );
    }

    #[test]
    fn wrong_types_are_refused() {
        check(
            r#"{"id": "a", "text": 5}"#,
            expect![[r#"
            invalid_field: field "text" is not a string
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x", "headline": ["y"]}"#,
            expect![[r#"
            invalid_field: field "headline" is not a string
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x", "version": {}}"#,
            expect![[r#"
            invalid_field: field "version" is not a string or a number
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x", "status": true}"#,
            expect![[r#"
            invalid_field: field "status" is not a string
        "#]],
        );
    }

    #[test]
    fn status_words_take_stories_back() {
        check(
            r#"{"id": "a", "version": "2", "status": "Killed"}"#,
            expect![[r#"
            retraction: canceled
            id: a
            version: 2
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x", "status": "on_hold"}"#,
            expect![[r#"
            retraction: withheld
            id: a
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x", "status": "unpublished"}"#,
            expect![[r#"
            retraction: deleted
            id: a
        "#]],
        );
        check(
            r#"{"id": "a", "text": "x", "status": "pending review"}"#,
            expect![[r#"
            plain: a
            text: x (text 0..1)
            warning: unknown_status
        "#]],
        );
    }
}
