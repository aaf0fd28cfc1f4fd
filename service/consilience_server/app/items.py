"""Alignment item by item, and what a new version of a space changed: the use cases of ItemService."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import at_size, check_spec
from consilience_server.app.alignment_spec import AlignmentLimits, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_groups import with_same
from consilience_server.app.item_query import MOST_SLICES, ItemLists, ItemQuery, ItemReport, VersionReport, check_items
from consilience_server.app.item_slices import attribute_slices
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join, join
from consilience_server.app.metric_families.family import Compared
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import rows_of
from consilience_server.app.tables import Tables
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidAttribute, NotServed
from consilience_server.core.slices import Slices, prefix_slices
from consilience_server.engine.group_item_scores import group_item_scores
from consilience_server.engine.item_scores import item_scores, item_scores_bytes
from consilience_server.engine.protocol import ENGINE_VERSION, NeighbourTable
from consilience_server.engine.snapshot import Snapshot

_ROWS_A_BLOCK = 1 << 14


class Items:
    """Measures where spaces agree. Reads the tables that alignment keeps; its own answers, as large as the spaces, are not kept."""

    def __init__(self, snapshots: Snapshots, tables: Tables, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._snapshots = snapshots
        self._scores = JoinedScores(tables, pool, limits.threads)
        self._pool = pool
        self._limits = limits

    async def align_items(self, call: Call, x: SpaceQuery, y: SpaceQuery, query: ItemQuery) -> ItemReport:
        """The overlap of every asked item, with slices and lists.

        Raises:
            SpaceNotFound, VersionExpired, NoCommonItems, InvalidK, UnknownMetric, InvalidAttribute, ItemNotFound, MemoryBudget, Overloaded.
        """
        check_spec(query.spec, self._limits)
        check_items(query)
        async with (
            self._snapshots.hold(call, x.name, x.version, field="x", kernels=True) as snapshot_x,
            self._snapshots.hold(call, y.name, y.version, field="y", kernels=True) as snapshot_y,
        ):
            joined = await asyncio.to_thread(join, [snapshot_x, snapshot_y])
            return await self._report(call, (snapshot_x, snapshot_y), joined, query)

    async def compare_versions(self, call: Call, space: str, old: int, new: int, query: ItemQuery) -> VersionReport:
        """What became of each item's neighbours between two versions; 0 is the newest.

        Raises:
            As `align_items`.
        """
        query = replace(query, spec=replace(query.spec, permutations=0))
        check_spec(query.spec, self._limits)
        check_items(query)
        if query.spec.group_by:
            raise NotServed("two versions of a space are compared item by item, not by groups; leave group_by out", field="spec.group_by")
        async with (
            self._snapshots.hold(call, space, old, field="space", version_field="old_version", kernels=True) as before,
            self._snapshots.hold(call, space, new, field="space", version_field="new_version", kernels=True) as after,
        ):
            joined = await asyncio.to_thread(join, [before, after], "new_version")
            items = await self._report(call, (before, after), joined, query)
            differs = await self._pool.run(call, "statistics", lambda: _differs(before, after, joined), nbytes=joined.n)
            added = await asyncio.to_thread(_beyond, after, joined, 1)
            removed = await asyncio.to_thread(_beyond, before, joined, 0)
            asked = differs[np.searchsorted(joined.ids, items.ids)] if len(items.ids) < joined.n else differs
            replaced = int(np.count_nonzero(differs))
            return VersionReport(items, asked, added, removed, replaced, joined.n - replaced)

    async def _report(self, call: Call, snapshots: tuple[Snapshot, Snapshot], joined: Join, query: ItemQuery) -> ItemReport:
        spec = at_size(query.spec, joined.n, self._limits)
        joined = await with_same(self._snapshots, call, snapshots, joined, spec)
        query = replace(query, spec=spec)
        slices = await self._slices(call, snapshots, joined, query)
        async with self._scores.compared(call.part(0.0, 0.8), snapshots, joined, spec) as compared:
            rows = np.arange(joined.n) if compared.queries is None else compared.queries
            shown = await asyncio.to_thread(_places, joined, rows, query.show_ids)
            family, control = FAMILY_OF[spec.metric], call.part(0.8, 1.0).control
            nbytes = family.nbytes(compared) + item_scores_bytes(compared.tables, spec.ks[0], compared.options.threads)

            def measure() -> ItemReport:
                return _measured(compared, rows, slices, shown, query, snapshots, control)

            return await self._pool.run(call, "statistics", measure, nbytes=nbytes)

    async def _slices(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, query: ItemQuery) -> Slices | None:
        """The slices of the common items, in the order of the join."""
        if query.slice_prefix:
            slices = await asyncio.to_thread(prefix_slices, joined.ids.tolist(), query.slice_prefix, "slice_prefix")
        elif query.slice_by:
            sides = list(zip(snapshots, joined.rows, strict=True))
            if snapshots[0].uid == snapshots[1].uid:
                # Two versions of one space: an attribute may have changed, and the newer one speaks.
                sides = sides[1:]
            columns = {snapshot.name: await self._snapshots.attributes(call, snapshot, rows) for snapshot, rows in sides}
            slices = await asyncio.to_thread(attribute_slices, query.slice_by, columns, joined.ids.tolist(), "slice_by")
        else:
            return None
        if len(slices.values) > MOST_SLICES:
            raise InvalidAttribute(
                f"{len(slices.values):,} slices of {joined.n:,} items; at most {MOST_SLICES:,} are served, name a coarser one",
                field="slice_by" if query.slice_by else "slice_prefix",
            )
        return slices


def _measured(
    compared: Compared,
    rows: NDArray[np.int64],
    slices: Slices | None,
    shown: NDArray[np.int64],
    query: ItemQuery,
    snapshots: tuple[Snapshot, Snapshot],
    control: Control,
) -> ItemReport:
    """The report on the items `rows`; `shown` are places among them."""
    spec, n = query.spec, compared.n
    headline = FAMILY_OF[spec.metric].pair(compared, control.part(0.0, 0.5))[0]
    of_rows = None if slices is None else slices.some(rows)
    k, options, rest = spec.ks[0], compared.options, control.part(0.5, 1.0)
    if compared.same is None:
        found = item_scores(compared.tables, compared.queries, k, of_rows, options, rest)
    else:
        found = group_item_scores(compared.tables, compared.keys(), compared.same, k, of_rows, options, rest)
    ids = compared.ids[rows]
    # Rows ascend by id, so a stable sort puts the lower id first among equals.
    least = np.argsort(found.overlaps, kind="stable")[: query.extremes]
    most = np.argsort(-found.overlaps, kind="stable")[: query.extremes]
    lists = [[_lists(compared, ids, found.overlaps, int(at), spec.ks[0]) for at in chosen] for chosen in (least, most, shown)]
    x, y = (SpaceUse(snapshot.name, snapshot.uid, snapshot.version) for snapshot in snapshots)
    similarities = [side.similarity if side.kernel is None else None for side in compared.sides]
    return ItemReport(
        x=x,
        y=y,
        query=query,
        headline=headline,
        ids=ids,
        overlaps=found.overlaps,
        gallery=n,
        query_sampling=spec.sampling(n),
        groups=0 if compared.same is None else int(compared.same.max()) + 1,
        dropped_x=snapshots[0].n - n,
        dropped_y=snapshots[1].n - n,
        preprocess=spec.preprocess,
        similarities=(similarities[0], similarities[1]),
        slices=found.slices,
        least=lists[0],
        most=lists[1],
        shown=lists[2],
        engine=ENGINE_VERSION,
    )


def _lists(compared: Compared, ids: NDArray[np.object_], overlaps: NDArray[np.float64], at: int, k: int) -> ItemLists:
    (x_ids, x_similarities), (y_ids, y_similarities) = (_nearest(compared, table, at, k) for table in compared.tables)
    return ItemLists(str(ids[at]), float(overlaps[at]), x_ids, x_similarities, y_ids, y_similarities)


def _nearest(compared: Compared, table: NeighbourTable, at: int, k: int) -> tuple[list[str], list[float]]:
    if compared.same is None:
        return [str(item) for item in compared.ids[table.indices[at, :k]]], table.scores[at, :k].tolist()
    places = np.flatnonzero(compared.same[table.indices[at]] != compared.same[at])[:k]
    return [str(item) for item in compared.ids[table.indices[at, places]]], table.scores[at, places].tolist()


def _places(joined: Join, rows: NDArray[np.int64], ids: Sequence[str]) -> NDArray[np.int64]:
    """Where the items stand among those asked; ItemNotFound."""
    if not ids:
        return np.empty(0, dtype=np.int64)
    return rows_of(joined.ids[rows], ids, "", "show_ids", among="the items asked")


def _differs(before: Snapshot, after: Snapshot, joined: Join) -> NDArray[np.bool_]:
    """(n,) whether the vector of a common item is another."""
    found = np.empty(joined.n, dtype=np.bool_)
    for start in range(0, joined.n, _ROWS_A_BLOCK):
        block = slice(start, start + _ROWS_A_BLOCK)
        old, new = (_stored(snapshot, rows, block) for snapshot, rows in zip((before, after), joined.rows, strict=True))
        found[block] = (old != new).any(axis=1)
    return found


def _stored(snapshot: Snapshot, rows: NDArray[np.int64], block: slice) -> NDArray[np.float32]:
    """What is stored of some of the items `rows`: of a kernel space their entries with each other."""
    return snapshot.vectors[rows[block]] if snapshot.kernel is None else snapshot.vectors[np.ix_(rows[block], rows)]


def _beyond(snapshot: Snapshot, joined: Join, side: int) -> list[str]:
    """The items of one snapshot that the other lacks."""
    mine = np.ones(snapshot.n, dtype=np.bool_)
    mine[joined.rows[side]] = False
    return [str(item) for item in snapshot.ids[mine]]
