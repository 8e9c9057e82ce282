//! Which of two versions of an article is the newer one.
//!
//! In: what two records say of themselves. Out: their order, or `None` when nothing that they say tells; then the order
//! in which they arrived is all that is known.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::article::parse_date;

/// A version, and when the article was updated, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) updated: Option<&'a str>,
}

/// Versions decide where they can be compared; where they cannot, the times of update.
pub(super) fn compare(a: Stamp<'_>, b: Stamp<'_>) -> Option<Ordering> {
    let versions = a.version.zip(b.version).and_then(|(a, b)| compare_versions(a, b));
    versions.or_else(|| {
        let (a, b) = a.updated.zip(b.updated)?;
        Some(parse_date(a)?.cmp(&parse_date(b)?))
    })
}

/// Numbers by value ("10" after "9"), dotted numbers by component ("1.10" after "1.9"), times by the moment; equal texts
/// are equal whatever they are. Any other two are not ordered: a name is not a number.
pub(super) fn compare_versions(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.trim(), b.trim());
    if a == b {
        return Some(Ordering::Equal);
    }
    if is_dotted_number(a) && is_dotted_number(b) {
        return Some(compare_numbers(a, b));
    }
    Some(moment(a)?.cmp(&moment(b)?))
}

/// A date with its time: a date alone is not a version that orders updates within a day.
fn moment(text: &str) -> Option<Timestamp> {
    text.contains(['T', 't', ' ']).then(|| parse_date(text))?
}

fn is_dotted_number(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').all(is_number)
}

/// Digits are compared as they are, so no number is too large. What is missing is zero: "3" is "3.0".
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let digits =
            |part: Option<&'_ str>| part.unwrap_or_default().trim_start_matches('0').to_owned();
        let (left, right) = (digits(left), digits(right));
        let order = left.len().cmp(&right.len()).then_with(|| left.cmp(&right));
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: Option<Ordering>) {
        assert_eq!(compare_versions(a, b), expected, "{a} to {b}");
        assert_eq!(compare_versions(b, a), expected.map(Ordering::reverse), "{b} to {a}");
    }

    #[test]
    fn versions_are_compared_as_what_they_are() {
        use Ordering::{Equal, Less};
        check("9", "10", Some(Less));
        check("3", "3", Some(Equal));
        check("007", "7", Some(Equal));
        check("99999999999999999999999", "100000000000000000000000", Some(Less));
        check("1.9", "1.10", Some(Less));
        check("3", "3.1", Some(Less));
        check("3", "3.0", Some(Equal));
        check("2024-05-01T10:00:00Z", "2024-05-01T13:00:00+02:00", Some(Less));
        check("2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00", Some(Equal));
        check("2024-05-01T10:00:00.1Z", "2024-05-01T10:00:00.2Z", Some(Less));
        check("final", "final", Some(Equal));
        check("draft", "final", None);
        check("3", "2024-05-01T10:00:00Z", None);
        check("1..2", "1.2", None);
        check("", "1", None);
        check("-1", "1", None);
    }

    #[track_caller]
    fn check_stamps(a: (&str, &str), b: (&str, &str), expected: Option<Ordering>) {
        fn stamp<'a>((version, updated): (&'a str, &'a str)) -> Stamp<'a> {
            let some = |text: &'a str| (!text.is_empty()).then_some(text);
            Stamp { version: some(version), updated: some(updated) }
        }
        assert_eq!(compare(stamp(a), stamp(b)), expected);
        assert_eq!(compare(stamp(b), stamp(a)), expected.map(Ordering::reverse));
    }

    #[test]
    fn the_time_of_update_decides_where_versions_do_not() {
        use Ordering::{Equal, Less};
        let (early, late) = ("2024-05-01T10:00:00Z", "2024-05-02T10:00:00Z");
        check_stamps(("2", early), ("1", late), Some(Ordering::Greater));
        check_stamps(("", early), ("", late), Some(Less));
        check_stamps(("1", early), ("", late), Some(Less));
        check_stamps(("a", early), ("b", late), Some(Less));
        check_stamps(("3", early), ("3", late), Some(Equal));
        check_stamps(("", early), ("", ""), None);
        check_stamps(("1", ""), ("", late), None);
    }
}
