"""Matches found by an approximate index: built once for a version of a gallery, its recall measured once, its answers scored exactly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.gallery_search import Found, Search
from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.index_recall import IndexRecall, index_recall_at_k
from consilience_server.engine.approximate import BACKENDS, ApproximateIndex, IndexChoice, build_bytes, build_seconds
from consilience_server.engine.approximate_ranking import rank_candidates
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.held_out_items import MOST_HELD_OUT, held_out_rows
from consilience_server.engine.protocol import NeighbourEngine

PROBE_QUERIES = MOST_HELD_OUT
"""Most queries of a probe; their exact answers take a fraction of a second."""

_SPARE = 8
"""Candidates beyond k, for what float32 puts in another order than the definition, and one more for the item itself."""

_LEAST_CANDIDATES = 32
_PROBE_SEED = 0
_GATHER_BYTES = 32 << 20


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
        """The k best that the index finds for each query, with its recall; scores are exact, and equal scores go by row.

        Args:
            call: pays for what is not there yet: the index, then its probe.
            search: queries and gallery where they meet, without a term.
            k: at most `search.candidates`.
            choice: the index and its effort.
            subject: names the gallery as it is searched: bridge, space, version.
            probe: what recall is measured with.

        Raises:
            InvalidK: more candidates than a device's index returns.
            MemoryBudget: the index, on the host or on the device.
        """
        n, d = search.gallery.shape
        build = call.part(0.0, 0.8)
        index = await self._derived.kept(
            build,
            "load",
            _index_key(choice, subject),
            lambda: self._indexes.build(choice.name, search.gallery, search.similarity, build.control),
            build_bytes(choice.name, n, d, search.similarity),
            "snapshots",
        )
        count = candidate_count(k, n)
        probed = await self._probed(call.part(0.8, 0.9), search, index, choice, subject, probe, count)
        self._metrics.batch(BACKENDS[choice.name], len(search.queries))
        rows, scores = await self._search(call.part(0.9, 1.0), search, index, choice, k, count)
        return Found(rows, scores, scores, None, probed.recall(k))

    async def _probed(
        self, call: Call, search: Search, index: ApproximateIndex, choice: IndexChoice, subject: tuple[str, ...], probe: Probe, count: int
    ) -> _Probed:
        (n, d), threads = search.gallery.shape, self._indexes.threads

        def measure() -> _Probed:
            queries, own = probe.make(call.control)
            available = n - (own is not None)
            depth = min(available, count if count == n else count - _SPARE - 1)
            candidates = index.search(queries, count, choice.effort, call.control)
            _, found, _ = rank_candidates(queries, search.gallery, search.similarity, candidates, own, depth, threads, call.control)
            table = self._engine.query(queries, search.gallery, search.similarity, depth, exclude=own, control=call.control)
            certificate = table.certificate
            self._metrics.rows(certificate.backend, certificate.certified_rows, certificate.refined_rows)
            return _Probed(found, table.scores[:, :depth].copy())

        key = ("probe", choice.name, str(choice.effort), str(count), *subject, *probe.key)
        nbytes = 40 * PROBE_QUERIES * count + max(self._engine.query_bytes(PROBE_QUERIES, n, d, count), threads * _GATHER_BYTES)
        return await self._derived.kept(call, "scan", key, measure, nbytes, "tables")

    async def _search(
        self, call: Call, search: Search, index: ApproximateIndex, choice: IndexChoice, k: int, count: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        (m, d), n, threads = search.queries.shape, len(search.gallery), self._indexes.threads

        def approximate() -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]:
            candidates = index.search(search.queries, count, choice.effort, call.control)
            return rank_candidates(search.queries, search.gallery, search.similarity, candidates, search.exclude, k, threads, call.control)

        rows, scores, short = await self._pool.run(call, "scan", approximate, nbytes=m * (8 * d + 80 * count) + threads * _GATHER_BYTES)
        if short.any():
            asked = np.flatnonzero(short)

            def exact() -> None:
                own = None if search.exclude is None else search.exclude[asked]
                queries = np.ascontiguousarray(search.queries[asked])
                table = self._engine.query(queries, search.gallery, search.similarity, k, exclude=own, control=call.control)
                rows[asked], scores[asked] = table.indices[:, :k], table.scores[:, :k]

            await self._pool.run(call, "scan", exact, nbytes=self._engine.query_bytes(len(asked), n, d, k))
        return rows, scores


def _index_key(choice: IndexChoice, subject: tuple[str, ...]) -> tuple[str, ...]:
    return ("index", choice.name, *subject)
