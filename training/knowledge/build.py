#!/usr/bin/env python3
"""Builds the knowledge file: names to types and ids, and what words say about names.

usage: build.py --data DIR --out models/knowledge.bin

DIR is the shared data folder (its `knowledge/` and `raw/` are read); the lists beside this script are added.
The output is a pure function of these inputs. Layout and meaning of every bit: src/knowledge.rs.
"""
import argparse, collections, gzip, hashlib, json, math, pathlib, re, struct, unicodedata

MAGIC, VERSION = b"CDKNOW\r\n", 1
TYPES = ["", "PER", "ORG", "GPE", "LOC", "FAC", "NORP", "EVENT", "PRODUCT", "WORK", "MISC"]
HERE = pathlib.Path(__file__).parent
SPECIAL = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"})
DROPPED = "'’‘ʼ`´.\u00ad\u200b\u200c\u200d\u2060\ufeff"
NAME_WORDS_MAX = 10
# The data's own ids run to about 1.3e8; made-up ids for names without one start above them.
FIRST_LOCAL_ID = 1 << 27
PERSON_SURNAME_PRIOR = 12.0
# Of a name in `lists/`: about that of a city of 400,000, below what the other sources say of things that everybody knows.
LIST_PRIOR = 13.0
# Rows of the sources that mix two things up: (id, geonameid) to the right id; their aliases are dropped.
CORRECTIONS = {("Q1345", "4140963"): "Q61"}
# FB15k types its entities by the relations they stand in; a description like this is a person's all the same.
PERSON = re.compile(
    r"\b(politician|actor|actress|singer|musician|writer|author|footballer|player|journalist|president of|prime minister of"
    r"|comedian|rapper|composer|poet|novelist|scientist|physicist|economist|philosopher|screenwriter|boxer|wrestler|athlete"
    r"|film director|statesman|singer-songwriter|television host)\b", re.I)
NOT_PERSON = re.compile(
    r"\b(album|award|band|book|city|company|computer|country|episode|film (?!director|producer|actor)|game|group|instrument"
    r"|list|magazine|movie|novel|office|organi[sz]ation|position|series|show|song|team|title|town|village|who|whose|by|about"
    r"|occupation|profession|term|type|head of)\b", re.I)
SLUGS = {"us": "US", "uae": "AE", "congo-kinshasa": "CD", "scotland": "GB", "world": "", "russia": "RU", "north-korea": "KP"}


def fold(text):
    """Lower case without accents, apostrophes and stops; every other mark is one space. Same as `knowledge::fold`."""
    out = []
    for c in unicodedata.normalize("NFD", text):
        if unicodedata.combining(c) or c in DROPPED:
            continue
        out.append(c.lower().translate(SPECIAL) if c.isalnum() else " ")
    words = "".join(out).split()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join(words)


def fnv1a(key):
    h = 0xCBF29CE484222325
    for byte in key.encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    # The last bytes of a key hardly reach the top bits, by which the table is cut into buckets.
    h ^= h >> 32
    h = h * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return h


def lines(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as handle:
        for line in handle:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield line


def log_bucket(count, top=7):
    return min(top, int(math.log2(count)) + 1) if count > 0 else 0


class Countries:
    def __init__(self, data):
        rows = [json.loads(line) for line in lines(data / "knowledge/countries.jsonl")]
        self.index = {row["iso2"]: i + 1 for i, row in enumerate(sorted(rows, key=lambda r: r["iso2"]))}
        self.by_slug = {fold(row["name"]).replace(" ", "-"): row["iso2"] for row in rows}
        self.by_slug.update(SLUGS)
        # What descriptions call a country: its names, its people, its parts.
        self.called = {row["iso2"]: [row["name"], *row["aliases"], *row["demonyms"]] for row in rows}
        self.called["GB"] += ["England", "Wales", "Northern Ireland", "UK"]
        self.called["US"] += ["USA"] + [json.loads(line)["name"] for line in lines(data / "knowledge/us_states.jsonl")]

    def of(self, description):
        match = re.search(r"\(([^)]+)\)$", description) or re.search(r"\b(?:in|country) ([A-Z]{2})$", description)
        if match is None:
            return 0
        word = match.group(1)
        return self.index.get(word) or self.index.get(self.by_slug.get(fold(word).replace(" ", "-"), ""), 0)


    def is_named_in(self, description, country):
        names = next((self.called[iso] for iso, index in self.index.items() if index == country), [])
        return any(re.search(rf"\b{re.escape(name)}\b", description) for name in names)


class Corpus:
    """How the raw texts write words: a capital in the middle of a sentence is a name's, one at its start says little."""

    def __init__(self, data):
        self.lower, self.upper, self.initial = collections.Counter(), collections.Counter(), collections.Counter()
        word = re.compile(r"[^\W\d_][\w’'-]*", re.UNICODE)
        for path in sorted((data / "raw").glob("*.jsonl.gz")):
            for line in lines(path):
                for match in word.finditer(text := json.loads(line)["text"]):
                    surface = match.group()
                    key = fold(re.sub(r"['’]s$", "", surface))
                    if surface[0].islower():
                        self.lower[key] += 1
                    elif re.fullmatch(r"[a-z,] ", text[max(0, match.start() - 2):match.start()]):
                        self.upper[key] += 1
                    else:
                        self.initial[key] += 1

    def lower_share(self, word):
        """0: not seen; 1 (always capitalised) to 7 (never)."""
        low, up = self.lower[word], self.upper[word]
        if low + up == 0:
            return 7 if self.initial[word] >= 5 else 0
        return 1 + round(6 * low / (low + up))

    def n_seen(self, word):
        return self.lower[word] + self.upper[word] + self.initial[word]


def readings(data, countries, corpus, given, family):
    """Every folded name with what it can mean: (prior, type, id, country, linkable)."""
    found = collections.defaultdict(list)
    local_id = FIRST_LOCAL_ID
    descriptions = {}
    rows = [(line + "\t" * 7).split("\t")[:7] for line in lines(data / "knowledge/kb.tsv.gz")]
    places = {row[2] for row in rows if row[1] == "GPE"}
    for ident, kind, name, aliases, description, prior, geonameid in rows:
        prior = float(prior)
        if (ident, geonameid) in CORRECTIONS:
            ident, aliases = CORRECTIONS[ident, geonameid], ""
        if ident.startswith("Q"):
            number = int(ident[1:])
        else:
            number, local_id = local_id, local_id + 1
        if kind == "AWARD":
            kind = "WORK"
        if kind in ("GPE", "ORG", "WORK", "MISC") and PERSON.search(description) and not NOT_PERSON.search(description):
            kind = "PER"
        if kind not in TYPES or not any(c.isupper() for c in name):
            continue
        country = countries.of(description)
        descriptions[number] = description
        for alias in [name] + [a for a in aliases.split("|") if a]:
            if kind == "GPE" and alias != name and alias in places and not description.startswith("country"):
                continue
            if not keeps(kind, name, alias, prior, description, corpus, given, family):
                continue
            own = alias == name
            linkable = not (kind == "PER" and " " not in alias.strip() and not own)
            found[fold(alias)].append((prior if own else prior - 0.5, kind, number, country, linkable))
    join_cities(found, descriptions, countries)
    return found


def join_cities(found, descriptions, countries):
    """Gives a city of GeoNames the Wikidata id that another source has for the one city of its name and country."""
    ids = {}
    for rows in found.values():
        cities = [r for r in rows if r[1] == "GPE" and not descriptions[r[2]].startswith(("country", "U.S. state"))]
        best = max((r for r in cities if r[2] >= FIRST_LOCAL_ID), default=None)
        known = {r[2] for r in cities if r[2] < FIRST_LOCAL_ID and r[0] in (9.0, 8.5) and best
                 and countries.is_named_in(descriptions[r[2]], best[3])}
        if best and len(known) == 1 and best == max(r for r in cities if r[3] == best[3]):
            ids.setdefault(best[2], known.pop())
    for rows in found.values():
        rows[:] = [(prior, kind, ids.get(number, number), country, linkable) for prior, kind, number, country, linkable in rows]


def keeps(kind, name, alias, prior, description, corpus, given, family):
    """Whether an alias is a name that news in English would use for the thing."""
    key = fold(alias)
    n_words = key.count(" ") + 1
    if not key or n_words > NAME_WORDS_MAX or not any(c.isupper() for c in alias) or key.isdigit():
        return False
    if alias == name:
        return len(key) > 1
    if (name, alias) in {("United Kingdom", "Scotland")} or alias.startswith(("@", "President ")):
        return False
    if kind == "PER":
        return n_words > 1 or prior >= PERSON_SURNAME_PRIOR
    if kind == "GPE" and "country" not in description and "state" not in description:
        # Spellings of other languages: kept when this language's news writes them, and not as a person's name.
        if n_words > 1 and ("," in alias or key.startswith(fold(name))):
            return True
        written = all(corpus.upper[w] >= 2 and corpus.upper[w] > corpus.lower[w] for w in key.split())
        return written and not any(given[w] >= 2 or family[w] >= 2 for w in key.split())
    if n_words == 1 and alias[1:].islower():
        return corpus.lower[key] == 0 or corpus.upper[key] > corpus.lower[key]
    return len(key) > 1


def add_lists(found, data, countries):
    for line in lines(data / "knowledge/demonyms.tsv"):
        name, iso = line.split("\t")
        found[fold(name)].append((20.0, "NORP", 0, countries.index.get(iso, 0), False))
    for line in lines(HERE / "groups.txt"):
        if not any(kind == "NORP" for _, kind, *_ in found[fold(line)]):
            found[fold(line)].append((16.0, "NORP", 0, 0, False))
    for line in lines(data / "knowledge/admin1_factbook.jsonl"):
        row = json.loads(line)
        if fold(row["name"]) and not found[fold(row["name"])]:
            found[fold(row["name"])].append((8.0, "GPE", 0, countries.index.get(row["iso2"], 0), False))
    wikimap = {}
    for line in lines(data / "knowledge/gum_wikimap.jsonl"):
        row = json.loads(line)
        wikimap[row["title"].replace("_", " ")] = int(row["qid"][1:])
    local_id = 1 + max(row[2] for rows in found.values() for row in rows)
    for line in lines(HERE / "extra.tsv"):
        kind, name, aliases, ident = (line + "\t" * 3).split("\t")[:4]
        names = [name] + [a for a in aliases.split("|") if a]
        known = [r for n in names for r in found[fold(n)] if r[4] and r[1] in (kind, "MISC") and not n.startswith("~")]
        mapped = [wikimap[n] for n in names if n in wikimap]
        if ident or mapped or known:
            number = int(ident[1:]) if ident else mapped[0] if mapped else max(known)[2]
        else:
            number, local_id = local_id, local_id + 1
        for alias in names:
            relative = alias.startswith("~")
            found[fold(alias)].append((20.0, kind, 0 if relative else number, 0, not relative))


def add_names(found, corpus, given, family):
    """The names of `lists/`: typed, and linked only where another source knows a thing of this name and type."""
    local_id = 1 + max(row[2] for rows in found.values() for row in rows)
    for path in sorted((HERE / "lists").glob("*.tsv")):
        for line in lines(path):
            kind, name, aliases = (line + "\t\t").split("\t")[:3]
            known = [row[2] for row in found[fold(name)] if row[1] == kind and row[2] and row[4]]
            number = known[0] if known else local_id
            local_id += not known
            for alias in [name] + [a for a in aliases.split("|") if a]:
                key = fold(alias)
                if not keeps_listed(alias, key, corpus, given, family):
                    continue
                own = alias == name
                found[key].append((LIST_PRIOR if own else LIST_PRIOR - 0.5, kind, number, 0, own))


def keeps_listed(alias, key, corpus, given, family):
    """Several words are a name as they stand; one must not be a common word, or a person's name before it is another."""
    if not key or key.count(" ") + 1 > NAME_WORDS_MAX or key.isdigit() or not any(c.isupper() for c in alias):
        return False
    if " " in key:
        return True
    is_common = corpus.lower[key] > 0 and corpus.upper[key] <= corpus.lower[key]
    return len(key) > 1 and not is_common and not (given[key] >= 2 or family[key] >= 2)


def pack_name(rows):
    """See `knowledge::Name` for the bits."""
    rows = sorted(set(rows), key=lambda r: (-r[0], r[1], r[2]))
    prior, kind, number, country, linkable = rows[0]
    mask = 0
    for row in rows:
        mask |= 1 << TYPES.index(row[1])
    # A prior is about the logarithm of a population: 3 apart is twenty times as many people.
    gap = min((prior - r[0] for r in rows[1:] if r[2] != number and r[1] == kind), default=99)
    ambiguous = 2 if not linkable or gap < 1 else 1 if gap < 3 else 0
    country = country or next((r[3] for r in rows if r[1] == kind and r[3]), 0)
    level = min(15, int(prior / 2))
    return (number | TYPES.index(kind) << 28 | level << 32 | mask << 36 | country << 48 | ambiguous << 56)


def words(given, family, sex, corpus):
    """See `knowledge::Word` for the bits."""
    keys = set(given) | set(family) | set(sex) | {w for w in corpus.lower | corpus.upper | corpus.initial if corpus.n_seen(w) >= 3}
    packed = {}
    for key in keys:
        if " " in key or not key:
            continue
        first = max(log_bucket(given[key]), 2 if key in sex else 0)
        packed[key] = (first | {"f": 1, "m": 2}.get(sex.get(key), 0) << 3 | log_bucket(family[key]) << 5
                       | corpus.lower_share(key) << 8 | min(7, log_bucket(corpus.n_seen(key), 21) // 2) << 11)
    return packed


def table(entries, width):
    """Buckets by the top 16 bits of the hash, then fingerprints (the next 32 bits) and values in hash order."""
    hashed = sorted((fnv1a(key), key, value) for key, value in entries.items())
    prints = [(h >> 16) & 0xFFFFFFFFFFFF for h, _, _ in hashed]
    assert len(set(prints)) == len(prints), "two names share a fingerprint: change the hash"
    starts, at = [], 0
    for bucket in range(65537):
        while at < len(hashed) and hashed[at][0] >> 48 < bucket:
            at += 1
        starts.append(at)
    body = struct.pack("<65537I", *starts)
    body += b"".join(struct.pack("<I", (h >> 16) & 0xFFFFFFFF) for h, _, _ in hashed)
    body += b"".join(value.to_bytes(width, "little") for _, _, value in hashed)
    return struct.pack("<I", len(hashed)) + body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    given, family, sex = collections.Counter(), collections.Counter(), {}
    for name, counter in (("names_first.tsv", given), ("names_last.tsv", family)):
        for line in lines(args.data / "knowledge" / name):
            word, count = line.split("\t")
            counter[fold(word)] += int(count)
    for line in lines(HERE / "given_names.tsv"):
        name, which = line.split("\t")
        sex[fold(name)] = which
    countries, corpus = Countries(args.data), Corpus(args.data)
    found = readings(args.data, countries, corpus, given, family)
    add_lists(found, args.data, countries)
    add_names(found, corpus, given, family)
    names = {key: pack_name(rows) for key, rows in found.items() if key and rows}
    lexicon = words(given, family, sex, corpus)
    payload = table(names, 8) + table(lexicon, 2)
    header = MAGIC + struct.pack("<I", VERSION) + hashlib.sha256(payload).digest()
    args.out.write_bytes(header + payload)
    print(f"{len(names)} names, {len(lexicon)} words, {len(header) + len(payload)} bytes")


if __name__ == "__main__":
    main()
