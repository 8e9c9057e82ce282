"""A teacher's tones for targets of training data and raw text: `python3 -m reader.tone_labels CHECKPOINT --data FOLDER --teacher FILE --out FILE`.

In: a reader's checkpoint, which finds the names, and `tone_teacher`'s weights. Out: gzipped JSON Lines as those of `train/sentiment`, each with
`soft`, the teacher's probabilities of negative, neutral and positive where there is a target, and `label` null where nobody labelled it. The held-out articles of
NewsMTSC get none.
"""

import argparse
import gzip
import json
import pathlib
import random
import time

import torch

from . import data, labels, model, scoring, tone_cases
from .batches import batches, tensors
from .features import Featurizer
from .pieces import WordPiece
from .tone_teacher import Teacher, encoded, probabilities, tokenizer

# Sentences drawn of each raw part: senators' press releases praise and blame, news mostly reports.
RAW_SENTENCES = {"senate_press": 5_000, "voa_gmb": 2_500, "wikinews": 1_500}
TYPES = ("PER", "ORG", "GPE", "NORP")
PRONOUNS = frozenset("he she they him her them".split())
# Of the raw targets that the teacher finds surely neutral, so many are kept: they are the most, and teach the least.
NEUTRAL_SHARE = 0.4
SENTENCE_WORDS = range(8, 61)


def raw_sentences(folder, held_out, rng):
    """Single sentences of raw news, as text."""
    result = []
    for part, n in RAW_SENTENCES.items():
        found = []
        for record in data.read_lines(folder / f"raw/{part}.jsonl.gz"):
            for sentence in data.segment(record["text"]):
                if len(sentence.words) in SENTENCE_WORDS:
                    found.append(record["text"][sentence.spans[0][0] : sentence.spans[-1][1]])
        rng.shuffle(found)
        result += [text for text in found[:n] if not data.eight_word_runs(text) & held_out]
    return result


@torch.no_grad()
def targets_of(reader, featurize, texts):
    """(text, target) for each name and pronoun of each text."""
    examples, by_example = [], {}
    for text in texts:
        windows = data.windows(data.segment(text))
        if len(windows) == 1:
            examples.append(featurize(windows[0]))
            by_example[id(examples[-1])] = text
    for batch in batches(examples, 4096):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = reader(tensors(batch, featurize.tokenizer))[0].float()
        for e, rows in zip(batch, logits):
            tags = scoring.tag(rows[1 : len(e.pieces) + 1].log_softmax(-1).numpy(), "entity")
            words = [(w, span) for s in e.window for w, span in zip(s.words, s.spans)]
            for a, b, kind in labels.spans_of(tags):
                if kind in TYPES:
                    yield by_example[id(e)], [words[a][1][0], words[b - 1][1][1]]
            for word, span in words:
                if word.lower() in PRONOUNS:
                    yield by_example[id(e)], list(span)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--teacher", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=7, help="label raw targets for so long")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rng = random.Random(arguments.seed)
    reader, vocabulary = model.load(arguments.checkpoint)
    reader.eval()
    featurize = Featurizer(WordPiece(vocabulary), None, use_names=False)
    teacher = Teacher()
    teacher.load_state_dict(torch.load(arguments.teacher))
    pieces = tokenizer()
    folder = arguments.data
    # Twice an epoch's share, so that epochs differ.
    train = [{**r, "file": source} for source, share in tone_cases.SHARE.items() for r in tone_cases.records(folder, source)
             if rng.random() < 2 * share and not tone_cases.is_held_out(r)]
    held_out = [r for r in tone_cases.records(folder, "newsmtsc_train") if tone_cases.is_held_out(r)]
    kept_apart = set().union(*(data.eight_word_runs(r["text"]) for r in [*held_out, *tone_cases.development(folder), *data.read_lines(folder / "dev/wikinews.jsonl")]))
    known = {(r["text"], *r["target"]) for r in train if r["target"]}
    texts = list(dict.fromkeys(r["text"] for r in train if r["file"] == "newsmtsc_train"))
    start = time.time()
    more = list(targets_of(reader, featurize, texts))
    raw = list(targets_of(reader, featurize, raw_sentences(folder, kept_apart, rng)))
    rng.shuffle(raw)
    unlabelled = [t for t in [*more, *raw] if (t[0], *t[1]) not in known]
    print(f"{len(train)} labelled texts, {len(unlabelled)} targets found in {time.time() - start:.0f} s", flush=True)
    start, n = time.time(), 0
    with gzip.open(arguments.out, "wt", encoding="utf-8") as out:
        given = [r for r in train if r["target"]]
        soft_of = {id(r): soft.tolist() for r, soft in zip(given, probabilities(teacher, [encoded(pieces, r["text"], r["target"]) for r in given]))}
        for r in train:
            line = {"text": r["text"], "target": r["target"], "label": r["label"], "source": r["file"]}
            if r["target"]:
                line["soft"] = soft_of[id(r)]
            out.write(json.dumps(line) + "\n")
        print(f"training data labelled in {time.time() - start:.0f} s", flush=True)
        for first in range(0, len(unlabelled), 2000):
            if time.time() - start > 60 * arguments.minutes:
                break
            chunk = unlabelled[first : first + 2000]
            for (text, target), soft in zip(chunk, probabilities(teacher, [encoded(pieces, *t) for t in chunk])):
                if soft[1] < 0.8 or rng.random() < NEUTRAL_SHARE:
                    out.write(json.dumps({"text": text, "target": target, "label": None, "source": "raw", "soft": soft.tolist()}) + "\n")
                    n += 1
            print(f"{first + len(chunk)} of {len(unlabelled)} targets, {n} kept, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
