//! The service under faults, on a cluster of three real brokers.
//!
//! Each schedule is random, from a seed that is printed; `COPYDESK_FAULT_SEED=N COPYDESK_FAULT_SCHEDULES=1` runs one
//! again. Articles, broken ones among them, are written while instances are killed, frozen, restarted, join and leave,
//! and brokers are killed, restarted and frozen. Every record must come out, exactly once or at least once as
//! configured, in order.

mod checker;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::kafka_server::KafkaServer;
use crate::support::service::Service;
use crate::support::take_turn;
use crate::support::topics::{Message, Reader, Writer};
use checker::{Output, Promise, defects};
use schedule::{Fault, Group, N_BROKERS, N_SLOTS, Schedule};

const N_PARTITIONS: i32 = 4;

/// For a schedule to come to its end, from its last fault on: sessions, transactions and brokers have ended many times
/// by then.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Written before the first fault, and waited for: faults are to hit instances that are at work.
const N_FIRST: u32 = 40;

/// Written one by one while faults begin.
const N_RECORDS: u32 = 440;

/// So that they are written over all faults that begin.
const WRITE_PAUSE: Duration = Duration::from_millis(10);

/// After the last record came out: for doubles that come late.
const SILENCE: Duration = Duration::from_millis(500);

#[test]
fn random_faults_neither_lose_nor_double_nor_reorder() {
    let number = |name: &str| std::env::var_os(name)?.to_str()?.parse::<u64>().ok();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let first = number("COPYDESK_FAULT_SEED").unwrap_or(now);
    let n_schedules = number("COPYDESK_FAULT_SCHEDULES").unwrap_or(20);
    let _turn = take_turn();
    let Some(mut server) = KafkaServer::start_cluster(N_BROKERS) else { return };
    for seed in first..first + n_schedules {
        let schedule = Schedule::random(seed);
        say(&schedule.to_string());
        let report = Run::new(&mut server, &schedule, &format!("seed-{seed}")).run();
        say(&format!("  {report}"));
    }
}

/// Each fault by itself, with both promises: the table of docs/reliability.md. Runs when it is asked for.
#[test]
fn each_fault_by_itself() {
    if std::env::var_os("COPYDESK_FAULT_MATRIX").is_none() {
        eprintln!(
            "skipped: COPYDESK_FAULT_MATRIX is not set; the random schedules have every fault"
        );
        return;
    }
    let _turn = take_turn();
    let Some(mut server) = KafkaServer::start_cluster(N_BROKERS) else { return };
    let seconds = Duration::from_secs;
    let rolling = [0, 1].map(|slot| Fault::InstanceRestarted(slot, seconds(0)));
    let plans: [(&str, &[Fault]); 11] = [
        ("killed, started again at once", &[Fault::InstanceKilled(0, seconds(0))]),
        ("killed, started again after 30 s", &[Fault::InstanceKilled(0, seconds(30))]),
        ("both restarted, one after the other", &rolling),
        ("frozen for 3 s", &[Fault::InstanceFrozen(0, seconds(3))]),
        ("frozen for 9 s: a zombie", &[Fault::InstanceFrozen(0, seconds(9))]),
        ("a third instance joins", &[Fault::InstanceJoins]),
        ("one of two leaves", &[Fault::InstanceLeaves(0)]),
        ("a broker killed, started again after 2 s", &[Fault::BrokerKilled(0, seconds(2))]),
        ("a broker restarted: leaders move", &[Fault::BrokerRestarted(0, seconds(2))]),
        ("a broker frozen for 5 s: network cut", &[Fault::BrokerFrozen(0, seconds(5))]),
        ("a broker frozen for 12 s", &[Fault::BrokerFrozen(0, seconds(12))]),
    ];
    let mut n = 0;
    for (what, faults) in plans {
        for (promise, group) in [
            (Promise::ExactlyOnce, Group::Named),
            (Promise::ExactlyOnce, Group::Nameless),
            (Promise::ExactlyOnce, Group::Consumer),
            (Promise::AtLeastOnce, Group::Named),
        ] {
            n += 1;
            let schedule = Schedule::planned(faults, promise, group);
            let report = Run::new(&mut server, &schedule, &format!("planned-{n}")).run();
            let Report { n_doubled, n_restarts, longest_gap, .. } = report;
            let gap = longest_gap.as_secs_f64();
            say(&format!(
                "| {what} | {promise:?}, {group:?} | {n_doubled} | {gap:.1} s | {n_restarts} |"
            ));
        }
    }
}

/// To the test's own standard error, which shows whether or not it passes.
fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").unwrap();
}

/// One schedule on its way.
struct Run<'a> {
    server: &'a mut KafkaServer,
    schedule: &'a Schedule,
    name: &'a str,
    slots: [Option<Service>; N_SLOTS],
    /// What ends or undoes a fault, and when.
    repairs: Vec<(Instant, Repair)>,
    /// Told to end, and when they have ended to be started again.
    leaving: Vec<(Service, Option<(usize, Duration)>)>,
    launched: Vec<usize>,
    /// Of instances that are gone.
    past_logs: Vec<String>,
    n_restarts: usize,
    repaired_at: Instant,
}

#[derive(Debug, Clone, Copy)]
enum Repair {
    Start(usize),
    Thaw(usize),
    LaunchBroker(usize),
    ThawBroker(usize),
}

/// How a run went that had no defects.
#[derive(Debug)]
struct Report {
    n_records: usize,
    n_doubled: usize,
    /// Instances that ended by themselves and were started again.
    n_restarts: usize,
    /// Longest time in which no record of some input partition came out.
    longest_gap: Duration,
    recovered_in: Duration,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { n_records, n_doubled, n_restarts, longest_gap, recovered_in } = self;
        write!(
            f,
            "{n_records} records, {n_doubled} doubled, {n_restarts} restarted; longest gap {:.1} s, all out {:.1} s \
             after the last repair",
            longest_gap.as_secs_f64(),
            recovered_in.as_secs_f64()
        )
    }
}

impl<'a> Run<'a> {
    fn new(server: &'a mut KafkaServer, schedule: &'a Schedule, name: &'a str) -> Self {
        for kind in ["raw", "enriched", "dead"] {
            server.create_topic(&format!("{name}.{kind}"), N_PARTITIONS, &[]);
        }
        let compacted = [("cleanup.policy", "compact")];
        server.create_topic(&format!("{name}.state"), N_PARTITIONS, &compacted);
        let now = Instant::now();
        let mut run = Self {
            server,
            schedule,
            name,
            slots: [const { None }; N_SLOTS],
            repairs: Vec::new(),
            leaving: Vec::new(),
            launched: Vec::new(),
            past_logs: Vec::new(),
            n_restarts: 0,
            repaired_at: now,
        };
        for slot in 0..schedule.n_instances {
            run.start(slot);
        }
        run
    }

    fn topic(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }

    fn run(mut self) -> Report {
        let brokers = self.server.brokers.clone();
        let mut outlet = Outlet::new(&brokers, self.name);
        let writer = Writer::start(&brokers, &self.topic("raw"));
        (0..N_FIRST).for_each(|n| writer.send(&message(n)));
        let mut n_written = N_FIRST;
        self.wait_for(&mut outlet, &writer, n_written);
        outlet.longest_gap = Duration::ZERO;

        let begun_at = Instant::now();
        let mut faults = self.schedule.faults.clone().into_iter().peekable();
        while n_written < N_RECORDS || faults.peek().is_some() {
            let now = Instant::now();
            while let Some((_, fault)) = faults.next_if(|(at, _)| begun_at + *at <= now) {
                self.inflict(fault);
            }
            if n_written < N_RECORDS && begun_at + WRITE_PAUSE * (n_written - N_FIRST) <= now {
                writer.send(&message(n_written));
                n_written += 1;
            }
            self.turn(&mut outlet, &writer);
        }
        self.wait_for(&mut outlet, &writer, n_written);
        let recovered_in = outlet.last_at().saturating_duration_since(self.repaired_at);
        writer.flush();
        self.stop();
        outlet.finish();

        let inputs = inputs(&brokers, &self.topic("raw"));
        assert!(inputs.len() >= n_written as usize, "the writer lost records");
        let defects = defects(&inputs, &outlet.outputs, self.schedule.promise);
        assert!(defects.is_empty(), "{defects:?} in {}\n{}", self.schedule, self.logs());
        Report {
            n_records: inputs.len(),
            n_doubled: outlet.outputs.len() - inputs.len(),
            n_restarts: self.n_restarts,
            longest_gap: outlet.longest_gap,
            recovered_in,
        }
    }

    /// Until this many records came out, and nothing is left to repair.
    fn wait_for(&mut self, outlet: &mut Outlet, writer: &Writer, n: u32) {
        let begun_at = Instant::now();
        while outlet.seen.len() < n as usize || !self.repairs.is_empty() || !self.leaving.is_empty()
        {
            self.turn(outlet, writer);
            let deadline = self.repaired_at.max(begun_at) + TIMEOUT;
            let n_seen = outlet.seen.len();
            let tell = || {
                let running = self.slots.iter().flatten();
                let metrics: Vec<_> = running.map(|service| service.get("/metrics").1).collect();
                let of = |partition| outlet.seen.range((partition, 0)..(partition + 1, 0)).count();
                let seen: Vec<_> = (0..N_PARTITIONS).map(of).collect();
                let schedule = self.schedule;
                let (logs, metrics) = (self.logs(), metrics.join("\n---\n"));
                format!(
                    "{n_seen} of {n} came out, {seen:?} by partition: {schedule}\n{logs}\n{metrics}"
                )
            };
            assert!(Instant::now() < deadline, "{}", tell());
        }
    }

    fn turn(&mut self, outlet: &mut Outlet, writer: &Writer) {
        self.repair_and_supervise();
        writer.poll();
        outlet.read();
    }

    /// Everyone drains. One that was frozen for long may find its last transaction ended by the brokers, and say so by
    /// its exit code.
    fn stop(&mut self) {
        let services: Vec<_> = self.slots.iter_mut().filter_map(Option::take).collect();
        services.iter().for_each(|service| service.signal("TERM"));
        for mut service in services {
            service.wait();
            self.past_logs.push(service.log());
        }
        for &broker in &self.launched {
            self.server.wait_until_ready(broker);
        }
    }

    fn inflict(&mut self, fault: Fault) {
        let now = Instant::now();
        match fault {
            Fault::InstanceKilled(slot, pause) => {
                if let Some(service) = self.take(slot) {
                    self.past_logs.push(service.log());
                    service.kill();
                    self.repairs.push((now + pause, Repair::Start(slot)));
                }
            }
            Fault::InstanceRestarted(slot, pause) => {
                if let Some(service) = self.take(slot) {
                    service.signal("TERM");
                    self.leaving.push((service, Some((slot, pause))));
                }
            }
            Fault::InstanceFrozen(slot, pause) => {
                if let Some(service) = &self.slots[slot] {
                    service.signal("STOP");
                    self.repairs.push((now + pause, Repair::Thaw(slot)));
                }
            }
            Fault::InstanceJoins => {
                let is_free =
                    |&slot: &usize| self.slots[slot].is_none() && !self.is_in_repair(slot);
                if let Some(slot) = (0..N_SLOTS).find(is_free) {
                    self.start(slot);
                }
            }
            Fault::InstanceLeaves(slot) => {
                if self.slots.iter().flatten().count() > 1
                    && let Some(service) = self.take(slot)
                {
                    service.signal("TERM");
                    self.leaving.push((service, None));
                }
            }
            Fault::BrokerKilled(broker, pause) => {
                self.server.end(broker, "KILL");
                self.repairs.push((now + pause, Repair::LaunchBroker(broker)));
            }
            Fault::BrokerRestarted(broker, pause) => {
                self.server.signal(broker, "TERM");
                self.repairs.push((now + pause, Repair::LaunchBroker(broker)));
            }
            Fault::BrokerFrozen(broker, pause) => {
                self.server.signal(broker, "STOP");
                self.repairs.push((now + pause, Repair::ThawBroker(broker)));
            }
        }
    }

    /// An instance to be ended; not one that is frozen, since it could not be.
    fn take(&mut self, slot: usize) -> Option<Service> {
        if self.is_in_repair(slot) { None } else { self.slots[slot].take() }
    }

    fn is_in_repair(&self, slot: usize) -> bool {
        self.repairs.iter().any(|(_, repair)| match repair {
            Repair::Start(other) | Repair::Thaw(other) => *other == slot,
            Repair::LaunchBroker(_) | Repair::ThawBroker(_) => false,
        }) || self.leaving.iter().any(|(_, next)| next.is_some_and(|(other, _)| other == slot))
    }

    fn repair_and_supervise(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.repairs).into_iter().partition(|(at, _)| *at <= now);
        self.repairs = later;
        for (_, repair) in due {
            match repair {
                Repair::Start(slot) => self.start(slot),
                Repair::Thaw(slot) => {
                    if let Some(service) = &self.slots[slot] {
                        service.signal("CONT");
                    }
                }
                Repair::LaunchBroker(broker) => {
                    self.server.launch(broker);
                    self.launched.push(broker);
                }
                Repair::ThawBroker(broker) => self.server.signal(broker, "CONT"),
            }
            self.repaired_at = Instant::now();
        }
        // How they ended makes no difference: brokers may be gone.
        for (mut service, next) in std::mem::take(&mut self.leaving) {
            if service.is_running() {
                self.leaving.push((service, next));
                continue;
            }
            self.past_logs.push(service.log());
            match next {
                Some((slot, pause)) => self.repairs.push((now + pause, Repair::Start(slot))),
                None => self.repaired_at = now,
            }
        }
        for slot in 0..N_SLOTS {
            let has_ended = self.slots[slot].as_mut().is_some_and(|service| !service.is_running());
            if has_ended {
                let log = self.slots[slot].take().map(|service| service.log()).unwrap_or_default();
                say(&format!("  ended by itself: {}", log.lines().last().unwrap_or_default()));
                self.past_logs.push(log);
                self.n_restarts += 1;
                self.start(slot);
            }
        }
    }

    fn start(&mut self, slot: usize) {
        let name = self.name;
        let delivery = match self.schedule.promise {
            Promise::ExactlyOnce => "exactly_once",
            Promise::AtLeastOnce => "at_least_once",
        };
        let mut settings = vec![
            format!("kafka.brokers={}", self.server.brokers),
            format!("kafka.group={name}"),
            format!("kafka.delivery={delivery}"),
            "kafka.session_timeout_ms=6000".to_owned(),
            format!("input.topic={name}.raw"),
            format!("output.topic={name}.enriched"),
            format!("output.dead_letter_topic={name}.dead"),
            format!("state.topic={name}.state"),
            "pipeline.compute_threads=1".to_owned(),
        ];
        if self.schedule.promise == Promise::ExactlyOnce {
            // Short, so that what a killed instance has left open ends soon; longer than a broker takes to be missed.
            settings.push("kafka.properties.transaction.timeout.ms=12000".to_owned());
        }
        match self.schedule.group {
            Group::Named => settings.push(format!("kafka.instance={name}-{slot}")),
            Group::Nameless => {}
            Group::Consumer => settings.push("kafka.group_protocol=consumer".to_owned()),
        }
        // What the client does, in its own words.
        if let Some(contexts) = std::env::var_os("COPYDESK_FAULT_DEBUG") {
            settings.push(format!("kafka.properties.debug={}", contexts.display()));
            settings.push("log.filter=info,librdkafka=debug".to_owned());
        }
        self.slots[slot] = Some(Service::start(&settings));
    }

    fn logs(&self) -> String {
        let running = self.slots.iter().flatten().map(Service::log);
        let logs: Vec<_> = self.past_logs.iter().cloned().chain(running).collect();
        logs.join("\n---\n")
    }
}

/// What has come out of a run.
struct Outlet {
    /// Of the enriched records and of the dead letters.
    readers: [Reader; 2],
    outputs: Vec<Output>,
    seen: BTreeSet<(i32, i64)>,
    /// When a record of each input partition came out last.
    out_at: BTreeMap<i32, Instant>,
    longest_gap: Duration,
}

impl Outlet {
    fn new(brokers: &str, name: &str) -> Self {
        Self {
            readers: ["enriched", "dead"]
                .map(|kind| Reader::start(brokers, &format!("{name}.{kind}"))),
            outputs: Vec::new(),
            seen: BTreeSet::new(),
            out_at: BTreeMap::new(),
            longest_gap: Duration::ZERO,
        }
    }

    fn read(&mut self) {
        for topic in 0..self.readers.len() {
            while let Some(message) = self.readers[topic].poll(Duration::from_millis(2)) {
                self.take(topic, &message);
            }
        }
    }

    fn take(&mut self, topic: usize, message: &Message) {
        let source = message.source();
        self.outputs.push(Output { source, topic, partition: message.partition });
        if self.seen.insert(source) {
            let now = Instant::now();
            let last = self.out_at.insert(source.0, now).unwrap_or(now);
            self.longest_gap = self.longest_gap.max(now - last);
        }
    }

    fn last_at(&self) -> Instant {
        self.out_at.values().max().copied().unwrap()
    }

    /// Reads to the end, and a little beyond: for doubles that come late.
    fn finish(&mut self) {
        let until = Instant::now() + SILENCE;
        for topic in 0..self.readers.len() {
            while Instant::now() < until || self.readers[topic].has_more() {
                if let Some(message) = self.readers[topic].poll(Duration::from_millis(20)) {
                    self.take(topic, &message);
                }
            }
        }
    }
}

/// Every eleventh is no article, every seventh a long one.
fn message(n: u32) -> Message {
    let partition = i32::try_from(n).unwrap() % N_PARTITIONS;
    let id = format!("id-{n}");
    if n % 11 == 5 {
        let value = Some(format!("no article {n}").into_bytes());
        return Message { partition, key: Some(id.into_bytes()), value, ..Message::default() };
    }
    let n_times = if n % 7 == 3 { 60 } else { 1 + n as usize % 5 };
    let text = "The council approved the plan. “It took years,” said the mayor, Ann Lee of Dover. ";
    Message::article(partition, &id, &text.repeat(n_times))
}

/// Where every record of the input topic stands.
fn inputs(brokers: &str, topic: &str) -> BTreeSet<(i32, i64)> {
    let messages = crate::support::topics::read_all(brokers, topic);
    let mut offsets: BTreeMap<i32, i64> = BTreeMap::new();
    let mut position = |message: &Message| {
        let next = offsets.entry(message.partition).or_insert(0);
        *next += 1;
        (message.partition, *next - 1)
    };
    messages.iter().map(&mut position).collect()
}
