"""Matches found by an approximate index: built once for a version of a gallery, its recall measured once, its answers scored exactly."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.gallery_search import Found, Search, find_bytes, near_means, ranked
from consilience_server.app.indexed_search import GATHER_BYTES, IndexedSearch
from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.index_recall import IndexRecall, index_recall_at_k
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import BACKENDS, ApproximateIndex, IndexChoice, build_bytes, build_seconds
from consilience_server.engine.biased_form import biased_items
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.held_out_items import MOST_HELD_OUT, held_out_rows
from consilience_server.engine.protocol import NeighbourEngine

PROBE_QUERIES = MOST_HELD_OUT
"""Most queries of a probe; their exact answers take a fraction of a second."""

_SPARE = 8
"""Candidates beyond k, for what float32 puts in another order than the definition, and one more for the item itself."""

_LEAST_CANDIDATES = 32
_PROBE_SEED = 0


@dataclass(frozen=True)
class Probe:
    """Queries that recall is measured with.

    Attributes:
        key: names them: the space and version that they come from.
        make: brings (p, d) float32 queries as they meet the gallery, and (p,) int64 gallery rows that are the queries themselves or None.
    """

    key: tuple[str, ...]
    make: Callable[[Control], tuple[NDArray[np.float32], NDArray[np.int64] | None]]


@dataclass(frozen=True)
class _Probed:
    """Exact scores of what the index found for a probe (-inf where it found nothing), and of the exact answers.

    Both (p, depth) float64, best first.
    """

    found: NDArray[np.float64]
    exact: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        return self.found.nbytes + self.exact.nbytes

    def recall(self, k: int) -> IndexRecall:
        """At a k of the bucket. A query for which the index finds fewer than k is answered exactly, here as in service."""
        k = min(k, self.exact.shape[1])
        short = np.isneginf(self.found[:, k - 1])
        return index_recall_at_k(np.where(short[:, None], self.exact, self.found), self.exact, k)


def own_probe_rows(n: int) -> NDArray[np.int64]:
    """Rows of a gallery's own items that are probed: those that its index does not hold; all, where it holds all."""
    held = held_out_rows(n)
    return held if len(held) else np.arange(n, dtype=np.int64)


def probe_rows(n: int) -> NDArray[np.int64]:
    """Rows of a source space's items that are probed, of n: all, or `PROBE_QUERIES` of them drawn from a fixed seed; ascending."""
    return np.sort(np.random.default_rng(_PROBE_SEED).choice(n, min(n, PROBE_QUERIES), replace=False)).astype(np.int64)


def candidate_count(k: int, n: int) -> int:
    """Candidates that an index of n items is asked for: one number for a bucket of k, so that one probe tells the recall of each."""
    return min(n, max(_LEAST_CANDIDATES, 1 << (k + _SPARE).bit_length()))


class ApproximateMatching:
    """Searches with the index that a caller named.

    Args:
        derived: keeps indexes and probes within the memory budget.
        pool: builds and searches.
        engine: the exact answers of the probe, and of queries for which an index finds too little.
        indexes: what can be built here.
        metrics: hears of searches.
    """

    def __init__(
        self, derived: DerivedVectors, pool: ComputePool, engine: NeighbourEngine, indexes: ApproximateIndexes, metrics: Metrics
    ) -> None:
        self._derived = derived
        self._pool = pool
        self._engine = engine
        self._indexes = indexes
        self._metrics = metrics

    def require(self, choice: IndexChoice | None) -> None:
        """DeviceMissing for an index that cannot be built here; None is the exact search."""
        if choice is not None:
            self._indexes.require(choice.name)

    def estimate_seconds(self, choice: IndexChoice, subject: tuple[str, ...], n: int, d: int, flops_per_second: float) -> float:
        """A rough estimate of what comes before the first search: the build and the probe's exact answers, nothing where they are kept."""
        if self._derived.is_kept(_index_key(choice, subject)):
            return 0.0
        return build_seconds(choice.name, n, d, flops_per_second) + 2.0 * PROBE_QUERIES * n * d / flops_per_second

    async def find(self, call: Call, search: Search, k: int, choice: IndexChoice, subject: tuple[str, ...], probe: Probe) -> Found:
        """The k best that the index finds for each query, with its recall; similarities are exact, and equal scores go by row.

        Under a correction the index holds each item's term as one dimension more (`engine/biased_form.py`) and finds candidates by it; the
        mean r_T(q) of CSLS and the margins is that of the nearest that the same index finds. The margin ratio ranks the candidates of CSLS.

        Args:
            call: pays for what is not there yet: the index, then its probe.
            search: queries and gallery where they meet.
            k: at most `search.candidates`.
            choice: the index and its effort.
            subject: names the gallery as it is searched: bridge, space, version; and under a correction the bank and the kind of term.
            probe: what recall is measured with.

        Raises:
            InvalidK: more candidates than a device's index returns.
            InvalidArgument: a correction under squared L2.
            MemoryBudget: the index, on the host or on the device.
        """
        if search.terms is not None and search.similarity is Similarity.SQUARED_L2:
            raise InvalidArgument(
                f"under squared_l2 an approximate index finds no candidates by {search.terms.correction.name}; name the index exact",
                field="correction",
            )
        index = await self._index(call.part(0.0, 0.8), search, choice, subject)
        count = candidate_count(max(k, search.neighbourhood), len(search.gallery))
        served = IndexedSearch(index, choice.effort, count, self._engine, self._metrics, self._indexes.threads)
        probed = await self._probed(call.part(0.8, 0.9), search, served, choice, subject, probe)
        self._metrics.batch(BACKENDS[choice.name], len(search.queries))
        found = await self._pool.run(
            call.part(0.9, 1.0), "scan", lambda: served.find(search, k, call.control), nbytes=served.nbytes(search, k)
        )
        return replace(found, recall=probed.recall(k))

    async def _index(self, call: Call, search: Search, choice: IndexChoice, subject: tuple[str, ...]) -> ApproximateIndex:
        n, d = search.gallery.shape
        terms, similarity = search.terms, search.similarity if search.terms is None else Similarity.INNER_PRODUCT

        def build() -> ApproximateIndex:
            items = search.gallery if terms is None else biased_items(search.gallery, search.similarity, terms.bias)
            return self._indexes.build(choice.name, items, similarity, call.control)

        width = d + (terms is not None)
        nbytes = build_bytes(choice.name, n, width, similarity) + (12 * n * width if terms is not None else 0)
        return await self._derived.kept(call, "load", _index_key(choice, subject), build, nbytes, "snapshots")

    async def _probed(
        self, call: Call, search: Search, served: IndexedSearch, choice: IndexChoice, subject: tuple[str, ...], probe: Probe
    ) -> _Probed:
        n, count = len(search.gallery), served.count

        def measure() -> _Probed:
            queries, own = probe.make(call.control)
            asked = replace(search, queries=queries, exclude=own)
            depth = min(asked.candidates, count if count == n else count - _SPARE - 1)
            near = near_means(asked, self._engine, self._metrics, call.control)
            _, found, _ = served.candidates(asked, depth, near, call.control)
            return _Probed(found, ranked(asked, depth, near, self._engine, self._metrics, call.control).scores.copy())

        correction = () if search.terms is None else search.terms.correction.parameters
        key = ("probe", choice.name, str(choice.effort), str(count), *correction, *subject, *probe.key)
        asked = replace(search, queries=np.empty((PROBE_QUERIES, search.gallery.shape[1]), np.float32))
        nbytes = 40 * PROBE_QUERIES * count + max(find_bytes(asked, count, self._engine), self._indexes.threads * GATHER_BYTES)
        return await self._derived.kept(call, "scan", key, measure, nbytes, "tables")


def _index_key(choice: IndexChoice, subject: tuple[str, ...]) -> tuple[str, ...]:
    return ("index", choice.name, *subject)
