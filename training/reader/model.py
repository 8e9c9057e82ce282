"""The encoder: the bottom layers of MiniLM-L6 with one position a word, casing and name-list channels, and the heads."""

import torch
import torch.nn.functional as F
from torch import nn

from . import gazetteer, labels, pieces, vocabulary

WIDTH, HEADS, POSITIONS = 384, 12, 128


class Layer(nn.Module):
    """BERT's layer, post-norm; `inner` is the width of the feed-forward part, `heads` may be fewer than an encoder layer's."""

    def __init__(self, inner, dropout, heads=HEADS):
        super().__init__()
        self.heads = heads
        width = heads * WIDTH // HEADS
        self.qkv = nn.Linear(WIDTH, 3 * width)
        self.out = nn.Linear(width, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, inner)
        self.down = nn.Linear(inner, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, bias):
        b, t, _ = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = self.norm1(x + self.dropout(self.out(mixed.transpose(1, 2).reshape(b, t, -1))))
        return self.norm2(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Reader(nn.Module):
    """Word positions in, hidden states and logits out."""

    def __init__(self, n_pieces, n_layers=3, inner=768, dropout=0.1, use_names=True):
        super().__init__()
        self.shape = {"n_pieces": n_pieces, "n_layers": n_layers, "inner": inner, "use_names": use_names}
        self.piece = nn.Embedding(n_pieces, WIDTH, sparse=True)
        self.position = nn.Embedding(POSITIONS, WIDTH)
        self.casing = nn.Embedding(2 * pieces.N_CASING, WIDTH)
        self.names = nn.Embedding(gazetteer.N_BITS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(inner, dropout) for _ in range(n_layers))
        self.entity = nn.Linear(WIDTH, len(labels.ENTITY_TAGS))
        self.quote = nn.Linear(WIDTH, len(labels.QUOTE_TAGS))
        nn.init.zeros_(self.casing.weight)
        nn.init.zeros_(self.names.weight)

    def encode(self, batch):
        """Hidden states (windows, positions, WIDTH); position 0 is [CLS], the one after the last word [SEP]."""
        return self.dropout(self.states(batch)[-1])

    def states(self, batch):
        """Hidden states after each layer."""
        b, t = batch["mask"].shape
        x = F.embedding_bag(batch["pieces"], self.piece.weight, batch["offsets"], mode="mean", sparse=True).view(b, t, WIDTH)
        x = x + self.position.weight[:t] + self.casing(batch["casing"])
        if self.shape["use_names"]:
            x = x + batch["names"].to(x.dtype) @ self.names.weight
        x = self.dropout(self.norm(x))
        bias = (1.0 - batch["mask"][:, None, None, :].to(x.dtype)) * -1e4
        result = []
        for layer in self.layers:
            x = layer(x, bias)
            result.append(x)
        return result

    def forward(self, batch):
        hidden = self.encode(batch)
        return self.entity(hidden), self.quote(hidden)


def from_base(old_ids, n_layers, inner, use_names):
    """A reader that starts from the base weights; each feed-forward part keeps its `inner` heaviest neurons."""
    from safetensors.torch import load_file

    base = load_file(vocabulary.base_folder() / "model.safetensors")
    get = lambda name: base[name] if name in base else base["bert." + name]
    reader = Reader(len(old_ids), n_layers, inner, use_names=use_names)
    with torch.no_grad():
        reader.piece.weight.copy_(get("embeddings.word_embeddings.weight")[old_ids])
        reader.position.weight.copy_(get("embeddings.position_embeddings.weight")[:POSITIONS] + get("embeddings.token_type_embeddings.weight")[0])
        reader.norm.weight.copy_(get("embeddings.LayerNorm.weight"))
        reader.norm.bias.copy_(get("embeddings.LayerNorm.bias"))
        for i, layer in enumerate(reader.layers):
            part = lambda name: {k: get(f"encoder.layer.{i}.{name}.{k}") for k in ("weight", "bias")}
            qkv = [part(f"attention.self.{n}") for n in ("query", "key", "value")]
            layer.qkv.load_state_dict({k: torch.cat([p[k] for p in qkv]) for k in ("weight", "bias")})
            layer.out.load_state_dict(part("attention.output.dense"))
            layer.norm1.load_state_dict(part("attention.output.LayerNorm"))
            layer.norm2.load_state_dict(part("output.LayerNorm"))
            up, down = part("intermediate.dense"), part("output.dense")
            weight = up["weight"].norm(dim=1) * down["weight"].norm(dim=0)
            keep = weight.topk(inner).indices.sort().values
            layer.up.load_state_dict({k: v[keep] for k, v in up.items()})
            layer.down.load_state_dict({"weight": down["weight"][:, keep], "bias": down["bias"]})
    return reader


def save(reader, vocabulary_list, path, tone=None):
    """A checkpoint, with a tone layer's weights where there is one."""
    torch.save({"shape": reader.shape, "vocabulary": vocabulary_list, "state": reader.state_dict(), "tone": tone and tone.state_dict()}, path)


def load(path):
    """(reader, vocabulary) of a checkpoint."""
    saved = torch.load(path)
    reader = Reader(**saved["shape"])
    reader.load_state_dict(saved["state"])
    return reader, saved["vocabulary"]
