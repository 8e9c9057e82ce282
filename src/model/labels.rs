//! What the reader says of a word: tags of the begin–inside–outside scheme over closed sets of labels.
//!
//! The order of labels and tags is that of the heads' rows in the weights file; a file with other tags is refused.

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityLabel {
    Person,
    Org,
    Gpe,
    Loc,
    Fac,
    Norp,
    Event,
    Product,
    Work,
    /// Names of none of these types; not published.
    Misc,
    /// Prizes; not published.
    Award,
}

/// What a word is in a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuoteLabel {
    /// What is said, quotation marks included.
    Content,
    /// The word that reports: "said".
    Cue,
    /// Who says it.
    Source,
}

/// A closed set of labels.
pub trait Label: Copy + PartialEq + 'static {
    /// In the order of the head's rows.
    const ALL: &'static [Self];

    /// As weights files spell it.
    fn as_str(self) -> &'static str;
}

impl Label for EntityLabel {
    const ALL: &'static [Self] = &[
        Self::Person,
        Self::Org,
        Self::Gpe,
        Self::Loc,
        Self::Fac,
        Self::Norp,
        Self::Event,
        Self::Product,
        Self::Work,
        Self::Misc,
        Self::Award,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PER",
            Self::Org => "ORG",
            Self::Gpe => "GPE",
            Self::Loc => "LOC",
            Self::Fac => "FAC",
            Self::Norp => "NORP",
            Self::Event => "EVENT",
            Self::Product => "PRODUCT",
            Self::Work => "WORK",
            Self::Misc => "MISC",
            Self::Award => "AWARD",
        }
    }
}

impl Label for QuoteLabel {
    const ALL: &'static [Self] = &[Self::Content, Self::Cue, Self::Source];

    fn as_str(self) -> &'static str {
        match self {
            Self::Content => "CONTENT",
            Self::Cue => "CUE",
            Self::Source => "SOURCE",
        }
    }
}

/// Number of tags of the entity head.
pub const N_ENTITY_TAGS: usize = 1 + 2 * EntityLabel::ALL.len();
/// Number of tags of the quote head.
pub const N_QUOTE_TAGS: usize = 1 + 2 * QuoteLabel::ALL.len();

/// One word's place in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag<L> {
    Outside,
    /// The first word of a span.
    Begin(L),
    /// A later word of a span.
    Inside(L),
}

impl<L: Label> Tag<L> {
    /// The tag's row in the head, and its place in a word's log-probabilities.
    pub fn index(self) -> usize {
        let of = |label: L| L::ALL.iter().position(|&other| other == label).unwrap_or(0);
        match self {
            Self::Outside => 0,
            Self::Begin(label) => 1 + 2 * of(label),
            Self::Inside(label) => 2 + 2 * of(label),
        }
    }

    /// The tag of a row; [`Tag::Outside`] for a row that the head does not have.
    pub fn of_index(index: usize) -> Self {
        match (index.checked_sub(1).and_then(|at| L::ALL.get(at / 2)), index % 2) {
            (None, _) => Self::Outside,
            (Some(&label), 1) => Self::Begin(label),
            (Some(&label), _) => Self::Inside(label),
        }
    }

    /// As weights files spell it: `O`, `B-PER`, `I-PER`.
    pub fn name(self) -> String {
        match self {
            Self::Outside => "O".to_owned(),
            Self::Begin(label) => format!("B-{}", label.as_str()),
            Self::Inside(label) => format!("I-{}", label.as_str()),
        }
    }
}

/// The names of all tags, in the order of the head's rows.
pub(super) fn tag_names<L: Label>() -> impl Iterator<Item = String> {
    (0..=2 * L::ALL.len()).map(|index| Tag::<L>::of_index(index).name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_rows_are_one_to_one() {
        for row in 0..N_ENTITY_TAGS {
            assert_eq!(Tag::<EntityLabel>::of_index(row).index(), row);
        }
        let names: Vec<String> = tag_names::<QuoteLabel>().collect();
        assert_eq!(
            names,
            ["O", "B-CONTENT", "I-CONTENT", "B-CUE", "I-CUE", "B-SOURCE", "I-SOURCE"]
        );
        assert_eq!(Tag::<QuoteLabel>::of_index(N_QUOTE_TAGS), Tag::Outside);
    }
}
