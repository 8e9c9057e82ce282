//! Trains the weights of the entities stage's features: `models/names.bin`.
//!
//! usage: train_names --wikinews FILE… [--labels FILE… --texts FILE… --reader FILE] --mix FILE --out FILE [--measure]
//!
//! In: annotated articles and sentences (JSON Lines; offsets in code points). Out: the weights file.
//! A semi-Markov conditional random field over the candidates that the stage itself makes. Sentences that are annotated
//! for some kinds only leave the other kinds free: the model is asked for the sum over all cuts that agree with what is
//! annotated. The same inputs give the same bytes: no randomness but a fixed shuffle, no threads.

mod corpus;
mod model;
mod variants;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use copydesk::knowledge::Knowledge;
use copydesk::model::Reader;
use copydesk::stages::entities::learning::{Blend, KINDS, Scores};
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
    let mut texts = HashMap::new();
    for path in &options.texts {
        texts.extend(corpus::texts(path)?);
    }
    let reader = options.reader.as_deref().map(read_reader).transpose()?;
    for path in &options.labels {
        articles.extend(corpus::labelled(path, &texts, reader.as_ref())?);
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

    let (first_pass, blend) = first_pass(&plain, &mix, ids.len())?;
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
            blend,
        };
        measure(&data, &knowledge, &mut ids)?;
    }
    if let Some(out) = &options.out {
        let examples = plain.iter().chain(&informed).chain(&exchanged).flatten().chain(&mix);
        let mut model = Model::train(&examples.collect::<Vec<_>>(), ids.len());
        model.blend = blend;
        let bytes = model.to_bytes(&ids);
        say(&format!("{} bytes", bytes.len()))?;
        std::fs::write(out, bytes).with_context(|| format!("cannot write {}", out.display()))?;
    }
    Ok(())
}

fn read_reader(path: &Path) -> anyhow::Result<Arc<Reader>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Arc::new(Reader::load(bytes).with_context(|| path.display().to_string())?))
}

/// What the articles' first pass says, each part by a model of the other parts; and the blend that fits the articles
/// that a reader has read.
fn first_pass(
    plain: &[Vec<Example>],
    mix: &[Example],
    n_features: usize,
) -> anyhow::Result<(Vec<Vec<Vec<Scores>>>, Blend)> {
    let mut models = Vec::new();
    for part in 0..N_PARTS {
        let others = plain.iter().enumerate().filter(|(i, _)| i % N_PARTS != part);
        let examples: Vec<&Example> = others.flat_map(|(_, article)| article).chain(mix).collect();
        models.push(Model::train(&examples, n_features));
        say(&format!("first pass, part {part} done"))?;
    }
    let blend = fit_blend(plain, &models)?;
    models.iter_mut().for_each(|model| model.blend = blend);
    let found = plain.iter().enumerate().map(|(i, article)| {
        article.iter().map(|example| models[i % N_PARTS].probabilities(example)).collect()
    });
    Ok((found.collect(), blend))
}

/// The blend for articles that a reader has read, each weighed by the model that has not seen it; features alone when
/// there are none.
fn fit_blend(articles: &[Vec<Example>], models: &[Model]) -> anyhow::Result<Blend> {
    let weighed = articles.iter().enumerate().flat_map(|(i, article)| {
        let read = article.iter().filter(|example| example.is_read());
        read.map(move |example| models[i % N_PARTS].weigh(example))
    });
    let weighed: Vec<_> = weighed.collect();
    if weighed.is_empty() {
        return Ok(Blend::FEATURES);
    }
    let blend = model::fit(&weighed);
    say(&format!("{} sentences read: {blend:?}", weighed.len()))?;
    Ok(blend)
}

struct Measured<'a> {
    articles: &'a [Document],
    plain: &'a [Vec<Example>],
    informed: &'a [Vec<Example>],
    exchanged: &'a [Vec<Example>],
    mix: &'a [Example],
    blend: Blend,
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
        let mut model = Model::train(&examples, ids.len());
        model.blend = data.blend;
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
    labels: Vec<PathBuf>,
    /// Weights that were trained without the labelled articles.
    reader: Option<PathBuf>,
    texts: Vec<PathBuf>,
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
                ("--labels", _) => list = "labels",
                ("--texts", _) => list = "texts",
                ("--reader", _) => list = "reader",
                ("--mix", _) => list = "mix",
                ("--out", _) => list = "out",
                (value, "wikinews") => options.wikinews.push(value.into()),
                (value, "labels") => options.labels.push(value.into()),
                (value, "texts") => options.texts.push(value.into()),
                (value, "reader") => options.reader = Some(value.into()),
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
