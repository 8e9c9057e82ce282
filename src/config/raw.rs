//! Settings as they were written: file, environment and flags, one over the other.
//!
//! In: [`ConfigSources`] and the process's environment. Out: a [`RawConfig`], each value with where it was written.
//! Nothing is judged here but what cannot be read at all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::faults::{Fault, Origin, Problem};
use super::properties::Properties;
use crate::trace;

/// Read when no file is named, if it exists.
const DEFAULT_FILE: &str = "config/copydesk.toml";

const VARIABLE_PREFIX: &str = "COPYDESK_";

/// Names that are not copydesk's own, with their values.
#[derive(Debug)]
pub(super) struct Table {
    /// The key below which they stand.
    pub(super) values: &'static str,
    /// The key below which they stand with files that have the values.
    pub(super) files: &'static str,
    /// What an underscore of a variable's name stands for.
    separator: &'static str,
    /// Whether a name's value may be shown.
    pub(super) is_public: fn(&str) -> bool,
    /// Whether a name can have a value, and what it can have.
    pub(super) is_value: fn(&str) -> bool,
    pub(super) expected: &'static str,
}

/// librdkafka's names.
pub(super) const PROPERTIES: Table = Table {
    values: "kafka.properties",
    files: "kafka.property_files",
    separator: ".",
    is_public: Properties::is_public,
    is_value: |_| true,
    expected: "a text, number or boolean",
};

/// Names of HTTP headers.
pub(super) const HEADERS: Table = Table {
    values: "tracing.headers",
    files: "tracing.header_files",
    separator: "-",
    is_public: |_| false,
    is_value: trace::is_header_value,
    expected: "a text that an HTTP header can carry: one line of ASCII",
};

pub(super) const TABLES: [Table; 2] = [PROPERTIES, HEADERS];

/// Where settings come from besides the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigSources {
    /// `--config FILE`; without it `config/copydesk.toml` is read when it exists.
    pub file: Option<PathBuf>,
    /// `--set section.key=value`, in order.
    pub overrides: Vec<String>,
}

/// What was written, by full key (`kafka.group`).
#[derive(Debug, Default)]
pub struct RawConfig {
    pub(super) written: BTreeMap<String, Written>,
    /// Variables of our prefix that name no section. Kubernetes makes some (`COPYDESK_SERVICE_HOST`), so they are no
    /// faults by themselves.
    pub(super) sectionless_variables: Vec<String>,
    pub(super) faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Toml(toml::Value),
    /// From the environment or a flag: what it means depends on the setting.
    Text(String),
}

impl RawConfig {
    pub(super) fn gather(
        sources: &ConfigSources,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut raw = Self::default();
        match &sources.file {
            Some(path) => raw.read_file(path),
            None if Path::new(DEFAULT_FILE).exists() => raw.read_file(Path::new(DEFAULT_FILE)),
            None => {}
        }
        raw.read_environment(environment);
        raw.read_overrides(&sources.overrides);
        raw
    }

    fn read_file(&mut self, path: &Path) {
        match fs::read_to_string(path) {
            Ok(text) => self.read_toml(&text, path),
            Err(error) => {
                let detail = match error.kind() {
                    io::ErrorKind::InvalidData => "is not UTF-8".to_owned(),
                    _ => format!("cannot be read: {error}"),
                };
                self.unreadable(Origin::File { path: path.to_owned(), line: 0 }, detail);
            }
        }
    }

    pub(super) fn read_toml(&mut self, text: &str, path: &Path) {
        let origin = |at: usize| {
            let line = 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count();
            Origin::File { path: path.to_owned(), line }
        };
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            self.unreadable(origin(at), error.message().replace('\n', "; "));
        }
        let mut tables = vec![(String::new(), document.get_ref())];
        while let Some((prefix, table)) = tables.pop() {
            for (name, value) in table {
                let key = format!("{prefix}{}", name.get_ref());
                match value.get_ref() {
                    DeValue::Table(table) if !table.is_empty() => {
                        tables.push((format!("{key}."), table));
                    }
                    _ => match toml::Value::deserialize(ValueDeserializer::from(value.clone())) {
                        Ok(found) => {
                            let origin = origin(value.span().start);
                            self.written.insert(key, Written { value: Value::Toml(found), origin });
                        }
                        Err(error) => {
                            self.unreadable(origin(value.span().start), error.message().to_owned());
                        }
                    },
                }
            }
        }
    }

    fn read_environment(&mut self, environment: impl Iterator<Item = (OsString, OsString)>) {
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
                continue;
            };
            let path = name.trim_start_matches(VARIABLE_PREFIX).to_lowercase();
            if !path.contains("__") {
                self.sectionless_variables.push(name.to_owned());
                continue;
            }
            let origin = Origin::Environment(name.to_owned());
            let mut key = path.replace("__", ".");
            for Table { values, files, separator, .. } in TABLES {
                for prefix in [format!("{values}."), format!("{files}.")] {
                    if let Some(name) = key.strip_prefix(&prefix) {
                        key = format!("{prefix}{}", name.replace('_', separator));
                    }
                }
            }
            match value.into_string() {
                Ok(text) => {
                    self.written.insert(key, Written { value: Value::Text(text), origin });
                }
                Err(_) => self.unreadable(origin, "is not UTF-8".to_owned()),
            }
        }
    }

    fn read_overrides(&mut self, overrides: &[String]) {
        for text in overrides {
            match text.split_once('=') {
                Some((key, value)) => {
                    let value = Value::Text(value.trim().to_owned());
                    let written = Written { value, origin: Origin::Flag };
                    self.written.insert(key.trim().to_owned(), written);
                }
                None => self.unreadable(
                    Origin::Flag,
                    format!("{text:?} has no value; expected section.key=value"),
                ),
            }
        }
    }

    fn unreadable(&mut self, origin: Origin, detail: String) {
        self.faults.push(Fault { origin, problem: Problem::Unreadable { detail } });
    }
}

/// The variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', "__").to_uppercase())
}
