//! What `enrich` writes to standard output: JSON Lines, or pages for people.

use std::io::Stdout;

use anyhow::Context as _;

use crate::pretty::{self, Look};
use crate::sink::lines::{LineSink, Written};

pub(super) struct Output {
    sink: LineSink<Stdout>,
    /// `None` writes the records as they are published.
    pages: Option<Pages>,
}

struct Pages {
    look: Look,
    width: usize,
    n_pages: u64,
}

impl Output {
    pub(super) fn to_stdout(is_pretty: bool) -> Self {
        Self { sink: LineSink::new(std::io::stdout()), pages: is_pretty.then(Pages::for_stdout) }
    }

    pub(super) fn write(&mut self, body: &[u8]) -> anyhow::Result<Written> {
        let written = match &mut self.pages {
            None => self.sink.write_line(body),
            Some(pages) => {
                let page = pages.next(body)?;
                self.sink.write_line(page.as_bytes())
            }
        };
        written.context("cannot write to standard output")
    }

    pub(super) fn flush(&mut self) -> anyhow::Result<Written> {
        self.sink.flush().context("cannot write to standard output")
    }
}

impl Pages {
    /// Colours as standard output, `NO_COLOR` and `CLICOLOR_FORCE` say.
    fn for_stdout() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        let look = if choice == anstream::ColorChoice::Never { Look::Plain } else { Look::Colour };
        let terminal = terminal_size::terminal_size_of(std::io::stdout());
        let width = terminal.map_or(pretty::WIDTH_DEFAULT, |(width, _)| usize::from(width.0));
        Self { look, width, n_pages: 0 }
    }

    fn next(&mut self, body: &[u8]) -> anyhow::Result<String> {
        let page = pretty::page(body, self.look, self.width)
            .context("a record that was just made is not of its own schema")?;
        self.n_pages += 1;
        if self.n_pages == 1 {
            return Ok(page);
        }
        Ok(format!("{}\n{page}", pretty::separator(self.look, self.width)))
    }
}
