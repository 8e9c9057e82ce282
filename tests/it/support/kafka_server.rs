//! A real Apache Kafka for tests: one node or a cluster, KRaft, fetched by Maven, on free ports, gone with its owner.

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
    nodes: Vec<Node>,
    jars: PathBuf,
    pub(crate) brokers: String,
}

/// Broker and controller in one process.
struct Node {
    /// `None` while it is down.
    process: Option<Child>,
    folder: TempDir,
    address: String,
    /// TLS and SCRAM: see [`SECRET`].
    secure_address: String,
    /// PLAIN without TLS: see [`PLAIN_SECRET`].
    plain_address: String,
}

/// Password of the users `desk`, who may do everything, and `guest`, who may do nothing.
pub(crate) const SECRET: &str = "hunter2-hunter2";

/// Password of the user `desk` where SASL PLAIN is spoken.
pub(crate) const PLAIN_SECRET: &str = "swordfish-swordfish";

/// For clients, controllers, clients with TLS and SCRAM, clients with PLAIN.
const PORTS_PER_NODE: usize = 4;

/// Of the keystore.
const STORE_SECRET: &str = "changeit";

impl KafkaServer {
    /// Fetches what is not there yet, and starts a broker; `None`, with one line on standard error, without Java or
    /// Maven. With `CI` set that is a failure.
    pub(crate) fn start() -> Option<Self> {
        Self::start_cluster(1)
    }

    /// The same with several nodes; all of up to three keep every record.
    pub(crate) fn start_cluster(n_nodes: usize) -> Option<Self> {
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
        let ports = free_ports(PORTS_PER_NODE * n_nodes);
        let nodes: Vec<_> = (0..n_nodes)
            .map(|index| {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path();
                fs::write(path.join("server.properties"), properties(path, index, &ports)).unwrap();
                make_certificate(path);
                format(&jars, path);
                let [address, secure_address, plain_address] = [0, 2, 3]
                    .map(|port| format!("127.0.0.1:{}", ports[PORTS_PER_NODE * index + port]));
                let process = Some(launch(&jars, path));
                Node { process, folder, address, secure_address, plain_address }
            })
            .collect();
        let addresses: Vec<_> = nodes.iter().map(|node| node.address.as_str()).collect();
        let brokers = addresses.join(",");
        let mut server = Self { nodes, jars, brokers };
        for index in 0..n_nodes {
            server.wait_until_ready(index);
        }
        Some(server)
    }

    /// The first broker's address for TLS and SCRAM, and the file with the certificate to trust.
    pub(crate) fn secured(&self) -> (&str, PathBuf) {
        let node = &self.nodes[0];
        (&node.secure_address, node.folder.path().join("certificate.pem"))
    }

    /// The first broker's address for SASL PLAIN without TLS.
    pub(crate) fn plain(&self) -> &str {
        &self.nodes[0].plain_address
    }

    /// Kills the first broker; what it has acknowledged is on its disk.
    pub(crate) fn kill(&mut self) {
        self.end(0, "KILL");
    }

    /// Starts the first broker again, on the same ports with the same data.
    pub(crate) fn restart(&mut self) {
        self.launch(0);
        self.wait_until_ready(0);
    }

    /// Ends a node by a signal, and waits for its end: with TERM it hands its partitions over first.
    pub(crate) fn end(&mut self, index: usize, signal: &str) {
        let mut process = self.nodes[index].process.take().unwrap();
        send_signal(&process, signal);
        process.wait().unwrap();
    }

    /// Sends a signal to a node that is running: STOP cuts it off without a word, CONT brings it back.
    pub(crate) fn signal(&self, index: usize, signal: &str) {
        send_signal(self.nodes[index].process.as_ref().unwrap(), signal);
    }

    /// Starts a node again, without waiting for it; one that was told to end is waited for.
    pub(crate) fn launch(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if let Some(mut process) = node.process.take() {
            process.wait().unwrap();
        }
        node.process = Some(launch(&self.jars, node.folder.path()));
    }

    pub(crate) fn create_topic(&self, name: &str, n_partitions: i32, properties: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let topic = properties.iter().fold(
            NewTopic::new(name, n_partitions, TopicReplication::Fixed(self.replication())),
            |topic, (key, value)| topic.set(key, value),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let created =
            runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
        created[0].as_ref().unwrap();
    }

    pub(crate) fn wait_until_ready(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let client: BaseConsumer = client(&node.address).create().unwrap();
        let until = Instant::now() + START_TIMEOUT;
        while client.fetch_metadata(None, Duration::from_secs(1)).is_err() {
            let ended = node.process.as_mut().unwrap().try_wait().unwrap();
            let log = || fs::read_to_string(node.folder.path().join("server.log"));
            assert!(
                ended.is_none() && Instant::now() < until,
                "Kafka does not start:\n{}",
                log().unwrap_or_default()
            );
        }
    }

    fn replication(&self) -> i32 {
        i32::try_from(self.nodes.len().min(3)).unwrap()
    }

    fn client(&self) -> ClientConfig {
        client(&self.brokers)
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config.set_log_level(rdkafka::config::RDKafkaLogLevel::Critical);
    config
}

fn send_signal(process: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &process.id().to_string()]).status();
    assert!(status.unwrap().success());
}

impl Drop for KafkaServer {
    fn drop(&mut self) {
        // Its data is thrown away, so it need not stop in order.
        for process in self.nodes.iter_mut().filter_map(|node| node.process.as_mut()) {
            drop(process.kill());
            drop(process.wait());
        }
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

fn free_ports(n: usize) -> Vec<u16> {
    // All are held until all are known.
    let listeners: Vec<_> = (0..n).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// A key pair of its own for a node, in a keystore, and its certificate for clients.
fn make_certificate(folder: &Path) {
    let keytool = |arguments: &[&str]| {
        let output = Command::new("keytool")
            .args(arguments)
            .args(["-alias", "broker", "-storepass", STORE_SECRET, "-keystore"])
            .arg(folder.join("keystore.p12"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let names = ["-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1", "-validity", "30"];
    keytool(&[&["-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12"], &names[..]].concat());
    let certificate = folder.join("certificate.pem");
    keytool(&["-exportcert", "-rfc", "-file", certificate.to_str().unwrap()]);
}

/// Of the node at `index`; `ports` are [`PORTS_PER_NODE`] a node.
fn properties(folder: &Path, index: usize, ports: &[u16]) -> String {
    let data = folder.join("data");
    let [port, controller_port, secure_port, plain_port] =
        [0, 1, 2, 3].map(|port| ports[PORTS_PER_NODE * index + port]);
    let keystore = folder.join("keystore.p12");
    let voters: Vec<_> = ports
        .chunks(PORTS_PER_NODE)
        .zip(1..)
        .map(|(ports, id)| format!("{id}@127.0.0.1:{}", ports[1]))
        .collect();
    let replication = voters.len().min(3);
    let in_sync = if replication > 1 { replication - 1 } else { 1 };
    format!(
        "process.roles=broker,controller
node.id={}
controller.quorum.voters={}
listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure_port},PLAIN://127.0.0.1:{plain_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure_port},PLAIN://127.0.0.1:{plain_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,PLAIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.secure.ssl.keystore.location={}
listener.name.secure.ssl.keystore.password={STORE_SECRET}
listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.plain.sasl.enabled.mechanisms=PLAIN
listener.name.plain.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_desk=\"{PLAIN_SECRET}\";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:desk
log.dirs={}
auto.create.topics.enable=false
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replication}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replication}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
share.coordinator.state.topic.replication.factor={replication}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=1000
broker.session.timeout.ms=6000
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
",
        index + 1,
        voters.join(","),
        keystore.display(),
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
        .args(["kafka.tools.StorageTool", "format", "-t", "Y29weWRlc2stdGVzdHMtMQ"])
        .args(
            ["desk", "guest"]
                .map(|user| format!("--add-scram=SCRAM-SHA-512=[name={user},password={SECRET}]")),
        )
        .arg("-c")
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
