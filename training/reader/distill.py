"""A teacher's tag probabilities for training data and raw text: `python3 -m reader.distill --data FOLDER --teacher CHECKPOINT … --out FILE`.

Several teachers are averaged. The file holds, for each document (by the digest of its words), log-probabilities in float16.
"""

import argparse
import pathlib
import time

import numpy
import torch

from . import data, model
from .batches import batches, tensors
from .corpus import Corpus, digest
from .features import Featurizer
from .gazetteer import Gazetteer
from .pieces import WordPiece

WINDOW_WORDS = 96  # entities are found as well in shorter windows, quotes better in longer ones
BATCH_WORDS = 4096


class Teacher:
    def __init__(self, path, names):
        self.reader, vocabulary = model.load(path)
        self.reader.eval()
        self.featurize = Featurizer(WordPiece(vocabulary), names, self.reader.shape["use_names"])

    @torch.no_grad()
    def probabilities(self, windows):
        """Probabilities (words, entity tags then quote tags) of each window."""
        examples = [self.featurize(w) for w in windows]
        found = {}
        for batch in batches(examples, BATCH_WORDS):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = self.reader(tensors(batch, self.featurize.tokenizer))
            joined = torch.cat([torch.softmax(x.float(), -1) for x in logits], -1).numpy()
            for e, rows in zip(batch, joined):
                found[id(e)] = rows[1 : len(e.pieces) + 1]
        return [found[id(e)] for e in examples]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--teacher", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--share", type=float, action="append", help="weight of each teacher; equal when left out")
    parser.add_argument("--raw-words", type=int, default=250_000, help="at most so many words of each raw part")
    parser.add_argument("--mix-every", type=int, default=2, help="of the mix, label one document in so many; of the quote data none")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    names = Gazetteer(arguments.data / "knowledge")
    corpus = Corpus(arguments.data, names)
    documents = [*corpus.raw(arguments.raw_words), *(d for part in corpus.ours.values() for d in part), *(d for _, d in corpus.mix[:: arguments.mix_every])]
    teachers = [Teacher(path, names) for path in arguments.teacher]
    shares = arguments.share or [1 / len(teachers)] * len(teachers)
    digests, starts, parts, at, start_time = [], [], [], 0, time.time()
    for first in range(0, len(documents), 500):
        chunk = documents[first : first + 500]
        windows = [w for d in chunk for w in data.windows(d, WINDOW_WORDS)]
        mean = [0] * len(windows)
        for share, teacher in zip(shares, teachers):
            mean = [m + share * p for m, p in zip(mean, teacher.probabilities(windows))]
        rows = numpy.log(numpy.concatenate(mean) + 1e-7).astype(numpy.float16)
        parts.append(rows)
        for d in chunk:
            digests.append(digest(d))
            starts.append(at)
            at += sum(len(s.words) for s in d)
        print(f"{first + len(chunk)}/{len(documents)} documents, {at} words, {at / (time.time() - start_time):.0f} words/s", flush=True)
    numpy.savez(arguments.out, rows=numpy.concatenate(parts), digests=numpy.array(digests), starts=numpy.array(starts), raw_words=arguments.raw_words)


if __name__ == "__main__":
    main()
