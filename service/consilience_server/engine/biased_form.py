"""A correction's term as one dimension more: what an approximate index is built of to find items by 2 s(q, x) - bias(x).

| similarity | item | query |
|---|---|---|
| cosine | [x / norm(x), -c / 2] | [q / norm(q), 1] |
| inner product | [x, -c / 2] | [q, 1] |

The inner product of the two is half of 2 s - c, with c = bias - mean(bias): a constant ranks nothing, and a short last column leaves the
graph or the cells to the vectors. A query that ends in 0 instead is one by the plain similarity, on the same index.

Squared L2 has no such form that serves both kinds of query.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.exact_score import exact_norms
from consilience_server.core.similarity import Similarity


def biased_items(gallery: NDArray[np.float32], similarity: Similarity, bias: NDArray[np.float64]) -> NDArray[np.float32]:
    """Items for an index of inner products, (n, d + 1) float32; `similarity` is cosine or the inner product."""
    n, d = gallery.shape
    items = np.empty((n, d + 1), dtype=np.float32)
    items[:, :d] = _directions(gallery, similarity)
    items[:, d] = (bias.mean() - bias) / 2.0
    return items


def biased_queries(queries: NDArray[np.float32], similarity: Similarity, *, plain: bool = False) -> NDArray[np.float32]:
    """Queries for it, (m, d + 1) float32; `plain` ones leave the term out."""
    m, d = queries.shape
    asked = np.empty((m, d + 1), dtype=np.float32)
    asked[:, :d] = _directions(queries, similarity)
    asked[:, d] = 0.0 if plain else 1.0
    return asked


def _directions(rows: NDArray[np.float32], similarity: Similarity) -> NDArray[np.float32]:
    if similarity is not Similarity.COSINE:
        return rows
    unit: NDArray[np.float32] = (rows / exact_norms(rows)[:, None]).astype(np.float32)
    return unit
