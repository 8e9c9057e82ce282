//! Values: dates, times, money, percentages and quantities, by rule.
//!
//! In: the tokens of a field. Out: values that do not overlap, in text order. A span holds the number with its unit,
//! and no article, preposition or "about": "June 12, 2018", "2:00 p.m.", "$3.5 million", "five per cent", "40 km".

mod dates;

use std::ops::Range;

use super::EntityType;
use super::tokens::{FieldTokens, Token};
use crate::text::Shape;

/// A value at its place, in tokens of its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundValue {
    pub(super) words: Range<usize>,
    pub(super) kind: EntityType,
}

pub(super) fn find(field: &FieldTokens<'_>) -> Vec<FoundValue> {
    let mut found = Vec::new();
    for sentence in &field.sentences {
        let tokens = &field.tokens[..sentence.tokens.end];
        let mut at = sentence.tokens.start;
        while at < tokens.len() {
            match value_at(tokens, at) {
                Some((kind, end)) => {
                    found.push(FoundValue { words: at..end, kind });
                    at = end;
                }
                None => at += 1,
            }
        }
    }
    found
}

/// A value that starts at a token: its kind, and where it ends.
type Match = Option<(EntityType, usize)>;

fn value_at(tokens: &[Token<'_>], at: usize) -> Match {
    let amount = amount_end(tokens, at);
    money(tokens, at, amount)
        .or_else(|| dates::clock_time(tokens, at))
        .or_else(|| dates::calendar_date(tokens, at, amount))
        .or_else(|| amount.and_then(|end| measured(tokens, end)))
        .or_else(|| dates::relative_date(tokens, at))
        .or_else(|| dates::year(tokens, at))
}

fn folded<'a>(tokens: &'a [Token<'_>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.folded.as_str())
}

fn surface<'a>(tokens: &'a [Token<'_>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.text)
}

/// Whether the word starts with digits, and all of them are a number: `12`, `1,000.5`, `10-15`; not `28-year-old`.
fn is_numeral(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|token| {
        token.shape == Shape::Number
            && token
                .text
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-' | '–' | '/'))
    })
}

/// Where a number that starts at `at` ends: "3.5 million", "two hundred", "a dozen".
fn amount_end(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut end = at;
    if is_numeral(tokens.get(at)) {
        end += 1;
    } else {
        while is_number_word(folded(tokens, end))
            || end > at && folded(tokens, end) == "and" && is_number_word(folded(tokens, end + 1))
        {
            end += 1;
        }
        let article =
            matches!(folded(tokens, at), "a" | "an") && is_magnitude(folded(tokens, at + 1));
        if article {
            end = at + 2;
        }
    }
    while end > at && is_magnitude(folded(tokens, end)) {
        end += 1;
    }
    (end > at).then_some(end)
}

fn is_magnitude(word: &str) -> bool {
    matches!(
        word,
        "hundred" | "thousand" | "million" | "billion" | "trillion" | "dozen" | "bn" | "mn"
    )
}

fn is_number_word(word: &str) -> bool {
    #[rustfmt::skip]
const WORDS: &[&str] = &[
    "eight", "eighteen", "eighty", "eleven", "fifteen", "fifty", "five", "forty", "four",
    "fourteen", "hundred", "nine", "nineteen", "ninety", "one", "seven", "seventeen", "seventy",
    "six", "sixteen", "sixty", "ten", "thirteen", "thirty", "thousand", "three", "twelve", "twenty",
    "two",
];
    !word.is_empty() && word.split(' ').all(|part| WORDS.binary_search(&part).is_ok())
}

/// `$5`, `US$3.5 million`, `€10bn`, `5,000 euros`, `50 cents`.
fn money(tokens: &[Token<'_>], at: usize, amount: Option<usize>) -> Match {
    #[rustfmt::skip]
const PREFIXES: &[&str] = &[
    "us", "a", "au", "c", "ca", "nz", "hk", "s", "r", "rs", "eur", "usd", "gbp",
];
    let is_symbol =
        |at: usize| matches!(surface(tokens, at), "$" | "€" | "£" | "¥" | "₹" | "₽" | "₩" | "₪");
    let symbol = if is_symbol(at) {
        Some(at)
    } else if PREFIXES.contains(&folded(tokens, at))
        && tokens[at].shape != Shape::Lower
        && is_symbol(at + 1)
    {
        Some(at + 1)
    } else {
        None
    };
    if let Some(symbol) = symbol {
        let number = tokens.get(symbol + 1).filter(|token| token.shape == Shape::Number)?;
        let end = amount_end(tokens, symbol + 1).unwrap_or(symbol + 2);
        debug_assert!(!number.text.is_empty());
        let magnitude = matches!(folded(tokens, end), "m" | "b" | "k");
        return Some((EntityType::Money, if magnitude { end + 1 } else { end }));
    }
    let end = amount?;
    let qualified = end + usize::from(is_currency_owner(folded(tokens, end)));
    is_currency(folded(tokens, qualified)).then_some((EntityType::Money, qualified + 1))
}

fn is_currency(word: &str) -> bool {
    matches!(
        word,
        "dollar"
            | "dollars"
            | "euro"
            | "euros"
            | "cent"
            | "cents"
            | "pence"
            | "yen"
            | "yuan"
            | "renminbi"
            | "rupee"
            | "rupees"
            | "ruble"
            | "rubles"
            | "rouble"
            | "roubles"
            | "franc"
            | "francs"
            | "peso"
            | "pesos"
            | "shekel"
            | "shekels"
            | "krona"
            | "kronor"
            | "kroner"
            | "baht"
            | "rand"
            | "riyal"
            | "riyals"
            | "dirham"
            | "dirhams"
            | "dinar"
            | "dinars"
            | "lira"
            | "won"
            | "usd"
            | "eur"
            | "gbp"
    )
}

fn is_currency_owner(word: &str) -> bool {
    matches!(
        word,
        "us" | "american"
            | "australian"
            | "canadian"
            | "british"
            | "hong kong"
            | "swiss"
            | "indian"
            | "new"
    )
}

/// What a number measures: `5%`, `five per cent`, `40 km`.
fn measured(tokens: &[Token<'_>], end: usize) -> Match {
    if surface(tokens, end) == "%" || matches!(folded(tokens, end), "percent" | "pc") {
        return Some((EntityType::Percent, end + 1));
    }
    if folded(tokens, end) == "per" && folded(tokens, end + 1) == "cent" {
        return Some((EntityType::Percent, end + 2));
    }
    if folded(tokens, end) == "percentage" && folded(tokens, end + 1).starts_with("point") {
        return Some((EntityType::Percent, end + 2));
    }
    let qualified =
        matches!(folded(tokens, end), "square" | "cubic" | "metric" | "nautical" | "degrees");
    let unit = end + usize::from(qualified);
    if is_unit(folded(tokens, unit)) || surface(tokens, unit) == "°" {
        let per = folded(tokens, unit + 1) == "per"
            && matches!(folded(tokens, unit + 2), "hour" | "second" | "day" | "year");
        let scale = surface(tokens, unit) == "°" && matches!(surface(tokens, unit + 1), "C" | "F");
        return Some((EntityType::Quantity, unit + 1 + if per { 2 } else { usize::from(scale) }));
    }
    None
}

fn is_unit(word: &str) -> bool {
    #[rustfmt::skip]
const UNITS: &[&str] = &[
    "acre", "acres", "barrel", "barrels", "celsius", "centimeter", "centimeters", "centimetre",
    "centimetres", "cm", "degrees", "fahrenheit", "feet", "foot", "ft", "gallon", "gallons", "gram",
    "grams", "ha", "hectare", "hectares", "inch", "inches", "kelvin", "kg", "kilogram", "kilograms",
    "kilometer", "kilometers", "kilometre", "kilometres", "kilotons", "km", "kmh", "knots", "kph",
    "lbs", "light years", "liter", "liters", "litre", "litres", "megawatt", "megawatts", "meter",
    "meters", "metre", "metres", "mi", "mile", "miles", "millimeters", "millimetres", "mm", "mph",
    "mw", "ounce", "ounces", "pounds", "ton", "tonne", "tonnes", "tons", "watts", "yard", "yards",
];
    UNITS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Field;
    use crate::knowledge::Knowledge;
    use crate::text::Segments;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let segments = Segments::of(text);
        let field = FieldTokens::new(Field::Text, text, &segments, &Knowledge::embedded());
        let values = find(&field);
        let found: Vec<(&str, &str)> =
            values.iter().map(|value| (field.surface(&value.words), value.kind.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn dates() {
        check("He came on Monday, June 4, 2018.", &[("Monday, June 4, 2018", "DATE")]);
        check(
            "It opened on 12 June 2018 and shut in May.",
            &[("12 June 2018", "DATE"), ("May", "DATE")],
        );
        check("She may march in 1990 or in the 1970s.", &[("1990", "DATE"), ("1970s", "DATE")]);
        check(
            "Three years ago, last week and yesterday.",
            &[("Three years ago", "DATE"), ("last week", "DATE"), ("yesterday", "DATE")],
        );
        check("He sold 2000 cars over the past two weeks.", &[("past two weeks", "DATE")]);
        check("A 28-year-old man, 30 years old.", &[]);
    }

    #[test]
    fn times() {
        check(
            "At 2:00 p.m. local time, and at 9am.",
            &[("2:00 p.m. local time", "TIME"), ("9am", "TIME")],
        );
        check(
            "On Tuesday night it took three hours.",
            &[("Tuesday night", "TIME"), ("three hours", "TIME")],
        );
        check("It hit at 1300 UTC, before noon.", &[("1300 UTC", "TIME"), ("noon", "TIME")]);
    }

    #[test]
    fn money_and_percentages() {
        check("It cost $3.5 million, or US$40.", &[("$3.5 million", "MONEY"), ("US$40", "MONEY")]);
        check("Two million euros and £3bn.", &[("Two million euros", "MONEY"), ("£3bn", "MONEY")]);
        check(
            "Up 5% to five per cent, not 12.5 percent.",
            &[("5%", "PERCENT"), ("five per cent", "PERCENT"), ("12.5 percent", "PERCENT")],
        );
    }

    #[test]
    fn quantities() {
        check(
            "It lies 40 km off, and has 1,200 square miles.",
            &[("40 km", "QUANTITY"), ("1,200 square miles", "QUANTITY")],
        );
        check("Winds of 120 miles per hour; three men.", &[("120 miles per hour", "QUANTITY")]);
    }
}
