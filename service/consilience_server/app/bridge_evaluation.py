"""Bridges measured on new pairs: what they find, and what a classifier of the target space loses by them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import check_uid, moved_on
from consilience_server.app.call import Call
from consilience_server.app.caller_head import CallerHeads, Head
from consilience_server.app.compute import ComputePool
from consilience_server.app.evaluation_pairs import EvaluationPairs, pairs_by_id, pairs_by_value
from consilience_server.app.fitted_items import group_mates, new_pairs_bytes
from consilience_server.app.joined_pairs import FIELD
from consilience_server.app.known_pairs import KnownPairs, check_pairs
from consilience_server.app.pair_labels import check_labels, check_shared, pair_labels
from consilience_server.app.ports import BridgeStore
from consilience_server.app.reports import SpaceUse
from consilience_server.app.request_fields import asked_by
from consilience_server.app.shared_values import shared_values
from consilience_server.app.snapshots import Snapshots
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact, RetrievalReport
from consilience_server.bridges.baselines import measure_with_baselines
from consilience_server.bridges.gallery_copies import gallery_notes
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem
from consilience_server.bridges.neighbourhood import MAX_QUERIES
from consilience_server.bridges.stitching_penalty import FOLDS, StitchingPenalty, head_penalty, in_target_space, stitching_penalty
from consilience_server.bridges.tuning import Tuning
from consilience_server.core.counted import counted
from consilience_server.core.errors import InvalidArgument, NotServed, TooFewPairs
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_PROBE_PASSES = 5000
"""Passes over the pairs that training a linear probe in five parts takes, about."""


@dataclass(frozen=True)
class EvaluationQuery:
    """What to measure.

    Attributes:
        bridge: the bare id.
        item_ids: source items of the pairs; empty: all items common to both spaces that the bridge was not fitted on.
        target_ids: their partners where the two sides have different ids; empty: the same ids.
        attribute: joins the pairs instead, many-to-many: items of equal value; empty for pairs by id.
        labels_attribute: whose values are the classes of the stitching penalty; empty for none.
        labels: the class of each pair, in the order of `item_ids`, instead of an attribute.
        head: the caller's own ONNX classifier of the target space, in place of the linear probe; empty for none.
        head_classes: what its outputs are called, in order; empty: whole numbers from 0, or it tells labels itself.
    """

    bridge: str
    item_ids: Sequence[str] = ()
    target_ids: Sequence[str] = ()
    attribute: str = ""
    labels_attribute: str = ""
    labels: Sequence[str] = ()
    head: bytes = b""
    head_classes: Sequence[str] = ()


@dataclass(frozen=True)
class BridgeEvaluation:
    """What was measured.

    Attributes:
        report: retrieval of the pairs' target items among all items of the target space as it is now.
        baselines: the same by identity and by mean shift.
        source: the version read.
        target: the version read.
        fitted_pairs: pairs left out because the bridge was fitted on them; joined by an attribute, source items of values that
            it was fitted on.
        stitching: where labels were asked for.
        notes: what weakens the answer, in plain sentences.
    """

    report: RetrievalReport
    baselines: tuple[RetrievalReport, ...]
    source: SpaceUse
    target: SpaceUse
    fitted_pairs: int
    stitching: StitchingPenalty | None
    notes: tuple[str, ...]


class BridgeEvaluations:
    """The use case of EvaluateBridge."""

    def __init__(
        self,
        *,
        bridges: BridgeStore,
        snapshots: Snapshots,
        pool: ComputePool,
        engine: NeighbourEngine,
        heads: CallerHeads,
        flops_per_second: float,
    ) -> None:
        self._flops = flops_per_second
        self._heads = heads
        self._bridges = bridges
        self._snapshots = snapshots
        self._pool = pool
        self._engine = engine

    async def evaluate(self, call: Call, query: EvaluationQuery) -> BridgeEvaluation:
        """Measure a bridge on pairs it was not fitted on, in its spaces as they are now.

        At most 4,096 pairs are asked, chosen by hash. Pairs of the `group_id` of an item of the fit, and near-copies of such under other
        ids, are left out like the pairs of the fit themselves.

        Raises:
            BridgeNotFound, SpaceNotFound, ItemNotFound, WrongSpace: where.
            ShapeMismatch, DuplicateId, NoCommonItems, TooFewPairs, InvalidArgument, InvalidAttribute, ZeroVector: the pairs and labels.
            InvalidArgument, DimensionMismatch, ShapeMismatch, NotFinite, MessageTooLarge, NotServed, ExtraMissing: the head.
            MemoryBudget, Overloaded.
        """
        _check(query, self._heads)
        call.remaining()
        with asked_by("name"):
            artefact = await asyncio.to_thread(self._bridges.get, query.bridge)
        async with (
            self._snapshots.hold(call, artefact.source_name, 0, field="name") as source,
            self._snapshots.hold(call, artefact.target_name, 0, field="name") as target,
        ):
            for side, snapshot in (("source", source), ("target", target)):
                check_uid(artefact, side, snapshot.uid)
            new = await self._new_pairs(call, query, artefact, source, target)
            pairs = new.pairs
            asked = call if not (query.labels or query.labels_attribute) else call.part(0.0, 0.6)
            labels = await pair_labels(self._snapshots, call, query.labels, query.labels_attribute, query.item_ids, pairs, (source, target))
            if labels is not None and not query.head:
                check_shared(labels, query.labels_attribute)
            report, baselines = await self._pool.run(
                call,
                "statistics",
                lambda: self._retrieval(asked, artefact, new.problem(source, target)),
                nbytes=3 * 4 * target.n * max(artefact.map.width, target.dim) + (64 << 20),
            )
            stitching = None
            if labels is not None:
                stitching = await self._stitching(call.part(0.6, 1.0), query, artefact, pairs, labels, source, target)
            return BridgeEvaluation(
                report=report,
                baselines=baselines,
                source=SpaceUse(source.name, source.uid, source.version),
                target=SpaceUse(target.name, target.uid, target.version),
                fitted_pairs=new.fitted,
                stitching=stitching,
                notes=(*_notes(query, artefact, source, target, new), *gallery_notes(target.vectors, pairs.target_rows)),
            )

    async def estimate_seconds(self, call: Call, query: EvaluationQuery) -> float:
        """A rough estimate at the machine's usual rate: the searches of three maps, and a classifier's passes over the pairs."""
        call.remaining()
        with asked_by("name"):
            artefact = await asyncio.to_thread(self._bridges.get, query.bridge)
        source = await self._snapshots.record(artefact.source_name, field="name")
        target = await self._snapshots.record(artefact.target_name, field="name")
        asked = min(len(query.item_ids) or source.item_count, MAX_HELD_OUT_QUERIES)
        searches = 3 * (asked + 4 * min(asked, MAX_QUERIES)) * target.item_count
        passes = _PROBE_PASSES * asked if query.labels or query.labels_attribute else 0
        return 2.0 * (searches + passes) * max(artefact.map.width, target.spec.dim) / self._flops

    async def _new_pairs(
        self, call: Call, query: EvaluationQuery, artefact: BridgeArtefact, source: Snapshot, target: Snapshot
    ) -> EvaluationPairs:
        if not query.attribute:
            mates = await group_mates(self._snapshots, call, artefact, source, target)
            return await self._pool.run(
                call,
                "statistics",
                lambda: pairs_by_id(query.item_ids, query.target_ids, artefact, mates, source, target, call.control),
                nbytes=new_pairs_bytes(source, target),
            )
        values = await shared_values(self._snapshots, call, query.attribute, source, target, FIELD)
        return await self._pool.run(
            call,
            "load",
            lambda: pairs_by_value(values, query.attribute, artefact, source, target),
            nbytes=64 * (source.n + target.n),
        )

    async def _stitching(
        self,
        call: Call,
        query: EvaluationQuery,
        artefact: BridgeArtefact,
        pairs: KnownPairs,
        labels: NDArray[np.object_],
        source: Snapshot,
        target: Snapshot,
    ) -> StitchingPenalty:
        nbytes = len(pairs.source_ids) * 40 * artefact.map.width
        if not query.head:
            work = lambda: _with_probe(call, artefact, pairs, labels, source, target)  # noqa: E731  # one of two, run in one place
        else:
            if not artefact.leads_into_target:
                raise InvalidArgument(
                    f"bridge {artefact.name!r} ({artefact.method}) maps both sides into a space of their own, whose vectors no head of "
                    f"{artefact.target_name!r} knows; leave head out for a linear probe, or evaluate a bridge that leads into its target",
                    field="head",
                )
            nbytes += 4 * len(query.head)

            def work() -> StitchingPenalty:
                head = self._heads.load(query.head, target.dim, query.head_classes, labels)
                return _with_head(call, artefact, pairs, labels, head, source, target)

        return await self._pool.run(call, "statistics", work, nbytes=nbytes)

    def _retrieval(self, call: Call, artefact: BridgeArtefact, problem: FitProblem) -> tuple[RetrievalReport, tuple[RetrievalReport, ...]]:
        tuning = Tuning() if artefact.held_out is None else Tuning(artefact.held_out.penalty, artefact.held_out.components)
        return measure_with_baselines(artefact.method, artefact.map, tuning, problem, self._engine, call.control)


def _check(query: EvaluationQuery, heads: CallerHeads) -> None:
    """What can be refused before anything is read."""
    check_pairs(query.item_ids, query.target_ids, query.attribute)
    if query.attribute and (query.labels or query.labels_attribute):
        raise NotServed(
            "a classifier is asked for items with one partner each; give pairs by id with labels, or leave the labels out",
            field="labels",
        )
    check_labels(query.labels, query.labels_attribute, query.item_ids)
    if not query.head:
        if query.head_classes:
            raise InvalidArgument("head_classes came without a head; give both", field="head_classes")
        return
    heads.check(query.head)
    if not query.labels and not query.labels_attribute:
        raise InvalidArgument("a head is measured by labels; give them, or the attribute that has them", field="labels")


def _with_probe(
    call: Call, artefact: BridgeArtefact, pairs: KnownPairs, labels: NDArray[np.object_], source: Snapshot, target: Snapshot
) -> StitchingPenalty:
    if len(labels) < 2 * FOLDS:
        message = f"{len(labels)} pairs; a probe that is trained and asked in {FOLDS} parts needs at least {2 * FOLDS}"
        raise TooFewPairs(message, field="pairs")
    ready = make_ready(artefact.map)
    mapped = map_vectors(ready, source.vectors[pairs.source_rows], call.control.silent(), pairs.source_ids)
    native = centre_gallery(ready, target.vectors[pairs.target_rows], call.control.silent(), pairs.target_ids)
    numbers = np.unique(labels.astype(str), return_inverse=True)[1].astype(np.int64)
    return stitching_penalty(mapped, native, numbers, call.control)


def _with_head(
    call: Call, artefact: BridgeArtefact, pairs: KnownPairs, labels: NDArray[np.object_], head: Head, source: Snapshot, target: Snapshot
) -> StitchingPenalty:
    mapped = map_vectors(make_ready(artefact.map), source.vectors[pairs.source_rows], call.control.silent(), pairs.source_ids)
    native = target.vectors[pairs.target_rows]
    bridged = in_target_space(mapped, artefact.map.target_mean, native)
    return head_penalty(lambda rows: head.classify(rows, call.control), bridged, native, labels)


def _notes(query: EvaluationQuery, artefact: BridgeArtefact, source: Snapshot, target: Snapshot, new: EvaluationPairs) -> tuple[str, ...]:
    notes = []
    for side, snapshot in (("source", source), ("target", target)):
        if moved := moved_on(artefact, side, snapshot.version):
            notes.append(moved)
    fitted = new.fitted
    if fitted:
        left_out = counted(fitted, *(("source item was", "source items were") if query.attribute else ("pair was", "pairs were")))
        them = f"items of their {query.attribute!r}" if query.attribute else "it" if fitted == 1 else "them"
        notes.append(f"{left_out} left out because the bridge was fitted on {them}")
    notes += new.notes
    if artefact.fit_keys is None:
        notes.append("the bridge does not tell which pairs it was fitted on; those among these flatter it")
    return tuple(notes)
