"""How alignment goes with a number of each space: the use case behind the paper's figures 2 to 4 (Huh et al. 2024)."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_query import at_size, check_spec
from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.cautions import sample_cautions
from consilience_server.app.compute import ComputePool
from consilience_server.app.deduplication import Deduplication, near_duplicates_told
from consilience_server.app.item_groups import ItemGroups, with_attributes
from consilience_server.app.item_sample import compared_items
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join, join
from consilience_server.app.measurement import Measurement, measurement
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.app.trend_query import Aligned, FamilyTrend, TrendQuery, TrendReport, check_trend, mean_with_others
from consilience_server.core.buckets import Bucket, bucket_of, default_count, mean_of_pairs, mean_with_reference
from consilience_server.core.control import Control
from consilience_server.core.correlation import line, pairing_test, pearson, pearson_interval, spearman, spearman_interval
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot

_FEW = 5
_SAME_DIGITS = 12
"""Scores equal to this many decimals are one rank: their sums differ only in order."""


class Trends:
    """Measures M spaces on the items common to all (and to the reference), one table a space, and their trend."""

    def __init__(self, alignment: Alignment, snapshots: Snapshots, tables: Tables, results: ResultCache, pool: ComputePool) -> None:
        self._alignment = alignment
        self._limits = alignment.limits
        self._scores = JoinedScores(tables, pool, alignment.limits.threads)
        self._deduplication = Deduplication(tables, pool)
        self._snapshots = snapshots
        self._results = results
        self._pool = pool

    async def trend(self, call: Call, query: TrendQuery, encode: Callable[[TrendReport], bytes]) -> bytes:
        """The trend, encoded.

        Raises:
            InvalidArgument: what `check_trend` refuses.
            SpaceNotFound, VersionExpired, NoCommonItems, InvalidK, TooFewItems, ConstantFeatures, MemoryBudget, Overloaded.
        """
        check_spec(query.spec, self._limits)
        check_trend(query)
        queries, fields = list(query.spaces), [f"spaces[{at}]" for at in range(len(query.spaces))]
        if query.reference is not None:
            queries, fields = [*queries, query.reference], [*fields, "reference"]
        pinned = await pin_versions(self._snapshots, queries, fields)
        asked = {**asdict(replace(query, spaces=(), reference=None)), "has_reference": query.reference is not None}
        held_queries = [SpaceQuery(each.name, use.version) for each, use in zip(queries, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, each.name, each.version, field=field, kernels=True))
                    for each, field in zip(held_queries, fields, strict=True)
                ]
                report = await self._report(work, query, pinned, snapshots)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, cache_key("trend", asked, pinned), compute)

    async def estimate_seconds(self, query: TrendQuery) -> float:
        """As `Alignment.estimate_seconds`; what will be refused is 0."""
        check_trend(query)
        spaces = [*query.spaces, *([] if query.reference is None else [query.reference])]
        return await self._alignment.estimate_seconds(spaces, query.spec)

    async def _report(self, call: Call, query: TrendQuery, uses: Sequence[SpaceUse], snapshots: Sequence[Snapshot]) -> TrendReport:
        joined = await asyncio.to_thread(join, snapshots, "spaces")
        warnings = told(query, snapshots, joined.n)
        common, threshold = joined.n, query.spec.deduplicate
        if threshold:
            # Near-duplicates in any of the spaces leave all of them, or the scores would be of different items.
            joined = await self._deduplication.apart(call.part(0.0, 0.1), snapshots, joined, threshold)
            warnings += near_duplicates_told(common, joined.n, threshold)
        spec = at_size(replace(query.spec, deduplicate=0.0), joined.n, self._limits)
        joined, groups = await with_attributes(self._snapshots, call, snapshots, joined, spec)
        measuring = call.part(0.1 if threshold else 0.0, 0.95)
        if query.reference is None:
            aligned = await self._with_others(measuring, snapshots, joined, spec)
        else:
            aligned = await self._with_reference(measuring, snapshots, joined, spec, groups)
        compared = compared_items(joined.n, spec)
        n, warnings = spec.queries(compared), [*sample_cautions(compared, joined.n), *warnings]
        how = await asyncio.to_thread(measurement, spec, snapshots, joined, common, threshold, aligned.bandwidths)
        control = call.part(0.95, 1.0).control
        return await self._pool.run(
            call, "statistics", lambda: trend_report(replace(query, spec=spec), uses, n, aligned, warnings, how, control)
        )

    async def _with_others(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> Aligned:
        # Only the scores are read: the null of each pair and its jackknife would be thrown away.
        bare = replace(spec, permutations=0, interval_kind="queries")
        return mean_with_others(await self._scores.of_all(call, snapshots, joined, bare), len(snapshots))

    async def _with_reference(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec, groups: ItemGroups | None
    ) -> Aligned:
        *spaces, reference = snapshots
        reports = []
        for at, space in enumerate(spaces):
            pair = joined.of(at, len(spaces))
            part = call.part(at / len(spaces), (at + 1) / len(spaces))
            reports.append(await self._alignment.report(part, (space, reference), pair, spec, groups))
        scores, chance, excess = np.array([(each.headline.score, each.headline.chance, each.headline.excess) for each in reports]).T
        return Aligned(scores, chance, excess, reports=reports)


def trend_report(
    query: TrendQuery,
    uses: Sequence[SpaceUse],
    n: int,
    aligned: Aligned,
    warnings: Sequence[str],
    how: Measurement,
    control: Control,
) -> TrendReport:
    """What the alignments say together; pure.

    Args:
        query: its spec without shares of the items.
        uses: of the spaces, then of the reference where there is one.
        n: items compared.
        aligned: one score a space.
        warnings: what a reader must know.
        how: the alignments were measured.
        control: of the test.
    """
    m, spec = len(query.spaces), query.spec
    numbers = np.asarray(query.against, dtype=np.float64)
    x = np.log10(numbers) if query.scale == "log10" else numbers
    y = np.round(aligned.scores, _SAME_DIGITS)
    rho, r = spearman(x, y), pearson(x, y)
    slope, intercept = line(x, aligned.scores)
    members = bucket_of(numbers, query.bucket_edges, query.bucket_count or default_count(m))
    across = None if aligned.pairs is None else _across(aligned.pairs, members)
    return TrendReport(
        query=query,
        spaces=tuple(uses[:m]),
        reference=uses[m] if query.reference is not None else None,
        n=n,
        k=spec.ks[0] if FAMILY_OF[spec.metric].reads == "tables" else 0,
        scores=aligned.scores,
        chance=aligned.chance,
        excess=aligned.excess,
        spearman=rho,
        spearman_interval=spearman_interval(rho, m, spec.confidence),
        pearson=r,
        pearson_interval=pearson_interval(r, m, spec.confidence),
        test=pairing_test(x, y, spec.permutations, spec.seed, control),
        slope=slope,
        intercept=intercept,
        buckets=tuple(_bucket(numbers, aligned, chosen) for chosen in members),
        across=None if across is None else across[0],
        across_errors=None if across is None else across[1],
        families=_families(query.families, x, y),
        pair_scores=aligned.pairs,
        reports=aligned.reports,
        warnings=warnings,
        measurement=how,
        engine=ENGINE_VERSION,
    )


def told(query: TrendQuery, snapshots: Sequence[Snapshot], n: int) -> list[str]:
    """What a reader must know: few spaces, spaces of different sizes, equal numbers."""
    found, m = [], len(query.spaces)
    if m < _FEW:
        found.append(f"only {m} spaces: no trend of so few can be told from chance; give 5 at least, better 8 or more")
    sizes = [snapshot.n for snapshot in snapshots]
    if max(sizes) != n:
        found.append(f"the spaces hold {min(sizes):,} to {max(sizes):,} items; each was measured on the {n:,} that all have")
    ties = m - len(set(query.against))
    if ties:
        found.append(f"{ties + 1} or more spaces share a number; their order among themselves counts for nothing")
    return found


def _bucket(numbers: NDArray[np.float64], aligned: Aligned, members: NDArray[np.int64]) -> Bucket:
    if aligned.pairs is None:
        mean, error, count = mean_with_reference(aligned.scores, members)
    else:
        mean, error, count = mean_of_pairs(aligned.pairs, members, members)
    chosen = numbers[members]
    return Bucket(float(chosen.min()), float(chosen.max()), tuple(members.tolist()), mean, error, count)


def _across(pairs: NDArray[np.float64], members: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    cells = np.array([[mean_of_pairs(pairs, rows, columns)[:2] for columns in members] for rows in members])
    return cells[:, :, 0].copy(), cells[:, :, 1].copy()


def _families(labels: Sequence[str], x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[FamilyTrend, ...]:
    found = []
    for name in sorted(set(labels)):
        chosen = np.array([label == name for label in labels])
        slope, intercept = line(x[chosen], y[chosen])
        found.append(FamilyTrend(name, int(chosen.sum()), spearman(x[chosen], y[chosen]), slope, intercept))
    return tuple(found)
