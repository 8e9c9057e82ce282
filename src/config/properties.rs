//! librdkafka properties, and headers for a collector, that are passed through as they are.
//!
//! Some properties are secrets, and all headers are: printing them never shows the values of those.

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

    /// Whether a property's value may be shown: only where the name says that it is no secret, so that a misspelt
    /// password stays hidden too.
    pub fn is_public(name: &str) -> bool {
        const NAMES: [&str; 3] = ["debug", "client.id", "security.protocol"];
        const ENDINGS: [&str; 18] = [
            ".ms",
            ".bytes",
            ".kbytes",
            ".messages",
            ".size",
            ".max",
            ".min",
            ".level",
            ".type",
            ".family",
            ".ttl",
            ".rack",
            ".reset",
            ".location",
            ".mechanism",
            ".mechanisms",
            ".username",
            ".algorithm",
        ];
        NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
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
        let shown = |(name, value)| (name, if Self::is_public(name) { value } else { REDACTED });
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

/// Names with values of which none is ever printed, in the order of the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<(String, String)>);

impl Secrets {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Secrets {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(secrets: T) -> Self {
        let mut secrets: Vec<_> = secrets.into_iter().collect();
        secrets.sort();
        Self(secrets)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, _)| (name, REDACTED))).finish()
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
            ("sasl.pasword", "hunter2"),
            ("sasl.username", "desk"),
        ];
        let properties: Properties =
            properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let printed = format!("{properties:?} {properties:#?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("\"sasl.username\": \"desk\""), "{printed}");
        let headers: Secrets = [("x-team".into(), "hunter2".into())].into_iter().collect();
        assert_eq!(format!("{headers:?}"), "{\"x-team\": \"(redacted)\"}");
    }
}
