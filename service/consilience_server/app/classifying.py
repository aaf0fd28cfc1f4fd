"""Zero-shot classification: items of one space by class prototypes of another, through a bridge."""

import asyncio
from contextlib import AsyncExitStack

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import moved_on
from consilience_server.app.call import Call
from consilience_server.app.class_prototypes import (
    ClassPrototypes,
    OwnPrototypes,
    alone_in_a_class,
    items_are_source,
    own_prototypes,
    where_they_meet,
)
from consilience_server.app.class_ranking import rank_classes
from consilience_server.app.classification_query import (
    MOST_ITEMS,
    Classification,
    ClassifyQuery,
    check_classes,
    check_classify,
)
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_slices import attribute_slices
from consilience_server.app.pair_groups import GROUP_ATTRIBUTE
from consilience_server.app.ports import AttributeColumn, BridgeStore
from consilience_server.app.reports import SpaceUse
from consilience_server.app.request_fields import asked_by
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import rows_of
from consilience_server.app.validation import check_vectors, shown
from consilience_server.bridges.artefact import BridgeArtefact, pair_keys
from consilience_server.core.classification import accuracy_of
from consilience_server.core.errors import InvalidArgument, TooFewItems
from consilience_server.core.similarity import Similarity
from consilience_server.core.slices import slices_of
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_SECONDS_A_DRAW = 3e-7
"""Of an item in a permutation, which sorts them."""


class Classifying:
    """The use case of Classify."""

    def __init__(
        self, *, bridges: BridgeStore, snapshots: Snapshots, pool: ComputePool, engine: NeighbourEngine, flops_per_second: float
    ) -> None:
        self._bridges = bridges
        self._snapshots = snapshots
        self._pool = pool
        self._engine = engine
        self._flops_per_second = flops_per_second

    async def classify(self, call: Call, query: ClassifyQuery) -> Classification:
        """Give each item the class whose prototype is nearest where both spaces meet.

        A class is the mean of the directions of its prototypes. Nearness is cosine, or 2 cosine - r(class) with CSLS, where r is the mean
        cosine of the class with its k nearest items. Equal scores go to the class that stands first. Items that the bridge was fitted on
        are left out. Nothing speaks for itself: a prototype that has an item's id does not count in the class that the item is held
        against, and an item that is the only prototype of a class is left out.

        Raises:
            SpaceNotFound, BridgeNotFound, ItemNotFound, VersionExpired, KernelSpace, WrongSpace: what is named.
            InvalidArgument, DuplicateId, InvalidK, InvalidAttribute, TooFewItems, DimensionMismatch, NotFinite, ZeroVector: query and data.
            MemoryBudget, Overloaded.
        """
        check_classify(query)
        call.remaining()
        artefact = None
        if query.bridge:
            with asked_by("bridge"):
                artefact = await asyncio.to_thread(self._bridges.get, query.bridge)
        async with AsyncExitStack() as stack:
            items = await stack.enter_async_context(self._snapshots.hold(call, query.items.name, query.items.version, field="items"))
            classes = await self._classes(call, query, stack)
            top_ks = check_classes(len(classes.of.values), query)
            from_items = items_are_source(artefact, query, items, classes)
            rows, fitted = _chosen(query, items, artefact)
            own = own_prototypes(items, rows, classes)
            alone = alone_in_a_class(own, classes.of, len(rows))
            if alone.all():
                raise TooFewItems(
                    f"each of {len(rows):,} items is the only prototype of a class, which leaves nothing to hold it against; give classes "
                    "other prototypes",
                    field="item_ids" if query.item_ids else "prototypes",
                )
            moved = _moved_on(artefact, items, classes, from_items=from_items)
            rows, own = rows[~alone], own.of_some(~alone)
            labels = await self._labels(call, query, items, rows, classes)
            clusters = await self._clusters(call, items, rows) if labels is not None else None
            width = items.dim if artefact is None else artefact.map.width
            nbytes = 8 * (len(rows) + len(classes.vectors)) * width + 24 * len(rows) * max(top_ks) + (64 << 20)

            def work() -> Classification:
                sides = where_they_meet(artefact, items, rows, classes, call, from_items=from_items)
                return self._classified(
                    call,
                    query,
                    items,
                    rows,
                    classes,
                    sides,
                    own,
                    top_ks,
                    labels,
                    clusters,
                    [*moved, *_notes(query, artefact, fitted, own, alone)],
                    fitted,
                )

            return await self._pool.run(call, "scan", work, nbytes=nbytes)

    async def estimate_seconds(self, query: ClassifyQuery) -> float:
        """A rough estimate: mapping and scoring every item, and permuting labels; refuses what `check_classify` does."""
        check_classify(query)
        items = await self._snapshots.record(query.items.name, field="items")
        count = len(query.item_ids) or items.item_count
        classes = len(query.prototypes.vector_classes) or len(query.prototypes.class_items)
        if query.prototypes.space is not None and not classes:
            classes = (await self._snapshots.record(query.prototypes.space.name, field="prototypes.space")).item_count
        work = 2.0 * count * items.spec.dim * (classes * (2 if query.csls else 1) + items.spec.dim)
        drawn = query.permutations if query.labels_attribute else 0
        return work / self._flops_per_second + _SECONDS_A_DRAW * drawn * count

    async def _classes(self, call: Call, query: ClassifyQuery, stack: AsyncExitStack) -> ClassPrototypes:
        told = query.prototypes
        if told.space is None:
            assert told.vectors is not None
            check_vectors(told.vectors, Similarity.COSINE, told.vector_classes, field="prototypes.vectors")
            return ClassPrototypes(told.vectors, slices_of(told.vector_classes), None)
        held = self._snapshots.hold(call, told.space.name, told.space.version, field="prototypes.space")
        space = await stack.enter_async_context(held)
        if told.class_items:
            names = [name for name, ids in told.class_items.items() for _ in ids]
            ids = [item for listed in told.class_items.values() for item in listed]
            rows = rows_of(space.ids, ids, told.space.name, "prototypes.class_items")
            return ClassPrototypes(space.vectors[rows], slices_of(names), space, ids)
        every = np.arange(space.n)
        ids = [str(item) for item in space.ids]
        if not told.class_attribute:
            return ClassPrototypes(space.vectors, slices_of(ids), space, ids, each_its_own=True)
        columns = {space.name: await self._snapshots.attributes(call, space, every)}
        of = attribute_slices(told.class_attribute, columns, ids, "prototypes.class_attribute")
        return ClassPrototypes(space.vectors, of, space, ids)

    async def _labels(
        self, call: Call, query: ClassifyQuery, items: Snapshot, rows: NDArray[np.int64], classes: ClassPrototypes
    ) -> NDArray[np.int64] | None:
        """(n,) the position of each item's true class among the classes."""
        if not query.labels_attribute:
            return None
        columns = {items.name: await self._snapshots.attributes(call, items, rows)}
        found = attribute_slices(query.labels_attribute, columns, [str(item) for item in items.ids[rows]], "labels_attribute")
        known = {name: at for at, name in enumerate(classes.of.values)}
        absent = [value for value in found.values if value not in known]
        if absent:
            raise InvalidArgument(
                f"{len(absent):,} labels have no prototype: {shown(absent)}; the classes are {shown(list(classes.of.values))}: give "
                "prototypes of these labels, or name the other items in item_ids",
                field="labels_attribute",
            )
        places: NDArray[np.int64] = np.array([known[value] for value in found.values], dtype=np.int64)[found.of]
        return places

    async def _clusters(self, call: Call, items: Snapshot, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        column: AttributeColumn | None = (await self._snapshots.attributes(call, items, rows)).get(GROUP_ATTRIBUTE)
        if column is None or all(value is None for value in column.values):
            return None
        # An item without a value is alone.
        named = [(0, str(row)) if value is None else (1, f"{type(value).__name__}:{value}") for row, value in enumerate(column.values)]
        numbers: dict[tuple[int, str], int] = {}
        return np.array([numbers.setdefault(name, len(numbers)) for name in named], dtype=np.int64)

    def _classified(
        self,
        call: Call,
        query: ClassifyQuery,
        items: Snapshot,
        rows: NDArray[np.int64],
        classes: ClassPrototypes,
        sides: tuple[NDArray[np.float32], NDArray[np.float32]],
        own: OwnPrototypes,
        top_ks: tuple[int, ...],
        labels: NDArray[np.int64] | None,
        clusters: NDArray[np.int64] | None,
        notes: list[str],
        fitted: int,
    ) -> Classification:
        k = query.correction_k if query.csls else None
        ranked = rank_classes(*sides, classes.of, own, max(top_ks), k, self._engine, call.control.silent())
        accuracy = None
        if labels is not None:
            accuracy = accuracy_of(
                ranked.classes, labels, len(classes.of.values), top_ks, clusters, query.permutations, query.seed, call.control
            )
        call.control.progress(1.0)
        return Classification(
            classes=classes.of.values,
            item_ids=items.ids[rows],
            predictions=ranked.classes,
            scores=ranked.scores,
            similarities=ranked.similarities,
            accuracy=accuracy,
            items=SpaceUse(items.name, items.uid, items.version),
            prototypes=None if classes.space is None else SpaceUse(classes.space.name, classes.space.uid, classes.space.version),
            bridge=query.bridge,
            fitted_items=fitted,
            clustered_by="" if clusters is None else GROUP_ATTRIBUTE,
            csls=query.csls,
            permutations=query.permutations if labels is not None else 0,
            notes=notes,
        )


def _chosen(query: ClassifyQuery, items: Snapshot, artefact: BridgeArtefact | None) -> tuple[NDArray[np.int64], int]:
    """(n,) rows to classify, ascending, and how many were left out because the bridge was fitted on them."""
    wanted = np.sort(rows_of(items.ids, query.item_ids, query.items.name, "item_ids")) if query.item_ids else np.arange(items.n)
    seen = np.zeros(len(wanted), dtype=bool)
    if artefact is not None:
        keys = [side for side in (artefact.fit_keys, artefact.fit_target_keys) if side is not None]
        if keys:
            seen = np.isin(pair_keys(items.ids[wanted]), np.concatenate(keys))
    rows = wanted[~seen]
    if not len(rows):
        why = f"bridge {query.bridge!r} was fitted on all {len(wanted):,} of them" if len(wanted) else "the space is empty"
        raise TooFewItems(f"no item is left to classify: {why}; give others", field="item_ids")
    if len(rows) > MOST_ITEMS:
        raise InvalidArgument(
            f"{len(rows):,} items; at most {MOST_ITEMS:,} are classified in a call: name some in item_ids", field="item_ids"
        )
    return rows, int(seen.sum())


def _moved_on(artefact: BridgeArtefact | None, items: Snapshot, classes: ClassPrototypes, *, from_items: bool) -> list[str]:
    """What is said of spaces of the bridge that are at another version than it was fitted on."""
    if artefact is None:
        return []
    sides = ("source", "target") if from_items else ("target", "source")
    used = [moved_on(artefact, side, space.version) for side, space in zip(sides, (items, classes.space), strict=True) if space is not None]
    return [said for said in used if said]


def _notes(query: ClassifyQuery, artefact: BridgeArtefact | None, fitted: int, own: OwnPrototypes, alone: NDArray[np.bool_]) -> list[str]:
    notes = []
    if fitted:
        notes.append(f"{fitted:,} items were left out because the bridge was fitted on them")
    if artefact is not None and artefact.fit_keys is None:
        notes.append("the bridge does not tell which pairs it was fitted on; items among these flatter it")
    if len(own.items):
        notes.append(f"{len(np.unique(own.items)):,} items are prototypes themselves, by their ids; none counts for its own class")
    if alone.any():
        notes.append(f"{int(alone.sum()):,} items were left out because they are the only prototype of a class")
    if query.csls:
        notes.append("CSLS looks at all items that are classified: others beside them, and a score may change")
    return notes
