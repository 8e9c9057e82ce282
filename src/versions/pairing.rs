//! Which quote of a version is which quote of the version before.
//!
//! In: the quotes of two versions. Out: pairs. Equal texts come first; of the rest, those that share most of their
//! words, best first. A quote is held only against the few with which it shares rare words, so the work is near linear
//! however many quotes there are and whatever they say.

use std::collections::{BTreeMap, VecDeque};

use super::summary::QuoteSummary;
use crate::knowledge::fold;

/// Two wordings of one quote share at least this much of their words (Dice); two quotes of one speaker on one matter
/// rarely do.
const OVERLAP_MIN: f64 = 0.5;

/// A word that stands in more of the earlier quotes tells nothing.
const QUOTES_PER_WORD_MAX: usize = 6;

/// Of the earlier quotes that share rare words with a quote, this many are looked at, those that share most first.
const CANDIDATES_MAX: usize = 6;

/// Indices of the earlier and of the later quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) is_same_text: bool,
}

/// In the order of the later quotes; each quote is in one pair at most.
pub(super) fn pair(before: &[QuoteSummary], after: &[QuoteSummary]) -> Vec<Pair> {
    let mut pairs = same_texts(before, after);
    let mut is_free = (vec![true; before.len()], vec![true; after.len()]);
    for pair in &pairs {
        is_free.0[pair.before] = false;
        is_free.1[pair.after] = false;
    }
    for (before, after) in similar(before, after, &is_free) {
        if is_free.0[before] && is_free.1[after] {
            is_free.0[before] = false;
            is_free.1[after] = false;
            pairs.push(Pair { before, after, is_same_text: false });
        }
    }
    pairs.sort_by_key(|pair| pair.after);
    pairs
}

/// What stands twice is paired in order.
fn same_texts(before: &[QuoteSummary], after: &[QuoteSummary]) -> Vec<Pair> {
    let mut places: BTreeMap<u64, VecDeque<usize>> = BTreeMap::new();
    for (index, quote) in before.iter().enumerate() {
        places.entry(quote.digest).or_default().push_back(index);
    }
    let pair = |(after, quote): (usize, &QuoteSummary)| {
        let before = places.get_mut(&quote.digest)?.pop_front()?;
        Some(Pair { before, after, is_same_text: true })
    };
    after.iter().enumerate().filter_map(pair).collect()
}

/// Candidates, best first.
fn similar(
    before: &[QuoteSummary],
    after: &[QuoteSummary],
    is_free: &(Vec<bool>, Vec<bool>),
) -> Vec<(usize, usize)> {
    let free = |quotes: &[QuoteSummary], is_free: &[bool]| -> Vec<(usize, Vec<String>)> {
        let free = quotes.iter().enumerate().filter(|(index, _)| is_free[*index]);
        free.map(|(index, quote)| (index, words(&quote.text))).collect()
    };
    let (before, after) = (free(before, &is_free.0), free(after, &is_free.1));
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (_, words)) in before.iter().enumerate() {
        words.iter().for_each(|word| places.entry(word).or_default().push(at));
    }
    let mut found = Vec::new();
    for (after_index, words) in &after {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let rare = words.iter().filter_map(|word| places.get(word.as_str()));
        for places in rare.filter(|places| places.len() <= QUOTES_PER_WORD_MAX) {
            places.iter().for_each(|&at| *shared.entry(at).or_default() += 1);
        }
        let mut shared: Vec<_> = shared.into_iter().collect();
        shared.sort_by_key(|&(at, n)| (std::cmp::Reverse(n), at));
        for (at, _) in shared.into_iter().take(CANDIDATES_MAX) {
            let (before_index, before_words) = &before[at];
            let overlap = overlap(before_words, words);
            if overlap >= OVERLAP_MIN {
                found.push((overlap, *before_index, *after_index));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    found.into_iter().map(|(_, before, after)| (before, after)).collect()
}

/// Sorted, each once.
fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words: Vec<_> = folded.split_whitespace().map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Of two sorted lists, twice what they share over what they have.
fn overlap(a: &[String], b: &[String]) -> f64 {
    let n_shared = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen words")]
    let ratio = (2 * n_shared) as f64 / (a.len() + b.len()).max(1) as f64;
    ratio
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn quotes(texts: &[&str]) -> Vec<QuoteSummary> {
        let quote = |text: &&str| QuoteSummary {
            digest: super::super::summary::digest(text.as_bytes()),
            text: (*text).to_owned(),
            speaker: None,
        };
        texts.iter().map(quote).collect()
    }

    #[track_caller]
    fn check(before: &[&str], after: &[&str], expected: &[(usize, usize, bool)]) {
        let pairs = pair(&quotes(before), &quotes(after));
        let pairs: Vec<_> =
            pairs.iter().map(|pair| (pair.before, pair.after, pair.is_same_text)).collect();
        assert_eq!(pairs, expected);
    }

    #[test]
    fn quotes_find_their_earlier_wording() {
        let (tunnel, budget) =
            ("The tunnel will open in May.", "We have no money left for schools.");
        check(&[tunnel, budget], &[budget, tunnel], &[(1, 0, true), (0, 1, true)]);
        check(
            &[tunnel, budget],
            &["The tunnel will open in June.", budget],
            &[(0, 0, false), (1, 1, true)],
        );
        check(&[tunnel, tunnel], &[tunnel], &[(0, 0, true)]);
        check(&[tunnel], &["Nobody asked us."], &[]);
        // The better of two wordings.
        check(
            &["The tunnel may open soon.", tunnel],
            &["The tunnel will open in early May."],
            &[(1, 0, false)],
        );
        check(&[""], &["", ""], &[(0, 0, true)]);
    }

    #[test]
    fn many_quotes_that_all_sound_alike_cost_little() {
        let texts: Vec<String> =
            (0..2000).map(|n| format!("We say it again and again, {n}.")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (before, after) = (quotes(&texts[..1000]), quotes(&texts[1000..]));
        let begun = Instant::now();
        assert_eq!(pair(&before, &after), []);
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}
