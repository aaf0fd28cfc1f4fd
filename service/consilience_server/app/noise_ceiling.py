"""Noise ceilings of spaces with repeats, and other spaces against them: the use case of NoiseCeilingService."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentLimits, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joins import Join, join
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.reports import SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.control import Control
from consilience_server.core.dual_bootstrap import dual_interval, dual_variance
from consilience_server.core.errors import InvalidArgument, TooFewItems
from consilience_server.core.kernel_distances import dissimilarities_of, dissimilarity_rule
from consilience_server.core.noise_ceiling import NoiseCeiling, noise_ceiling
from consilience_server.core.permutation import canonical_order
from consilience_server.core.rdm import RdmDistance, rdm, square, upper_triangle
from consilience_server.core.rsa import RdmComparison
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.repeat_scores import RepeatScores, repeat_bytes, repeat_scores
from consilience_server.engine.snapshot import Snapshot

LEAST_ITEMS = 4
_ORDER = "items"
_PAIR_SECONDS = {"cosine": 1e-8, "pearson": 1e-8, "spearman": 1e-7, "kendall": 3e-7}
"""About what comparing one pair of items in one matrix takes: sums, a sort, a sort with counts."""


@dataclass(frozen=True)
class NoiseCeilingQuery:
    """What is asked: a space with repeats, spaces to compare with it, and how.

    Attributes:
        space: a kernel space with repeats.
        against: other spaces, each compared with every repeat; of those with repeats the mean counts.
        comparison: of dissimilarity matrices.
        rdm_distance: between the vectors of a space without a matrix of its own.
        draws: of the dual bootstrap; 0 leaves intervals out.
        seed: of the draws.
        confidence: of the intervals.
    """

    space: SpaceQuery
    against: tuple[SpaceQuery, ...] = ()
    comparison: RdmComparison = "spearman"
    rdm_distance: RdmDistance = "correlation"
    draws: int = 1000
    seed: int = 0
    confidence: float = 0.95


@dataclass(frozen=True)
class CeilingScore:
    """A space against the repeats: mean score and its terms, interval limits (None without draws), rule of its dissimilarities."""

    space: SpaceUse
    rule: str
    score: float
    by_repeat: NDArray[np.float64]
    limits: tuple[float, float] | None
    undefined: int


@dataclass(frozen=True)
class NoiseCeilingReport:
    """The answer, over the `n` items common to all; `pairs` counts the pairs of items that each repeat has."""

    query: NoiseCeilingQuery
    space: SpaceUse
    repeats: tuple[str, ...]
    n: int
    dropped: int
    pairs: NDArray[np.int64]
    ceiling: NoiseCeiling
    scores: Sequence[CeilingScore]
    engine: str = ENGINE_VERSION


class NoiseCeilings:
    """Measures how well spaces could score, and how well they do. Answers are cached by what they were computed from."""

    def __init__(self, snapshots: Snapshots, results: ResultCache, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._snapshots = snapshots
        self._results = results
        self._pool = pool
        self._limits = limits

    async def measure(self, call: Call, query: NoiseCeilingQuery, encode: Callable[[NoiseCeilingReport], bytes]) -> bytes:
        """The ceiling and the scores, encoded.

        Raises:
            InvalidArgument: a space without repeats, numbers out of range, a space named twice.
            SpaceNotFound, VersionExpired, NoCommonItems, TooFewItems, ConstantFeatures, ZeroVector, MemoryBudget, Overloaded.
        """
        check_query(query, self._limits)
        fields = ["space", *(f"against[{at}]" for at in range(len(query.against)))]
        record = await self._record(query)
        pinned = await pin_versions(self._snapshots, [query.space, *query.against], fields)
        asked = asdict(replace(query, space=SpaceQuery(""), against=()))
        queries = [SpaceQuery(each.name, use.version) for each, use in zip((query.space, *query.against), pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, each.name, each.version, field=field, kernels=True))
                    for each, field in zip(queries, fields, strict=True)
                ]
                report = await self._report(work, query, pinned, snapshots, record.spec.repeats)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, cache_key("noise_ceiling", asked, pinned), compute)

    async def estimate_seconds(self, query: NoiseCeilingQuery) -> float:
        """Of the ceiling, and of comparing all matrices once a draw; what will be refused is refused here, before an operation is begun."""
        check_query(query, self._limits)
        record = await self._record(query)
        spaces = [await self._snapshots.record(space.name, field=f"against[{at}]") for at, space in enumerate(query.against)]
        n, repeats = min(space.item_count for space in (record, *spaces)), len(record.spec.repeats)
        compared = repeats * len(spaces) if query.comparison.startswith("kendall") else repeats + len(spaces)
        draws = 1 + query.draws if spaces else 0
        a_pair = _PAIR_SECONDS["kendall" if query.comparison.startswith("kendall") else query.comparison]
        return a_pair * 0.5 * n * n * (2.0 * repeats + draws * compared / self._limits.threads)

    async def _record(self, query: NoiseCeilingQuery) -> SpaceRecord:
        """The space of repeats; SpaceNotFound, or InvalidArgument where it has none."""
        record = await self._snapshots.record(query.space.name, field="space")
        if record.spec.repeats:
            return record
        if record.spec.kernel is None:
            raise InvalidArgument(
                f"space {query.space.name!r} has no repeats: of vectors those are spaces of their own, so ask their reliability; or "
                "make a kernel space with the names of its subjects, sessions or raters, and upload a matrix of dissimilarities for each",
                field="space",
            )
        raise InvalidArgument(
            f"space {query.space.name!r} has no repeats, so its noise is unknown; make it with the names of its subjects, sessions or "
            "raters and upload a matrix for each",
            field="space",
        )

    async def _report(
        self, call: Call, query: NoiseCeilingQuery, uses: Sequence[SpaceUse], snapshots: Sequence[Snapshot], repeats: tuple[str, ...]
    ) -> NoiseCeilingReport:
        joined = await asyncio.to_thread(join, snapshots)
        n = joined.n
        if n < LEAST_ITEMS:
            raise TooFewItems(f"only {n} items are common; a noise ceiling needs at least {LEAST_ITEMS}", field="against", n=n)
        threads = self._limits.threads
        matrices = 8 * n * n * (len(repeats) + 2 * len(query.against) + 4)
        nbytes = matrices + repeat_bytes(n, len(query.against), len(repeats), threads)

        def work() -> NoiseCeilingReport:
            return _measured(query, uses, snapshots, joined, repeats, threads, call.control)

        return await self._pool.run(call, "statistics", work, nbytes=nbytes)


def check_query(query: NoiseCeilingQuery, limits: AlignmentLimits) -> None:
    """Everything that can be refused before the spaces are looked at: InvalidArgument."""
    if not 0 <= query.draws <= limits.max_permutations:
        raise InvalidArgument(f"{query.draws:,} draws; at most {limits.max_permutations:,} are served", field="draws")
    if 0 < query.draws < 2:
        raise InvalidArgument("one draw has no variance; ask two or more, or none", field="draws")
    if not 0 < query.confidence < 1:
        raise InvalidArgument(f"confidence is {query.confidence}; it must lie between 0 and 1", field="confidence")
    if len(set(query.against)) < len(query.against):
        raise InvalidArgument("a space is named twice; name each once", field="against")


def _measured(
    query: NoiseCeilingQuery,
    uses: Sequence[SpaceUse],
    snapshots: Sequence[Snapshot],
    joined: Join,
    repeats: tuple[str, ...],
    threads: int,
    control: Control,
) -> NoiseCeilingReport:
    order = canonical_order(tie_keys(_ORDER, joined.ids.tolist()))
    rows = [part[order] for part in joined.rows]
    stack = _repeats(snapshots[0], rows[0])
    pairs = np.array([upper_triangle(matrix) for matrix in stack])
    ceiling = noise_ceiling(pairs, query.comparison, uses[0].name)
    control.progress(0.1)
    matrices, rules = [], []
    for snapshot, own in zip(snapshots[1:], rows[1:], strict=True):
        control.check()
        matrix, rule = _dissimilarities(snapshot, own, query.rdm_distance)
        matrices.append(matrix)
        rules.append(rule)
    found: list[RepeatScores] = []
    if matrices:
        found = repeat_scores(matrices, stack, query.comparison, query.draws, query.seed, threads, control.part(0.2, 1.0))
    scores = [_scored(use, rule, each, joined.n, query) for use, rule, each in zip(uses[1:], rules, found, strict=True)]
    known = np.count_nonzero(~np.isnan(pairs), axis=1).astype(np.int64)
    return NoiseCeilingReport(query, uses[0], repeats, joined.n, snapshots[0].n - joined.n, known, ceiling, scores)


def _repeats(snapshot: Snapshot, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(R, n, n) dissimilarities of some items, by repeat."""
    if snapshot.repeats is None or snapshot.kernel is None:
        raise InvalidArgument(f"{snapshot.name} has no repeats", field="space")
    stack = snapshot.repeats[np.ix_(rows, np.arange(snapshot.repeats.shape[1]), rows)].transpose(1, 0, 2)
    return dissimilarities_of(stack, snapshot.kernel)


def _dissimilarities(snapshot: Snapshot, rows: NDArray[np.int64], distance: RdmDistance) -> tuple[NDArray[np.float64], str]:
    """(n, n) dissimilarities of some items, and how they were made: of vectors by `distance`, of a kernel as `kernel_distances.py` says."""
    if snapshot.kernel is None:
        return square(rdm(snapshot.vectors[rows], distance)), distance
    return dissimilarities_of(snapshot.vectors[np.ix_(rows, rows)], snapshot.kernel), dissimilarity_rule(snapshot.kernel)


def _scored(use: SpaceUse, rule: str, found: RepeatScores, n: int, query: NoiseCeilingQuery) -> CeilingScore:
    limits, undefined, count = None, 0, len(found.by_repeat)
    if found.resampled is not None:
        undefined = found.resampled.undefined
        if len(found.resampled.both) > 1:
            limits = dual_interval(found.score, dual_variance(found.resampled, count, n), count, n, query.confidence)
    return CeilingScore(use, rule, found.score, found.by_repeat, limits, undefined)
