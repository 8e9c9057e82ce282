//! Files, folders and standard input as a source.
//!
//! In: paths, or `-` for standard input. Out: [`Input`]s or [`InputFault`]s, one at a time: folders in name order, one
//! record a line of JSON Lines, any other file as one record. No more than the size bound is ever held of a record.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{Position, RawRecord};

/// A folder's folders are read down to this depth: a newsroom's archive is year/month/day/desk; the bound ends loops.
pub const FOLDER_DEPTH_MAX: usize = 16;

/// The endings that are read from folders.
pub const ENDINGS: [&str; 4] = ["txt", "json", "jsonl", "ndjson"];

/// The path that means standard input.
pub const STANDARD_INPUT: &str = "-";

/// One record; its position's topic is the file's path, its offset the line, or 0 for a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub record: RawRecord,
    /// Whether the file's name says that it is raw text.
    pub is_text: bool,
}

/// What could not be read; reading goes on after it.
#[derive(Debug, thiserror::Error)]
pub enum InputFault {
    #[error("cannot read {path}: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("{path} holds no articles: files ending in .txt, .json, .jsonl and .ndjson are read")]
    NoArticles { path: String },
    #[error("{path} is more than {FOLDER_DEPTH_MAX} folders deep and is not read")]
    TooDeep { path: String },
    #[error("{place}: refused: too_large: more than {bytes_max} bytes", place = place(path, *line))]
    TooLarge { path: String, line: i64, bytes_max: usize },
}

impl InputFault {
    /// Whether the rest of the file can be read.
    fn is_passed_over(&self) -> bool {
        matches!(self, Self::TooLarge { .. })
    }
}

/// `file:line`, or `file` for a whole file (line 0).
pub fn place(path: &str, line: i64) -> String {
    if line == 0 { path.to_owned() } else { format!("{path}:{line}") }
}

/// How the bytes of a file are cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Each file as its name says; standard input and other names as their first line says.
    ByName,
    /// Every file is one record.
    Whole,
}

/// An iterator over all records of the given paths.
#[derive(Debug)]
pub struct Inputs {
    /// Still to be opened, the next one last.
    pending: Vec<Pending>,
    open: Option<Lines>,
    framing: Framing,
    record_bytes_max: usize,
}

#[derive(Debug)]
struct Pending {
    path: PathBuf,
    /// What the file holds, when it is not read from a disk.
    content: Option<&'static [u8]>,
    /// The article's id when it has none of its own: the path below the folder that was given, without the ending.
    name: String,
    depth: usize,
}

impl Inputs {
    pub fn new(paths: Vec<PathBuf>, framing: Framing, record_bytes_max: usize) -> Self {
        let pending = paths.into_iter().rev().map(|path| {
            let name = stem(&path);
            Pending { path, content: None, name, depth: 0 }
        });
        Self { pending: pending.collect(), open: None, framing, record_bytes_max }
    }

    /// Files inside the binary: name and content.
    pub fn embedded(files: &[(&str, &'static [u8])], record_bytes_max: usize) -> Self {
        let pending = files.iter().rev().map(|(name, content)| {
            let path = PathBuf::from(name);
            Pending { name: stem(&path), content: Some(content), path, depth: 0 }
        });
        let framing = Framing::ByName;
        Self { pending: pending.collect(), open: None, framing, record_bytes_max }
    }

    fn open(&mut self, pending: Pending) -> Option<Result<Input, InputFault>> {
        let path = pending.path.display().to_string();
        let unreadable = |error| InputFault::Unreadable { path: path.clone(), error };
        if let Some(content) = pending.content {
            return self.read(pending, Box::new(content));
        }
        if pending.path.as_os_str() == STANDARD_INPUT {
            return self.read(pending, Box::new(BufReader::new(io::stdin())));
        }
        let file = match File::open(&pending.path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((metadata, _)) if metadata.is_dir() => return self.list(&pending).err().map(Err),
            Ok((_, file)) => file,
            Err(error) => return Some(Err(unreadable(error))),
        };
        self.read(pending, Box::new(BufReader::new(file)))
    }

    /// Puts a folder's files and folders before everything that is still pending.
    fn list(&mut self, folder: &Pending) -> Result<(), InputFault> {
        let path = folder.path.display().to_string();
        if folder.depth == FOLDER_DEPTH_MAX {
            return Err(InputFault::TooDeep { path });
        }
        let entries = std::fs::read_dir(&folder.path)
            .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
            .map_err(|error| InputFault::Unreadable { path: path.clone(), error })?;
        let mut found: Vec<PathBuf> =
            entries.into_iter().map(|entry| entry.path()).filter(|path| is_listed(path)).collect();
        if found.is_empty() && folder.depth == 0 {
            return Err(InputFault::NoArticles { path });
        }
        found.sort_unstable();
        let prefix = if folder.depth == 0 { String::new() } else { format!("{}/", folder.name) };
        self.pending.extend(found.into_iter().rev().map(|path| {
            // A folder's name is kept whole: only a file has an ending to drop.
            let own = if path.is_dir() { file_name(&path) } else { stem(&path) };
            let name = format!("{prefix}{own}");
            Pending { path, content: None, name, depth: folder.depth + 1 }
        }));
        Ok(())
    }

    fn read(
        &mut self,
        pending: Pending,
        reader: Box<dyn BufRead + Send>,
    ) -> Option<Result<Input, InputFault>> {
        let ending = ending(&pending.path);
        let is_stdin = pending.path.as_os_str() == STANDARD_INPUT;
        let path =
            if is_stdin { "standard input".into() } else { pending.path.display().to_string() };
        let mut lines = Lines { path, reader, line: 0, record_bytes_max: self.record_bytes_max };
        let name = (!is_stdin).then_some(pending.name);
        let first = match (self.framing, ending.as_deref()) {
            (Framing::Whole, _) | (Framing::ByName, Some("txt" | "json")) => {
                lines.rest(Vec::new()).map(|value| lines.record(0, name, value))
            }
            (Framing::ByName, Some("jsonl" | "ndjson")) => return self.follow(lines),
            (Framing::ByName, _) => match lines.next_line() {
                Ok(Some(line)) if continues(&line) => {
                    lines.rest(line).map(|value| lines.record(0, name, value))
                }
                Ok(Some(line)) => {
                    let first = lines.record(lines.line, None, line);
                    self.open = Some(lines);
                    Ok(first)
                }
                Ok(None) => lines.rest(Vec::new()).map(|value| lines.record(0, name, value)),
                Err(fault) => {
                    self.open = fault.is_passed_over().then_some(lines);
                    Err(fault)
                }
            },
        };
        let is_text = ending.as_deref() == Some("txt");
        Some(first.map(|record| Input { record, is_text }))
    }

    /// The next record of a JSON Lines file; `None` at its end.
    fn follow(&mut self, mut lines: Lines) -> Option<Result<Input, InputFault>> {
        let next = lines.next_line().transpose()?;
        let result = next.map(|value| lines.record(lines.line, None, value));
        let goes_on = result.as_ref().map_or_else(InputFault::is_passed_over, |_| true);
        self.open = goes_on.then_some(lines);
        Some(result.map(|record| Input { record, is_text: false }))
    }
}

impl Iterator for Inputs {
    type Item = Result<Input, InputFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let item = match self.open.take() {
                Some(lines) => self.follow(lines),
                None => {
                    let pending = self.pending.pop()?;
                    self.open(pending)
                }
            };
            if item.is_some() {
                return item;
            }
        }
    }
}

/// One open file, read line by line.
struct Lines {
    path: String,
    reader: Box<dyn BufRead + Send>,
    /// Lines read so far.
    line: i64,
    record_bytes_max: usize,
}

impl Lines {
    /// The next line that is not blank, without its line feed; a line over the bound is skipped and reported.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, InputFault> {
        loop {
            let mut line = Vec::new();
            let bytes_max = self.record_bytes_max as u64 + 1;
            let n = self.reader.by_ref().take(bytes_max).read_until(b'\n', &mut line);
            if n.map_err(|error| self.unreadable(error))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let ends = line.pop_if(|last| *last == b'\n').is_some();
            if !ends && line.len() > self.record_bytes_max {
                self.reader.skip_until(b'\n').map_err(|error| self.unreadable(error))?;
                return Err(self.too_large(self.line));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// `start` and everything after it.
    fn rest(&mut self, start: Vec<u8>) -> Result<Vec<u8>, InputFault> {
        let mut value = start;
        if !value.is_empty() {
            value.push(b'\n');
        }
        let bytes_max = (self.record_bytes_max + 1).saturating_sub(value.len()) as u64;
        let n = self.reader.by_ref().take(bytes_max).read_to_end(&mut value);
        n.map_err(|error| self.unreadable(error))?;
        if value.len() > self.record_bytes_max { Err(self.too_large(0)) } else { Ok(value) }
    }

    fn record(&self, line: i64, name: Option<String>, value: Vec<u8>) -> RawRecord {
        RawRecord {
            position: Position { topic: self.path.as_str().into(), partition: 0, offset: line },
            timestamp_ms: None,
            key: name.map(Bytes::from),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    fn unreadable(&self, error: io::Error) -> InputFault {
        InputFault::Unreadable { path: self.path.clone(), error }
    }

    fn too_large(&self, line: i64) -> InputFault {
        InputFault::TooLarge { path: self.path.clone(), line, bytes_max: self.record_bytes_max }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("path", &self.path).field("line", &self.line).finish()
    }
}

/// Whether a first line is the beginning of one JSON document written over several lines. A line of JSON Lines closes
/// what it opens; one that breaks off inside a string cannot go on in the next line, since JSON strings have no line
/// breaks.
fn continues(line: &[u8]) -> bool {
    let (mut depth, mut in_string, mut is_escaped) = (0_i64, false, false);
    for &byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    depth > 0 && !in_string
}

/// Whether a folder's entry is read: a file with one of our endings or a folder; not hidden, and no linked folder.
fn is_listed(path: &Path) -> bool {
    if file_name(path).starts_with('.') {
        return false;
    }
    if path.is_dir() {
        return !path.is_symlink();
    }
    ending(path).is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn ending(path: &Path) -> Option<String> {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase())
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Reads a folder made of `files`, and shows each record as `name:line key value`.
    #[track_caller]
    fn check(files: &[(&str, &str)], paths: &[&str], framing: Framing, expected: Expect) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let root = format!("{}/", folder.path().display());
        let paths = paths.iter().map(|path| folder.path().join(path)).collect();
        let shown: Vec<String> = Inputs::new(paths, framing, 30)
            .map(|item| match item {
                Ok(Input { record, is_text }) => {
                    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
                    let place = place(&record.position.topic, record.position.offset);
                    let key = record.key.as_ref().map_or("-".into(), text);
                    let value = text(record.value.as_ref().unwrap());
                    format!("{place} key={key} text={is_text} {value:?}")
                }
                Err(fault) => format!("fault: {fault}"),
            })
            .map(|line| line.replace(&root, ""))
            .collect();
        expected.assert_eq(&shown.join("\n"));
    }

    #[test]
    fn folders_are_read_in_name_order() {
        let files = [
            ("b.json", "{\n}"),
            ("a/z.txt", "raw"),
            ("a/y.jsonl", "1\n\n2\n"),
            ("a/notes.md", "no"),
            (".hidden.json", "no"),
        ];
        check(
            &files,
            &[""],
            Framing::ByName,
            expect![[r#"
                a/y.jsonl:1 key=- text=false "1"
                a/y.jsonl:3 key=- text=false "2"
                a/z.txt key=a/z text=true "raw"
                b.json key=b text=false "{\n}""#]],
        );
    }

    #[test]
    fn a_file_without_an_ending_is_as_its_first_line_says() {
        let files = [
            ("lines", "{\"a\":1}\n{\"a\":2}"),
            ("document", "\n{\"a\":\n1}\n"),
            ("cut", "{\"a\":\"b\n{\"a\":2}\n"),
            ("empty", ""),
        ];
        check(
            &files,
            &["lines", "document", "cut", "empty"],
            Framing::ByName,
            expect![[r#"
                lines:1 key=- text=false "{\"a\":1}"
                lines:2 key=- text=false "{\"a\":2}"
                document key=document text=false "{\"a\":\n1}\n"
                cut:1 key=- text=false "{\"a\":\"b"
                cut:2 key=- text=false "{\"a\":2}"
                empty key=empty text=false """#]],
        );
    }

    #[test]
    fn large_records_are_passed_over_and_missing_files_named() {
        let long = "x".repeat(31);
        let lines = format!("{long}\n1\n{long}\n");
        let files =
            [("a.jsonl", lines.as_str()), ("b.txt", &long), ("c.txt", "fits"), ("d/e.md", "")];
        check(
            &files,
            &["a.jsonl", "b.txt", "missing.json", "c.txt", "d"],
            Framing::ByName,
            expect![[r#"
                fault: a.jsonl:1: refused: too_large: more than 30 bytes
                a.jsonl:2 key=- text=false "1"
                fault: a.jsonl:3: refused: too_large: more than 30 bytes
                fault: b.txt: refused: too_large: more than 30 bytes
                fault: cannot read missing.json: No such file or directory (os error 2)
                c.txt key=c text=true "fits"
                fault: d holds no articles: files ending in .txt, .json, .jsonl and .ndjson are read"#]],
        );
    }

    #[test]
    fn a_fixed_format_takes_files_whole() {
        let files = [("a.jsonl", "one\ntwo\n")];
        check(
            &files,
            &["a.jsonl"],
            Framing::Whole,
            expect![[r#"a.jsonl key=a text=false "one\ntwo\n""#]],
        );
    }
}
