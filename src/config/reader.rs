//! One setting at a time: what was written, or the default, judged and recorded.
//!
//! In: a [`RawConfig`], and for each setting its key, default and what it takes. Out: values in their types. A value
//! that is not accepted is a fault and gives the default, so that reading goes on and finds all faults.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::faults::{Fault, Faults, Origin, Problem, nearest};
use super::properties::REDACTED;
use super::raw::{RawConfig, TABLES, Table, Value, Written, variable};

/// One setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    /// In TOML's syntax; secrets are redacted.
    pub value: String,
    pub origin: Origin,
}

impl Setting {
    /// As TOML has them: `[kafka]` and `group`.
    pub fn section_and_name(&self) -> (&str, &str) {
        let of = |table| Some((table, self.key.strip_prefix(table)?.strip_prefix('.')?));
        let tables = TABLES.iter().flat_map(|table| [table.values, table.files]);
        match tables.into_iter().find_map(of) {
            Some(names) => names,
            None => self.key.split_once('.').expect("every setting is in a section"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    raw: RawConfig,
    settings: Vec<Setting>,
}

impl Reader {
    pub(super) fn new(raw: RawConfig) -> Self {
        Self { raw, settings: Vec::new() }
    }

    /// A text that `parse` accepts; `show` is its inverse.
    pub(super) fn text<T>(
        &mut self,
        key: &str,
        default: T,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
        show: impl Fn(&T) -> String,
    ) -> T {
        self.setting(
            key,
            default,
            expected,
            |value| parse(value.as_text()?),
            |value| toml::Value::String(show(value)),
        )
    }

    /// One of a closed set of names.
    pub(super) fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &str,
        default: T,
        names: &[(&str, T)],
    ) -> T {
        let expected = names.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>();
        self.text(
            key,
            default,
            &expected.join(" or "),
            |text| names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value),
            |value| {
                let entry = names.iter().find(|(_, named)| named == value);
                entry.map_or_else(String::new, |(name, _)| (*name).to_owned())
            },
        )
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        let parse = |value: &Value| match value {
            Value::Toml(value) => value.as_bool(),
            Value::Text(text) => text.parse().ok(),
        };
        self.setting(key, default, "true or false", parse, |value| (*value).into())
    }

    /// Texts that `parse` accepts, each; as TOML an array, elsewhere separated by commas.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        default: Vec<T>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
        show: impl Fn(&T) -> String,
    ) -> Vec<T> {
        self.setting(
            key,
            default,
            expected,
            |value| value.as_list()?.into_iter().map(&parse).collect(),
            |values| values.iter().map(&show).collect::<Vec<_>>().into(),
        )
    }

    pub(super) fn integer(
        &mut self,
        key: &str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        self.setting(
            key,
            default,
            &expected,
            |value| value.as_integer().filter(|integer| range.contains(integer)),
            |value| integer(*value),
        )
    }

    /// Whole milliseconds.
    pub(super) fn milliseconds(
        &mut self,
        key: &str,
        default: Duration,
        range: RangeInclusive<usize>,
    ) -> Duration {
        let default = usize::try_from(default.as_millis()).unwrap_or(usize::MAX);
        Duration::from_millis(self.integer(key, default, range) as u64)
    }

    /// Any setting.
    pub(super) fn setting<T>(
        &mut self,
        key: &str,
        default: T,
        expected: &str,
        parse: impl Fn(&Value) -> Option<T>,
        show: impl Fn(&T) -> toml::Value,
    ) -> T {
        let (value, origin) = match self.raw.written.remove(key) {
            Some(written) => match parse(&written.value) {
                Some(value) => (value, written.origin),
                None => {
                    let found = written.value.shown();
                    self.invalid(written.origin.clone(), key, found, expected);
                    (default, written.origin)
                }
            },
            None => (default, Origin::Default),
        };
        let shown = show(&value).to_string();
        self.settings.push(Setting { key: key.to_owned(), value: shown, origin });
        value
    }

    /// Everything in a table, and in the files that it names; `reserved` says what to do instead for names that are not
    /// free.
    pub(super) fn table<T: FromIterator<(String, String)>>(
        &mut self,
        table: &Table,
        reserved: impl Fn(&str) -> Option<&'static str>,
    ) -> T {
        let mut properties = self.written_values(table, &reserved);
        let files = table.files;
        for (key, written) in self.take_table(files) {
            let prefix = format!("{files}.");
            let name = key.strip_prefix(&prefix).unwrap_or(&key).to_owned();
            let path = written.value.as_text().map(str::to_owned);
            let result = match (reserved(&name), &path) {
                (Some(instead), _) => Err(instead.to_owned()),
                (None, None) => Err("the name of a file".to_owned()),
                (None, Some(_)) if properties.iter().any(|(other, _)| *other == name) => {
                    Err(format!("to be set here or in {}, not in both", table.values))
                }
                (None, Some(path)) => std::fs::read_to_string(path)
                    // Editors and `echo` end a file with a line break; no secret does.
                    .map(|value| value.trim_end_matches(['\r', '\n']).to_owned())
                    .map_err(|error| format!("a file that can be read ({error})"))
                    .and_then(|value| match (table.is_value)(&value) {
                        true => Ok(value),
                        false => Err(format!("a file with {}", table.expected)),
                    }),
            };
            match result {
                Ok(value) => {
                    let shown = toml::Value::String(path.unwrap_or_default()).to_string();
                    let key = format!("{files}.{name:?}");
                    self.settings.push(Setting { key, value: shown, origin: written.origin });
                    properties.push((name, value));
                }
                Err(expected) => {
                    self.invalid(written.origin, &key, written.value.shown(), &expected);
                }
            }
        }
        properties.into_iter().collect()
    }

    fn take_table(&mut self, table: &str) -> BTreeMap<String, Written> {
        let prefix = format!("{table}.");
        let (ours, others): (BTreeMap<_, _>, _) = std::mem::take(&mut self.raw.written)
            .into_iter()
            .partition(|(key, _)| key.starts_with(&prefix));
        self.raw.written = others;
        ours
    }

    fn written_values(
        &mut self,
        table: &Table,
        reserved: &impl Fn(&str) -> Option<&'static str>,
    ) -> Vec<(String, String)> {
        let prefix = format!("{}.", table.values);
        let mut properties = Vec::new();
        for (key, written) in self.take_table(table.values) {
            let name = key.strip_prefix(&prefix).unwrap_or(&key).to_owned();
            let is_public = (table.is_public)(&name);
            let found = if is_public { written.value.shown() } else { REDACTED.to_owned() };
            match (reserved(&name), written.value.to_property()) {
                (Some(instead), _) => self.invalid(written.origin, &key, found, instead),
                (None, Some(value)) if (table.is_value)(&value) => {
                    let shown = if is_public { &value } else { REDACTED };
                    let shown = toml::Value::String(shown.to_owned()).to_string();
                    let key = format!("{}.{name:?}", table.values);
                    self.settings.push(Setting { key, value: shown, origin: written.origin });
                    properties.push((name, value));
                }
                (None, _) => self.invalid(written.origin, &key, found, table.expected),
            }
        }
        properties
    }

    /// `key` has a value that does not go with another one. A value that was refused has its fault already.
    pub(super) fn inconsistent(&mut self, key: &str, expected: &str) {
        let is_refused =
            |fault: &Fault| matches!(&fault.problem, Problem::Invalid { key: of, .. } if of == key);
        if self.raw.faults.iter().any(is_refused) {
            return;
        }
        let setting = self.settings.iter().find(|setting| setting.key == key);
        let setting = setting.expect("a setting is compared after it was read").clone();
        self.invalid(setting.origin, key, setting.value, expected);
    }

    /// All settings with their origins, unless something was wrong. What nothing has read is an unknown key.
    pub(super) fn finish(mut self) -> Result<Vec<Setting>, Faults> {
        let sections_end = |key: &str, name: &str| {
            key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        let has_broken_syntax = self.raw.faults.iter().any(|fault| {
            matches!(
                (&fault.origin, &fault.problem),
                (Origin::File { .. }, Problem::Unreadable { .. })
            )
        });
        for (key, written) in std::mem::take(&mut self.raw.written) {
            let is_section =
                TABLES.iter().any(|table| [table.values, table.files].contains(&key.as_str()))
                    || self.settings.iter().any(|setting| sections_end(&setting.key, &key));
            match written.value {
                Value::Toml(toml::Value::Table(_)) if is_section => {}
                value if is_section => {
                    self.invalid(written.origin, &key, value.shown(), "a table of settings");
                }
                // After an error of syntax, keys stand in sections that they were not written for.
                _ if has_broken_syntax && matches!(written.origin, Origin::File { .. }) => {}
                _ => {
                    let nearest = nearest(&key, self.keys());
                    let problem = Problem::UnknownKey { key, nearest };
                    self.raw.faults.push(Fault { origin: written.origin, problem });
                }
            }
        }
        for name in std::mem::take(&mut self.raw.sectionless_variables) {
            let meant = self.keys().map(variable).find(|meant| meant.replace("__", "_") == name);
            if let Some(meant) = meant {
                let origin = Origin::Environment(name.clone());
                let problem = Problem::UnknownKey { key: name, nearest: Some(meant) };
                self.raw.faults.push(Fault { origin, problem });
            }
        }
        Faults::none_or(self.raw.faults).map(|()| self.settings)
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|setting| setting.key.as_str())
    }

    fn invalid(&mut self, origin: Origin, key: &str, found: String, expected: &str) {
        let (key, expected) = (key.to_owned(), expected.to_owned());
        self.raw.faults.push(Fault { origin, problem: Problem::Invalid { key, found, expected } });
    }
}

impl Value {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Toml(value) => value.as_str(),
            Self::Text(text) => Some(text),
        }
    }

    pub(super) fn as_integer(&self) -> Option<usize> {
        match self {
            Self::Toml(value) => usize::try_from(value.as_integer()?).ok(),
            Self::Text(text) => text.replace('_', "").parse().ok(),
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Toml(toml::Value::Integer(integer)) => integer.to_string().parse().ok(),
            Self::Toml(value) => value.as_float(),
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn as_list(&self) -> Option<Vec<&str>> {
        match self {
            Self::Toml(value) => value.as_array()?.iter().map(toml::Value::as_str).collect(),
            Self::Text(text) if text.trim().is_empty() => Some(Vec::new()),
            Self::Text(text) => Some(text.split(',').map(str::trim).collect()),
        }
    }

    /// As librdkafka takes it.
    fn to_property(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Toml(toml::Value::String(text)) => Some(text.clone()),
            Self::Toml(
                value @ (toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_)),
            ) => Some(value.to_string()),
            Self::Toml(_) => None,
        }
    }

    /// For people, on one line of bounded length.
    fn shown(&self) -> String {
        const CHARS_MAX: usize = 80;
        let mut shown = match self {
            Self::Text(text) | Self::Toml(toml::Value::String(text)) => format!("{text:?}"),
            Self::Toml(value) => value.to_string().replace('\n', " "),
        };
        if let Some((at, _)) = shown.char_indices().nth(CHARS_MAX) {
            shown.truncate(at);
            shown.push('…');
        }
        shown
    }
}

pub(super) fn integer(value: usize) -> toml::Value {
    toml::Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}
