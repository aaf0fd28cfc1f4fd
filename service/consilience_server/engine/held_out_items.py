"""Items that an approximate index does not hold, so that its recall can be measured with queries that are strangers to it.

An item of a graph finds its neighbours along its own links: measured with its own items, a graph that finds 0.91 of the answer for new
queries seems to find 0.998 (3,000 isotropic items of width 256, `ef_search` 64). So a few items stay outside, and are scanned with every
search: nothing is lost of the answer, and they are queries as fair as new ones of the gallery's distribution.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import ApproximateIndex, ApproximateName
from consilience_server.engine.approximate_form import form_gallery
from consilience_server.engine.blas import load_faiss

MOST_HELD_OUT = 256
"""Enough that a recall of 0.95 is known to about 0.03 at worst; few enough that scanning them costs a search next to nothing."""

_LEAST_INDEXED = 7
_SEED = 0


def held_out_rows(n: int) -> NDArray[np.int64]:
    """Rows of n items that stay outside, ascending: an eighth, at most `MOST_HELD_OUT`, drawn from a fixed seed; none of fewer than 8."""
    count = min(MOST_HELD_OUT, n // (_LEAST_INDEXED + 1))
    return np.sort(np.random.default_rng(_SEED).choice(n, count, replace=False)).astype(np.int64)


class IndexWithHeldOut:
    """An `ApproximateIndex` of a whole gallery: an index of most of its items, and a scan of the others.

    Args:
        index: of the rows `indexed`, in their order.
        indexed: (n - h,) rows of the gallery that the index holds.
        held: (h,) the others, h >= 1.
        vectors: (h, d) float32, raw.
        similarity: how nearness is measured.
    """

    def __init__(
        self,
        index: ApproximateIndex,
        indexed: NDArray[np.int64],
        held: NDArray[np.int64],
        vectors: NDArray[np.float32],
        similarity: Similarity,
    ) -> None:
        self._index = index
        self._indexed = indexed
        self._held = held
        self._form, self._columns = form_gallery(vectors, similarity, Control())

    @property
    def name(self) -> ApproximateName:
        """What kind it is."""
        return self._index.name

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._index.nbytes + self._indexed.nbytes + self._held.nbytes + self._columns.nbytes

    def search(self, queries: NDArray[np.float32], count: int, effort: int, control: Control) -> NDArray[np.int64]:
        """As in `ApproximateIndex`; up to `count` candidates of the index, then up to `count` of the others."""
        found = self._index.search(queries, min(count, len(self._indexed)), effort, control)
        near = load_faiss().knn(self._form.of_queries(queries), self._columns, min(count, len(self._held)))[1]
        return np.hstack([np.where(found >= 0, self._indexed[found], -1), np.where(near >= 0, self._held[near], -1)])
