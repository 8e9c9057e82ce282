//! Standard output as a sink: JSON Lines, or pages for people.
//!
//! In: finished records in order. Out: each written whole, flushed when nothing more is at hand; a reader that went
//! away ([`Written::Closed`]) is no error.

use std::io::{self, BufWriter, Write};

/// Whether somebody still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Ok,
    /// The other end of the pipe is closed: `copydesk enrich … | head` has had enough.
    Closed,
}

/// A buffered output.
#[derive(Debug)]
pub struct LineSink<W: Write> {
    out: BufWriter<W>,
}

impl<W: Write> LineSink<W> {
    pub fn new(out: W) -> Self {
        Self { out: BufWriter::new(out) }
    }

    /// Writes `line` and a line feed.
    ///
    /// # Errors
    /// Any but a closed pipe.
    pub fn write_line(&mut self, line: &[u8]) -> io::Result<Written> {
        let written = self.out.write_all(line).and_then(|()| self.out.write_all(b"\n"));
        closed_is_no_error(written)
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// Any but a closed pipe.
    pub fn flush(&mut self) -> io::Result<Written> {
        closed_is_no_error(self.out.flush())
    }
}

fn closed_is_no_error(result: io::Result<()>) -> io::Result<Written> {
    match result {
        Ok(()) => Ok(Written::Ok),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Written::Closed),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut sink = LineSink::new(Gone);
        assert_eq!(sink.write_line(b"{}").unwrap(), Written::Ok);
        assert_eq!(sink.flush().unwrap(), Written::Closed);
    }
}
