"""Scores of tags on the development sets: entity spans by type, quote content spans, without rules on top."""

import collections

from . import data, document
from .decode import character_span, transitions, viterbi
from .labels import ENTITY_TAGS, PUBLISHED, QUOTE_TAGS, spans_of

PLACE = {"GPE": "LOC", "FAC": "LOC"}
MOVES = {"entity": transitions(ENTITY_TAGS), "quote": transitions(QUOTE_TAGS)}


def f1(correct, predicted, gold):
    return 200 * correct / (predicted + gold) if predicted + gold else 0.0


def tag(scores, kind):
    tags = ENTITY_TAGS if kind == "entity" else QUOTE_TAGS
    return [tags[i] for i in viterbi(scores, MOVES[kind], tags)]


def mentions(window, tags):
    """Published mentions (start, end, type) in code points."""
    words = [w for s in window for w in s.words]
    spans = [p for s in window for p in s.spans]
    return {(*character_span(words, spans, a, b), name) for a, b, name in spans_of(tags) if name in PUBLISHED}


def quotes(window, tags):
    spans = [p for s in window for p in s.spans]
    return [(spans[a][0], spans[b - 1][1], name) for a, b, name in spans_of(tags)]


def overlap(a, b):
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return shared / (max(a[1], b[1]) - min(a[0], b[0])) if shared > 0 else 0.0


def wikinews_scores(records, tagger, limit=data.WINDOW_WORDS):
    """Scores on annotated articles; `tagger` maps windows to (entity tags, quote tags, entity log-probabilities).

    `document.…` are the scores with document consistency on top.
    """
    count = collections.defaultdict(lambda: [0, 0, 0])

    def add(key, predicted, gold):
        for i, n in enumerate((len(predicted & gold), len(predicted), len(gold))):
            count[key][i] += n


    for record in records:
        parts = data.windows(data.segment(record["text"]), limit)
        predicted, content, others = set(), [], collections.defaultdict(set)
        tagged = tagger(parts)
        for window, (entity, quote, _) in zip(parts, tagged):
            predicted |= mentions(window, entity)
            for span in quotes(window, quote):
                if span[2] == "CONTENT":
                    content.append(span)
                else:
                    others[span[2]].add(span[:2])
        gold = {(m["start"], m["end"], m["label"]) for m in record["mentions"]}
        add("typed", predicted, gold)
        add("untyped", {p[:2] for p in predicted}, {g[:2] for g in gold})
        merged = lambda spans: {(a, b, PLACE.get(t, t)) for a, b, t in spans if PLACE.get(t, t) in ("PER", "ORG", "LOC")}
        add("plo", merged(predicted), merged(gold))
        consistent = document.mentions(parts, [(entity, scores) for entity, _, scores in tagged])
        add("document.typed", consistent, gold)
        add("document.plo", merged(consistent), merged(gold))
        for name in PUBLISHED:
            add(name, {p for p in predicted if p[2] == name}, {g for g in gold if g[2] == name})
        gold_quotes = [(q["start"], q["end"]) for q in record["quotes"]]
        pairs = sorted(((overlap(g, p), i, j) for i, g in enumerate(gold_quotes) for j, p in enumerate(content)), reverse=True)
        used = [set(), set()]
        for score, i, j in pairs:
            if score >= 0.8 and i not in used[0] and j not in used[1]:
                used[0].add(i)
                used[1].add(j)
        for i, n in enumerate((len(used[0]), len(content), len(gold_quotes))):
            count["quote.overlap"][i] += n
        for key, name in (("cue", "CUE"), ("speaker", "SOURCE")):
            add("quote." + key, others[name], {tuple(q[key]) for q in record["quotes"] if q.get(key)})
    return {key: round(f1(*n), 1) for key, n in count.items()}


def gold_spans(sentence_masks):
    """Spans (start, end, allowed names) from entity masks."""
    result = []
    for i, mask in enumerate(sentence_masks):
        names = {t[2:] for k, t in enumerate(ENTITY_TAGS) if mask >> k & 1}
        kinds = {t[0] for k, t in enumerate(ENTITY_TAGS) if mask >> k & 1}
        if kinds == {"B"}:
            result.append([i, i + 1, names])
        elif kinds == {"I"} and result and result[-1][1] == i:
            result[-1][1] = i + 1
    return result


def mix_scores(path, tagger, known_place):
    """F1 by source on the held-back sentences, types in scope only; places merged."""
    count = collections.defaultdict(lambda: [0, 0, 0])
    documents, scopes = [], []
    for record in data.read_lines(path):
        for source, document in data.mix_records([record], known_place):
            for window in data.windows(document):
                documents.append(window)
                scopes.append((source, frozenset(record["scope"])))
    for window, (entity, _, _), (source, scope) in zip(documents, tagger(documents), scopes):
        group = source.split("_")[0]
        gold = gold_spans([m for s in window for m in s.entity])
        names_of = {(a, b): names for a, b, names in gold}
        scope = {PLACE.get(t, t) for t in scope if t in PUBLISHED}
        merge = lambda names: {PLACE.get(t, t) for t in names} & scope
        predicted = {(a, b): PLACE.get(t, t) for a, b, t in spans_of(entity) if PLACE.get(t, t) in scope}
        for key, keep in (("all", scope), ("plo", scope & {"PER", "ORG", "LOC"})):
            p = {k: t for k, t in predicted.items() if t in keep}
            g = {k: n for k, n in names_of.items() if merge(n) & keep and "MISC" not in n}
            correct = sum(k in g and t in merge(g[k]) for k, t in p.items())
            ignored = sum(k in names_of and "MISC" in names_of[k] for k in p)
            for where in (group, "total"):
                for i, n in enumerate((correct, len(p) - ignored, len(g))):
                    count[f"{where}.{key}"][i] += n
    return {key: round(f1(*n), 1) for key, n in sorted(count.items())}
