//! Words that tell kinds of names apart, folded. Grammar, not a gazetteer: names themselves are in the knowledge base.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::titles;

/// The classes of a word, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes(u16);

impl Classes {
    pub(super) const CONNECTOR: Self = Self(1);
    pub(super) const PARTICLE: Self = Self(1 << 1);
    pub(super) const ORG_HEAD: Self = Self(1 << 2);
    pub(super) const FAC_HEAD: Self = Self(1 << 3);
    pub(super) const LOC_HEAD: Self = Self(1 << 4);
    pub(super) const GPE_HEAD: Self = Self(1 << 5);
    pub(super) const EVENT_HEAD: Self = Self(1 << 6);
    pub(super) const WORK_HEAD: Self = Self(1 << 7);
    pub(super) const LAW_HEAD: Self = Self(1 << 8);
    pub(super) const CALENDAR: Self = Self(1 << 9);
    pub(super) const PLACE_PREPOSITION: Self = Self(1 << 10);
    pub(super) const SPEECH_VERB: Self = Self(1 << 11);
    pub(super) const HONORIFIC: Self = Self(1 << 12);
    pub(super) const ROLE_HEAD: Self = Self(1 << 13);
    pub(super) const ROLE_MODIFIER: Self = Self(1 << 14);
    /// A kind of thing, whichever.
    pub(super) const HEAD: Self = Self(0b1_1111_1100);

    pub(super) fn of(folded: &str) -> Self {
        CLASSES.get(folded).copied().unwrap_or_default()
    }

    /// Whether the word is in any of these classes.
    pub(super) fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn bits(self) -> u16 {
        self.0
    }
}

static CLASSES: LazyLock<HashMap<&'static str, Classes>> = LazyLock::new(|| {
    let lists = [
        (CONNECTORS, Classes::CONNECTOR),
        (NAME_PARTICLES, Classes::PARTICLE),
        (ORG_HEADS, Classes::ORG_HEAD),
        (FAC_HEADS, Classes::FAC_HEAD),
        (LOC_HEADS, Classes::LOC_HEAD),
        (GPE_HEADS, Classes::GPE_HEAD),
        (EVENT_HEADS, Classes::EVENT_HEAD),
        (WORK_HEADS, Classes::WORK_HEAD),
        (LAW_HEADS, Classes::LAW_HEAD),
        (CALENDAR, Classes::CALENDAR),
        (PLACE_PREPOSITIONS, Classes::PLACE_PREPOSITION),
        (SPEECH_VERBS, Classes::SPEECH_VERB),
        (titles::HONORIFICS, Classes::HONORIFIC),
        (titles::ROLE_HEADS, Classes::ROLE_HEAD),
        (titles::ROLE_MODIFIERS, Classes::ROLE_MODIFIER),
    ];
    let mut classes: HashMap<&str, Classes> = HashMap::new();
    for (words, class) in lists {
        for word in words {
            classes.entry(word).or_default().0 |= class.0;
        }
    }
    classes
});

/// Lower-cased words that a name may contain.
#[rustfmt::skip]
const CONNECTORS: &[&str] = &[
    "a", "al", "and", "at", "bin", "bint", "da", "das", "de", "del", "della", "den", "der", "des",
    "di", "do", "dos", "du", "e", "el", "et", "for", "ibn", "in", "la", "las", "le", "les", "los",
    "of", "on", "ter", "the", "to", "und", "van", "von", "y", "zu",
];

/// Connectors that join the parts of a person's name.
#[rustfmt::skip]
const NAME_PARTICLES: &[&str] = &[
    "abu", "al", "bin", "bint", "da", "de", "del", "della", "den", "der", "di", "dos", "du", "el",
    "ibn", "la", "le", "ter", "van", "von", "y",
];

/// Last (or first) words of organisations' names.
#[rustfmt::skip]
const ORG_HEADS: &[&str] = &[
    "academy", "administration", "agency", "airlines", "airways", "alliance", "army", "assembly",
    "association", "authority", "bank", "board", "brigade", "broadcasting", "brothers", "bureau",
    "cabinet", "campaign", "center", "centre", "church", "circuit", "clinic", "club", "coalition",
    "college", "command", "commission", "committee", "commons", "community", "company", "congress",
    "consortium", "constabulary", "corp", "corps", "corporation", "council", "court", "department",
    "division", "enterprises", "federation", "fc", "force", "forces", "forum", "foundation",
    "front", "fund", "group", "guard", "guards", "herald", "holdings", "inc", "industries",
    "initiative", "institute", "institution", "international", "journal", "knesset", "laboratory",
    "league", "legion", "ltd", "llc", "media", "ministry", "mission", "movement", "museum", "navy",
    "network", "news", "newspaper", "office", "orchestra", "organisation", "organization",
    "parliament", "partners", "party", "police", "post", "press", "project", "records", "regiment",
    "reserve", "school", "secretariat", "senate", "service", "services", "society", "squad",
    "studios", "syndicate", "systems", "team", "technologies", "times", "tribune", "tribunal",
    "trust", "union", "united", "university", "unit", "wanderers", "watch",
];

#[rustfmt::skip]
const FAC_HEADS: &[&str] = &[
    "airport", "arena", "avenue", "base", "bridge", "building", "camp", "canal", "castle",
    "cathedral", "cemetery", "crossing", "dam", "expressway", "gate", "hall", "harbor", "harbour",
    "highway", "hospital", "hotel", "house", "interstate", "lane", "line", "mall", "memorial",
    "mosque", "palace", "park", "pipeline", "plant", "plaza", "port", "prison", "railway", "road",
    "school", "square", "stadium", "station", "street", "synagogue", "temple", "terminal",
    "theater", "theatre", "tower", "towers", "tunnel", "wall", "zoo",
];

#[rustfmt::skip]
const LOC_HEADS: &[&str] = &[
    "bay", "beach", "cape", "coast", "desert", "forest", "gulf", "heights", "hills", "island",
    "islands", "lake", "mount", "mountain", "mountains", "ocean", "peninsula", "plateau", "reef",
    "region", "river", "sea", "strait", "valley", "volcano",
];

const GPE_HEADS: &[&str] = &[
    "city",
    "county",
    "district",
    "emirates",
    "kingdom",
    "parish",
    "province",
    "republic",
    "state",
    "territory",
];

#[rustfmt::skip]
const EVENT_HEADS: &[&str] = &[
    "awards", "carnival", "championship", "championships", "conference", "convention", "cup",
    "derby", "earthquake", "election", "elections", "festival", "games", "genocide", "grand prix",
    "holocaust", "hurricane", "marathon", "massacre", "olympics", "open", "paralympics", "prix",
    "revolution", "summit", "tournament", "tsunami", "typhoon", "uprising", "war",
];

#[rustfmt::skip]
const WORK_HEADS: &[&str] = &[
    "accord", "accords", "act", "agreement", "amendment", "award", "bill", "charter", "code",
    "constitution", "convention", "declaration", "directive", "law", "medal", "pact", "prize",
    "protocol", "resolution", "treaty",
];

/// Heads that make a work a law.
#[rustfmt::skip]
const LAW_HEADS: &[&str] = &[
    "accord", "accords", "act", "agreement", "amendment", "bill", "charter", "code", "constitution",
    "convention", "declaration", "directive", "law", "pact", "protocol", "regulation",
    "regulations", "resolution", "treaty",
];

/// Capitalised words that name a time, not a thing.
#[rustfmt::skip]
const CALENDAR: &[&str] = &[
    "april", "august", "december", "february", "friday", "january", "july", "june", "march", "may",
    "monday", "november", "october", "saturday", "september", "sunday", "thursday", "tuesday",
    "wednesday", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov",
    "dec", "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "am", "pm",
    "utc", "gmt", "est", "edt", "pst", "pdt", "cst", "bst", "cet", "ist",
];

#[rustfmt::skip]
const PLACE_PREPOSITIONS: &[&str] = &[
    "across", "around", "at", "from", "in", "inside", "into", "near", "outside", "throughout",
    "through", "to", "toward", "towards",
];

/// Verbs after a name that people and organisations do.
#[rustfmt::skip]
const SPEECH_VERBS: &[&str] = &[
    "added", "admitted", "announced", "argued", "asked", "believes", "called", "claimed",
    "commented", "confirmed", "declared", "denied", "explained", "expressed", "insisted", "noted",
    "observed", "replied", "reported", "responded", "said", "says", "stated", "suggested", "told",
    "tweeted", "warned", "wrote",
];
