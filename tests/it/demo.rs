//! `copydesk demo --once`, as a newcomer runs it in a pipe.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the demo in an empty folder, so that no configuration file of this repository has a say.
#[track_caller]
fn demo(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_copydesk"))
        .args(["demo", "--once"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    for line in shown.lines() {
        assert!(textwrap::core::display_width(line) <= 80, "wider than 80 columns: {line}");
        assert!(!line.contains('\u{1b}'), "colours in a pipe: {line}");
    }
    output
}

#[track_caller]
fn check(output: &Output, is_ok: bool, expected: &[&str]) {
    let shown = String::from_utf8_lossy(&output.stdout);
    let faults = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), is_ok, "{shown}\n{faults}");
    for part in expected {
        assert!(shown.contains(part), "{part:?} is missing in\n{shown}\n{faults}");
    }
}

#[test]
fn all_samples_are_settled() {
    let output = demo(&[]);
    check(
        &output,
        true,
        &[
            "→ 02-coal-station.json          ninjs      …",
            "→ 09-cut-off.json\n← dead letter truncated_json: ",
            "← retracted   canceled ",
            "without annotations: unsupported_language",
            "15 in: 13 enriched, 1 retracted, 1 dead letter",
            "/metrics",
        ],
    );
}

#[test]
fn the_users_own_folder_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content);
    write("a.txt", "“We start,” said Ann Lee of Oslo.".as_bytes()).unwrap();
    write("b.jsonl", b"{\"id\":\"b1\",\"text\":\"One.\"}\n{\"id\":\"b2\",\"text\":\"Two.\"}\n")
        .unwrap();
    write("c.txt", b"\xff\xfe\xfd").unwrap();
    let output = demo(&["--input", folder.path().to_str().unwrap()]);
    check(&output, true, &["4 in: 3 enriched, 0 retracted, 1 dead letter", "not_utf8"]);
}

#[test]
fn a_folder_that_is_not_there_fails() {
    assert!(!Path::new("/nonexistent").exists());
    let output = demo(&["--input", "/nonexistent"]);
    check(&output, false, &["cannot read /nonexistent"]);
}
