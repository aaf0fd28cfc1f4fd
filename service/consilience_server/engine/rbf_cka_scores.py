"""RBF CKA with chance, p-value, calibrated score and interval, from distance matrices."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.rbf_cka import Bandwidth
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions
from consilience_server.engine.form_scores import form_bytes, form_scores
from consilience_server.engine.pair_forms import GaussianSource


def rbf_cka_scores(
    distances: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    bandwidth: Bandwidth,
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """Pairs i <= j of M spaces, all unless some are named, under shared permutations. Definition: `core/rbf_cka.py`.

    Within 1e-10 of it on any number of threads. Entry (i, i) is 1, without null. `chance` is exact, as in `core/cka.py: linear_chance`.
    Scores tell the sigma of either side.

    Args:
        distances: M condensed (n (n-1) / 2,) float64 Euclidean distances of the same items in canonical order (`engine/pairwise.py`);
            for given dissimilarities, these in their place.
        names: of the spaces, for refusals.
        bandwidth: how each side's sigma is chosen; the interval chooses it anew without each group of items.
        options: how scores are judged.
        control: cancellation and progress.
        pairs: those that are wanted.

    Raises:
        ConstantFeatures: as in `core/rbf_cka.py`.

    Cost:
        O(n^2) a permutation; memory `rbf_cka_bytes`.
    """
    sources = [GaussianSource(pairs, bandwidth, name) for pairs, name in zip(distances, names, strict=True)]
    return form_scores(sources, 0.0, options, control, pairs, [source.sigma for source in sources])


def rbf_cka_bytes(n: int, spaces: int, threads: int) -> int:
    """Peak bytes of `rbf_cka_scores` beyond the distances."""
    return form_bytes(n, spaces, threads)
