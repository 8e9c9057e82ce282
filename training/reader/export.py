"""Writes the weights file: `python3 -m reader.export CHECKPOINT OUT [--commit HASH]`.

`--reference FILE` adds the float logits of the checkpoint to the reference vectors that `check` has written.
"""

import argparse
import json
import pathlib

import numpy
import torch

from . import data, gazetteer, labels, model, pieces, quantize


def tensors_of(reader, vocabulary, tone):
    """Tensors by the names of FORMAT.md; `tone`: the tone layer's weights or None."""
    state = {k: v.numpy() for k, v in reader.state_dict().items()}
    tensors = {"vocabulary": numpy.frombuffer("\n".join(vocabulary).encode(), numpy.uint8)}
    tensors["piece.q"], tensors["piece.scale"] = quantize.quantized_rows(state["piece.weight"])
    for name in ("position", "casing", *(["names"] if reader.shape["use_names"] else [])):
        tensors[name] = state[name + ".weight"]
    for part in ("weight", "bias"):
        tensors["norm." + part] = state["norm." + part]
    for i in range(reader.shape["n_layers"]):
        tensors |= layer_tensors(f"layer.{i}", {k.removeprefix(f"layers.{i}."): v for k, v in state.items() if k.startswith(f"layers.{i}.")})
    for head in ("entity", "quote"):
        for part in ("weight", "bias"):
            tensors[f"{head}.{part}"] = state[f"{head}.{part}"]
    if tone:
        tone = {k: v.numpy() for k, v in tone.items()}
        tensors |= layer_tensors("tone.layer", {k.removeprefix("layer."): v for k, v in tone.items() if k.startswith("layer.")})
        tensors |= {f"tone.{k}": v for k, v in tone.items() if not k.startswith("layer.")}
    return tensors


def layer_tensors(name, state):
    tensors = {}
    for linear in ("qkv", "out", "up", "down"):
        tensors[f"{name}.{linear}.q"], tensors[f"{name}.{linear}.scale"] = quantize.quantized_rows(state[linear + ".weight"])
        tensors[f"{name}.{linear}.bias"] = state[linear + ".bias"]
    for norm in ("norm1", "norm2"):
        for part in ("weight", "bias"):
            tensors[f"{name}.{norm}.{part}"] = state[f"{norm}.{part}"]
    return tensors


@torch.no_grad()
def add_float_logits(reader, vocabulary, path):
    """Logits before quantisation, beside the int8 ones, for each window of the reference."""
    ids = {piece: i for i, piece in enumerate(vocabulary)}
    cases = json.loads(path.read_text(encoding="utf-8"))
    reader.eval()
    for window in (w for case in cases for w in case["windows"]):
        lists = [[ids[pieces.CLS]], *window["pieces"], [ids[pieces.SEP]]]
        offsets = numpy.cumsum([0, *(len(x) for x in lists[:-1])])
        bits = torch.tensor([0, *window["names"], 0])[None, :, None] >> torch.arange(gazetteer.N_BITS) & 1
        batch = {"pieces": torch.tensor(sum(lists, [])), "offsets": torch.from_numpy(offsets), "names": bits,
                 "mask": torch.ones(1, len(lists), dtype=torch.bool), "casing": torch.tensor([[0, *window["casing"], 0]])}
        for head, logits in zip(("entity", "quote"), reader(batch)):
            window[head + "_logits_float"] = [[round(float(v), 4) for v in row] for row in logits[0, 1:-1]]
    path.write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--commit", default="unknown", help="commit of the training code")
    parser.add_argument("--name", default="reader-2")
    parser.add_argument("--reference", type=pathlib.Path)
    parser.add_argument("--without-tone", action="store_true", help="leave a tone layer out")
    arguments = parser.parse_args()
    reader, vocabulary = model.load(arguments.checkpoint)
    tone = None if arguments.without_tone else torch.load(arguments.checkpoint).get("tone")
    if arguments.reference:
        add_float_logits(reader, vocabulary, arguments.reference)
    header = {
        "name": arguments.name,
        "training_commit": arguments.commit,
        "architecture": {"width": model.WIDTH, "heads": model.HEADS, "layers": reader.shape["n_layers"], "inner": reader.shape["inner"],
                         "positions": model.POSITIONS, "window_words": data.WINDOW_WORDS, "pieces": len(vocabulary),
                         "pieces_per_word_max": pieces.PIECES_MAX, "casing_classes": pieces.N_CASING},
        "name_bits": list(gazetteer.BITS) if reader.shape["use_names"] else [],
        "entity_tags": labels.ENTITY_TAGS,
        "quote_tags": labels.QUOTE_TAGS,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    tensors = tensors_of(reader, vocabulary, tone)
    header["tone"] = tone and {"heads": tone["layer.out.weight"].shape[1] * model.HEADS // model.WIDTH, "inner": tone["layer.down.weight"].shape[1],
                               "tones": labels.TONES, "encoder": quantize.encoder_digest(tensors)}
    quantize.write(arguments.out, header, tensors)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
