//! Things that are not persons: which names are the same thing.
//!
//! In: names found, in text order. Out: groups of indices. Names are one thing when they are written alike, when the
//! knowledge base has one id for them, when one is the other's acronym ("FSB"), or when one is a short form that the
//! other begins or ends with ("Supreme Court" for "United States Supreme Court"). A short form belongs to the long form
//! named last before it.

use std::collections::BTreeMap;

use super::lists::Classes;
use super::names::FoundName;
use super::tokens::{FieldTokens, Token};
use crate::knowledge::{Name, NameType};
use crate::text::Shape;

/// Owners of one short form that are remembered: a name with more long forms than this is short for none of them.
const OWNERS_MAX: usize = 8;

/// Groups the names with these indices; a group's indices are in order.
pub(super) fn group(
    fields: &[FieldTokens<'_>],
    names: &[FoundName],
    others: &[usize],
) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut by_key: BTreeMap<(u8, String), usize> = BTreeMap::new();
    for &i in others {
        let name = &names[i];
        let class = class_of(name.kind);
        let keys = keys_of(&fields[name.field], name);
        let known = keys.iter().find_map(|key| by_key.get(&(class, key.clone())).copied());
        let group = known.unwrap_or_else(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(i);
        for key in keys {
            by_key.entry((class, key)).or_insert(group);
        }
    }
    let mut sets = Sets::new(groups.len());
    join_parentheses(fields, names, &groups, &mut sets);
    join_short_forms(fields, names, &groups, &mut sets);
    let mut merged: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (group, members) in groups.into_iter().enumerate() {
        merged.entry(sets.root(group)).or_default().extend(members);
    }
    let mut merged: Vec<Vec<usize>> = merged.into_values().collect();
    merged.iter_mut().for_each(|members| members.sort_unstable());
    merged
}

/// Kinds that one thing may be found as in different places: names of places are often typed both ways.
fn class_of(kind: NameType) -> u8 {
    match kind {
        NameType::Gpe | NameType::Loc | NameType::Fac => 1,
        NameType::Norp => 2,
        NameType::Org => 3,
        NameType::Event => 4,
        NameType::Product => 5,
        NameType::Person | NameType::Work | NameType::Other => 6,
    }
}

/// Under which keys a name is looked up: its plain form, and what the knowledge base calls it.
fn keys_of(field: &FieldTokens<'_>, name: &FoundName) -> Vec<String> {
    let mut keys = vec![plain_form(words_of(field, name), name.kind)];
    if let Some(id) = name.known.filter(|known| known.kind() == name.kind).and_then(Name::id) {
        keys.push(format!("#{id}"));
    }
    keys
}

/// The folded words of a name in one of the ways to write it: "US" for "United States" before other words, "state
/// department" for "department of state".
fn words_of<'a>(field: &'a FieldTokens<'_>, name: &FoundName) -> Vec<&'a str> {
    let tokens = field.tokens[name.words.clone()].iter();
    let mut words: Vec<&str> =
        tokens.map(|token| token.folded.as_str()).filter(|word| !word.is_empty()).collect();
    let country = match words.as_slice() {
        ["united", "states", _, ..] => Some("us"),
        ["united", "kingdom", _, ..] => Some("uk"),
        ["united", "nations", _, ..] => Some("un"),
        _ => None,
    };
    if let Some(country) = country {
        words.splice(..2, [country]);
    }
    match words.as_slice() {
        ["n", _, ..] => words[0] = "north",
        ["s", _, ..] => words[0] = "south",
        _ => {}
    }
    if let Some(at) = words.windows(2).position(|pair| pair == ["department", "of"])
        && at <= 1
        && words.len() > at + 2
    {
        let rest = if words[at + 2] == "the" { at + 3 } else { at + 2 };
        words.drain(at..rest);
        words.push("department");
    }
    words
}

/// What a company's or party's name may end with or leave out.
const ENDINGS: &[&str] = &[
    "ag",
    "co",
    "company",
    "corp",
    "corporation",
    "fc",
    "gmbh",
    "inc",
    "limited",
    "llc",
    "ltd",
    "news",
    "party",
    "plc",
    "sa",
];

/// The letters of a name without what varies: "Acme Inc." is "acme", "Israelis" is "israeli", "G-7" is "g7".
fn plain_form(mut words: Vec<&str>, kind: NameType) -> String {
    let n_words = words.len();
    if kind == NameType::Org && n_words > 1 && ENDINGS.contains(&words[n_words - 1]) {
        words.pop();
    }
    let mut form: String = words.concat().replace(' ', "");
    let is_plural = form.ends_with('s') && !form.ends_with("ss") && form.len() > 4;
    if is_plural && (kind == NameType::Norp || n_words > 1) {
        form.pop();
    }
    form
}

/// "Federal Security Service (FSB)": whatever its letters stand for, the name in parentheses is the one before.
fn join_parentheses(
    fields: &[FieldTokens<'_>],
    names: &[FoundName],
    groups: &[Vec<usize>],
    sets: &mut Sets,
) {
    let mut members: Vec<(usize, usize)> =
        groups.iter().enumerate().flat_map(|(g, list)| list.iter().map(move |&i| (i, g))).collect();
    members.sort_unstable();
    for pair in members.windows(2) {
        let (first, second) = (&names[pair[0].0], &names[pair[1].0]);
        let field = &fields[first.field];
        let opens = first.field == second.field
            && first.words.end + 1 == second.words.start
            && field.tokens[first.words.end].text == "(";
        let closes = field
            .tokens
            .get(second.words.end)
            .is_some_and(|token| matches!(token.text, ")" | "," | ";"));
        if opens && closes && first.kind == second.kind && abbreviates(field, first, second) {
            sets.join(pair[0].1, pair[1].1);
        }
    }
}

/// Whether one of two names is an acronym that can stand for the other: same first letter, or letters in order.
fn abbreviates(field: &FieldTokens<'_>, first: &FoundName, second: &FoundName) -> bool {
    let is_acronym = |name: &FoundName| {
        let token = &field.tokens[name.words.start];
        name.words.len() == 1 && matches!(token.shape, Shape::AllCaps | Shape::Mixed)
    };
    let (short, long) = match (is_acronym(first), is_acronym(second)) {
        (false, true) => (second, first),
        (true, false) => (first, second),
        _ => return false,
    };
    let short: String = words_of(field, short).concat().replace(' ', "");
    let long = words_of(field, long);
    let same_initial = long.first().and_then(|word| word.chars().next()) == short.chars().next();
    let mut letters = short.chars().peekable();
    for c in long.iter().flat_map(|word| word.chars()) {
        letters.next_if_eq(&c);
    }
    long.len() > 1 && (same_initial || letters.peek().is_none())
}

fn join_short_forms(
    fields: &[FieldTokens<'_>],
    names: &[FoundName],
    groups: &[Vec<usize>],
    sets: &mut Sets,
) {
    let forms: Vec<Forms> = groups.iter().map(|group| Forms::of(fields, names, group)).collect();
    let mut owners: BTreeMap<(NameType, &str), Vec<usize>> = BTreeMap::new();
    for (i, form) in forms.iter().enumerate() {
        for short in form.initials.iter().chain(&form.edges).chain(&form.beginnings) {
            let list = owners.entry((form.kind, short)).or_default();
            if list.len() <= OWNERS_MAX && list.last() != Some(&i) {
                list.push(i);
            }
        }
    }
    for (i, form) in forms.iter().enumerate() {
        for short in form.acronyms.iter().chain(&form.shorts) {
            let Some(list) = owners.get(&(form.kind, short.as_str())) else { continue };
            if list.len() > OWNERS_MAX {
                continue;
            }
            let others = list
                .iter()
                .copied()
                .filter(|&owner| owner != i && form.may_be_short_for(&forms[owner], short));
            // The owner that is named last before; without one, the first named after.
            let first = groups[i][0];
            let distance = |owner: &usize| {
                let before = groups[*owner].partition_point(|&name| name < first);
                match before.checked_sub(1) {
                    Some(last) => (0, first - groups[*owner][last]),
                    None => (1, groups[*owner][0]),
                }
            };
            if let Some(owner) = others.min_by_key(distance) {
                sets.join(owner, i);
                break;
            }
        }
    }
}

/// The forms by which a group can be recognised.
#[derive(Debug, Default)]
struct Forms {
    kind: NameType,
    /// What the knowledge base calls it.
    id: Option<u32>,
    /// Single words in capitals: "fsb".
    acronyms: Vec<String>,
    /// Initials of the long forms.
    initials: Vec<String>,
    /// Whole forms that may be short for something longer.
    shorts: Vec<String>,
    /// Ends of long forms, and beginnings before "of".
    edges: Vec<String>,
    /// Other beginnings.
    beginnings: Vec<String>,
    /// The knowledge base has the name for a thing of this kind.
    is_known: bool,
    /// It is a common noun that any thing of its kind may be called: "House".
    is_noun: bool,
}

impl Forms {
    fn of(fields: &[FieldTokens<'_>], names: &[FoundName], group: &[usize]) -> Self {
        let kind = names[group[0]].kind;
        let known = group.iter().filter_map(|&i| names[i].known);
        let id = known.filter(|known| known.kind() == kind).find_map(Name::id);
        let is_known =
            group.iter().any(|&i| names[i].known.is_some_and(|name| name.kind() == kind));
        let mut forms = Self { kind, id, is_known, ..Self::default() };
        let mut seen: Vec<Vec<&str>> = Vec::new();
        for &i in group {
            let name = &names[i];
            let field = &fields[name.field];
            let words = words_of(field, name);
            if seen.contains(&words) {
                continue;
            }
            let tokens = &field.tokens[name.words.clone()];
            forms.add(tokens, &words);
            // A thing has few forms; what is written in more ways than this is not recognised by the rest.
            if seen.len() >= OWNERS_MAX {
                break;
            }
            seen.push(words);
        }
        forms
    }

    fn add(&mut self, tokens: &[Token<'_>], words: &[&str]) {
        let shape = tokens[0].shape;
        self.shorts.push(words.join(" "));
        if words.len() == 1 {
            self.is_noun |= tokens[0].classes.any(Classes::HEAD);
            if matches!(shape, Shape::AllCaps | Shape::Mixed) {
                self.acronyms.push(words[0].replace(' ', ""));
            }
            return;
        }
        let lettered: Vec<&Token<'_>> =
            tokens.iter().filter(|token| !token.folded.is_empty()).collect();
        let initial = |token: &&Token<'_>| token.folded.chars().next();
        let has_number = lettered.iter().any(|token| token.shape == Shape::Number);
        if !has_number {
            let capitals = lettered.iter().filter(|token| token.shape.is_name_like());
            self.initials.push(capitals.filter_map(initial).collect());
        }
        self.initials.push(lettered.iter().filter_map(initial).collect());
        self.add_edges(&lettered, words);
    }

    fn add_edges(&mut self, tokens: &[&Token<'_>], words: &[&str]) {
        let n = words.len();
        let is_head = |at: usize, class: Classes| {
            tokens.get(at).is_some_and(|token| token.classes.any(class))
        };
        let last = tokens.len() - 1;
        match self.kind {
            NameType::Org => {
                (1..n).for_each(|at| self.edges.push(words[at..].join(" ")));
                // "Congress" for "Congress of the Philippines", "Etihad" for "Etihad Airways".
                if let Some(of) = words.iter().position(|word| matches!(*word, "of" | "for")) {
                    self.edges.push(words[..of].join(" "));
                } else if is_head(last, Classes::ORG_HEAD) {
                    self.beginnings.push(words[..n - 1].join(" "));
                }
                self.beginnings.push(words[0].to_owned());
            }
            NameType::Gpe => {
                // "the South" for "South Korea", "the Strip" for "Gaza Strip".
                if matches!(words[0], "north" | "south" | "east" | "west") {
                    self.edges.push(words[0].to_owned());
                }
                if matches!(words[n - 1], "strip" | "republic" | "emirates" | "kingdom") {
                    self.edges.push(words[n - 1].to_owned());
                }
            }
            NameType::Loc | NameType::Fac => {
                self.edges.push(words[n - 1].to_owned());
                if is_head(last, Classes::LOC_HEAD.or(Classes::FAC_HEAD)) {
                    let stop = if words[n - 2] == "international" { n - 2 } else { n - 1 };
                    self.edges.push(words[..stop].join(" "));
                }
            }
            NameType::Event | NameType::Product | NameType::Work | NameType::Other => {
                (1..n).for_each(|at| self.edges.push(words[at..].join(" ")));
                self.beginnings.push(words[..n - 1].join(" "));
            }
            NameType::Norp | NameType::Person => {}
        }
    }

    /// "United Nations" is a thing of its own, not short for "United Nations Security Council".
    fn may_be_short_for(&self, long: &Self, short: &str) -> bool {
        if self.id.is_some() && long.id.is_some() {
            return self.id == long.id;
        }
        let is = |forms: &[String]| forms.iter().any(|form| form == short);
        if is(&long.initials) && is(&self.acronyms) {
            return true;
        }
        if is(&long.edges) {
            self.is_noun || self.id.is_none()
        } else {
            !self.is_known && !self.is_noun
        }
    }
}

/// Disjoint sets of groups; the smallest member is the root.
struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    fn new(len: usize) -> Self {
        Self { parent: (0..len).collect() }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}
