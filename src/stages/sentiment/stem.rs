//! Inflection off, by suffix: enough to let "attacked" and "attacks" share a weight.
//!
//! In: a word. Out: its stem, lower-cased. `training/sentiment/features.py` does the same.

pub(super) fn stem(word: &str) -> String {
    let mut stem = word.to_lowercase().replace('’', "'");
    if stem.len() <= 3 || !stem.is_ascii() {
        return stem;
    }
    if stem.ends_with("ies") {
        stem.truncate(stem.len() - 3);
        stem.push('y');
    } else if stem.ends_with("sses") {
        stem.truncate(stem.len() - 2);
    } else if stem.ends_with('s') && !["ss", "us", "is"].iter().any(|end| stem.ends_with(end)) {
        stem.pop();
    }
    if stem.ends_with("ied") && stem.len() > 4 {
        stem.truncate(stem.len() - 3);
        stem.push('y');
    } else if let Some(len) =
        ["ing", "ed"].iter().find_map(|end| stem.strip_suffix(end).map(str::len))
        && len >= 4
    {
        stem.truncate(len);
        let last = stem.pop();
        let is_doubled = stem.chars().next_back() == last && !stem.ends_with(['l', 's', 'z']);
        stem.extend(last.filter(|_| !is_doubled));
    }
    if stem.ends_with("ly") && stem.len() > 5 {
        stem.truncate(stem.len() - 2);
    }
    if stem.ends_with('e') && stem.len() > 4 {
        stem.pop();
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_those_of_the_training_script() {
        let cases = [
            ("attacked", "attack"),
            ("attacks", "attack"),
            ("attack", "attack"),
            ("cities", "city"),
            ("city", "city"),
            ("classes", "class"),
            ("bus", "bus"),
            ("crisis", "crisis"),
            ("tied", "tied"),
            ("died", "died"),
            ("stopped", "stop"),
            ("falling", "fall"),
            ("selling", "sell"),
            ("banned", "ban"),
            ("happily", "happi"),
            ("only", "only"),
            ("early", "early"),
            ("made", "made"),
            ("make", "make"),
            ("running", "run"),
            ("policies", "policy"),
            ("Élan", "élan"),
            ("don’t", "don't"),
            ("it's", "it'"),
            ("as", "as"),
            ("does", "doe"),
            ("using", "using"),
            ("accused", "accus"),
            ("accuse", "accus"),
            ("glasses", "glass"),
            ("hated", "hated"),
            ("tried", "try"),
        ];
        for (word, expected) in cases {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
