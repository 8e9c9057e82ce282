//! A real Apache Kafka for tests: one node, KRaft, fetched by Maven, on free ports, gone with its owner.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tempfile::TempDir;

/// From starting Java to the first answer; cached it takes 4 s on an idle machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Small and quick to start: a serial collector, and no second compiler.
const JAVA_OPTIONS: [&str; 4] =
    ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

pub(crate) struct KafkaServer {
    process: Child,
    jars: PathBuf,
    folder: TempDir,
    pub(crate) brokers: String,
}

impl KafkaServer {
    /// Fetches what is not there yet, and starts a broker; `None`, with one line on standard error, without Java or
    /// Maven. With `CI` set that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let missing: Vec<_> =
            [("java", "-version"), ("mvn", "-version")].into_iter().filter(is_missing).collect();
        if !missing.is_empty() {
            let names = missing.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
            assert!(
                std::env::var_os("CI").is_none(),
                "{names} missing, and with CI set nothing is skipped"
            );
            eprintln!("skipped: no {names}, so Apache Kafka cannot be started");
            return None;
        }
        let jars = fetch();
        let folder = tempfile::tempdir().unwrap();
        let [port, controller_port] = free_ports();
        let brokers = format!("127.0.0.1:{port}");
        fs::write(
            folder.path().join("server.properties"),
            properties(folder.path(), port, controller_port),
        )
        .unwrap();
        format(&jars, folder.path());
        let process = launch(&jars, folder.path());
        let mut server = Self { process, jars, folder, brokers };
        server.wait_until_ready();
        Some(server)
    }

    /// Kills the broker; what it has acknowledged is on its disk.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts a killed broker again, on the same ports with the same data.
    pub(crate) fn restart(&mut self) {
        self.process = launch(&self.jars, self.folder.path());
        self.wait_until_ready();
    }

    pub(crate) fn create_topic(&self, name: &str, n_partitions: i32, properties: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let topic = properties.iter().fold(
            NewTopic::new(name, n_partitions, TopicReplication::Fixed(1)),
            |topic, (key, value)| topic.set(key, value),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let created =
            runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
        created[0].as_ref().unwrap();
    }

    fn wait_until_ready(&mut self) {
        let client: BaseConsumer = self.client().create().unwrap();
        let until = Instant::now() + START_TIMEOUT;
        while client.fetch_metadata(None, Duration::from_secs(1)).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "Kafka does not start:\n{}",
                self.log()
            );
        }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Critical);
        config
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for KafkaServer {
    fn drop(&mut self) {
        // Its data is thrown away, so it need not stop in order.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn is_missing((program, argument): &(&str, &str)) -> bool {
    let status =
        Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    !status.is_ok_and(|status| status.success())
}

/// The folder with Kafka's jars, for the versions that `pom.xml` names. Cold, Maven needs a minute or more.
fn fetch() -> PathBuf {
    let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/kafka/pom.xml");
    let jars = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kafka");
    let fetched = jars.join("pom.xml");
    if fs::read(&fetched).is_ok_and(|found| found == fs::read(&pom).unwrap()) {
        return jars;
    }
    drop(fs::remove_dir_all(&jars));
    let output = Command::new("mvn")
        .args([
            "--quiet",
            "--batch-mode",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            "--file",
        ])
        .arg(&pom)
        .arg(format!("-DoutputDirectory={}", jars.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "Maven cannot fetch Apache Kafka:\n{said}");
    fs::copy(&pom, &fetched).unwrap();
    jars
}

fn free_ports() -> [u16; 2] {
    // Both are held until both are known.
    let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn properties(folder: &Path, port: u16, controller_port: u16) -> String {
    let data = folder.join("data");
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=8388608
",
        data.display()
    )
}

fn java(jars: &Path) -> Command {
    let log_settings =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/kafka/log4j2.properties");
    let mut java = Command::new("java");
    java.args(JAVA_OPTIONS)
        .arg(format!("-Dlog4j2.configurationFile={}", log_settings.display()))
        .arg("-cp")
        .arg(jars.join("*"));
    java
}

fn format(jars: &Path, folder: &Path) {
    let output = java(jars)
        .args(["kafka.tools.StorageTool", "format", "-t", "Y29weWRlc2stdGVzdHMtMQ", "-c"])
        .arg(folder.join("server.properties"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Kafka's storage cannot be formatted:\n{said}");
}

fn launch(jars: &Path, folder: &Path) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
    java(jars)
        .arg("kafka.Kafka")
        .arg(folder.join("server.properties"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}
