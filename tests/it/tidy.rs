//! The layout's rules, checked: file length, a `//!` on line one, and which layer may name what.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 500;

/// What only these files may name; everything else in `src` must not.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rdkafka::consumer", &["source/kafka", "commands/check", "commands/demo"]),
    ("rdkafka::producer", &["sink/kafka", "commands/demo"]),
    ("rdkafka::mocking", &["commands/demo"]),
    (
        "rdkafka",
        &["kafka.rs", "source/kafka", "sink/kafka", "commands/check", "commands/demo", "cli"],
    ),
    ("std::env", &["config", "main"]),
    (
        "tokio",
        &[
            "source",
            "sink",
            "stages.rs",
            "pool.rs",
            "pipeline",
            "commands",
            "admin",
            "shutdown",
            "main.rs",
            "metrics",
            "trace",
        ],
    ),
    ("hyper", &["trace"]),
    ("openssl", &["trace"]),
    ("opentelemetry", &["trace"]),
    ("prometheus::", &["metrics"]),
    ("axum", &["admin"]),
    ("clap", &["cli", "main.rs"]),
];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    assert!(found.len() > 20, "the walk found {} files", found.len());
    found
        .into_iter()
        .map(|path| {
            (
                path.strip_prefix(&root).unwrap().display().to_string(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn files_are_short_and_say_what_they_do() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        let lines = text.lines().take_while(|line| !line.contains("#[cfg(test)]")).count();
        if lines > LINES_MAX {
            faults.push(format!("{name}: {lines} lines before tests, more than {LINES_MAX}"));
        }
        if !text.starts_with("//!") {
            faults.push(format!("{name}: line one does not say what the file is for (//!)"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn layers_name_only_what_they_may() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        let code = text.lines().take_while(|line| !line.contains("#[cfg(test)]"));
        for line in code.filter(|line| !line.trim_start().starts_with("//")) {
            for (forbidden, allowed) in ONLY_IN {
                if line.contains(forbidden)
                    && !allowed.iter().any(|prefix| name.starts_with(prefix))
                {
                    faults.push(format!("{name} names {forbidden}: {}", line.trim()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
