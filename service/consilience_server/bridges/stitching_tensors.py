"""A stitching layer and its losses as tensors, so that torch can differentiate them; tests hold each to its definition in NumPy."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.stitching_options import StitchingOptions


def forward(torch: Any, parameters: Sequence[Any], rows: Any) -> Any:
    """The layer's unit rows, as tensors: `Affine` or `ResidualMlp` of `bridges/steps.py`, then `Unit`."""
    weights, bias, *hidden = parameters
    reached = rows @ weights + bias
    if hidden:
        into, offset, out = hidden
        reached = reached + torch.relu(rows @ into + offset) @ out
    return reached / reached.norm(dim=1, keepdim=True).clamp_min(1e-12)


def cosine_relational_loss(mapped: Any, partners: Any, weight: float) -> Any:
    """`core/relational_loss.py` of unit rows, as tensors."""
    own = (1.0 - (mapped * partners).sum(dim=1)).mean()
    return own + weight * ((mapped @ mapped.T - partners @ partners.T) ** 2).mean()


def infonce_loss(torch: Any, mapped: Any, partners: Any, temperature: float) -> Any:
    """`core/infonce.py` of unit rows, as tensors."""
    scores = mapped @ partners.T / temperature
    own = scores.diagonal()
    return (torch.logsumexp(scores, dim=1) + torch.logsumexp(scores, dim=0)).mean() / 2.0 - own.mean()


def first_parameters(start: NDArray[np.float64], options: StitchingOptions, seed: int) -> list[NDArray[np.float32]]:
    """The linear map and no bias; a random hidden layer (entries of variance 2 / h, He et al. 2015) that adds nothing yet."""
    source, target = start.shape
    hidden = options.width(source, target)
    first = [start, np.zeros(target)]
    if hidden:
        random = np.random.default_rng([seed, 0, 0])
        first += [math.sqrt(2.0 / hidden) * random.standard_normal((source, hidden)), np.zeros(hidden), np.zeros((hidden, target))]
    return [array.astype(np.float32) for array in first]
