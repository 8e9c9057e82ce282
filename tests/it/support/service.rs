//! `copydesk serve` as a process, as a supervisor would run it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(90);

pub(crate) struct Service {
    process: Child,
    folder: TempDir,
}

impl Service {
    /// Starts it with these settings (`section.key=value`) over the defaults.
    pub(crate) fn start(settings: &[String]) -> Self {
        Self::start_with(settings, &[])
    }

    /// The same, with more in its environment.
    pub(crate) fn start_with(settings: &[String], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
        // Without a configuration file nearby.
        command.current_dir(folder.path()).arg("serve").envs(environment.iter().copied());
        let fixed = ["log.format=json".to_owned(), "admin.listen=127.0.0.1:0".to_owned()];
        for setting in fixed.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { process, folder }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// One right after the other: an idle service takes only milliseconds to end.
    pub(crate) fn signals(&self, names: &[&str]) {
        let pid = self.process.id();
        let script: String = names.iter().map(|name| format!("kill -s {name} {pid};")).collect();
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// SIGTERM, and wait for the end.
    pub(crate) fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.end()
    }

    pub(crate) fn end(mut self) -> ExitStatus {
        self.wait()
    }

    /// Waits for its end; its log can still be read then.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the service does not end");
            pause();
        }
    }

    /// The answer to a GET request: status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let address = self.wait_for_log("admin server listens");
        let address = address["address"].as_str().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: copydesk\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// The most memory that it has held so far (Linux).
    #[allow(dead_code, reason = "the benchmark uses it")]
    pub(crate) fn memory_peak_mib(&self) -> f64 {
        self.memory("VmHWM:")
    }

    /// The memory that it holds now (Linux).
    pub(crate) fn memory_mib(&self) -> f64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// The first log line with this message, as soon as there is one.
    pub(crate) fn wait_for_log(&self, message: &str) -> serde_json::Value {
        let until = Instant::now() + TIMEOUT;
        loop {
            let found = self.log().lines().find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).ok()?;
                (line["message"] == message).then_some(line)
            });
            if let Some(found) = found {
                return found;
            }
            assert!(Instant::now() < until, "no log line {message:?}");
            pause();
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            eprintln!("the service's log:\n{}", self.log());
        }
    }
}

/// Between two looks at something outside this process.
pub(crate) fn pause() {
    std::thread::park_timeout(Duration::from_millis(20));
}
