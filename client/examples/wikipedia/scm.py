"""Semantic correlation matching (Rasiwasia et al., ACM Multimedia 2010): two maps learned apart meet in the probabilities of classes."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Array = NDArray[np.float64]


def canonical_directions(x: Array, y: Array, components: int, penalty: float = 1e-4) -> tuple[Array, Array]:
    """Canonical correlation analysis of centred pairs: the directions of either side that correlate most, (d_x, c) and (d_y, c).

    Each covariance gets `penalty` of its mean eigenvalue on the diagonal, so that weak directions do not correlate by chance.
    """
    roots = []
    for side in (x, y):
        covariance = side.T @ side / len(side)
        values, vectors = np.linalg.eigh(covariance + penalty * np.trace(covariance) / len(covariance) * np.eye(len(covariance)))
        roots.append((vectors / np.sqrt(values)) @ vectors.T)
    left, _, right = np.linalg.svd(roots[0] @ (x.T @ y / len(x)) @ roots[1])
    return roots[0] @ left[:, :components], roots[1] @ right[:components].T


class Posteriors:
    """Multinomial logistic regression of standardised features: P(class | x).

    Minimises the mean cross-entropy plus penalty / 2 |W|^2, which has one minimum.

    Args:
        x: (n, d) features to learn from.
        classes: (n,) whole numbers from 0.
        penalty: of the weights; the intercepts have none.
    """

    def __init__(self, x: Array, classes: NDArray[np.integer], penalty: float = 1e-3) -> None:
        self._mean, self._scale = x.mean(axis=0), x.std(axis=0)
        rows, (n, width), count = self._standardised(x), x.shape, int(classes.max()) + 1
        hot = np.eye(count)[classes]

        def loss(flat: Array) -> tuple[float, Array]:
            weights = flat.reshape(width + 1, count)
            logs = log_softmax(rows @ weights, axis=1)
            slopes = np.vstack((weights[:-1], np.zeros(count)))
            return -(logs * hot).sum() / n + penalty / 2 * (slopes**2).sum(), (rows.T @ (np.exp(logs) - hot) / n + penalty * slopes).ravel()

        found = minimize(loss, np.zeros((width + 1) * count), jac=True, method="L-BFGS-B", options={"maxiter": 1000, "gtol": 1e-7})
        self._weights = found.x.reshape(width + 1, count)

    def __call__(self, x: Array) -> Array:
        """(m, C) probabilities of the classes; rows sum to 1."""
        return np.exp(log_softmax(self._standardised(x) @ self._weights, axis=1))

    def _standardised(self, x: Array) -> Array:
        return np.hstack(((x - self._mean) / self._scale, np.ones((len(x), 1))))


def mean_average_precision(found: NDArray[np.integer], queries: NDArray[np.integer]) -> float:
    """The mean over queries of the precision at each relevant place of a whole ranking.

    Args:
        found: (m, n) classes of the items found, best first.
        queries: (m,) the class of each query, which every ranking has.
    """
    relevant = found == queries[:, None]
    precision = relevant.cumsum(axis=1) / np.arange(1, found.shape[1] + 1)
    return float(((precision * relevant).sum(axis=1) / relevant.sum(axis=1)).mean())
