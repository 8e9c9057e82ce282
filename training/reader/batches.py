"""Batches of examples of like length, as padded tensors."""

import random

import numpy
import torch

from . import gazetteer, labels
from .labels import ENTITY_TAGS
from .pieces import CLS, SEP


def batches(examples, words_max, seed=None):
    """Lists of examples of like length, at most `words_max` padded words each; shuffled when a seed is given."""
    order = list(range(len(examples)))
    shuffler = random.Random(seed)
    if seed is not None:
        shuffler.shuffle(order)
    result = []
    for start in range(0, len(order), 2000):
        chunk = sorted(order[start : start + 2000], key=lambda i: len(examples[i].pieces))
        current, longest = [], 0
        for i in chunk:
            n = len(examples[i].pieces) + 2
            if current and max(longest, n) * (len(current) + 1) > words_max:
                result.append(current)
                current, longest = [], 0
            current.append(examples[i])
            longest = max(longest, n)
        result.append(current)
    if seed is not None:
        shuffler.shuffle(result)
    return result


def tensors(examples, tokenizer, names_dropout=None):
    """The model's input for a batch; masks of allowed tags as booleans, all true outside words.

    `soft`: a teacher's log-probabilities (entity tags then quote tags), NaN where there are none; None without any.
    """
    t = max(len(e.pieces) for e in examples) + 2
    b = len(examples)
    mask = torch.zeros(b, t, dtype=torch.bool)
    case = numpy.zeros((b, t), dtype=numpy.int64)
    bits = numpy.zeros((b, t), dtype=numpy.int64)
    entity = numpy.full((b, t), labels.ANY_ENTITY, dtype=numpy.int64)
    quote = numpy.full((b, t), labels.ANY_QUOTE, dtype=numpy.int64)
    cls, sep = [tokenizer.ids[CLS]], [tokenizer.ids[SEP]]
    flat, offsets = [], []
    for row, e in enumerate(examples):
        n = len(e.pieces)
        mask[row, : n + 2] = True
        case[row, 1 : n + 1] = e.casing
        if names_dropout is None or names_dropout.random() > 0.2:
            bits[row, 1 : n + 1] = e.names
        entity[row, 1 : n + 1] = e.entity
        quote[row, 1 : n + 1] = e.quote
        for ids in (cls, *e.pieces, sep, *([[0]] * (t - n - 2))):
            offsets.append(len(flat))
            flat.extend(ids)
    soft = None
    if any(e.soft is not None for e in examples):
        soft = numpy.full((b, t, len(ENTITY_TAGS) + len(labels.QUOTE_TAGS)), numpy.nan, dtype=numpy.float32)
        for row, e in enumerate(examples):
            if e.soft is not None:
                soft[row, 1 : len(e.pieces) + 1] = e.soft
        soft = torch.from_numpy(soft)
    unpack = lambda m, n: torch.from_numpy((m[..., None] >> numpy.arange(n)) & 1).bool()
    return {
        "pieces": torch.tensor(flat), "offsets": torch.tensor(offsets), "mask": mask, "casing": torch.from_numpy(case),
        "names": unpack(bits, gazetteer.N_BITS), "entity": unpack(entity, len(ENTITY_TAGS)), "quote": unpack(quote, len(labels.QUOTE_TAGS)),
        "soft": soft,
    }
