"""Windows as arrays, and augmented copies of windows."""

import gzip
import json
import random
from dataclasses import dataclass

import numpy

from . import labels
from .data import WINDOW_WORDS, Sentence
from .labels import ENTITY_TAGS, QUOTE_TAGS
from .pieces import N_CASING, casing
from .words import split_words


@dataclass(slots=True)
class Example:
    """Per word: piece ids, casing id, name bits, allowed tags; `window` is the text it came from."""

    pieces: list
    casing: numpy.ndarray
    names: numpy.ndarray
    entity: numpy.ndarray
    quote: numpy.ndarray
    window: list
    soft: numpy.ndarray = None  # a teacher's log-probabilities, as in Sentence


class Featurizer:
    """Arrays of a window; name bits are 0 without `use_names`."""

    def __init__(self, tokenizer, names, use_names=True):
        self.tokenizer, self.names, self.use_names = tokenizer, names, use_names

    def __call__(self, window):
        found, cases, bits = [], [], []
        for s in window:
            found += [self.tokenizer.pieces(w) for w in s.words]
            kinds = casing(s.words, s.gaps)
            if s.opens:
                kinds[0] += N_CASING
            cases += kinds
            bits += self.names.bits(s.words) if self.use_names else [0] * len(s.words)
        column = lambda key: numpy.array([m for s in window for m in getattr(s, key)], dtype=numpy.int64)
        soft = numpy.concatenate([s.soft for s in window]) if window[0].soft is not None else None
        return Example(found, numpy.array(cases, dtype=numpy.int64), numpy.array(bits, dtype=numpy.int64),
                       column("entity"), column("quote"), window, soft)


class Mentions:
    """Names to put in another's place, as lists of words by type: those of the training data and of the knowledge base."""

    TYPES = ("ORG", "GPE", "LOC", "FAC", "NORP", "EVENT", "PRODUCT", "WORK")
    KNOWN_SHARE = {"ORG": 0.5, "WORK": 0.3, "GPE": 0.3}  # of the draws from the knowledge base

    def __init__(self, folder, documents):
        self.seen = {t: set() for t in self.TYPES}
        for document in documents:
            for s in document:
                for kind, start, end in exact_mentions(s):
                    if kind in self.seen:
                        self.seen[kind].add(tuple(s.words[start:end]))
        self.seen = {t: sorted(names) for t, names in self.seen.items()}
        known = {t: set() for t in self.KNOWN_SHARE}
        with gzip.open(folder / "kb.tsv.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                _, kind, name, aliases, _, prior = line.rstrip("\n").split("\t")[:6]
                if kind not in known or float(prior or 0) < {"GPE": 12, "ORG": 9, "WORK": 4}[kind]:
                    continue
                for alias in [name, *aliases.split("|")[:2]]:
                    words = tuple(w.text for w in split_words(alias, 0, len(alias)))
                    if words and len(words) <= 6 and words[0][0].isupper() and "(" not in words:
                        known[kind].add(words)
        self.known = {t: sorted(names) for t, names in known.items()}

    def draw(self, kind, random):
        pool = self.known[kind] if random.random() < self.KNOWN_SHARE.get(kind, 0) else self.seen[kind]
        return random.choice(pool)


def exact_mentions(sentence):
    """(type, start, end) of the mentions whose type is certain."""
    result = []
    for i, mask in enumerate(sentence.entity):
        tag = BEGINS.get(mask)
        if tag:
            end = i + 1
            while end < len(sentence.entity) and sentence.entity[end] == mask << 1:
                end += 1
            result.append((tag, i, end))
    return result


BEGINS = {1 << i: tag[2:] for i, tag in enumerate(ENTITY_TAGS) if tag[0] == "B"}
# Quote tags of the words after the first: B as I.
INSIDE_QUOTE = {1 << i: 1 << (i + 1 if tag[0] == "B" else i) for i, tag in enumerate(QUOTE_TAGS)}


class Augmenter:
    """Copies of windows with other casing, other quotation marks or other names; the labels stay."""

    def __init__(self, folder, seed, mentions=None):
        self.random, self.mentions = random.Random(seed), mentions
        column = lambda file: [line.split("\t")[0].strip() for line in open(folder / file, encoding="utf-8")]
        self.first, self.last = column("names_first.tsv"), column("names_last.tsv")
        with gzip.open(folder / "cities15000.jsonl.gz", "rt", encoding="utf-8") as lines:
            names = (json.loads(line).get("name", "") for line in lines)
            self.cities = [name for name in names if name and " " not in name]

    def __call__(self, window):
        """A changed copy, or the window where nothing was to be changed."""
        draw = self.random.random()
        if draw < 0.03:
            return self._map(window, str.upper)
        if draw < 0.05:
            return self._map(window, str.lower)
        if draw < 0.065:
            return self._map(window, lambda w: w[:1].upper() + w[1:])
        if draw < 0.20 and self.mentions:
            window = self._mentions(window) or window
        change = {}
        if draw < 0.30:
            change = self._names(window)
        if self.random.random() < 0.3:
            marks = self.random.choice(({"“": '"', "”": '"', "’": "'"}, {"“": "‘", "”": "’"}))
            swap = lambda w: "".join(marks.get(c, c) for c in w)
            if any(c in marks for s in window for w in s.words for c in w):
                return self._map(window, lambda w: swap(change.get(w, w)))
        return self._map(window, lambda w: change.get(w, w)) if change else window

    @staticmethod
    def _map(window, change):
        return [Sentence([change(w) for w in s.words], s.gaps, s.opens, s.entity, s.quote, s.spans, s.soft) for s in window]

    def _mentions(self, window):
        """Half of the names replaced by others of their type, the same for each occurrence; None when the window gets too long."""
        change, result = {}, []
        for s in window:
            copy = Sentence([], [], s.opens, [], [], [], None if s.soft is None else [])
            at = 0
            for kind, start, end in [*exact_mentions(s), (None, len(s.words), len(s.words))]:
                name = None
                if kind in Mentions.TYPES:
                    key = kind, *s.words[start:end]
                    if key not in change:
                        change[key] = self.mentions.draw(kind, self.random) if self.random.random() < 0.5 else None
                    name = change[key]
                stop = start if name else end
                for values, old in zip((copy.words, copy.gaps, copy.entity, copy.quote, copy.spans), (s.words, s.gaps, s.entity, s.quote, s.spans)):
                    values += old[at:stop]
                if s.soft is not None:
                    copy.soft.append(s.soft[at:stop])
                if name:
                    more = len(name) - 1
                    copy.words += name
                    copy.gaps += [s.gaps[start]] + [True] * more
                    copy.entity += [s.entity[start]] + [s.entity[start] << 1] * more
                    copy.quote += [s.quote[start]] + [INSIDE_QUOTE.get(s.quote[start], s.quote[start])] * more
                    copy.spans += [s.spans[start]] * len(name)
                    if s.soft is not None:
                        copy.soft.append(numpy.full((len(name), s.soft.shape[1]), numpy.nan, dtype=s.soft.dtype))
                at = end
            if s.soft is not None:
                copy.soft = numpy.concatenate(copy.soft)
            result.append(copy)
        return result if sum(len(s.words) for s in result) <= WINDOW_WORDS else None

    def _names(self, window):
        """New spellings for the words of persons and one-word places, the same for each occurrence."""
        change = {}
        b_person, i_person = 1 << ENTITY_TAGS.index("B-PER"), 1 << ENTITY_TAGS.index("I-PER")
        b_place, i_place = 1 << ENTITY_TAGS.index("B-GPE"), 1 << ENTITY_TAGS.index("I-GPE")
        for s in window:
            for i, (word, mask) in enumerate(zip(s.words, s.entity)):
                following = s.entity[i + 1] if i + 1 < len(s.words) else labels.O
                if word in change or not word[0].isupper() or len(word) < 3:
                    continue
                if mask == b_person and following == i_person:
                    change[word] = self.random.choice(self.first)
                elif mask in (b_person, i_person) and "." not in word:
                    change[word] = self.random.choice(self.last)
                elif mask == b_place and following != i_place and word.isalpha() and not word.isupper() and self.random.random() < 0.4:
                    change[word] = self.random.choice(self.cities)
        return change
