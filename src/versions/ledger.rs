//! What is known of the articles of one partition.
//!
//! In: states, as they are read back from the state topic or made. Out: the state of an article by its id, its key or
//! its headline. Each state is kept as the bytes that it is published with, so that what it takes is known exactly.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::state::{State, Unreadable};
use super::summary::digest;
use crate::article::ARTICLE_ID_BYTES_MAX;

/// What an article takes beside its id and its state: entries of the maps, counted generously.
const ARTICLE_OVERHEAD_BYTES: usize = 320;

/// Of articles that were forgotten and whose tombstones are not written yet. One beyond is only forgotten here: the topic
/// keeps it until it is forgotten again.
const FORGOTTEN_MAX: usize = 20_000;

/// Tombstones that go with one record.
const TOMBSTONES_PER_RECORD_MAX: usize = 64;

/// The state of one partition.
#[derive(Debug, Default)]
pub struct Ledger {
    articles: HashMap<Arc<str>, Entry>,
    by_age: BTreeMap<Age, Arc<str>>,
    by_headline: BTreeSet<(u64, Age)>,
    by_key: BTreeSet<(u64, Age)>,
    forgotten: BTreeSet<Arc<str>>,
    n_updates: u64,
    n_bytes: usize,
}

/// When an article was last updated: milliseconds since the epoch, then a count.
pub(super) type Age = (i64, u64);

#[derive(Debug)]
struct Entry {
    value: Bytes,
    offset: i64,
    age: Age,
    headline: Option<u64>,
    key: Option<u64>,
}

/// What a look-up finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    One(Arc<str>),
    Several,
}

impl Ledger {
    /// A record of the state topic, in the topic's order.
    ///
    /// # Errors
    /// [`Unreadable`]; what was known of the article is forgotten then, since it is not true any more.
    pub(super) fn restore(
        &mut self,
        id: Option<&[u8]>,
        value: Option<&[u8]>,
        written_ms: i64,
    ) -> Result<(), Unreadable> {
        let id = id.and_then(|id| std::str::from_utf8(id).ok());
        let id = id.filter(|id| id.len() <= ARTICLE_ID_BYTES_MAX).ok_or(Unreadable::NotAnId)?;
        self.remove(id);
        if let Some(value) = value {
            let state = State::parse(value)?;
            self.insert(id, &state, Bytes::copy_from_slice(value), written_ms);
        }
        Ok(())
    }

    /// The offsets in the states are those of another topic, which has been made anew since.
    pub fn forget_offsets(&mut self) {
        self.articles.values_mut().for_each(|entry| entry.offset = -1);
    }

    /// One past the last record of the input that is known.
    pub fn input_end(&self) -> i64 {
        self.articles.values().map(|entry| entry.offset + 1).max().unwrap_or_default()
    }

    pub fn n_articles(&self) -> usize {
        self.articles.len()
    }

    /// Bytes in memory.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Forgets the article that was not updated for longest.
    pub(super) fn forget_oldest(&mut self) {
        let Some((_, id)) = self.by_age.first_key_value() else { return };
        let id = Arc::clone(id);
        self.remove(&id);
        if self.forgotten.len() < FORGOTTEN_MAX {
            self.forgotten.insert(id);
        }
    }

    pub(super) fn oldest(&self) -> Option<Age> {
        self.by_age.first_key_value().map(|(&age, _)| age)
    }

    /// Of articles that were forgotten: their tombstones are to be written now.
    pub(super) fn take_forgotten(&mut self) -> Vec<Arc<str>> {
        let next = |_| self.forgotten.pop_first();
        (0..TOMBSTONES_PER_RECORD_MAX).map_while(next).collect()
    }

    pub(super) fn get(&self, id: &str) -> Option<State> {
        let entry = self.articles.get(id)?;
        let mut state = State::parse(&entry.value).ok()?;
        state.offset = entry.offset;
        Some(state)
    }

    pub(super) fn value(&self, id: &str) -> Option<(Bytes, i64)> {
        self.articles.get(id).map(|entry| (entry.value.clone(), entry.offset))
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.articles.contains_key(id)
    }

    pub(super) fn with_headline(&self, headline: u64) -> Found {
        self.find(&self.by_headline, headline)
    }

    pub(super) fn with_key(&self, key: &[u8]) -> Found {
        self.find(&self.by_key, digest(key))
    }

    pub(super) fn put(&mut self, id: &str, state: &State, now_ms: i64) -> Bytes {
        self.remove(id);
        self.forgotten.remove(id);
        let value = state.to_bytes();
        self.insert(id, state, value.clone(), now_ms);
        value
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some((id, entry)) = self.articles.remove_entry(id) else { return };
        self.n_bytes -= size_bytes(&id, &entry.value);
        self.by_age.remove(&entry.age);
        if let Some(headline) = entry.headline {
            self.by_headline.remove(&(headline, entry.age));
        }
        if let Some(key) = entry.key {
            self.by_key.remove(&(key, entry.age));
        }
    }

    fn insert(&mut self, id: &str, state: &State, value: Bytes, now_ms: i64) {
        let id: Arc<str> = id.into();
        self.n_updates += 1;
        let age = (now_ms, self.n_updates);
        let key = state.key().map(|key| digest(&key));
        self.n_bytes += size_bytes(&id, &value);
        self.by_age.insert(age, Arc::clone(&id));
        self.by_headline.extend(state.headline.map(|headline| (headline, age)));
        self.by_key.extend(key.map(|key| (key, age)));
        let entry = Entry { value, offset: state.offset, age, headline: state.headline, key };
        self.articles.insert(id, entry);
    }

    fn find(&self, index: &BTreeSet<(u64, Age)>, digest: u64) -> Found {
        let first = (digest, (i64::MIN, 0));
        let mut found = index.range(first..).take_while(|(found, _)| *found == digest);
        match (found.next(), found.next()) {
            (Some((_, age)), None) => {
                self.by_age.get(age).map_or(Found::Nothing, |id| Found::One(Arc::clone(id)))
            }
            (Some(_), Some(_)) => Found::Several,
            (None, _) => Found::Nothing,
        }
    }
}

fn size_bytes(id: &str, value: &Bytes) -> usize {
    id.len() + value.len() + ARTICLE_OVERHEAD_BYTES
}
