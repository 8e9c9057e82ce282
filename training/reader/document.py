"""Document consistency: what one part of an article shows about a name helps to judge it elsewhere.

The product's entity stage does this in Rust; here it shows what the tags are worth with it.
"""

import collections

import numpy

from .decode import character_span
from .labels import ENTITY_TAGS, PUBLISHED, spans_of

SHARE_OF_OTHERS = 1.0  # weight of the mean over the other mentions of the same text against a mention's own scores
FOUND_AGAIN_MIN = 0.10  # least probability of being a name for an occurrence that the tags missed
COLUMNS = [(ENTITY_TAGS.index("B-" + t), ENTITY_TAGS.index("I-" + t)) for t in PUBLISHED]


def type_scores(scores):
    """Mean log-probability of each published type over the words of a span; `scores` are log-probabilities (words, tags)."""
    p = numpy.exp(scores)
    return numpy.log(numpy.stack([p[:, b] + p[:, i] for b, i in COLUMNS], 1) + 1e-9).mean(0)


def mentions(windows, tagged):
    """Mentions (start, end, type) of an article; `tagged`: (tags, log-probabilities of entities) of each window."""
    words, spans, tags, rows = [], [], [], []
    for window, (window_tags, scores) in zip(windows, tagged):
        words += [w for s in window for w in s.words]
        spans += [p for s in window for p in s.spans]
        tags += window_tags
        rows.append(scores)
    scores = numpy.concatenate(rows)
    found = [(a, b) for a, b, name in spans_of(tags) if name in PUBLISHED]
    own = {k: type_scores(scores[k[0] : k[1]]) for k in found}
    key = lambda a, b: tuple(words[a:b])
    groups = collections.defaultdict(list)
    for a, b in found:
        groups[key(a, b)].append((a, b))
    # A word of a person's full name stands for the person elsewhere.
    parts = collections.defaultdict(list)
    for a, b in found:
        if b - a > 1 and PUBLISHED[own[a, b].argmax()] == "PER":
            parts[words[b - 1],].append((a, b))
    evidence = {}
    for name in set(groups) | set(parts):
        members = groups.get(name, []) + parts.get(name, [])
        evidence[name] = (sum(own[m] for m in members), len(members))
    result = {}
    for a, b in found:
        total, n = evidence[key(a, b)]
        judged = own[a, b] + (SHARE_OF_OTHERS * (total - own[a, b]) / (n - 1) if n > 1 else 0)
        result[a, b] = PUBLISHED[judged.argmax()]
    taken = {i for a, b in found for i in range(a, b)}
    longest = max((len(name) for name in evidence), default=0)
    p_name = 1 - numpy.exp(scores[:, 0])
    at = 0
    while at < len(words):
        for n in range(min(longest, len(words) - at), 0, -1):
            name = key(at, at + n)
            if name in evidence and any(c.isupper() for c in name[0]) and not taken & set(range(at, at + n)):
                total, count = evidence[name]
                if p_name[at : at + n].mean() >= FOUND_AGAIN_MIN:
                    result[at, at + n] = PUBLISHED[(total / count).argmax()]
                    at += n - 1
                    break
        at += 1
    return {(*character_span(words, spans, a, b), t) for (a, b), t in result.items()}
