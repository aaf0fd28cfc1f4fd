"""Points from dissimilarities, and the similarity transform that lays them over others."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform


class Overlay(NamedTuple):
    """`points` moved over the target, and the share of the target's variance that they hit."""

    points: NDArray[np.float64]
    explained: float


def classical_scaling(dissimilarity: NDArray[np.float64], axes: int) -> NDArray[np.float64]:
    """The leading axes of -H D H / 2, H = I - 11'/n, for squared distances D (Torgerson 1952); (n, axes)."""
    centred = dissimilarity - dissimilarity.mean(axis=0) - dissimilarity.mean(axis=1)[:, None] + dissimilarity.mean()
    values, vectors = np.linalg.eigh(-0.5 * centred)
    leading = np.argsort(values)[::-1][:axes]
    return vectors[:, leading] * np.sqrt(np.maximum(values[leading], 0.0))


def metric_mds(dissimilarity: NDArray[np.float64], axes: int = 3, starts: int = 20, seed: int = 0) -> tuple[NDArray[np.float64], float]:
    """Points whose distances are nearest to the dissimilarities, the best of several starts, and their stress.

    ```
    stress = sqrt( sum_(i<j) (|x_i - x_j| - d_ij)^2 / sum_(i<j) d_ij^2 )
    ```
    SMACOF (de Leeuw 1977): each round is a Guttman transform, which never raises the stress. The first start is classical scaling of the
    squares, the others are random.
    """
    n, size = len(dissimilarity), np.sqrt((squareform(dissimilarity, checks=False) ** 2).sum())
    random = np.random.default_rng(seed)
    best, least = np.empty((n, axes)), np.inf
    for start in range(starts):
        points = classical_scaling(dissimilarity**2, axes) if start == 0 else random.standard_normal((n, axes)) * dissimilarity.std()
        before = np.inf
        for _ in range(500):
            distances = squareform(pdist(points))
            stress = float(np.sqrt((squareform(distances - dissimilarity, checks=False) ** 2).sum()) / size)
            if before - stress < 1e-7:
                break
            before = stress
            ratio = np.divide(dissimilarity, distances, out=np.zeros_like(distances), where=distances > 0)
            points = (np.diag(ratio.sum(axis=1)) - ratio) @ points / n
        if stress < least:
            best, least = points, stress
    return best, least


def overlay(points: NDArray[np.float64], target: NDArray[np.float64]) -> Overlay:
    """The rotation or reflection, scale and shift that bring points nearest to a target of the same shape (Kabsch 1976; Umeyama 1991)."""
    centre, aim = points - points.mean(axis=0), target - target.mean(axis=0)
    left, values, right = np.linalg.svd(centre.T @ aim)
    scale = values.sum() / (centre**2).sum()
    return Overlay(scale * centre @ (left @ right) + target.mean(axis=0), float(values.sum() ** 2 / ((centre**2).sum() * (aim**2).sum())))
