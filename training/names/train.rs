//! Trains the weights of the entities stage's features: `models/names.bin`.
//!
//! usage: train_names --wikinews FILE… --mix FILE --out FILE [--measure]
//!
//! In: annotated articles and sentences (JSON Lines; offsets in code points). Out: the weights file.
//! A semi-Markov conditional random field over the candidates that the stage itself makes. Sentences that are annotated
//! for some kinds only leave the other kinds free: the model is asked for the sum over all cuts that agree with what is
//! annotated. The same inputs give the same bytes: no randomness but a fixed shuffle, no threads.

mod corpus;
mod model;
mod variants;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use copydesk::knowledge::Knowledge;
use copydesk::stages::entities::learning::{KINDS, Scores};
use corpus::Document;
use model::{Example, FeatureIds, Model};

/// Parts into which the articles are cut: the first pass of each part is predicted by a model that has not seen it.
const N_PARTS: usize = 5;

fn main() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let knowledge = Knowledge::embedded();
    let mut articles = Vec::new();
    for path in &options.wikinews {
        articles.extend(corpus::articles(path)?);
    }
    let sentences = corpus::mix(&options.mix)?;
    say(&format!("{} articles, {} sentences", articles.len(), sentences.len()))?;

    let mut ids = FeatureIds::default();
    let mut mix: Vec<Example> = Vec::new();
    for document in &sentences {
        mix.extend(document.examples(&knowledge, None, &mut ids));
    }
    let mut names = variants::Names::of(&sentences);
    for document in &variants::headlines(&sentences) {
        mix.extend(document.examples(&knowledge, None, &mut ids));
    }
    let exchanged: Vec<Vec<Example>> = articles
        .iter()
        .enumerate()
        .map(|(i, article)| {
            let variant = variants::exchange(article, &mut names, i % 2 == 0);
            variant.examples(&knowledge, None, &mut ids)
        })
        .collect();
    let plain: Vec<Vec<Example>> =
        articles.iter().map(|article| article.examples(&knowledge, None, &mut ids)).collect();

    let first_pass = first_pass(&plain, &mix, ids.len())?;
    let informed: Vec<Vec<Example>> = articles
        .iter()
        .zip(&first_pass)
        .map(|(article, first)| article.examples(&knowledge, Some(first), &mut ids))
        .collect();
    say(&format!("{} features, reachable {:?}", ids.len(), corpus::reachable(&informed)))?;

    if options.measure {
        let data = Measured {
            articles: &articles,
            plain: &plain,
            informed: &informed,
            exchanged: &exchanged,
            mix: &mix,
        };
        measure(&data, &knowledge, &mut ids)?;
    }
    if let Some(out) = &options.out {
        let examples = plain.iter().chain(&informed).chain(&exchanged).flatten().chain(&mix);
        let model = Model::train(&examples.collect::<Vec<_>>(), ids.len());
        let bytes = model.to_bytes(&ids);
        say(&format!("{} bytes", bytes.len()))?;
        std::fs::write(out, bytes).with_context(|| format!("cannot write {}", out.display()))?;
    }
    Ok(())
}

/// What the articles' first pass says, each part by a model of the other parts.
fn first_pass(
    plain: &[Vec<Example>],
    mix: &[Example],
    n_features: usize,
) -> anyhow::Result<Vec<Vec<Vec<Scores>>>> {
    let mut found: Vec<Vec<Vec<Scores>>> = vec![Vec::new(); plain.len()];
    for part in 0..N_PARTS {
        let others = plain.iter().enumerate().filter(|(i, _)| i % N_PARTS != part);
        let examples: Vec<&Example> = others.flat_map(|(_, article)| article).chain(mix).collect();
        let model = Model::train(&examples, n_features);
        for (i, article) in plain.iter().enumerate().filter(|(i, _)| i % N_PARTS == part) {
            found[i] = article.iter().map(|example| model.probabilities(example)).collect();
        }
        say(&format!("first pass, part {part} done"))?;
    }
    Ok(found)
}

struct Measured<'a> {
    articles: &'a [Document],
    plain: &'a [Vec<Example>],
    informed: &'a [Vec<Example>],
    exchanged: &'a [Vec<Example>],
    mix: &'a [Example],
}

/// Cross-validation over the articles: exact mentions with their kind.
fn measure(data: &Measured<'_>, knowledge: &Knowledge, ids: &mut FeatureIds) -> anyhow::Result<()> {
    let mut total = [Counts::default(); 2];
    let mut by_kind = [Counts::default(); KINDS.len()];
    for part in 0..N_PARTS {
        let keep = |i: usize| i % N_PARTS != part;
        let plain = data.plain.iter().enumerate().filter(|(i, _)| keep(*i)).flat_map(|(_, a)| a);
        let informed =
            data.informed.iter().enumerate().filter(|(i, _)| keep(*i)).flat_map(|(_, a)| a);
        let exchanged =
            data.exchanged.iter().enumerate().filter(|(i, _)| keep(*i)).flat_map(|(_, a)| a);
        let examples: Vec<&Example> =
            plain.chain(informed).chain(exchanged).chain(data.mix).collect();
        let model = Model::train(&examples, ids.len());
        for (i, article) in data.articles.iter().enumerate().filter(|(i, _)| !keep(*i)) {
            let first: Vec<Vec<Scores>> =
                data.plain[i].iter().map(|example| model.probabilities(example)).collect();
            let second = article.examples(knowledge, Some(&first), ids);
            for (pass, examples) in [(0, &data.plain[i]), (1, &second)] {
                let found = examples.iter().flat_map(|example| model.best(example));
                let found: Vec<_> = found.collect();
                total[pass].add(&found, &article.gold);
                if pass == 1 {
                    for (kind, counts) in by_kind.iter_mut().enumerate() {
                        let only = |list: &[_]| -> Vec<_> {
                            list.iter().copied().filter(|(_, k)| *k == kind).collect()
                        };
                        counts.add(&only(&found), &only(&article.gold));
                    }
                }
            }
        }
        say(&format!(
            "part {part}: first pass {}, second pass {}",
            total[0].show(),
            total[1].show()
        ))?;
    }
    for (kind, counts) in KINDS.iter().zip(by_kind) {
        say(&format!("  {kind:?} {}", counts.show()))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    found: usize,
    gold: usize,
    right: usize,
}

impl Counts {
    fn add<T: PartialEq>(&mut self, found: &[T], gold: &[T]) {
        self.found += found.len();
        self.gold += gold.len();
        self.right += found.iter().filter(|name| gold.contains(name)).count();
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand mentions")]
    fn show(&self) -> String {
        let share = |of: usize| 100.0 * self.right as f64 / of.max(1) as f64;
        let (p, r) = (share(self.found), share(self.gold));
        let f1 = if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 };
        format!("P {p:.1} R {r:.1} F1 {f1:.1}")
    }
}

#[derive(Debug, Default)]
struct Options {
    wikinews: Vec<PathBuf>,
    mix: PathBuf,
    out: Option<PathBuf>,
    measure: bool,
}

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut list = "";
        for arg in args {
            match (arg.as_str(), list) {
                ("--measure", _) => options.measure = true,
                ("--wikinews", _) => list = "wikinews",
                ("--mix", _) => list = "mix",
                ("--out", _) => list = "out",
                (value, "wikinews") => options.wikinews.push(value.into()),
                (value, "mix") => options.mix = value.into(),
                (value, "out") => options.out = Some(value.into()),
                (value, _) => anyhow::bail!("unexpected argument {value}"),
            }
        }
        anyhow::ensure!(!options.wikinews.is_empty(), "--wikinews names no file");
        Ok(options)
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stderr().lock(), "{line}").context("standard error is closed")
}
