//! The article's text with what was found marked in it.
//!
//! In: a text with its mentions and quotes. Out: lines in which names carry their type's colour and quotes are
//! underlined, with the speaker after them; without colours `[PERSON Ada Lovelace]` and `{… ← Ada Lovelace (direct)}`.

use anstyle::Style;

use super::look::{Look, harmless};
use super::wrap::Paragraph;
use crate::enriched::view::{Enriched, Quote};
use crate::text::offsets::UnitTable;

/// A mention, or a part of a quote, in code points.
struct Mark<'a> {
    start: usize,
    end: usize,
    what: What<'a>,
}

enum What<'a> {
    Entity(&'a str),
    /// The note after it; `None` when the quote goes on in a later paragraph.
    Quote(Option<String>),
}

/// The headline's lines.
pub(super) fn headline(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let headline = article.headline.as_deref().unwrap_or_default();
    let marks = mentions(article, true);
    Marked { look, width, base: look.title() }.lines(headline, &marks)
}

/// The body's lines, an empty one between paragraphs.
pub(super) fn body(article: &Enriched, look: Look, width: usize) -> Vec<String> {
    let mut marks = mentions(article, false);
    for (quote, speaker) in article.quotes.iter().zip(article.speakers()) {
        let parts = quote.parts();
        let n_parts = parts.len();
        marks.extend(parts.into_iter().enumerate().map(|(index, (start, end))| {
            let note = (index + 1 == n_parts).then(|| note(quote, speaker));
            Mark { start, end, what: What::Quote(note) }
        }));
    }
    Marked { look, width, base: Style::new() }.lines(&article.text, &marks)
}

fn mentions(article: &Enriched, in_headline: bool) -> Vec<Mark<'_>> {
    let mut marks = Vec::new();
    for entity in &article.entities {
        let here = entity.mentions.iter().filter(|span| span.is_in_headline() == in_headline);
        marks.extend(here.map(|span| Mark {
            start: span.start,
            end: span.end,
            what: What::Entity(&entity.kind),
        }));
    }
    marks
}

fn note(quote: &Quote, speaker: Option<&str>) -> String {
    let speaker = match (speaker, &quote.unattributed) {
        (Some(name), _) => harmless(name),
        (None, Some(reason)) => format!("nobody named: {}", reason.replace('_', " ")),
        (None, None) => "nobody named".to_owned(),
    };
    format!("← {speaker} ({})", quote.kind)
}

struct Marked {
    look: Look,
    width: usize,
    /// Of text that is not marked.
    base: Style,
}

impl Marked {
    fn lines(&self, text: &str, marks: &[Mark<'_>]) -> Vec<String> {
        let n_code_points = text.chars().count();
        let mut cuts: Vec<usize> = marks.iter().flat_map(|mark| [mark.start, mark.end]).collect();
        cuts.extend([0, n_code_points]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut opening: Vec<&Mark<'_>> = marks.iter().collect();
        // At one place a quote opens before the name that it begins with.
        opening.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
        let mut opening = opening.into_iter().peekable();
        let table = UnitTable::code_points(text);
        let mut pen = Pen::new(self);
        for cut in cuts.windows(2) {
            let &[start, end] = cut else { continue };
            pen.close_at(start);
            while let Some(mark) = opening.next_if(|mark| mark.start <= start) {
                pen.open(mark);
            }
            pen.write(table.slice(text, start, end).unwrap_or_default());
        }
        pen.close_at(n_code_points);
        pen.finish()
    }
}

/// Writes pieces of text in the style of what is open around them.
struct Pen<'a> {
    page: &'a Marked,
    paragraph: Paragraph,
    lines: Vec<String>,
    /// Innermost last; at most one entity and one quote.
    open: Vec<&'a Mark<'a>>,
}

impl<'a> Pen<'a> {
    fn new(page: &'a Marked) -> Self {
        let paragraph = Paragraph::new(page.width);
        Self { page, paragraph, lines: Vec::new(), open: Vec::new() }
    }

    fn open(&mut self, mark: &'a Mark<'a>) {
        self.open.push(mark);
        if self.page.look == Look::Plain {
            let bracket = match &mark.what {
                What::Entity(kind) => format!("[{kind} "),
                What::Quote(_) => "{".to_owned(),
            };
            self.paragraph.push(Style::new(), &bracket);
        }
    }

    fn close_at(&mut self, position: usize) {
        while let Some(index) = self.open.iter().rposition(|mark| mark.end <= position) {
            let mark = self.open.remove(index);
            let is_plain = self.page.look == Look::Plain;
            match &mark.what {
                What::Entity(_) if is_plain => self.paragraph.push(Style::new(), "]"),
                What::Entity(_) => {}
                What::Quote(note) => {
                    let bracket = if is_plain { "}" } else { "" };
                    let note = format!("{}{bracket}", note.as_deref().unwrap_or("…"));
                    self.paragraph.push(Style::new(), " ");
                    self.paragraph.push_unbroken(self.page.look.dim(), &note);
                }
            }
        }
    }

    fn write(&mut self, text: &str) {
        let style = self.style();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.end_paragraph();
            }
            self.paragraph.push(style, &harmless(line));
        }
    }

    fn style(&self) -> Style {
        let look = self.page.look;
        let mut style = self.page.base;
        for mark in &self.open {
            if let What::Entity(kind) = mark.what {
                style = look.entity(kind);
            }
        }
        let is_quoted = self.open.iter().any(|mark| matches!(mark.what, What::Quote(_)));
        if is_quoted { look.quoted(style) } else { style }
    }

    fn end_paragraph(&mut self) {
        let width = self.page.width;
        let paragraph = std::mem::replace(&mut self.paragraph, Paragraph::new(width));
        let lines = paragraph.lines();
        if lines.is_empty() || lines.iter().all(String::is_empty) {
            return;
        }
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.lines.extend(lines);
    }

    fn finish(mut self) -> Vec<String> {
        self.end_paragraph();
        self.lines
    }
}
