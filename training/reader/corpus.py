"""All training documents: annotated, mixed, quoted and raw, with a teacher's labels where there are any."""

import collections
import hashlib
import pathlib

import numpy

from . import data, labels
from .gazetteer import known_place

RAW = ("wikinews", "voa_gmb", "senate_press", "hhs_press")
SOFT_RAW = RAW[:3]  # read by a teacher; hhs_press has lost its commas
ANNOTATIONS = pathlib.Path(__file__).parents[1] / "annotations"
OURS_TIMES = {"wikinews": 4, "voa": 3}  # how often an epoch has the articles annotated by our own scheme


class Corpus:
    """All training documents, by part."""

    def __init__(self, folder, names):
        self.folder = folder
        self.known_place = lambda name: known_place(names, name)
        self.held_out = data.HeldOut([folder / "dev/wikinews.jsonl"])
        records = [r for path in sorted((folder / "train/wikinews").glob("*.jsonl")) for r in data.read_lines(path)]
        records += data.with_texts(sorted(ANNOTATIONS.glob("*.jsonl")), [folder / f"raw/{part}.jsonl.gz" for part in ("wikinews", "voa_gmb")])
        self.labelled_ids = {r["doc_id"] for r in records}
        is_voa = lambda record: record["doc_id"].startswith("gmb-voa")
        self.ours = {"wikinews": data.annotated([r for r in records if not is_voa(r)], self.held_out),
                     "voa": data.annotated([r for r in records if is_voa(r)], self.held_out)}
        self.mix = list(data.mix(folder / "train/entities/mix.jsonl.gz", self.known_place))
        self.quotes = list(data.quote_documents(folder / "train/quotes"))
        self.soft_raw = []

    def documents(self):
        return [*(d for part in self.ours.values() for d in part), *(d for _, d in self.mix), *(d for _, d in self.quotes)]

    def raw(self, words_max):
        """Unlabelled documents, up to `words_max` words of each part."""
        return [d for part in SOFT_RAW
                for d in data.unlabelled(self.folder / f"raw/{part}.jsonl.gz", self.labelled_ids, self.held_out, words_max)]

    def attach(self, soft_labels):
        """Puts a teacher's labels on all documents, and raw text among them."""
        raw = self.raw(soft_labels.raw_words)
        n = soft_labels.attach(raw), soft_labels.attach(self.documents())
        self.soft_raw = [d for d in raw if d[0].soft is not None]
        print(f"soft labels: {n[0]} of {len(raw)} raw documents, {n[1]} of {len(self.documents())} training documents", flush=True)

    def word_counts(self):
        """Uses of each word, for the choice of pieces: training text, raw news, and each name of the knowledge base once."""
        counts = collections.Counter()
        for document in self.documents():
            for s in document:
                counts.update(s.words)
        for part in RAW:
            for record in data.read_lines(self.folder / f"raw/{part}.jsonl.gz"):
                for words in data.sentences(record["text"]):
                    counts.update(w.text for w in words)
        return counts

    def epoch_of_ours(self, rng):
        """Windows of the articles annotated by our own scheme."""
        return [w for part, documents in self.ours.items() for _ in range(OURS_TIMES[part]) for d in documents
                for w in data.windows(d, rng.choice((40, 80, data.WINDOW_WORDS)))]

    def epoch(self, rng, mix_share):
        """Windows of one epoch: our articles several times, `mix_share` of the mix, the rest once."""
        result = self.epoch_of_ours(rng)
        for source, document in self.mix:
            if rng.random() < mix_share * data.MIX_SHARE.get(source, 1.0):
                result += data.windows(document, rng.choice((1, 60, data.WINDOW_WORDS)))
        for source, document in self.quotes:
            for window in data.windows(document, rng.choice((60, data.WINDOW_WORDS))):
                has_quote = any(m != labels.O for s in window for m in s.quote)
                if rng.random() < mix_share * (1.0 if has_quote else 0.2):
                    result.append(window)
        for document in self.soft_raw:
            result += data.windows(document, rng.choice((60, data.WINDOW_WORDS)))
        return result


def digest(document):
    return hashlib.sha1("\n".join(w for s in document for w in s.words).encode()).hexdigest()


class SoftLabels:
    """What `main` wrote, to be put into documents."""

    def __init__(self, path):
        stored = numpy.load(path)
        self.rows = stored["rows"]
        self.starts = dict(zip(stored["digests"].tolist(), stored["starts"].tolist()))
        self.raw_words = int(stored["raw_words"])

    def attach(self, documents):
        """Sets `soft` of all sentences; returns how many documents have it."""
        n = 0
        for document in documents:
            at = self.starts.get(digest(document))
            if at is not None:
                n += 1
                for s in document:
                    s.soft = self.rows[at : at + len(s.words)]
                    at += len(s.words)
        return n
