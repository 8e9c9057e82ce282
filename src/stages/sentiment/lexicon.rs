//! The learnt weights of words: `models/sentiment_lexicon.tsv`, read once.
//!
//! In: the committed file. Out: an [`Entry`] by word, found by its stem; and the [`Bias`] of the target model.

use std::sync::LazyLock;

use super::stem::stem;

const FILE: &str = include_str!("../../../models/sentiment_lexicon.tsv");

/// Longer words are in no lexicon; a word of hostile input can be a megabyte long.
const WORD_BYTES_MAX: usize = 40;

/// Weights of one stem.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Entry {
    pub(super) valence: f32,
    /// Logits of a negative and of a positive stance, against neutral, by where the word stands: anywhere in the
    /// target's sentence, shortly before it, shortly after it.
    pub(super) anywhere: Logits,
    pub(super) before: Logits,
    pub(super) after: Logits,
}

/// Evidence for a negative and for a positive stance, against neutral.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Logits {
    pub(super) negative: f32,
    pub(super) positive: f32,
}

impl Logits {
    pub(super) fn add(&mut self, other: Self, weight: f32) {
        self.negative += other.negative * weight;
        self.positive += other.positive * weight;
    }
}

/// The target model's weights that belong to no word.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bias {
    pub(super) constant: Logits,
    /// Of the sentence's positive and negative valence, length-normalised.
    pub(super) positive: Logits,
    pub(super) negative: Logits,
    /// Of the valence shortly before and after the target.
    pub(super) before: Logits,
    pub(super) after: Logits,
}

#[derive(Debug)]
pub(super) struct Lexicon {
    /// Sorted by stem.
    entries: Vec<(&'static str, Entry)>,
    pub(super) bias: Bias,
}

impl Lexicon {
    pub(super) fn embedded() -> &'static Self {
        static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(FILE));
        &LEXICON
    }

    pub(super) fn get(&self, word: &str) -> Option<&Entry> {
        if word.len() > WORD_BYTES_MAX {
            return None;
        }
        let stem = stem(word);
        let at = self.entries.binary_search_by_key(&stem.as_str(), |&(stem, _)| stem).ok()?;
        self.entries.get(at).map(|(_, entry)| entry)
    }

    /// Lines are `stem`, then hundredths; those that start with `!` are the model's, with `#` comments.
    fn parse(file: &'static str) -> Self {
        let mut lexicon = Self { entries: Vec::new(), bias: Bias::default() };
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let name = fields.next().unwrap_or_default();
            let mut next = || {
                let hundredths: i16 =
                    fields.next().and_then(|field| field.parse().ok()).unwrap_or_default();
                f32::from(hundredths) / 100.0
            };
            let bias = match name {
                "!bias" => Some(&mut lexicon.bias.constant),
                "!positive" => Some(&mut lexicon.bias.positive),
                "!negative" => Some(&mut lexicon.bias.negative),
                "!before" => Some(&mut lexicon.bias.before),
                "!after" => Some(&mut lexicon.bias.after),
                _ => None,
            };
            if let Some(bias) = bias {
                *bias = Logits { negative: next(), positive: next() };
                continue;
            }
            let valence = next();
            let mut logits = || Logits { negative: next(), positive: next() };
            let entry = Entry { valence, anywhere: logits(), before: logits(), after: logits() };
            lexicon.entries.push((name, entry));
        }
        lexicon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        let lines = || FILE.lines().filter(|line| !line.starts_with('#'));
        let (model, words): (Vec<&str>, Vec<&str>) =
            lines().partition(|line| line.starts_with('!'));
        assert_eq!(model.len(), 5);
        assert!(words.len() > 4_000);
        for line in model {
            assert_eq!(
                line.split('\t').skip(1).filter(|n| n.parse::<i16>().is_ok()).count(),
                2,
                "{line}"
            );
        }
        for line in words {
            assert_eq!(
                line.split('\t').skip(1).filter(|n| n.parse::<i16>().is_ok()).count(),
                7,
                "{line}"
            );
        }
        let entries = &Lexicon::embedded().entries;
        assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "stems are sorted");
        assert_ne!(Lexicon::embedded().bias.constant, Logits::default());
    }

    #[test]
    fn inflections_share_a_weight() {
        let lexicon = Lexicon::embedded();
        assert_eq!(lexicon.get("Failures"), lexicon.get("failure"));
        assert!(lexicon.get("wonderful").unwrap().valence > 0.3);
        assert!(lexicon.get("worst").unwrap().valence < -0.3);
        assert_eq!(lexicon.get(&"bad".repeat(1000)), None);
    }

    #[test]
    fn names_and_peoples_have_no_tone() {
        for word in
            ["Trump", "Obama", "Muslim", "Jewish", "Israeli", "Mexican", "women", "black", "gay"]
        {
            assert_eq!(Lexicon::embedded().get(word), None, "{word}");
        }
    }
}
