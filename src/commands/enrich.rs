//! `copydesk enrich`: files, folders or standard input through the pipeline, without Kafka.
//!
//! Many records are in work at once, within the same bounds as the service's; they come out in input order.

mod output;
mod progress;
mod window;

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use tokio::sync::mpsc;

use self::output::Output;
use self::progress::Progress;
use self::window::{Outcome, Window};
use super::Ending;
use crate::article::Format;
use crate::cli::{EnrichArgs, FormatArg};
use crate::config::Config;
use crate::sink::lines::Written;
use crate::source::lines::{Framing, Input, InputFault, Inputs, STANDARD_INPUT};

/// Records read ahead of the window, so that reading and computing overlap.
const READ_AHEAD_RECORDS: usize = 16;

pub(super) async fn run(args: EnrichArgs, config: Config) -> anyhow::Result<Ending> {
    let format = args.format.map(Format::from);
    let framing = if format == Some(Format::RawText) { Framing::Whole } else { Framing::ByName };
    let bytes_max = config.input.decode.article_bytes_max;
    say_what_is_awaited(&args);
    let inputs = read_ahead(Inputs::new(args.inputs, framing, bytes_max))?;
    let run = Run {
        window: Window::start(config, format)?,
        output: Output::to_stdout(args.pretty),
        progress: Progress::to_stderr(),
        n_records: 0,
        n_faults: 0,
    };
    run.until_all_settled(inputs).await
}

/// A person who starts `copydesk enrich -` at a terminal would otherwise wait as it does.
fn say_what_is_awaited(args: &EnrichArgs) {
    let reads_stdin = args.inputs.iter().any(|path| path.as_os_str() == STANDARD_INPUT);
    if reads_stdin && std::io::stdin().is_terminal() {
        report("reading articles from the terminal; Ctrl-D ends them");
    }
}

/// Reads on a thread of its own: standard input blocks, and must not keep the process from ending.
fn read_ahead(inputs: Inputs) -> anyhow::Result<mpsc::Receiver<Result<Input, InputFault>>> {
    let (send, receive) = mpsc::channel(READ_AHEAD_RECORDS);
    let read = move || {
        for input in inputs {
            if send.blocking_send(input).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(read)
        .context("cannot start the reading thread")?;
    Ok(receive)
}

struct Run {
    window: Window,
    output: Output,
    progress: Progress,
    n_records: u64,
    n_faults: u64,
}

impl Run {
    async fn until_all_settled(
        mut self,
        mut inputs: mpsc::Receiver<Result<Input, InputFault>>,
    ) -> anyhow::Result<Ending> {
        let mut is_reading = true;
        loop {
            tokio::select! {
                biased;
                Some(outcome) = self.window.next() => {
                    if self.settle(outcome?)? == Written::Closed {
                        return Ok(Ending::Ok);
                    }
                }
                input = inputs.recv(), if is_reading && self.window.has_room() => match input {
                    Some(input) => self.window.push(input),
                    None => is_reading = false,
                },
                else => break,
            }
        }
        self.progress.clear();
        if self.n_faults > 0 && self.n_records > 1 {
            report(&format!("{} of {} inputs failed", self.n_faults, self.n_records));
        }
        Ok(if self.n_faults == 0 { Ending::Ok } else { Ending::Failed })
    }

    fn settle(&mut self, outcome: Outcome) -> anyhow::Result<Written> {
        self.n_records += 1;
        let written = match outcome {
            Outcome::Published(body) => self.output.write(&body)?,
            Outcome::Failed(message) => {
                self.n_faults += 1;
                // In the order of the input also where both streams are one terminal.
                let written = self.output.flush()?;
                self.progress.clear();
                report(&message);
                written
            }
        };
        // Nothing else is ready: what is written is all that can be had now.
        let flushed =
            if self.window.is_next_ready() { Written::Ok } else { self.output.flush()? };
        self.progress.show(self.n_records);
        Ok(if written == Written::Closed { written } else { flushed })
    }
}

/// One line on standard error; when that is closed, the exit code still says that something failed.
fn report(message: &str) {
    drop(writeln!(std::io::stderr().lock(), "copydesk: {message}"));
}

impl From<FormatArg> for Format {
    fn from(argument: FormatArg) -> Self {
        match argument {
            FormatArg::Plain => Self::Plain,
            FormatArg::Ninjs => Self::Ninjs,
            FormatArg::SchemaOrg => Self::SchemaOrg,
            FormatArg::Ans => Self::Ans,
            FormatArg::Text => Self::RawText,
        }
    }
}
