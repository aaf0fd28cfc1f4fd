"""The nearest classes of items, each item without what it adds to its own class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.class_prototypes import OwnPrototypes
from consilience_server.app.validation import shown
from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.errors import ZeroVector
from consilience_server.core.exact_score import exact_pair_scores
from consilience_server.core.similarity import Similarity
from consilience_server.core.slices import Slices
from consilience_server.engine.protocol import NeighbourEngine


@dataclass(frozen=True)
class RankedClasses:
    """(n, depth) each: positions of classes, best first, what ranked them, and raw cosines."""

    classes: NDArray[np.int32]
    scores: NDArray[np.float64]
    similarities: NDArray[np.float64]


def rank_classes(
    asked: NDArray[np.float32],
    prototypes: NDArray[np.float32],
    of: Slices,
    own: OwnPrototypes,
    depth: int,
    correction_k: int | None,
    engine: NeighbourEngine,
    control: Control,
) -> RankedClasses:
    """The classes of the largest cosine to each item; with CSLS of 2 cosine - r(class).

    A class is the mean of the directions of its prototypes; for an item that is one of them, of the others. r is that of the whole class.
    Equal scores go to the class that stands first.

    Args:
        asked: (n, d) float32 items, not zero.
        prototypes: (p, d) float32, where the items are.
        of: the class of each prototype.
        own: prototypes that are items; every class has others.
        depth: classes an item, at most C.
        correction_k: neighbourhood of CSLS; None for cosines.
        engine: searches.
        control: cancellation.

    Raises:
        ZeroVector: the directions of a class cancel out.
    """
    directions = unit(prototypes)
    sums = np.zeros((len(of.values), prototypes.shape[1]))
    np.add.at(sums, of.of, directions)
    gallery = _directed(sums, of, np.arange(len(sums)))
    bias = None
    if correction_k is not None:
        k = min(correction_k, len(asked))
        bias = neighbourhood_mean(engine.query(gallery, asked, Similarity.COSINE, k, control=control).scores, k)
    # An item and a class of its own are one entry, however many of the prototypes it is.
    keys, entry = np.unique(own.items * len(sums) + of.of[own.prototypes], return_inverse=True)
    at, own_class = np.divmod(keys, len(sums))
    within = np.arange(len(at)) - np.searchsorted(at, at)
    width = int(within.max()) + 1 if len(at) else 0
    searched = min(depth + width, len(sums))
    table = engine.query(asked, gallery, Similarity.COSINE, searched, bias=bias, control=control)
    found, scores = table.indices[:, :searched].astype(np.int64), table.scores[:, :searched]
    rows = np.repeat(np.arange(len(asked)), searched)
    raw = exact_pair_scores(asked, gallery, Similarity.COSINE, rows, found.ravel()).reshape(found.shape)
    if len(at):
        others = sums[own_class]
        np.subtract.at(others, entry, directions[own.prototypes])
        left = exact_pair_scores(asked, _directed(others, of, own_class), Similarity.COSINE, at, np.arange(len(at)))
        known = np.isin(np.arange(len(asked))[:, None] * len(sums) + found, keys)
        more = np.full((3, len(asked), width), -np.inf)
        more[:, at, within] = own_class, left if bias is None else 2.0 * left - bias[own_class], left
        found = np.hstack((found, np.where(np.isinf(more[0]), 0, more[0]).astype(np.int64)))
        scores, raw = np.hstack((np.where(known, -np.inf, scores), more[1])), np.hstack((raw, more[2]))
        order = np.lexsort((found, -scores))[:, :depth]
        found = np.take_along_axis(found, order, axis=1)
        scores, raw = np.take_along_axis(scores, order, axis=1), np.take_along_axis(raw, order, axis=1)
    return RankedClasses(found[:, :depth].astype(np.int32), scores[:, :depth], raw[:, :depth])


def _directed(sums: NDArray[np.float64], of: Slices, classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Float32 of unit length; ZeroVector where the directions of a class cancel out."""
    zero = np.unique(classes[np.linalg.norm(sums, axis=1) < 1e-6])
    if len(zero):
        lost = shown([of.values[at] for at in zero])
        raise ZeroVector(f"the prototypes of {len(zero):,} classes have no direction: {lost}; repair them", field="prototypes")
    return unit(sums).astype(np.float32)
