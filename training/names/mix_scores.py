"""Scores enriched records on `dev/entities_mix.jsonl.gz`: sentences of many sources, each annotated for some types.

    python mix_scores.py articles MIX.jsonl.gz > articles.jsonl       # then: copydesk enrich articles.jsonl > enriched.jsonl
    python mix_scores.py score MIX.jsonl.gz enriched.jsonl

Exact spans; places (GPE, LOC, FAC) are one type; types outside a sentence's scope are left out, and so are published
mentions that touch what the source calls MISC (works, events and others together). Sentences stand alone: what an
article says about its own names is missing.
"""

import collections
import gzip
import json
import sys

TYPES = {"PERSON": "PER", "WORK_OF_ART": "WORK", "LAW": "WORK"}
PLACE = {"GPE": "LOC", "FAC": "LOC"}
NAMED = {"PER", "ORG", "LOC", "NORP", "EVENT", "PRODUCT", "WORK"}
ARTICLES = ("the ", "The ")


def merged(label):
    label = TYPES.get(label, label)
    return PLACE.get(label, label)


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(f"mix-{i}", json.loads(line)) for i, line in enumerate(lines)]


def gold_of(record, scope):
    """Annotated names of the scope's types, without a leading article, and the spans of MISC."""
    names, blurred = set(), []
    for span in record["spans"]:
        start, label = span["start"], merged(span["label"])
        if label in ("MISC", "AWARD"):
            blurred.append((start, span["end"]))
        elif label in scope:
            start += 4 if label != "WORK" and record["text"][start : span["end"]].startswith(ARTICLES) else 0
            names.add((start, span["end"], label))
    return names, blurred


def published_of(enriched, scope, blurred):
    names = set()
    for entity in enriched["entities"]:
        label = merged(entity["type"])
        if label not in scope:
            continue
        for mention in entity["mentions"]:
            start, end = mention["start"], mention["end"]
            if not any(start < b and a < end for a, b in blurred):
                names.add((start, end, label))
    return names


def score(mix, enriched):
    with open(enriched, encoding="utf-8") as lines:
        records = {record["id"]: record for record in map(json.loads, lines)}
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for name, record in read(mix):
        scope = {merged(label) for label in record["scope"]} & NAMED
        gold, blurred = gold_of(record, scope)
        published = published_of(records.get(name, {"entities": []}), scope, blurred)
        for group in (record["mix_source"].split("_")[0], "total"):
            for key, kept in (("all", scope), ("plo", scope & {"PER", "ORG", "LOC"})):
                keep = lambda names: {n for n in names if n[2] in kept}
                for i, n in enumerate((len(keep(gold) & keep(published)), len(keep(published)), len(keep(gold)))):
                    counts[group, key][i] += n
    for (group, key), (right, n_published, n_gold) in sorted(counts.items()):
        precision, recall = right / max(n_published, 1), right / max(n_gold, 1)
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        print(f"{group:10} {key}  P {100 * precision:.1f} R {100 * recall:.1f} F1 {100 * f1:.1f} (n={n_gold})")


def main(command, mix, *rest):
    if command == "articles":
        for name, record in read(mix):
            print(json.dumps({"id": name, "text": record["text"], "language": "en"}, ensure_ascii=False))
    else:
        score(mix, *rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
