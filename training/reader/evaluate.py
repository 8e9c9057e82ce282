"""Log-probabilities and tags of a model in PyTorch."""

import torch

from .batches import batches, tensors
from .scoring import tag


@torch.no_grad()
def predict(reader, examples, tokenizer):
    """Log-probabilities (entity, quote) of the words of each example, as float32 arrays, in order."""
    reader.eval()
    found = {}
    for batch in batches(examples, 4096):
        inputs = tensors(batch, tokenizer)
        for e, *rows in zip(batch, *(torch.log_softmax(x.float(), -1).numpy() for x in reader(inputs))):
            n = len(e.pieces)
            found[id(e)] = tuple(r[1 : n + 1] for r in rows)
    return [found[id(e)] for e in examples]


def model_tagger(reader, tokenizer, featurize):
    """A tagger for the functions above."""
    def tagger(windows):
        examples = [featurize(w) for w in windows]
        return [(tag(e, "entity"), tag(q, "quote"), e) for e, q in predict(reader, examples, tokenizer)]
    return tagger
