"""What a bridge does to neighbourhoods: how many of the true partner's neighbours it keeps, and how many hubs it makes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.estimate import Estimate, jackknife_estimate, mean_estimate
from consilience_server.core.hubness import hubness
from consilience_server.core.similarity import Similarity
from consilience_server.core.units import unit_means
from consilience_server.engine.protocol import NeighbourEngine

NEIGHBOURS = 10

MAX_QUERIES = 1000
"""Held-out queries whose neighbourhoods are looked at: three searches a candidate, and a share is then known to .016."""

_GROUPS = 20


@dataclass(frozen=True)
class Neighbourhood:
    """Of held-out queries, with intervals.

    Attributes:
        retention: mean share of the k nearest of the true partner, in the target space itself, that are among the k nearest of the mapped
            query (the partner left out of both), in [0, 1]: what a search keeps that had the partner's own vector before. k is 10, or all
            the other items there are.
        hubness: skewness of how often each gallery item is among the k nearest of the mapped queries (`core/hubness.py`).
        hubness_csls: the same after CSLS, its bank these queries.
    """

    retention: Estimate
    hubness: Estimate
    hubness_csls: Estimate


def native_lists(
    vectors: NDArray[np.float32], partners: NDArray[np.int64], similarity: Similarity, engine: NeighbourEngine, control: Control
) -> NDArray[np.int32]:
    """The k nearest of each partner in the target space itself, (m, k) int32 rows."""
    k = min(NEIGHBOURS, len(vectors) - 1)
    return engine.query(vectors[partners], vectors, similarity, k, exclude=partners, control=control).indices[:, :k]


def neighbourhood(
    mapped: NDArray[np.float32],
    gallery: NDArray[np.float32],
    partners: NDArray[np.int64],
    native: NDArray[np.int32],
    engine: NeighbourEngine,
    control: Control,
    units: NDArray[np.int64] | None = None,
) -> Neighbourhood:
    """Measure one map.

    Args:
        mapped: (m, d) float32, queries where they meet the gallery.
        gallery: (n, d) float32, n >= 2.
        partners: (m,) the gallery row of each query's partner.
        native: (m, k) of `native_lists`.
        engine: searches exactly.
        control: cancellation.
        units: (m,) equal for queries that are one draw (`core/units.py`); None: each is its own.
    """
    k = native.shape[1]
    # One more than k: without the partner k are left.
    longer = engine.query(mapped, gallery, Similarity.COSINE, k + 1, control=control).indices[:, : k + 1]
    lists = longer[:, :k]
    others = [row[row != partner][:k] for row, partner in zip(longer, partners, strict=True)]
    shared = np.array([len(np.intersect1d(one, other)) for one, other in zip(others, native, strict=True)], dtype=np.float64)
    among = min(k, len(mapped))
    term = neighbourhood_mean(engine.query(gallery, mapped, Similarity.COSINE, among, control=control).scores, among)
    corrected = engine.query(mapped, gallery, Similarity.COSINE, k, bias=term, control=control).indices[:, :k]
    return Neighbourhood(
        mean_estimate(unit_means(shared / k, units), 0.0, 1.0),
        _skewness(lists, len(gallery), units),
        _skewness(corrected, len(gallery), units),
    )


def _skewness(lists: NDArray[np.int32], items: int, units: NDArray[np.int64] | None) -> Estimate:
    """Hubness of k-lists, its interval by leaving out twentieths of the queries, whole units."""
    counts = np.bincount(lists.ravel(), minlength=items).astype(np.float64)
    full = hubness(counts)
    numbers = np.arange(len(lists)) if units is None else np.unique(units, return_inverse=True)[1]
    groups = min(_GROUPS, int(numbers.max()) + 1)
    if groups < 2:
        return Estimate(full, full, full)
    part = numbers % groups
    without = [hubness(counts - np.bincount(lists[part == group].ravel(), minlength=items)) for group in range(groups)]
    return jackknife_estimate(full, np.array(without))
