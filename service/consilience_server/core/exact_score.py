"""The definition of the score: float64, one fixed order of summation, the same bits on every machine.

For float32 vectors q and x of width d, every term is formed in float64 and summed in 64 interleaved lanes: lane l starts from +0.0
and takes the positions l, l + 64, l + 128, ... one after the other; then the lanes are halved pairwise (l with l + 32, l + 16, ..., l + 1).

```
dot(q, x)     = lane sum of q_i * x_i            (each product is exact: 24 + 24 bits fit into 53)
cosine        = dot(q, x) / (norm(q) * norm(x)),  norm(v) = sqrt(dot(v, v))
inner product = dot(q, x)
squared L2    = 0.0 - lane sum of (q_i - x_i)^2
```
Larger is nearer in all three. Only elementwise NumPy operations are used: a reduction or a BLAS call may choose its own order. NumPy
releases the interpreter's lock inside them, so threads that work on different rows run side by side.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.similarity import Similarity

LANES = 64
"""Lanes of the sum; a power of two."""

_BLOCK_PAIRS = 512
"""Pairs whose lanes are in work at once: 2 x 512 x 64 float64 stay in a core's cache."""

_GATHER_BYTES = 1 << 20
"""Bytes of gathered rows in work at once, on each side."""

_Terms = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]], object]


def _products(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float64]) -> None:
    np.multiply(a, b, out=out, dtype=np.float64)


def _squared_differences(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float64]) -> None:
    np.subtract(a, b, out=out, dtype=np.float64)
    np.multiply(out, out, out=out)


def _lane_sums(a: NDArray[np.float32], b: NDArray[np.float32], terms: _Terms) -> NDArray[np.float64]:
    """Sum the terms of `a` (..., d) and `b` (..., d), which broadcast against each other, in the documented order."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    # Lanes beyond the width hold +0.0, and adding that changes no bit (a lane is never -0.0): narrow vectors need no more than their own.
    count = min(LANES, 1 << max(0, shape[-1] - 1).bit_length())
    lanes = np.zeros((*shape[:-1], count))
    scratch = np.empty_like(lanes)
    for start in range(0, shape[-1], LANES):
        width = min(LANES, shape[-1] - start)
        terms(a[..., start : start + width], b[..., start : start + width], scratch[..., :width])
        lanes[..., :width] += scratch[..., :width]
    half = count // 2
    while half:
        lanes = lanes[..., :half] + lanes[..., half : 2 * half]
        half //= 2
    return lanes[..., 0]


def _rowwise(a: NDArray[np.float32], b: NDArray[np.float32], terms: _Terms) -> NDArray[np.float64]:
    sums = np.empty(len(a))
    for start in range(0, len(a), _BLOCK_PAIRS):
        block = slice(start, start + _BLOCK_PAIRS)
        sums[block] = _lane_sums(a[block], b[block], terms)
    return sums


def exact_dots(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Dot products of row i of `a` with row i of `b`.

    Args:
        a: (m, d) float32.
        b: (m, d) float32.

    Returns:
        (m,) float64.
    """
    return _rowwise(a, b, _products)


def exact_norms(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Euclidean norms sqrt(dot(v, v)) of the rows of `vectors` (n, d) float32, as (n,) float64."""
    return np.sqrt(exact_dots(vectors, vectors))


def exact_scores(queries: NDArray[np.float32], gallery: NDArray[np.float32], similarity: Similarity) -> NDArray[np.float64]:
    """Scores of every query with every gallery item; what the oracle ranks by.

    Args:
        queries: (m, d) float32.
        gallery: (n, d) float32.
        similarity: how nearness is measured; cosine is undefined for zero vectors.

    Returns:
        (m, n) float64. Takes about 2 ns a term: meant for small inputs; `exact_pair_scores` scores chosen pairs.
    """
    scores = np.empty((len(queries), len(gallery)))
    terms = _squared_differences if similarity is Similarity.SQUARED_L2 else _products
    for row in range(len(queries)):
        for start in range(0, len(gallery), _BLOCK_PAIRS):
            block = slice(start, start + _BLOCK_PAIRS)
            scores[row, block] = _lane_sums(queries[row], gallery[block], terms)
    if similarity is Similarity.COSINE:
        return scores / (exact_norms(queries)[:, None] * exact_norms(gallery)[None, :])
    return np.subtract(0.0, scores) if similarity is Similarity.SQUARED_L2 else scores


def exact_pair_scores(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    similarity: Similarity,
    query_rows: NDArray[np.int64],
    gallery_rows: NDArray[np.int64],
    *,
    query_norms: NDArray[np.float64] | None = None,
    gallery_norms: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Scores of chosen pairs: the cost of a re-rank.

    Args:
        queries: (m, d) float32.
        gallery: (n, d) float32.
        similarity: how nearness is measured.
        query_rows: (p,) row of `queries` of each pair; fastest where equal rows stand together.
        gallery_rows: (p,) row of `gallery` of each pair.
        query_norms: (m,) `exact_norms(queries)`, needed for cosine only.
        gallery_norms: (n,) `exact_norms(gallery)`, needed for cosine only.

    Returns:
        (p,) float64, bit for bit what `exact_scores` gives for the pair. Scratch stays at a few MiB, whatever p.
    """
    terms = _squared_differences if similarity is Similarity.SQUARED_L2 else _products
    scores = np.empty(len(query_rows))
    step = max(1, min(_BLOCK_PAIRS, _GATHER_BYTES // (4 * max(1, gallery.shape[1]))))
    for start in range(0, len(query_rows), step):
        block = slice(start, start + step)
        left = np.take(queries, query_rows[block], axis=0)
        right = np.take(gallery, gallery_rows[block], axis=0)
        scores[block] = _lane_sums(left, right, terms)
    if similarity is Similarity.COSINE:
        if query_norms is None:
            query_norms = exact_norms(queries)
        if gallery_norms is None:
            gallery_norms = exact_norms(gallery)
        scores /= query_norms[query_rows] * gallery_norms[gallery_rows]
    elif similarity is Similarity.SQUARED_L2:
        np.subtract(0.0, scores, out=scores)
    return scores
