//! schema.org's `Article` and its kinds, as JSON-LD.
//!
//! In: the members of a node, or of a document whose `@graph` holds one article. Out: a [`Draft`].
//!
//! `articleBody` is text by its definition, but sites fill it with HTML or text escaped for it: it is taken for HTML
//! when a tag that lays out text stands in it, and its character references are read when one stands in it that nobody
//! writes on purpose. The id is `@id`, else `identifier`, else `url`.

use serde_json::Value;

use super::DecodeError;
use super::draft::{Draft, Part};
use super::html::{self, Markup};
use super::json::{Members, invalid, shorten};
use crate::article::Format;

/// `Article` and every type below it, and its parents where sites use them (schema.org 29), sorted.
const ARTICLE_TYPES: &[&str] = &[
    "APIReference",
    "AdvertiserContentArticle",
    "AnalysisNewsArticle",
    "Article",
    "AskPublicNewsArticle",
    "BackgroundNewsArticle",
    "BlogPosting",
    "DiscussionForumPosting",
    "LiveBlogPosting",
    "MedicalScholarlyArticle",
    "NewsArticle",
    "OpinionNewsArticle",
    "Report",
    "ReportageNewsArticle",
    "ReviewNewsArticle",
    "SatiricalArticle",
    "ScholarlyArticle",
    "SocialMediaPosting",
    "TechArticle",
];

/// The properties of `NewsArticle` and its parents, sorted.
const KNOWN: &[&str] = &[
    "@context",
    "@graph",
    "@id",
    "@type",
    "about",
    "abstract",
    "accessMode",
    "accessModeSufficient",
    "accessibilityAPI",
    "accessibilityControl",
    "accessibilityFeature",
    "accessibilityHazard",
    "accessibilitySummary",
    "accountablePerson",
    "acquireLicensePage",
    "additionalType",
    "aggregateRating",
    "alternateName",
    "alternativeHeadline",
    "archivedAt",
    "articleBody",
    "articleSection",
    "assesses",
    "associatedMedia",
    "audience",
    "audio",
    "author",
    "award",
    "backstory",
    "blogPost",
    "character",
    "citation",
    "comment",
    "commentCount",
    "conditionsOfAccess",
    "contentLocation",
    "contentRating",
    "contentReferenceTime",
    "contributor",
    "copyrightHolder",
    "copyrightNotice",
    "copyrightYear",
    "correction",
    "countryOfOrigin",
    "coverageEndTime",
    "coverageStartTime",
    "creativeWorkStatus",
    "creator",
    "creditText",
    "dateCreated",
    "dateModified",
    "datePublished",
    "dateline",
    "description",
    "digitalSourceType",
    "disambiguatingDescription",
    "discussionUrl",
    "displayLocation",
    "editEIDR",
    "editor",
    "educationalAlignment",
    "educationalLevel",
    "educationalUse",
    "encoding",
    "encodingFormat",
    "exampleOfWork",
    "expires",
    "funder",
    "funding",
    "genre",
    "hasPart",
    "headline",
    "identifier",
    "image",
    "inLanguage",
    "interactionStatistic",
    "interactivityType",
    "interpretedAsClaim",
    "isAccessibleForFree",
    "isBasedOn",
    "isFamilyFriendly",
    "isPartOf",
    "keywords",
    "learningResourceType",
    "license",
    "liveBlogUpdate",
    "locationCreated",
    "mainEntity",
    "mainEntityOfPage",
    "maintainer",
    "material",
    "materialExtent",
    "mentions",
    "name",
    "offers",
    "owner",
    "pageEnd",
    "pageStart",
    "pagination",
    "pattern",
    "position",
    "potentialAction",
    "printColumn",
    "printEdition",
    "printPage",
    "printSection",
    "producer",
    "provider",
    "publication",
    "publisher",
    "publisherImprint",
    "publishingPrinciples",
    "recordedAt",
    "releasedEvent",
    "review",
    "sameAs",
    "schemaVersion",
    "sdDatePublished",
    "sdLicense",
    "sdPublisher",
    "sharedContent",
    "size",
    "sourceOrganization",
    "spatial",
    "spatialCoverage",
    "speakable",
    "sponsor",
    "subjectOf",
    "teaches",
    "temporal",
    "temporalCoverage",
    "text",
    "thumbnail",
    "thumbnailUrl",
    "timeRequired",
    "translationOfWork",
    "translator",
    "typicalAgeRange",
    "url",
    "usageInfo",
    "version",
    "video",
    "wordCount",
    "workExample",
    "workTranslation",
];

pub(super) fn recognises(members: &Members<'_>) -> bool {
    members.has("@type") || members.has("@graph")
}

pub(super) fn read(members: &Members<'_>) -> Result<Draft, DecodeError> {
    let graph = members.raw_array("@graph")?;
    if graph.is_empty() {
        return read_article(members);
    }
    let nodes: Vec<Members<'_>> =
        graph.into_iter().filter_map(|node| Members::parse(node).ok()).collect();
    let mut articles = nodes.iter().filter(|node| is_article(node));
    match (articles.next(), articles.next()) {
        (Some(article), None) => read_article(article),
        (Some(_), Some(_)) => Err(invalid("@graph", "a graph with one article")),
        (None, _) => Err(DecodeError::NotAnArticle { kind: "@graph".to_owned() }),
    }
}

fn read_article(members: &Members<'_>) -> Result<Draft, DecodeError> {
    if !is_article(members) {
        let kind = types(members).into_iter().next().unwrap_or_else(|| "@type".to_owned());
        return Err(DecodeError::NotAnArticle { kind: shorten(&kind) });
    }
    let mut draft = Draft::new(Format::SchemaOrg);
    draft.count_unknown(members, KNOWN);
    draft.id = id(members)?;
    draft.version = members.string_or_number("version")?;
    draft.status(text_or_name(members, "creativeWorkStatus")?.as_deref());
    draft.headline = match members.string("headline")? {
        None => members.string("name")?,
        headline => headline,
    }
    .map(|headline| {
        let markup = if html::looks_escaped(&headline) { Markup::Escaped } else { Markup::Text };
        (headline, markup)
    });
    draft.language = text_or_name(members, "inLanguage")?;
    draft.published = draft.date(members, &["datePublished", "dateCreated"]);
    draft.updated = draft.date(members, &["dateModified"]);
    let body = match part(members, "articleBody")? {
        None => part(members, "text")?,
        body => body,
    };
    draft.body = body.into_iter().collect();
    draft.description = part(members, "description")?;
    Ok(draft)
}

fn is_article(members: &Members<'_>) -> bool {
    types(members).iter().any(|kind| {
        let name = kind.rsplit(['/', '#', ':']).next().unwrap_or_default();
        ARTICLE_TYPES.binary_search(&name).is_ok()
    })
}

/// `"NewsArticle"` or `["NewsArticle", "Report"]`.
fn types(members: &Members<'_>) -> Vec<String> {
    match members.value("@type") {
        Ok(Some(Value::String(kind))) => vec![kind],
        Ok(Some(Value::Array(kinds))) => {
            kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

fn id(members: &Members<'_>) -> Result<Option<String>, DecodeError> {
    let given = |id: Option<String>| id.filter(|id| !id.trim().is_empty());
    if let Some(id) = given(members.string("@id")?) {
        return Ok(Some(id));
    }
    // A PropertyValue, or several identifiers: which one names the article is not said.
    if let Some(id) = given(members.string_or_number("identifier").unwrap_or_default()) {
        return Ok(Some(id));
    }
    members.string("url")
}

/// A string, or an object such as `{"@type": "Language", "alternateName": "en", "name": "English"}`.
fn text_or_name(members: &Members<'_>, name: &str) -> Result<Option<String>, DecodeError> {
    match members.value(name)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Object(node)) => {
            let text = |name: &str| node.get(name).and_then(Value::as_str).map(str::to_owned);
            Ok(text("alternateName").or_else(|| text("name")))
        }
        Some(_) => Err(invalid(name, "a string or an object")),
    }
}

fn part(members: &Members<'_>, name: &str) -> Result<Option<Part>, DecodeError> {
    let Some(value) = members.string(name)? else { return Ok(None) };
    let markup = if html::looks_like_html(&value) {
        Markup::Html
    } else if html::looks_escaped(&value) {
        Markup::Escaped
    } else {
        Markup::Text
    };
    Ok(Some(Part { field: name.to_owned(), value, markup }))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::testing::check;

    #[test]
    fn a_news_article() {
        check(
            r#"{"@context": "https://schema.org", "@type": "NewsArticle", "@id": "https://x.example/1", "version": 2,
                "headline": "Rain &amp; snow", "inLanguage": "en", "datePublished": "2024-05-14T10:00:00Z",
                "dateModified": "2024-05-14T11:00:00Z", "author": [{"@type": "Person", "name": "Ann Lee"}],
                "articleBody": "It rained.\nIt snowed.", "x": 1}"#,
            expect![[r#"
                schema_org: https://x.example/1
                version: 2
                headline: Rain & snow
                language: en
                published: 2024-05-14T10:00:00Z
                updated: 2024-05-14T11:00:00Z
                text: It rained. (articleBody 0..10)
                text: It snowed. (articleBody 11..21)
                unknown fields: 1
            "#]],
        );
    }

    #[test]
    fn bodies_are_text_until_they_look_like_something_else() {
        check(
            r#"{"@type": "Article", "url": "u", "articleBody": "a < b & c"}"#,
            expect![[r#"
            schema_org: u
            text: a < b & c (articleBody 0..9)
        "#]],
        );
        check(
            r#"{"@type": "Article", "url": "u", "articleBody": "R&amp;D it&#8217;s\n\nNext"}"#,
            expect![[r#"
                schema_org: u
                text: R&D it’s (articleBody 0..18)
                text: Next (articleBody 20..24)
            "#]],
        );
        check(
            r#"{"@type": "Article", "url": "u", "articleBody": "<p>One</p>\n<p>Two</p>"}"#,
            expect![[r#"
                schema_org: u
                text: One (articleBody 3..6)
                text: Two (articleBody 14..17)
            "#]],
        );
        check(
            r#"{"@type": "Article", "url": "u", "description": "Short", "name": "Rain"}"#,
            expect![[r#"
                schema_org: u
                headline: Rain
                text: Short (description 0..5)
                warning: description_as_text
            "#]],
        );
    }

    #[test]
    fn types() {
        check(
            r#"{"@type": ["WebPage", "schema:ReportageNewsArticle"], "url": "u", "text": "x"}"#,
            expect![[r#"
                schema_org: u
                text: x (text 0..1)
            "#]],
        );
        check(
            r#"{"@type": "https://schema.org/BlogPosting", "identifier": 7, "text": "x"}"#,
            expect![[r#"
                schema_org: 7
                text: x (text 0..1)
            "#]],
        );
        check(
            r#"{"@type": "Person", "name": "Ann Lee"}"#,
            expect![[r#"
            not_an_article: "Person" is not a text article
        "#]],
        );
        check(
            r#"{"@type": 5, "text": "x"}"#,
            expect![[r#"
                not_an_article: "@type" is not a text article
            "#]],
        );
    }

    #[test]
    fn graphs_with_one_article() {
        check(
            r#"{"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, 5,
                {"@type": "NewsArticle", "@id": "a", "articleBody": "It rained."}]}"#,
            expect![[r#"
                schema_org: a
                text: It rained. (articleBody 0..10)
            "#]],
        );
        check(
            r#"{"@graph": [{"@type": "Article"}, {"@type": "Article"}]}"#,
            expect![[r#"
            invalid_field: field "@graph" is not a graph with one article
        "#]],
        );
        check(
            r#"{"@graph": [{"@type": "WebPage"}]}"#,
            expect![[r#"
            not_an_article: "@graph" is not a text article
        "#]],
        );
        check(
            r#"{"@graph": "x"}"#,
            expect![[r#"
            invalid_field: field "@graph" is not an array
        "#]],
        );
    }

    #[test]
    fn other_shapes_of_fields() {
        check(
            r#"{"@type": "Article", "identifier": {"@type": "PropertyValue", "value": "1"}, "url": "u", "text": "x",
                "inLanguage": {"@type": "Language", "name": "English", "alternateName": "en"}}"#,
            expect![[r#"
                schema_org: u
                language: en
                text: x (text 0..1)
            "#]],
        );
        check(
            r#"{"@type": "Article", "@id": "a", "creativeWorkStatus": "Withdrawn"}"#,
            expect![[r#"
                retraction: canceled
                id: a
            "#]],
        );
        check(
            r#"{"@type": "Article", "@id": "a", "articleBody": ["x"]}"#,
            expect![[r#"
            invalid_field: field "articleBody" is not a string
        "#]],
        );
    }

    #[test]
    fn known_names_are_sorted() {
        assert!(super::KNOWN.is_sorted());
        assert!(super::ARTICLE_TYPES.is_sorted());
    }
}
