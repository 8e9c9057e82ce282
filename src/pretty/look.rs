//! How things look on a terminal: colours by type and tone, and text made harmless.
//!
//! In: strings from articles, which may hold anything. Out: strings that a terminal shows and does not obey.

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use unicode_segmentation::UnicodeSegmentation as _;

/// With colours, or readable without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Colour,
    Plain,
}

impl Look {
    pub(super) fn entity(self, kind: &str) -> Style {
        let style = Style::new().bold();
        self.pick(match kind {
            "PERSON" => style.fg_color(Some(AnsiColor::Cyan.into())),
            "ORG" => style.fg_color(Some(AnsiColor::Magenta.into())),
            "GPE" | "LOC" | "FAC" => style.fg_color(Some(AnsiColor::Green.into())),
            "NORP" | "EVENT" | "PRODUCT" | "WORK_OF_ART" | "LAW" => {
                style.fg_color(Some(AnsiColor::Yellow.into()))
            }
            _ => Style::new().fg_color(Some(AnsiColor::Blue.into())),
        })
    }

    pub(super) fn tone(self, label: &str) -> Style {
        self.pick(match label {
            "positive" => Style::new().fg_color(Some(AnsiColor::Green.into())),
            "negative" => Style::new().fg_color(Some(AnsiColor::Red.into())),
            _ => Style::new(),
        })
    }

    pub(super) fn title(self) -> Style {
        self.pick(Style::new().bold())
    }

    pub(super) fn dim(self) -> Style {
        self.pick(Style::new().dimmed())
    }

    pub(super) fn warning(self) -> Style {
        self.pick(Style::new().fg_color(Some(AnsiColor::Yellow.into())))
    }

    pub(super) fn quoted(self, style: Style) -> Style {
        self.pick(style.underline())
    }

    fn pick(self, style: Style) -> Style {
        match self {
            Self::Colour => style,
            Self::Plain => Style::new(),
        }
    }
}

/// `text` in `style`.
pub(super) fn paint(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// Text on one line that cannot steer the terminal: control characters, and the bidirectional controls that make text
/// read as something else, are shown as U+FFFD; any white space is one space.
pub fn harmless(text: &str) -> String {
    let shown = |c: char| match c {
        '\u{a0}' | '\u{202f}' => c,
        c if c.is_whitespace() => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// `text` in at most `width` columns, with an ellipsis where it was cut.
pub fn cut(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut kept = String::new();
    for cluster in text.graphemes(true) {
        let Some(rest) = room.checked_sub(display_width(cluster)) else { break };
        room = rest;
        kept.push_str(cluster);
    }
    format!("{}…", kept.trim_end())
}

/// `text` in at most `width` columns, cut at its beginning: an id says most at its end.
pub fn cut_front(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut start = text.len();
    for (at, cluster) in text.grapheme_indices(true).rev() {
        let Some(rest) = room.checked_sub(display_width(cluster)) else { break };
        room = rest;
        start = at;
    }
    format!("…{}", text.get(start..).unwrap_or_default())
}

/// `text` cut or filled with spaces to exactly `width` columns.
pub fn column(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let fill = width.saturating_sub(display_width(&text));
    format!("{text}{}", " ".repeat(fill))
}
