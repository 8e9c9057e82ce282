"""Trains the tone layer (FORMAT.md §7) on a frozen reader: `python3 -m reader.tone CHECKPOINT --data FOLDER --out FILE`.

In: a reader's checkpoint and `train/sentiment`. Out: the same checkpoint with the layer's weights beside it. The encoder stays as it is,
so entity and quote tags stay too; its hidden states are computed once.
"""

import argparse
import json
import pathlib
import random
import time

import numpy
import torch
from torch import nn

from . import labels, model
from .batches import batches, tensors
from .features import Featurizer
from .pieces import WordPiece
from .tone_cases import cases_of, summary

# How often an epoch has each source. Finance is held down, so that it does not outweigh the news.
TARGET_SOURCES = {"newsmtsc_train": 1.0, "sentfin": 0.25, "finentity": 1.0}
SENTENCE_SOURCES = {"emobank": 0.5, "nyt_editorials_train": 1.0, "hutto2014_movies": 0.25, "hutto2014_amazon": 0.25}


class Tone(nn.Module):
    """One layer on the encoder's output, and a head each for sentences and targets."""

    def __init__(self, inner, dropout=0.2):
        super().__init__()
        self.layer = model.Layer(inner, 0.1)
        self.dropout = nn.Dropout(dropout)
        self.sentence = nn.Linear(model.WIDTH, len(labels.TONES))
        self.target = nn.Linear(2 * model.WIDTH, len(labels.TONES))

    def forward(self, hidden, mask, target, sentence):
        """(sentence logits, target logits); `target` and `sentence` are 0/1 over positions."""
        x = self.layer(hidden, (1.0 - mask[:, None, None, :].to(hidden.dtype)) * -1e4)
        mean = lambda m: (x * m[..., None]).sum(1) / m.sum(1, keepdim=True).clamp(min=1)
        whole = mean(sentence)
        return self.sentence(self.dropout(whole)), self.target(self.dropout(torch.cat([mean(target), whole], -1)))


@torch.no_grad()
def encode(reader, tokenizer, cases):
    """Hidden states of each case's positions, edges included."""
    reader.eval()
    by_example = {id(c.example): c for c in cases}
    for batch in batches([c.example for c in cases], 4096):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = reader.encode(tensors(batch, tokenizer))
        for e, rows in zip(batch, hidden):
            by_example[id(e)].hidden = rows[: len(e.pieces) + 2].to(torch.bfloat16).clone()


def padded(cases):
    t = max(len(c.hidden) for c in cases)
    hidden = torch.zeros(len(cases), t, model.WIDTH)
    mask, target, sentence = (torch.zeros(len(cases), t) for _ in range(3))
    for row, c in enumerate(cases):
        n = len(c.hidden)
        hidden[row, :n] = c.hidden.float()
        mask[row, :n] = 1
        target[row, 1 : n - 1] = torch.from_numpy(c.target)
        sentence[row, 1 : n - 1] = torch.from_numpy(c.sentence)
    return hidden, mask, target, sentence


def case_batches(cases, words_max, rng=None):
    order = sorted(cases, key=lambda c: len(c.hidden) + (rng.random() * 8 if rng else 0))
    result, current = [], []
    for c in order:
        if current and len(c.hidden) * (len(current) + 1) > words_max:
            result.append(current)
            current = []
        current.append(c)
    result.append(current)
    if rng:
        rng.shuffle(result)
    return result


@torch.no_grad()
def scores(tone, cases):
    """Scores of targets."""
    tone.eval()
    table = numpy.zeros((3, 3))
    for batch in case_batches(cases, 4096):
        for c, predicted in zip(batch, tone(*padded(batch))[1].argmax(-1).tolist()):
            table[c.label, predicted] += 1
    return summary(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rng = random.Random(arguments.seed)
    reader, vocabulary = model.load(arguments.checkpoint)
    tokenizer = WordPiece(vocabulary)
    featurize = Featurizer(tokenizer, None, use_names=False)
    folder = arguments.data
    share = {**TARGET_SOURCES, **SENTENCE_SOURCES}
    # Twice an epoch's share is encoded, so that epochs differ.
    train = [c for source in share for c in cases_of(folder / f"train/sentiment/{source}.jsonl.gz", source, featurize) if rng.random() < 2 * share[source]]
    dev = list(cases_of(folder / "dev/sentiment_newsmtsc.jsonl.gz", "dev", featurize))
    start = time.time()
    encode(reader, tokenizer, train + dev)
    print(f"{len(train)} training cases, {len(dev)} development targets, encoded in {time.time() - start:.0f} s", flush=True)
    tone = Tone(reader.shape["inner"])
    tone.layer.load_state_dict(reader.layers[-1].state_dict())
    optimizer = torch.optim.AdamW(tone.parameters(), lr=arguments.rate, weight_decay=0.05, fused=True)
    done, total = 0, None
    for epoch in range(arguments.epochs):
        groups = case_batches([c for c in train if rng.random() < max(share[c.source], 0.5)], 1536, rng)
        total = total or len(groups) * arguments.epochs
        tone.train()
        loss_sum = 0.0
        for group in groups:
            optimizer.param_groups[0]["lr"] = arguments.rate * min((done + 1) / (0.06 * total), max(0.0, (1 - done / total) / 0.94))
            hidden, mask, target, sentence = padded(group)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                of_sentence, of_target = tone(hidden, mask, target, sentence)
            has_target = target.sum(1, keepdim=True) > 0
            logits = torch.where(has_target, of_target.float(), of_sentence.float())
            loss = nn.functional.cross_entropy(logits, torch.tensor([c.label for c in group]), label_smoothing=0.05)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tone.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done += 1
            loss_sum += float(loss.detach())
        print(f"epoch {epoch}: {len(groups)} batches, loss {loss_sum / len(groups):.4f}, {time.time() - start:.0f} s, dev {json.dumps(scores(tone, dev))}", flush=True)
    model.save(reader, vocabulary, arguments.out, tone=tone)


if __name__ == "__main__":
    main()
