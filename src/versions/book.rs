//! What is known of the articles of all assigned partitions, and the judgement that rests on it.
//!
//! In: each finished record once, in input order per partition. Out: a [`Judgement`], and what is to be written to the
//! state topic with it. A record that is judged again because it is read again gets the same judgement, as long as no
//! later record of its article was judged; after that it is superseded.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::ledger::{Found, Ledger};
use super::order::{self, Stamp};
use super::state::{State, Unreadable};
use super::{Edition, SkipReason, VERSION_BYTES_MAX, changes, summary};
use crate::article::{NamedItems, Retraction, Version};

/// The ledgers of the assigned partitions.
#[derive(Debug)]
pub struct Book {
    ledgers: BTreeMap<i32, Ledger>,
    bytes_max: usize,
    has_changes: bool,
}

/// Where and when a record is judged.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<&'a [u8]>,
    /// Milliseconds since the epoch: decides what is forgotten first, and nothing else.
    pub now_ms: i64,
}

#[derive(Debug)]
pub struct Judgement {
    pub verdict: Verdict,
    /// For the state topic.
    pub writes: Vec<Write>,
    /// Puts things back, should the record not be published after all.
    pub undo: Option<Undo>,
}

#[derive(Debug)]
pub enum Verdict {
    /// With what has changed, when the version before is known.
    Publish {
        changes: Option<Box<RawValue>>,
    },
    /// The record's own article, or another one. `is_unresolved` when the record names another and which is not certain.
    Retract {
        target: Option<Target>,
        is_unresolved: bool,
    },
    Skip(SkipReason),
}

/// The article that a retraction of another id is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: String,
    /// Of its records.
    pub key: Bytes,
    pub version: Option<Version>,
}

/// A record of the state topic; without a value a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub id: Bytes,
    pub value: Option<Bytes>,
}

/// What was known of an article before a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    id: String,
    before: Option<(Bytes, i64)>,
}

impl Book {
    pub fn new(bytes_max: usize, has_changes: bool) -> Self {
        Self { ledgers: BTreeMap::new(), bytes_max, has_changes }
    }

    /// Takes over a partition with what is known of it.
    pub fn open(&mut self, partition: i32, ledger: Ledger) {
        self.ledgers.insert(partition, ledger);
        self.forget_beyond_bound();
    }

    /// Gives up a partition.
    pub fn close(&mut self, partition: i32) -> Option<Ledger> {
        self.ledgers.remove(&partition)
    }

    /// A record of the state topic, of a partition that is open, and when it was written.
    ///
    /// # Errors
    /// [`Unreadable`]: nothing is known of that article then.
    pub fn restore(
        &mut self,
        (partition, written_ms): (i32, i64),
        id: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<(), Unreadable> {
        let Some(ledger) = self.ledgers.get_mut(&partition) else { return Ok(()) };
        ledger.restore(id, value, written_ms)?;
        self.forget_beyond_bound();
        Ok(())
    }

    pub fn n_articles(&self) -> usize {
        self.ledgers.values().map(Ledger::n_articles).sum()
    }

    pub fn n_bytes(&self) -> usize {
        self.ledgers.values().map(Ledger::n_bytes).sum()
    }

    pub fn judge_article(&mut self, at: Submission<'_>, id: &str, edition: &Edition) -> Judgement {
        let Some(ledger) = self.ledgers.get_mut(&at.partition) else {
            return Judgement::of(Verdict::Publish { changes: None });
        };
        let known = ledger.get(id);
        let changes = match known.as_ref().map(|known| compare(at.offset, edition, known)) {
            Some(Standing::Behind(reason)) => return Judgement::of(Verdict::Skip(reason)),
            Some(Standing::Again) => known.as_ref().and_then(|known| known.changes.clone()),
            Some(Standing::Ahead) if self.has_changes => {
                known.as_ref().and_then(|known| meaning_changes(known, edition))
            }
            Some(Standing::Ahead) | None => None,
        };
        let (version, updated) = known.map_or((None, None), |known| (known.version, known.updated));
        let mut state = State::new(at.offset);
        // What says no version does not undo what was known of versions.
        state.version = edition.version.clone().or(version);
        state.updated = edition.updated.clone().or(updated);
        state.headline = edition.headline;
        state.maker = Some(edition.maker.clone());
        state.summary = Some(edition.summary.clone());
        state.changes.clone_from(&changes);
        state.set_key(at.key, id);
        self.settle(at, id, &state, Verdict::Publish { changes })
    }

    /// `is_deletion` when the record has no value: it means the articles with its key, whatever their ids.
    pub fn judge_retraction(
        &mut self,
        at: Submission<'_>,
        retraction: &Retraction,
        is_deletion: bool,
    ) -> Judgement {
        let own = retraction.id.as_str();
        let Some(ledger) = self.ledgers.get_mut(&at.partition) else {
            return Judgement::of(Verdict::Retract { target: None, is_unresolved: false });
        };
        let resolution = match &retraction.names {
            Some(names) => resolve(ledger, names, own),
            None => match at.key.map(|key| ledger.with_key(key)) {
                Some(Found::One(id)) if is_deletion && !ledger.contains(own) => {
                    Resolution::Certain(id)
                }
                _ => Resolution::Own,
            },
        };
        let other = match &resolution {
            Resolution::Certain(id) => Some(Arc::clone(id)),
            Resolution::Own | Resolution::Uncertain => None,
        };
        let id = other.as_deref().unwrap_or(own);
        let known = ledger.get(id);
        // What a notice says of its own version says nothing of the item that it names.
        let version = retraction.version.as_ref().filter(|_| other.is_none()).map(Version::as_str);
        let version = version.filter(|version| version.len() <= VERSION_BYTES_MAX);
        let is_above = |known: &State| {
            let known = known.version.as_deref().zip(version);
            let order = known.and_then(|(known, own)| order::compare_versions(own, known));
            order == Some(Ordering::Greater)
        };
        if known.as_ref().is_some_and(|known| at.offset < known.offset && !is_above(known)) {
            return Judgement::of(Verdict::Skip(SkipReason::Superseded));
        }
        let mut state = State::new(at.offset);
        state.is_retracted = true;
        state.version = match &known {
            Some(known) if known.version.is_some() && !is_above(known) => known.version.clone(),
            _ => version.map(str::to_owned),
        };
        state.headline = known.as_ref().and_then(|known| known.headline);
        let key = known.as_ref().map(|known| known.key().unwrap_or_else(|| id.to_owned().into()));
        state.set_key(key.as_deref().or(at.key), id);
        state.updated = known.and_then(|known| known.updated);
        let target = other.as_ref().map(|id| Target {
            id: id.to_string(),
            key: key.unwrap_or_default(),
            version: state.version.clone().map(Version::new),
        });
        let is_unresolved = matches!(resolution, Resolution::Uncertain);
        let id = id.to_owned();
        self.settle(at, &id, &state, Verdict::Retract { target, is_unresolved })
    }

    /// A record is not published after all: its article is again as it was before, unless a later record was judged.
    pub fn undo(&mut self, at: Submission<'_>, undo: Undo) -> Vec<Write> {
        let Undo { id, before } = undo;
        let Some(ledger) = self.ledgers.get_mut(&at.partition) else { return Vec::new() };
        if ledger.value(&id).is_none_or(|(_, offset)| offset != at.offset) {
            return Vec::new();
        }
        let state = before.and_then(|(value, offset)| {
            let mut state = State::parse(&value).ok()?;
            state.offset = offset;
            Some(state)
        });
        let value = match state {
            Some(state) => Some(ledger.put(&id, &state, at.now_ms)),
            None => {
                ledger.remove(&id);
                None
            }
        };
        vec![Write { id: id.into(), value }]
    }

    fn settle(
        &mut self,
        at: Submission<'_>,
        id: &str,
        state: &State,
        verdict: Verdict,
    ) -> Judgement {
        let Some(ledger) = self.ledgers.get_mut(&at.partition) else {
            return Judgement::of(verdict);
        };
        let undo = Some(Undo { id: id.to_owned(), before: ledger.value(id) });
        let value = Some(ledger.put(id, state, at.now_ms));
        let mut writes = vec![Write { id: Bytes::copy_from_slice(id.as_bytes()), value }];
        self.forget_beyond_bound();
        let ledger = self.ledgers.get_mut(&at.partition);
        let forgotten = ledger.map(Ledger::take_forgotten).unwrap_or_default();
        let tombstone =
            |id: Arc<str>| Write { id: Bytes::copy_from_slice(id.as_bytes()), value: None };
        writes.extend(forgotten.into_iter().map(tombstone));
        Judgement { verdict, writes, undo }
    }

    /// A tombstone is written with a record of its own partition, since another one may have left by then.
    fn forget_beyond_bound(&mut self) {
        let mut n_bytes = self.n_bytes();
        while n_bytes > self.bytes_max {
            let with_oldest = self.ledgers.values_mut().filter(|ledger| ledger.oldest().is_some());
            let Some(ledger) = with_oldest.min_by_key(|ledger| ledger.oldest()) else { return };
            n_bytes -= ledger.n_bytes();
            ledger.forget_oldest();
            n_bytes += ledger.n_bytes();
        }
    }
}

impl Judgement {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, writes: Vec::new(), undo: None }
    }
}

enum Standing {
    Ahead,
    /// The very record that is known.
    Again,
    Behind(SkipReason),
}

fn compare(offset: i64, edition: &Edition, known: &State) -> Standing {
    let own = Stamp { version: edition.version.as_deref(), updated: edition.updated.as_deref() };
    let order = order::compare(own, known.stamp());
    match (order, offset.cmp(&known.offset)) {
        (_, Ordering::Equal) if !known.is_retracted => Standing::Again,
        (Some(Ordering::Greater), _) => Standing::Ahead,
        (Some(Ordering::Less), _) => Standing::Behind(SkipReason::OlderVersion),
        (_, Ordering::Less | Ordering::Equal) => Standing::Behind(SkipReason::Superseded),
        // What was killed comes back as a newer version, or when there is nothing to tell versions by.
        (Some(Ordering::Equal), Ordering::Greater) if known.is_retracted => {
            Standing::Behind(SkipReason::OlderVersion)
        }
        (Some(Ordering::Equal) | None, Ordering::Greater) => Standing::Ahead,
    }
}

fn meaning_changes(known: &State, edition: &Edition) -> Option<Box<RawValue>> {
    let before = known.summary.as_ref().filter(|_| known.maker.as_ref() == Some(&edition.maker))?;
    let changes = changes::between(known.version.as_deref(), before, &edition.summary);
    serde_json::value::to_raw_value(&changes).ok()
}

/// Which article a kill notice means.
enum Resolution {
    /// The one whose id it carries, as far as it says.
    Own,
    Certain(Arc<str>),
    /// It names another, and it is not certain which.
    Uncertain,
}

/// An id tells an article from all others, and what else is quoted beside it need not be a headline. Without one, every
/// name must lead to the same article: a notice may name a substitute too, and that must not be killed.
fn resolve(ledger: &Ledger, names: &NamedItems, own: &str) -> Resolution {
    let mut found = BTreeSet::new();
    let (mut n_ids_unknown, mut n_headlines_unknown, mut is_ambiguous) = (0, 0, false);
    for id in names.ids.iter().filter(|id| *id != own) {
        match ledger.contains(id) {
            true => drop(found.insert(Arc::<str>::from(id.as_str()))),
            false => n_ids_unknown += 1,
        }
    }
    for token in names.tokens.iter().filter(|token| *token != own && ledger.contains(token)) {
        found.insert(token.as_str().into());
    }
    let has_id = !found.is_empty();
    for headline in names.headlines.iter().filter_map(|text| summary::headline_digest(text)) {
        match ledger.with_headline(headline) {
            Found::One(id) if *id == *own => {}
            Found::One(id) => drop(found.insert(id)),
            Found::Several => is_ambiguous = true,
            Found::Nothing => n_headlines_unknown += 1,
        }
    }
    let names_others = !found.is_empty() || n_ids_unknown > 0 || is_ambiguous;
    let is_standing = ledger.get(own).is_some_and(|known| !known.is_retracted);
    if is_standing {
        // A later version of a story that takes itself back.
        return if names_others { Resolution::Uncertain } else { Resolution::Own };
    }
    let is_certain = n_ids_unknown == 0 && !is_ambiguous && (has_id || n_headlines_unknown == 0);
    match found.pop_first() {
        Some(id) if is_certain && found.is_empty() => Resolution::Certain(id),
        Some(_) => Resolution::Uncertain,
        None if names_others || n_headlines_unknown > 0 || names.has_slug => Resolution::Uncertain,
        None => Resolution::Own,
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::Summary;
    use super::*;
    use crate::article::{ArticleId, RetractionReason};

    const P: i32 = 3;

    fn book() -> Book {
        let mut book = Book::new(1 << 20, true);
        book.open(P, Ledger::default());
        book
    }

    fn edition(version: &str, updated: &str) -> Edition {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Edition {
            version: some(version),
            updated: some(updated),
            headline: summary::headline_digest("Council votes for the tunnel"),
            maker: "maker".into(),
            summary: Summary { tone: Some(format!("tone of {version}")), ..Summary::default() },
        }
    }

    fn at(offset: i64) -> Submission<'static> {
        Submission { partition: P, offset, key: None, now_ms: offset * 1000 }
    }

    fn kill(id: &str, version: &str) -> Retraction {
        Retraction {
            id: ArticleId::parse(id).unwrap(),
            version: (!version.is_empty()).then(|| Version::new(version)),
            reason: RetractionReason::Canceled,
            names: None,
            warnings: Vec::new(),
        }
    }

    fn notice(id: &str, names: NamedItems) -> Retraction {
        let reason = RetractionReason::KillNotice;
        Retraction { reason, names: Some(names.into()), ..kill(id, "") }
    }

    fn shown(judgement: &Judgement) -> String {
        match &judgement.verdict {
            Verdict::Publish { changes: None } => "publish".to_owned(),
            Verdict::Publish { changes: Some(changes) } => format!("publish {changes}"),
            Verdict::Skip(reason) => reason.as_str().to_owned(),
            Verdict::Retract { target: None, is_unresolved: false } => "retract".to_owned(),
            Verdict::Retract { target: None, is_unresolved: true } => "unresolved".to_owned(),
            Verdict::Retract { target: Some(target), .. } => format!("retract {}", target.id),
        }
    }

    /// What becomes of records of one article: `v2` is a version, `-` an article without one, `kill` and `kill 2` are
    /// retractions. `+` is published.
    #[track_caller]
    fn check(records: &[&str], expected: &[&str]) {
        let mut book = book();
        let mut found = Vec::new();
        for (offset, record) in (0..).zip(records) {
            let judgement = match record.strip_prefix("kill") {
                Some(version) => {
                    book.judge_retraction(at(offset), &kill("a", version.trim()), false)
                }
                None => {
                    let (version, updated) = record.split_once('@').unwrap_or((record, ""));
                    let version = version.trim_start_matches(['v', '-']);
                    book.judge_article(at(offset), "a", &edition(version, updated))
                }
            };
            let shown = shown(&judgement);
            found.push(if shown.starts_with("publish") { "+".to_owned() } else { shown });
        }
        assert_eq!(found, expected, "{records:?}");
    }

    #[test]
    fn an_older_version_never_overwrites_a_newer_one() {
        check(&["v1", "v2", "v1"], &["+", "+", "older_version"]);
        check(&["v2", "v10", "v9", "v11"], &["+", "+", "older_version", "+"]);
        // A correction without a new number.
        check(&["v2", "v2"], &["+", "+"]);
        // Nothing to tell by: the last one counts.
        check(&["-", "-", "-"], &["+", "+", "+"]);
        let (early, late) = ("-@2024-05-01T10:00:00Z", "-@2024-05-01T11:00:00Z");
        check(&[late, early, late], &["+", "older_version", "+"]);
        // What says no version does not undo the version that is known.
        check(&["v3", "-", "v2", "v3"], &["+", "+", "older_version", "+"]);
    }

    #[test]
    fn a_kill_counts_whenever_it_comes() {
        check(&["v2", "kill 1"], &["+", "retract"]);
        check(&["v2", "kill", "v2", "v3"], &["+", "retract", "older_version", "+"]);
        check(
            &["v2", "kill 4", "v3", "v4", "v5"],
            &["+", "retract", "older_version", "older_version", "+"],
        );
        // Before its article.
        check(&["kill 2", "v1", "v2", "v3"], &["retract", "older_version", "older_version", "+"]);
        check(&["kill", "v1"], &["retract", "+"]);
        check(&["-", "kill", "-"], &["+", "retract", "+"]);
        check(&["kill 2", "kill 1", "v2"], &["retract", "retract", "older_version"]);
        let time = "-@2024-05-01T10:00:00Z";
        check(&[time, "kill", time], &["+", "retract", "older_version"]);
    }

    #[test]
    fn a_record_that_comes_again_is_judged_as_before() {
        let mut book = book();
        book.judge_article(at(1), "a", &edition("1", ""));
        let first = shown(&book.judge_article(at(2), "a", &edition("2", "")));
        assert_eq!(
            first,
            r#"publish {"since":"1","tone":[{"target":"document","before":"tone of 1","after":"tone of 2"}]}"#
        );
        assert_eq!(shown(&book.judge_article(at(2), "a", &edition("2", ""))), first);
        // What was published after it stands.
        assert_eq!(shown(&book.judge_article(at(1), "a", &edition("1", ""))), "older_version");
        assert_eq!(shown(&book.judge_article(at(1), "a", &edition("2", ""))), "superseded");
        book.judge_retraction(at(3), &kill("a", ""), false);
        book.judge_article(at(4), "a", &edition("3", ""));
        assert_eq!(shown(&book.judge_retraction(at(3), &kill("a", ""), false)), "superseded");
        assert_eq!(shown(&book.judge_article(at(4), "a", &edition("3", ""))), "publish");
    }

    #[test]
    fn what_another_model_read_is_not_compared() {
        let mut book = book();
        book.judge_article(at(1), "a", &edition("1", ""));
        let other = Edition { maker: "another".into(), ..edition("2", "") };
        assert_eq!(shown(&book.judge_article(at(2), "a", &other)), "publish");
    }

    #[test]
    fn what_is_not_published_leaves_the_article_as_it_was() {
        let mut book = book();
        let first = book.judge_article(at(1), "a", &edition("1", ""));
        let second = book.judge_article(at(2), "a", &edition("9", ""));
        let writes = book.undo(at(2), second.undo.unwrap());
        assert_eq!(writes[0].value, first.writes[0].value);
        assert!(shown(&book.judge_article(at(3), "a", &edition("2", ""))).starts_with("publish"));
        assert_eq!(book.undo(at(1), first.undo.unwrap()), [], "a later record was judged");
        let only = book.judge_article(at(4), "b", &edition("1", ""));
        assert_eq!(book.undo(at(4), only.undo.unwrap()), [Write { id: "b".into(), value: None }]);
    }

    fn ids(ids: &[&str]) -> NamedItems {
        NamedItems { ids: ids.iter().map(ToString::to_string).collect(), ..NamedItems::default() }
    }

    fn headlines(texts: &[&str]) -> NamedItems {
        let headlines = texts.iter().map(ToString::to_string).collect();
        NamedItems { headlines, ..NamedItems::default() }
    }

    #[track_caller]
    fn check_notice(own: &str, names: NamedItems, expected: &str) {
        let mut book = book();
        let titled =
            |headline| Edition { headline: summary::headline_digest(headline), ..edition("1", "") };
        book.judge_article(at(1), "urn:x:1", &titled("Acme to buy Bolt"));
        book.judge_article(at(2), "urn:x:2", &titled("Acme denies the deal"));
        book.judge_article(at(3), "urn:x:3", &titled("Weather for the weekend"));
        book.judge_article(at(4), "urn:x:4", &titled("Weather for the weekend"));
        assert_eq!(shown(&book.judge_retraction(at(5), &notice(own, names), false)), expected);
    }

    #[test]
    fn a_notice_retracts_what_it_names_with_certainty() {
        check_notice("n", ids(&["urn:x:1"]), "retract urn:x:1");
        check_notice("n", headlines(&["ACME to buy Bolt"]), "retract urn:x:1");
        let both = NamedItems {
            headlines: headlines(&["Acme to buy Bolt"]).headlines,
            ..ids(&["urn:x:1"])
        };
        check_notice("n", both, "retract urn:x:1");
        let quoted = NamedItems {
            headlines: headlines(&["It was all wrong"]).headlines,
            ..ids(&["urn:x:1"])
        };
        check_notice("n", quoted, "retract urn:x:1");
        let tokens = NamedItems {
            tokens: vec!["urn:x:1".into(), "20240514".into()],
            ..NamedItems::default()
        };
        check_notice("n", tokens, "retract urn:x:1");
    }

    #[test]
    fn a_notice_that_leaves_a_doubt_retracts_nothing_else() {
        check_notice("n", ids(&["urn:x:9"]), "unresolved");
        // The substitute must live.
        check_notice("n", ids(&["urn:x:9", "urn:x:2"]), "unresolved");
        check_notice("n", ids(&["urn:x:1", "urn:x:2"]), "unresolved");
        check_notice("n", headlines(&["Acme to buy Bolt", "Nobody knows this one"]), "unresolved");
        check_notice("n", headlines(&["Weather for the weekend"]), "unresolved");
        let two = NamedItems {
            headlines: headlines(&["Acme denies the deal"]).headlines,
            ..ids(&["urn:x:1"])
        };
        check_notice("n", two, "unresolved");
        check_notice("n", NamedItems { has_slug: true, ..NamedItems::default() }, "unresolved");
        // A story that takes itself back.
        check_notice("urn:x:1", ids(&["urn:x:1"]), "retract");
        check_notice("urn:x:1", NamedItems { has_slug: true, ..NamedItems::default() }, "retract");
        check_notice("urn:x:1", ids(&["urn:x:2"]), "unresolved");
        check_notice("n", headlines(&["No"]), "retract");
    }

    #[test]
    fn a_deletion_means_the_article_with_its_key() {
        let mut book = book();
        let keyed = |offset| Submission { key: Some(b"\xffkey"), ..at(offset) };
        book.judge_article(keyed(1), "a", &edition("1", ""));
        let deletion = kill("sha256:0", "");
        let judgement = book.judge_retraction(keyed(2), &deletion, true);
        let Verdict::Retract { target: Some(target), .. } = judgement.verdict else { panic!() };
        assert_eq!((target.id.as_str(), &target.key[..]), ("a", &b"\xffkey"[..]));
        // Its key is known although it is killed; a second article with it leaves a doubt.
        book.judge_article(keyed(3), "b", &edition("1", ""));
        assert_eq!(shown(&book.judge_retraction(keyed(4), &deletion, true)), "retract");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_are_forgotten_in_the_topic_too() {
        let mut book = Book::new(10_000, true);
        book.open(P, Ledger::default());
        book.open(P + 1, Ledger::default());
        let mut topic = BTreeMap::new();
        for offset in 0..100 {
            let partition = P + i32::try_from(offset % 2).unwrap();
            let at = Submission { partition, ..at(offset) };
            let judgement = book.judge_article(at, &format!("id-{offset:02}"), &edition("1", ""));
            assert!(book.n_bytes() <= 10_000);
            for Write { id, value } in judgement.writes {
                match value {
                    Some(value) => drop(topic.insert((partition, id), value)),
                    None => drop(topic.remove(&(partition, id)).unwrap()),
                }
            }
        }
        let n_known = book.n_articles();
        assert!((10..30).contains(&n_known), "{n_known} are known");
        // Of the other partition one tombstone may still have to be written.
        assert!(topic.len() <= n_known + 1, "{} in the topic, {n_known} known", topic.len());
        assert!(topic.contains_key(&(P + 1, "id-99".into())));
        assert_eq!(book.close(P + 1).unwrap().input_end(), 100);
        // What is forgotten counts as new.
        assert_eq!(shown(&book.judge_article(at(200), "id-00", &edition("0", ""))), "publish");
    }

    #[test]
    fn states_come_back_as_they_were() {
        let mut first = book();
        let mut restored = book();
        let mut restore = |judgement: Judgement| {
            for Write { id, value } in judgement.writes {
                restored.restore((P, 5), Some(&id), value.as_deref()).unwrap();
            }
        };
        let keyed = Submission { key: Some(b"key"), ..at(1) };
        restore(first.judge_article(keyed, "a", &edition("1", "")));
        restore(first.judge_article(at(2), "b", &edition("7", "")));
        restore(first.judge_retraction(at(3), &kill("b", ""), false));
        assert_eq!((restored.n_articles(), restored.n_bytes()), (2, first.n_bytes()));
        assert_eq!(shown(&restored.judge_article(at(4), "a", &edition("0", ""))), "older_version");
        assert_eq!(shown(&restored.judge_article(at(5), "b", &edition("7", ""))), "older_version");
        assert_eq!(shown(&restored.judge_retraction(keyed, &kill("key", ""), true)), "retract a");
        for garbage in [&b""[..], b"{", b"{\"f\":9,\"o\":1}", b"\xff", b"[]"] {
            restored.restore((P, 6), Some(b"a"), Some(garbage)).unwrap_err();
        }
        restored.restore((P, 6), None, Some(b"{\"f\":1,\"o\":1}")).unwrap_err();
        assert_eq!(restored.n_articles(), 1, "what cannot be read is not known");
    }
}
