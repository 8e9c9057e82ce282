//! librdkafka properties that are passed through as they are.
//!
//! Some of them are secrets: printing a [`Properties`] never shows the values of those.

use std::fmt;

/// What stands for a secret wherever settings are shown.
pub(super) const REDACTED: &str = "(redacted)";

/// Property names with their values, in the order of the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a property's value must not be shown: passwords, keys, tokens. Rather one too many than one too few.
    pub fn is_secret(name: &str) -> bool {
        const PARTS: [&str; 8] = [
            "password",
            "secret",
            "token",
            "credential",
            "key.pem",
            "jaas",
            "assertion",
            "oauthbearer.config",
        ];
        PARTS.iter().any(|part| name.contains(part))
    }
}

impl FromIterator<(String, String)> for Properties {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(properties: T) -> Self {
        let mut properties: Vec<_> = properties.into_iter().collect();
        properties.sort();
        Self(properties)
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value)| (name, if Self::is_secret(name) { REDACTED } else { value });
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let properties = [
            ("sasl.password", "hunter2"),
            ("ssl.key.password", "hunter2"),
            ("ssl.key.pem", "hunter2"),
            ("sasl.oauthbearer.client.secret", "hunter2"),
            ("sasl.oauthbearer.config", "hunter2"),
            ("sasl.username", "desk"),
        ];
        let properties: Properties =
            properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let printed = format!("{properties:?} {properties:#?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("\"sasl.username\": \"desk\""), "{printed}");
    }
}
