"""Alignment of spaces over their common items: the use cases of AlignmentService."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.content_ids import content_ids
from consilience_server.app.joins import Join, join
from consilience_server.app.reports import (
    AlignmentMatrix,
    AlignmentReport,
    ItemPolicy,
    MetricName,
    PreprocessName,
    SpaceUse,
)
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables, TableSubject
from consilience_server.app.validation import check_vectors
from consilience_server.core.errors import InvalidArgument, InvalidK, NotServed, ShapeMismatch, TooFewItems, VersionExpired
from consilience_server.core.preprocess import platonic_rep
from consilience_server.core.score import IntervalKind, Score
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.alignment_scores import (
    ScoreOptions,
    cka_bytes,
    cka_matrix,
    cka_score,
    mutual_knn_matrix,
    mutual_knn_scores,
    table_depth,
)
from consilience_server.engine.protocol import ENGINE_VERSION, Certificate, NeighbourTable
from consilience_server.engine.snapshot import Snapshot

_ORDER = "items"
"""Names the hash that orders items for permutations and jackknife groups: the same for all spaces, so that order is no property of one."""


# Seconds of one step of a permutation on one thread, as measured on two cores at 3 GHz: a neighbour looked up (both threads together);
# a product of CKA's features; an entry of its Gram matrices (the cheaper form is the one computed).
_EDGE_SECONDS = 5e-9
_PRODUCT_SECONDS = 7e-11
_GRAM_SECONDS = 1.3e-9


@dataclass(frozen=True)
class SpaceQuery:
    """A space as a caller names it: the bare id, and a version or 0 for the newest."""

    name: str
    version: int = 0


@dataclass(frozen=True)
class AlignmentSpec:
    """Everything that decides an alignment besides the spaces; `permutations` 0 computes no null."""

    metric: MetricName = "mutual_knn"
    ks: tuple[int, ...] = (10,)
    preprocess: PreprocessName = "none"
    permutations: int = 999
    seed: int = 0
    alpha: float = 0.05
    interval_kind: IntervalKind = "items"
    confidence: float = 0.95
    sample_queries: int = 0


@dataclass(frozen=True)
class AlignmentLimits:
    """What one alignment may ask (published by server info), on how many threads, and how fast scans usually are."""

    max_k: int
    max_permutations: int
    threads: int
    flops_per_second: float


@dataclass(frozen=True)
class _Side:
    """One space restricted to the common items and preprocessed."""

    use: SpaceUse
    vectors: NDArray[np.float32]
    similarity: Similarity
    clip: float | None
    subject: TableSubject


class Alignment:
    """Measures how far spaces agree; learns nothing. Answers are cached by what they were computed from."""

    def __init__(self, snapshots: Snapshots, tables: Tables, results: ResultCache, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._snapshots = snapshots
        self._tables = tables
        self._results = results
        self._pool = pool
        self._limits = limits

    async def align(
        self, call: Call, x: SpaceQuery, y: SpaceQuery, spec: AlignmentSpec, encode: Callable[[AlignmentReport], bytes]
    ) -> bytes:
        """The alignment of two spaces, encoded.

        Raises:
            SpaceNotFound, VersionExpired, NoCommonItems, InvalidK, TooFewItems, ConstantFeatures, MemoryBudget, Overloaded.
        """
        self._check(spec)
        pinned = await self._pin([x, y])
        key = cache_key("align", asdict(spec), pinned)
        first, second = (SpaceQuery(query.name, use.version) for query, use in zip((x, y), pinned, strict=True))

        async def compute(work: Call) -> bytes:
            async with (
                self._snapshots.hold(work, first.name, first.version) as snapshot_x,
                self._snapshots.hold(work, second.name, second.version) as snapshot_y,
            ):
                joined = await asyncio.to_thread(join, [snapshot_x, snapshot_y])
                report = await self._report(work, (snapshot_x, snapshot_y), joined, spec)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def align_arrays(
        self, call: Call, x: NDArray[np.float32], y: NDArray[np.float32], similarity: Similarity, spec: AlignmentSpec
    ) -> AlignmentReport:
        """The alignment of two arrays whose row i is the same item; nothing is stored and nothing cached.

        Items are named by their content, so the answer does not depend on the order of the rows.
        """
        self._check(spec)
        if len(x) != len(y):
            raise ShapeMismatch(f"x has {len(x):,} rows, y has {len(y):,}; row i of both must be the same item", field="header.rows")
        for name, array in (("x", x), ("y", y)):
            await asyncio.to_thread(check_vectors, array, similarity, None, name)
        ids = await self._pool.run(call, "load", lambda: content_ids(x, y), nbytes=x.nbytes + y.nbytes)
        # The digest as a version would not fit a space: arrays are their own, keyed by content, so that a repeat finds its tables.
        digest = hashlib.blake2b("".join(ids).encode(), digest_size=8).hexdigest()
        snapshots = tuple(Snapshot(name, f"{name}-{digest}", 0, similarity, ids, array) for name, array in (("x", x), ("y", y)))
        rows = np.arange(len(ids))
        return await self._report(call, (snapshots[0], snapshots[1]), Join(ids, (rows, rows), digest), spec)

    async def align_matrix(
        self,
        call: Call,
        spaces: Sequence[SpaceQuery],
        items: ItemPolicy,
        spec: AlignmentSpec,
        encode: Callable[[AlignmentMatrix], bytes],
    ) -> bytes:
        """All pairs of M spaces, encoded. One k. Under `common` M tables, shared permutations, and scores that compare.

        Raises:
            As `align`; InvalidArgument for fewer than two spaces, a space named twice, or several k.
        """
        self._check(spec)
        if len(spaces) < 2 or len({query.name for query in spaces}) != len(spaces):
            raise InvalidArgument("a matrix needs two or more spaces, each named once", field="spaces")
        if len(spec.ks) != 1:
            raise InvalidArgument(f"a matrix has one k, not {len(spec.ks)}; ask once for each", field="spec.ks")
        pinned = await self._pin(spaces)
        key = cache_key("align_matrix", {**asdict(spec), "items": items}, pinned)
        queries = [SpaceQuery(query.name, use.version) for query, use in zip(spaces, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [await held.enter_async_context(self._snapshots.hold(work, query.name, query.version)) for query in queries]
                matrix = await self._matrix(work, snapshots, items, spec)
                return await self._pool.run(work, "encode", lambda: encode(matrix))

        return await self._results.serve(call, key, compute)

    async def estimate_seconds(self, spaces: Sequence[SpaceQuery], spec: AlignmentSpec) -> float:
        """A rough estimate of a computation from scratch: the scans at the engine's usual rate, and the permutations.

        What will be refused for its size is 0, so that it is refused in the call and no operation is begun for it.
        """
        self._check(spec)
        records = [await self._snapshots.record(query.name) for query in spaces]
        n = min(record.item_count for record in records)
        # An older version may have more items than the newest, whose number is the one known here.
        newest = all(query.version in (0, record.version) for query, record in zip(spaces, records, strict=True))
        if newest and n <= (max(spec.ks) if spec.metric == "mutual_knn" else 3):
            return 0.0
        widths = [record.spec.dim for record in records]
        pairs = list(combinations(widths, 2))
        if spec.metric == "mutual_knn":
            work = sum(2.0 * n * n * width for width in widths)
            null = _EDGE_SECONDS * spec.permutations * n * sum(spec.ks) * len(pairs)
        else:
            work = sum(2.0 * n * a * b for a in widths for b in widths)
            null = (
                sum(min(n * a * b * _PRODUCT_SECONDS, n * n * _GRAM_SECONDS) for a, b in pairs) * spec.permutations / self._limits.threads
            )
        return work / self._limits.flops_per_second + null

    def _check(self, spec: AlignmentSpec) -> None:
        most = self._limits.max_k
        if not spec.ks or len(set(spec.ks)) != len(spec.ks):
            raise InvalidK(f"k is {list(spec.ks)}; give at least one, each once", field="spec.ks")
        for k in spec.ks:
            if not 1 <= k <= most:
                raise InvalidK(f"k is {k}; it must be 1 to {most:,} and below the number of items", field="spec.ks", k=k, max_k=most)
        if not 0 <= spec.permutations <= self._limits.max_permutations:
            raise InvalidArgument(
                f"{spec.permutations:,} permutations; at most {self._limits.max_permutations:,} are served", field="spec.permutations"
            )
        for name, value in (("alpha", spec.alpha), ("confidence", spec.confidence)):
            if not 0 < value < 1:
                raise InvalidArgument(f"{name} is {value}; it must lie between 0 and 1", field=f"spec.{name}")
        if spec.sample_queries:
            raise NotServed("a sample of queries is not served by this version; all common items are asked", field="spec.sample_queries")

    async def _pin(self, queries: Sequence[SpaceQuery]) -> list[SpaceUse]:
        """The versions that this call will read."""
        uses = []
        for query in queries:
            record = await self._snapshots.record(query.name)
            version = query.version or record.version
            if version > record.version:
                raise VersionExpired(f"space {query.name!r} has no version {version}; the newest is {record.version}", field="version")
            uses.append(SpaceUse(f"spaces/{query.name}", record.uid, version))
        return uses

    async def _report(self, call: Call, snapshots: tuple[Snapshot, Snapshot], joined: Join, spec: AlignmentSpec) -> AlignmentReport:
        _check_size(joined.n, spec)
        x, y = [await self._side(call, snapshot, rows, joined, spec) for snapshot, rows in zip(snapshots, joined.rows, strict=True)]
        options = await asyncio.to_thread(self._options, joined, spec)
        control = call.control.part(0.8, 1.0)
        certificates: list[Certificate | None] = [None, None]
        if spec.metric == "mutual_knn":
            tables = [await self._table(call, side, joined, spec, (0.4 * i, 0.4 * i + 0.4)) for i, side in enumerate((x, y))]
            certificates = [table.certificate for table in tables]
            scores = await self._pool.run(
                call,
                "statistics",
                lambda: mutual_knn_scores(tables[0], tables[1], spec.ks, options, control),
                nbytes=64 * joined.n * max(spec.ks),
            )
        else:
            unbiased = spec.metric == "unbiased_cka"
            nbytes = cka_bytes(joined.n, [x.vectors.shape[1], y.vectors.shape[1]])
            scores = [
                await self._pool.run(call, "statistics", lambda: cka_score(x.vectors, y.vectors, unbiased, options, control), nbytes=nbytes)
            ]
        return AlignmentReport(
            metric=spec.metric,
            by_k=tuple(scores),
            n=joined.n,
            gallery=joined.n,
            dropped_x=snapshots[0].n - joined.n,
            dropped_y=snapshots[1].n - joined.n,
            preprocess=spec.preprocess,
            clips=tuple(side.clip for side in (x, y) if side.clip is not None),
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            x=x.use,
            y=y.use,
            engine=ENGINE_VERSION,
            certificate_x=certificates[0],
            certificate_y=certificates[1],
        )

    async def _side(self, call: Call, snapshot: Snapshot, rows: NDArray[np.int64], joined: Join, spec: AlignmentSpec) -> _Side:
        """The common items of one space, in the order of the join, preprocessed."""
        whole = len(rows) == snapshot.n
        vectors = snapshot.vectors if whole else await self._pool.run(call, "load", lambda: snapshot.vectors[rows])
        similarity, clip = snapshot.similarity, None
        if spec.preprocess == "platonic_rep":
            vectors, clip = await self._pool.run(call, "load", lambda: platonic_rep(vectors), nbytes=3 * vectors.nbytes)
            similarity = Similarity.COSINE
        subject = TableSubject(snapshot.uid, snapshot.version, joined.digest, spec.preprocess)
        return _Side(SpaceUse(snapshot.name, snapshot.uid, snapshot.version), vectors, similarity, clip, subject)

    async def _table(self, call: Call, side: _Side, joined: Join, spec: AlignmentSpec, share: tuple[float, float]) -> NeighbourTable:
        depth = table_depth(spec.ks, joined.n, spec.interval_kind)
        return await self._tables.self_join(call.part(*share), side.subject, side.vectors, joined.ids, side.similarity, depth)

    def _options(self, joined: Join, spec: AlignmentSpec) -> ScoreOptions:
        return ScoreOptions(
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            interval_kind=spec.interval_kind,
            confidence=spec.confidence,
            item_order=tie_keys(_ORDER, [str(item) for item in joined.ids]),
            threads=self._limits.threads,
        )

    async def _matrix(self, call: Call, snapshots: Sequence[Snapshot], items: ItemPolicy, spec: AlignmentSpec) -> AlignmentMatrix:
        if items == "common":
            joined = await asyncio.to_thread(join, snapshots)
            scores = await self._common_scores(call, snapshots, joined, spec)
            n = np.full((len(snapshots), len(snapshots)), joined.n, dtype=np.int64)
        else:
            scores, n = await self._pairwise_scores(call, snapshots, spec)
        return AlignmentMatrix(
            metric=spec.metric,
            spaces=tuple(SpaceUse(snapshot.name, snapshot.uid, snapshot.version) for snapshot in snapshots),
            scores=_square(scores, lambda score: score.score),
            chance=_square(scores, lambda score: score.chance),
            excess=_square(scores, lambda score: score.excess),
            calibrated=_square(scores, lambda score: score.calibrated),
            p_values=_square(scores, lambda score: score.p_value, diagonal=False),
            interval_low=_square(scores, lambda score: score.interval.low),
            interval_high=_square(scores, lambda score: score.interval.high),
            interval_kind=spec.interval_kind,
            confidence=spec.confidence,
            n=n,
            k=spec.ks[0] if spec.metric == "mutual_knn" else 0,
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            preprocess=spec.preprocess,
            items=items,
            engine=ENGINE_VERSION,
        )

    async def _common_scores(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec
    ) -> dict[tuple[int, int], Score]:
        """Every pair i <= j over the items common to all: M tables, one set of permutations."""
        _check_size(joined.n, spec)
        options = await asyncio.to_thread(self._options, joined, spec)
        sides = [await self._side(call, snapshot, rows, joined, spec) for snapshot, rows in zip(snapshots, joined.rows, strict=True)]
        control = call.control.part(0.6, 1.0)
        if spec.metric == "mutual_knn":
            step = 0.6 / len(sides)
            tables = [await self._table(call, side, joined, spec, (i * step, (i + 1) * step)) for i, side in enumerate(sides)]
            return await self._pool.run(call, "statistics", lambda: mutual_knn_matrix(tables, spec.ks[0], options, control))
        arrays = [side.vectors for side in sides]
        unbiased = spec.metric == "unbiased_cka"
        return await self._pool.run(
            call,
            "statistics",
            lambda: cka_matrix(arrays, unbiased, options, control),
            nbytes=cka_bytes(joined.n, [array.shape[1] for array in arrays]),
        )

    async def _pairwise_scores(
        self, call: Call, snapshots: Sequence[Snapshot], spec: AlignmentSpec
    ) -> tuple[dict[tuple[int, int], Score], NDArray[np.int64]]:
        """Every pair i <= j over its own common items; scores of different n do not compare."""
        count = len(snapshots)
        n = np.zeros((count, count), dtype=np.int64)
        scores: dict[tuple[int, int], Score] = {}
        pairs = [(i, j) for i in range(count) for j in range(i, count)]
        for done, (i, j) in enumerate(pairs):
            joined = await asyncio.to_thread(join, [snapshots[i], snapshots[j]])
            part = call.part(done / len(pairs), (done + 1) / len(pairs))
            found = await self._common_scores(part, [snapshots[i], snapshots[j]], joined, spec)
            scores[i, j] = found[0, 0] if i == j else found[0, 1]
            n[i, j] = n[j, i] = joined.n
        return scores, n


def _check_size(n: int, spec: AlignmentSpec) -> None:
    if spec.metric == "mutual_knn":
        k = max(spec.ks)
        if k >= n:
            raise InvalidK(f"k is {k}, but only {n:,} items are common, so k may be at most {n - 1}", field="spec.ks", k=k, n=n)
    elif n < 4:
        raise TooFewItems(f"only {n} items are common; {spec.metric} needs at least 4; add items that both have", field="y", n=n)


def _square(scores: dict[tuple[int, int], Score], value: Callable[[Score], float | None], *, diagonal: bool = True) -> NDArray[np.float64]:
    """(M, M) symmetric from the pairs i <= j; NaN where there is no value."""
    count = 1 + max(j for _, j in scores)
    square = np.full((count, count), np.nan)
    for (i, j), score in scores.items():
        number = value(score)
        if number is not None and (diagonal or i != j):
            square[i, j] = square[j, i] = number
    return square
