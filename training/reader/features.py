"""Windows as arrays, and augmented copies of windows."""

import gzip
import json
import random
from dataclasses import dataclass

import numpy

from . import labels
from .data import Sentence
from .labels import ENTITY_TAGS
from .pieces import N_CASING, casing


@dataclass(slots=True)
class Example:
    """Per word: piece ids, casing id, name bits, allowed tags; `window` is the text it came from."""

    pieces: list
    casing: numpy.ndarray
    names: numpy.ndarray
    entity: numpy.ndarray
    quote: numpy.ndarray
    window: list
    weight: float = 1.0
    soft: tuple = None  # a teacher's log-probabilities (entity, quote), float16


class Featurizer:
    """Arrays of a window; name bits are 0 without `use_names`."""

    def __init__(self, tokenizer, names, use_names=True):
        self.tokenizer, self.names, self.use_names = tokenizer, names, use_names

    def __call__(self, window, weight=1.0):
        found, cases, bits = [], [], []
        for s in window:
            found += [self.tokenizer.pieces(w) for w in s.words]
            kinds = casing(s.words, s.gaps)
            if s.opens:
                kinds[0] += N_CASING
            cases += kinds
            bits += self.names.bits(s.words) if self.use_names else [0] * len(s.words)
        column = lambda key: numpy.array([m for s in window for m in getattr(s, key)], dtype=numpy.int64)
        return Example(found, numpy.array(cases, dtype=numpy.int64), numpy.array(bits, dtype=numpy.int64),
                       column("entity"), column("quote"), window, weight)


class Augmenter:
    """Copies of windows with other casing, other quotation marks or other names; the labels stay."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        column = lambda file: [line.split("\t")[0].strip() for line in open(folder / file, encoding="utf-8")]
        self.first, self.last = column("names_first.tsv"), column("names_last.tsv")
        with gzip.open(folder / "cities15000.jsonl.gz", "rt", encoding="utf-8") as lines:
            names = (json.loads(line).get("name", "") for line in lines)
            self.cities = [name for name in names if name and " " not in name]

    def __call__(self, window):
        """A changed copy, or None where nothing was to be changed."""
        draw = self.random.random()
        if draw < 0.03:
            return self._map(window, str.upper)
        if draw < 0.05:
            return self._map(window, str.lower)
        if draw < 0.065:
            return self._map(window, lambda w: w[:1].upper() + w[1:])
        change = {}
        if draw < 0.30:
            change = self._names(window)
        if self.random.random() < 0.3:
            marks = self.random.choice(({"“": '"', "”": '"', "’": "'"}, {"“": "‘", "”": "’"}))
            swap = lambda w: "".join(marks.get(c, c) for c in w)
            if any(c in marks for s in window for w in s.words for c in w):
                return self._map(window, lambda w: swap(change.get(w, w)))
        return self._map(window, lambda w: change.get(w, w)) if change else None

    @staticmethod
    def _map(window, change):
        return [Sentence([change(w) for w in s.words], s.gaps, s.opens, s.entity, s.quote, s.spans) for s in window]

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
