"""Training examples from the data folder: windows of consecutive sentences with masks of allowed tags."""

import bisect
import gzip
import hashlib
import json
import re
from dataclasses import dataclass

from . import labels
from .labels import ENTITY_TAGS, QUOTE_TAGS, bits_of
from .words import sentences

WINDOW_WORDS = 126
# Person names in open data carry titles that our scheme leaves out.
TITLES = frozenset(
    "mr mrs ms miss dr prof professor president vice-president vice prime minister premier chancellor senator sen rep representative "
    "congressman congresswoman governor gov mayor secretary ambassador king queen prince princess emperor empress duke sir lord lady "
    "dame baron count pope cardinal bishop archbishop reverend rev father sheikh ayatollah imam rabbi general gen lieutenant lt colonel "
    "col major maj captain capt sergeant sgt spc cpl admiral adm brigadier commander judge justice chief coach saint".split()
)
# Sources whose place labels were split by gazetteer: there a GPE may be a LOC or FAC in truth.
COARSE_PLACE = frozenset(("LOC", "location", "Location", "LOCATION"))
TAILS = frozenset(
    "affiliated aligned allied area backed based born brokered claimed controlled dominated drafted educated era funded held hosted led like "
    "linked made majority mediated nominated occupied only owned registered related ruled run speaking sponsored style supported supporting "
    "supplied trained wide winner winning".split()
)
HEADS = frozenset("anti ex mid non post pre pro then trans".split())
MIX_SHARE = {"wnut17_train": 0.5, "wnut17_dev": 0.5, "wnut17_test": 0.5, "btc_a": 0.5, "btc_b": 0.5, "btc_f": 0.5, "btc_h": 0.5,
             "crossner_ai": 0.5, "grobid_ner27": 0.7}


@dataclass(slots=True)
class Sentence:
    """Words of one sentence with, per word, whether a gap precedes it and which tags are allowed.

    `soft`: a teacher's log-probabilities (words, entity tags then quote tags), NaN where it has none; None without a teacher.
    """

    words: list
    gaps: list
    opens: bool
    entity: list
    quote: list
    spans: list  # code points [start, end) of the words
    soft: object = None


def read_lines(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def segment(text):
    """Sentences of a text with every tag allowed."""
    result = []
    end = 0
    for words in sentences(text):
        gaps = []
        for word in words:
            gaps.append(word.start > end or word.start == 0 or word.opens)
            end = word.end
        n = len(words)
        result.append(Sentence([w.text for w in words], gaps, words[0].opens, [labels.ANY_ENTITY] * n,
                               [labels.ANY_QUOTE] * n, [(w.start, w.end) for w in words]))
    return result


def trimmed(word, start):
    """Span of a word at `start` without a hyphenated affix that is no part of a name: `Sunni-backed`, `anti-Brexit`."""
    end = start + len(word)
    head, hyphen, tail = word.rpartition("-")
    if hyphen and tail.lower() in TAILS:
        end = start + len(head)
    head, hyphen, tail = word.partition("-")
    if hyphen and head.lower() in HEADS and start + len(head) + 1 < end:
        start += len(head) + 1
    return start, end


class Marker:
    """Sets masks by character spans over all sentences of a text."""

    def __init__(self, parts):
        self.words = [(s, i) for s in parts for i in range(len(s.words))]
        self.ends = [s.spans[i][1] for s, i in self.words]

    def at(self, start, end):
        """(sentence, index) of the words that overlap [start, end)."""
        found = []
        for k in range(bisect.bisect_right(self.ends, start), len(self.words)):
            sentence, i = self.words[k]
            if sentence.spans[i][0] >= end:
                break
            found.append((sentence, i))
        return found


def entity_marks(parts, spans, scope):
    """Writes entity masks: outside spans O and whatever the source does not annotate; inside, the label's tags."""
    outside = labels.ANY_ENTITY & ~bits_of(ENTITY_TAGS, scope)
    for s in parts:
        s.entity = [outside] * len(s.words)
    marker = Marker(parts)
    for start, end, names in spans:
        words = marker.at(start, end)
        if "PER" in names:
            while len(words) > 1 and words[0][0].words[words[0][1]].lower().rstrip(".") in TITLES:
                words = words[1:]
        elif len(words) > 1 and words[0][0].words[words[0][1]].lower() == "the" and "WORK" not in names:
            words = words[1:]
        for position, (sentence, i) in enumerate(words):
            sentence.entity[i] = bits_of(ENTITY_TAGS, names, "I" if position else "B")
            a, b = sentence.spans[i]
            if (a < start or b > end) and trimmed(sentence.words[i], a) != (max(a, start), min(b, end)):
                sentence.entity[i] = labels.ANY_ENTITY  # the name cannot be had from this word


def quote_marks(parts, quotes, unlabelled, source_is_partial=False):
    """Writes quote masks: content first, cue and source over it."""
    o = labels.O | (bits_of(QUOTE_TAGS, ("SOURCE",)) if source_is_partial and quotes else 0)
    for s in parts:
        s.quote = [o] * len(s.words)
    marker = Marker(parts)

    def mark(start, end, name):
        for position, (sentence, i) in enumerate(marker.at(start, end)):
            sentence.quote[i] = bits_of(QUOTE_TAGS, (name,), "I" if position else "B")

    for q in quotes:
        if q.get("speech", True):
            for start, end in q.get("parts") or [(q["start"], q["end"])]:
                mark(start, end, "CONTENT")
    for q in quotes:
        if q.get("speech", True):
            for key, name in (("cue", "CUE"), ("speaker", "SOURCE")):
                if q.get(key):
                    mark(*q[key], name)
    for start, end in unlabelled:
        for sentence, i in marker.at(start, end):
            sentence.quote[i] = labels.ANY_QUOTE


def eight_word_runs(text):
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}


class HeldOut:
    """The texts of the development articles, only to leave copies of them out of training."""

    def __init__(self, paths):
        self.runs = set()
        for path in paths:
            for record in read_lines(path):
                self.runs |= eight_word_runs(record["text"])

    def holds(self, text):
        """Whether a text shares 20 or more runs of 8 words with a held-back article."""
        return len(eight_word_runs(text) & self.runs) >= 20


def with_texts(label_paths, raw_paths):
    """Records of label files, which hold no text, joined with the raw articles that they label.

    ValueError where an article is missing or its text is not the one that was annotated.
    """
    labelled = [record for path in label_paths for record in read_lines(path)]
    wanted = {record["doc_id"] for record in labelled}
    texts = {r["id"]: r["text"] for path in raw_paths for r in read_lines(path) if r["id"] in wanted}
    for record in labelled:
        text = texts.get(record["doc_id"])
        if text is None or hashlib.sha256(text.encode()).hexdigest() != record["sha256"]:
            raise ValueError(f"{record['doc_id']}: the raw text is missing or differs from the one annotated")
        yield {**record, "text": text}


def annotated(records, held_out):
    """Documents (lists of sentences) of the articles annotated by our own scheme."""
    documents = []
    for record in records:
        if held_out.holds(record["text"]):
            print("left out, since a development article copies it:", record["doc_id"], flush=True)
            continue
        parts = segment(record["text"])
        entity_marks(parts, [(m["start"], m["end"], (m["label"],)) for m in record["mentions"]], labels.PUBLISHED)
        quote_marks(parts, record["quotes"], ())
        documents.append(parts)
    return documents


def unlabelled(path, labelled_ids, held_out, words_max):
    """Documents of a raw file in its order, up to `words_max` words, without those annotated or held back."""
    documents, n = [], 0
    for record in read_lines(path):
        if n >= words_max:
            break
        if record["id"] not in labelled_ids and not held_out.holds(record["text"]):
            parts = segment(record["text"])
            n += sum(len(s.words) for s in parts)
            documents.append(parts)
    return documents


def mix_spans(record):
    """Spans with the set of types that the source's label may mean in our scheme."""
    for span in record["spans"]:
        label, original = span["label"], span["orig"]
        if label == "GPE" and original in COARSE_PLACE:
            names = ("GPE", "LOC", "FAC")
        elif label == "MISC":
            names = ("MISC", "WORK", "EVENT", "PRODUCT", "AWARD", "NORP")
        elif label in labels.TYPES:
            names = (label,)
        else:
            continue
        yield span["start"], span["end"], names


def mix(path, known_place):
    """Documents of the open mix, as (source, sentences)."""
    return mix_records(read_lines(path), known_place)


def mix_records(records, known_place):
    """Yields (source, document); neighbouring sentences of one source document are joined.

    `known_place(name)` says that a name is surely a country, state or city.
    """
    current, key = [], None
    for record in records:
        parts = segment(record["text"])
        if not parts:
            continue
        spans = []
        for start, end, names in mix_spans(record):
            if len(names) == 3 and known_place(record["text"][start:end]):
                names = ("GPE",)
            spans.append((start, end, names))
        entity_marks(parts, spans, record["scope"])
        this = (record["mix_source"], record.get("doc_id"))
        if current and (this != key or this[1] is None):
            yield key[0], current
            current = []
        for part in parts:
            part.opens = part.opens and not current
        key = this
        current.extend(parts)
    if current:
        yield key[0], current


def quote_documents(folder):
    for name in ("gum_erst", "ewt_propbank", "pud_ud", "qasrl_gs"):
        for record in read_lines(folder / f"{name}.jsonl.gz"):
            parts = segment(record["text"])
            quotes = [q for q in record["quotes"] if not q.get("nested")]
            quote_marks(parts, quotes, record.get("unlabelled", ()), source_is_partial=name == "qasrl_gs")
            yield name, parts


def windows(document, limit=WINDOW_WORDS):
    """Runs of consecutive sentences of at most `limit` words; a longer sentence is alone, and cut at WINDOW_WORDS."""
    result, current, n = [], [], 0
    for sentence in document:
        length = len(sentence.words)
        if current and n + length > limit:
            result.append(current)
            current, n = [], 0
        while length > WINDOW_WORDS:
            result.append([cut(sentence, 0, WINDOW_WORDS)])
            sentence = cut(sentence, WINDOW_WORDS, length)
            length -= WINDOW_WORDS
        current.append(sentence)
        n += length
    return result + [current] if current else result


def cut(sentence, start, end):
    part = lambda values: values[start:end]
    return Sentence(part(sentence.words), part(sentence.gaps), sentence.opens and start == 0, part(sentence.entity),
                    part(sentence.quote), part(sentence.spans), None if sentence.soft is None else part(sentence.soft))
