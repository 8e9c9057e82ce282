"""Texts labelled with a tone, as windows with a target; scores of tones."""

import hashlib
from dataclasses import dataclass

import numpy

from . import data

# How often an epoch has each source. Finance is held down, so that it does not outweigh the news.
SHARE = {"newsmtsc_train": 1.0, "sentfin": 0.15, "finentity": 1.0, "emobank": 0.3, "nyt_editorials_train": 0.5, "hutto2014_movies": 0.1, "hutto2014_amazon": 0.1}


@dataclass(slots=True)
class Case:
    """One labelled text: a window with 0/1 per word for the target (all 0 without one) and for its sentence."""

    source: str
    example: object
    target: numpy.ndarray
    sentence: numpy.ndarray
    label: int | None  # 0 negative, 1 neutral, 2 positive
    soft: numpy.ndarray | None = None  # a teacher's probabilities
    hidden: object = None  # the encoder's output, once it is computed


def records(folder, source):
    """Labelled texts of `train/sentiment`, without those that share a run of eight words with a development sentence (five do)."""
    dev = set().union(*(data.eight_word_runs(r["text"]) for r in development(folder)))
    return [r for r in data.read_lines(folder / f"train/sentiment/{source}.jsonl.gz") if not data.eight_word_runs(r["text"]) & dev]


def development(folder):
    return data.read_lines(folder / "dev/sentiment_newsmtsc.jsonl.gz")


def is_held_out(record):
    """One in ten NewsMTSC articles, kept from all training: blend and thresholds are chosen on them, so that `dev/` only measures."""
    if record.get("source") != "NewsMTSC":
        return False
    article = "_".join(record["id"].split("_")[:3])
    return hashlib.sha1(article.encode()).digest()[0] % 10 == 0


def cases_of(records, source, featurize):
    """A case for each record: the window of its text in which the target stands."""
    for record in records:
        start, end = record["target"] or (0, 0)
        for window in data.windows(data.segment(record["text"])):
            target, sentence = [], []
            for s in window:
                inside = [a < end and start < b for a, b in s.spans]
                target += inside
                sentence += [any(inside) or not record["target"]] * len(s.words)
            if any(sentence):
                label = None if record["label"] is None else record["label"] + 1
                soft = numpy.array(record["soft"], numpy.float32) if "soft" in record else None
                yield Case(source, featurize(window), numpy.array(target, numpy.float32), numpy.array(sentence, numpy.float32), label, soft)
                break


def summary(table):
    """Macro-averaged F1, F1 by tone and accuracy, in per cent, of a table [true, predicted]."""
    f1 = 200 * table.diagonal() / numpy.maximum(table.sum(0) + table.sum(1), 1)
    return {"macro": round(float(f1.mean()), 1), "negative neutral positive": f1.round(1).tolist(),
            "accuracy": round(float(100 * table.diagonal().sum() / table.sum()), 1)}
