"""Spaces as shape metrics compare them: centred features in canonical order, as orthonormal directions or with their lengths."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core import angular_shape, procrustes_similarity
from consilience_server.core.column_space import centred, column_space, rounding_noise, standardized
from consilience_server.core.paired_features import check_informative
from consilience_server.core.svcca import strongest

ShapeMetric = Literal["cca", "svcca", "procrustes", "angular_shape"]
SHAPE_METRICS: frozenset[ShapeMetric] = frozenset(get_args(ShapeMetric))
"""Metrics that are functions of |X'Y|_*, the sum of singular values of the cross-product of two feature matrices, and of their sizes."""

ANGLE_METRICS: frozenset[ShapeMetric] = frozenset({"cca", "svcca"})
"""Those whose feature matrices are orthonormal bases, so that lengths do not count; their size is the number of directions."""

DISPLAYED = {"cca": "CCA", "svcca": "SVCCA", "procrustes": "Procrustes similarity", "angular_shape": "the angular shape metric"}
"""Names for messages."""


@dataclass(frozen=True)
class ShapeFeatures:
    """One space, its rows in canonical order.

    Attributes:
        values: (n, r) float64, C-contiguous, columns of mean 0; orthonormal for `ANGLE_METRICS`, else with the Gram matrix of the centred
            vectors and r <= n.
        size: number of directions r for `ANGLE_METRICS`, else the squared Frobenius norm.
        standardized: (n, d) float64 of `svcca`, what its components are of; None for others.
    """

    values: NDArray[np.float64]
    size: float
    standardized: NDArray[np.float64] | None = None

    @property
    def directions(self) -> int:
        """Columns of `values`."""
        return int(self.values.shape[1])


def shape_features(metric: ShapeMetric, x: NDArray[np.floating], order: NDArray[np.int64], components: int, name: str) -> ShapeFeatures:
    """Bring one space into the form that `metric` compares.

    Args:
        metric: which.
        x: (n, d), finite.
        order: (n,) the rows in canonical order.
        components: of `svcca`.
        name: the side, for messages.

    Raises:
        ConstantFeatures: all rows are equal.
        InvalidArgument: components < 1.

    Cost:
        About 6 n d min(n, d) operations for orthonormal bases, else O(n d), and O(n^2 d) where d > n.
    """
    check_informative(x, DISPLAYED[metric], name)
    rows = x[order]
    if metric == "cca":
        space = column_space(centred(rows), rounding_noise(x, x.dtype))
        return ShapeFeatures(space.basis, space.rank)
    if metric == "svcca":
        space = strongest(rows, components)
        return ShapeFeatures(space.basis, space.rank, standardized(rows))
    values = centred(rows)
    if values.shape[1] > len(values):
        # The triangular factor of a QR decomposition has the same Gram matrix in fewer columns.
        (triangle,) = scipy.linalg.qr(values.T, mode="r", overwrite_a=True, check_finite=False)
        values = np.ascontiguousarray(triangle[: len(values)].T)
    return ShapeFeatures(values, float(np.vdot(values, values)))


def shape_scores_of(metric: ShapeMetric, nuclear: NDArray[np.float64], size_x: float, size_y: float) -> NDArray[np.float64]:
    """The metric from sums of singular values |X'Y|_* (any shape) and the sizes of both sides; `procrustes` in units of y."""
    if metric in ANGLE_METRICS:
        return np.minimum(np.asarray(nuclear, dtype=np.float64) / min(size_x, size_y), 1.0)
    if metric == "procrustes":
        return procrustes_similarity.similarity_of(nuclear, size_x, size_y)
    return angular_shape.similarity_of(nuclear, size_x, size_y)
