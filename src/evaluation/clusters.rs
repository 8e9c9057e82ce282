//! Whether mentions of one thing are one entity: B-cubed (Bagga and Baldwin 1998), MUC (Vilain et al. 1995) and
//! CEAF-e (Luo 2005), over named mentions; their mean is the CoNLL score.

use std::collections::{BTreeMap, BTreeSet};

use super::CodePoints;
use super::figures::{Clusters, harmonic_mean, mean, ratio, share};
use super::pairing::{Alignment, Mention};

#[derive(Debug, Default)]
pub(super) struct ClusterSums {
    /// Precision and recall of B-cubed, each with its number of mentions.
    b_cubed: [(f64, usize); 2],
    /// Links found and links there are, for precision and recall of MUC.
    links: [(usize, usize); 2],
    /// Similarity of aligned entities; entities of the annotation and of the record.
    similarity: f64,
    n_gold: usize,
    n_published: usize,
}

impl ClusterSums {
    pub(super) fn add(&mut self, alignment: &Alignment<'_>) {
        let (gold, published) = (groups(&alignment.gold), groups(&alignment.published));
        let in_gold = |span| alignment.gold_entity_at(span);
        let in_published = |span| alignment.published_entity_at(span);
        let sides = [
            (&published, &gold, alignment.published.len()),
            (&gold, &published, alignment.gold.len()),
        ];
        for ((sum, n), (own, other, n_mentions)) in self.b_cubed.iter_mut().zip(sides) {
            *sum += b_cubed(own, other);
            *n += n_mentions;
        }
        let links = [links(&published, in_gold), links(&gold, in_published)];
        for ((found, all), (more_found, more)) in self.links.iter_mut().zip(links) {
            *found += more_found;
            *all += more;
        }
        self.similarity += aligned_similarity(&gold, &published);
        self.n_gold += gold.len();
        self.n_published += published.len();
    }

    pub(super) fn figures(&self) -> Clusters {
        let [precision, recall] = self.b_cubed.map(|(sum, n)| ratio(sum, n));
        let b3 = 100.0 * harmonic_mean(precision, recall);
        let [precision, recall] = self.links.map(|(found, all)| share(found, all));
        let muc = 100.0 * harmonic_mean(precision, recall);
        let precision = ratio(self.similarity, self.n_published);
        let ceaf = 100.0 * harmonic_mean(precision, ratio(self.similarity, self.n_gold));
        Clusters { b3, conll: mean(&[b3, muc, ceaf]) }
    }
}

type Group = BTreeSet<CodePoints>;

/// The mentions of each entity, entities in order of their first mention.
fn groups(mentions: &[Mention<'_>]) -> Vec<Group> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for mention in mentions {
        let at = *places.entry(mention.entity).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group::new());
        }
        groups[at].insert(mention.span);
    }
    groups
}

/// Over the mentions that both sides have, the share of a mention's group that is in its other group too.
fn b_cubed(own: &[Group], other: &[Group]) -> f64 {
    let pairs = own.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    let shared = pairs.map(|(a, b)| (a.intersection(b).count(), a.len()));
    // Each of the shared mentions counts the same share.
    shared.map(|(n, len)| share(n, len) * share(n, 1)).sum()
}

/// Links that the other side has too, and all links.
fn links<'a>(groups: &[Group], other: impl Fn(CodePoints) -> Option<&'a str>) -> (usize, usize) {
    let found = groups.iter().map(|group| {
        let parts: BTreeSet<&str> = group.iter().filter_map(|&span| other(span)).collect();
        let n_alone = group.iter().filter(|&&span| other(span).is_none()).count();
        group.len() - parts.len() - n_alone
    });
    (found.sum(), groups.iter().map(|group| group.len() - 1).sum())
}

/// Greedy alignment, the most similar first: within a fraction of a point of the optimum on articles.
fn aligned_similarity(gold: &[Group], published: &[Group]) -> f64 {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, a) in gold.iter().enumerate() {
        for (j, b) in published.iter().enumerate() {
            let n_shared = a.intersection(b).count();
            if n_shared > 0 {
                pairs.push((share(2 * n_shared, a.len() + b.len()), i, j));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut gold_taken, mut taken) = (BTreeSet::new(), BTreeSet::new());
    let mut sum = 0.0;
    for (similarity, i, j) in pairs {
        if !gold_taken.contains(&i) && !taken.contains(&j) {
            gold_taken.insert(i);
            taken.insert(j);
            sum += similarity;
        }
    }
    sum
}
