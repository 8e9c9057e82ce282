//! HTML bodies to text.
//!
//! In: the string of a body field. Out: its text as a reader sees it, with the way back to the string's bytes.
//! Paragraphs are lines, and there are no blank lines. One pass by html5gum's tokenizer (character references as the
//! WHATWG standard has them, Windows-1252 numbers included), without a tree: neither depth nor breadth costs more than
//! its bytes.
//!
//! What becomes of the elements:
//! - Blocks (paragraphs, headings, list items, table cells and rows …), `br` and `hr` end a line. A table cell is a
//!   line of its own, so that names in neighbouring cells do not run together.
//! - Inline elements leave no trace: `<b>Mr.</b>Lee` is one run of letters. `q` gets the marks that a browser shows.
//! - White space collapses as in a browser; in `pre` a line feed ends a line. No-break spaces stay, except at the
//!   edges of a line, where they are layout.
//! - Left out, with what is in them: scripts, styles, templates, the document's head, frames and media with their
//!   fallbacks, controls, navigation, and figures: a caption describes a picture and would interrupt the text around
//!   it, a pull quote would be quoted twice. An element that is never closed is not left out.

use std::collections::BTreeMap;
use std::convert::Infallible;

use html5gum::{Emitter, Error, State, Tokenizer};

use crate::text::offsets::OffsetMap;

/// How a string is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// What it says is what is meant.
    Text,
    /// The same, from a file: a byte order mark at the start is the file's and not the text's.
    TextFile,
    /// Character references and perhaps inline tags, but lines are paragraphs.
    Escaped,
    Html,
}

/// The text of `source`, and where each byte of it came from.
pub(super) fn to_text(source: String, markup: Markup) -> (String, OffsetMap) {
    if markup == Markup::Text || markup == Markup::TextFile {
        return as_it_stands(source, markup);
    }
    let mut page = Page {
        source: &source,
        position: 0,
        end_of_last: 0,
        copied: None,
        tag: Tag::default(),
        last_start_tag: Vec::new(),
        skipped: None,
        last_end_tags: BTreeMap::new(),
        pre_depth: usize::from(markup == Markup::Escaped),
        lines: Lines::default(),
    };
    let tokenizer = Tokenizer::new_with_emitter(source.as_str(), &mut page);
    let Ok(()) = tokenizer.finish();
    (page.lines.text, page.lines.map)
}

fn as_it_stands(mut source: String, markup: Markup) -> (String, OffsetMap) {
    let has_mark = markup == Markup::TextFile && source.starts_with(BYTE_ORDER_MARK);
    let start = if has_mark { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    source.drain(..start);
    let mut map = OffsetMap::default();
    map.push(0, source.len(), start, source.len());
    (source, map)
}

pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whether a field that may hold either is HTML: a tag that lays out text stands in it.
pub(super) fn looks_like_html(text: &str) -> bool {
    const LAYOUT: &[&str] = &["</p>", "<p>", "<br>", "<br/>", "<br />", "</div>", "</li>", "</h2>"];
    memchr::memchr_iter(b'<', text.as_bytes()).any(|at| {
        let rest = &text.as_bytes()[at..];
        LAYOUT.iter().any(|tag| {
            rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
        })
    })
}

/// Whether a text is escaped for HTML: a character reference that nobody writes on purpose stands in it.
pub(super) fn looks_escaped(text: &str) -> bool {
    const REFERENCES: &[&str] = &[
        "#", "amp;", "apos;", "gt;", "hellip;", "ldquo;", "lsquo;", "lt;", "mdash;", "nbsp;",
        "ndash;", "quot;", "rdquo;", "rsquo;",
    ];
    memchr::memchr_iter(b'&', text.as_bytes()).any(|at| {
        let rest = &text.as_bytes()[at + 1..];
        REFERENCES.iter().any(|reference| rest.starts_with(reference.as_bytes()))
            && rest.iter().take(10).any(|&byte| byte == b';')
    })
}

/// Elements that are left out with what is in them.
const SKIPPED: &[&str] = &[
    "audio",
    "button",
    "canvas",
    "datalist",
    "figcaption",
    "figure",
    "head",
    "iframe",
    "nav",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
];

/// Those of them whose content is not markup: the tokenizer reads on to their end tag.
const RAW: &[&str] =
    &["iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title"];

/// Elements that begin and end a line, those of NITF (`block`, `hl1`, `hl2`, `hedline`) among them.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "block",
    "blockquote",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hedline",
    "hgroup",
    "hl1",
    "hl2",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

fn is_in(names: &[&str], name: &[u8]) -> bool {
    names.binary_search_by(|candidate| candidate.as_bytes().cmp(name)).is_ok()
}

/// What the tokenizer reports to.
#[derive(Debug)]
struct Page<'s> {
    source: &'s str,
    /// How far the tokenizer has read.
    position: usize,
    /// Where the last thing ended that was text or markup.
    end_of_last: usize,
    /// Source bytes that are text as they stand and have not been passed on yet: chunks may end inside a character.
    copied: Option<(usize, usize)>,
    tag: Tag,
    last_start_tag: Vec<u8>,
    skipped: Option<Skipped>,
    last_end_tags: BTreeMap<Vec<u8>, Option<usize>>,
    pre_depth: usize,
    lines: Lines,
}

#[derive(Debug, Default)]
struct Tag {
    start: usize,
    name: Vec<u8>,
    is_end: bool,
    is_self_closing: bool,
}

/// An element that is being left out, and how deep it nests in itself.
#[derive(Debug)]
struct Skipped {
    name: Vec<u8>,
    depth: usize,
}

impl Page<'_> {
    fn pass_on_copied(&mut self) {
        if let Some((start, end)) = self.copied.take() {
            let text = self.source.get(start..end).expect("text ends at a tag or a reference");
            self.lines.push(text, (start, end), self.pre_depth > 0);
        }
    }

    fn start_tag(&mut self) -> Option<State> {
        let name = std::mem::take(&mut self.tag.name);
        let range = (self.tag.start, self.position);
        // XHTML closes a script or a frame this way; HTML that meant it otherwise would not show.
        let opens = !self.tag.is_self_closing;
        let is_raw = opens && is_in(RAW, &name);
        if let Some(skipped) = &mut self.skipped {
            skipped.depth += usize::from(opens && skipped.name == name);
        } else if is_in(SKIPPED, &name) {
            self.lines.end_line(range);
            if opens && (is_raw || self.closes_later(&name)) {
                self.skipped = Some(Skipped { name: name.clone(), depth: 1 });
            }
        } else if is_in(BLOCKS, &name) {
            self.lines.end_line(range);
            self.pre_depth += usize::from(opens && name == b"pre");
        } else if name == b"q" && opens {
            self.lines.push("“", range, false);
        }
        let state = is_raw.then_some(match name.as_slice() {
            b"script" => State::ScriptData,
            b"textarea" | b"title" => State::RcData,
            _ => State::RawText,
        });
        self.last_start_tag = name;
        state
    }

    fn end_tag(&mut self) {
        let range = (self.tag.start, self.position);
        let name = self.tag.name.as_slice();
        if let Some(skipped) = &mut self.skipped {
            skipped.depth -= usize::from(skipped.name == name);
            if skipped.depth == 0 {
                self.skipped = None;
            }
        } else if is_in(BLOCKS, name) {
            self.lines.end_line(range);
            if name == b"pre" {
                self.pre_depth = self.pre_depth.saturating_sub(1);
            }
        } else if name == b"q" {
            self.lines.push("”", range, false);
        }
    }

    /// Whether an end tag of this name stands further on. Where the last one stands is looked for once a name.
    fn closes_later(&mut self, name: &[u8]) -> bool {
        let source = self.source.as_bytes();
        let last = self.last_end_tags.entry(name.to_owned()).or_insert_with(|| {
            let end_tags = memchr::memmem::find_iter(source, b"</").filter(|at| {
                let candidate = source.get(at + 2..at + 2 + name.len());
                candidate.is_some_and(|candidate| candidate.eq_ignore_ascii_case(name))
            });
            end_tags.last()
        });
        last.is_some_and(|last| last >= self.position)
    }
}

impl Emitter for &mut Page<'_> {
    type Token = Infallible;

    fn move_position(&mut self, offset: isize) {
        self.position = self.position.saturating_add_signed(offset);
    }

    fn emit_string(&mut self, chunk: &[u8]) {
        let (from, end) = (self.end_of_last, self.position);
        self.end_of_last = end;
        if chunk.is_empty() || self.skipped.is_some() {
            return;
        }
        let start = end.saturating_sub(chunk.len());
        let source = self.source.as_bytes();
        let as_it_stands = start == from || source.get(from) != Some(&b'&');
        if as_it_stands && source.get(start..end).is_some_and(|bytes| is_read_as(bytes, chunk)) {
            match &mut self.copied {
                Some(copied) if copied.1 == start => copied.1 = end,
                _ => {
                    self.pass_on_copied();
                    self.copied = Some((start, end));
                }
            }
        } else {
            self.pass_on_copied();
            let text = std::str::from_utf8(chunk).expect("a reference stands for whole characters");
            self.lines.push(text, (from, end), self.pre_depth > 0);
        }
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.pass_on_copied();
        self.end_of_last = self.position;
        if self.tag.is_end {
            self.end_tag();
            None
        } else {
            self.start_tag()
        }
    }

    fn emit_eof(&mut self) {
        self.pass_on_copied();
    }

    fn emit_current_comment(&mut self) {
        self.end_of_last = self.position;
    }

    fn emit_current_doctype(&mut self) {
        self.end_of_last = self.position;
    }

    fn start_open_tag(&mut self) {
        self.tag.start = self.position.saturating_sub(1);
    }

    fn init_start_tag(&mut self) {
        self.tag = Tag { start: self.tag.start, ..Tag::default() };
    }

    fn init_end_tag(&mut self) {
        self.tag = Tag { start: self.tag.start, is_end: true, ..Tag::default() };
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        self.tag.name.extend_from_slice(name);
    }

    fn set_self_closing(&mut self) {
        self.tag.is_self_closing = true;
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.is_end && !self.tag.name.is_empty() && self.tag.name == self.last_start_tag
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }

    // Attributes, comments, doctypes and errors say nothing about the text.
    fn set_last_start_tag(&mut self, _name: Option<&[u8]>) {}
    fn emit_error(&mut self, _error: Error) {}
    fn init_comment(&mut self) {}
    fn push_comment(&mut self, _text: &[u8]) {}
    fn init_doctype(&mut self) {}
    fn push_doctype_name(&mut self, _name: &[u8]) {}
    fn set_doctype_public_identifier(&mut self, _value: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _value: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _value: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _value: &[u8]) {}
    fn set_force_quirks(&mut self) {}
    fn init_attribute(&mut self) {}
    fn push_attribute_name(&mut self, _name: &[u8]) {}
    fn push_attribute_value(&mut self, _value: &[u8]) {}
}

/// Whether the tokenizer reads `bytes` as `chunk`: it turns a carriage return into a line feed.
fn is_read_as(bytes: &[u8], chunk: &[u8]) -> bool {
    bytes == chunk || bytes == b"\r" && chunk == b"\n"
}

/// The text so far: lines without white space at their edges.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    map: OffsetMap,
    /// White space since the last visible character of this line.
    gaps: Vec<Gap>,
    /// The line has ended: where the first and the last thing that ended it stand.
    ended: Option<(usize, usize)>,
}

#[derive(Debug)]
struct Gap {
    is_no_break: bool,
    start: usize,
    end: usize,
}

impl Lines {
    /// Adds `text`, which `source` says: byte for byte when the lengths are equal, as a whole otherwise.
    fn push(&mut self, text: &str, source: (usize, usize), lines_matter: bool) {
        let copied = text.len() == source.1 - source.0;
        let range = |at: usize, len: usize| {
            if copied { (source.0 + at, source.0 + at + len) } else { source }
        };
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let visible = rest.split(is_gap).next().unwrap_or_default();
            if !visible.is_empty() {
                self.push_visible(visible, range(at, visible.len()));
                at += visible.len();
            } else if let Some(gap) = rest.chars().next() {
                self.push_gap(gap, range(at, gap.len_utf8()), lines_matter);
                at += gap.len_utf8();
            }
        }
    }

    fn push_gap(&mut self, gap: char, (start, end): (usize, usize), lines_matter: bool) {
        if lines_matter && matches!(gap, '\n' | '\r') {
            return self.end_line((start, end));
        }
        let is_no_break = gap == NO_BREAK_SPACE;
        match self.gaps.last_mut() {
            Some(last) if !last.is_no_break && !is_no_break => last.end = end,
            _ => self.gaps.push(Gap { is_no_break, start, end }),
        }
    }

    fn push_visible(&mut self, text: &str, (start, end): (usize, usize)) {
        if self.text.is_empty() {
            self.gaps.clear();
        } else if let Some((start, end)) = self.ended.take() {
            self.gaps.clear();
            self.push_mapped("\n", (start, end));
        }
        for gap in std::mem::take(&mut self.gaps) {
            let space = if gap.is_no_break { "\u{a0}" } else { " " };
            self.push_mapped(space, (gap.start, gap.end));
        }
        self.push_mapped(text, (start, end));
    }

    fn push_mapped(&mut self, text: &str, (start, end): (usize, usize)) {
        self.map.push(self.text.len(), text.len(), start, end - start);
        self.text.push_str(text);
    }

    fn end_line(&mut self, (start, end): (usize, usize)) {
        self.gaps.clear();
        if !self.text.is_empty() {
            self.ended = Some((self.ended.map_or(start, |ended| ended.0), end));
        }
    }
}

const NO_BREAK_SPACE: char = '\u{a0}';

/// What HTML counts as white space, and the no-break space.
fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}' | NO_BREAK_SPACE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(to_text(html.to_owned(), Markup::Html).0, expected);
    }

    #[test]
    fn blocks_are_lines() {
        check("<p>One.</p><p>Two.</p>", "One.\nTwo.");
        check("<p>One.<p>Two.", "One.\nTwo.");
        check("One.<br>Two.<br/><br />Three.", "One.\nTwo.\nThree.");
        check("<h2>Head</h2> <div><div>In</div></div> out", "Head\nIn\nout");
        check("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "a\nb\nc");
        check("<table><tr><td>Ann Lee</td><td>Paris</td></tr></table>", "Ann Lee\nParis");
        check("<block><hl1>Head</hl1><p>Text</p></block>", "Head\nText");
        check("<P>UPPER</P>case", "UPPER\ncase");
        check("  <p> </p>\n", "");
    }

    #[test]
    fn white_space_collapses() {
        check("a \t\r\n b", "a b");
        check("a <b> b </b> c", "a b c");
        check("<b>Mr.</b>Lee <i>said</i>.", "Mr.Lee said.");
        check("<p>&nbsp;</p><p>&nbsp; a&nbsp;&nbsp;b &nbsp;</p>", "a\u{a0}\u{a0}b");
        check("a &nbsp; b", "a \u{a0} b");
        check("a&#32;&#10; b", "a b");
        check("<pre>one\n  two\r\nthree</pre>four\nfive", "one\ntwo\nthree\nfour five");
        check(
            "soft&shy;hyphen, zero&#8203;width, wide&emsp;space",
            "soft\u{ad}hyphen, zero\u{200b}width, wide\u{2003}space",
        );
    }

    #[test]
    fn references_are_characters() {
        check("AT&amp;T &lt;b&gt; &eacute;&ccedil; &hellip;", "AT&T <b> éç …");
        check("&ldquo;Go&rdquo; &#8220;go&#x201d; &#147;go&#148;", "“Go” “go” “go”");
        check("AT&T R&D &unknown; &; & &# &#x; &#xZ;", "AT&T R&D &unknown; &; & &# &#x; &#xZ;");
        check("&copy 2024 &notit; &amp", "© 2024 ¬it; &");
        check("&#0; &#xD800; &#x110000; &#99999999999;", "\u{fffd} \u{fffd} \u{fffd} \u{fffd}");
        check("é&é &é", "é&é &é");
        check("&semi; &amp;amp;", "; &amp;");
    }

    #[test]
    fn what_is_not_text_is_left_out() {
        check("a<script>if (a < b) { '</p>' }</script>b", "a\nb");
        check("a<style>p { color: red }</style>b", "a\nb");
        check("a<!-- b --><!DOCTYPE html><?xml version='1.0'?>c", "ac");
        check("<head><title>T</title><meta x=1></head><body>a</body>", "a");
        check("a<figure><img><figcaption>c</figcaption></figure>b", "a\nb");
        check("a<figure><figure>x</figure>y</figure>b", "a\nb");
        check("a<iframe src=x></iframe>b<video><p>old browser</p></video>c", "a\nb\nc");
        check("<noscript><img></noscript>a", "a");
        check("a<svg><text>x</text></svg>b", "a\nb");
    }

    #[test]
    fn broken_markup_loses_no_text() {
        check("a<figure>b<p>c", "a\nb\nc");
        check("a<iframe/>b<script src=x />c", "a\nb\nc");
        check("a</>b</figure>c</script>d", "abcd");
        check("a < b <3 <", "a < b <3 <");
        check("a<b", "a");
        check("a<p title=\"x>y\">b", "a\nb");
        check("<head>a<body>b", "a\nb");
        check("a<script>never closed", "a");
    }

    #[test]
    fn element_names_are_sorted() {
        assert!([SKIPPED, RAW, BLOCKS].iter().all(|names| names.is_sorted()));
        assert!(RAW.iter().all(|name| SKIPPED.contains(name)));
    }

    #[test]
    fn quotation_elements_get_their_marks() {
        check("She said <q>go</q>.", "She said “go”.");
    }

    #[test]
    fn escaped_text_keeps_its_lines() {
        let text = to_text("One &amp; two\n\nThree &lt;3".to_owned(), Markup::Escaped).0;
        assert_eq!(text, "One & two\nThree <3");
    }

    #[test]
    fn fields_that_may_be_html_are_told_apart() {
        assert!(looks_like_html("First.<BR>Second."));
        assert!(!looks_like_html("a < b, <3, I <b>mean</b> it"));
        assert!(looks_escaped("AT&amp;T"));
        assert!(looks_escaped("it&#8217;s"));
        assert!(!looks_escaped("AT&T; R&D"));
        assert!(!looks_escaped("&# and so on; perhaps"));
    }

    #[track_caller]
    fn check_map(html: &str, target: &str, expected: &str) {
        let (text, map) = to_text(html.to_owned(), Markup::Html);
        let start = text.find(target).unwrap();
        let (from, to) = map.source_range(start, start + target.len()).unwrap();
        assert_eq!(html.get(from..to), Some(expected));
    }

    #[test]
    fn text_maps_back_to_the_source() {
        let html = "<p>&ldquo;Go,&rdquo;\n  <b>Zoë</b> &amp; I</p><script>x</script><p>End</p>";
        assert_eq!(to_text(html.to_owned(), Markup::Html).0, "“Go,” Zoë & I\nEnd");
        check_map(html, "“Go,”", "&ldquo;Go,&rdquo;");
        check_map(html, "Go", "Go");
        check_map(html, "Zoë", "Zoë");
        check_map(html, "Zoë & I", "Zoë</b> &amp; I");
        check_map(html, "End", "End");
        check_map(html, "\n", "</p><script>x</script><p>");
        check_map("a\r\nb", "b", "b");
        check_map("a</>b &semi; c", ";", "&semi;");
    }

    fn check_properties(html: &str) {
        for markup in [Markup::Html, Markup::Escaped] {
            let (text, map) = to_text(html.to_owned(), markup);
            let mut last = 0;
            for (at, c) in text.char_indices() {
                let (from, to) =
                    map.source_range(at, at + c.len_utf8()).expect("every character has a source");
                assert!(
                    last <= from && from < to && to <= html.len(),
                    "{from}..{to} after {last} in {html:?}"
                );
                last = from;
                // Markup may be as long as what it stands for: `&#0` and U+FFFD, `<q>` and its mark.
                let first = char::from(html.as_bytes()[from]);
                let is_markup = matches!(first, '&' | '<') && c != first;
                if to - from == c.len_utf8() && !is_gap(c) && !is_markup {
                    assert_eq!(html.get(from..to), text.get(at..at + c.len_utf8()), "{html:?}");
                }
            }
            assert!(
                text.is_empty()
                    || text
                        .split('\n')
                        .all(|line| !line.is_empty() && line.trim_matches(is_gap) == line)
            );
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "<p>",
            "</p>",
            "<br/>",
            "<figure>",
            "</figure>",
            "<script>",
            "</script>",
            "<pre>",
            "</pre>",
            "<b>",
            "</",
            "<",
            ">",
            "/>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "&",
            "&amp;",
            "&#147;",
            "&#x",
            "&nbsp;",
            ";",
            "a",
            "é",
            "😀",
            "\u{a0}",
            " ",
            "\n",
            "\r",
            "\r\n",
            "\0",
            "=",
            "\"",
            "'",
            "<title>",
            "</title>",
            "<a b=c",
            "\u{feff}",
            "&not",
            "&semi;",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_markup_has_text_and_a_way_back(html in pieces()) {
            check_properties(&html);
        }

        #[test]
        fn any_characters_have_text_and_a_way_back(html in "\\PC{0,80}") {
            check_properties(&html);
        }
    }

    #[test]
    fn monstrous_markup_takes_linear_time() {
        let n = 200_000;
        for monster in [
            "<figure>",
            "<div>",
            "<",
            "</",
            "<!--",
            "&",
            "&#",
            "&nbsp;",
            "<a b=",
            "<p title='",
            "<svg><figure>",
            "</p>",
            "<script>",
        ] {
            to_text(monster.repeat(n), Markup::Html);
        }
    }
}
