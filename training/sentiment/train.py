#!/usr/bin/env python3
"""Learns models/sentiment_lexicon.tsv from the permitted training data.

usage: train.py DATA_DIR [--out models/sentiment_lexicon.tsv] [--cross-validate]

In: DATA_DIR/train/sentiment/*.jsonl.gz, DATA_DIR/train/wikinews/*.jsonl, DATA_DIR/knowledge/demonyms.tsv.
Out: one line a stem: its valence (how a text reads that has it), and its stance (what it says of a target that it
stands anywhere near, before, or after). Deterministic: no sampling but by a fixed seed; integers in the file.
"""
import argparse, collections, glob, gzip, json, math, os, re
import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score
import features as F

# Weight of a row by source: news counts fully, reviews of films and products give common words their sign.
SENTENCE_SETS = {"emobank": 1.0, "nyt_editorials_train": 1.0, "hutto2014_movies": 0.35, "hutto2014_amazon": 0.35}
DOCUMENT_WEIGHT = 10.0
FINANCE_ROWS_MAX, FINANCE_WEIGHT = 2600, 0.3
# Entities of whole articles are 95 % neutral; sentences chosen for their targets are not.
NEUTRAL_ENTITY_WEIGHT, POLAR_ENTITY_WEIGHT = 0.5, 5.0
RIDGE_ALPHA, LOGISTIC_C = 4.0, 3.0
# Rows that a stem must be seen in: rarer ones would learn what one article was about.
VALENCE_ROWS_MIN, STANCE_ROWS_MIN = 10, 3
SCALE = 100  # integers in the file are hundredths
VALENCE_MIN, STANCE_MIN = 4, 12  # smaller weights, in hundredths, are left out
SEED = 1


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


class Names:
    """Stems that are names or peoples: they have no tone, whatever the news said of them in the training years."""

    def __init__(self, data, texts):
        lower, upper = collections.Counter(), collections.Counter()
        for text in texts:
            for at, (word, _, _) in enumerate(F.words_of(text)):
                if at and word[0].isalpha():
                    (upper if word[0].isupper() else lower)[F.stem(word)] += 1
        self.stems = {stem for stem, n in upper.items() if n > lower[stem]}
        with open(os.path.join(data, "knowledge", "demonyms.tsv"), encoding="utf-8") as lines:
            for line in lines:
                self.stems |= {F.stem(word) for field in line.split("\t") for word in field.split() if word[:1].isupper()}
        self.stems |= {F.stem(word) for word in PEOPLES}

    def __contains__(self, stem):
        return stem in self.stems


# Groups of people by origin, belief, sex or politics, and offices: neither good nor bad news by themselves.
PEOPLES = """black white muslim islam islamic jewish jew christian catholic hindu sikh buddhist atheist gay lesbian transgender
immigrant migrant refugee asian african european arab latino hispanic women woman men man girl boy conservative liberal
democrat democratic republican socialist communist president minister senator governor mayor king queen pope""".split()

# Words of attribution, and those who are cited: they stand in every report, whatever it reports. They keep their stance.
ATTRIBUTION = {F.stem(word) for word in """according add added announce announced authorities claim claimed comment confirm
confirmed describe described media official officials police press quote quoted report reported reportedly reporter say
says said source spokesman spokesperson spokeswoman state stated statement tell told write wrote""".split()}

# Nearly a copy of an article of the development set, under another id: left out of training.
HELD_OUT = {"wikinews-248548"}


def sentence_row(text, names):
    words = F.words_of(text)
    row = collections.Counter()
    for (word, _, _), (factor, _) in zip(words, F.modifiers(words)):
        if word[0].isalpha() and (stem := F.stem(word)) not in names and stem not in ATTRIBUTION:
            row[stem] += factor
    norm = math.sqrt(max(len(words), 1))
    return {stem: value / norm for stem, value in row.items()}


def sentences_of(text):
    """[(start, end)]: a rough cut, for training only."""
    spans, start = [], 0
    for gap in re.finditer(r"\n+|(?<=[.!?])[\"”’)]*\s+(?=[A-Z“\"])", text):
        spans.append((start, gap.start()))
        start = gap.end()
    return [(a, b) for a, b in spans + [(start, len(text))] if text[a:b].strip()]


def document_row(text, names):
    rows = [sentence_row(text[a:b], names) for a, b in sentences_of(text)]
    total = collections.Counter()
    for row in rows:
        for stem, value in row.items():
            total[stem] += value / len(rows)
    return total


def targets_of_document(document, at):
    """One row a mention, with its entity's label; an entity's rows share its weight."""
    labels = {entity["id"]: entity["sentiment"] or 0 for entity in document["entities"]}
    n_mentions = collections.Counter(mention["entity"] for mention in document["mentions"])
    spans = sentences_of(document["text"])
    for mention in document["mentions"]:
        for start, end in spans:
            if start <= mention["start"] < end:
                label, target = labels[mention["entity"]], [mention["start"] - start, min(mention["end"], end) - start]
                weight = (NEUTRAL_ENTITY_WEIGHT if label == 0 else POLAR_ENTITY_WEIGHT) / n_mentions[mention["entity"]]
                yield {"text": document["text"][start:end], "target": target, "label": label, "weight": weight, "document": at}


def matrix(rows, vocabulary):
    data, row_of, column_of = [], [], []
    for at, row in enumerate(rows):
        for stem, value in row.items():
            if stem in vocabulary:
                data.append(value), row_of.append(at), column_of.append(vocabulary[stem])
    return sp.csr_matrix((data, (row_of, column_of)), shape=(len(rows), len(vocabulary)))


def vocabulary_of(rows, n_rows_min):
    n_rows = collections.Counter(stem for row in rows for stem in row)
    return {stem: at for at, stem in enumerate(sorted(stem for stem, n in n_rows.items() if n >= n_rows_min))}


def fit_valence(rows, labels, weights):
    vocabulary = vocabulary_of(rows, VALENCE_ROWS_MIN)
    model = Ridge(alpha=RIDGE_ALPHA, solver="sparse_cg", tol=1e-6).fit(matrix(rows, vocabulary), labels, sample_weight=weights)
    return {stem: float(model.coef_[at]) for stem, at in vocabulary.items()}


def score_of(row, valence):
    return sum(value * valence.get(stem, 0.0) for stem, value in row.items())


def target_row(text, target, valence, names):
    """Features of a target: stems anywhere (A), near before (B) and near after (C) it, and sums of valence."""
    words = F.words_of(text)
    inside = [at for at, (_, start, end) in enumerate(words) if start < target[1] and end > target[0]]
    first, last = (inside[0], inside[-1]) if inside else (0, 0)
    row, norm = collections.Counter(), 0.0
    positive = negative = before = after = 0.0
    for at, ((word, _, _), (factor, negated)) in enumerate(zip(words, F.modifiers(words))):
        if first <= at <= last or not word[0].isalpha():
            continue
        distance = first - at if at < first else at - last
        near = 1 / math.sqrt(distance) if distance <= F.NEAR_WORDS else 0.0
        norm += F.ANYWHERE**2 + near**2
        stem = F.stem(word)
        if stem in names:
            continue
        sign = F.NEGATED_STANCE if negated else 1.0
        row["A" + stem] += sign * F.ANYWHERE
        value = valence.get(stem, 0.0) * factor
        positive, negative = positive + max(value, 0), negative + min(value, 0)
        if near:
            row[("B" if at < first else "C") + stem] += sign * near
            if at < first:
                before += value
            else:
                after += value
    norm = math.sqrt(norm) or 1.0
    length = math.sqrt(max(len(words), 1))
    sums = [positive / length, negative / length, before / math.sqrt(F.NEAR_WORDS), after / math.sqrt(F.NEAR_WORDS)]
    return {key: value / norm for key, value in row.items()}, sums


def target_matrix(rows, vocabulary):
    return sp.hstack([matrix([row for row, _ in rows], vocabulary), sp.csr_matrix(np.array([sums for _, sums in rows]))]).tocsr()


def fit_stance(rows, labels, weights):
    vocabulary = vocabulary_of([row for row, _ in rows], STANCE_ROWS_MIN)
    model = LogisticRegression(C=LOGISTIC_C, max_iter=1000, class_weight="balanced", tol=1e-5)
    model.fit(target_matrix(rows, vocabulary), labels, sample_weight=weights)
    return vocabulary, model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "../../models/sentiment_lexicon.tsv"))
    parser.add_argument("--cross-validate", action="store_true", help="print figures on held-out fifths of the training data, write nothing")
    args = parser.parse_args()
    corpus = Corpus(args.data)
    if args.cross_validate:
        cross_validate(corpus)
    else:
        write(corpus, args.out)


class Corpus:
    def __init__(self, data):
        train = os.path.join(data, "train")
        sentences = [(r["text"], r["label"], weight) for name, weight in SENTENCE_SETS.items() for r in read(f"{train}/sentiment/{name}.jsonl.gz")]
        self.documents = [d for path in sorted(glob.glob(f"{train}/wikinews/*.jsonl")) for d in read(path) if d["doc_id"] not in HELD_OUT]
        news = [r for r in read(f"{train}/sentiment/newsmtsc_train.jsonl.gz") if r["target"]]
        finance = [r for name in ("sentfin", "finentity") for r in read(f"{train}/sentiment/{name}.jsonl.gz") if r["target"]]
        chosen = np.random.RandomState(SEED).permutation(len(finance))[:FINANCE_ROWS_MAX]
        finance = [finance[at] for at in sorted(chosen)]
        texts = [text for text, _, _ in sentences] + sorted({r["text"] for r in news}) + [d["text"] for d in self.documents]
        self.names = Names(data, texts)
        self.sentence_rows = [sentence_row(text, self.names) for text, _, _ in sentences]
        self.sentence_labels = np.array([label for _, label, _ in sentences], float)
        self.sentence_weights = np.array([weight for _, _, weight in sentences])
        self.document_rows = [document_row(d["text"], self.names) for d in self.documents]
        self.document_labels = np.array([d["sentiment"] for d in self.documents], float)
        articles = [row for at, document in enumerate(self.documents) for row in targets_of_document(document, at)]
        self.targets = news + finance + articles
        self.target_labels = np.array([r["label"] for r in self.targets])
        self.target_weights = np.array([1.0] * len(news) + [FINANCE_WEIGHT] * len(finance) + [r["weight"] for r in articles])
        self.n_news = len(news)
        # Held-out fifths: sentences and mentions of one article stay together; -1 is never held out.
        sources = ["_".join(r["id"].split("_")[:3]) for r in news]
        fold_of = dict(zip(sorted(set(sources)), np.random.RandomState(SEED).randint(0, 5, len(set(sources)))))
        self.target_folds = np.array([fold_of[source] for source in sources] + [-1] * len(finance) + [r["document"] % 5 for r in articles])

    def valence(self, documents):
        rows = self.sentence_rows + [self.document_rows[at] for at in documents]
        labels = np.r_[self.sentence_labels, self.document_labels[documents]]
        return fit_valence(rows, labels, np.r_[self.sentence_weights, np.full(len(documents), DOCUMENT_WEIGHT)])


def labels_of(scores, bound):
    return np.where(scores > bound, 1, np.where(scores < -bound, -1, 0))


def best_bound(scores, labels, measure):
    """How far from zero scores are neutral, by which they give the best labels."""
    return max(np.arange(0.04, 0.31, 0.01), key=lambda bound: measure(labels, labels_of(scores, bound)))


def accuracy(labels, predicted):
    return float((labels == predicted).mean())


def macro_f1(labels, predicted):
    return float(f1_score(labels, predicted, average="macro"))


def cross_validate(corpus):
    n = len(corpus.documents)
    scores, predicted = np.zeros(n), np.zeros(n)
    for fold in range(5):
        train, test = np.array([at for at in range(n) if at % 5 != fold]), np.array([at for at in range(n) if at % 5 == fold])
        valence = corpus.valence(train)
        for at in range(n):
            scores[at] = score_of(corpus.document_rows[at], valence)
        bound = best_bound(scores[train], corpus.document_labels[train], accuracy)
        predicted[test] = labels_of(scores[test], bound)
        print(f"fold {fold}: documents are neutral within {bound:.2f}")
    majority = max(collections.Counter(corpus.document_labels).values()) / n
    print(f"documents: accuracy {100 * accuracy(corpus.document_labels, predicted):.1f} (majority {100 * majority:.1f}), macro-F1 {100 * macro_f1(corpus.document_labels, predicted):.1f}")

    valence = corpus.valence(np.arange(n))
    bound = best_bound(np.array([score_of(row, valence) for row in corpus.sentence_rows]), corpus.sentence_labels, macro_f1)
    print(f"sentences are neutral within {bound:.2f}")
    rows = [target_row(r["text"], r["target"], valence, corpus.names) for r in corpus.targets]
    probabilities = np.zeros((len(rows), 3))
    for fold in range(5):
        train, test = np.where(corpus.target_folds != fold)[0], np.where(corpus.target_folds == fold)[0]
        vocabulary, model = fit_stance([rows[at] for at in train], corpus.target_labels[train], corpus.target_weights[train])
        probabilities[test] = model.predict_proba(target_matrix([rows[at] for at in test], vocabulary))
    labels, probabilities = corpus.target_labels[: corpus.n_news], probabilities[: corpus.n_news]
    scores = (probabilities[:, 2] - probabilities[:, 0]) * (1 - probabilities[:, 1])
    print(f"targets: macro-F1 {100 * macro_f1(labels, probabilities.argmax(1) - 1):.1f} by likeliest class")
    for bound in (0.08, 0.12, 0.16, 0.2, 0.24):
        print(f"  {100 * macro_f1(labels, labels_of(scores, bound)):.1f} by score beyond {bound}")


def write(corpus, out):
    valence = corpus.valence(np.arange(len(corpus.documents)))
    rows = [target_row(r["text"], r["target"], valence, corpus.names) for r in corpus.targets]
    vocabulary, model = fit_stance(rows, corpus.target_labels, corpus.target_weights)
    # Logits of negative and positive against neutral: a softmax is unchanged when a constant is taken off.
    logits = model.coef_[[0, 2]] - model.coef_[1]
    biases = model.intercept_[[0, 2]] - model.intercept_[1]
    hundredths = lambda value: int(round(SCALE * float(value)))
    lines = []
    for stem in sorted(set(valence) | {key[1:] for key in vocabulary}):
        numbers = [hundredths(valence.get(stem, 0.0))]
        for zone in "ABC":
            at = vocabulary.get(zone + stem)
            numbers += [0, 0] if at is None else [hundredths(logits[0][at]), hundredths(logits[1][at])]
        if abs(numbers[0]) >= VALENCE_MIN or max(map(abs, numbers[1:])) >= STANCE_MIN:
            lines.append("\t".join([stem, *map(str, numbers)]))
    sums = logits[:, len(vocabulary) :]
    with open(out, "w", encoding="utf-8", newline="\n") as file:
        file.write("# Made by training/sentiment/train.py; do not edit. Hundredths: stem, valence, then negative and positive\n")
        file.write("# logits of a target that the stem stands anywhere near, shortly before, shortly after.\n")
        for name, values in zip(("!bias", "!positive", "!negative", "!before", "!after"), [biases, *sums.T]):
            file.write("\t".join([name, *(str(hundredths(value)) for value in values)]) + "\n")
        file.write("\n".join(lines) + "\n")
    print(f"{out}: {len(lines)} stems, {os.path.getsize(out)} bytes")


if __name__ == "__main__":
    main()
