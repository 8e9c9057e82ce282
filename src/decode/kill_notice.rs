//! Textual kill notices: stories that take themselves back in words.
//!
//! In: an article's headline, its notes (to editors, slug lines) and its text. Out: whether they order a kill.
//! Wire services send `BULLETIN KILL`, `MANDATORY KILL: …`, `EDS: KILL the story …`. An article *about* a kill must
//! not be taken for one, so only three forms count:
//!
//! 1. a line that is nothing but the order (`MANDATORY KILL`, `— KILL —`);
//! 2. a line that begins with the order in capitals, set off from a rest that is not all capitals
//!    (`BULLETIN KILL: Mayor's resignation`); for a bare `KILL:` this counts in notes only;
//! 3. a line addressed to editors that tells them to kill (or that it was withdrawn, or not to use) the story.
//!
//! A notice retracts the article whose id it carries, or the item that it names: by an id, by a quoted headline, or by
//! what follows the order. What is named is only found here ([`named_items`]); which articles are known, and whether
//! one of them is meant, is judged where that is kept.

use crate::article::NamedItems;

/// Lines of the text that are looked at: a notice says what it is at the top.
const LINES_MAX: usize = 3;

/// Longest line that is looked at, in bytes: a notice's first lines are short.
const LINE_BYTES_MAX: usize = 600;

/// Lines in which a notice names what it is about: the order, and a few below it.
const NAMING_LINES_MAX: usize = 8;

/// What is found of each kind: a notice names one item, and perhaps its substitute.
const NAMES_MAX: usize = 16;

/// Shorter words are too common to be ids by chance: "2024", "B12".
const TOKEN_BYTES_MIN: usize = 6;

pub(super) fn is_kill_notice(headline: Option<&str>, notes: &[String], text: &str) -> bool {
    let top = text.lines().filter(|line| !line.trim().is_empty()).take(LINES_MAX);
    let notes = notes.iter().flat_map(|note| note.lines()).take(LINES_MAX);
    headline.into_iter().chain(top).any(|line| orders_kill(line, false))
        || notes.into_iter().any(|note| orders_kill(note, true))
}

/// What a kill notice names; `None` when it names nothing.
pub(super) fn named_items(
    headline: Option<&str>,
    notes: &[String],
    text: &str,
) -> Option<NamedItems> {
    let mut names = NamedItems::default();
    let notes = notes.iter().flat_map(|note| note.lines());
    let text = text.lines().filter(|line| !line.trim().is_empty());
    let lines = headline.into_iter().chain(notes.take(NAMING_LINES_MAX));
    for line in lines.chain(text.take(NAMING_LINES_MAX)) {
        if line.len() <= LINE_BYTES_MAX {
            find_names(line, &mut names);
        }
    }
    for list in [&mut names.ids, &mut names.tokens, &mut names.headlines] {
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|name| seen.insert(name.clone()));
        list.truncate(NAMES_MAX);
    }
    (names != NamedItems::default()).then_some(names)
}

fn find_names(line: &str, names: &mut NamedItems) {
    for token in line.split_whitespace() {
        let token = token.trim_matches(|c: char| {
            !c.is_alphanumeric() && !matches!(c, '/' | '#' | '=' | '_' | '-')
        });
        let scheme = token.split_once(':').map(|(scheme, _)| scheme);
        if scheme.is_some_and(|scheme| is_one_of(scheme, &["urn", "tag"])) {
            names.ids.push(token.to_owned());
        } else if token.len() >= TOKEN_BYTES_MIN && token.bytes().any(|byte| byte.is_ascii_digit())
        {
            names.tokens.push(token.to_owned());
        }
    }
    names.headlines.extend(quoted(line).map(str::to_owned));
    let words: Vec<_> = words(line).collect();
    names.has_slug |= words.iter().any(|word| is_one_of(word.text, &["slug", "slugged"]));
    let order = words.iter().take_while(|word| is_one_of(word.text, ORDER)).count();
    let orders = words[..order].iter().any(|word| word.text == "KILL");
    if let Some(first) = words.get(order).filter(|word| orders && word.is_set_off) {
        let rest = line.get(first.start..).unwrap_or_default();
        // A sentence to editors ("KILL: the story was sent in error.") names nothing.
        if !tells_to_kill(&words[order..]) && !is_sentence(rest) {
            names.has_slug = true;
            if quoted(rest).next().is_none() {
                names.headlines.push(rest.trim().to_owned());
            }
        }
    }
}

/// Headlines do not end in a full stop.
fn is_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!'])
}

/// What stands between double quotation marks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let is_open = |c: char| matches!(c, '“' | '"' | '«' | '„');
    let is_close = |c: char| matches!(c, '”' | '"' | '»' | '“');
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = rest.find(is_open)?;
        let (_, after) = rest.split_at(start);
        let mut chars = after.chars();
        chars.next();
        let inside = chars.as_str();
        let (found, rest_of_line) = inside.split_at(inside.find(is_close)?);
        let mut chars = rest_of_line.chars();
        chars.next();
        rest = chars.as_str();
        Some(found.trim())
    })
    .filter(|found| !found.is_empty())
}

/// Whether `line` is one of the three forms; a note is addressed to editors as it is.
fn orders_kill(line: &str, is_note: bool) -> bool {
    if line.len() > LINE_BYTES_MAX {
        return false;
    }
    let words: Vec<Word<'_>> = words(line).collect();
    let order = words.iter().take_while(|word| is_one_of(word.text, ORDER)).count();
    let kills = words[..order].iter().any(|word| word.text.eq_ignore_ascii_case("kill"));
    let in_capitals = words[..order].iter().all(|word| is_upper(word.text));
    let is_bare = order == 1;
    if kills && order == words.len() {
        return in_capitals || !is_bare;
    }
    let set_off = kills && in_capitals && words[order].is_set_off;
    let rest_is_upper = words[order..].iter().all(|word| !has_lower(word.text));
    if set_off && (is_note || !is_bare && !rest_is_upper) {
        return true;
    }
    let address = words.iter().take_while(|word| is_one_of(word.text, ADDRESS)).count();
    let is_addressed = address > 0 && words.get(address).is_some_and(|word| word.is_set_off);
    (is_note || is_addressed) && (0..words.len()).any(|at| tells_to_kill(&words[at..]))
}

/// `kill the story`, `KILL.`, `story has been withdrawn`, `do not use the story`.
fn tells_to_kill(words: &[Word<'_>]) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    let object = rest.iter().position(|word| !is_one_of(word.text, DETERMINERS));
    let names_story = object.is_some_and(|at| is_one_of(rest[at].text, STORY));
    if is_one_of(first.text, &["kill", "withdraw", "disregard", "retract"]) {
        let is_alone = rest.first().is_none_or(|next| next.is_set_off);
        return names_story || is_alone && first.text == "KILL";
    }
    if is_one_of(first.text, STORY) {
        let verb = rest.iter().position(|word| !is_one_of(word.text, PASSIVE));
        return verb.is_some_and(|at| {
            at > 0 && is_one_of(rest[at].text, &["killed", "withdrawn", "retracted"])
        });
    }
    first.text.eq_ignore_ascii_case("not")
        && rest.first().is_some_and(|word| is_one_of(word.text, &["use", "publish"]))
        && tells_to_kill_object(&rest[1..])
}

fn tells_to_kill_object(words: &[Word<'_>]) -> bool {
    let object = words.iter().find(|word| !is_one_of(word.text, DETERMINERS));
    object.is_some_and(|word| is_one_of(word.text, STORY))
}

/// Words that an order is made of.
const ORDER: &[&str] =
    &["advisory", "alert", "bulletin", "flash", "kill", "mandatory", "notice", "story", "urgent"];
const ADDRESS: &[&str] =
    &["attention", "attn", "clients", "editors", "eds", "members", "note", "subscribers", "to"];
const DETERMINERS: &[&str] = &["the", "this", "our", "entire", "above", "whole"];
const STORY: &[&str] = &["story", "article", "item", "report", "dispatch", "take"];
const PASSIVE: &[&str] = &["has", "been", "was", "is", "being", "must", "be", "should", "hereby"];

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|candidate| word.eq_ignore_ascii_case(candidate))
}

fn is_upper(word: &str) -> bool {
    word.chars().all(char::is_uppercase)
}

fn has_lower(word: &str) -> bool {
    word.chars().any(char::is_lowercase)
}

/// A run of letters and digits.
#[derive(Debug, Clone, Copy)]
struct Word<'l> {
    text: &'l str,
    /// In the line, in bytes.
    start: usize,
    /// A mark stands before it that does not join words.
    is_set_off: bool,
}

fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut is_set_off = false;
    let mut next_start = 0;
    line.split_inclusive(|c: char| !c.is_alphanumeric()).filter_map(move |piece| {
        let start = next_start;
        next_start += piece.len();
        let text = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        let word = (!text.is_empty()).then_some(Word { text, start, is_set_off });
        let mark = piece.chars().next_back().filter(|c| !c.is_alphanumeric());
        let joins = |c| matches!(c, '\'' | '’') || c == '-' && word.is_some();
        let sets_off = mark.is_some_and(|c| !c.is_whitespace() && !joins(c));
        is_set_off = sets_off || is_set_off && word.is_none();
        word
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: bool) {
        assert_eq!(is_kill_notice(Some(line), &[], ""), expected, "as headline: {line}");
        assert_eq!(is_kill_notice(None, &[], line), expected, "as text: {line}");
    }

    #[track_caller]
    fn check_note(note: &str, expected: bool) {
        assert_eq!(is_kill_notice(None, &[note.to_owned()], ""), expected, "{note}");
    }

    #[test]
    fn orders_are_kills() {
        check("KILL", true);
        check("*** KILL ***", true);
        check("MANDATORY KILL", true);
        check("Mandatory kill", true);
        check("BULLETIN KILL", true);
        check("BULLETIN-KILL", true);
        check("Kill notice", true);
        check("BULLETIN KILL: Mayor's resignation", true);
        check("MANDATORY KILL — Acme to buy Bolt", true);
        check("URGENT MANDATORY KILL: Acme", true);
        check("EDS: MANDATORY KILL", true);
        check("EDS: Please kill the story slugged BC-Mayor. It was sent in error.", true);
        check("Editors: KILL this story.", true);
        check("ATTENTION EDITORS: the story has been withdrawn", true);
        check("Eds.: Do not use the story BC-Mayor", true);
        check("ATTN CLIENTS - KILL.", true);
        check("NOTE TO EDITORS: kill this story.", true);
    }

    #[test]
    fn articles_about_kills_are_not() {
        check("Kill", false);
        check("Kill Bill: Tarantino returns", false);
        check("KILL BILL RETURNS", false);
        check("KILL: the film that shook Cannes", false);
        check("Kill notice: why agencies withdrew the palace's photo", false);
        check("KILL NOTICE: WHY AGENCIES WITHDREW THE PHOTO", false);
        check("Gunmen kill 12 in market", false);
        check("Editors kill story about minister, prompting protest", false);
        check("The agency issued a mandatory kill on Friday.", false);
        check("Lawmakers vote to kill the story hour", false);
        check("EDS: UPDATES with police saying gunmen kill 12", false);
        check("EDS: SUBS 3rd graf; kill earlier versions", false);
        check("Note to editors who kill the story", false);
        check("Editors resigned after the newspaper asked them to kill a report", false);
        check("", false);
    }

    #[test]
    fn notes_are_addressed_to_editors() {
        check_note("KILL: the story was sent in error. A substitute will not be sent.", true);
        check_note("KILL", true);
        check_note("This story has been withdrawn by the agency.", true);
        check_note("Please kill the story.", true);
        check_note("Adds byline, quotes", false);
        check_note("TURKEY OUT", false);
        check_note("This URL earlier linked to a post that we’ve unpublished.", false);
        check_note("Corrects number killed in 2nd paragraph", false);
    }

    #[track_caller]
    fn check_names(line: &str, ids: &[&str], headlines: &[&str], has_slug: bool) {
        assert!(is_kill_notice(Some(line), &[], ""), "{line}");
        let names = named_items(Some(line), &[], "").unwrap_or_default();
        assert_eq!(names.ids, ids, "{line}");
        assert_eq!(names.headlines, headlines, "{line}");
        assert_eq!(names.has_slug, has_slug, "{line}");
    }

    #[test]
    fn a_notice_names_items() {
        check_names("MANDATORY KILL", &[], &[], false);
        check_names("EDS: KILL the story. It was sent in error.", &[], &[], false);
        check_names("MANDATORY KILL: urn:desk:7", &["urn:desk:7"], &["urn:desk:7"], true);
        check_names("EDS: kill the story (urn:desk:7).", &["urn:desk:7"], &[], false);
        check_names(
            "EDS: Kill the story “Acme to buy Bolt”, tag:x.example,2024:1.",
            &["tag:x.example,2024:1"],
            &["Acme to buy Bolt"],
            false,
        );
        check_names("BULLETIN KILL — Acme to buy Bolt", &[], &["Acme to buy Bolt"], true);
        check_names(
            "EDS: Kill the story \"Acme to buy Bolt\" and use \"Acme denies it\".",
            &[],
            &["Acme to buy Bolt", "Acme denies it"],
            false,
        );
        check_names("EDS: Please kill the story slugged BC-Mayor.", &[], &[], true);
        let names = named_items(Some("EDS: KILL the story 20240514-mayor, sent in 2024"), &[], "");
        assert_eq!(names.unwrap().tokens, ["20240514-mayor"]);
    }

    #[test]
    fn only_the_top_of_the_text_counts() {
        assert!(is_kill_notice(None, &[], "\n\nBULLETIN KILL\nNorthwire\nThe story is wrong."));
        let below = "One.\nTwo.\nThree.\nMANDATORY KILL";
        assert!(!is_kill_notice(None, &[], below));
    }
}
