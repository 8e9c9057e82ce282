"""Texts labelled with a tone, as windows with a target; scores of tones."""

from dataclasses import dataclass

import numpy

from . import data


@dataclass(slots=True)
class Case:
    """One labelled text: a window with 0/1 per word for the target (all 0 without one) and for its sentence."""

    source: str
    example: object
    target: numpy.ndarray
    sentence: numpy.ndarray
    label: int
    hidden: object = None  # the encoder's output, once it is computed


def cases_of(path, source, featurize):
    for record in data.read_lines(path):
        start, end = record["target"] or (0, 0)
        for window in data.windows(data.segment(record["text"])):
            target, sentence = [], []
            for s in window:
                inside = [a < end and start < b for a, b in s.spans]
                target += inside
                sentence += [any(inside) or not record["target"]] * len(s.words)
            if any(sentence):
                yield Case(source, featurize(window), numpy.array(target, numpy.float32), numpy.array(sentence, numpy.float32), record["label"] + 1)
                break


def summary(table):
    """Macro-averaged F1, F1 by tone and accuracy, in per cent, of a table [true, predicted]."""
    f1 = 200 * table.diagonal() / numpy.maximum(table.sum(0) + table.sum(1), 1)
    return {"macro": round(float(f1.mean()), 1), "negative neutral positive": f1.round(1).tolist(),
            "accuracy": round(float(100 * table.diagonal().sum() / table.sum()), 1)}
