//! Styled text to lines of a given width.
//!
//! In: runs of text, each with its style. Out: lines of at most `width` columns, wide characters counted as two;
//! a word that is longer than a line is cut between grapheme clusters.

use anstyle::Style;
use textwrap::core::{Fragment, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_segmentation::UnicodeSegmentation as _;

use super::look::paint;

/// Collects one paragraph.
#[derive(Debug)]
pub(super) struct Paragraph {
    width: usize,
    words: Vec<Word>,
    open: Word,
}

/// What stands between two spaces.
#[derive(Debug, Default)]
struct Word {
    runs: Vec<(Style, String)>,
    /// Style of the space after it; `None` where a long word was cut.
    space: Option<Style>,
}

impl Word {
    fn push(&mut self, style: Style, text: &str) {
        match self.runs.last_mut() {
            Some((last, run)) if *last == style => run.push_str(text),
            _ => self.runs.push((style, text.to_owned())),
        }
    }
}

impl Fragment for Word {
    #[expect(clippy::cast_precision_loss, reason = "columns of one word are few")]
    fn width(&self) -> f64 {
        self.runs.iter().map(|(_, run)| display_width(run)).sum::<usize>() as f64
    }

    fn whitespace_width(&self) -> f64 {
        if self.space.is_some() { 1.0 } else { 0.0 }
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

impl Paragraph {
    pub(super) fn new(width: usize) -> Self {
        Self { width, words: Vec::new(), open: Word::default() }
    }

    /// Adds text without line breaks; a no-break space does not end a word.
    pub(super) fn push(&mut self, style: Style, text: &str) {
        for (index, part) in text.split(' ').enumerate() {
            if index > 0 {
                self.end_word(Some(style));
            }
            if !part.is_empty() {
                self.open.push(style, part);
            }
        }
    }

    /// Adds text that stays on one line where it fits.
    pub(super) fn push_unbroken(&mut self, style: Style, text: &str) {
        self.open.push(style, text);
    }

    /// The lines, each with its styles opened and closed.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.end_word(None);
        #[expect(clippy::cast_precision_loss, reason = "a terminal's width is small")]
        let lines = wrap_first_fit(&self.words, &[self.width as f64]);
        lines.into_iter().map(line).collect()
    }

    fn end_word(&mut self, space: Option<Style>) {
        let word = std::mem::take(&mut self.open);
        if word.runs.is_empty() {
            return;
        }
        let n_words = self.words.len();
        self.cut(word);
        if let Some(last) = self.words.get_mut(n_words..).and_then(<[Word]>::last_mut) {
            last.space = space;
        }
    }

    /// Adds a word in pieces that fit on a line.
    fn cut(&mut self, word: Word) {
        let mut piece = Word::default();
        let mut width = 0;
        for (style, run) in word.runs {
            if width + display_width(&run) <= self.width {
                width += display_width(&run);
                piece.push(style, &run);
                continue;
            }
            for cluster in run.graphemes(true) {
                let more = display_width(cluster);
                if width + more > self.width && width > 0 {
                    self.words.push(std::mem::take(&mut piece));
                    width = 0;
                }
                width += more;
                piece.push(style, cluster);
            }
        }
        self.words.push(piece);
    }
}

fn line(words: &[Word]) -> String {
    let mut joined = Word::default();
    for (index, word) in words.iter().enumerate() {
        for (style, run) in &word.runs {
            joined.push(*style, run);
        }
        if let Some(style) = word.space.filter(|_| index + 1 < words.len()) {
            joined.push(style, " ");
        }
    }
    joined.runs.iter().map(|(style, run)| paint(*style, run)).collect()
}
