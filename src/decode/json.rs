//! One JSON object, member by member.
//!
//! In: the text of a record. Out: [`Members`], each parsed when it is asked for, so that what no format defines is
//! never more than skipped. Skipping does not recurse; what is asked for nests at most [`DEPTH_MAX`] deep.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::DecodeError;

/// The limit of `serde_json`'s parser, which recurses: ANS stories nest some ten levels.
pub(super) const DEPTH_MAX: usize = 128;

/// The members of one object.
#[derive(Debug)]
pub(super) struct Members<'v> {
    by_name: BTreeMap<String, &'v RawValue>,
    /// A name stands twice: as in most parsers, the last one counts.
    pub has_duplicates: bool,
}

impl<'v> Members<'v> {
    /// # Errors
    /// `TruncatedJson`, `NotJson` and `NotAnObject`.
    pub(super) fn parse(value: &'v str) -> Result<Self, DecodeError> {
        serde_json::from_str(value).map_err(|error| match error.classify() {
            Category::Eof => {
                DecodeError::TruncatedJson { line: error.line(), column: error.column() }
            }
            Category::Syntax if is_cut_number(value, &error) => {
                DecodeError::TruncatedJson { line: error.line(), column: error.column() }
            }
            Category::Data => DecodeError::NotAnObject { found: kind_of(value) },
            Category::Syntax | Category::Io => DecodeError::NotJson { detail: error.to_string() },
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The member's text as it stands in the record; `None` when it is missing or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'v str> {
        self.by_name.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }

    /// # Errors
    /// `InvalidField` for anything but a string or null.
    pub(super) fn string(&self, name: &str) -> Result<Option<String>, DecodeError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw).map(Some).map_err(|_| invalid(name, "a string"))
    }

    /// A string, or a number as it is written: ids and versions come as both.
    ///
    /// # Errors
    /// `InvalidField` for anything else but null.
    pub(super) fn string_or_number(&self, name: &str) -> Result<Option<String>, DecodeError> {
        match self.raw(name) {
            Some(raw) if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok(Some(raw.to_owned()))
            }
            _ => self.string(name).map_err(|_| invalid(name, "a string or a number")),
        }
    }

    /// The string, when it is one.
    pub(super) fn lenient_string(&self, name: &str) -> Option<String> {
        self.string(name).ok().flatten()
    }

    /// # Errors
    /// `TooDeep`, and `InvalidField` for a number that no float holds.
    pub(super) fn value(&self, name: &str) -> Result<Option<Value>, DecodeError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw).map(Some).map_err(|error| {
            // serde_json tells this error from others by its message alone.
            if error.to_string().starts_with("recursion limit exceeded") {
                DecodeError::TooDeep { field: name.to_owned(), depth_max: DEPTH_MAX }
            } else {
                invalid(name, "a value whose numbers are in range")
            }
        })
    }

    /// # Errors
    /// `InvalidField` for anything but an array or null, and those of [`Members::value`].
    pub(super) fn array(&self, name: &str) -> Result<Vec<Value>, DecodeError> {
        match self.value(name)? {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(invalid(name, "an array")),
        }
    }

    /// The elements of an array, each as it stands in the record; empty for null.
    ///
    /// # Errors
    /// `InvalidField` for anything but an array or null.
    pub(super) fn raw_array(&self, name: &str) -> Result<Vec<&'v str>, DecodeError> {
        let Some(raw) = self.raw(name) else { return Ok(Vec::new()) };
        let elements: Vec<&RawValue> =
            serde_json::from_str(raw).map_err(|_| invalid(name, "an array"))?;
        Ok(elements.into_iter().map(RawValue::get).collect())
    }

    /// # Errors
    /// `InvalidField` for anything but an object or null.
    pub(super) fn object(&self, name: &str) -> Result<Option<Members<'v>>, DecodeError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        Members::parse(raw).map(Some).map_err(|_| invalid(name, "an object"))
    }
}

impl<'de: 'v, 'v> Deserialize<'de> for Members<'v> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members { by_name: BTreeMap::new(), has_duplicates: false };
        while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
            members.has_duplicates |= members.by_name.insert(name, raw).is_some();
        }
        Ok(members)
    }
}

/// Whether the JSON ends inside a number, which `serde_json` does not tell from a malformed one.
fn is_cut_number(value: &str, error: &serde_json::Error) -> bool {
    let last_line = value.rsplit('\n').next().unwrap_or_default();
    value.ends_with(['.', 'e', 'E', '+', '-']) && error.column() == last_line.len()
}

/// The error for a field of the wrong type.
pub(super) fn invalid(field: impl Into<String>, expected: &'static str) -> DecodeError {
    DecodeError::InvalidField { field: shorten(&field.into()), expected }
}

/// The string at `path` within a parsed member.
///
/// # Errors
/// `InvalidField` for anything but a string or null.
pub(super) fn string_at(
    value: Option<&Value>,
    path: impl FnOnce() -> String,
) -> Result<Option<&str>, DecodeError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(string)) => Ok(Some(string)),
        Some(_) => Err(invalid(path(), "a string")),
    }
}

/// Input for an error message or a path, which end up in headers and records: its first characters.
pub(super) fn shorten(value: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut chars = value.chars();
    let mut start: String = chars.by_ref().take(CHARS_MAX).collect();
    if chars.next().is_some() {
        start.push('…');
    }
    start
}

fn kind_of(value: &str) -> &'static str {
    match value.trim_start().as_bytes().first() {
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Puts `\ufffd` in the place of each escaped half of a surrogate pair that stands alone. Software that cuts UTF-16
/// strings leaves them, and no UTF-8 can hold them. In code points and UTF-16 units the length stays the same.
pub(super) fn replace_lone_surrogates(value: &str) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    let mut lone = Vec::new();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        let escape = at + found;
        at = match surrogate_at(bytes, escape) {
            Some(Half::High) if surrogate_at(bytes, escape + 6) == Some(Half::Low) => escape + 12,
            Some(Half::High | Half::Low) => {
                lone.push(escape);
                escape + 6
            }
            None => (escape + 2).min(bytes.len()),
        };
    }
    if lone.is_empty() {
        return Cow::Borrowed(value);
    }
    let mut replaced = bytes.to_vec();
    for escape in lone {
        replaced[escape..escape + 6].copy_from_slice(br"\ufffd");
    }
    Cow::Owned(String::from_utf8(replaced).expect("ASCII took the place of ASCII"))
}

#[derive(Debug, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// Which half the six bytes at `at` escape: `\ud800` to `\udbff` are high, `\udc00` to `\udfff` low.
fn surrogate_at(bytes: &[u8], at: usize) -> Option<Half> {
    match bytes.get(at..at + 6)? {
        [b'\\', b'u', b'd' | b'D', second, third, fourth]
            if third.is_ascii_hexdigit() && fourth.is_ascii_hexdigit() =>
        {
            match second {
                b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::High),
                b'c'..=b'f' | b'C'..=b'F' => Some(Half::Low),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_parsed_when_asked_for() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let text = format!(r#"{{"a":"x","n":1e999,"v":12,"deep":{deep},"nil":null,"a":"y"}}"#);
        let members = Members::parse(&text).unwrap();
        assert!(members.has_duplicates);
        assert_eq!(members.string("a").unwrap().as_deref(), Some("y"));
        assert_eq!(members.string("nil"), Ok(None));
        assert_eq!(members.string("v"), Err(invalid("v", "a string")));
        assert_eq!(members.string_or_number("v").unwrap().as_deref(), Some("12"));
        assert_eq!(members.string_or_number("n").unwrap().as_deref(), Some("1e999"));
        let too_deep = DecodeError::TooDeep { field: "deep".into(), depth_max: DEPTH_MAX };
        assert_eq!(members.value("deep"), Err(too_deep));
        assert_eq!(members.array("a"), Err(invalid("a", "an array")));
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        assert_eq!(Members::parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn ways_of_not_being_an_object() {
        check_refused("{\"a\": \"b", "JSON ends early at line 1, column 8");
        check_refused("{\"a\": 1.", "JSON ends early at line 1, column 8");
        check_refused("{\"a\":\n-", "JSON ends early at line 2, column 1");
        check_refused("", "JSON ends early at line 1, column 0");
        check_refused("{\"a\": tru}", "value is not JSON: expected ident at line 1 column 10");
        check_refused("{} {}", "value is not JSON: trailing characters at line 1 column 4");
        check_refused(" [1]", "JSON is not an object but an array");
        check_refused("\"a\"", "JSON is not an object but a string");
        check_refused("12", "JSON is not an object but a number");
        check_refused("null", "JSON is not an object but null");
        check_refused(&"[".repeat(100_000), "JSON is not an object but an array");
    }

    #[track_caller]
    fn check_surrogates(text: &str, expected: &str) {
        assert_eq!(replace_lone_surrogates(text), expected);
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        check_surrogates(r#""\ud83d\ude00""#, r#""\ud83d\ude00""#);
        check_surrogates(r#""cut \ud83d""#, r#""cut \ufffd""#);
        check_surrogates(r#""\uDE00\uD83D\uD83D\uDE00""#, r#""\ufffd\ufffd\uD83D\uDE00""#);
        check_surrogates(r#""\\ud83d""#, r#""\\ud83d""#);
        check_surrogates(r#""\\\ud83d""#, r#""\\\ufffd""#);
        check_surrogates(r"\ud8", r"\ud8");
        check_surrogates("\\", "\\");
    }
}
