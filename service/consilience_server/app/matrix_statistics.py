"""What a matrix of many spaces says as a whole: p-values adjusted for all pairs, a map of the spaces, and their order in a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.reports import ItemPolicy
from consilience_server.core.classical_scaling import classical_scaling, disagreement
from consilience_server.core.dendrogram import leaf_order
from consilience_server.core.false_discovery import benjamini_hochberg
from consilience_server.core.max_t import max_t
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair


@dataclass(frozen=True)
class MatrixStatistics:
    """Of M spaces.

    Attributes:
        p_adjusted: (M, M) `core/max_t.py` over all pairs, NaN on the diagonal; None without permutations, and where pairs are over items of
            their own: then no pairing is shared, and there is no maximum.
        q_values: (M, M) `core/false_discovery.py`, NaN on the diagonal; None without permutations.
        coordinates: (M, 2) `core/classical_scaling.py` of 1 - score, both directions averaged.
        explained, stress: how much of the disagreement the map shows.
        order: the spaces in the order of the leaves, `core/dendrogram.py`.
        cautions: plain sentences on these numbers.
    """

    p_adjusted: NDArray[np.float64] | None
    q_values: NDArray[np.float64] | None
    coordinates: NDArray[np.float64]
    explained: float
    stress: float
    order: tuple[int, ...]
    cautions: tuple[str, ...]


def matrix_statistics(scores: Mapping[Pair, Score], square: NDArray[np.float64], items: ItemPolicy, alpha: float) -> MatrixStatistics:
    """The statistics of all pairs of different spaces, each ordered pair by itself where the metric is not symmetric.

    Args:
        scores: of pairs i <= j, and j < i for metrics that are not symmetric.
        square: (M, M) their values.
        items: whether all are over the same items and pairings.
        alpha: level that cautions speak of.
    """
    pairs = sorted(pair for pair in scores if pair[0] != pair[1])
    distances = disagreement(square)
    scaled = classical_scaling(distances)
    p_adjusted = q_values = None
    nulls = [null for pair in pairs if (null := scores[pair].null) is not None]
    if len(nulls) == len(pairs):
        p_values = np.array([scores[pair].p_value for pair in pairs], dtype=np.float64)
        q_values = _square(benjamini_hochberg(p_values), pairs, len(square))
        if items == "common" and len({len(null) for null in nulls}) == 1:
            p_adjusted = _square(max_t(np.array([scores[pair].score for pair in pairs]), np.stack(nulls)), pairs, len(square))
    return MatrixStatistics(
        p_adjusted,
        q_values,
        scaled.coordinates,
        scaled.explained,
        scaled.stress,
        tuple(int(leaf) for leaf in leaf_order(distances)),
        tuple(_cautions(len(pairs), len(nulls[0]) if nulls else 0, items, alpha)),
    )


def _cautions(pairs: int, permutations: int, items: ItemPolicy, alpha: float) -> list[str]:
    found = []
    if permutations and items == "pairwise":
        found.append("pairs over items of their own share no pairings, so there are no p-values of their maximum; q_values are valid")
    if permutations and pairs / (permutations + 1) > alpha * (1.0 + 1e-9):
        found.append(
            f"with {permutations:,} permutations one pair of {pairs:,} alone cannot reach a q-value of {alpha:g}; "
            f"ask {int(np.ceil(pairs / alpha)) - 1:,} permutations, or read the adjusted p-values"
        )
    return found


def _square(values: NDArray[np.float64], pairs: Sequence[Pair], count: int) -> NDArray[np.float64]:
    square = np.full((count, count), np.nan)
    for (i, j), value in zip(pairs, values, strict=True):
        square[i, j] = value
        if (j, i) not in pairs:
            square[j, i] = value
    return square
