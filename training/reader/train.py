"""Trains a reader: `python3 -m reader.train --data FOLDER --out FOLDER [options]`, from the data folder to a checkpoint."""

import argparse
import collections
import copy
import json
import math
import pathlib
import random
import time

import torch

from . import data, evaluate, model, scoring, vocabulary
from .batches import batches, tensors
from .corpus import Corpus, SoftLabels
from .features import Augmenter, Featurizer, Mentions
from .gazetteer import Gazetteer
from .pieces import WordPiece


def chosen_pieces(corpus, arguments):
    """The pruned vocabulary, kept beside the outputs since counting takes a minute."""
    kept = arguments.out.parent / f"reader-vocabulary-{arguments.pieces}.json"
    if not kept.exists():
        kept.write_text(json.dumps(vocabulary.prune(corpus.word_counts(), arguments.pieces)))
    return json.loads(kept.read_text())


def allowed_loss(logits, allowed):
    """-log of the probability that falls on allowed tags, summed over the words where not all tags are allowed."""
    logits = logits.float()
    counted = ~allowed.all(-1)
    loss = torch.logsumexp(logits, -1) - torch.logsumexp(logits.masked_fill(~allowed, -1e9), -1)
    return (loss * counted).sum()


def teacher_loss(logits, soft):
    """Kullback-Leibler divergence from the teacher's tags, summed over the words that have them."""
    known = ~soft[..., 0].isnan()
    return torch.nn.functional.kl_div(torch.log_softmax(logits[known].float(), -1), soft[known], reduction="sum", log_target=True)


def total_loss(outputs, inputs, smooth):
    """Mean loss a position over both heads: the labels', and the teacher's where there is one. `smooth` keeps moving means."""
    total, at = 0.0, 0
    for kind, logits in zip(("entity", "quote"), outputs):
        values = {kind: allowed_loss(logits, inputs[kind])}
        if inputs["soft"] is not None:
            values[kind + " soft"] = teacher_loss(logits, inputs["soft"][..., at : at + logits.shape[-1]])
        at += logits.shape[-1]
        for key, value in values.items():
            value = value / inputs["mask"].sum()
            total = total + value
            smooth[key] = 0.99 * smooth[key] + 0.01 * float(value.detach())
    return total


class Optimizer:
    """AdamW for dense weights (heads and new channels at ten times the rate), sparse Adam for pieces; warm-up, then linear to 0."""

    def __init__(self, reader, rate, total, new_factor):
        new, old = [], []
        for name, weight in reader.named_parameters():
            if name != "piece.weight":
                (new if name.split(".")[0] in ("entity", "quote", "casing", "names") else old).append(weight)
        self.dense = torch.optim.AdamW([{"params": old, "lr": rate}, {"params": new, "lr": new_factor * rate}], weight_decay=0.01, fused=True)
        self.sparse = torch.optim.SparseAdam([reader.piece.weight], lr=rate)
        self.weights = old + new
        self.groups = [*self.dense.param_groups, *self.sparse.param_groups]
        self.rates = [g["lr"] for g in self.groups]
        self.total, self.done = total, 0

    def share(self, clock_share):
        """Share of the schedule that is done: of the steps, or of the time where that is more."""
        return max(self.done / self.total, clock_share)

    def step(self, share):
        """One update at `share` of the schedule."""
        factor = min((self.done + 1) / (0.06 * self.total), max(0.0, (1.0 - share) / 0.94))
        for group, rate in zip(self.groups, self.rates):
            group["lr"] = rate * factor
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for optimizer in (self.dense, self.sparse):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.done += 1


class Average:
    """Exponential moving average of the weights, taken every EVERY steps: steadier than the weights while the rate is high."""

    EVERY, KEEP = 10, 0.97

    def __init__(self, reader):
        self.model = copy.deepcopy(reader)

    @torch.no_grad()
    def update(self, reader, step):
        if step % self.EVERY == 0:
            keep = min(self.KEEP, step / (step + 10 * self.EVERY))
            for mean, weight in zip(self.model.parameters(), reader.parameters()):
                mean.lerp_(weight, 1 - keep)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--inner", type=int, default=768)
    parser.add_argument("--pieces", type=int, default=20_000)
    parser.add_argument("--no-names", action="store_true", help="without the name-list channel")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--new-factor", type=float, default=10.0, help="rate of heads and new channels over that of the rest")
    parser.add_argument("--batch-words", type=int, default=1024)
    parser.add_argument("--mix-share", type=float, default=1.0, help="share of the mix and of the quote data in an epoch")
    parser.add_argument("--soft", type=pathlib.Path, help="a teacher's labels, from distill")
    parser.add_argument("--anneal", type=float, default=0.0, help="last share of the schedule, on our own articles alone")
    parser.add_argument("--swap", action="store_true", help="put other names of their type in the place of names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--init", type=pathlib.Path, help="start from this checkpoint")
    parser.add_argument("--minutes", type=float, default=1e9, help="end the schedule after this wall time at the latest")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "arguments.json").write_text(json.dumps(vars(arguments), default=str))
    Training(arguments).run()


class Training:
    """One run: data, model, optimiser and the clock."""

    def __init__(self, arguments):
        self.arguments, folder = arguments, arguments.data
        names = Gazetteer(folder / "knowledge")
        self.corpus = Corpus(folder, names)
        print({k: len(v) for k, v in self.corpus.ours.items()}, "articles annotated by our own scheme", flush=True)
        if arguments.soft:
            self.corpus.attach(SoftLabels(arguments.soft))
        if arguments.init:
            self.reader, self.pieces = model.load(arguments.init)
            self.reader.shape["use_names"] &= not arguments.no_names
        else:
            self.pieces, old_ids = chosen_pieces(self.corpus, arguments)
            self.reader = model.from_base(old_ids, arguments.layers, arguments.inner, not arguments.no_names)
        self.featurize = Featurizer(WordPiece(self.pieces), names, self.reader.shape["use_names"])
        self.average = Average(self.reader)
        self.augment = Augmenter(folder / "knowledge", arguments.seed, Mentions(folder / "knowledge", self.corpus.documents()) if arguments.swap else None)
        self.rng = random.Random(arguments.seed)
        self.optimizer, self.smooth, self.seen = None, collections.defaultdict(float), 0
        self.start = time.time()

    def share(self):
        return self.optimizer.share((time.time() - self.start) / 60 / self.arguments.minutes)

    def groups(self, windows, epoch):
        examples = [self.featurize(self.augment(w)) for w in windows]
        groups = batches(examples, self.arguments.batch_words, seed=1000 * self.arguments.seed + epoch)
        print(f"epoch {epoch}: {len(examples)} windows, {sum(len(e.pieces) for e in examples)} words, {len(groups)} batches", flush=True)
        return groups

    def run(self):
        for epoch in range(math.ceil(self.arguments.epochs)):
            groups = self.groups(self.corpus.epoch(self.rng, self.arguments.mix_share), epoch)
            self.optimizer = self.optimizer or Optimizer(self.reader, self.arguments.rate, int(len(groups) * self.arguments.epochs), self.arguments.new_factor)
            self.train(groups, 1.0 - self.arguments.anneal)
            self.report()
            if self.share() >= 1.0 - self.arguments.anneal:
                break
        while self.arguments.anneal and self.share() < 1.0:
            epoch += 1
            self.train(self.groups(self.corpus.epoch_of_ours(self.rng), epoch), 1.0)
        if self.arguments.anneal:
            self.report()

    def train(self, groups, end):
        """Steps over the batches, up to `end` of the schedule."""
        self.reader.train()
        for group in groups:
            share = self.share()
            if share >= end:
                break
            inputs = tensors(group, self.featurize.tokenizer, self.rng)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                outputs = self.reader(inputs)
            total_loss(outputs, inputs, self.smooth).backward()
            self.optimizer.step(share)
            done = self.optimizer.done
            self.average.update(self.reader, done)
            self.seen += int(inputs["mask"].sum())
            if done % 100 == 0:
                elapsed = time.time() - self.start
                losses = " ".join(f"{k} {v:.4f}" for k, v in self.smooth.items())
                print(f"step {done}/{self.optimizer.total} {share:.0%} {losses} {self.seen / elapsed:.0f} words/s {elapsed / 60:.1f} min", flush=True)
            if done % 300 == 0:
                self.save()

    def save(self):
        model.save(self.reader, self.pieces, self.arguments.out / "reader.pt")
        model.save(self.average.model, self.pieces, self.arguments.out / "average.pt")

    def report(self):
        """Saves the weights and prints the development scores of the weights and of their average."""
        self.save()
        for kind, judged in (("last", self.reader), ("average", self.average.model)):
            tagger = evaluate.model_tagger(judged, self.featurize.tokenizer, self.featurize)
            ours = scoring.wikinews_scores(data.read_lines(self.arguments.data / "dev/wikinews.jsonl"), tagger)
            mixed = scoring.mix_scores(self.arguments.data / "dev/entities_mix.jsonl.gz", tagger, self.corpus.known_place)
            print(kind, json.dumps({"dev/wikinews": ours, "dev/entities_mix": mixed}), flush=True)


if __name__ == "__main__":
    main()
