"""Evidence from name lists: for each word, a mask of the kinds of known names that cover it."""

import gzip

from .pieces import fold
from .words import split_words

BITS = ("gpe", "loc", "org", "person", "person_one_word", "work", "norp", "continues", "first_name", "last_name", "title")
BIT = {name: 1 << i for i, name in enumerate(BITS)}
N_BITS = len(BITS)
WORDS_MAX = 6
KIND = {"GPE": "gpe", "LOC": "loc", "ORG": "org", "WORK": "work", "EVENT": "work", "AWARD": "work", "MISC": "work"}


def folded_words(name):
    return [fold(w.text) for w in split_words(name, 0, len(name))]


class Gazetteer:
    """Names by their folded words, joined by a blank."""

    def __init__(self, folder):
        self.names = {}
        with gzip.open(folder / "kb.tsv.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("#"):
                    continue
                _, kind, name, aliases = line.rstrip("\n").split("\t")[:4]
                for alias in [name, *filter(None, aliases.split("|"))]:
                    words = folded_words(alias)
                    if words and len(words) <= WORDS_MAX:
                        if kind == "PER":
                            bit = BIT["person"] if len(words) > 1 else BIT["person_one_word"]
                        else:
                            bit = BIT[KIND[kind]]
                        self._add(words, bit)
        for line in open(folder / "demonyms.tsv", encoding="utf-8"):
            if not line.startswith("#"):
                for name in line.rstrip("\n").split("\t")[0].split("|"):
                    self._add(folded_words(name), BIT["norp"])
        self.single = {}
        for file, bit in (("names_first.tsv", "first_name"), ("names_last.tsv", "last_name")):
            for line in open(folder / file, encoding="utf-8"):
                key = fold(line.split("\t")[0].strip())
                self.single[key] = self.single.get(key, 0) | BIT[bit]
        for line in open(folder / "titles.txt", encoding="utf-8"):
            for word in folded_words(line.strip()):
                self.single[word] = self.single.get(word, 0) | BIT["title"]
        self.starts = {key.split(" ")[0] for key in self.names}

    def _add(self, words, bit):
        key = " ".join(words)
        self.names[key] = self.names.get(key, 0) | bit

    def bits(self, words):
        """Masks of the words of one sentence: longest name first, from the left, starting at a word with a capital."""
        folded = [fold(w) for w in words]
        masks = [self.single.get(f, 0) if any(c.isupper() for c in w) else self.single.get(f, 0) & BIT["title"]
                 for w, f in zip(words, folded)]
        at = 0
        while at < len(words):
            length = 0
            if folded[at] in self.starts and any(c.isupper() for c in words[at]):
                for n in range(min(WORDS_MAX, len(words) - at), 0, -1):
                    found = self.names.get(" ".join(folded[at : at + n]))
                    if found:
                        length = n
                        break
            for i in range(at, at + length):
                masks[i] |= found | (BIT["continues"] if i > at else 0)
            at += length or 1
        return masks


def known_place(names, name):
    """Whether a name is that of a country, state or city."""
    return bool(names.names.get(" ".join(folded_words(name)), 0) & BIT["gpe"])
