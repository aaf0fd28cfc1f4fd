"""Whether an encoder can change without re-embedding: measured on queries that no bridge has seen, never by cosine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.bridge_spaces import check_direction, check_uid, moved_on
from consilience_server.app.bridging import FitLimits
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_slices import attribute_slices
from consilience_server.app.joins import Join, join
from consilience_server.app.mixed_sources import refuse_marked, suspect_mixture
from consilience_server.app.pair_groups import GROUP_ATTRIBUTE, pair_groups
from consilience_server.app.ports import BridgeStore
from consilience_server.app.query_groups import Sides, grouped_together
from consilience_server.app.reports import SpaceUse
from consilience_server.app.request_fields import asked_by
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.upgrade_fit import FittedUpgrade, fit_bytes, fit_upgrade, given_upgrade
from consilience_server.app.upgrade_items import Asked, choose_queries, left_for_fit
from consilience_server.app.upgrade_judgements import Judged, judged_relevance
from consilience_server.app.upgrade_measures import Values, judge, measure, queries_needed, report_strategy
from consilience_server.app.upgrade_notes import upgrade_notes
from consilience_server.app.upgrade_query import DEPTH, UpgradeQuery, check_upgrade
from consilience_server.app.upgrade_report import UpgradeReport
from consilience_server.app.validation import check_width
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.bridges.choose import METHODS
from consilience_server.bridges.fit import BASELINES, needed_pairs
from consilience_server.bridges.fit_cost import fit_flops
from consilience_server.bridges.held_out import copied_rows
from consilience_server.bridges.reembedding import curve_sizes, reembedding
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.bridges.upgrade_lists import Strategy, Upgrade, found_by, sides_of
from consilience_server.core.errors import InvalidArgument, InvalidAttribute, TooFewItems, ZeroVector
from consilience_server.core.relevance import Relevance
from consilience_server.core.slices import Slices, prefix_slices
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_LEAST_ITEMS = 2 * DEPTH
_LEAST_QUERIES = 4
_MOST_SLICES = 100


@dataclass(frozen=True)
class _Held:
    """What is read: the spaces, and the items that they have in common."""

    old: Snapshot
    new: Snapshot
    items: Join
    old_queries: Snapshot
    new_queries: Snapshot
    asking: Join
    apart: bool
    """Whether the queries are spaces of their own."""


class Upgrades:
    """The use case of EvaluateUpgrade."""

    def __init__(
        self, *, bridges: BridgeStore, snapshots: Snapshots, pool: ComputePool, engine: NeighbourEngine, limits: FitLimits
    ) -> None:
        self._bridges = bridges
        self._snapshots = snapshots
        self._pool = pool
        self._engine = engine
        self._limits = limits

    async def evaluate(self, call: Call, query: UpgradeQuery) -> UpgradeReport:
        """Measure every way to change the encoder on the same queries, and decide.

        Queries and the pairs of the fit have nothing in common: groups stay on one side, near-copies of queries are left out of the fit.
        Neither the order of ids nor that of stored rows matters.

        A space whose `embedding_source` has several values is refused, one whose lengths speak for two sources is told in the notes.

        Raises:
            SpaceNotFound, BridgeNotFound, ItemNotFound, VersionExpired, KernelSpace, NoCommonItems, WrongSpace: what is named.
            InvalidArgument, DuplicateId, UnknownMethod, InvalidAttribute, TooFewItems, TooFewPairs, ZeroVector, ConstantFeatures,
            DimensionMismatch: the query and the data. MemoryBudget, Overloaded.
        """
        check_upgrade(query)
        artefact = await self._artefact(call, query)
        async with self._held(call, query) as held:
            if artefact is not None:
                check_direction(artefact, query.new, query.old)
                check_uid(artefact, "source", held.new.uid)
                check_uid(artefact, "target", held.old.uid)
            suspicions = []
            if artefact is not None:
                suspicions += [moved_on(artefact, "source", held.new.version), moved_on(artefact, "target", held.old.version)]
            for space, field in ((held.old, "old"), (held.new, "new")):
                await refuse_marked(self._snapshots, call, space, field)
                suspicions.append(await self._pool.run(call, "statistics", partial(suspect_mixture, space), nbytes=8 * space.n))
            groups, query_groups = await self._groups(call, held)
            # The pairs of a fit are items; a query of the same id is another thing.
            asked = choose_queries(query, held.asking, query_groups, None if held.apart else _fit_keys(artefact), apart=held.apart)
            judged = judged_relevance(query.judgements, held.asking.ids[asked.queries], held.items.ids, own=not held.apart)
            if judged is not None:
                asked = replace(asked, queries=asked.queries[judged.kept])
            slices = await self._slices(call, query, held, asked.queries)
            upgrade = await self._pool.run(call, "load", lambda: _upgrade(held, asked.queries), nbytes=_copied_bytes(held))
            fitted = await self._fitted(call.part(0.0, 0.5), query, held, upgrade, asked, groups, query_groups, artefact)
            clusters = None
            if query_groups is not None:
                clusters = np.unique(query_groups[asked.queries], return_inverse=True)[1].astype(np.int64)
            report = await self._pool.run(
                call,
                "statistics",
                lambda: self._measured(call.part(0.5, 1.0), query, held, upgrade, fitted, judged, slices, clusters, asked),
                nbytes=_measure_bytes(held, upgrade, fitted),
            )
            return replace(report, notes=[*filter(None, suspicions), *report.notes])

    async def estimate_seconds(self, call: Call, query: UpgradeQuery) -> float:
        """A rough estimate: fitting, then exact searches of all queries by each way and along the curve."""
        call.remaining()
        old = await self._snapshots.record(query.old.name, field="old")
        new = await self._snapshots.record(query.new.name, field="new")
        n, widths = min(old.item_count, new.item_count), (new.spec.dim, old.spec.dim)
        queries = len(query.query_ids) or len(query.judgements) or min(query.sample_queries, n)
        work = 0.0
        if not query.bridge:
            asked = METHODS if query.method == "auto" else (query.method,)
            methods = [name for name in METHODS if name in BASELINES or (name in asked and n >= needed_pairs(name, *widths))]
            work = 2.0 * fit_flops(methods, n, *widths, len(PENALTIES)) + 2.0 * n * queries * (sum(widths) + len(methods) * widths[1])
        searches = 5 + len(curve_sizes(n))
        return (work + searches * 2.0 * queries * n * max(widths)) / self._limits.flops_per_second

    async def _artefact(self, call: Call, query: UpgradeQuery) -> BridgeArtefact | None:
        call.remaining()
        if not query.bridge:
            return None
        with asked_by("bridge"):
            return await asyncio.to_thread(self._bridges.get, query.bridge)

    @asynccontextmanager
    async def _held(self, call: Call, query: UpgradeQuery) -> AsyncIterator[_Held]:
        async with AsyncExitStack() as stack:

            async def hold(space: SpaceQuery, field: str) -> Snapshot:
                return await stack.enter_async_context(self._snapshots.hold(call, space.name, space.version, field=field))

            old, new = await hold(query.old, "old"), await hold(query.new, "new")
            items = await asyncio.to_thread(join, [old, new], "new")
            if items.n < _LEAST_ITEMS:
                raise TooFewItems(
                    f"{old.name} and {new.name} have {items.n} items in common; neighbours within {DEPTH} of them say nothing below "
                    f"{_LEAST_ITEMS}",
                    field="new",
                )
            if query.query_spaces is None:
                yield _Held(old, new, items, old, new, items, apart=False)
                return
            before, after = await hold(query.query_spaces[0], "query_spaces.old"), await hold(query.query_spaces[1], "query_spaces.new")
            for snapshot, gallery, field in ((before, old, "query_spaces.old"), (after, new, "query_spaces.new")):
                check_width(snapshot.dim, gallery.dim, gallery.name, field)
            if _asks_itself((before, after), (old, new)):
                yield _Held(old, new, items, old, new, items, apart=False)
                return
            asking = await asyncio.to_thread(join, [before, after], "query_spaces.new")
            yield _Held(old, new, items, before, after, asking, apart=True)

    async def _groups(self, call: Call, held: _Held) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
        """Of items and of queries, by the same numbers: a query and an item with an equal `group_id` are of one group."""
        items: Sides = ((held.new, held.items.rows[1]), (held.old, held.items.rows[0]))
        if not held.apart:
            groups = await pair_groups(self._snapshots, call, *items[0], *items[1])
            return groups, groups
        asking: Sides = ((held.new_queries, held.asking.rows[1]), (held.old_queries, held.asking.rows[0]))
        groups, query_groups = await grouped_together(self._snapshots, call, [items, asking])
        return groups, query_groups

    async def _slices(self, call: Call, query: UpgradeQuery, held: _Held, queries: NDArray[np.int64]) -> Slices | None:
        ids = [str(item) for item in held.asking.ids[queries]]
        if query.slice_prefix:
            slices = prefix_slices(ids, query.slice_prefix, "slice_prefix")
        elif query.slice_by:
            sides = zip((held.old_queries, held.new_queries), held.asking.rows, strict=True)
            columns = {space.name: await self._snapshots.attributes(call, space, rows[queries]) for space, rows in sides}
            slices = attribute_slices(query.slice_by, columns, ids, "slice_by")
        else:
            return None
        if len(slices.values) > _MOST_SLICES:
            raise InvalidAttribute(
                f"{len(slices.values):,} slices of {len(ids):,} queries; at most {_MOST_SLICES} are judged, name a coarser one",
                field="slice_by" if query.slice_by else "slice_prefix",
            )
        return slices

    async def _fitted(
        self,
        call: Call,
        query: UpgradeQuery,
        held: _Held,
        upgrade: Upgrade,
        asked: Asked,
        groups: NDArray[np.int64] | None,
        query_groups: NDArray[np.int64] | None,
        artefact: BridgeArtefact | None,
    ) -> FittedUpgrade | None:
        if artefact is not None:
            return given_upgrade(artefact)
        none: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        asking = None if query_groups is None else query_groups[asked.queries]
        left = left_for_fit(held.items.n, none if held.apart else asked.queries, groups, asking)
        return await self._pool.run(
            call,
            "statistics",
            lambda: fit_upgrade(upgrade, left, query.method, query.seed, groups, self._engine, call.control),
            nbytes=fit_bytes(upgrade, len(left)),
        )

    def _measured(
        self,
        call: Call,
        query: UpgradeQuery,
        held: _Held,
        upgrade: Upgrade,
        fitted: FittedUpgrade | None,
        judged: Judged | None,
        slices: Slices | None,
        clusters: NDArray[np.int64] | None,
        asked: Asked,
    ) -> UpgradeReport:
        control = call.control
        maps = {} if fitted is None else fitted.maps(upgrade)
        sides = sides_of(upgrade, maps, control)
        lists: dict[Strategy, NDArray[np.int32]] = {}
        for name, side in sides.items():
            lists[name] = found_by(side, upgrade.own, DEPTH, self._engine, control.silent())
            control.progress(0.4 * len(lists) / len(sides))
        relevance = None if judged is None else judged.relevance
        values: dict[Strategy, Values] = {name: measure(found, lists["reembed"], relevance) for name, found in lists.items()}
        enough = fitted is None or fitted.enough_pairs
        verdict, parts = judge(values, query.thresholds, slices, clusters, enough_pairs=enough, judged=judged is not None)
        regained = None
        if "bridge" in sides and len(upgrade.own) >= _LEAST_QUERIES:
            regained = reembedding(
                sides["reembed"],
                sides["bridge"],
                relevance or Relevance.of_lists(lists["reembed"]),
                lists["bridge"],
                upgrade.own,
                tie_keys("reembed", upgrade.ids),
                self._engine,
                control.part(0.4, 1.0),
            )
        copied = 0
        if held.apart:
            both = (upgrade.new_queries, upgrade.new), (upgrade.old_queries, upgrade.old)
            near = [copied_rows(asking, gallery, control.silent()) for asking, gallery in both]
            copied = int((near[0] & near[1]).sum())
        first = [] if regained is None else [str(item) for item in upgrade.ids[regained.order[: query.reembed_limit]]]
        return UpgradeReport(
            verdict=verdict,
            queries_needed=queries_needed(verdict, parts),
            strategies=[report_strategy(name, values[name], values["reembed"], clusters) for name in sides],
            slices=parts,
            bridge=fitted,
            reembedding=regained,
            reembed_ids=first,
            queries=len(upgrade.own),
            gallery=held.items.n,
            old=_use(held.old),
            new=_use(held.new),
            old_queries=None if query.query_spaces is None else _use(held.old_queries),
            new_queries=None if query.query_spaces is None else _use(held.new_queries),
            dropped_old=held.old.n - held.items.n,
            dropped_new=held.new.n - held.items.n,
            clustered_by="" if clusters is None else GROUP_ATTRIBUTE,
            notes=upgrade_notes(
                (held.old.n, held.new.n, held.items.n),
                asked,
                fitted,
                judged,
                None if slices is None else len(slices.values),
                copied=copied,
                finds=bool(values["reembed"]["recall@10"].any()),
            ),
        )


def _fit_keys(artefact: BridgeArtefact | None) -> NDArray[np.uint64] | None:
    """Of the items, on either side, that a given bridge was fitted on."""
    keys = [] if artefact is None else [side for side in (artefact.fit_keys, artefact.fit_target_keys) if side is not None]
    return np.concatenate(keys) if keys else None


def _asks_itself(asking: tuple[Snapshot, Snapshot], galleries: tuple[Snapshot, Snapshot]) -> bool:
    """Whether the spaces of queries are the galleries: then none may find itself. InvalidArgument where only some of it is."""
    if all((one.uid, one.version) == (other.uid, other.version) for one, other in zip(asking, galleries, strict=True)):
        return True
    uids = {gallery.uid for gallery in galleries}
    for side, snapshot in zip(("old", "new"), asking, strict=True):
        if snapshot.uid in uids:
            raise InvalidArgument(
                f"the queries of {snapshot.name}@{snapshot.version} are items of a gallery, and would find themselves: the galleries are "
                f"{galleries[0].name}@{galleries[0].version} and {galleries[1].name}@{galleries[1].version}; give queries that are in "
                "neither, or leave query_spaces out to let items ask for others",
                field=f"query_spaces.{side}",
            )
    return False


def _use(snapshot: Snapshot) -> SpaceUse:
    return SpaceUse(snapshot.name, snapshot.uid, snapshot.version)


def _upgrade(held: _Held, queries: NDArray[np.int64]) -> Upgrade:
    rows_old, rows_new = held.items.rows
    for snapshot, rows, field in ((held.old, rows_old, "old"), (held.new, rows_new, "new")):
        zero = np.flatnonzero(~snapshot.vectors[rows].any(axis=1))
        if len(zero):
            raise ZeroVector(
                f"{len(zero):,} items of {snapshot.name} are zero vectors, {held.items.ids[zero[0]]!r} among them, which no bridge can "
                "lead to or from; delete them",
                field=field,
            )
    asking_old, asking_new = (rows[queries] for rows in held.asking.rows)
    return Upgrade(
        old=_rows(held.old, rows_old),
        new=_rows(held.new, rows_new),
        old_queries=held.old_queries.vectors[asking_old],
        new_queries=held.new_queries.vectors[asking_new],
        own=np.full(len(queries), -1, dtype=np.int64) if held.apart else queries,
        old_similarity=held.old.similarity,
        new_similarity=held.new.similarity,
        ids=held.items.ids,
        query_ids=held.asking.ids[queries],
    )


def _rows(snapshot: Snapshot, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return snapshot.vectors if len(rows) == snapshot.n else snapshot.vectors[rows]


def _copied_bytes(held: _Held) -> int:
    return 4 * held.items.n * (held.old.dim + held.new.dim)


def _measure_bytes(held: _Held, upgrade: Upgrade, fitted: FittedUpgrade | None) -> int:
    """Copies of galleries where they meet, and again of parts of them along the curve."""
    width = max(held.old.dim, held.new.dim, 0 if fitted is None else fitted.map.width)
    return _copied_bytes(held) + 4 * 4 * width * (held.items.n + 4 * len(upgrade.own)) + 64 * held.items.n + (64 << 20)
