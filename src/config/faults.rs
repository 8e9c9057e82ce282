//! What is wrong with the settings, all of it at once.
//!
//! In: faults as they are found. Out: one line each, with where the value was written, the key, what was found and
//! what is expected. The value of a secret is never part of a line.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written; later ones win.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    /// `line` counts from one; 0 is the file as a whole.
    File {
        path: PathBuf,
        line: usize,
    },
    /// The variable's name.
    Environment(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag => f.write_str("--set"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub origin: Origin,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// The file or flag cannot be read at all.
    Unreadable { detail: String },
    /// No such setting; `nearest` is one that is spelled much like it.
    UnknownKey { key: String, nearest: Option<String> },
    /// The value is not what the setting takes.
    Invalid { key: String, found: String, expected: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        match &self.problem {
            Problem::Unreadable { detail } => f.write_str(detail),
            Problem::UnknownKey { key, nearest: None } => write!(f, "unknown key {key}"),
            Problem::UnknownKey { key, nearest: Some(nearest) } => {
                write!(f, "unknown key {key}; did you mean {nearest}?")
            }
            Problem::Invalid { key, found, expected } => {
                write!(f, "{key} is {found}; expected {expected}")
            }
        }
    }
}

/// All faults of a configuration, in the order of their origins; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// `Ok` when there are no faults.
    pub(super) fn none_or(mut faults: Vec<Fault>) -> Result<(), Self> {
        faults.sort();
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_faults = self.0.len();
        let noun = if n_faults == 1 { "fault" } else { "faults" };
        write!(f, "{n_faults} {noun} in the configuration")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// The candidate that is spelled most like `key`, if one is close enough to be what was meant.
pub(super) fn nearest<'a>(key: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    /// Longer keys are no slips of the finger, and the comparison is quadratic.
    const KEY_CHARS_MAX: usize = 80;
    if key.chars().count() > KEY_CHARS_MAX {
        return None;
    }
    let scored = candidates.map(|candidate| (edits(key, candidate), candidate));
    let (n_edits, candidate) = scored.min()?;
    (n_edits * 3 <= key.chars().count()).then(|| candidate.to_owned())
}

/// Levenshtein distance, by rows.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_nearest(key: &str, expected: Option<&str>) {
        let known = ["kafka.brokers", "kafka.group", "log.format", "input.format"];
        assert_eq!(nearest(key, known.into_iter()).as_deref(), expected);
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_key() {
        check_nearest("kafka.broker", Some("kafka.brokers"));
        check_nearest("kafak.brokers", Some("kafka.brokers"));
        check_nearest("log.fromat", Some("log.format"));
        check_nearest("metrics.port", None);
        check_nearest(&"kafka".repeat(10_000), None);
    }
}
