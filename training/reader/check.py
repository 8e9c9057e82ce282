"""Development scores from the weights file alone, with numpy: `python3 -m reader.check models/reader.bin --data FOLDER [--mix]`.

Proves that the file is complete: nothing of the checkpoint or of PyTorch is used.
`--reference FILE` also writes the reference vectors that the product's own forward pass is tested against.
"""

import argparse
import json
import pathlib

import numpy

from . import data, quantize, scoring
from .gazetteer import Gazetteer, known_place
from .features import Featurizer
from .pieces import CLS, SEP, WordPiece

# Our own sentences: names of every type, hard words, quotes, capitals.
TEXTS = (
    "WARSAW, Poland — Prime Minister Anna Kowalska-Meyer said on Monday that Lotniarz Aero would build “at least forty” A-12 gliders "
    "for the U.S. Navy. “We didn’t expect it,” she told The Vistula Herald.\n\nThe Sejm’s vote on the Clean Rivers Act is due in May.",
    "STORM OLGA HITS PORT OF GDYNIA AS THOUSANDS FLEE\nOfficials in Gdynia, according to Jan O’Malley of the Baltic Sea Institute, "
    "counted 1,200 homes without power.",
    "'They were here first', Dr. Nguyễn Thị Hạnh wrote. anti-Brexit marchers and a Sunni-backed group met at St. Pancras station; "
    "McKay's iRadio 3 played on.",
)


class Tagger:
    """Windows to tags, by the numpy network."""

    def __init__(self, network, featurize):
        self.network, self.featurize = network, featurize
        ids = featurize.tokenizer.ids
        self.edges = (ids[CLS],), (ids[SEP],)

    def input(self, example):
        cls, sep = self.edges
        edge = numpy.zeros(1, dtype=numpy.int64)
        return ([cls, *example.pieces, sep], numpy.concatenate((edge, example.casing, edge)), numpy.concatenate((edge, example.names, edge)))

    def logits(self, example):
        return self.network.logits(*self.input(example))

    def __call__(self, windows):
        result = []
        for window in windows:
            entity, quote = (log_softmax(x) for x in self.logits(self.featurize(window)))
            result.append((scoring.tag(entity, "entity"), scoring.tag(quote, "quote"), entity))
        return result


def log_softmax(x):
    shifted = x - x.max(-1, keepdims=True)
    return shifted - numpy.log(numpy.exp(shifted).sum(-1, keepdims=True))


def reference(tagger, text):
    """What the product must reproduce for one text, window by window."""
    result = []
    for window in data.windows(data.segment(text)):
        example = tagger.featurize(window)
        entity, quote = tagger.logits(example)
        rounded = lambda x: [[round(float(v), 4) for v in row] for row in x]
        tags = scoring.tag(log_softmax(entity), "entity")
        result.append({
            "words": [{"text": w, "start": a, "end": b} for s in window for w, (a, b) in zip(s.words, s.spans)],
            "sentence_lengths": [len(s.words) for s in window],
            "pieces": [list(p) for p in example.pieces], "casing": example.casing.tolist(), "names": example.names.tolist(),
            "embedded": rounded(tagger.network.embed(*tagger.input(example))[:, :8]),
            "entity_logits": rounded(entity), "quote_logits": rounded(quote),
            "entity_tags": tags, "quote_tags": scoring.tag(log_softmax(quote), "quote"),
            "mentions": [{"start": a, "end": b, "type": t, "text": text[a:b]} for a, b, t in sorted(scoring.mentions(window, tags))],
        })
    return {"text": text, "windows": result}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--mix", action="store_true", help="score dev/entities_mix too (minutes)")
    parser.add_argument("--reference", type=pathlib.Path)
    parser.add_argument("--without-names", action="store_true", help="with the name-list channel off")
    arguments = parser.parse_args()
    header, tensors = quantize.read(arguments.weights)
    vocabulary = tensors["vocabulary"].tobytes().decode().split("\n")
    names = Gazetteer(arguments.data / "knowledge")
    tagger = Tagger(quantize.Network(header, tensors), Featurizer(WordPiece(vocabulary), names, use_names=not arguments.without_names))
    if arguments.reference:
        arguments.reference.write_text(json.dumps([reference(tagger, t) for t in TEXTS], ensure_ascii=False, separators=(",", ":")) + "\n")
    print(json.dumps(scoring.wikinews_scores(data.read_lines(arguments.data / "dev/wikinews.jsonl"), tagger)))
    if arguments.mix:
        print(json.dumps(scoring.mix_scores(arguments.data / "dev/entities_mix.jsonl.gz", tagger, lambda n: known_place(names, n))))


if __name__ == "__main__":
    main()
