//! Dates and times of day.
//!
//! In: tokens and where to look. Out: the kind and the end of the date or time that starts there.

use super::{Match, amount_end, folded, is_numeral, surface};
use crate::stages::entities::EntityType;
use crate::stages::entities::tokens::Token;
use crate::text::Shape;

/// `2:00 p.m. local time`, `9am`, `noon`, `1300 UTC`, "Tuesday morning".
pub(super) fn clock_time(tokens: &[Token<'_>], at: usize) -> Match {
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
pub(super) fn calendar_date(tokens: &[Token<'_>], at: usize, amount: Option<usize>) -> Match {
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

pub(super) fn time_unit(word: &str) -> Option<EntityType> {
    match word {
        "day" | "days" | "week" | "weeks" | "month" | "months" | "year" | "years" | "decade"
        | "decades" | "century" | "centuries" | "fortnight" | "weekend" | "weekends"
        | "quarter" | "quarters" => Some(EntityType::Date),
        "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" => Some(EntityType::Time),
        _ => None,
    }
}

/// "yesterday", "last week", "this year", "next Friday".
pub(super) fn relative_date(tokens: &[Token<'_>], at: usize) -> Match {
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
pub(super) fn year(tokens: &[Token<'_>], at: usize) -> Match {
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
