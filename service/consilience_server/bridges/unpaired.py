"""A rotation between two spaces without a known pair, from the geometry of their clusters: the recipe of mini-vec2vec.

Centroids of one side are matched with those of the other by how they lie to each other; similarities to them place every item of both sides
in one relative space, where neighbours serve as pseudo-pairs; a rotation fitted on these is refined by its own neighbours.

Source: Dar, "mini-vec2vec: scaling universal geometry alignment with linear transformations", arXiv 2510.02348.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.kmeans import kmeans
from consilience_server.core.procrustes import procrustes
from consilience_server.core.quadratic_assignment import match_grams

Rows = NDArray[np.float32]

MATCHINGS = 30
CENTROIDS = 20
"""Of each matching where the caller names no other number."""

SAMPLE = 10_000
"""Items of each side that one step looks at."""

NEIGHBOURS = 50
"""Whose mean is a pseudo-partner; a hundredth of the items where that is less, since a larger share reaches across clusters."""

REFINEMENTS = 40
REFINED_ROWS = 1000
_CORRECTION_CENTROIDS = 500
_CORRECTION_ITERATIONS = 10
_SHARP = (20, 10, 5, 2, 1, 1, 1, 1)
SHARP_ROWS = 4000
_BLOCK_ROWS = 500


def rotation_without_pairs(x: Rows, y: Rows, rng: np.random.Generator, control: Control, centroids: int = CENTROIDS) -> NDArray[np.float64]:
    """(d_x, d_y) float64, semi-orthogonal: where it leads x among y; nothing here tells whether that is right.

    Args:
        x: (n, d_x) float32 unit rows about their mean, n >= 10 centroids.
        y: (m, d_y) float32, likewise; no row is known to belong to one of x.
        rng: of all samples and starts.
        control: cancellation and progress.
        centroids: of each matching, on each side.
    """
    anchors = _matched_anchors(x, y, centroids, rng, control.part(0.0, 0.4))
    rotation = from_anchors(_some(x, SAMPLE, rng), _some(y, SAMPLE, rng), *anchors, control)
    rotation = _refined(x, y, rotation, rng, control.part(0.45, 0.8))
    rotation = _corrected(x, y, rotation, rng)
    return sharpened(x, y, rotation, rng, control.part(0.85, 1.0))


def sharpened(x: Rows, y: Rows, rotation: NDArray[np.float64], rng: np.random.Generator, control: Control) -> NDArray[np.float64]:
    """The rotation of x onto the means of ever fewer neighbours of where it leads, down to the nearest."""
    for done, count in enumerate(_SHARP):
        control.check()
        rows, gallery = _some(x, SHARP_ROWS, rng), _some(y, 2 * SAMPLE, rng)
        rotation = _procrustes(rows, neighbour_means(_turned(rows, rotation), gallery, gallery, count, control))
        control.progress((done + 1) / len(_SHARP))
    return rotation


def neighbour_means(queries: Rows, gallery: Rows, values: Rows, count: int, control: Control) -> Rows:
    """Mean of the `values` of the `count` gallery rows of greatest inner product, (m, width) float32; which of equals is left open."""
    count = min(count, len(gallery))
    means = np.empty((len(queries), values.shape[1]), dtype=np.float32)
    for start in range(0, len(queries), _BLOCK_ROWS):
        control.check()
        rows = slice(start, start + _BLOCK_ROWS)
        scores = queries[rows] @ gallery.T
        if count == 1:
            means[rows] = values[scores.argmax(axis=1)]
        elif count == len(gallery):
            means[rows] = values.mean(axis=0)
        else:
            nearest = np.argpartition(scores, -count, axis=1)[:, -count:]
            means[rows] = values[nearest].mean(axis=1)
    return means


def _matched_anchors(x: Rows, y: Rows, centroids: int, rng: np.random.Generator, control: Control) -> tuple[Rows, Rows]:
    """(MATCHINGS centroids, d) unit rows of each side, row i of both the same place."""
    of_x, of_y = [], []
    for done in range(MATCHINGS):
        control.check()
        one = kmeans(_some(x, SAMPLE, rng), centroids, rng)
        control.check()
        other = kmeans(_some(y, SAMPLE, rng), centroids, rng)
        places = match_grams(_gram(one), _gram(other), rng)
        of_x.append(one)
        of_y.append(other[places])
        control.progress((done + 1) / MATCHINGS)
    return _unit(np.concatenate(of_x)), _unit(np.concatenate(of_y))


def from_anchors(x: Rows, y: Rows, of_x: Rows, of_y: Rows, control: Control) -> NDArray[np.float64]:
    """The rotation of x onto the mean of those of y whose similarities to the anchors are most alike; row i of both is one place."""
    relative_x, relative_y = x @ of_x.T, y @ of_y.T
    relative_x, relative_y = (_unit(rows - rows.mean(axis=0)) for rows in (relative_x, relative_y))
    return _procrustes(x, neighbour_means(relative_x, relative_y, y, _neighbours(y), control))


def _refined(x: Rows, y: Rows, rotation: NDArray[np.float64], rng: np.random.Generator, control: Control) -> NDArray[np.float64]:
    """Iterated closest points with smoothing: half the rotation so far, half that of a fresh sample onto its neighbours' means."""
    for done in range(REFINEMENTS):
        rows, gallery = _some(x, REFINED_ROWS, rng), _some(y, SAMPLE, rng)
        rotation = 0.5 * (
            rotation + _procrustes(rows, neighbour_means(_turned(rows, rotation), gallery, gallery, _neighbours(gallery), control))
        )
        control.progress((done + 1) / REFINEMENTS)
    return rotation


def _corrected(x: Rows, y: Rows, rotation: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Clusters of x, and those of y that start from where they lead, as pairs."""
    x, y = _some(x, SAMPLE, rng), _some(y, SAMPLE, rng)
    count = min(_CORRECTION_CENTROIDS, len(x) // 5, len(y) // 5)
    start = x[rng.choice(len(x), count, replace=False)]
    one = kmeans(x, count, rng, _CORRECTION_ITERATIONS, start)
    other = kmeans(y, count, rng, _CORRECTION_ITERATIONS, _turned(one, rotation))
    return _procrustes(one, other)


def _some(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    return rows if len(rows) <= count else rows[np.sort(rng.choice(len(rows), count, replace=False))]


def _neighbours(gallery: Rows) -> int:
    return max(min(NEIGHBOURS, len(gallery) // 100), 1)


def _turned(rows: Rows, rotation: NDArray[np.float64]) -> Rows:
    return rows @ rotation.astype(np.float32)


def _procrustes(x: Rows, y: Rows) -> NDArray[np.float64]:
    return procrustes(x.astype(np.float64), y.astype(np.float64))


def _gram(centroids: Rows) -> NDArray[np.float64]:
    directions = _unit(centroids - centroids.mean(axis=0)).astype(np.float64)
    gram: NDArray[np.float64] = directions @ directions.T
    return gram


def _unit(rows: Rows) -> Rows:
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    scaled: Rows = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled
