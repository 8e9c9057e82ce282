//! Every setting: its key, what it takes, and what it must go with.
//!
//! In: a [`RawConfig`]. Out: a [`Config`] that holds together, or all [`Faults`]. Keys end in their unit.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::faults::Faults;
use super::raw::{HEADERS, PROPERTIES, RawConfig, Value};
use super::reader::{Reader, integer};
use super::{
    AdminConfig, Config, Delivery, GroupProtocol, InputConfig, KafkaConfig, Loaded, LogConfig,
    LogFormat, ModelConfig, OutputConfig, PipelineConfig, RetractionForm, StateConfig,
    TracingConfig,
};
use crate::article::Format;
use crate::decode::DecodeOptions;
use crate::encode::OffsetUnits;
use crate::telemetry;
use crate::trace::{self, Endpoint};

impl TryFrom<RawConfig> for Loaded {
    type Error = Faults;

    fn try_from(raw: RawConfig) -> Result<Self, Faults> {
        let mut reader = Reader::new(raw);
        let default = Config::default();
        let config = Config {
            kafka: kafka(&mut reader, default.kafka),
            input: input(&mut reader, default.input),
            output: output(&mut reader, default.output),
            state: state(&mut reader, default.state),
            pipeline: pipeline(&mut reader, default.pipeline),
            model: model(&mut reader, default.model),
            admin: admin(&mut reader, default.admin),
            log: log(&mut reader, default.log),
            tracing: tracing(&mut reader, default.tracing),
        };
        compare(&config, &mut reader);
        let settings = reader.finish()?;
        Ok(Self { config, settings })
    }
}

fn kafka(reader: &mut Reader, default: KafkaConfig) -> KafkaConfig {
    KafkaConfig {
        brokers: reader.list(
            "kafka.brokers",
            default.brokers,
            "host:port, at least one",
            host_and_port,
            String::clone,
        ),
        group: reader.text("kafka.group", default.group, "a name", name, String::clone),
        instance: reader.text(
            "kafka.instance",
            default.instance,
            "letters, digits, '.', '_' and '-', at most 249; or \"\" for none",
            |text| if text.is_empty() { Some(None) } else { kafka_name(text).map(Some) },
            |instance| instance.clone().unwrap_or_default(),
        ),
        delivery: reader.choice(
            "kafka.delivery",
            default.delivery,
            &[("exactly_once", Delivery::ExactlyOnce), ("at_least_once", Delivery::AtLeastOnce)],
        ),
        group_protocol: reader.choice(
            "kafka.group_protocol",
            default.group_protocol,
            &[("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)],
        ),
        // What brokers accept by default: group.min.session.timeout.ms and group.max.session.timeout.ms.
        session_timeout: reader.milliseconds(
            "kafka.session_timeout_ms",
            default.session_timeout,
            6_000..=1_800_000,
        ),
        prefetch_bytes_max: reader.integer(
            "kafka.prefetch_bytes_max",
            default.prefetch_bytes_max,
            KIB..=GIB,
        ),
        properties: reader.table(&PROPERTIES, reserved_property),
    }
}

fn model(reader: &mut Reader, default: ModelConfig) -> ModelConfig {
    ModelConfig {
        file: reader.text(
            "model.file",
            default.file,
            "a path; or \"\" for the weights inside the binary",
            |text| Some((!text.is_empty()).then(|| PathBuf::from(text))),
            |file| file.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        ),
    }
}

fn input(reader: &mut Reader, default: InputConfig) -> InputConfig {
    let formats: Vec<_> =
        Format::ALL.iter().map(|format| (format.as_str(), Some(*format))).collect();
    InputConfig {
        topic: topic(reader, "input.topic", default.topic),
        decode: DecodeOptions {
            format: reader.choice(
                "input.format",
                default.decode.format,
                &[&[("auto", None)], formats.as_slice()].concat(),
            ),
            article_bytes_max: reader.integer(
                "input.article_bytes_max",
                default.decode.article_bytes_max,
                KIB..=64 * MIB,
            ),
        },
    }
}

fn output(reader: &mut Reader, default: OutputConfig) -> OutputConfig {
    OutputConfig {
        topic: topic(reader, "output.topic", default.topic),
        dead_letter_topic: topic(reader, "output.dead_letter_topic", default.dead_letter_topic),
        offset_units: offset_units(reader, default.offset_units),
        retraction: reader.choice(
            "output.retraction",
            default.retraction,
            &[("record", RetractionForm::Record), ("tombstone", RetractionForm::Tombstone)],
        ),
        changes: reader.flag("output.changes", default.changes),
    }
}

fn state(reader: &mut Reader, default: StateConfig) -> StateConfig {
    StateConfig {
        topic: reader.text(
            "state.topic",
            default.topic,
            "a topic name: letters, digits, '.', '_' and '-', at most 249; or \"\" to keep nothing",
            |text| if text.is_empty() { Some(None) } else { kafka_name(text).map(Some) },
            |topic| topic.clone().unwrap_or_default(),
        ),
        bytes_max: reader.integer("state.bytes_max", default.bytes_max, MIB..=64 * GIB),
    }
}

fn pipeline(reader: &mut Reader, default: PipelineConfig) -> PipelineConfig {
    PipelineConfig {
        compute_threads: compute_threads(reader, default.compute_threads),
        inflight_records_max: reader.integer(
            "pipeline.inflight_records_max",
            default.inflight_records_max,
            1..=100_000,
        ),
        inflight_bytes_max: reader.integer(
            "pipeline.inflight_bytes_max",
            default.inflight_bytes_max,
            KIB..=2 * GIB,
        ),
        stage_budget: reader.milliseconds(
            "pipeline.stage_budget_ms",
            default.stage_budget,
            1..=600_000,
        ),
        commit_interval: reader.milliseconds(
            "pipeline.commit_interval_ms",
            default.commit_interval,
            10..=60_000,
        ),
        transaction_records_max: reader.integer(
            "pipeline.transaction_records_max",
            default.transaction_records_max,
            1..=100_000,
        ),
        transaction_bytes_max: reader.integer(
            "pipeline.transaction_bytes_max",
            default.transaction_bytes_max,
            KIB..=GIB,
        ),
        drain_timeout: reader.milliseconds(
            "pipeline.drain_timeout_ms",
            default.drain_timeout,
            100..=600_000,
        ),
    }
}

fn admin(reader: &mut Reader, default: AdminConfig) -> AdminConfig {
    AdminConfig {
        listen: reader.text(
            "admin.listen",
            default.listen,
            "an IP address and port such as \"127.0.0.1:9464\", or \"off\"",
            |text| {
                if text == "off" { Some(None) } else { text.parse::<SocketAddr>().ok().map(Some) }
            },
            |listen| listen.map_or_else(|| "off".to_owned(), |address| address.to_string()),
        ),
        stall_timeout: reader.milliseconds(
            "admin.stall_timeout_ms",
            default.stall_timeout,
            1_000..=3_600_000,
        ),
    }
}

fn log(reader: &mut Reader, default: LogConfig) -> LogConfig {
    LogConfig {
        format: reader.choice(
            "log.format",
            default.format,
            &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("pretty", LogFormat::Pretty)],
        ),
        filter: reader.text(
            "log.filter",
            default.filter,
            "levels, by module where they differ, such as \"info,copydesk=debug\"",
            |text| telemetry::filter(text).map(|_| text.to_owned()),
            String::clone,
        ),
    }
}

fn tracing(reader: &mut Reader, default: TracingConfig) -> TracingConfig {
    TracingConfig {
        endpoint: reader.text(
            "tracing.otlp_endpoint",
            default.endpoint,
            "a URL such as \"http://localhost:4318\", without a password; or \"\" for none",
            |text| if text.is_empty() { Some(None) } else { Endpoint::parse(text).map(Some) },
            |endpoint| endpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
        ),
        sample_ratio: reader.setting(
            "tracing.sample_ratio",
            default.sample_ratio,
            "a number from 0 to 1",
            |value| value.as_float().filter(|ratio| (0.0..=1.0).contains(ratio)),
            |ratio| toml::Value::Float(*ratio),
        ),
        service_name: reader.text(
            "tracing.service_name",
            default.service_name,
            "a name",
            name,
            String::clone,
        ),
        timeout: reader.milliseconds("tracing.timeout_ms", default.timeout, 100..=60_000),
        queue_spans_max: reader.integer(
            "tracing.queue_spans_max",
            default.queue_spans_max,
            1..=1_000_000,
        ),
        ca_file: reader.text(
            "tracing.ca_file",
            default.ca_file,
            "a path; or \"\" for the system's certificates",
            |text| Some((!text.is_empty()).then(|| PathBuf::from(text))),
            |file| file.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        ),
        headers: reader.table(&HEADERS, |name| {
            (!trace::is_free_header(name))
                .then_some("a header's name, and none that a request has anyway")
        }),
    }
}

/// What is right by itself and wrong together.
fn compare(config: &Config, reader: &mut Reader) {
    let Config { kafka, input, output, state, pipeline, admin, .. } = config;
    if kafka.brokers.is_empty() {
        reader.inconsistent("kafka.brokers", "host:port, at least one");
    }
    for (key, topic) in
        [("output.topic", &output.topic), ("output.dead_letter_topic", &output.dead_letter_topic)]
    {
        if *topic == input.topic {
            reader.inconsistent(
                key,
                "another topic than input.topic: the service would read what it wrote",
            );
        }
    }
    if output.topic == output.dead_letter_topic {
        reader.inconsistent("output.dead_letter_topic", "another topic than output.topic");
    }
    let others = [&input.topic, &output.topic, &output.dead_letter_topic];
    if state.topic.as_ref().is_some_and(|topic| others.contains(&topic)) {
        reader.inconsistent("state.topic", "a topic of its own");
    }
    if pipeline.inflight_bytes_max < input.decode.article_bytes_max {
        reader.inconsistent(
            "pipeline.inflight_bytes_max",
            "at least input.article_bytes_max: the largest article would never get in",
        );
    }
    for (key, duration) in [
        ("pipeline.commit_interval_ms", pipeline.commit_interval),
        ("pipeline.stage_budget_ms", pipeline.stage_budget),
    ] {
        if duration >= pipeline.drain_timeout {
            reader.inconsistent(
                key,
                "less than pipeline.drain_timeout_ms: a shutdown could not wait for it",
            );
        }
    }
    if admin.stall_timeout <= pipeline.drain_timeout {
        reader.inconsistent(
            "admin.stall_timeout_ms",
            "more than pipeline.drain_timeout_ms: a service that drains would be restarted",
        );
    }
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

/// Names that copydesk sets itself, each with what to do instead: overriding them would break what is promised.
fn reserved_property(property: &str) -> Option<&'static str> {
    Some(match property {
        "bootstrap.servers" | "metadata.broker.list" => "to be set as kafka.brokers",
        "group.id" => "to be set as kafka.group",
        "group.instance.id" => "to be set as kafka.instance",
        "session.timeout.ms" | "heartbeat.interval.ms" => "to be set by kafka.session_timeout_ms",
        "queued.max.messages.kbytes" => "to be set as kafka.prefetch_bytes_max",
        "transactional.id" | "isolation.level" => "to be set as kafka.delivery",
        "enable.auto.commit" | "auto.commit.interval.ms" | "enable.auto.offset.store" => {
            "not to be set: offsets are committed when records are delivered"
        }
        "acks" | "request.required.acks" | "enable.idempotence" => {
            "not to be set: every delivery is acknowledged by all replicas, once and in order"
        }
        "partitioner" | "batch.size" => {
            "not to be set: equal keys go where Java's producers put them, in batches that the topics take"
        }
        "statistics.interval.ms" => "not to be set: the lag in /metrics comes from there",
        "group.protocol" => "to be set as kafka.group_protocol",
        "group.remote.assignor" | "partition.assignment.strategy" => {
            "not to be set: partitions are handed over one by one, cooperative-sticky"
        }
        _ => return None,
    })
}

fn topic(reader: &mut Reader, key: &str, default: String) -> String {
    reader.text(
        key,
        default,
        "a topic name: letters, digits, '.', '_' and '-', at most 249",
        kafka_name,
        String::clone,
    )
}

fn offset_units(reader: &mut Reader, default: OffsetUnits) -> OffsetUnits {
    const NAMES: [&str; 3] = ["utf8", "utf16", "source"];
    let OffsetUnits { utf8, utf16, source } = default;
    let default = NAMES.iter().zip([utf8, utf16, source]).filter(|(_, is_on)| *is_on);
    let units = reader.list(
        "output.offset_units",
        default.map(|(name, _)| (*name).to_owned()).collect(),
        "any of \"utf8\", \"utf16\" and \"source\", or none",
        |text| NAMES.contains(&text).then(|| text.to_owned()),
        String::clone,
    );
    let [utf8, utf16, source] = NAMES.map(|name| units.iter().any(|unit| unit == name));
    OffsetUnits { utf8, utf16, source }
}

fn compute_threads(reader: &mut Reader, default: NonZeroUsize) -> NonZeroUsize {
    const THREADS_MAX: usize = 1024;
    let parse = |value: &Value| match value.as_text() {
        Some("auto") => Some(default),
        _ => NonZeroUsize::new(value.as_integer()?).filter(|threads| threads.get() <= THREADS_MAX),
    };
    reader.setting(
        "pipeline.compute_threads",
        default,
        &format!("an integer from 1 to {THREADS_MAX}, or \"auto\" for one a core"),
        parse,
        |threads| integer(threads.get()),
    )
}

fn name(text: &str) -> Option<String> {
    let is_name = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned())
}

/// What Kafka accepts as the name of a topic or of a static group member.
fn kafka_name(text: &str) -> Option<String> {
    const CHARS_MAX: usize = 249;
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = (1..=CHARS_MAX).contains(&text.len())
        && text.chars().all(is_legal)
        && text != "."
        && text != "..";
    is_name.then(|| text.to_owned())
}

fn host_and_port(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let is_address = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    ((is_host || is_address) && is_port).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::raw::ConfigSources;
    use super::super::{Origin, Properties};
    use super::*;

    fn load(overrides: &[&str]) -> Result<Loaded, Faults> {
        let overrides = overrides.iter().map(|&text| text.to_owned()).collect();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/copydesk.toml");
        let sources = ConfigSources { file: Some(file), overrides };
        Loaded::try_from(RawConfig::gather(&sources, std::iter::empty()))
    }

    #[test]
    fn the_documented_file_has_every_setting_at_its_default() {
        let loaded = load(&[]).unwrap();
        assert_eq!(loaded.config, Config::default());
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/copydesk.toml"));
        let text = text.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for setting in &loaded.settings {
            let (section, name) = setting.section_and_name();
            assert!(
                lines.contains(&format!("[{section}]").as_str()),
                "{section} is not documented"
            );
            let Origin::File { line, .. } = setting.origin else {
                panic!("{} is not documented", setting.key)
            };
            let at = line - 1;
            assert!(lines[at].starts_with(&format!("{name} = ")), "{}", lines[at]);
            assert!(lines[at - 1].starts_with("# "), "{} has no comment", setting.key);
        }
        assert!(lines.contains(&"[kafka.properties]"));
    }

    #[track_caller]
    fn check_setting(text: &str, is_valid: bool) {
        let result = load(&[text]);
        assert_eq!(result.is_ok(), is_valid, "{text}: {result:?}");
    }

    #[test]
    fn values_are_checked_at_the_border() {
        check_setting("kafka.brokers=a:1,b.example:65535,[::1]:9092", true);
        check_setting("kafka.brokers=", false);
        check_setting("kafka.brokers=a:0", false);
        check_setting("kafka.brokers=a:65536", false);
        check_setting("kafka.brokers=a", false);
        check_setting("kafka.brokers=SASL_SSL://a:9092", false);
        check_setting("kafka.group= ", false);
        check_setting("kafka.instance=copydesk-0", true);
        check_setting("kafka.instance=copy desk", false);
        check_setting("kafka.session_timeout_ms=5999", false);
        check_setting("kafka.session_timeout_ms=6_000", true);
        check_setting("input.topic=..", false);
        check_setting("input.topic=news/raw", false);
        check_setting(&format!("input.topic={}", "x".repeat(249)), true);
        check_setting(&format!("input.topic={}", "x".repeat(250)), false);
        check_setting("input.format=ninjs", true);
        check_setting("input.format=nitf", false);
        check_setting("output.offset_units=", true);
        check_setting("output.offset_units=utf16,source", true);
        check_setting("output.retraction=tombstone", true);
        check_setting("output.dead_letter_topic=articles.enriched", false);
        check_setting("output.changes=false", true);
        check_setting("output.changes=maybe", false);
        check_setting("state.topic=", true);
        check_setting("state.topic=a/b", false);
        check_setting("state.topic=articles.raw", false);
        check_setting("state.topic=articles.dead", false);
        check_setting("state.bytes_max=1000", false);
        check_setting("pipeline.compute_threads=auto", true);
        check_setting("pipeline.compute_threads=0", false);
        check_setting("pipeline.inflight_records_max=-1", false);
        check_setting("pipeline.inflight_records_max=1e3", false);
        check_setting("admin.listen=[::1]:0", true);
        check_setting("admin.listen=:9464", false);
        check_setting("log.filter=warn,copydesk=debug", true);
        check_setting("log.filter=", false);
        check_setting("tracing.otlp_endpoint=", true);
        check_setting("tracing.otlp_endpoint=https://otlp.example/otlp", true);
        check_setting("tracing.otlp_endpoint=collector:4317", false);
        check_setting("tracing.otlp_endpoint=http://desk:hunter2@collector:4318", false);
        check_setting("tracing.sample_ratio=0.05", true);
        check_setting("tracing.sample_ratio=1", true);
        check_setting("tracing.sample_ratio=1.1", false);
        check_setting("tracing.sample_ratio=NaN", false);
        check_setting("tracing.headers.x-scope-orgid=news", true);
        check_setting("tracing.headers.content-type=text/plain", false);
        check_setting("tracing.headers.a b=c", false);
        check_setting("tracing.headers.a=b\nc: d", false);
        check_setting("kafka.properties.linger.ms=5", true);
        check_setting("kafka.properties.acks=1", false);
        check_setting("kafka.properties=linger.ms", false);
    }

    #[test]
    fn the_fingerprint_follows_the_body_alone() {
        let fingerprint = |text: &str| load(&[text]).unwrap().config.fingerprint();
        let default = Config::default().fingerprint();
        assert_eq!(fingerprint("input.format=auto"), default);
        assert_eq!(fingerprint("pipeline.compute_threads=7"), default);
        assert_eq!(fingerprint("kafka.group=other"), default);
        assert_ne!(fingerprint("input.format=ninjs"), default);
        assert_ne!(fingerprint("output.offset_units=utf8"), default);
        assert_ne!(
            fingerprint("output.offset_units=utf8"),
            fingerprint("output.offset_units=utf16")
        );
    }

    #[test]
    fn secrets_come_from_files_and_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2\n").unwrap();
        let file = format!("kafka.property_files.sasl.password={}", path.display());
        let loaded = load(&[&file]).unwrap();
        let expected = [("sasl.password".into(), "hunter2".into())];
        assert_eq!(loaded.config.kafka.properties, Properties::from_iter(expected));
        assert!(!format!("{loaded:?}").contains("hunter2"));
        check_setting("kafka.property_files.sasl.password=/nowhere/at/all", false);
        check_setting("kafka.property_files.acks=/nowhere/at/all", false);
        assert!(load(&[&file, "kafka.properties.sasl.password=other"]).is_err());
    }

    #[test]
    fn headers_for_the_collector_are_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "Bearer hunter2\n").unwrap();
        let file = format!("tracing.header_files.authorization={}", path.display());
        let variable = ("COPYDESK_TRACING__HEADERS__X_API_KEY".into(), "hunter2".into());
        let sources = ConfigSources { file: None, overrides: vec![file.clone()] };
        let raw = RawConfig::gather(&sources, [variable].into_iter());
        let loaded = Loaded::try_from(raw).unwrap();
        let headers: Vec<_> = loaded.config.tracing.headers.iter().collect();
        assert_eq!(headers, [("authorization", "Bearer hunter2"), ("x-api-key", "hunter2")]);
        assert!(!format!("{loaded:?}").contains("hunter2"));
        fs::write(&path, "hunter2\nhunter2").unwrap();
        let faults = load(&[&file, "tracing.headers.x-api-key=hunter2\u{7f}"]).unwrap_err();
        assert_eq!(faults.iter().count(), 2);
        assert!(!faults.to_string().contains("hunter2"), "{faults}");
    }

    #[test]
    fn properties_are_passed_on_under_their_own_names() {
        let config = load(&["kafka.properties.linger.ms=5", "kafka.properties.client.rack=b"]);
        let expected = [("client.rack".into(), "b".into()), ("linger.ms".into(), "5".into())];
        assert_eq!(config.unwrap().config.kafka.properties, Properties::from_iter(expected));
    }
}
