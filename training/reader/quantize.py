"""The weights file: writing it from a checkpoint, reading it, and the numpy forward pass that defines its meaning (FORMAT.md)."""

import hashlib
import json
import math
import struct

import numpy

MAGIC = b"CDREADER"
VERSION = 1
ALIGNMENT = 64
DTYPES = {"i8": numpy.int8, "f32": numpy.float32, "u8": numpy.uint8}


def quantized_rows(weight):
    """(int8 values, float32 scale per row) of a matrix, symmetric, by each row's largest magnitude."""
    scale = numpy.maximum(numpy.abs(weight).max(1), 1e-12) / 127
    return numpy.rint(weight / scale[:, None]).clip(-127, 127).astype(numpy.int8), scale.astype(numpy.float32)


def write(path, header, tensors):
    """Writes tensors (name to array) after a JSON header that says where each lies."""
    blob, table = bytearray(), {}
    for name, array in tensors.items():
        blob += bytes(-len(blob) % ALIGNMENT)
        kind = next(k for k, t in DTYPES.items() if array.dtype == t)
        table[name] = {"type": kind, "shape": list(array.shape), "offset": len(blob)}
        blob += numpy.ascontiguousarray(array).tobytes()
    head = json.dumps({**header, "tensors": table}, separators=(",", ":"), ensure_ascii=False).encode()
    start = len(MAGIC) + 4 + 32 + 4
    head += b" " * (-(start + len(head)) % ALIGNMENT)
    body = struct.pack("<I", len(head)) + head + bytes(blob)
    path.write_bytes(MAGIC + struct.pack("<I", VERSION) + hashlib.sha256(body).digest() + body)


def read(path):
    """(header, tensors) of a weights file; ValueError when it is damaged or foreign."""
    data = path.read_bytes()
    if data[:8] != MAGIC:
        raise ValueError("not a reader's weights")
    version, digest, body = struct.unpack("<I", data[8:12])[0], data[12:44], data[44:]
    if version != VERSION:
        raise ValueError(f"format version {version} is not {VERSION}")
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("the weights are damaged: their hash does not match")
    length = struct.unpack("<I", body[:4])[0]
    header = json.loads(body[4 : 4 + length])
    blob = memoryview(body)[4 + length :]
    tensors = {}
    for name, t in header["tensors"].items():
        dtype = numpy.dtype(DTYPES[t["type"]])
        count = math.prod(t["shape"])
        tensors[name] = numpy.frombuffer(blob, dtype, count, t["offset"]).reshape(t["shape"])
    return header, tensors


def erf(x):
    """Abramowitz and Stegun 7.1.26: within 1.5e-7."""
    t = 1 / (1 + 0.3275911 * numpy.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return numpy.sign(x) * (1 - poly * numpy.exp(-x * x))


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def norm(x, weight, bias):
    centred = x - x.mean(-1, keepdims=True)
    return centred / numpy.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-12) * weight + bias


def encoder_digest(tensors):
    """SHA-256 of the encoder's layers, by which a tone layer knows what it was trained on."""
    digest = hashlib.sha256()
    for name in sorted(n for n in tensors if n.startswith("layer.")):
        digest.update(numpy.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


class Network:
    """Forward pass of one window over the tensors of a weights file, in float32 with int8 products."""

    def __init__(self, header, tensors):
        self.header, self.t = header, tensors
        self.wide = {n: a.astype(numpy.float32) for n, a in tensors.items() if a.dtype == numpy.int8 and n != "piece.q"}

    def linear(self, x, name):
        """int8 product: each row of x scaled by its largest magnitude. Sums are exact integers (below 2^24)."""
        scale = numpy.maximum(numpy.abs(x).max(-1, keepdims=True), 1e-12) / 127
        rounded = numpy.rint(x / scale).astype(numpy.float32)
        return (rounded @ self.wide[name + ".q"].T) * scale * self.t[name + ".scale"] + self.t[name + ".bias"]

    def embed(self, piece_lists, casing, bits):
        """Input of the first layer; `piece_lists` has one list a position, [CLS] and [SEP] included."""
        t = self.t
        rows = [(t["piece.q"][ids].astype(numpy.float32) * t["piece.scale"][ids, None]).mean(0) for ids in map(list, piece_lists)]
        x = numpy.stack(rows) + t["position"][: len(rows)] + t["casing"][casing]
        if "names" in t:
            x = x + ((bits[:, None] >> numpy.arange(len(t["names"]))) & 1).astype(numpy.float32) @ t["names"]
        return norm(x, t["norm.weight"], t["norm.bias"])

    def attention(self, x, name):
        size = self.header["architecture"]["width"] // self.header["architecture"]["heads"]
        q, k, v = self.linear(x, name + ".qkv").reshape(len(x), 3, -1, size).transpose(1, 2, 0, 3)
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(size)
        scores = numpy.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        return self.linear(mixed.transpose(1, 0, 2).reshape(len(x), -1), name + ".out")

    def layer(self, x, name):
        t = self.t
        x = norm(x + self.attention(x, name), t[name + ".norm1.weight"], t[name + ".norm1.bias"])
        inner = gelu(self.linear(x, name + ".up"))
        return norm(x + self.linear(inner, name + ".down"), t[name + ".norm2.weight"], t[name + ".norm2.bias"])

    def encode(self, piece_lists, casing, bits):
        """Hidden states of all positions of a window, after each layer."""
        states, x = [], self.embed(piece_lists, casing, bits)
        for i in range(self.header["architecture"]["layers"]):
            x = self.layer(x, f"layer.{i}")
            states.append(x)
        return states

    def logits(self, states):
        """(entity, quote) logits of the words of a window, [CLS] and [SEP] taken off."""
        x = states[-1][1:-1]
        return tuple(x @ self.t[h + ".weight"].T + self.t[h + ".bias"] for h in ("entity", "quote"))

    def tone_states(self, states):
        """The tone layer's output for the words of a window."""
        x = states[-1] + sum(share * x for share, x in zip(self.t["tone.shares"], states))
        return self.layer(norm(x, self.t["tone.input.weight"], self.t["tone.input.bias"]), "tone.layer")[1:-1]

    def tone_logits(self, x, target, sentence):
        """(sentence, target) tone logits; `target` and `sentence` are 0/1 over the window's words, `target` all 0 for none."""
        mean = lambda m: m @ x / max(m.sum(), 1)
        whole = mean(sentence)
        inputs = {"sentence": whole, "target": numpy.concatenate((mean(target), whole))}
        return tuple(self.t[f"tone.{k}.weight"] @ v + self.t[f"tone.{k}.bias"] for k, v in inputs.items())
