"""Development scores from the weights file alone, with numpy: `python3 -m reader.check models/reader.bin --data FOLDER [--mix]`.

Proves that the file is complete: nothing of the checkpoint or of PyTorch is used.
`--reference FILE` also writes the reference vectors that the product's own forward pass is tested against.
"""

import argparse
import json
import pathlib

import numpy

from . import data, labels, quantize, scoring, tone_cases
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

    def encode(self, example):
        return self.network.encode(*self.input(example))

    def logits(self, example):
        return self.network.logits(self.encode(example))

    def __call__(self, windows):
        result = []
        for window in windows:
            entity, quote = (log_softmax(x) for x in self.logits(self.featurize(window)))
            result.append((scoring.tag(entity, "entity"), scoring.tag(quote, "quote"), entity))
        return result


def log_softmax(x):
    shifted = x - x.max(-1, keepdims=True)
    return shifted - numpy.log(numpy.exp(shifted).sum(-1, keepdims=True))


def tone_scores(tagger, records):
    """Macro-averaged F1 over the three tones of the targets, and each tone's, in per cent."""
    table = numpy.zeros((3, 3))
    for case in tone_cases.cases_of(records, "dev", tagger.featurize):
        states = tagger.network.tone_states(tagger.encode(case.example))
        _, logits = tagger.network.tone_logits(states, case.target, case.sentence)
        table[case.label, logits.argmax()] += 1
    return tone_cases.summary(table)


def reference(tagger, text):
    """What the product must reproduce for one text, window by window."""
    result = []
    for window in data.windows(data.segment(text)):
        example = tagger.featurize(window)
        states = tagger.encode(example)
        entity, quote = tagger.network.logits(states)
        rounded = lambda x: [[round(float(v), 4) for v in row] for row in x]
        tags = scoring.tag(log_softmax(entity), "entity")
        tone = tone_reference(tagger.network, window, tags, states) if tagger.network.header["tone"] else {}
        result.append({
            "words": [{"text": w, "start": a, "end": b} for s in window for w, (a, b) in zip(s.words, s.spans)],
            "sentence_lengths": [len(s.words) for s in window],
            "pieces": [list(p) for p in example.pieces], "casing": example.casing.tolist(), "names": example.names.tolist(),
            "embedded": rounded(tagger.network.embed(*tagger.input(example))[:, :8]),
            "entity_logits": rounded(entity), "quote_logits": rounded(quote),
            "entity_tags": tags, "quote_tags": scoring.tag(log_softmax(quote), "quote"),
            "mentions": [{"start": a, "end": b, "type": t, "text": text[a:b]} for a, b, t in sorted(scoring.mentions(window, tags))],
            **tone,
        })
    return {"text": text, "windows": result}


def tone_reference(network, window, tags, states):
    """Tone logits of each sentence, and of each mention in its sentence."""
    hidden = network.tone_states(states)
    sentences, targets, at = [], [], 0
    for s in window:
        sentence = numpy.zeros(len(tags), numpy.float32)
        sentence[at : at + len(s.words)] = 1
        rounded = lambda x: [round(float(v), 4) for v in x]
        sentences.append(rounded(network.tone_logits(hidden, 0 * sentence, sentence)[0]))
        for a, b, _ in labels.spans_of(tags[at : at + len(s.words)]):
            target = numpy.zeros(len(tags), numpy.float32)
            target[at + a : at + b] = 1
            targets.append({"words": [at + a, at + b], "logits": rounded(network.tone_logits(hidden, target, sentence)[1])})
        at += len(s.words)
    return {"tone_sentence_logits": sentences, "tone_target_logits": targets}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--mix", action="store_true", help="score dev/entities_mix too (minutes)")
    parser.add_argument("--reference", type=pathlib.Path)
    parser.add_argument("--window", type=int, default=data.WINDOW_WORDS, help="longest window in words")
    parser.add_argument("--without-names", action="store_true", help="with the name-list channel off")
    arguments = parser.parse_args()
    header, tensors = quantize.read(arguments.weights)
    vocabulary = tensors["vocabulary"].tobytes().decode().split("\n")
    names = Gazetteer(arguments.data / "knowledge")
    use_names = bool(header["name_bits"]) and not arguments.without_names
    tagger = Tagger(quantize.Network(header, tensors), Featurizer(WordPiece(vocabulary), names, use_names))
    if arguments.reference:
        arguments.reference.write_text(json.dumps([reference(tagger, t) for t in TEXTS], ensure_ascii=False, separators=(",", ":")) + "\n")
    print(json.dumps(scoring.wikinews_scores(data.read_lines(arguments.data / "dev/wikinews.jsonl"), tagger, arguments.window)))
    if header["tone"]:
        print(json.dumps({"dev/sentiment_newsmtsc": tone_scores(tagger, tone_cases.development(arguments.data))}))
    if arguments.mix:
        print(json.dumps(scoring.mix_scores(arguments.data / "dev/entities_mix.jsonl.gz", tagger, lambda n: known_place(names, n))))


if __name__ == "__main__":
    main()
