"""Trains a teacher of tones, the whole base model: `python3 -m reader.tone_teacher --data FOLDER --out FILE`.

In: `train/sentiment`. Out: a model of word pieces that reads a sentence and, as BERT's second segment, its target, and says in which tone
the one speaks of the other. Too slow for the product: `tone_labels` lets it label targets, from which `tone` learns beside the annotated ones.
"""

import argparse
import json
import pathlib
import random
import time

import numpy
import torch
from torch import nn

from . import labels, tone_cases, vocabulary

# How often an epoch has each source. Finance is held down, so that it does not outweigh the news; sentences have no target.
SHARE = {"newsmtsc_train": 1.0, "sentfin": 0.12, "finentity": 0.7, "emobank": 0.12, "nyt_editorials_train": 0.4}
PIECES_MAX = 160


class Teacher(nn.Module):
    """The base model under a head on `[CLS]` and the mean of the target's pieces."""

    def __init__(self):
        from transformers import BertModel

        super().__init__()
        self.base = BertModel.from_pretrained(vocabulary.base_folder(), add_pooling_layer=False)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(2 * self.base.config.hidden_size, len(labels.TONES))

    def forward(self, batch):
        ids, types, mask, target = batch
        x = self.base(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
        mean = (x * target[..., None]).sum(1) / target.sum(1, keepdim=True).clamp(min=1)
        return self.head(self.dropout(torch.cat([x[:, 0], mean], -1)))


def tokenizer():
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(vocabulary.base_folder() / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(PIECES_MAX)
    return found


def encoded(tokenizer, text, target):
    """(ids, types, 0/1 for the target's pieces); the second segment repeats the target."""
    start, end = target or (0, 0)
    pair = tokenizer.encode(text, text[start:end]) if target else tokenizer.encode(text)
    inside = [a < end and start < b and kind == 0 and b > a for (a, b), kind in zip(pair.offsets, pair.type_ids)]
    return pair.ids, pair.type_ids, inside


def tensors(rows):
    t = max(len(ids) for ids, _, _ in rows)
    ids, types, mask = (torch.zeros(len(rows), t, dtype=torch.long) for _ in range(3))
    target = torch.zeros(len(rows), t)
    for i, (own, kinds, inside) in enumerate(rows):
        n = len(own)
        ids[i, :n], types[i, :n], mask[i, :n] = torch.tensor(own), torch.tensor(kinds), 1
        target[i, :n] = torch.tensor(inside, dtype=torch.float32)
    return ids, types, mask, target


def batches(rows, pieces_max, rng=None):
    """Lists of indices of rows of like length."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + (rng.random() * 8 if rng else 0))
    result = [[]]
    for i in order:
        if result[-1] and len(rows[i][0]) * (len(result[-1]) + 1) > pieces_max:
            result.append([])
        result[-1].append(i)
    if rng:
        rng.shuffle(result)
    return result


@torch.no_grad()
def probabilities(teacher, rows):
    teacher.eval()
    found = numpy.zeros((len(rows), len(labels.TONES)), numpy.float32)
    for group in batches(rows, 4096):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = teacher(tensors([rows[i] for i in group]))
        found[group] = torch.softmax(logits.float(), -1).numpy()
    return found


def scores(teacher, rows, tones):
    table = numpy.zeros((3, 3))
    for tone, row in zip(tones, probabilities(teacher, rows)):
        table[tone, row.argmax()] += 1
    return tone_cases.summary(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--init", type=pathlib.Path, help="weights of an earlier run, in place of the base model's")
    parser.add_argument("--epochs", type=int, default=4, help="of the schedule")
    parser.add_argument("--stop", type=int, default=99, help="end after so many epochs, whatever the schedule")
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rng = random.Random(arguments.seed)
    pieces = tokenizer()
    train = {source: tone_cases.records(arguments.data, source) for source in SHARE}
    held_out = [r for r in train["newsmtsc_train"] if tone_cases.is_held_out(r)]
    dev = tone_cases.development(arguments.data)
    rows_of = lambda records: ([encoded(pieces, r["text"], r["target"]) for r in records], [r["label"] + 1 for r in records])
    teacher = Teacher()
    if arguments.init:
        teacher.load_state_dict(torch.load(arguments.init))
    head = list(teacher.head.parameters())
    optimizer = torch.optim.AdamW([{"params": list(teacher.base.parameters()), "rate": arguments.rate}, {"params": head, "rate": 10 * arguments.rate}],
                                  weight_decay=0.01, fused=True)
    start, done, total = time.time(), 0, None
    for epoch in range(min(arguments.epochs, arguments.stop)):
        records = [r for source, of in train.items() for r in of if rng.random() < SHARE[source] and not tone_cases.is_held_out(r)]
        rows, tones = rows_of(records)
        groups = batches(rows, 1280, rng)
        total = total or len(groups) * arguments.epochs
        teacher.train()
        loss_sum = 0.0
        for group in groups:
            scale = min((done + 1) / (0.08 * total), max(0.0, (1 - done / total) / 0.92))
            for part in optimizer.param_groups:
                part["lr"] = part["rate"] * scale
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = teacher(tensors([rows[i] for i in group]))
            loss = nn.functional.cross_entropy(logits.float(), torch.tensor([tones[i] for i in group]), label_smoothing=0.05)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done += 1
            loss_sum += float(loss.detach())
            if done % 50 == 0:
                print(f"  {done}/{total} {time.time() - start:.0f} s loss {loss_sum / (1 + groups.index(group)):.3f}", flush=True)
        for name, of in (("held out", held_out), ("dev", dev)):
            print(f"epoch {epoch}: {time.time() - start:.0f} s, {name} {json.dumps(scores(teacher, *rows_of(of)))}", flush=True)
        torch.save(teacher.state_dict(), arguments.out)


if __name__ == "__main__":
    main()
