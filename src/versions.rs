//! What is known of articles: which version is published, and what it meant.
//!
//! In: each record's [`Edition`] or retraction, in input order per partition. Out: whether it is published, what has
//! changed in meaning since the version before, and the records of the state topic that say so to whoever has the
//! partition next. Memory is bounded: the articles that were not updated for longest are forgotten.
//!
//! With it a record's body is a pure function of its input, the configuration, and the article's earlier version.

mod book;
mod changes;
mod ledger;
mod order;
mod pairing;
mod state;
mod summary;

use crate::article::Article;
use crate::encode::{Outcomes, RunProvenance};
use crate::link::Linked;

pub use book::{Book, Judgement, Submission, Target, Undo, Verdict, Write};
pub use ledger::Ledger;
pub use state::Unreadable;

use summary::Summary;

/// Longest version, or time of an update, that is compared, in bytes. A longer one counts as none.
const VERSION_BYTES_MAX: usize = 128;

/// Largest value of a state record, in bytes, whatever the article: its lists and texts are bounded in [`summary`] and
/// [`changes`], and JSON may double a text that is all quotation marks.
pub const STATE_VALUE_BYTES_MAX: u64 = 256 * 1024;

/// What one version of an article says, as far as later versions are compared with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    version: Option<String>,
    updated: Option<String>,
    headline: Option<u64>,
    /// Meanings that were read by different builds or models cannot be compared: the difference may be theirs.
    maker: String,
    summary: Summary,
}

impl Edition {
    pub fn of(
        article: &Article,
        linked: &Linked,
        outcomes: Outcomes,
        maker: &RunProvenance,
    ) -> Self {
        let version = article.version.as_ref().map(|version| version.as_str().to_owned());
        Self {
            version: version.filter(|version| version.len() <= VERSION_BYTES_MAX),
            updated: article.updated.clone().filter(|time| time.len() <= VERSION_BYTES_MAX),
            headline: article.headline.as_deref().and_then(summary::headline_digest),
            maker: summary::maker_digest(maker),
            summary: Summary::of(article, linked, outcomes),
        }
    }
}

/// Why a record is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// A newer version of the article is published, or a kill of this one.
    OlderVersion,
    /// It came again, after a later record of its article: a redelivery, or a replay.
    Superseded,
}

impl SkipReason {
    pub const ALL: [Self; 2] = [Self::OlderVersion, Self::Superseded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::OlderVersion => "older_version",
            Self::Superseded => "superseded",
        }
    }
}

/// The first bytes of a text that are whole characters, at most `bytes_max`, without control characters.
fn bounded(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
