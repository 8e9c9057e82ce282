//! The binary as a user runs it: output, exit codes, messages.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use rdkafka::mocking::MockCluster;
use tempfile::TempDir;

/// What a run left behind.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The binary in an empty folder, without settings from this process's environment.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
    command.current_dir(folder).args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COPYDESK_") {
            command.env_remove(name);
        }
    }
    command
}

fn run_in(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Ran {
    let output = command(folder, args).envs(environment.iter().copied()).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(args: &[&str], environment: &[(&str, &str)]) -> Ran {
    run_in(TempDir::new().unwrap().path(), args, environment)
}

#[track_caller]
fn check_code(args: &[&str], code: i32) {
    let ran = run(args, &[]);
    assert_eq!(ran.code, code, "{args:?}: {ran:?}");
}

/// A configuration that is refused: exit code 64, nothing on standard output, these lines on standard error.
#[track_caller]
fn check_faults(file: &str, args: &[&str], environment: &[(&str, &str)], expected: Expect) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("desk.toml"), file).unwrap();
    let args = [&["check", "--offline", "--config", "desk.toml"], args].concat();
    let ran = run_in(folder.path(), &args, environment);
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{ran:?}");
    expected.assert_eq(&ran.stderr);
}

#[test]
fn exit_codes_tell_how_it_ended() {
    check_code(&["--help"], 0);
    check_code(&["--version"], 0);
    check_code(&["help", "check"], 0);
    check_code(&["schema"], 0);
    check_code(&["check", "--offline"], 0);
    check_code(&[], 64);
    check_code(&["publish"], 64);
    check_code(&["check", "--online"], 64);
    check_code(&["enrich"], 64);
    check_code(&["check", "--offline", "--config", "missing.toml"], 64);
    check_code(&["check", "--offline", "--set", "kafka.groups=x"], 64);
    check_code(&["enrich", "missing.txt"], 1);
}

#[test]
fn every_command_has_examples() {
    for name in ["serve", "demo", "enrich", "check", "dead", "schema"] {
        let ran = run(&[name, "--help"], &[]);
        assert!(ran.stdout.contains(&format!("Examples:\n  copydesk {name}")), "{ran:?}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let file = r#"
[kafka]
brokers = ["kafka-1:9092", "kafka-2"]
session_timeout_ms = "ten seconds"
grupo = "desk"

[output]
topic = "articles.raw"
offset_units = ["utf32"]

[metrics]
port = 9464

[pipeline]
inflight_bytes_max = 1_000_000
"#;
    let environment = [
        ("COPYDESK_KAFKA__INSTANZ", "desk-1"),
        ("COPYDESK_KAFKA_GROUP", "desk"),
        ("COPYDESK_SERVICE_HOST", "10.0.0.1"),
        ("COPYDESK_ADMIN__LISTEN", "localhost"),
        ("COPYDESK_KAFKA__PROPERTIES__GROUP_ID", "desk"),
    ];
    let args =
        ["--set", "pipeline.stage_budget_ms=0", "--set", "log.filter=infoo", "--set", "verbose"];
    check_faults(
        file,
        &args,
        &environment,
        expect![[r#"
            copydesk: 14 faults in the configuration
              desk.toml:3: kafka.brokers is ["kafka-1:9092", "kafka-2"]; expected host:port, at least one
              desk.toml:4: kafka.session_timeout_ms is "ten seconds"; expected an integer from 6000 to 1800000
              desk.toml:5: unknown key kafka.grupo; did you mean kafka.group?
              desk.toml:8: output.topic is "articles.raw"; expected another topic than input.topic: the service would read what it wrote
              desk.toml:9: output.offset_units is ["utf32"]; expected any of "utf8", "utf16" and "source", or none
              desk.toml:12: unknown key metrics.port
              desk.toml:15: pipeline.inflight_bytes_max is 1000000; expected at least input.article_bytes_max: the largest article would never get in
              COPYDESK_ADMIN__LISTEN: admin.listen is "localhost"; expected an IP address and port such as "127.0.0.1:9464", or "off"
              COPYDESK_KAFKA_GROUP: unknown key COPYDESK_KAFKA_GROUP; did you mean COPYDESK_KAFKA__GROUP?
              COPYDESK_KAFKA__INSTANZ: unknown key kafka.instanz; did you mean kafka.instance?
              COPYDESK_KAFKA__PROPERTIES__GROUP_ID: kafka.properties.group.id is (redacted); expected to be set as kafka.group
              --set: "verbose" has no value; expected section.key=value
              --set: log.filter is "infoo"; expected levels, by module where they differ, such as "info,copydesk=debug"
              --set: pipeline.stage_budget_ms is "0"; expected an integer from 1 to 600000
        "#]],
    );
}

#[test]
fn syntax_errors_have_their_line() {
    check_faults(
        "[kafka]\ngroup = desk\n\n[log\nfilter = \"info\"\n",
        &[],
        &[],
        expect![[r#"
        copydesk: 2 faults in the configuration
          desk.toml:2: string values must be quoted, expected literal string
          desk.toml:4: unclosed table, expected `]`
    "#]],
    );
    check_faults(
        "kafka = 3\n[log.filter]\nx = 1\n",
        &[],
        &[],
        expect![[r#"
        copydesk: 2 faults in the configuration
          desk.toml:1: kafka is 3; expected a table of settings
          desk.toml:3: unknown key log.filter.x; did you mean log.filter?
    "#]],
    );
}

#[test]
fn durations_that_do_not_go_together_are_refused() {
    let file = "[pipeline]\ndrain_timeout_ms = 400\ncommit_interval_ms = 400\n[admin]\nstall_timeout_ms = 1000\n";
    check_faults(
        file,
        &["--set", "pipeline.stage_budget_ms=500"],
        &[],
        expect![[r#"
        copydesk: 2 faults in the configuration
          desk.toml:3: pipeline.commit_interval_ms is 400; expected less than pipeline.drain_timeout_ms: a shutdown could not wait for it
          --set: pipeline.stage_budget_ms is 500; expected less than pipeline.drain_timeout_ms: a shutdown could not wait for it
    "#]],
    );
    let file = "[pipeline]\ndrain_timeout_ms = 60_000\n";
    check_faults(
        file,
        &[],
        &[],
        expect![[r#"
        copydesk: 1 fault in the configuration
          default: admin.stall_timeout_ms is 60000; expected more than pipeline.drain_timeout_ms: a service that drains would be restarted
    "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "the whole configuration as it is shown")]
fn flags_win_over_the_environment_over_the_file() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let file = "[kafka]\nbrokers = [\"file:9092\"]\ngroup = \"file\"\ninstance = \"file\"\n[log]\nfilter = \"warn\"\n";
    fs::write(folder.path().join("config/copydesk.toml"), file).unwrap();
    let environment = [
        ("COPYDESK_KAFKA__GROUP", "environment"),
        ("COPYDESK_KAFKA__INSTANCE", "environment"),
        ("COPYDESK_KAFKA__PROPERTIES__SASL_PASSWORD", "hunter2"),
        ("COPYDESK_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "sasl_ssl"),
        ("COPYDESK_PIPELINE__COMPUTE_THREADS", "1"),
    ];
    let args = [
        "check",
        "--offline",
        "--set",
        "kafka.instance=flag",
        "--set",
        "admin.listen=off",
        "--set",
        "output.offset_units=utf8,utf16",
        "--set",
        "kafka.properties.client.rack=b",
    ];
    let ran = run_in(folder.path(), &args, &environment);
    assert_eq!(ran.code, 0, "{ran:?}");
    expect![[r##"
        # The configuration in force; behind each value stands where it comes from.

        [kafka]
        brokers = ["file:9092"]                          # config/copydesk.toml:2
        group = "environment"                            # COPYDESK_KAFKA__GROUP
        instance = "flag"                                # --set
        delivery = "exactly_once"                        # default
        group_protocol = "classic"                       # default
        session_timeout_ms = 10000                       # default
        prefetch_bytes_max = 4194304                     # default

        [kafka.properties]
        "client.rack" = "b"                              # --set
        "sasl.password" = "(redacted)"                   # COPYDESK_KAFKA__PROPERTIES__SASL_PASSWORD
        "security.protocol" = "sasl_ssl"                 # COPYDESK_KAFKA__PROPERTIES__SECURITY_PROTOCOL

        [input]
        topic = "articles.raw"                           # default
        format = "auto"                                  # default
        article_bytes_max = 1048576                      # default

        [output]
        topic = "articles.enriched"                      # default
        dead_letter_topic = "articles.dead"              # default
        offset_units = ["utf8", "utf16"]                 # --set
        retraction = "record"                            # default
        changes = true                                   # default

        [state]
        topic = "articles.state"                         # default
        bytes_max = 67108864                             # default

        [pipeline]
        compute_threads = 1                              # COPYDESK_PIPELINE__COMPUTE_THREADS
        inflight_records_max = 256                       # default
        inflight_bytes_max = 33554432                    # default
        stage_budget_ms = 2000                           # default
        commit_interval_ms = 100                         # default
        transaction_records_max = 500                    # default
        transaction_bytes_max = 16777216                 # default
        drain_timeout_ms = 20000                         # default

        [model]
        file = ""                                        # default

        [admin]
        listen = "off"                                   # --set
        stall_timeout_ms = 60000                         # default

        [log]
        format = "auto"                                  # default
        filter = "warn"                                  # config/copydesk.toml:6

        [tracing]
        otlp_endpoint = ""                               # default
        sample_ratio = 1.0                               # default
        service_name = "copydesk"                        # default
        timeout_ms = 5000                                # default
        queue_spans_max = 4096                           # default
        ca_file = ""                                     # default

    "##]].assert_eq(&ran.stdout);
    expect![[r#"
        note: admin.listen is "off": there are no metrics and no health checks
        ok: the configuration is valid
    "#]]
    .assert_eq(&ran.stderr);
}

#[test]
fn what_check_prints_can_be_read_back() {
    let folder = TempDir::new().unwrap();
    let ran = run(&["check", "--offline", "--set", "kafka.properties.client.rack=b"], &[]);
    fs::write(folder.path().join("printed.toml"), &ran.stdout).unwrap();
    let again = run_in(folder.path(), &["check", "--offline", "--config", "printed.toml"], &[]);
    assert_eq!(again.code, 0, "{again:?}");
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split('#').next().unwrap().trim().to_owned()).collect()
    };
    assert_eq!(values(&again.stdout), values(&ran.stdout));
}

#[test]
fn secrets_are_never_shown() {
    let environment = [
        ("COPYDESK_KAFKA__PROPERTIES__SASL_PASSWORD", "hunter2"),
        ("COPYDESK_KAFKA__PROPERTIES__SSL_KEY_PASSWRD", "hunter2"),
        ("COPYDESK_KAFKA__PROPERTIES__SASL_OAUTHBEARER_CLIENT_SECRET", "hunter2"),
    ];
    // The second is no property of librdkafka's, which would repeat its value.
    let ran = run(&["check", "--offline"], &environment);
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.stderr.contains("ssl.key.passwrd"), "{ran:?}");
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!shown.contains("hunter2"), "{ran:?}");
    let ran = run(&["check", "--offline", "--set", "kafka.sasl_password=hunter2"], &[]);
    assert!(ran.code == 64 && !ran.stderr.contains("hunter2"), "{ran:?}");
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let folder = TempDir::new().unwrap();
    let mut child = command(folder.path(), &["schema"])
        .stdout(Stdio::from(writer))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn check_reaches_brokers_and_topics() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.create_topic("articles.raw", 12, 1).unwrap();
    cluster.create_topic("articles.enriched", 1, 1).unwrap();
    cluster.create_topic("articles.state", 1, 1).unwrap();
    let brokers = format!("kafka.brokers={}", cluster.bootstrap_servers());
    let instance = "kafka.instance=desk-1";
    let ran = run(&["check", "--set", &brokers, "--set", instance], &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    expect![[r#"
        ok: the configuration is valid
        ok: reached 2 brokers
        ok: topic articles.raw has 12 partitions
        ok: topic articles.enriched has 1 partition
        failed: topic articles.dead: does not exist
        failed: topic articles.state has 1 partition, and needs 12 partitions like articles.raw
    "#]]
    .assert_eq(&ran.stderr);

    cluster.create_topic("articles.dead", 1, 1).unwrap();
    cluster.create_topic("desk.state", 12, 1).unwrap();
    let state = "state.topic=desk.state";
    let ran = run(&["check", "--set", &brokers, "--set", instance, "--set", state], &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn check_says_why_no_broker_answers() {
    // Bound and closed again: nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = run(&["check", "--set", &format!("kafka.brokers={address}")], &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(&format!("failed: no broker answers at {address}\n")), "{ran:?}");
    assert!(ran.stderr.contains("Connection refused"), "{ran:?}");
}
