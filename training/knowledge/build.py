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
    """Counts of words of the raw texts in the middle of sentences: capitals there are names' capitals."""

    def __init__(self, data):
        self.lower, self.upper = collections.Counter(), collections.Counter()
        word = re.compile(r"[^\W\d_][\w’'-]*", re.UNICODE)
        for path in sorted((data / "raw").glob("*.jsonl.gz")):
            for line in lines(path):
                for match in word.finditer(text := json.loads(line)["text"]):
                    before = text[max(0, match.start() - 2):match.start()]
                    if re.fullmatch(r"[a-z,] ", before):
                        surface = match.group()
                        counts = self.upper if surface[0].isupper() else self.lower
                        counts[fold(re.sub(r"['’]s$", "", surface))] += 1

    def lower_share(self, word):
        """0: not seen; 1 (always capitalised) to 7 (never)."""
        low, up = self.lower[word], self.upper[word]
        return 0 if low + up == 0 else 1 + round(6 * low / (low + up))


def readings(data, countries, corpus, given, family):
    """Every folded name with what it can mean: (prior, type, id, country, linkable)."""
    found = collections.defaultdict(list)
    local_id = FIRST_LOCAL_ID
    descriptions = {}
    for line in lines(data / "knowledge/kb.tsv.gz"):
        ident, kind, name, aliases, description, prior, _ = (line + "\t" * 7).split("\t")[:7]
        prior = float(prior)
        if ident.startswith("Q"):
            number = int(ident[1:])
        else:
            number, local_id = local_id, local_id + 1
        if kind == "AWARD":
            kind = "WORK"
        if kind not in TYPES or not any(c.isupper() for c in name):
            continue
        country = countries.of(description)
        descriptions[number] = description
        for alias in [name] + [a for a in aliases.split("|") if a]:
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
    for line in lines(HERE / "extra.tsv"):
        kind, name, aliases = (line + "\t\t").split("\t")[:3]
        names = [name] + [a for a in aliases.split("|") if a]
        known = [r for n in names for r in found[fold(n)] if r[4] and r[1] in (kind, "MISC") and not n.startswith("~")]
        number = max(known)[2] if known else 0
        for alias in names:
            relative = alias.startswith("~")
            found[fold(alias)].append((20.0, kind, 0 if relative else number, 0, not relative and number > 0))


def pack_name(rows):
    """See `knowledge::Name` for the bits."""
    rows = sorted(set(rows), key=lambda r: (-r[0], r[1], r[2]))
    prior, kind, number, country, linkable = rows[0]
    mask = 0
    for row in rows:
        mask |= 1 << TYPES.index(row[1])
    rivals = [r for r in rows[1:] if r[2] != number and r[1] == kind and r[0] > prior - 4]
    ambiguous = bool(rivals) or not linkable
    country = country or next((r[3] for r in rows if r[1] == kind and r[3]), 0)
    level = min(15, int(prior / 2))
    return (number | TYPES.index(kind) << 28 | level << 32 | mask << 36 | country << 48 | int(ambiguous) << 56)


def words(given, family, sex, corpus):
    """See `knowledge::Word` for the bits."""
    keys = set(given) | set(family) | set(sex) | {w for w in corpus.lower | corpus.upper if corpus.lower[w] + corpus.upper[w] >= 3}
    packed = {}
    for key in keys:
        if " " in key or not key:
            continue
        first = max(log_bucket(given[key]), 2 if key in sex else 0)
        n_seen = corpus.lower[key] + corpus.upper[key]
        packed[key] = (first | {"f": 1, "m": 2}.get(sex.get(key), 0) << 3 | log_bucket(family[key]) << 5
                       | corpus.lower_share(key) << 8 | min(7, log_bucket(n_seen, 21) // 2) << 11)
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
    names = {key: pack_name(rows) for key, rows in found.items() if key and rows}
    lexicon = words(given, family, sex, corpus)
    payload = table(names, 8) + table(lexicon, 2)
    header = MAGIC + struct.pack("<I", VERSION) + hashlib.sha256(payload).digest()
    args.out.write_bytes(header + payload)
    print(f"{len(names)} names, {len(lexicon)} words, {len(header) + len(payload)} bytes")


if __name__ == "__main__":
    main()
