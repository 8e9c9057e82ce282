//! Persons: which mentions are the same person.
//!
//! In: the persons' names of an article in text order, with titles. Out: a group for every mention. Full names open
//! groups; a part of a name goes to the person whom it, its title and the distance fit best.

use std::collections::BTreeMap;

use super::Gender;
use super::lists::Classes;
use super::titles::Title;

/// One mention of a person.
#[derive(Debug)]
pub(super) struct PersonMention {
    /// Folded words of the name, particles included: ["osama", "bin", "laden"].
    pub(super) words: Vec<String>,
    /// Position among all words of the article.
    pub(super) position: usize,
    pub(super) title: Title,
    /// The word after the name, folded: "regime" after "Kim's".
    pub(super) next: String,
    /// Written in capitals: "WSS".
    pub(super) is_acronym: bool,
    /// The first word is far more often a given name than a family name.
    pub(super) starts_with_given: bool,
    /// What the given name says about the person's sex.
    pub(super) name_gender: Option<Gender>,
    /// The family name comes first, as Chinese and Korean names are written.
    pub(super) is_family_first: bool,
}

/// Family names that come first in Chinese, Korean and Vietnamese names as English news writes them.
#[rustfmt::skip]
const FAMILY_FIRST: &[&str] = &[
    "ahn", "bae", "baek", "bai", "ban", "bui", "byun", "cai", "cao", "cha", "chae", "chang", "chen",
    "cheng", "cheong", "cheung", "chiang", "cho", "choe", "choi", "chow", "chu", "chun", "chung",
    "dai", "dang", "deng", "ding", "dong", "du", "duong", "fan", "fang", "feng", "fu", "gao",
    "gong", "gu", "guo", "ha", "han", "he", "ho", "hong", "hu", "hua", "huang", "hun", "hung",
    "huynh", "hwang", "im", "jang", "jeon", "jeong", "ji", "jia", "jiang", "jin", "jo", "joo", "ju",
    "jung", "kang", "kim", "ko", "kong", "kwak", "kwon", "lai", "lam", "lau", "le", "lee", "lei",
    "leung", "li", "liang", "liao", "lim", "lin", "liu", "lo", "lu", "luo", "luong", "ma", "mao",
    "meng", "min", "mo", "moon", "na", "nam", "ngo", "nguyen", "nie", "noh", "oh", "ou", "paik",
    "pak", "pan", "park", "peng", "pham", "phan", "qi", "qian", "qiao", "qin", "qiu", "ren", "rhee",
    "ri", "roh", "ryu", "seo", "shao", "shen", "shi", "shin", "sim", "so", "son", "song", "su",
    "suh", "sun", "tan", "tang", "tao", "tian", "tran", "trinh", "tsai", "tsang", "vo", "vu", "wan",
    "wang", "wei", "wen", "won", "wong", "woo", "wu", "xi", "xia", "xiang", "xiao", "xie", "xu",
    "xue", "yan", "yang", "yao", "ye", "yi", "yin", "yoo", "yoon", "you", "yu", "yuan", "yun",
    "zeng", "zhan", "zhang", "zhao", "zheng", "zhong", "zhou", "zhu", "zou",
];

const SUFFIXES: &[&str] = &["ii", "iii", "iv", "jr", "sr"];

/// Words after a person's name that speak of somebody who governs.
const POWER: &[&str] = &[
    "administration",
    "cabinet",
    "coalition",
    "dynasty",
    "government",
    "party",
    "presidency",
    "regime",
    "rule",
];
#[rustfmt::skip]
const RULERS: &[&str] = &[
    "chancellor", "dictator", "emir", "emperor", "governor", "king", "leader", "premier",
    "president", "prime minister", "queen", "sultan", "supreme leader",
];

/// Whether a name of these words, the first of which is `first`, puts the family name first.
pub(super) fn is_family_first(words: &[String], last_is_western: bool) -> bool {
    let [first, rest @ ..] = words else { return false };
    FAMILY_FIRST.binary_search(&first.as_str()).is_ok()
        && (1..=2).contains(&rest.len())
        && !last_is_western
        && rest.last().is_some_and(|last| FAMILY_FIRST.binary_search(&last.as_str()).is_err())
}

/// A group number for every mention; groups are numbered in order of their first mention.
pub(super) fn group(mentions: &[PersonMention]) -> Vec<usize> {
    let mut people: Vec<Person> = Vec::new();
    let mut by_word: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut owner = vec![usize::MAX; mentions.len()];
    for (i, mention) in mentions.iter().enumerate().filter(|(_, m)| m.words.len() > 1) {
        let person = find_full(&people, &by_word, mention);
        let person = person.unwrap_or_else(|| {
            people.push(Person::default());
            people.len() - 1
        });
        people[person].add(mention, i);
        for word in &mention.words {
            let known = by_word.entry(word).or_default();
            if !known.contains(&person) {
                known.push(person);
            }
        }
        owner[i] = person;
    }
    let mut alone: BTreeMap<&str, usize> = BTreeMap::new();
    let spellings = Spellings::of(&people, &by_word);
    for (i, mention) in mentions.iter().enumerate().filter(|(_, m)| m.words.len() <= 1) {
        let Some(word) = mention.words.first() else { continue };
        let spelled = spellings.resolve(&by_word, mention, word);
        let candidates = by_word.get(spelled).map(Vec::as_slice).unwrap_or_default();
        owner[i] = match best_person(&people, candidates, mention, spelled) {
            Some(person) => {
                people[person].last_position = people[person].last_position.max(mention.position);
                people[person].positions.push(mention.position);
                person
            }
            None => *alone.entry(word).or_insert_with(|| {
                people.push(Person::default());
                people.len() - 1
            }),
        };
    }
    renumber(owner)
}

/// Other ways to write a word of a full name.
struct Spellings<'a> {
    /// By initials: a word of the one person who has them.
    initials: BTreeMap<String, Option<&'a str>>,
    /// Words in which a slip of the pen is looked for; empty when there are too many.
    words: Vec<&'a str>,
}

/// Words that a misspelt one is compared with: work stays linear, and among more names a near miss is another name.
const SPELLINGS_MAX: usize = 64;
/// In shorter words one letter makes another name: "Chen", "Chan".
const MISSPELT_CHARS_MIN: usize = 6;

impl<'a> Spellings<'a> {
    fn of(people: &[Person], by_word: &BTreeMap<&'a str, Vec<usize>>) -> Self {
        let mut initials: BTreeMap<String, Option<&'a str>> = BTreeMap::new();
        for person in people {
            let letters: String =
                person.words.iter().filter_map(|word| word.chars().next()).collect();
            let family = by_word.get_key_value(family_name(&person.words)).map(|(word, _)| *word);
            initials.entry(letters).and_modify(|known| *known = None).or_insert(family);
        }
        let long =
            by_word.keys().copied().filter(|word| word.chars().count() >= MISSPELT_CHARS_MIN);
        let words: Vec<&str> = long.take(SPELLINGS_MAX + 1).collect();
        Self { initials, words: if words.len() > SPELLINGS_MAX { Vec::new() } else { words } }
    }

    /// The word of a full name that is meant: itself, without "al-", one letter off, or what initials stand for.
    fn resolve(
        &self,
        by_word: &BTreeMap<&'a str, Vec<usize>>,
        mention: &PersonMention,
        word: &'a str,
    ) -> &'a str {
        if by_word.contains_key(word) {
            return word;
        }
        let bare = word.strip_prefix("al ").or_else(|| word.strip_prefix("el ")).unwrap_or(word);
        if let Some((known, _)) = by_word.get_key_value(bare) {
            return known;
        }
        if let Some(with_article) =
            self.words.iter().find(|known| known.strip_prefix("al ") == Some(word))
        {
            return with_article;
        }
        if mention.is_acronym
            && let Some(Some(family)) = self.initials.get(word)
        {
            return family;
        }
        if let Some((known, _)) = by_word.get_key_value(nickname(word)) {
            return known;
        }
        if word.chars().count() >= MISSPELT_CHARS_MIN
            && let Some(known) = self.words.iter().find(|known| is_misspelling(known, word))
        {
            return known;
        }
        word
    }
}

/// Whether two words differ by one letter added, dropped or changed, or by two neighbours that changed places.
fn is_misspelling(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    match (a, b) {
        // A last letter more or less is more often another form than a slip: "Turpin", "Turpins".
        ([], _) | (_, []) | ([_], [_]) => false,
        ([x, y, rest @ ..], [v, w, other @ ..]) if x == w && y == v && rest == other => true,
        ([_, rest @ ..], [_, other @ ..]) => rest == other || rest == b || a == other,
    }
}

/// What is known of a person from full names.
#[derive(Debug, Default)]
struct Person {
    words: Vec<String>,
    gender: Option<Gender>,
    roles: Vec<String>,
    /// Where it is mentioned, as far as is known.
    positions: Vec<usize>,
    last_position: usize,
    n_full: usize,
    is_family_first: bool,
    starts_with_given: bool,
}

impl Person {
    fn add(&mut self, mention: &PersonMention, _index: usize) {
        if mention.words.len() > self.words.len() {
            self.words.clone_from(&mention.words);
            self.starts_with_given = mention.starts_with_given;
        }
        self.gender = self.gender.or(mention.title.gender).or(mention.name_gender);
        self.roles.extend(mention.title.role.clone());
        self.positions.push(mention.position);
        self.n_full += 1;
        self.is_family_first |= mention.is_family_first;
    }
}

/// The person of whom this full name is another form.
fn find_full(
    people: &[Person],
    by_word: &BTreeMap<&str, Vec<usize>>,
    mention: &PersonMention,
) -> Option<usize> {
    let family = by_word.get(family_name(&mention.words))?;
    let fits = |person: &usize| {
        let known = &people[*person];
        let shorter_has_given = if known.words.len() <= mention.words.len() {
            known.starts_with_given
        } else {
            mention.starts_with_given
        };
        same_person(&known.words, &mention.words, shorter_has_given)
    };
    family.iter().rev().copied().find(fits)
}

/// Whether two full names can be one person's: same family name, given names that do not contradict.
fn same_person(a: &[String], b: &[String], shorter_has_given: bool) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (without_suffix(a), without_suffix(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let [first, .., last] = short else { return false };
    let [long_first, .., long_last] = long else { return false };
    // "van Gogh" for "Vincent van Gogh", "García Márquez" for "Gabriel García Márquez"; but not "Muammar al-Gaddafi" for
    // his son, whose name ends with it.
    let has_particle = Classes::of(first).any(Classes::PARTICLE);
    if long.ends_with(short) && (has_particle || !shorter_has_given) || long.starts_with(short) {
        return true;
    }
    last == long_last && given_names_agree(first, long_first)
        // "Hillary Rodham" and "Hillary Rodham Clinton" are caught above; "J. B. Smith" and "John Smith" here.
        && short[1..short.len() - 1].iter().all(|word| {
            long.iter().any(|other| given_names_agree(word, other))
        })
}

/// "john" and "j", "mike" and "michael", "vladimir" and "vladimir".
fn given_names_agree(a: &str, b: &str) -> bool {
    let initial = a.chars().count() == 1 || b.chars().count() == 1;
    a == b || initial && a.chars().next() == b.chars().next() || nickname(a) == nickname(b)
}

/// The full form of a common short name.
fn nickname(name: &str) -> &str {
    const SHORT: &[(&str, &str)] = &[
        ("abe", "abraham"),
        ("al", "albert"),
        ("alex", "alexander"),
        ("andy", "andrew"),
        ("ben", "benjamin"),
        ("bernie", "bernard"),
        ("bill", "william"),
        ("billy", "william"),
        ("bob", "robert"),
        ("bobby", "robert"),
        ("charlie", "charles"),
        ("chris", "christopher"),
        ("chuck", "charles"),
        ("dan", "daniel"),
        ("dave", "david"),
        ("dick", "richard"),
        ("don", "donald"),
        ("ed", "edward"),
        ("eddie", "edward"),
        ("fred", "frederick"),
        ("gabe", "gabriel"),
        ("greg", "gregory"),
        ("jack", "john"),
        ("jeff", "jeffrey"),
        ("jerry", "gerald"),
        ("jim", "james"),
        ("jimmy", "james"),
        ("joe", "joseph"),
        ("jon", "jonathan"),
        ("josh", "joshua"),
        ("kate", "katherine"),
        ("kathy", "katherine"),
        ("ken", "kenneth"),
        ("larry", "lawrence"),
        ("liz", "elizabeth"),
        ("matt", "matthew"),
        ("mick", "michael"),
        ("mike", "michael"),
        ("nick", "nicholas"),
        ("pat", "patrick"),
        ("pete", "peter"),
        ("ray", "raymond"),
        ("rich", "richard"),
        ("rick", "richard"),
        ("rob", "robert"),
        ("ron", "ronald"),
        ("sam", "samuel"),
        ("steve", "steven"),
        ("stephen", "steven"),
        ("sue", "susan"),
        ("ted", "edward"),
        ("terry", "terence"),
        ("tim", "timothy"),
        ("tom", "thomas"),
        ("tony", "anthony"),
        ("vince", "vincent"),
        ("walt", "walter"),
        ("will", "william"),
        ("zach", "zachary"),
    ];
    SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full)
}

fn without_suffix(words: &[String]) -> &[String] {
    match words {
        [rest @ .., last] if SUFFIXES.contains(&last.as_str()) && !rest.is_empty() => rest,
        _ => words,
    }
}

fn family_name(words: &[String]) -> &str {
    without_suffix(words).last().map_or("", String::as_str)
}

/// The person whom a single word names, or `None`.
fn best_person(
    people: &[Person],
    candidates: &[usize],
    mention: &PersonMention,
    word: &str,
) -> Option<usize> {
    candidates
        .iter()
        .filter_map(|&person| fit(&people[person], mention, word).map(|score| (score, person)))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, person)| person)
}

/// How well a single word fits a person; `None` when a title contradicts.
fn fit(person: &Person, mention: &PersonMention, word: &str) -> Option<f32> {
    let title = &mention.title;
    if let (Some(a), Some(b)) = (title.gender, person.gender)
        && a != b
    {
        return None;
    }
    let is_first = person.words.first().is_some_and(|first| first == word);
    let is_family = family_name(&person.words) == word;
    let mut score: f32 = if person.is_family_first && is_first {
        // A bare "Kim" is the rule for Kim Jong-un, and a second choice for Sung Kim.
        4.0
    } else if is_family {
        3.0
    } else if is_first && !person.is_family_first {
        1.0
    } else {
        0.5
    };
    if title.role.is_some() && is_family {
        score += 0.5;
    }
    if let Some(role) = &title.role
        && person
            .roles
            .iter()
            .any(|known| known == role || known.ends_with(role) || role.ends_with(known.as_str()))
    {
        score += 2.0;
    }
    let rules = person.roles.iter().any(|role| RULERS.iter().any(|ruler| role.ends_with(ruler)));
    if rules && POWER.contains(&mention.next.as_str()) {
        score += 1.5;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts and distances stay far below 2^23")]
    {
        score += 0.3 * (person.n_full.min(8) as f32).ln_1p();
        let before = person.positions.iter().filter(|&&at| at < mention.position).max();
        // Once introduced, the one named last is meant; one who is introduced later, rarely.
        score += match before {
            Some(at) => 1.5 / (1.0 + (mention.position - at) as f32 / 60.0),
            None => -1.0,
        };
    }
    Some(score)
}

fn renumber(owner: Vec<usize>) -> Vec<usize> {
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    owner
        .into_iter()
        .map(|person| {
            let next = numbers.len();
            *numbers.entry(person).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(FAMILY_FIRST.is_sorted());
    }

    #[track_caller]
    fn check(names: &[(&str, Option<Gender>)], expected: &[usize]) {
        let mentions: Vec<PersonMention> = names
            .iter()
            .enumerate()
            .map(|(i, (name, gender))| {
                let words: Vec<String> =
                    name.split(' ').map(|word| word.replace('-', " ")).collect();
                let is_family_first = is_family_first(&words, false);
                let title = Title { gender: *gender, ..Title::default() };
                let (next, name_gender) = (String::new(), None);
                let is_acronym = name.len() < 4;
                PersonMention {
                    words,
                    position: 20 * i,
                    title,
                    next,
                    is_acronym,
                    starts_with_given: true,
                    name_gender,
                    is_family_first,
                }
            })
            .collect();
        assert_eq!(group(&mentions), expected, "{names:?}");
    }

    #[test]
    fn parts_of_names_go_to_their_person() {
        let n = |name| (name, None);
        check(&[n("mike doe"), n("doe"), n("mike"), n("roe")], &[0, 0, 0, 1]);
        check(&[n("john doe"), n("jane doe"), n("doe")], &[0, 1, 1]);
        check(&[n("john b doe"), n("j doe"), n("john doe jr")], &[0, 0, 0]);
        check(&[n("doe"), n("john doe")], &[0, 0]);
        check(&[n("kim jong un"), n("sung kim"), n("kim")], &[0, 1, 0]);
        check(&[n("sung kim"), n("kim")], &[0, 0]);
    }

    #[test]
    fn spellings_vary() {
        let n = |name| (name, None);
        check(&[n("edward woollard"), n("woolard"), n("jane roe")], &[0, 0, 1]);
        check(&[n("jacques chirac"), n("chriac"), n("chirak")], &[0, 0, 1]);
        check(&[n("william s saturn"), n("wss")], &[0, 0]);
        check(&[n("ayman zawahri"), n("al-zawahri")], &[0, 0]);
    }

    #[test]
    fn titles_keep_people_apart() {
        let (f, m) = (Some(Gender::Female), Some(Gender::Male));
        check(&[("john doe", m), ("jane doe", f), ("doe", m), ("doe", f)], &[0, 1, 0, 1]);
    }
}
