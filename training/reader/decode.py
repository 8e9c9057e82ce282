"""Tags to spans: constrained Viterbi over BIO tags (an I only after B or I of its name), and scores of spans."""

import numpy

from .data import trimmed

IMPOSSIBLE = -1e4


def transitions(tags):
    """Additive scores [from, to]: 0 or IMPOSSIBLE."""
    allowed = lambda a, b: b[0] != "I" or a != "O" and a[2:] == b[2:]
    return numpy.array([[0.0 if allowed(a, b) else IMPOSSIBLE for b in tags] for a in tags], dtype=numpy.float32)


def viterbi(scores, moves, tags):
    """Best tag indices for log-probabilities (words, tags) of one sentence or window."""
    start = numpy.array([IMPOSSIBLE if t[0] == "I" else 0.0 for t in tags], dtype=numpy.float32)
    total = scores[0] + start
    back = []
    for row in scores[1:]:
        candidates = total[:, None] + moves
        back.append(candidates.argmax(0))
        total = candidates.max(0) + row
    best = [int(total.argmax())]
    for pointers in reversed(back):
        best.append(int(pointers[best[-1]]))
    return best[::-1]


def character_span(words, spans, start, end):
    """Code points of words [start, end), without a hyphenated affix at either edge."""
    first = trimmed(words[start], spans[start][0])[0]
    last = trimmed(words[end - 1], spans[end - 1][0])[1]
    return first, last
