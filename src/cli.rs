//! The command line: clap types of every command; no behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::ConfigSources;

/// Who and what is named in the news, who said what, and in which tone: from Kafka to Kafka.
#[derive(Debug, Parser)]
#[command(
    name = "copydesk",
    version,
    max_term_width = 100,
    after_help = "Settings come from config/copydesk.toml (or --config FILE), over them the environment\n\
        (COPYDESK_SECTION__KEY), over that --set. `copydesk check` shows what is in force, and why.\n\n\
        Exit codes: 0 ok, 1 failed, 64 bad usage or configuration."
)]
pub struct Cli {
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Configuration file (TOML); without it config/copydesk.toml is read when it exists
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, e.g. --set kafka.group=desk; over the file and the environment
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    /// Weights of the reader in place of those inside the binary; the same as --set model.file=FILE
    #[arg(long, global = true, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl SettingsArgs {
    pub fn into_sources(self) -> ConfigSources {
        let model = self.model.map(|file| format!("model.file={}", file.display()));
        ConfigSources { file: self.config, overrides: self.set.into_iter().chain(model).collect() }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service: from the input topic to the output topic
    #[command(
        after_help = "Examples:\n  copydesk serve\n  copydesk serve --config /etc/copydesk.toml\n  COPYDESK_KAFKA__BROKERS=kafka:9092 copydesk serve"
    )]
    Serve,
    /// Run the service on an embedded broker with sample articles: no set-up
    #[command(
        after_help = "Examples:\n  copydesk demo\n  copydesk demo --once\n  copydesk demo --input articles/"
    )]
    Demo(DemoArgs),
    /// Enrich files, folders or standard input, without Kafka: JSON Lines out
    #[command(
        after_help = "Examples:\n  copydesk enrich article.txt --pretty\n  copydesk enrich articles/ > enriched.jsonl\n  curl -s … | copydesk enrich -"
    )]
    Enrich(EnrichArgs),
    /// Score the stages on articles that you annotated, without Kafka
    ///
    /// Reads annotated articles as JSON Lines: doc_id, text, mentions [{start,end,label,entity}], entities
    /// [{id,name,type,sentiment}], quotes [{start,end,type,cue,speaker,entity}], sentiment; offsets in code points.
    /// With --targets, each line is one labelled target of tone: a text, its target as a list of start and end, and a label (-1, 0, 1).
    #[command(
        after_help = "Examples:\n  copydesk eval annotated.jsonl\n  copydesk eval annotated.jsonl --json | jq .quotes.complete\n  gzip -dc targets.jsonl.gz | copydesk eval --targets -"
    )]
    Eval(EvalArgs),
    /// Check the configuration, and that brokers and topics are there
    ///
    /// Prints the configuration in force as TOML, with where each value comes from, to standard output, and what is
    /// wrong with it, with the brokers or with the topics to standard error.
    #[command(
        after_help = "Examples:\n  copydesk check\n  copydesk check --offline --config /etc/copydesk.toml\n  copydesk check --set kafka.brokers=kafka-1:9092,kafka-2:9092"
    )]
    Check(CheckArgs),
    /// Look at refused records, and send them through the service again
    ///
    /// Every refused record lies in the dead-letter topic as it was, with the reason in its headers.
    #[command(
        after_help = "Examples:\n  copydesk dead list\n  copydesk dead list --reason not_json --since 2h\n  copydesk dead show --id urn:newsml:x:20260301:1\n  copydesk dead redrive --reason output_too_large --dry-run"
    )]
    Dead(DeadArgs),
    /// Print the JSON Schema of the output topic
    #[command(
        after_help = "Examples:\n  copydesk schema > enriched.schema.json\n  copydesk schema | jq '.[\"$defs\"].quote'"
    )]
    Schema,
}

impl Command {
    /// Whether its output is meant to be read as it comes.
    pub fn is_for_people(&self) -> bool {
        match self {
            Self::Demo(_)
            | Self::Enrich(_)
            | Self::Eval(_)
            | Self::Check(_)
            | Self::Dead(_)
            | Self::Schema => true,
            Self::Serve => false,
        }
    }
}

#[derive(Debug, Args)]
pub struct EnrichArgs {
    /// Files (.txt, .json, .jsonl), folders of them, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    /// Input format; by default it is recognised, and .txt files are raw text
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Show articles for people: entities, quotes with their speakers, and tone
    #[arg(long)]
    pub pretty: bool,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Annotated articles, JSON Lines; - for standard input
    #[arg(value_name = "GOLD")]
    pub gold: PathBuf,
    /// GOLD has targets of tone in place of articles
    #[arg(long)]
    pub targets: bool,
    /// Figures as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Publish this folder's articles instead of the samples
    #[arg(long, value_name = "DIR")]
    pub input: Option<PathBuf>,
    /// End when all articles are settled
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Check the configuration alone
    #[arg(long)]
    pub offline: bool,
}

#[derive(Debug, Args)]
pub struct DeadArgs {
    #[command(subcommand)]
    pub command: DeadCommand,
}

#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// One line a dead letter: where it lies, when and why it was refused, where it came from
    List(DeadListArgs),
    /// Dead letters whole: headers and value
    Show(DeadShowArgs),
    /// Write refused records to the input topic again, with value, key and headers as they were
    ///
    /// Each goes to the partition that it came from. The attempts so far travel in the header copydesk-error-attempts; a
    /// record that has had as many as --attempts-max stays where it is. Dead letters are never removed: what was redriven
    /// is chosen again by the same filters.
    Redrive(RedriveArgs),
}

#[derive(Debug, Args)]
pub struct DeadListArgs {
    #[command(flatten)]
    pub filter: DeadFilterArgs,
    /// JSON Lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DeadShowArgs {
    #[command(flatten)]
    pub filter: DeadFilterArgs,
    /// The values alone, byte for byte
    #[arg(long)]
    pub value: bool,
}

#[derive(Debug, Args)]
pub struct RedriveArgs {
    #[command(flatten)]
    pub filter: DeadFilterArgs,
    /// Every dead letter, where no filter is given
    #[arg(long)]
    pub all: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave out what was refused this many times
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub attempts_max: u32,
}

/// All that is given must hold.
#[derive(Debug, Clone, Default, Args)]
pub struct DeadFilterArgs {
    /// Refused for this reason, such as not_json; may be repeated
    #[arg(long, value_name = "REASON")]
    pub reason: Vec<String>,
    /// The article's id, the record's key, or a position (TOPIC/PARTITION/OFFSET) of the record or its dead letter; may be
    /// repeated
    #[arg(long, value_name = "ID")]
    pub id: Vec<String>,
    /// Refused at this time (RFC 3339) or later; or a span before now: 90m, 2h, 7d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Refused before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// No more than this many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl DeadFilterArgs {
    /// Whether every dead letter is meant.
    pub fn is_empty(&self) -> bool {
        let Self { reason, id, since, until, limit } = self;
        reason.is_empty() && id.is_empty() && since.is_none() && until.is_none() && limit.is_none()
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormatArg {
    Plain,
    Ninjs,
    SchemaOrg,
    Ans,
    Text,
}
