//! `copydesk check`: the configuration in force, what is doubtful about it, and whether brokers and topics are there.
//!
//! In: a configuration with the origins of its values. Out: the configuration as TOML on standard output, findings on
//! standard error. It changes nothing: no topic is created, no group is joined.

mod brokers;

use std::fmt::Write as _;
use std::io::Write as _;

use super::Ending;
use crate::cli::CheckArgs;
use crate::config::{Config, Delivery, Loaded, Setting};

pub(super) async fn run(args: CheckArgs, loaded: &Loaded) -> anyhow::Result<Ending> {
    let mut out = std::io::stdout().lock();
    out.write_all(in_force(&loaded.settings).as_bytes())?;
    out.flush()?;
    drop(out);

    let config = &loaded.config;
    let is_accepted = accepts_properties(config)?;
    report("note", &doubts(config))?;
    if !is_accepted {
        return Ok(Ending::BadConfiguration);
    }
    report("ok", &["the configuration is valid".to_owned()])?;
    if args.offline {
        return Ok(Ending::Ok);
    }
    let config = config.clone();
    let findings = tokio::task::spawn_blocking(move || brokers::reach(&config)).await??;
    report("ok", &findings.good)?;
    report("failed", &findings.bad)?;
    Ok(if findings.bad.is_empty() { Ending::Ok } else { Ending::Failed })
}

/// Whether librdkafka takes the properties; what it does not take is reported. Only librdkafka knows its properties, so
/// this is no part of reading the configuration.
pub(super) fn accepts_properties(config: &Config) -> std::io::Result<bool> {
    let refused = brokers::refused_properties(&config.kafka);
    report("failed", &refused)?;
    Ok(refused.is_empty())
}

/// The settings as a TOML file, each with its origin behind it.
fn in_force(settings: &[Setting]) -> String {
    let mut text =
        "# The configuration in force; behind each value stands where it comes from.\n".to_owned();
    let mut section = "";
    let lines = settings.iter().map(|setting| (setting, setting.section_and_name()));
    for (setting, (of, name)) in lines {
        if of != section {
            section = of;
            write!(text, "\n[{section}]\n").expect("writing to a string cannot fail");
        }
        let assignment = format!("{name} = {}", setting.value);
        writeln!(text, "{assignment:<48} # {}", setting.origin)
            .expect("writing to a string cannot fail");
    }
    text.push('\n');
    text
}

/// What is allowed, and rarely meant.
fn doubts(config: &Config) -> Vec<String> {
    let mut doubts = Vec::new();
    let kafka = &config.kafka;
    let protocol = kafka.properties.iter().find(|(name, _)| *name == "security.protocol");
    let is_plain = !protocol.is_some_and(|(_, value)| value.to_lowercase().ends_with("ssl"));
    let has_password = kafka.properties.iter().any(|(name, _)| name == "sasl.password");
    if is_plain && has_password {
        doubts.push(
            "kafka.properties has a password, and security.protocol sends it unencrypted"
                .to_owned(),
        );
    }
    if kafka.instance.is_none() {
        doubts.push(match kafka.delivery {
            Delivery::ExactlyOnce => {
                "kafka.instance is not set: every restart moves partitions between instances, and what a killed one \
                 leaves open holds them up for the transaction's time-out"
                    .to_owned()
            }
            Delivery::AtLeastOnce => {
                "kafka.instance is not set: every restart moves partitions between instances"
                    .to_owned()
            }
        });
    }
    if !config.state.is_on() {
        doubts.push(
            "state.topic is \"\": an older version overwrites a newer one when it comes later"
                .to_owned(),
        );
    }
    let tracing = &config.tracing;
    if let Some(endpoint) = &tracing.endpoint
        && endpoint.is_open()
        && tracing.headers.iter().next().is_some()
    {
        doubts.push(format!("tracing.headers go to {endpoint} unencrypted"));
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if config.pipeline.compute_threads.get() > cores {
        doubts.push(format!(
            "pipeline.compute_threads is more than the {cores} cores of this machine"
        ));
    }
    match config.admin.listen {
        None => doubts
            .push("admin.listen is \"off\": there are no metrics and no health checks".to_owned()),
        Some(address) if !address.ip().is_loopback() => {
            doubts.push(format!(
                "admin.listen {address} answers whoever reaches it, without a password"
            ));
        }
        Some(_) => {}
    }
    doubts
}

fn report(verdict: &str, findings: &[String]) -> std::io::Result<()> {
    let mut out = std::io::stderr().lock();
    findings.iter().try_for_each(|finding| writeln!(out, "{verdict}: {finding}"))
}
