"""The overlaps of a watch's probes: taken once as a baseline, and again on later versions against what is left of its gallery."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joins import join
from consilience_server.app.watch_records import Baseline, ProbeChange, WatchSpec
from consilience_server.core.errors import BaselineLost, InvalidK, NoCommonItems
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.core.query_sample import hash_sample, sampling_keys
from consilience_server.core.sampled_hubness import sampled_hubness
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.ordered_probes import ordered_values
from consilience_server.engine.precomputed_neighbours import kernel_join, kernel_join_bytes
from consilience_server.engine.probe_lists import list_depth, occurrences, overlaps, probe_lists
from consilience_server.engine.protocol import NeighbourEngine, NeighbourTable
from consilience_server.engine.snapshot import Snapshot

LEAST_SHARE = 0.5
"""Of probes and of gallery items: a comparison over fewer than these speaks of other items than the baseline."""

_SHOWN_PROBES = 10
_SHOWN_NEIGHBOURS = 20


@dataclass(frozen=True)
class Measured:
    """Values of the probes that are left: overlaps, or what the ordered lists have in common.

    Attributes:
        before: (m,) at the baseline, against the items that are left.
        now: (m,) likewise, now.
        coverage: share of the baseline's probes that these are.
        gallery_items: items of the baseline that both spaces still have.
        common_items: items common to both spaces now.
        kept: mean share of a probe's k nearest that were among them at the baseline, in x and in y.
        hubness: of x and of y.
        fallen: the probes that fell most, the largest fall first.
    """

    before: NDArray[np.float64]
    now: NDArray[np.float64]
    coverage: float
    gallery_items: int
    common_items: int
    kept: tuple[float, float]
    hubness: tuple[float, float]
    fallen: tuple[ProbeChange, ...]


class ProbeMeasurement:
    """Searches the probes' neighbours. Must be used from one event loop."""

    def __init__(self, engine: NeighbourEngine, pool: ComputePool) -> None:
        self._engine = engine
        self._pool = pool

    async def take(self, call: Call, x: Snapshot, y: Snapshot, spec: WatchSpec, number: int) -> tuple[Baseline, Measured]:
        """A baseline of the items common to both, and its own measurement.

        Args:
            call: pays.
            x: a space.
            y: the other.
            spec: of the watch.
            number: of the result that the baseline is: each baseline of a watch has probes of its own, as whoever takes a new one has seen
                what the old ones said.

        Raises:
            NoCommonItems, InvalidK, MemoryBudget, Overloaded.
        """
        try:
            joined = await asyncio.to_thread(join, [x, y])
        except NoCommonItems as error:
            error.field = "spec.y"
            raise
        if spec.k >= joined.n:
            raise InvalidK(
                f"k is {spec.k}, but only {joined.n:,} items are common, so k may be at most {joined.n - 1}", field="spec.k", n=joined.n
            )
        probes = await asyncio.to_thread(_probe_rows, joined.ids, spec, number)
        depth = list_depth(spec.k, joined.n)
        keys = await asyncio.to_thread(_tie_keys, (x.uid, y.uid), joined.ids)
        tables = await self._search(call, (x, y), joined.rows, keys, probes, depth)
        baseline = Baseline(joined.ids, probes, *(probe_lists(table) for table in tables))
        everywhere = np.arange(joined.n)
        measured = await self._pool.run(
            call, "statistics", lambda: _compare(baseline, everywhere, np.ones(len(probes), dtype=np.bool_), tables, joined.n, spec, keys)
        )
        return baseline, measured

    async def compare(self, call: Call, baseline: Baseline, x: Snapshot, y: Snapshot, spec: WatchSpec, uids: tuple[str, str]) -> Measured:
        """The probes once more. BaselineLost, MemoryBudget, Overloaded.

        Args:
            call: pays.
            baseline: what to compare with.
            x: a space.
            y: the other.
            spec: of the watch.
            uids: of the spaces when the baseline was taken. They still decide ties: a space made anew of
                the same vectors is the same.
        """
        k = spec.k
        rows = [await asyncio.to_thread(_rows, side.ids, baseline.gallery_ids) for side in (x, y)]
        left = (rows[0] >= 0) & (rows[1] >= 0)
        place = np.where(left, np.cumsum(left) - 1, -1)
        present = left[baseline.probe_rows]
        if min(left.mean(), present.mean()) < LEAST_SHARE or k >= left.sum():
            raise BaselineLost(
                f"both spaces still have {left.sum():,} of the baseline's {len(left):,} items and {present.sum():,} of its "
                f"{len(present):,} probes; a comparison at k = {k} needs {LEAST_SHARE:.0%} of both: give the watch a new baseline"
            )
        probes = place[baseline.probe_rows[present]]
        keys = await asyncio.to_thread(_tie_keys, uids, baseline.gallery_ids)
        tables = await self._search(call, (x, y), [side[left] for side in rows], [of_side[left] for of_side in keys], probes, k)
        common = await asyncio.to_thread(_common_items, x, y)
        measured = await self._pool.run(call, "statistics", lambda: _compare(baseline, place, present, tables, common, spec, keys))
        if measured.coverage < LEAST_SHARE:
            raise BaselineLost(
                f"so many neighbours were deleted that {measured.coverage:.0%} of the baseline's probes can be compared; "
                f"{LEAST_SHARE:.0%} are needed: give the watch a new baseline"
            )
        return measured

    async def _search(
        self,
        call: Call,
        sides: tuple[Snapshot, Snapshot],
        rows: Sequence[NDArray[np.int64]],
        keys: Sequence[NDArray[np.uint64]],
        probes: NDArray[np.int64],
        k_max: int,
    ) -> list[NeighbourTable]:
        """The tables of the probes (rows of the gallery) in both spaces, against the gallery (rows of each snapshot, with tie keys)."""
        tables: list[NeighbourTable] = []
        for side, of_side, names in zip(sides, rows, keys, strict=True):
            if side.kernel is not None:
                tables.append(
                    await self._search_kernel(call.part(0.45 * len(tables), 0.45 * (len(tables) + 1)), side, of_side, names, probes, k_max)
                )
                continue
            n, part = len(of_side), call.part(0.45 * len(tables), 0.45 * (len(tables) + 1))
            copied = 4 * n * side.dim if n != side.n else 0
            with self._pool.holding(part, copied + 4 * len(probes) * side.dim):

                def scan(
                    side: Snapshot = side, of_side: NDArray[np.int64] = of_side, keys: NDArray[np.uint64] = names, part: Call = part
                ) -> NeighbourTable:
                    gallery = side.vectors if len(of_side) == side.n else side.vectors[of_side]
                    queries = gallery[probes]
                    control = part.control
                    return self._engine.query(queries, gallery, side.similarity, k_max, exclude=probes, tie_keys=keys, control=control)

                nbytes = self._engine.query_bytes(len(probes), n, side.dim, k_max)
                tables.append(await self._pool.run(part, "scan", scan, nbytes=nbytes))
        return tables

    async def _search_kernel(
        self, call: Call, side: Snapshot, rows: NDArray[np.int64], keys: NDArray[np.uint64], probes: NDArray[np.int64], k_max: int
    ) -> NeighbourTable:
        """The table of a kernel space, whose scores are stored."""
        n, kind = len(rows), side.kernel
        if kind is None:
            raise TypeError("a space of vectors has no stored scores")
        copied = 4 * n * n if n != side.n else 0

        def read() -> NeighbourTable:
            matrix = side.vectors if n == side.n else side.vectors[np.ix_(rows, rows)]
            return kernel_join(matrix, kind, k_max, queries=probes, tie_keys=keys, control=call.control)

        return await self._pool.run(call, "scan", read, nbytes=copied + kernel_join_bytes(len(probes), n, k_max))


def _tie_keys(uids: tuple[str, str], ids: NDArray[np.object_]) -> list[NDArray[np.uint64]]:
    """(n,) of each space: what orders the items that are equally near in it."""
    names = ids.tolist()
    return [tie_keys(uid, names) for uid in uids]


def _probe_rows(ids: NDArray[np.object_], spec: WatchSpec, number: int) -> NDArray[np.int64]:
    """The items whose hashes are least; at first and without a seed those that an alignment of sampled queries asks."""
    plain = spec.seed == 0 and number == 0
    keys = sampling_keys(ids.tolist()) if plain else tie_keys(f"probes-{spec.seed}-{number}", ids.tolist())
    return hash_sample(keys, spec.probes)


def _rows(sorted_ids: NDArray[np.object_], wanted: NDArray[np.object_]) -> NDArray[np.int64]:
    """The row of each wanted id, -1 where there is none."""
    if len(sorted_ids) == len(wanted) and np.array_equal(sorted_ids, wanted):
        return np.arange(len(wanted))
    if len(sorted_ids) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    rows = np.minimum(np.searchsorted(sorted_ids, wanted), len(sorted_ids) - 1).astype(np.int64)
    return np.where(sorted_ids[rows] == wanted, rows, -1)


def _common_items(x: Snapshot, y: Snapshot) -> int:
    if len(x.ids) == len(y.ids) and np.array_equal(x.ids, y.ids):
        return len(x.ids)
    return len(np.intersect1d(x.ids, y.ids, assume_unique=True))


def _compare(
    baseline: Baseline,
    place: NDArray[np.int64],
    present: NDArray[np.bool_],
    tables: Sequence[NeighbourTable],
    common: int,
    spec: WatchSpec,
    keys: Sequence[NDArray[np.uint64]],
) -> Measured:
    """Both lists of every probe that is left, before and now.

    Args:
        baseline: what to compare with.
        place: (n,) where each item of the baseline's gallery stands now; -1 where it left.
        present: (m,) whether each probe is left.
        tables: of the probes that are left, in x and in y.
        common: items common to both spaces now.
        spec: what is watched.
        keys: (n,) tie keys of the baseline's gallery, in x and in y.
    """
    k, gallery = spec.k, int((place >= 0).sum())
    now = [table.sets(k) for table in tables]
    old = [lists.sets(k, place, gallery) for lists in (baseline.x, baseline.y)]
    decided = old[0][1] & old[1][1] & present
    at = decided[present]
    if spec.metric == "mutual_knn":
        before, today = overlaps(old[0][0], old[1][0])[decided], overlaps(now[0], now[1])[at]
    else:
        left = place >= 0
        stood = [lists.ranked(k, place, gallery, of_side)[0] for lists, of_side in zip((baseline.x, baseline.y), keys, strict=True)]
        stand = [
            probe_lists(table).ranked(k, np.arange(gallery), gallery, of_side[left])[0] for table, of_side in zip(tables, keys, strict=True)
        ]
        before = ordered_values(spec.metric, stood[0][decided], stood[1][decided])
        today = ordered_values(spec.metric, stand[0][at], stand[1][at])
    kept = []
    for (sets, _), new in zip(old, now, strict=True):
        # Both have one row a probe, but the new ones only for those that are left.
        whole = np.zeros(len(present), dtype=np.int64)
        whole[present] = np.diff(new.indptr)
        spread = NeighbourSets(np.concatenate([[0], np.cumsum(whole)]), new.indices, new.weights, k, gallery, sets.tied)
        kept.append(float(overlaps(sets, spread)[decided].mean()) if decided.any() else 0.0)
    hubness = [sampled_hubness(occurrences(sets), sets.n, gallery) for sets in now]
    return Measured(
        before,
        today,
        float(decided.mean()),
        gallery,
        common,
        (kept[0], kept[1]),
        (hubness[0], hubness[1]),
        _fallen(baseline, place, tables, np.flatnonzero(decided), np.flatnonzero(at), before, today, k),
    )


def _fallen(
    baseline: Baseline,
    place: NDArray[np.int64],
    tables: Sequence[NeighbourTable],
    probes: NDArray[np.int64],
    rows: NDArray[np.int64],
    before: NDArray[np.float64],
    now: NDArray[np.float64],
    k: int,
) -> tuple[ProbeChange, ...]:
    """The probes that fell most; `probes` and `rows` say where each stands in the baseline and in the tables."""
    shown = min(k, _SHOWN_NEIGHBOURS)
    left = np.flatnonzero(place >= 0)

    def named(gallery_rows: NDArray[np.int64]) -> tuple[str, ...]:
        return tuple(str(item) for item in baseline.gallery_ids[gallery_rows])

    found = []
    for worst in np.argsort(now - before, kind="stable")[:_SHOWN_PROBES]:
        if now[worst] >= before[worst]:
            break
        probe = int(probes[worst])
        lists = [named(side.nearest(probe, shown).astype(np.int64)) for side in (baseline.x, baseline.y)]
        today = [named(left[table.indices[rows[worst], :shown]]) for table in tables]
        item = str(baseline.gallery_ids[baseline.probe_rows[probe]])
        found.append(ProbeChange(item, float(before[worst]), float(now[worst]), lists[0], today[0], lists[1], today[1]))
    return tuple(found)
