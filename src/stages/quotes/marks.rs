//! Quotation marks paired into quotations.
//!
//! In: a text and its paragraphs. Out: the outermost quotations in text order, none of which overlap and none of which
//! leaves its paragraph. Straight, curly, low-high and angle marks, doubled single marks, and single marks told from
//! apostrophes; a wrong closing mark closes where nothing else can. Linear in the text.

use crate::article::Span;
use crate::text::Paragraph;

/// Deepest nesting that is followed; marks below it belong to what is around them.
const DEPTH_MAX: usize = 8;

/// Words between marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quotation {
    /// From the opening to the closing mark inclusive; to the paragraph's end when that is missing.
    pub(super) span: Span,
    /// What stands between the marks.
    pub(super) inner: Span,
    pub(super) paragraph: usize,
    pub(super) is_closed: bool,
}

/// Finds the outermost quotations of a text.
pub(super) fn find(text: &str, paragraphs: &[Paragraph]) -> Vec<Quotation> {
    let mut found = Vec::new();
    let mut marks = Vec::new();
    for (index, paragraph) in paragraphs.iter().enumerate() {
        marks.clear();
        scan(text, paragraph.span, &mut marks);
        if marks.is_empty() {
            continue;
        }
        let first = found.len();
        pair_double(&marks, paragraph.span, index, &mut found);
        pair_single(text, &marks, first, index, &mut found);
    }
    found
}

/// One quotation mark with what its surroundings allow.
#[derive(Debug, Clone, Copy)]
struct Mark {
    span: Span,
    kind: Kind,
    /// Which way the character itself points.
    points: Points,
    opens: bool,
    closes: bool,
    /// The characters before and after the run of marks that this one stands in; a space at the paragraph's edges.
    left: char,
    right: char,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Double,
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Points {
    Open,
    Close,
    Neither,
}

fn kind_of(c: char) -> Option<(Kind, Points)> {
    Some(match c {
        '"' | '＂' => (Kind::Double, Points::Neither),
        '“' | '„' | '‟' | '«' => (Kind::Double, Points::Open),
        '”' | '»' => (Kind::Double, Points::Close),
        '\'' => (Kind::Single, Points::Neither),
        '‘' | '‚' | '‛' | '‹' | '`' => (Kind::Single, Points::Open),
        '’' | '›' => (Kind::Single, Points::Close),
        _ => return None,
    })
}

/// Collects the marks of a paragraph. Marks that touch share their surroundings: in `"'Go!'"` all four are at an edge.
fn scan(text: &str, paragraph: Span, marks: &mut Vec<Mark>) {
    let body = paragraph.of(text);
    let mut chars = body.char_indices().peekable();
    let mut left = ' ';
    while let Some((at, c)) = chars.next() {
        let Some((kind, points)) = kind_of(c) else {
            left = c;
            continue;
        };
        let first = marks.len();
        push(marks, paragraph.start + at, c, kind, points);
        while let Some(&(at, c)) = chars.peek()
            && let Some((kind, points)) = kind_of(c)
        {
            push(marks, paragraph.start + at, c, kind, points);
            chars.next();
        }
        let right = chars.peek().map_or(' ', |&(_, c)| c);
        let next = chars.clone().nth(1).map_or(' ', |(_, c)| c);
        let is_edge_left = left.is_whitespace()
            || matches!(left, '(' | '[' | '{' | '—' | '–' | '-' | '/' | '…' | ':' | ',' | '>');
        let starts_word = !right.is_whitespace()
            && (!is_closing_punctuation(right) || right == '.' && next == '.');
        let is_edge_right = right.is_whitespace()
            || is_closing_punctuation(right)
            || matches!(right, '—' | '–' | '-' | '/' | '(' | '[' | '…' | '<');
        let ends_word = !left.is_whitespace() && !matches!(left, '(' | '[' | '{');
        for mark in &mut marks[first..] {
            (mark.left, mark.right) = (left, right);
            mark.opens = is_edge_left && starts_word;
            mark.closes = ends_word && is_edge_right;
            if left.is_whitespace() && right.is_whitespace() {
                // « Bonjour », and straight marks set apart by mistake.
                mark.opens = mark.points != Points::Close && mark.kind == Kind::Double;
                mark.closes = mark.points != Points::Open && mark.kind == Kind::Double;
            } else if !mark.opens && !mark.closes && mark.kind == Kind::Double {
                // "One.""Two.": no space between; the character or, for straight marks, the order decides.
                mark.opens = mark.points == Points::Open
                    || mark.points == Points::Neither && !left.is_alphanumeric();
                mark.closes = mark.points == Points::Close
                    || mark.points == Points::Neither && is_closing_punctuation(left);
            }
        }
        left = marks[marks.len() - 1].left;
    }
}

/// Appends a mark; two straight single marks, or two backquotes, that touch are one double mark.
fn push(marks: &mut Vec<Mark>, at: usize, c: char, kind: Kind, points: Points) {
    let span = Span::new(at, at + c.len_utf8());
    if let Some(last) = marks.last_mut()
        && last.span.end == at
        && last.span.len() == 1
        && kind == Kind::Single
        && last.kind == Kind::Single
        && last.points == points
    {
        last.kind = Kind::Double;
        last.span.end = span.end;
        return;
    }
    marks.push(Mark { span, kind, points, opens: false, closes: false, left: ' ', right: ' ' });
}

fn is_closing_punctuation(c: char) -> bool {
    matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | ')' | ']' | '}')
}

/// Pairs double marks. What is open at the end either runs to the paragraph's end or, when quotations closed inside it,
/// was a stray mark.
fn pair_double(marks: &[Mark], paragraph: Span, index: usize, found: &mut Vec<Quotation>) {
    let first = found.len();
    let mut open: Vec<Mark> = Vec::new();
    // Where in `found` the quotations inside the outermost open mark begin.
    let mut inside = first;
    let doubles: Vec<&Mark> = marks.iter().filter(|mark| mark.kind == Kind::Double).collect();
    for (at, mark) in doubles.iter().enumerate() {
        let next = doubles.get(at + 1);
        let prefers_open = mark.opens && mark.points == Points::Open;
        if !open.is_empty() && mark.closes && !prefers_open {
            let is_inch = mark.points == Points::Neither
                && mark.left.is_ascii_digit()
                && next.is_some_and(|next| next.closes && !next.opens);
            if is_inch {
                continue;
            }
            let opening = open.pop().expect("checked not to be empty");
            if open.is_empty() {
                found.truncate(inside);
            }
            found.push(quotation(opening, mark.span, index, true));
            if open.is_empty() {
                inside = found.len();
            }
        } else if mark.opens {
            let is_repeat = open.last().is_some_and(|last| {
                last.points == Points::Neither && mark.points == Points::Neither
            });
            if is_repeat {
                // Straight marks do not nest: the one before was never closed.
                open.pop();
            }
            if open.is_empty() {
                inside = found.len();
            }
            if open.len() < DEPTH_MAX {
                open.push(**mark);
            }
        }
    }
    if let Some(&outermost) = open.first()
        && found.len() == inside
        && outermost.span.end < paragraph.end
    {
        let end = Span::new(paragraph.end, paragraph.end);
        found.push(quotation(outermost, end, index, false));
    }
    let mut kept = first;
    for at in first..found.len() {
        // Quotations inside a stray mark were pushed innermost first: only the outermost of them stay.
        let candidate = found[at];
        while kept > first && candidate.span.contains(found[kept - 1].span) {
            kept -= 1;
        }
        found[kept] = candidate;
        kept += 1;
    }
    found.truncate(kept);
}

/// Pairs single marks outside the quotations found from `first` on; one that closes around them takes their place.
fn pair_single(text: &str, marks: &[Mark], first: usize, index: usize, found: &mut Vec<Quotation>) {
    let doubles = found.split_off(first);
    let mut merged: Vec<Quotation> = Vec::with_capacity(doubles.len());
    let mut next_double = doubles.iter().peekable();
    let singles: Vec<&Mark> = marks.iter().filter(|mark| mark.kind == Kind::Single).collect();
    let mut open: Option<(Mark, usize)> = None;
    for (at, mark) in singles.iter().enumerate() {
        while let Some(double) = next_double.next_if(|double| double.span.end <= mark.span.start) {
            merged.push(*double);
        }
        if next_double.peek().is_some_and(|double| double.span.start <= mark.span.start) {
            continue;
        }
        match open {
            Some((opening, inside)) if mark.closes && mark.points != Points::Open => {
                let ends_sentence = is_closing_punctuation(mark.left);
                let later_end = || {
                    singles
                        .get(at + 1)
                        .is_some_and(|next| next.closes && is_closing_punctuation(next.left))
                };
                let is_plural_possessive =
                    matches!(mark.left, 's' | 'S') && mark.right == ' ' && later_end();
                if is_plural_possessive || merged.len() > inside && !ends_sentence {
                    continue;
                }
                merged.truncate(inside);
                merged.push(quotation(opening, mark.span, index, true));
                open = None;
            }
            _ if mark.opens && mark.points != Points::Close && !is_elision(text, mark) => {
                open = Some((*(*mark), merged.len()));
            }
            _ => {}
        }
    }
    merged.extend(next_double);
    found.extend(merged);
}

/// `'90s`, `'tis`, `rock 'n' roll`: an apostrophe that begins a word.
fn is_elision(text: &str, mark: &Mark) -> bool {
    const ELIDED: &[&str] = &["tis", "twas", "em", "cause", "til", "till", "n", "round", "bout"];
    if mark.points == Points::Open {
        return false;
    }
    let rest = text.get(mark.span.end..).unwrap_or_default();
    let word_len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len().min(32));
    let word = rest.get(..word_len).unwrap_or_default();
    word.len() <= 8
        && (word.starts_with(|c: char| c.is_ascii_digit())
            || ELIDED.contains(&word.to_lowercase().as_str()))
}

fn quotation(opening: Mark, closing: Span, paragraph: usize, is_closed: bool) -> Quotation {
    Quotation {
        span: Span::new(opening.span.start, closing.end),
        inner: Span::new(opening.span.end, closing.start),
        paragraph,
        is_closed,
    }
}
