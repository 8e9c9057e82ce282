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

from . import data, evaluate, labels, model, scoring, vocabulary
from .batches import batches, tensors
from .features import Augmenter, Featurizer
from .gazetteer import Gazetteer, known_place
from .pieces import WordPiece

RAW = ("wikinews", "voa_gmb", "senate_press", "hhs_press")


class Corpus:
    """All training documents, by part."""

    def __init__(self, folder, names):
        self.known_place = lambda name: known_place(names, name)
        self.wikinews = data.wikinews(sorted((folder / "train/wikinews").glob("*.jsonl")), data.HeldOut([folder / "dev/wikinews.jsonl"]))
        self.mix = list(data.mix(folder / "train/entities/mix.jsonl.gz", self.known_place))
        self.quotes = list(data.quote_documents(folder / "train/quotes"))

    def word_counts(self, folder):
        """Uses of each word, for the choice of pieces: training text, raw news, and each name of the knowledge base once."""
        counts = collections.Counter()
        for document in [*self.wikinews, *(d for _, d in self.mix), *(d for _, d in self.quotes)]:
            for s in document:
                counts.update(s.words)
        for part in RAW:
            for record in data.read_lines(folder / f"raw/{part}.jsonl.gz"):
                for words in data.sentences(record["text"]):
                    counts.update(w.text for w in words)
        return counts

    def epoch(self, rng, wikinews_times):
        """Windows of one epoch with their weight: all of the mix once, our articles `wikinews_times`."""
        result = []
        for _ in range(wikinews_times):
            for document in self.wikinews:
                result += [(w, 1.0) for w in data.windows(document, rng.choice((40, 80, data.WINDOW_WORDS)))]
        for source, document in self.mix:
            if rng.random() < data.MIX_SHARE.get(source, 1.0):
                result += [(w, 1.0) for w in data.windows(document, rng.choice((1, 60, data.WINDOW_WORDS)))]
        for source, document in self.quotes:
            for window in data.windows(document, rng.choice((60, data.WINDOW_WORDS))):
                has_quote = any(m != labels.O for s in window for m in s.quote)
                if has_quote or rng.random() < 0.2:
                    result.append((window, 1.0))
        return result


def chosen_pieces(corpus, folder, arguments):
    """The pruned vocabulary, kept beside the outputs since counting takes a minute."""
    kept = arguments.out.parent / f"reader-vocabulary-{arguments.pieces}.json"
    if not kept.exists():
        kept.write_text(json.dumps(vocabulary.prune(corpus.word_counts(folder), arguments.pieces)))
    return json.loads(kept.read_text())


def allowed_loss(logits, allowed, weight):
    """-log of the probability that falls on allowed tags, summed over the words where not all tags are allowed."""
    logits = logits.float()
    counted = ~allowed.all(-1)
    loss = torch.logsumexp(logits, -1) - torch.logsumexp(logits.masked_fill(~allowed, -1e9), -1)
    return (loss * counted * weight[:, None]).sum(), counted.sum()


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

    def step(self, clock_share=0.0):
        """One update; the schedule is at `done / total`, or further where `clock_share` of the time is used up."""
        share = max(self.done / self.total, clock_share)
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


def report(reader, tokenizer, featurize, corpus, folder):
    tagger = evaluate.model_tagger(reader, tokenizer, featurize)
    ours = scoring.wikinews_scores(data.read_lines(folder / "dev/wikinews.jsonl"), tagger)
    mixed = scoring.mix_scores(folder / "dev/entities_mix.jsonl.gz", tagger, corpus.known_place)
    return {"dev/wikinews": ours, "dev/entities_mix": mixed}


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
    parser.add_argument("--wikinews-times", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--init", type=pathlib.Path, help="start from this checkpoint")
    parser.add_argument("--minutes", type=float, default=1e9, help="end the schedule after this wall time at the latest")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    rng = random.Random(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)

    folder = arguments.data
    names = Gazetteer(folder / "knowledge")
    corpus = Corpus(folder, names)
    if arguments.init:
        reader, pieces = model.load(arguments.init)
    else:
        pieces, old_ids = chosen_pieces(corpus, folder, arguments)
        reader = model.from_base(old_ids, arguments.layers, arguments.inner, not arguments.no_names)
    tokenizer = WordPiece(pieces)
    featurize = Featurizer(tokenizer, names)
    average = Average(reader)
    augment = Augmenter(folder / "knowledge", arguments.seed)
    optimizer = None
    start = time.time()
    smooth = collections.defaultdict(float)
    seen = 0
    for epoch in range(math.ceil(arguments.epochs)):
        examples = []
        for window, weight in corpus.epoch(rng, arguments.wikinews_times):
            examples.append(featurize(augment(window) or window, weight))
        groups = batches(examples, arguments.batch_words, seed=1000 * arguments.seed + epoch)
        optimizer = optimizer or Optimizer(reader, arguments.rate, int(len(groups) * arguments.epochs), arguments.new_factor)
        print(f"epoch {epoch}: {len(examples)} windows, {sum(len(e.pieces) for e in examples)} words, {len(groups)} batches", flush=True)
        reader.train()
        for group in groups:
            clock_share = (time.time() - start) / 60 / arguments.minutes
            if optimizer.done >= optimizer.total or clock_share >= 1.0:
                break
            inputs = tensors(group, tokenizer, rng)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                entity, quote = reader(inputs)
            total = 0.0
            for kind, logits in (("entity", entity), ("quote", quote)):
                value, n = allowed_loss(logits, inputs[kind], inputs["weight"])
                if n:
                    value = value / inputs["mask"].sum()
                    total = total + value
                    smooth[kind] = 0.99 * smooth[kind] + 0.01 * float(value.detach())
            total.backward()
            optimizer.step(clock_share)
            average.update(reader, optimizer.done)
            seen += int(inputs["mask"].sum())
            if optimizer.done % 300 == 0:
                model.save(average.model, pieces, arguments.out / "average.pt")
            if optimizer.done % 100 == 0:
                elapsed = time.time() - start
                print(f"step {optimizer.done}/{optimizer.total} entity {smooth['entity']:.4f} quote {smooth['quote']:.4f} "
                      f"{seen / elapsed:.0f} words/s {elapsed / 60:.1f} min", flush=True)
        model.save(reader, pieces, arguments.out / "reader.pt")
        model.save(average.model, pieces, arguments.out / "average.pt")
        for kind, judged in (("last", reader), ("average", average.model)):
            print(kind, json.dumps(report(judged, tokenizer, featurize, corpus, folder)), flush=True)
        if optimizer.done >= optimizer.total or (time.time() - start) / 60 >= arguments.minutes:
            break
    (arguments.out / "arguments.json").write_text(json.dumps(vars(arguments), default=str))


if __name__ == "__main__":
    main()
