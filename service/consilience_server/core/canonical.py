"""Canonical projections of two spaces: the directions on either side that go together most, by their correlation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.whitening import Whitening, whitenings


@dataclass(frozen=True)
class Canonical:
    """The whitened cross-covariance of two spaces, decomposed: Cxx^-1/2 X'Y Cyy^-1/2 = U S V'.

    Attributes:
        source_whitening: of X.
        target_whitening: of Y.
        left: (d_x, r) float64, U; r = min(d_x, d_y).
        right: (d_y, r) float64, V.
        correlations: (r,) float64, S in [0, 1], falling: the (regularised) canonical correlations.
    """

    source_whitening: Whitening
    target_whitening: Whitening
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    correlations: NDArray[np.float64]

    def projections(self, components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cxx^-1/2 U_s (d_x, s) and Cyy^-1/2 V_s (d_y, s): x and y in their first s canonical coordinates, which pair up."""
        source = self.source_whitening.inverse_root @ self.left[:, :components]
        return source, self.target_whitening.inverse_root @ self.right[:, :components]


def canonical(x: NDArray[np.float64], y: NDArray[np.float64], penalty: float) -> Canonical:
    """Canonical correlation analysis of centred pairs, each covariance regularised by `penalty` of its mean eigenvalue.

    Args:
        x: (n, d_x) float64, row i the partner of row i of y; columns centred, not all zero.
        y: (n, d_y) float64.
        penalty: > 0. With fewer pairs than dimensions and a small penalty every correlation nears 1 whatever the pairs.

    Cost: n (d_x + d_y)^2, two symmetric decompositions, one singular value decomposition of (d_x, d_y).

    Source: Hotelling, Biometrika 28 (1936); regularised as in Vinod, "Canonical ridge", J. Econometrics 4 (1976).
    """
    return next(canonical_path(x, y, (penalty,)))


def canonical_path(x: NDArray[np.float64], y: NDArray[np.float64], penalties: Sequence[float]) -> Iterator[Canonical]:
    """`canonical` for each penalty; the covariances are decomposed once."""
    cross = x.T @ y
    for source, target in zip(whitenings(x, penalties), whitenings(y, penalties), strict=True):
        white = source.inverse_root @ cross @ target.inverse_root
        left, correlations, right = scipy.linalg.svd(white, full_matrices=False, check_finite=False)
        yield Canonical(source, target, left, right.T, np.clip(correlations, 0.0, 1.0))
