//! The three stages of one article, side by side.
//!
//! In: a segmented article. Out: [`Annotations`], whose spans are valid in the article's text.
//! A stage that panics or passes its budget costs its own part of the record: the other two are kept.

pub mod truecase;
pub mod entities;
pub mod quotes;
pub mod sentiment;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::knowledge::Knowledge;
use crate::model::{ArticleReading, Reader};
use crate::pool::Pool;
use crate::text::Segmented;
use crate::text::language::Language;

pub use entities::Entity;
pub use quotes::Quote;
pub use sentiment::Tones;

/// What the stages found in one article.
#[derive(Debug, Default)]
pub struct Annotations {
    pub entities: StageResult<Vec<Entity>>,
    pub quotes: StageResult<Vec<Quote>>,
    pub sentiment: StageResult<Tones>,
}

/// A stage's result with its outcome; the value is empty unless the outcome is `Ok`.
#[derive(Debug, Default)]
pub struct StageResult<T> {
    pub outcome: StageOutcome,
    pub value: T,
    /// Time in the stage: for metrics and headers, never for the record's body.
    pub elapsed: Duration,
    /// When it began, if it did.
    pub started: Option<Instant>,
}

/// How and when one stage ran.
#[derive(Debug, Clone, Copy)]
pub struct StageRun {
    pub stage: Stage,
    pub outcome: StageOutcome,
    pub elapsed: Duration,
    pub started: Option<Instant>,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StageOutcome {
    #[default]
    Ok,
    Failed,
    BudgetExceeded,
    UnsupportedLanguage,
}

impl StageOutcome {
    pub const ALL: [Self; 4] =
        [Self::Ok, Self::Failed, Self::BudgetExceeded, Self::UnsupportedLanguage];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::BudgetExceeded => "budget_exceeded",
            Self::UnsupportedLanguage => "unsupported_language",
        }
    }
}

/// The names of the stages, as metrics and records spell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Entities,
    Quotes,
    Sentiment,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Entities, Self::Quotes, Self::Sentiment];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Quotes => "quotes",
            Self::Sentiment => "sentiment",
        }
    }
}

/// What all articles are seen with; cheap to clone.
#[derive(Debug, Clone)]
pub struct Models {
    pub knowledge: Arc<Knowledge>,
    pub reader: Arc<Reader>,
}

impl Models {
    /// Those inside the binary.
    pub fn embedded() -> Self {
        Self { knowledge: Arc::new(Knowledge::embedded()), reader: Arc::new(Reader::embedded()) }
    }
}

/// The stages as functions: the seam at which tests put a stage that fails.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    pub entities: fn(&Segmented, &Knowledge, &ArticleReading) -> Vec<Entity>,
    pub quotes: fn(&Segmented, &ArticleReading) -> Vec<Quote>,
    pub sentiment: fn(&Segmented, &ArticleReading) -> Tones,
}

impl Default for Stages {
    fn default() -> Self {
        Self { entities: entities::find, quotes: quotes::find, sentiment: sentiment::score }
    }
}

/// Reads the article and runs the three stages concurrently, each within `budget`. A reading that fails or takes too
/// long costs the entities, which stand on it; quotes are then found by rule, and tone by the lexicon, alone. Its time
/// counts as the entities'.
pub async fn annotate(
    article: &Arc<Segmented>,
    language: &Language,
    models: &Models,
    stages: Stages,
    pool: &Pool,
    budget: Duration,
) -> Annotations {
    if !language.is_supported() {
        return Annotations::unsupported();
    }
    let (a, b, c) = (Arc::clone(article), Arc::clone(article), Arc::clone(article));
    let Models { knowledge, reader } = models.clone();
    let unread = Arc::clone(&a);
    let read = run(pool, budget, move || reader.read_article(&unread)).await;
    let reading = Arc::new(read.value);
    let (of_quotes, of_sentiment) = (Arc::clone(&reading), Arc::clone(&reading));
    let entities = async {
        if read.outcome != StageOutcome::Ok {
            return StageResult { outcome: read.outcome, ..StageResult::default() };
        }
        run(pool, budget, move || (stages.entities)(&a, &knowledge, &reading)).await
    };
    let quotes = run(pool, budget, move || (stages.quotes)(&b, &of_quotes));
    let sentiment = run(pool, budget, move || (stages.sentiment)(&c, &of_sentiment));
    let (mut entities, quotes, sentiment) = tokio::join!(entities, quotes, sentiment);
    entities.elapsed += read.elapsed;
    entities.started = read.started;
    Annotations { entities, quotes, sentiment }
}

impl Annotations {
    fn unsupported() -> Self {
        let mut annotations = Self::default();
        annotations.entities.outcome = StageOutcome::UnsupportedLanguage;
        annotations.quotes.outcome = StageOutcome::UnsupportedLanguage;
        annotations.sentiment.outcome = StageOutcome::UnsupportedLanguage;
        annotations
    }

    pub fn runs(&self) -> [StageRun; 3] {
        [
            self.entities.run(Stage::Entities),
            self.quotes.run(Stage::Quotes),
            self.sentiment.run(Stage::Sentiment),
        ]
    }
}

impl<T> StageResult<T> {
    fn run(&self, stage: Stage) -> StageRun {
        let Self { outcome, elapsed, started, value: _ } = *self;
        StageRun { stage, outcome, elapsed, started }
    }
}

/// One stage on the pool. A stage past its budget is abandoned: its thread ends by itself, since work is linear in
/// the article's bounded length.
async fn run<T: Default + Send + 'static>(
    pool: &Pool,
    budget: Duration,
    stage: impl FnOnce() -> T + Send + 'static,
) -> StageResult<T> {
    let queued = Instant::now();
    let (starting, started) = oneshot::channel::<()>();
    let job = pool.run(move || {
        drop(starting);
        stage()
    });
    // The budget is the stage's own time, not that of the articles before it in the queue.
    let out_of_budget = async {
        drop(started.await);
        tokio::time::sleep(budget).await;
    };
    tokio::select! {
        biased;
        result = job => match result {
            Ok(done) => StageResult {
                outcome: StageOutcome::Ok,
                value: done.value,
                elapsed: done.elapsed,
                started: Some(done.started),
            },
            Err(_panicked) => StageResult {
                outcome: StageOutcome::Failed,
                started: Some(queued),
                ..StageResult::default()
            },
        },
        () = out_of_budget => StageResult {
            outcome: StageOutcome::BudgetExceeded,
            value: T::default(),
            elapsed: budget,
            started: Instant::now().checked_sub(budget),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    #[tokio::test]
    async fn a_stage_does_not_pay_for_the_queue() {
        let pool = Pool::start(NonZeroUsize::MIN).unwrap();
        let budget = Duration::from_millis(200);
        let pause = || std::thread::park_timeout(Duration::from_millis(500));
        let (slow, quick) = tokio::join!(run(&pool, budget, pause), run(&pool, budget, || 7));
        assert_eq!(slow.outcome, StageOutcome::BudgetExceeded);
        assert_eq!((quick.outcome, quick.value), (StageOutcome::Ok, 7));
    }
}
