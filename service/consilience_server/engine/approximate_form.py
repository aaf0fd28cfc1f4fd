"""One form for all approximate indexes: whatever the similarity, the nearest item is the one at the least Euclidean distance.

| similarity | item | query | why |
|---|---|---|---|
| cosine | x / norm(x) | q / norm(q) | the squared distance is 2 - 2 cosine |
| inner product | [s x, sqrt(1 - norm(s x)^2)] | [q / norm(q), 0] | the squared distance is 2 - 2 s <q, x> / norm(q) |
| squared L2 | s x | s q | the same distances, scaled |

s is the power of two that brings the longest item to a norm of at most 1, so that no square overflows or vanishes in float32; scaling
by it rounds nothing. The extra column of the inner product makes all items equally long (Bachrach et al. 2014): graphs and cells are
built for distances, and an inner product is none.

The form only finds candidates: what is answered is scored by `core/exact_score.py` from the raw vectors.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_norms
from consilience_server.core.similarity import Similarity

_BLOCK_BYTES = 8 << 20
_FARTHEST = np.float32(1e15)
"""A query's coordinate, where items lie within 1: its square is finite, and farther ones tell items apart no better."""


@dataclass(frozen=True)
class ApproximateForm:
    """How queries of one gallery are written.

    Attributes:
        similarity: how nearness is measured.
        scale: s of the module's table; 1 under cosine.
    """

    similarity: Similarity
    scale: float

    def of_queries(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """(m, d) float32 to (m, width) float32, finite. A zero query of an inner product stays zero."""
        m, d = queries.shape
        columns = np.zeros((m, form_width(d, self.similarity)), dtype=np.float32)
        if self.similarity is Similarity.SQUARED_L2:
            scaled = queries.astype(np.float64) * self.scale
            columns[:] = np.clip(scaled, -_FARTHEST, _FARTHEST)
        else:
            norms = exact_norms(queries)
            columns[:, :d] = queries / np.where(norms > 0.0, norms, 1.0)[:, None]
        return columns


def form_width(d: int, similarity: Similarity) -> int:
    """Columns of the form of vectors of width d."""
    return d + (similarity is Similarity.INNER_PRODUCT)


def form_gallery(gallery: NDArray[np.float32], similarity: Similarity, control: Control) -> tuple[ApproximateForm, NDArray[np.float32]]:
    """The form and the items in it, (n, width) float32.

    Args:
        gallery: (n, d) float32, finite, no zero rows under cosine.
        similarity: how nearness is measured.
        control: cancellation.
    """
    n, d = gallery.shape
    norms = np.empty(n)
    step = max(1, _BLOCK_BYTES // (8 * d))
    blocks = [slice(start, start + step) for start in range(0, n, step)]
    for block in blocks:
        control.check()
        norms[block] = exact_norms(gallery[block])
    longest = float(norms.max())
    scale = 1.0 if similarity is Similarity.COSINE or longest == 0.0 else 2.0 ** -math.ceil(math.log2(longest))
    columns = np.empty((n, form_width(d, similarity)), dtype=np.float32)
    for block in blocks:
        control.check()
        if similarity is Similarity.COSINE:
            columns[block] = gallery[block] / norms[block, None]
            continue
        columns[block, :d] = gallery[block].astype(np.float64) * scale
        if similarity is Similarity.INNER_PRODUCT:
            columns[block, d] = np.sqrt(np.maximum(0.0, 1.0 - (norms[block] * scale) ** 2))
    return ApproximateForm(similarity, scale), columns
