//! `copydesk enrich`, as it is used in a shell: files, folders and standard input in, JSON Lines or pages out.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs `copydesk enrich` in a folder with some articles.
#[track_caller]
fn enrich(arguments: &[&str], input: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.txt", "“We start,” said Ann Lee of Oslo.");
    write(folder.path(), "news/c.json", "{\n\"text\": \"Three.\"\n}\n");
    write(
        folder.path(),
        "news/b.jsonl",
        "{\"id\":\"b1\",\"text\":\"One.\"}\n\n{\"id\":\n{\"id\":\"b3\",\"text\":\"Two.\"}\n",
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_copydesk"))
        .arg("enrich")
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn write(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The ids that came out, in order, what was said on standard error, and the exit code.
#[track_caller]
fn check(output: &Output, ids: &[&str], said: &[&str], exit_code: i32) {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let record = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let found: Vec<String> =
        out.lines().map(|line| record(line)["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, ids);
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    let errors: Vec<&str> = errors.lines().collect();
    assert_eq!(errors.len(), said.len(), "{errors:#?}");
    for (error, said) in errors.iter().zip(said) {
        assert!(error.contains(said), "{said:?} is not in {error:?}");
    }
    assert_eq!(output.status.code(), Some(exit_code));
}

#[test]
fn raw_text_is_named_after_its_file() {
    check(&enrich(&["a.txt"], ""), &["a"], &[], 0);
}

#[test]
fn folders_are_read_in_order_and_a_refused_line_is_named() {
    check(
        &enrich(&["."], ""),
        &["a", "b1", "b3", "news/c"],
        &["news/b.jsonl:3: refused: truncated_json: ", "1 of 5 inputs failed"],
        1,
    );
}

#[test]
fn a_missing_file_is_named_and_the_others_are_enriched() {
    check(
        &enrich(&["missing.txt", "a.txt"], ""),
        &["a"],
        &["cannot read missing.txt: No such file", "1 of 2 inputs failed"],
        1,
    );
}

#[test]
fn standard_input_is_json_lines_one_document_or_raw_text() {
    let lines = "{\"id\":\"1\",\"text\":\"One.\"}\n{\"id\":\"2\",\"text\":\"Two.\"}\n";
    check(&enrich(&["-"], lines), &["1", "2"], &[], 0);
    check(&enrich(&["-"], "{\n \"id\": \"1\",\n \"text\": \"One.\"\n}\n"), &["1"], &[], 0);
    let text = enrich(&["-", "--format", "text"], "One.\nTwo.\n");
    let record: Value = serde_json::from_slice(&text.stdout).unwrap();
    assert_eq!(record["text"], "One.\nTwo.\n");
}

#[test]
fn pages_in_a_pipe_have_no_colours() {
    let output = enrich(&["--pretty", "a.txt"], "");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.contains("“We start,” ← Ann Lee (direct)} said [PERSON Ann Lee] of [GPE Oslo]."),
        "{page}"
    );
    assert!(!page.contains('\u{1b}'), "{page}");
}

#[test]
fn weights_may_be_replaced_and_bad_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |model: &Path| {
        let article = folder.path().join("a.txt");
        fs::write(&article, "Ann Lee of Oslo spoke.").unwrap();
        let command = Command::new(env!("CARGO_BIN_EXE_copydesk"))
            .args(["enrich", "--model"])
            .args([model, &article])
            .output();
        command.unwrap()
    };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/reader.bin");
    let record: Value = serde_json::from_slice(&run(&own).stdout).unwrap();
    assert!(record["provenance"]["model"].as_str().unwrap().starts_with("reader-"));

    let damaged = folder.path().join("damaged.bin");
    let mut bytes = fs::read(&own).unwrap();
    bytes[1_000_000] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let refused = |model: &Path, said: &str| {
        let output = run(model);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains(said) && error.contains("model.file"),
            "{said:?} is not in {error:?}"
        );
        assert_eq!(output.status.code(), Some(1));
    };
    refused(&damaged, "damaged");
    refused(&folder.path().join("a.txt"), "not a reader");
    refused(&folder.path().join("none.bin"), "No such file");
}
