"""Which centroid of one space is which of the other, from geometry alone: the quadratic assignment of two Gram matrices."""

import numpy as np
from numpy.typing import NDArray

_GAIN = 1e-12


def match_grams(a: NDArray[np.float64], b: NDArray[np.float64], rng: np.random.Generator, restarts: int = 30) -> NDArray[np.int64]:
    """The permutation p found that makes sum_ij a_ij b_p(i)p(j) greatest, (c,) int64.

    2-opt: from random permutations, all restarts side by side, the swap that gains most is made until none gains. A local optimum, since
    the problem is NP-hard; of the restarts the best, equal: the first.

    Args:
        a: (c, c) float64, symmetric.
        b: (c, c) float64, symmetric.
        rng: of the starts.
        restarts: how many.

    Cost: restarts c^3 a round, about c rounds.

    Source: Koopmans and Beckmann, Econometrica 25 (1957); 2-opt for the matching of spaces as in mini-vec2vec (arXiv 2510.02348).
    """
    size = len(a)
    permutations = np.stack([rng.permutation(size) for _ in range(restarts)])
    moved = b[permutations[:, :, None], permutations[:, None, :]]
    for _ in range(10 * size):
        gains = _swap_gains(a, moved).reshape(restarts, -1)
        best = gains.argmax(axis=1)
        going = np.flatnonzero(gains[np.arange(restarts), best] > _GAIN)
        if not len(going):
            break
        one, other = np.divmod(best[going], size)
        permutations[going, one], permutations[going, other] = permutations[going, other], permutations[going, one]
        moved = b[permutations[:, :, None], permutations[:, None, :]]
    found: NDArray[np.int64] = permutations[int((a * moved).sum(axis=(1, 2)).argmax())]
    return found


def _swap_gains(a: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the swap of r and s adds to sum_ij a_ij b_ij, (restarts, c, c).

    = 2 sum_k (a_rk - a_sk)(b_sk - b_rk) over all k but r and s, plus (a_rr - a_ss)(b_ss - b_rr) of the diagonals.
    """
    product = a @ moved
    own = np.einsum("pii->pi", product)
    diagonal_a, diagonal_b = np.diag(a), np.einsum("pii->pi", moved)
    gains: NDArray[np.float64] = 2 * (product + product.transpose(0, 2, 1) - own[:, :, None] - own[:, None, :])
    gains -= 2 * (diagonal_a[:, None] - a) * (moved - diagonal_b[:, :, None])
    gains -= 2 * (a - diagonal_a[None, :]) * (diagonal_b[:, None, :] - moved)
    gains += (diagonal_a[:, None] - diagonal_a[None, :]) * (diagonal_b[:, None, :] - diagonal_b[:, :, None])
    return gains
