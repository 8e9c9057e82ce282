//! What is known of the articles of a partition, read back from the state topic.
//!
//! In: partitions as they are assigned. Out: a [`Restored`] for each, on a thread of its own, which the loop never waits
//! for. A partition is restored when everything has been read that stood in its state before the assignment, and a
//! transaction of the owner before that was under way then has ended.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::reader::Quiet;
use crate::config::Config;
use crate::kafka;
use crate::versions::{Book, Ledger};

/// One question to the brokers.
const TIMEOUT: Duration = Duration::from_secs(2);

/// One wait for records.
const POLL: Duration = Duration::from_millis(20);

/// Records that are read before requests are looked at again.
const RECORDS_PER_TURN: usize = 10_000;

/// Between two questions for the end of a partition that has an open transaction, or that cannot be asked.
const PAUSE: Duration = Duration::from_millis(200);

/// Until a partition that could not be asked is asked again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Between two log lines about a partition that cannot be restored now.
const TELL_INTERVAL: Duration = Duration::from_secs(10);

/// May be overridden by the user's properties.
const DEFAULTS: &[(&str, &str)] = &[("fetch.wait.max.ms", "50")];

/// What is known of a partition's articles.
#[derive(Debug)]
pub struct Restored {
    pub partition: i32,
    /// As it was asked for.
    pub assignment: u64,
    pub ledger: Ledger,
    /// Of the state topic, tombstones included.
    pub n_records: u64,
    /// Of their values.
    pub n_bytes: u64,
    pub n_unreadable: u64,
    pub elapsed: Duration,
}

/// Called with each restored partition, on the restorer's thread.
pub type OnRestored = Box<dyn Fn(Restored) + Send>;

/// The thread ends when this is dropped.
#[derive(Debug)]
pub struct Restorer {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    changed: Condvar,
    /// All records so far: whoever watches sees that it goes on.
    n_read: AtomicU64,
}

#[derive(Debug, Default)]
struct Wanted {
    /// Partition and assignment.
    partitions: BTreeMap<i32, u64>,
    is_over: bool,
}

impl Restorer {
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(config: &Config, topic: &str, on_restored: OnRestored) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let worker = Worker {
            config: config.clone(),
            topic: topic.to_owned(),
            shared: Arc::clone(&shared),
            on_restored,
            clients: None,
            under_way: BTreeMap::new(),
            book: Book::new(config.state.bytes_max, false),
            told_at: None,
        };
        std::thread::Builder::new().name("restore".to_owned()).spawn(move || worker.run())?;
        Ok(Self { shared })
    }

    /// Asks for a partition; `assignment` is given back with the answer.
    pub fn restore(&self, partition: i32, assignment: u64) {
        self.shared.wanted().partitions.insert(partition, assignment);
        self.shared.changed.notify_one();
    }

    /// Nobody waits for this partition any more.
    pub fn cancel(&self, partition: i32) {
        self.shared.wanted().partitions.remove(&partition);
    }

    /// Records read so far.
    pub fn n_read(&self) -> u64 {
        self.shared.n_read.load(Ordering::Relaxed)
    }
}

impl Drop for Restorer {
    fn drop(&mut self) {
        self.shared.wanted().is_over = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` when there will be no more.
    fn wait_for_work(&self) -> bool {
        let is_idle = |wanted: &mut Wanted| wanted.partitions.is_empty() && !wanted.is_over;
        let waited = self.changed.wait_while(self.wanted(), is_idle);
        !waited.unwrap_or_else(PoisonError::into_inner).is_over
    }

    /// Is done with this assignment; a later one stays.
    fn done(&self, partition: i32, assignment: u64) {
        let mut wanted = self.wanted();
        if wanted.partitions.get(&partition) == Some(&assignment) {
            wanted.partitions.remove(&partition);
        }
    }
}

struct Worker {
    config: Config,
    topic: String,
    shared: Arc<Shared>,
    on_restored: OnRestored,
    /// While there is something to restore.
    clients: Option<Clients>,
    under_way: BTreeMap<i32, UnderWay>,
    /// Keeps what has been read within the bound.
    book: Book,
    told_at: Option<Instant>,
}

struct Clients {
    /// Reads what is committed; a partition ends for it before the first transaction that is open.
    reader: BaseConsumer<Quiet>,
    /// Knows where partitions end, open transactions included.
    asker: BaseConsumer<Quiet>,
}

struct UnderWay {
    assignment: u64,
    begun_at: Instant,
    phase: Phase,
    /// The brokers are asked from then on.
    ask_at: Instant,
    n_records: u64,
    n_bytes: u64,
    n_unreadable: u64,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Begun,
    /// Until all before this offset is committed or aborted.
    Waiting(i64),
    Reading,
    /// To its end.
    Read,
}

impl Worker {
    fn run(mut self) {
        loop {
            let wanted = self.shared.wanted().partitions.clone();
            self.follow(&wanted);
            if wanted.is_empty() {
                // Closing a client takes a moment, in which the loop must be able to ask.
                self.clients = None;
            }
            if !self.shared.wait_for_work() {
                return;
            }
            if let Err(error) = self.turn() {
                self.tell(&error);
                std::thread::park_timeout(PAUSE);
            }
        }
    }

    /// Begins what is wanted, and drops what is not.
    fn follow(&mut self, wanted: &BTreeMap<i32, u64>) {
        let is_wanted =
            |partition, under_way: &UnderWay| wanted.get(partition) == Some(&under_way.assignment);
        let dropped: Vec<i32> = self
            .under_way
            .iter()
            .filter(|(partition, under_way)| !is_wanted(partition, under_way))
            .map(|(&partition, _)| partition)
            .collect();
        dropped.into_iter().for_each(|partition| drop(self.take(partition)));
        for (&partition, &assignment) in wanted {
            self.under_way.entry(partition).or_insert_with(|| {
                self.book.open(partition, Ledger::default());
                UnderWay {
                    assignment,
                    begun_at: Instant::now(),
                    phase: Phase::Begun,
                    ask_at: Instant::now(),
                    n_records: 0,
                    n_bytes: 0,
                    n_unreadable: 0,
                }
            });
        }
    }

    fn take(&mut self, partition: i32) -> Option<(UnderWay, Ledger)> {
        let under_way = self.under_way.remove(&partition)?;
        if let (Phase::Reading | Phase::Read, Some(clients)) = (under_way.phase, &self.clients) {
            let list =
                self.list(partition).and_then(|list| clients.reader.incremental_unassign(&list));
            if let Err(error) = list {
                tracing::debug!(%error, partition, "state partition is not given up");
            }
        }
        Some((under_way, self.book.close(partition)?))
    }

    fn turn(&mut self) -> KafkaResult<()> {
        if self.clients.is_none() {
            self.clients = Some(Clients::connect(&self.config)?);
        }
        let partitions: Vec<i32> = self.under_way.keys().copied().collect();
        for partition in partitions {
            self.advance_or_tell(partition);
        }
        for _ in 0..RECORDS_PER_TURN {
            let Some(clients) = &self.clients else { break };
            let ended = match clients.reader.poll(POLL) {
                None => break,
                Some(Ok(message)) => {
                    if let Some(under_way) = self.under_way.get_mut(&message.partition()) {
                        self.shared.n_read.fetch_add(1, Ordering::Relaxed);
                        under_way.n_records += 1;
                        under_way.n_bytes += message.payload_len() as u64;
                        let written_ms = message.timestamp().to_millis().unwrap_or_default();
                        let (key, value) = (message.key(), message.payload());
                        let at = (message.partition(), written_ms);
                        if let Err(error) = self.book.restore(at, key, value) {
                            under_way.n_unreadable += 1;
                            let (partition, offset) = (message.partition(), message.offset());
                            tracing::warn!(%error, partition, offset, "state is passed over");
                        }
                    }
                    continue;
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => partition,
                Some(Err(error)) => return Err(error),
            };
            if let Some(under_way) = self.under_way.get_mut(&ended) {
                under_way.phase = Phase::Read;
                under_way.ask_at = Instant::now();
            }
            self.advance_or_tell(ended);
        }
        Ok(())
    }

    /// One that cannot be asked does not hold up the others.
    fn advance_or_tell(&mut self, partition: i32) {
        let Err(error) = self.advance(partition) else { return };
        self.tell(&error);
        if let Some(under_way) = self.under_way.get_mut(&partition) {
            under_way.ask_at = Instant::now() + RETRY_PAUSE;
        }
    }

    /// A partition that is not read yet: where does it end, and is all before that decided?
    fn advance(&mut self, partition: i32) -> KafkaResult<()> {
        let (Some(under_way), Some(clients)) = (self.under_way.get_mut(&partition), &self.clients)
        else {
            return Ok(());
        };
        if matches!(under_way.phase, Phase::Reading) || Instant::now() < under_way.ask_at {
            return Ok(());
        }
        under_way.ask_at = Instant::now() + PAUSE;
        if matches!(under_way.phase, Phase::Read) {
            return self.finish(partition);
        }
        if matches!(under_way.phase, Phase::Begun) {
            let (first, end) = clients.asker.fetch_watermarks(&self.topic, partition, TIMEOUT)?;
            if first == end {
                return self.finish(partition);
            }
            under_way.phase = Phase::Waiting(end);
        }
        if let Phase::Waiting(end) = under_way.phase {
            let (_, decided) = clients.reader.fetch_watermarks(&self.topic, partition, TIMEOUT)?;
            if decided >= end {
                under_way.phase = Phase::Reading;
                let list = self.list(partition)?;
                if let Some(clients) = &self.clients {
                    clients.reader.incremental_assign(&list)?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, partition: i32) -> KafkaResult<()> {
        let Some(clients) = &self.clients else { return Ok(()) };
        let input = &self.config.input.topic;
        let (_, input_end) = clients.asker.fetch_watermarks(input, partition, TIMEOUT)?;
        let Some((under_way, mut ledger)) = self.take(partition) else { return Ok(()) };
        if ledger.input_end() > input_end {
            tracing::warn!(
                partition,
                known_end = ledger.input_end(),
                input_end,
                "state is of an earlier input topic: versions count, positions do not"
            );
            ledger.forget_offsets();
        }
        self.shared.done(partition, under_way.assignment);
        let UnderWay { assignment, begun_at, n_records, n_bytes, n_unreadable, .. } = under_way;
        let elapsed = begun_at.elapsed();
        (self.on_restored)(Restored {
            partition,
            assignment,
            ledger,
            n_records,
            n_bytes,
            n_unreadable,
            elapsed,
        });
        Ok(())
    }

    fn list(&self, partition: i32) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(&self.topic, partition, Offset::Beginning)?;
        Ok(list)
    }

    /// All of it may pass: a broker that is away, a state topic that has fewer partitions than the input topic.
    fn tell(&mut self, error: &KafkaError) {
        if self.told_at.is_some_and(|told_at| told_at.elapsed() < TELL_INTERVAL) {
            return;
        }
        self.told_at = Some(Instant::now());
        let partitions: Vec<_> = self.under_way.keys().collect();
        let error = kafka::describe(error);
        tracing::warn!(error, topic = self.topic, ?partitions, "state cannot be restored now");
    }
}

impl Clients {
    fn connect(config: &Config) -> KafkaResult<Self> {
        let connect = |isolation: &str| {
            let mut properties = kafka::client_config(&config.kafka, DEFAULTS);
            properties
                // Never joined, but librdkafka wants to know.
                .set("group.id", &config.kafka.group)
                .set("enable.auto.commit", "false")
                .set("isolation.level", isolation)
                .set("enable.partition.eof", "true")
                .set("allow.auto.create.topics", "false")
                .set_log_level(RDKafkaLogLevel::Error);
            BaseConsumer::from_config_and_context(&properties, Quiet)
        };
        Ok(Self { reader: connect("read_committed")?, asker: connect("read_uncommitted")? })
    }
}
