"""Tests of the training's own code: `python3 -m unittest reader.test_reader` in training/. No data folder is needed."""

import json
import pathlib
import tempfile
import unittest

import numpy

from . import data, decode, labels, pieces, quantize, vocabulary, words

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

    def test_sentences(self):
        self.assertEqual(len(words.sentences("He left the U.S. The rest stayed.")), 2)
        self.assertEqual(len(words.sentences("Mr. Smith met J. Doe at St. Mary.")), 1)
        self.assertEqual(len(words.sentences("“We go. We win.” He left.\nOne. two")), 4)


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
                entity, quote = network.logits([cls, *window["pieces"], sep], numpy.array([0, *window["casing"], 0]), numpy.array([0, *window["names"], 0]))
                self.assertLess(numpy.abs(entity - numpy.array(window["entity_logits"])).max(), 0.05)
                self.assertLess(numpy.abs(quote - numpy.array(window["quote_logits"])).max(), 0.05)


if __name__ == "__main__":
    unittest.main()
