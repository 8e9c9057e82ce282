//! A fixed set of compute threads: CPU work stays off the runtime's threads.
//!
//! In: closures, through a bounded queue (a full queue waits). Out: their values with the time they took, or
//! [`Panicked`]. The caller's tracing span is entered on the compute thread.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// Queued jobs per thread: enough that a thread never waits for the runtime, few enough to stay fair.
const QUEUE_PER_THREAD: usize = 8;

#[derive(Debug, Clone)]
pub struct Pool {
    jobs: mpsc::Sender<Job>,
}

/// A job's value and the time it ran, without the time it queued.
#[derive(Debug)]
pub struct Done<T> {
    pub value: T,
    pub elapsed: Duration,
    pub started: Instant,
}

/// The job panicked; the message is logged where it happened.
#[derive(Debug, thiserror::Error)]
#[error("job panicked")]
pub struct Panicked;

impl Pool {
    /// Threads end when the last handle is dropped.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(n_threads: NonZeroUsize) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>(n_threads.get() * QUEUE_PER_THREAD);
        let queue = Arc::new(Mutex::new(queue));
        for index in 0..n_threads.get() {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("compute-{index}"))
                .spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs `job` on a compute thread.
    ///
    /// # Errors
    /// [`Panicked`] when the job did.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Done<T>, Panicked> {
        let (reply, receive) = oneshot::channel();
        let span = tracing::Span::current();
        let task = move || {
            let started = Instant::now();
            let result = span.in_scope(|| catch_unwind(AssertUnwindSafe(job)));
            let done = result
                .map(|value| Done { value, elapsed: started.elapsed(), started })
                .map_err(|_payload| Panicked);
            // The caller may have gone (budget, shutdown): then nobody wants the value.
            drop(reply.send(done));
        };
        self.jobs.send(Box::new(task)).await.map_err(|_closed| Panicked)?;
        receive.await.map_err(|_dropped| Panicked)?
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // One idle thread waits inside the lock, the others for the lock: each job wakes exactly one.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match job {
            Some(job) => job(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_job() {
        let pool = Pool::start(NonZeroUsize::MIN).unwrap();
        assert!(pool.run(|| panic!("on purpose")).await.is_err());
        assert_eq!(pool.run(|| 7).await.unwrap().value, 7);
    }
}
