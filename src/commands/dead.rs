//! `copydesk dead list|show|redrive`: what was refused, why, and once more through the service.
//!
//! In: the dead-letter topic as it is now. Out: a line, or all of it, for each letter that the filters let through; or
//! the letters' original records, written to where they came from with value, key and headers byte for byte. The one
//! header that is added is the number of attempts, which stops what fails for ever from going round for ever.

mod filter;
mod output;

use std::io::Write as _;

use anyhow::Context as _;

use self::filter::Filter;
use super::Ending;
use crate::cli::{DeadArgs, DeadCommand, RedriveArgs};
use crate::config::Config;
use crate::dead_letter::Received;
use crate::sink::kafka::writer::TopicWriter;
use crate::source::kafka::reader::TopicReader;

pub(super) async fn run(args: DeadArgs, config: Config) -> anyhow::Result<Ending> {
    // All of it waits for brokers.
    tokio::task::spawn_blocking(move || match args.command {
        DeadCommand::List(args) => {
            let mut out = std::io::stdout().lock();
            let is_json = args.json;
            each_letter(&config, Filter::new(&args.filter)?, |letter| {
                output::line(&mut out, &letter, is_json)
            })
        }
        DeadCommand::Show(args) => {
            let mut out = std::io::stdout().lock();
            let is_value = args.value;
            each_letter(&config, Filter::new(&args.filter)?, |letter| {
                output::whole(&mut out, &letter, is_value)
            })
        }
        DeadCommand::Redrive(args) => redrive(&args, &config),
    })
    .await?
}

fn redrive(args: &RedriveArgs, config: &Config) -> anyhow::Result<Ending> {
    if !args.all && args.filter.is_empty() {
        anyhow::bail!("nothing is chosen: name filters, or --all for every dead letter");
    }
    let writer =
        if args.dry_run { None } else { Some(TopicWriter::open(config).context("no producer")?) };
    let mut out = std::io::stdout().lock();
    let (mut n_redriven, mut n_spent, mut n_homeless) = (0, 0, 0);
    each_letter(config, Filter::new(&args.filter)?, |letter| {
        if letter.attempts >= args.attempts_max {
            n_spent += 1;
            return Ok(());
        }
        let Some(record) = letter.original() else {
            n_homeless += 1;
            return Ok(());
        };
        if let Some(writer) = &writer {
            writer.write(&record).context("cannot write the record")?;
        }
        n_redriven += 1;
        output::line(&mut out, &letter, false)
    })?;
    if let Some(writer) = writer {
        writer.finish().context("not all records are acknowledged")?;
    }
    let verb = if args.dry_run { "would be redriven" } else { "redriven" };
    let max = args.attempts_max;
    writeln!(
        std::io::stderr().lock(),
        "{n_redriven} {verb}; left out: {n_spent} with {max} attempts or more, {n_homeless} that do not say where they \
         came from"
    )?;
    Ok(Ending::Ok)
}

/// Hands over the letters that the filter lets through, until it has had enough.
fn each_letter(
    config: &Config,
    mut filter: Filter,
    mut visit: impl FnMut(Received) -> anyhow::Result<()>,
) -> anyhow::Result<Ending> {
    let topic = &config.output.dead_letter_topic;
    let mut reader = TopicReader::open(config, topic, filter.since_ms())?;
    while let Some(record) = reader.next_record()? {
        let letter = Received::new(record);
        if filter.lets_through(&letter) {
            visit(letter)?;
        }
        if filter.has_enough() {
            break;
        }
    }
    Ok(Ending::Ok)
}
