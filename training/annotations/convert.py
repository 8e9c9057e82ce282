"""Turns annotations written by the guide (exact strings) into standoff labels (offsets, no text).

In:  a folder with one file of JSON Lines a batch, each line an article by `ANNOTATION.md` of the data folder,
     and the texts: a JSON object from id to text.
Out: JSON Lines, one article a line: `{"doc_id", "sha256", "mentions", "entities", "quotes", "sentiment"}`, offsets in
     Unicode code points, as in `train/wikinews`; `sha256` is of the text, so that a text that changed is noticed.
What cannot be anchored is named on standard error, and the article's line is left out when more than one in ten is.

    python convert.py IN_FOLDER TEXTS.json > labels.jsonl
"""

import hashlib
import json
import pathlib
import re
import sys

TYPES = {"PER", "ORG", "GPE", "LOC", "FAC", "NORP", "EVENT", "PRODUCT", "WORK"}
QUOTE_TYPES = {"direct", "mixed", "indirect"}


def occurrences(text, surface):
    """Where `surface` stands as whole words."""
    pattern = (r"(?<!\w)" if surface[0].isalnum() else "") + re.escape(surface) + (r"(?!\w)" if surface[-1].isalnum() else "")
    return [match.start() for match in re.finditer(pattern, text)]


def mentions_of(record, text, complain):
    """Every whole-word occurrence of a listed surface, the longest first, less the exceptions."""
    surfaces = {}
    for entity in record["entities"]:
        if entity["type"] not in TYPES:
            complain(f"unknown type {entity['type']!r} of {entity['name']!r}")
            continue
        for surface in entity["mentions"]:
            if surface in surfaces and surfaces[surface] is not entity:
                complain(f"{surface!r} is listed for two entities: use exceptions")
                continue
            surfaces[surface] = entity
    types = {entity["id"]: entity["type"] for entity in record["entities"]}
    exceptions = {(e["surface"], e["nth"]): e["entity"] for e in record.get("exceptions", [])}
    taken, mentions = [False] * len(text), []
    for surface in sorted(surfaces, key=lambda surface: (-len(surface), surface)):
        nth = 0
        found = occurrences(text, surface)
        if not found:
            complain(f"mention {surface!r} is not in the text")
        for start in found:
            end = start + len(surface)
            if any(taken[start:end]):
                continue
            nth += 1
            taken[start:end] = [True] * len(surface)
            entity = exceptions.pop((surface, nth), surfaces[surface]["id"])
            if entity is None:
                continue
            if entity not in types:
                complain(f"exception of {surface!r} names the unknown entity {entity!r}")
                continue
            mentions.append({"start": start, "end": end, "label": types[entity], "entity": entity})
    for surface, nth in exceptions:
        complain(f"exception {surface!r} nth {nth} does not exist")
    return sorted(mentions, key=lambda mention: mention["start"])


def nearest(found, length, start, end):
    """The occurrence nearest to the span, before or behind it."""
    def distance(position):
        if position + length <= start:
            return start - position - length
        return max(position - end, 0)

    outside = [position for position in found if position + length <= start or position >= end]
    return min(outside or found, key=distance)


def quotes_of(record, text, complain):
    quotes, after = [], 0
    ids = {entity["id"] for entity in record["entities"]}
    for quote in record["quotes"]:
        if quote["type"] not in QUOTE_TYPES:
            complain(f"unknown quote type {quote['type']!r}")
            continue
        start = text.find(quote["from"], after)
        if start < 0:
            start = text.find(quote["from"])
        stop = text.find(quote["to"], start) if start >= 0 else -1
        if stop < 0:
            complain(f"quote from {quote['from']!r} to {quote['to']!r} is not in the text")
            continue
        end = stop + len(quote["to"])
        after = start + 1
        if end - start > 2500:
            complain(f"quote from {quote['from']!r} is {end - start} characters long")
            continue
        span = {"start": start, "end": end, "type": quote["type"], "cue": None, "speaker": None, "entity": quote.get("entity")}
        if span["entity"] is not None and span["entity"] not in ids:
            complain(f"quote from {quote['from']!r} names the unknown entity {span['entity']!r}")
            span["entity"] = None
        for part in ("cue", "speaker"):
            surface = quote.get(part)
            if surface:
                found = occurrences(text, surface)
                if not found:
                    complain(f"{part} {surface!r} is not in the text")
                    continue
                position = nearest(found, len(surface), start, end)
                span[part] = [position, position + len(surface)]
        quotes.append(span)
    return sorted(quotes, key=lambda quote: quote["start"])


def convert(record, text):
    """The standoff line of one article and the complaints about it."""
    complaints = []
    mentions = mentions_of(record, text, complaints.append)
    quotes = quotes_of(record, text, complaints.append)
    line = {
        "doc_id": record["doc_id"],
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "mentions": mentions,
        "entities": [{key: entity.get(key) for key in ("id", "name", "type", "sentiment")} for entity in record["entities"]],
        "quotes": quotes,
        "sentiment": record.get("sentiment", 0),
    }
    return line, complaints


def main(folder, texts):
    texts = json.loads(pathlib.Path(texts).read_text())
    done, complained = 0, 0
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for number, row in enumerate(path.read_text().splitlines(), 1):
            if not row.strip():
                continue
            try:
                record = json.loads(row)
                text = texts[record["doc_id"]]
                line, complaints = convert(record, text)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"{path.name}:{number}: {type(error).__name__} {error}", file=sys.stderr)
                continue
            for complaint in complaints:
                print(f"{path.name}:{number} {record['doc_id']}: {complaint}", file=sys.stderr)
            done += 1
            complained += len(complaints)
            if len(complaints) * 10 <= len(line["mentions"]) + len(line["quotes"]):
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    print(f"{done} articles, {complained} complaints", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
