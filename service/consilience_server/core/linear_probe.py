"""A linear probe: multinomial logistic regression, the plain way to ask what a space knows of some classes."""

from dataclasses import dataclass

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from scipy.special import logsumexp

PENALTY = 1e-3
"""Of half the squared weights, beside the mean loss of standardised features."""

_ITERATIONS = 200


@dataclass(frozen=True)
class LinearProbe:
    """argmax_c of standardised(x) @ weights + bias.

    Attributes:
        weights: (d, C) float64.
        bias: (C,) float64.
        mean: (d,) float64, of the features it was trained on.
        scale: (d,) float64, their deviation; 1 where they do not vary.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def predict(self, x: NDArray[np.floating]) -> NDArray[np.int64]:
        """(m,) int64 classes of (m, d) features; of equals the lowest."""
        found: NDArray[np.int64] = np.argmax((x - self.mean) / self.scale @ self.weights + self.bias, axis=1).astype(np.int64)
        return found


def fit_probe(x: NDArray[np.floating], classes: NDArray[np.int64], count: int) -> LinearProbe:
    """Minimise the mean cross-entropy plus PENALTY / 2 |W|^2 over weights and bias, features standardised.

    Convex with one minimum in W; solved by L-BFGS from zero to a gradient of 1e-5, at most 200 iterations.

    Args:
        x: (n, d), n >= 1, finite.
        classes: (n,) int64 in [0, count).
        count: number of classes C.

    Cost: about 100 products of (n, d) and (d, C).
    """
    rows = x.astype(np.float64)
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale <= 1e-12 * max(float(scale.max(initial=0.0)), 1e-300)] = 1.0
    rows = (rows - mean) / scale
    n, width = rows.shape
    hot = np.zeros((n, count))
    hot[np.arange(n), classes] = 1.0

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat[:-count].reshape(width, count), flat[-count:]
        logits = rows @ weights + bias
        normaliser = logsumexp(logits, axis=1, keepdims=True)
        value = float((normaliser[:, 0] - (logits * hot).sum(axis=1)).mean() + PENALTY / 2 * (weights * weights).sum())
        residual = (np.exp(logits - normaliser) - hot) / n
        return value, np.concatenate(((rows.T @ residual + PENALTY * weights).ravel(), residual.sum(axis=0)))

    found = scipy.optimize.minimize(
        loss, np.zeros(width * count + count), jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS, "gtol": 1e-5}
    ).x
    return LinearProbe(found[:-count].reshape(width, count), found[-count:], mean, scale)
