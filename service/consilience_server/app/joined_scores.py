"""Scores of snapshots over their common items, with every byte that they hold accounted for while they are computed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import AlignmentSpec, check_size
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joins import Join
from consilience_server.app.reports import NEIGHBOUR_METRICS, MetricName
from consilience_server.app.tables import Tables, TableSubject
from consilience_server.core.intervals import group_sizes
from consilience_server.core.permutation import canonical_order
from consilience_server.core.preprocess import platonic_rep
from consilience_server.core.score import Score
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_bytes, cka_matrix, cka_score
from consilience_server.engine.cknna_scores import CKNNA_METRICS, cknna_bytes, cknna_matrix, cknna_scores
from consilience_server.engine.kernel_means import KernelMeans, check_kernel, kernel_means, kernel_means_bytes
from consilience_server.engine.list_scores import LIST_METRICS, list_bytes, list_matrix, list_scores
from consilience_server.engine.neighbour_scores import mutual_knn_bytes, mutual_knn_matrix, mutual_knn_scores, table_depth
from consilience_server.engine.protocol import Certificate, NeighbourTable
from consilience_server.engine.snapshot import Snapshot

_ORDER = "items"
"""Names the hash that orders items for permutations and jackknife groups: the same for all spaces, so that order is no property of one."""


@dataclass(frozen=True)
class PairScores:
    """The scores of two spaces, one for each k; certificates where neighbours were searched, clips where preprocessing clipped."""

    by_k: Sequence[Score]
    certificates: tuple[Certificate, Certificate] | None
    clips: Sequence[float]


@dataclass(frozen=True)
class _Side:
    """One space restricted to the common items and preprocessed."""

    vectors: NDArray[np.float32]
    similarity: Similarity
    clip: float | None
    subject: TableSubject


class JoinedScores:
    """Computes scores from shared neighbour tables or from vectors. Must be used from one event loop."""

    def __init__(self, tables: Tables, pool: ComputePool, threads: int) -> None:
        self._tables = tables
        self._pool = pool
        self._threads = threads

    async def of_pair(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> PairScores:
        """Two spaces, every k. InvalidK, TooFewItems, ConstantFeatures, MemoryBudget."""
        async with self._sides(call, snapshots, joined, spec) as sides:
            options = await asyncio.to_thread(self._options, joined, spec)
            clips = tuple(side.clip for side in sides if side.clip is not None)
            control = call.part(0.8, 1.0).control
            if spec.metric not in NEIGHBOUR_METRICS:
                x, y = (side.vectors for side in sides)
                unbiased = spec.metric == "unbiased_cka"
                nbytes = cka_bytes(joined.n, [x.shape[1], y.shape[1]])
                score = await self._pool.run(call, "statistics", lambda: cka_score(x, y, unbiased, options, control), nbytes=nbytes)
                return PairScores((score,), None, clips)
            async with self._held_tables(call.part(0.0, 0.8), sides, joined, spec) as tables:
                metric = spec.metric
                if metric in LIST_METRICS:
                    keys = await asyncio.to_thread(_tie_keys, sides, joined)
                    nbytes = list_bytes(tables, spec.ks, self._threads)
                    work = partial(list_scores, metric, tables, keys, spec.ks, options, control)
                elif metric in CKNNA_METRICS:
                    keys = await asyncio.to_thread(_tie_keys, sides, joined)
                    nbytes = cknna_bytes(tables, spec.ks, self._threads)
                    means = await self._kernel_means(call, sides, options, metric)
                    work = partial(cknna_scores, metric, tables, keys, means, spec.ks, options, control)
                else:
                    nbytes = mutual_knn_bytes(tables, spec.ks, self._threads)
                    work = partial(mutual_knn_scores, tables[0], tables[1], spec.ks, options, control)
                found = await self._pool.run(call, "statistics", work, nbytes=nbytes)
                return PairScores(found, (tables[0].certificate, tables[1].certificate), clips)

    async def of_all(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> dict[tuple[int, int], Score]:
        """Every pair i <= j of M spaces, for `cycle_knn` j < i too, over the items common to all: M tables, shared permutations, one k."""
        async with self._sides(call, snapshots, joined, spec) as sides:
            options = await asyncio.to_thread(self._options, joined, spec)
            control = call.part(0.6, 1.0).control
            if spec.metric not in NEIGHBOUR_METRICS:
                arrays = [side.vectors for side in sides]
                unbiased = spec.metric == "unbiased_cka"
                nbytes = cka_bytes(joined.n, [array.shape[1] for array in arrays])
                return await self._pool.run(call, "statistics", lambda: cka_matrix(arrays, unbiased, options, control), nbytes=nbytes)
            async with self._held_tables(call.part(0.0, 0.6), sides, joined, spec) as tables:
                metric = spec.metric
                if metric in LIST_METRICS:
                    keys = await asyncio.to_thread(_tie_keys, sides, joined)
                    nbytes = list_bytes(tables, spec.ks[:1], self._threads)
                    work = partial(list_matrix, metric, tables, keys, spec.ks[0], options, control)
                elif metric in CKNNA_METRICS:
                    keys = await asyncio.to_thread(_tie_keys, sides, joined)
                    nbytes = cknna_bytes(tables, spec.ks[:1], self._threads)
                    means = await self._kernel_means(call, sides, options, metric)
                    work = partial(cknna_matrix, metric, tables, keys, means, spec.ks[0], options, control)
                else:
                    nbytes = mutual_knn_bytes(tables, spec.ks[:1], self._threads)
                    work = partial(mutual_knn_matrix, tables, spec.ks[0], options, control)
                return await self._pool.run(call, "statistics", work, nbytes=nbytes)

    @asynccontextmanager
    async def _sides(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> AsyncIterator[list[_Side]]:
        """The common items of each space in the order of the join, preprocessed; copies count as the request's while they are used."""
        check_size(joined.n, spec)
        pairs = list(zip(snapshots, joined.rows, strict=True))
        clipped = spec.preprocess == "platonic_rep"
        copies = sum(4 * joined.n * snapshot.dim * ((len(rows) != snapshot.n) + clipped) for snapshot, rows in pairs)
        with self._pool.holding(call, copies):
            sides = [await self._side(call, snapshot, rows, joined, spec) for snapshot, rows in pairs]
            if spec.metric in CKNNA_METRICS:
                for side, name in zip(sides, ("x", "y") if len(sides) == 2 else ["spaces"] * len(sides), strict=True):
                    check_kernel(side.similarity, name)
            yield sides

    async def _side(self, call: Call, snapshot: Snapshot, rows: NDArray[np.int64], joined: Join, spec: AlignmentSpec) -> _Side:
        vectors, similarity, clip = snapshot.vectors, snapshot.similarity, None
        if len(rows) != snapshot.n:
            vectors = await self._pool.run(call, "load", lambda: snapshot.vectors[rows])
        if spec.preprocess == "platonic_rep":
            vectors, clip = await self._pool.run(call, "load", lambda: platonic_rep(vectors), nbytes=2 * vectors.nbytes)
            similarity = Similarity.COSINE
        return _Side(vectors, similarity, clip, TableSubject(snapshot.uid, snapshot.version, joined.digest, spec.preprocess))

    @asynccontextmanager
    async def _held_tables(
        self, call: Call, sides: Sequence[_Side], joined: Join, spec: AlignmentSpec
    ) -> AsyncIterator[list[NeighbourTable]]:
        depth, share = table_depth(spec.ks, joined.n, spec.interval_kind), 1.0 / len(sides)
        async with AsyncExitStack() as held:
            tables = []
            for i, side in enumerate(sides):
                part = call.part(i * share, (i + 1) * share)
                hold = self._tables.hold(part, side.subject, side.vectors, joined.ids, side.similarity, depth)
                tables.append(await held.enter_async_context(hold))
            yield tables

    async def _kernel_means(
        self, call: Call, sides: Sequence[_Side], options: ScoreOptions, metric: MetricName
    ) -> list[KernelMeans] | None:
        """What `cknna_paper` takes away from similarities; None for other metrics."""
        if metric != "cknna_paper":
            return None
        n = len(options.item_order)
        order, groups = canonical_order(options.item_order), len(group_sizes(n))
        return [
            await self._pool.run(
                call,
                "statistics",
                partial(kernel_means, side.vectors, side.similarity, order, groups),
                nbytes=kernel_means_bytes(n, side.vectors.shape[1], groups),
            )
            for side in sides
        ]

    def _options(self, joined: Join, spec: AlignmentSpec) -> ScoreOptions:
        return ScoreOptions(
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            interval_kind=spec.interval_kind,
            confidence=spec.confidence,
            item_order=tie_keys(_ORDER, joined.ids.tolist()),
            threads=self._threads,
        )


def _tie_keys(sides: Sequence[_Side], joined: Join) -> list[NDArray[np.uint64]]:
    """The keys that the tables of the sides were made with."""
    return [tie_keys(side.subject.uid, joined.ids.tolist()) for side in sides]
