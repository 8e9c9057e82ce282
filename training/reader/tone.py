"""Trains the tone layer (FORMAT.md §7) on a frozen reader: `python3 -m reader.tone CHECKPOINT --data FOLDER --labels FILE --out FILE`.

In: a reader's checkpoint, and what `tone_labels` wrote: people's labels with a teacher's tones. Out: the same checkpoint with the layer's
weights beside it. The encoder stays as it is, so entity and quote tags stay too; its hidden states are computed once.
"""

import argparse
import json
import pathlib
import random
import time

import numpy
import torch
from torch import nn

from . import data, labels, model
from .batches import batches, tensors
from .features import Featurizer
from .pieces import WordPiece
from .tone_cases import SHARE, cases_of, development, is_held_out, records, summary

# Half as wide as an encoder layer: the product reads 25,000 words a second with it.
HEADS, INNER = 6, 384
# How much the teacher counts beside people's labels.
TEACHER_WEIGHT = 0.5
SMOOTHING = 0.05


class Tone(nn.Module):
    """One layer on the encoder's states, and a head each for sentences and targets."""

    def __init__(self, n_layers, dropout=0.2):
        super().__init__()
        self.shares = nn.Parameter(torch.zeros(n_layers - 1))
        self.input = nn.LayerNorm(model.WIDTH, eps=1e-12)
        self.layer = model.Layer(INNER, 0.1, HEADS)
        self.dropout = nn.Dropout(dropout)
        self.sentence = nn.Linear(model.WIDTH, len(labels.TONES))
        self.target = nn.Linear(2 * model.WIDTH, len(labels.TONES))

    def start_from(self, layer):
        """Takes the first attention heads and the heaviest inner neurons of an encoder layer."""
        own, rows = self.layer, HEADS * model.WIDTH // model.HEADS
        heaviest = (layer.up.weight.norm(dim=1) * layer.down.weight.norm(dim=0)).topk(INNER).indices.sort().values
        keep = torch.cat([torch.arange(rows) + model.WIDTH * part for part in range(3)])
        with torch.no_grad():
            own.qkv.weight.copy_(layer.qkv.weight[keep])
            own.qkv.bias.copy_(layer.qkv.bias[keep])
            own.out.weight.copy_(layer.out.weight[:, :rows])
            own.out.bias.copy_(layer.out.bias)
            own.up.weight.copy_(layer.up.weight[heaviest])
            own.up.bias.copy_(layer.up.bias[heaviest])
            own.down.weight.copy_(layer.down.weight[:, heaviest])
            own.down.bias.copy_(layer.down.bias)
        own.norm1.load_state_dict(layer.norm1.state_dict())
        own.norm2.load_state_dict(layer.norm2.state_dict())

    def forward(self, states, mask, target, sentence):
        """(sentence logits, target logits) of states (windows, positions, layers, width); `target` and `sentence` are 0/1 over positions."""
        x = self.input(states[:, :, -1] + (states[:, :, :-1] * self.shares[:, None]).sum(2))
        x = self.layer(x, (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4)
        mean = lambda m: (x * m[..., None]).sum(1) / m.sum(1, keepdim=True).clamp(min=1)
        whole = mean(sentence)
        return self.sentence(self.dropout(whole)), self.target(self.dropout(torch.cat([mean(target), whole], -1)))


@torch.no_grad()
def encode(reader, tokenizer, cases):
    """Hidden states of each case's positions after each layer, edges included; cases of one text share them."""
    reader.eval()
    by_text = {}
    for c in cases:
        by_text.setdefault(" ".join(w for s in c.example.window for w in s.words), []).append(c)
    first_of = {id(same[0].example): same for same in by_text.values()}
    for batch in batches([same[0].example for same in by_text.values()], 4096):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = torch.stack(reader.states(tensors(batch, tokenizer)), 2)
        for e, rows in zip(batch, states):
            hidden = rows[: len(e.pieces) + 2].to(torch.bfloat16).clone()
            for c in first_of[id(e)]:
                c.hidden = hidden


def padded(cases):
    t = max(len(c.hidden) for c in cases)
    hidden = torch.zeros(len(cases), t, *cases[0].hidden.shape[1:])
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


def wanted(case):
    """The distribution to learn: people's label, smoothed, and the teacher's where there are both."""
    if case.label is None:
        return case.soft
    own = numpy.full(len(labels.TONES), SMOOTHING / len(labels.TONES), numpy.float32)
    own[case.label] += 1 - SMOOTHING
    return own if case.soft is None else (1 - TEACHER_WEIGHT) * own + TEACHER_WEIGHT * case.soft


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
    parser.add_argument("--labels", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=20, help="the schedule ends after so long")
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
    by_source = {}
    for record in data.read_lines(arguments.labels):
        by_source.setdefault(record["source"], []).append(record)
    share = {**SHARE, "raw": 1.0}
    train = [c for source, of in by_source.items() for c in cases_of(of, source, featurize)]
    held_out = list(cases_of([r for r in records(arguments.data, "newsmtsc_train") if is_held_out(r)], "held_out", featurize))
    dev = list(cases_of(development(arguments.data), "dev", featurize))
    start = time.time()
    encode(reader, tokenizer, train + held_out + dev)
    print(f"{len(train)} training cases, {len(held_out)} held-out and {len(dev)} development targets, encoded in {time.time() - start:.0f} s", flush=True)
    tone = Tone(len(reader.layers))
    tone.start_from(reader.layers[-1])
    optimizer = torch.optim.AdamW(tone.parameters(), lr=arguments.rate, weight_decay=0.05, fused=True)
    start, total, done = time.time(), None, 0
    for epoch in range(arguments.epochs):
        groups = case_batches([c for c in train if rng.random() < max(share[c.source], 0.5)], 1536, rng)
        total = total or len(groups) * arguments.epochs
        tone.train()
        loss_sum = 0.0
        for group in groups:
            progress = max(done / total, (time.time() - start) / (60 * arguments.minutes))
            optimizer.param_groups[0]["lr"] = arguments.rate * min((done + 1) / (0.06 * total), max(0.0, (1 - progress) / 0.94))
            hidden, mask, target, sentence = padded(group)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                of_sentence, of_target = tone(hidden, mask, target, sentence)
            has_target = target.sum(1, keepdim=True) > 0
            logits = torch.where(has_target, of_target.float(), of_sentence.float())
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(numpy.stack([wanted(c) for c in group])))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tone.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done += 1
            loss_sum += float(loss.detach())
        found = {name: scores(tone, of) for name, of in (("held out", held_out), ("dev", dev))}
        print(f"epoch {epoch}: {len(groups)} batches, loss {loss_sum / len(groups):.4f}, {time.time() - start:.0f} s, {json.dumps(found)}", flush=True)
        model.save(reader, vocabulary, arguments.out, tone=tone)
        if time.time() - start > 60 * arguments.minutes:
            break


if __name__ == "__main__":
    main()
