//! Values: dates, times, money, percentages and quantities, by rule.
//!
//! In: the tokens of a field. Out: values that do not overlap, in text order. A span holds the number with its unit,
//! and no article, preposition or "about": "June 12, 2018", "2:00 p.m.", "$3.5 million", "five per cent", "40 km".

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
        .or_else(|| clock_time(tokens, at))
        .or_else(|| calendar_date(tokens, at, amount))
        .or_else(|| amount.and_then(|end| measured(tokens, end)))
        .or_else(|| relative_date(tokens, at))
        .or_else(|| year(tokens, at))
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

/// `2:00 p.m. local time`, `9am`, `noon`, `1300 UTC`, "Tuesday morning".
fn clock_time(tokens: &[Token<'_>], at: usize) -> Match {
    let token = tokens.get(at)?;
    let is_clock = token.shape == Shape::Number
        && token.text.contains(':')
        && token.text.chars().all(|c| c.is_ascii_digit() || c == ':');
    let mut end = at + 1;
    let has_half = |word: &str| word.ends_with("am") || word.ends_with("pm");
    let meridiem = matches!(folded(tokens, end), "am" | "pm") && surface(tokens, end) != "am" || {
        folded(tokens, end) == "am" && (is_clock || is_numeral(Some(token)))
    };
    let attached = token.shape == Shape::Number
        && has_half(&token.folded)
        && token
            .folded
            .trim_end_matches(['a', 'p', 'm'])
            .chars()
            .all(|c| c.is_ascii_digit() || c == ' ');
    let is_short = is_numeral(Some(token)) && token.text.len() <= 5;
    if meridiem && (is_clock || is_short) {
        end += 1;
    } else if !is_clock && !attached {
        let zone = is_short && token.text.len() == 4 && is_zone(surface(tokens, end));
        return if zone { Some((EntityType::Time, end + 1)) } else { day_part(tokens, at) };
    }
    if folded(tokens, end) == "local" && folded(tokens, end + 1) == "time" {
        end += 2;
    } else if is_zone(surface(tokens, end)) {
        end += 1;
    }
    Some((EntityType::Time, end))
}

fn is_zone(word: &str) -> bool {
    matches!(
        word,
        "UTC"
            | "GMT"
            | "EST"
            | "EDT"
            | "CST"
            | "CDT"
            | "MST"
            | "MDT"
            | "PST"
            | "PDT"
            | "BST"
            | "CET"
            | "CEST"
            | "IST"
            | "JST"
            | "AEST"
            | "AEDT"
    )
}

/// "noon", "tonight", "this morning", "Tuesday night".
fn day_part(tokens: &[Token<'_>], at: usize) -> Match {
    let word = folded(tokens, at);
    if matches!(word, "noon" | "midday" | "midnight" | "tonight") {
        return Some((EntityType::Time, at + 1));
    }
    let opens = is_weekday(word) || matches!(word, "this" | "yesterday" | "tomorrow" | "last");
    let part = matches!(folded(tokens, at + 1), "morning" | "afternoon" | "evening" | "night");
    (opens && part).then_some((EntityType::Time, at + 2))
}

fn is_weekday(word: &str) -> bool {
    matches!(
        word,
        "monday"
            | "tuesday"
            | "wednesday"
            | "thursday"
            | "friday"
            | "saturday"
            | "sunday"
            | "mondays"
            | "tuesdays"
            | "wednesdays"
            | "thursdays"
            | "fridays"
            | "saturdays"
            | "sundays"
    )
}

fn is_month(tokens: &[Token<'_>], at: usize) -> bool {
    let capital = tokens.get(at).is_some_and(|token| token.shape.is_name_like());
    capital
        && matches!(
            folded(tokens, at),
            "january"
                | "february"
                | "march"
                | "april"
                | "may"
                | "june"
                | "july"
                | "august"
                | "september"
                | "october"
                | "november"
                | "december"
                | "jan"
                | "feb"
                | "mar"
                | "apr"
                | "jun"
                | "jul"
                | "aug"
                | "sep"
                | "sept"
                | "oct"
                | "nov"
                | "dec"
        )
}

fn is_day(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(token) = tokens.get(at).filter(|token| token.shape == Shape::Number) else {
        return false;
    };
    let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|end| token.text.strip_suffix(end));
    let digits = ordinal.unwrap_or(token.text);
    let parts = digits.split(['-', '–']);
    parts.into_iter().all(|part| part.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day)))
}

fn is_year(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| {
        token.shape == Shape::Number
            && token.text.len() == 4
            && token.text.parse::<u16>().is_ok_and(|year| (1500..2100).contains(&year))
    })
}

/// `Monday, June 4, 2018`, `12 June`, `June 2018`, `Friday`, `2018-06-12`.
fn calendar_date(tokens: &[Token<'_>], at: usize, amount: Option<usize>) -> Match {
    let found = |end: usize| Some((EntityType::Date, end));
    if is_weekday(folded(tokens, at)) && tokens[at].shape.is_name_like() {
        let comma = usize::from(surface(tokens, at + 1) == ",");
        return month_date(tokens, at + 1 + comma).map_or(found(at + 1), found);
    }
    if let Some(end) = month_date(tokens, at) {
        return found(end);
    }
    let token = tokens.get(at)?;
    let is_iso = token.text.len() == 10
        && token.text.split('-').map(str::len).eq([4, 2, 2])
        && token.text.chars().all(|c| c.is_ascii_digit() || c == '-');
    if is_iso {
        return found(at + 1);
    }
    // "the 1990s", "three years ago", "two weeks".
    if token.shape == Shape::Number && token.text.len() == 5 && token.text.ends_with("0s") {
        return found(at + 1);
    }
    let end = amount?;
    let unit = time_unit(folded(tokens, end))?;
    let ago = matches!(folded(tokens, end + 1), "ago" | "earlier" | "later" | "old");
    let old = folded(tokens, end + 1) == "old";
    (!old).then_some((unit, end + 1 + usize::from(ago)))
}

/// `June 4, 2018`, `4 June 2018`, `June 2018`, `June`.
fn month_date(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    if is_month(tokens, at) {
        let mut end = at + 1;
        if is_day(tokens, end) && !is_year(tokens, end) {
            end += 1;
            if surface(tokens, end) == "," && is_year(tokens, end + 1) {
                return Some(end + 2);
            }
        } else if folded(tokens, at) == "may" || folded(tokens, at) == "march" {
            // Also a verb and a name: only with a day, a year, or a preposition before it.
            let dated = at > 0
                && matches!(
                    folded(tokens, at - 1),
                    "in" | "of"
                        | "last"
                        | "since"
                        | "until"
                        | "by"
                        | "early"
                        | "late"
                        | "mid"
                        | "this"
                        | "next"
                );
            if !dated && !is_year(tokens, end) {
                return None;
            }
        }
        return Some(end + usize::from(is_year(tokens, end)));
    }
    if is_day(tokens, at) && is_month(tokens, at + 1) {
        let comma = usize::from(surface(tokens, at + 2) == "," && is_year(tokens, at + 3));
        let year = usize::from(is_year(tokens, at + 2 + comma));
        return Some(at + 2 + if year == 1 { comma + year } else { 0 });
    }
    None
}

fn time_unit(word: &str) -> Option<EntityType> {
    match word {
        "day" | "days" | "week" | "weeks" | "month" | "months" | "year" | "years" | "decade"
        | "decades" | "century" | "centuries" | "fortnight" | "weekend" | "weekends"
        | "quarter" | "quarters" => Some(EntityType::Date),
        "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" => Some(EntityType::Time),
        _ => None,
    }
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

/// "yesterday", "last week", "this year", "next Friday".
fn relative_date(tokens: &[Token<'_>], at: usize) -> Match {
    let word = folded(tokens, at);
    if matches!(word, "yesterday" | "today" | "tomorrow") {
        return Some((EntityType::Date, at + 1));
    }
    if !matches!(word, "last" | "this" | "next" | "past" | "previous" | "following" | "coming") {
        return None;
    }
    if let Some(end) = amount_end(tokens, at + 1)
        && let Some(kind) = time_unit(folded(tokens, end))
    {
        return Some((kind, end + 1));
    }
    let unit = folded(tokens, at + 1);
    let named = is_weekday(unit)
        || is_month(tokens, at + 1)
        || matches!(unit, "spring" | "summer" | "autumn" | "winter" | "weekend");
    let counted = time_unit(unit) == Some(EntityType::Date);
    (named || counted).then_some((EntityType::Date, at + 2))
}

/// A year alone, where a preposition or an edge of the month says that it is one.
fn year(tokens: &[Token<'_>], at: usize) -> Match {
    let before = at.checked_sub(1).map_or("", |before| folded(tokens, before));
    let dated = matches!(
        before,
        "in" | "since"
            | "until"
            | "till"
            | "by"
            | "from"
            | "of"
            | "early"
            | "late"
            | "mid"
            | "during"
            | "before"
            | "after"
            | "to"
            | "between"
            | "and"
            | "around"
            | "circa"
            | "season"
            | "fall"
            | "spring"
            | "summer"
            | "winter"
            | "the"
    ) || at > 0 && matches!(surface(tokens, at - 1), "(" | "-" | "–");
    (is_year(tokens, at) && dated).then_some((EntityType::Date, at + 1))
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
