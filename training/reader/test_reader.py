"""Tests of the training's own code: `python3 -m unittest reader.test_reader` in training/. No data folder is needed."""

import hashlib
import json
import pathlib
import random
import tempfile
import types
import unittest

import numpy

from . import corpus, data, decode, features, labels, pieces, quantize, vocabulary, words

HERE = pathlib.Path(__file__).parent


def texts(sentence_list):
    return [[w.text for w in s] for s in sentence_list]


class Words(unittest.TestCase):
    def check(self, text, expected):
        self.assertEqual([w for s in texts(words.sentences(text)) for w in s], expected)

    def test_marks_inside_words_stay(self):
        self.check("Kim Jong-un’s AT&T, O’Brien", ["Kim", "Jong-un", "’s", "AT&T", ",", "O’Brien"])
        self.check("Mr. Smith of the U.S. said.", ["Mr.", "Smith", "of", "the", "U.S.", "said", "."])
        self.check("$1,000.50 (5%)", ["$", "1,000.50", "(", "5", "%", ")"])
        self.check("the U.S.’s plan--now...", ["the", "U.S.", "’s", "plan", "--", "now", "..."])
        self.check("in the ’90s, workers’ rights", ["in", "the", "’90s", ",", "workers", "’", "rights"])
        self.check("@jane at https://a.org/b?c=1, a@b.co", ["@jane", "at", "https://a.org/b?c=1", ",", "a@b.co"])

    def test_sentences(self):
        self.assertEqual(len(words.sentences("He left the U.S. The rest stayed.")), 2)
        self.assertEqual(len(words.sentences("Mr. Smith met J. Doe at St. Mary.")), 1)
        self.assertEqual(len(words.sentences("“We go. We win.” He left.\nOne. two")), 4)
        self.assertEqual(len(words.sentences("“Why now?” Jane Doe asked. It began at 5 p.m. Smith left.")), 3)


class Annotations(unittest.TestCase):
    def test_labels_find_their_text_and_no_other(self):
        text = "Jan Nowak left Łódź."
        label = {"doc_id": "a", "sha256": hashlib.sha256(text.encode()).hexdigest(), "quotes": [],
                 "mentions": [{"start": 0, "end": 9, "label": "PER"}, {"start": 15, "end": 19, "label": "GPE"}]}
        with tempfile.TemporaryDirectory() as folder:
            labels_path, raw_path = pathlib.Path(folder) / "labels.jsonl", pathlib.Path(folder) / "raw.jsonl"
            labels_path.write_text(json.dumps(label))
            raw_path.write_text(json.dumps({"id": "a", "text": text}))
            documents = data.annotated(data.with_texts([labels_path], [raw_path]), data.HeldOut([]))
            self.assertEqual([features.exact_mentions(s) for d in documents for s in d], [[("PER", 0, 2), ("GPE", 3, 4)]])
            for other in ("Jan Nowak left Lodz.", None):
                raw_path.write_text(json.dumps({"id": "a", "text": other}) if other else "")
                self.assertRaises(ValueError, list, data.with_texts([labels_path], [raw_path]))


class Swapping(unittest.TestCase):
    def test_labels_follow_the_new_name(self):
        part, = data.segment("“Acme” hired him.")
        data.entity_marks([part], [(1, 5, ("ORG",))], labels.PUBLISHED)
        part.quote = [labels.O, 1 << labels.QUOTE_TAGS.index("B-SOURCE"), labels.O, labels.O, labels.O, labels.O]
        part.soft = numpy.zeros((6, 30), dtype=numpy.float16)
        augment = features.Augmenter.__new__(features.Augmenter)
        augment.random = random.Random(1)
        augment.mentions = types.SimpleNamespace(draw=lambda kind, _: ("Baltic", "Sea", "Institute"))
        changed = next(c for c in iter(lambda: augment._mentions([part])[0], None) if len(c.words) == 8)
        self.assertEqual(changed.words, ["“", "Baltic", "Sea", "Institute", "”", "hired", "him", "."])
        self.assertEqual(features.exact_mentions(changed), [("ORG", 1, 4)])
        self.assertEqual([labels.QUOTE_TAGS[m.bit_length() - 1] for m in changed.quote], ["O", "B-SOURCE", "I-SOURCE", "I-SOURCE", "O", "O", "O", "O"])
        self.assertEqual(numpy.isnan(changed.soft[:, 0]).tolist(), [False, True, True, True, False, False, False, False])
        self.assertEqual({len(getattr(changed, key)) for key in ("gaps", "entity", "quote", "spans", "soft")}, {8})


class SoftLabels(unittest.TestCase):
    def test_a_document_gets_its_own_rows(self):
        documents = [data.segment("One two. Three."), data.segment("Four five."), data.segment("Six.")]
        rows = numpy.arange(8 * 30, dtype=numpy.float16).reshape(8, 30)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "soft.npz"
            numpy.savez(path, rows=rows, digests=numpy.array([corpus.digest(d) for d in documents[:2]]), starts=numpy.array([0, 5]), raw_words=9)
            soft = corpus.SoftLabels(path)
        self.assertEqual(soft.attach(documents), 2)
        self.assertEqual([s.soft[0, 0] for d in documents[:2] for s in d], [0, 90, 150])
        self.assertIsNone(documents[2][0].soft)


class Pieces(unittest.TestCase):
    def test_pieces_are_those_of_the_independent_tokenizer(self):
        try:
            from tokenizers import Tokenizer
        except ImportError:
            self.skipTest("the package tokenizers is not installed")
        theirs = Tokenizer.from_file(str(vocabulary.base_folder() / "tokenizer.json"))
        theirs.no_padding()
        theirs.no_truncation()
        ours = pieces.WordPiece(vocabulary.full_vocabulary())
        for word in ("Kowalska-Meyer", "don't", "Nguyễn", "ÅNGSTRÖM", "U.S.", "北京", "1,000.50", "“", "xqzj😀", "straße", "İzmir"):
            self.assertEqual(ours.pieces(word), tuple(theirs.encode(word, add_special_tokens=False).ids), word)

    def test_casing(self):
        sentence = ["“", "Kim", "Jong-un", "of", "NATO", "and", "the", "U.S.", "met", "McKay", "’s", "28", "A-12", "iPods", ".", "”"]
        expected = [3, 12, 13, 7, 9, 7, 7, 10, 7, 14, 16, 1, 6, 15, 2, 4]
        self.assertEqual(pieces.casing(sentence, [True] * len(sentence)), expected)
        self.assertEqual(pieces.casing("STORM HITS PORT OF GDYNIA".split(), [True] * 5), [pieces.SHOUTED] * 5)


class Masks(unittest.TestCase):
    def test_only_what_a_source_annotates_is_a_negative(self):
        parts = data.segment("Mr. Jan Nowak left Łódź for a Sunni-backed group.")
        data.entity_marks(parts, [(0, 13, ("PER",)), (19, 23, ("GPE", "LOC")), (30, 35, ("NORP",))], ("PER", "GPE"))
        tags = [{t for i, t in enumerate(labels.ENTITY_TAGS) if m >> i & 1} for m in parts[0].entity]
        self.assertTrue("O" in tags[0] and "B-ORG" in tags[0] and "B-PER" not in tags[0], "a title is outside")
        self.assertEqual(tags[1:3], [{"B-PER"}, {"I-PER"}])
        self.assertEqual(tags[4], {"B-GPE", "B-LOC"})
        self.assertEqual(tags[7], {"B-NORP"})
        self.assertEqual(data.trimmed("Sunni-backed", 30), (30, 35))
        self.assertEqual(data.trimmed("Jong-un", 0), (0, 7))


class Decoding(unittest.TestCase):
    def test_an_inside_tag_needs_its_beginning(self):
        tags = ("O", "B-X", "I-X", "B-Y", "I-Y")
        scores = numpy.log(numpy.array([[0.4, 0.3, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1], [0.1, 0.1, 0.2, 0.1, 0.5]], dtype=numpy.float32))
        best = decode.viterbi(scores, decode.transitions(tags), tags)
        self.assertEqual([tags[i] for i in best], ["B-X", "I-X", "I-X"])
        self.assertEqual(labels.spans_of(["B-X", "I-X", "O", "B-Y"]), [(0, 2, "X"), (3, 4, "Y")])


class File(unittest.TestCase):
    def test_a_damaged_or_foreign_file_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.bin"
            quantize.write(path, {"name": "x"}, {"a": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "b": numpy.ones(3, numpy.int8)})
            header, tensors = quantize.read(path)
            self.assertEqual(header["name"], "x")
            self.assertEqual(tensors["a"].tolist(), [[0, 1, 2], [3, 4, 5]])
            good = path.read_bytes()
            for bad in (b"CDWRITER" + good[8:], good[:8] + b"\x02" + good[9:], good[:-1] + b"\x07"):
                path.write_bytes(bad)
                self.assertRaises(ValueError, quantize.read, path)

    def test_the_shipped_file_gives_the_reference(self):
        weights = HERE.parents[1] / "models/reader.bin"
        header, tensors = quantize.read(weights)
        network = quantize.Network(header, tensors)
        tokenizer = pieces.WordPiece(tensors["vocabulary"].tobytes().decode().split("\n"))
        for case in json.loads((HERE / "reference.json").read_text(encoding="utf-8")):
            for window in case["windows"]:
                self.assertEqual([list(tokenizer.pieces(w["text"])) for w in window["words"]], window["pieces"])
                cls, sep = (tokenizer.ids[pieces.CLS],), (tokenizer.ids[pieces.SEP],)
                states = network.encode([cls, *window["pieces"], sep], numpy.array([0, *window["casing"], 0]), numpy.array([0, *window["names"], 0]))
                entity, quote = network.logits(states)
                self.assertLess(numpy.abs(entity - numpy.array(window["entity_logits"])).max(), 0.05)
                self.assertLess(numpy.abs(quote - numpy.array(window["quote_logits"])).max(), 0.05)
                hidden, at = network.tone_states(states), 0
                for length, expected in zip(window["sentence_lengths"], window["tone_sentence_logits"]):
                    sentence = numpy.zeros(len(hidden), numpy.float32)
                    sentence[at : at + length] = 1
                    found, _ = network.tone_logits(hidden, 0 * sentence, sentence)
                    self.assertLess(numpy.abs(found - numpy.array(expected)).max(), 0.05)
                    at += length


if __name__ == "__main__":
    unittest.main()
