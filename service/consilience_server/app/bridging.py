"""Bridges: fit, measure, keep, read and remove them."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np

from consilience_server.app.bridge_spaces import notes_on_spaces
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.fit_pairs import fit_pairs
from consilience_server.app.fit_query import FitQuery, check_fit, fit_digest
from consilience_server.app.new_bridge import earlier_bridge
from consilience_server.app.pages import decode_token, encode_token, page_size
from consilience_server.app.pair_groups import GROUP_ATTRIBUTE
from consilience_server.app.ports import BridgeStore, SpaceStore
from consilience_server.app.request_fields import asked_by
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import item_digest
from consilience_server.app.unpaired_bridging import fit_unpaired
from consilience_server.bridges.artefact import BridgeArtefact, BridgeListing, pair_keys
from consilience_server.bridges.choose import AUTO_TRAINED_PAIRS, METHODS, TRAINED, MethodChoice, check_count, fit_and_choose
from consilience_server.bridges.fit import BASELINES, needed_pairs
from consilience_server.bridges.fit_cost import fit_flops, stitching_bytes, stitching_flops, unpaired_flops
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.bridges.neighbourhood import MAX_QUERIES
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.bridges.training_host import TrainingHost, TrainingPlan, can_train, check_can_train
from consilience_server.bridges.tuning import ANCHORS
from consilience_server.core.errors import (
    BridgeExists,
)
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

__all__ = ["Bridging", "FitLimits", "paired_fit_bytes"]

T = TypeVar("T")


@dataclass(frozen=True)
class FitLimits:
    """What the use cases must know of the server."""

    code_version: str
    flops_per_second: float


class Bridging:
    """The use cases of BridgeService. Names are bare ids; spaces and bridges share one set of them."""

    def __init__(
        self,
        *,
        store: SpaceStore,
        bridges: BridgeStore,
        snapshots: Snapshots,
        pool: ComputePool,
        engine: NeighbourEngine,
        limits: FitLimits,
        training: TrainingHost | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._bridges = bridges
        self._snapshots = snapshots
        self._pool = pool
        self._limits = limits
        self._training = training

    async def fit(self, call: Call, query: FitQuery) -> BridgeArtefact:
        """Fit, measure on held-out pairs, and keep.

        Neither the order of the pairs nor that of the stored rows matters; the held-out pairs are chosen by a hash of source id and seed.
        Pairs of one `group_id`, of one value of the attribute that joins them, or with an equal vector on either side stay on one side of
        the split, and near-copies of held-out pairs are left out of the fit.

        Raises:
            InvalidName, BridgeExists, UploadConflict: the name, or a request id that made another bridge.
            UnknownMethod, InvalidArgument, ShapeMismatch, DuplicateId: the query.
            SpaceNotFound, VersionExpired, ItemNotFound, NoCommonItems, TooFewPairs, DimensionMismatch, ZeroVector, ConstantFeatures: the
            data. TooFewItems, DidNotConverge: without pairs. NotServed: a stitching layer without torch.
            MemoryBudget, Overloaded, StoreReadOnly, StorageFull.
        """
        check_fit(query)
        self.check_served(query.method)
        earlier = await self._earlier(call, query)
        if earlier is not None:
            return earlier
        async with (
            self._snapshots.hold(call, query.source.name, query.source.version, field="source") as source,
            self._snapshots.hold(call, query.target.name, query.target.version, field="target") as target,
        ):
            fit = self._fit_without_pairs if query.method == "unsupervised" else self._fit_on_pairs
            artefact = await fit(call, query, source, target)
        try:
            await self._do(call, lambda: self._bridges.put(artefact))
        except BridgeExists:
            # Somebody was quicker: fine if it was this very request.
            earlier = await self._earlier(call, query)
            if earlier is None:
                raise
            return earlier
        return artefact

    async def _fit_on_pairs(self, call: Call, query: FitQuery, source: Snapshot, target: Snapshot) -> BridgeArtefact:
        known = await fit_pairs(self._snapshots, self._pool, call, query.item_ids, query.target_ids, query.attribute, source, target)
        pairs = known.pairs
        if known.joined is None:
            check_count(query.method, len(pairs.source_ids), query.held_out_fraction, source.dim, target.dim)
        needed = needed_pairs("ridge", source.dim, target.dim)
        clean = await self._pool.run(
            call,
            "statistics",
            lambda: known.split(query.held_out_fraction, query.seed, needed, source, target, call.control),
            nbytes=known.split_bytes(source, target),
        )
        plan = None if self._training is None or query.attribute else TrainingPlan(self._training, query.layer, query.seed)
        trained = self.training_bytes(query, len(clean.split.fit), source, target)
        fitted = await self._pool.run(
            call,
            "statistics",
            lambda: fit_and_choose(
                known.problem(clean, source, target), query.method, query.penalties or PENALTIES, self._engine, call.control, plan
            ),
            nbytes=paired_fit_bytes(len(clean.split.fit), source, target) + trained,
        )
        used = np.sort(clean.split.fit)
        return self._artefact(
            query,
            source,
            target,
            method=fitted.method,
            map=fitted.map,
            fit_pairs=len(used),
            fit_ids_digest=item_digest(np.stack((pairs.source_ids[used], pairs.target_ids[used]), axis=1).ravel().tolist()),
            held_out=fitted.held_out,
            candidates=fitted.candidates,
            learning_curve=fitted.learning_curve,
            stitching=fitted.stitching,
            near_copies=clean.near_copies,
            split_by=query.attribute or ("" if known.groups is None else GROUP_ATTRIBUTE),
            pair_attribute=query.attribute,
            pairs_left_out=0 if known.joined is None else known.joined.left_out,
            notes=(*known.notes(query.attribute), *clean.notes, *fitted.notes),
            fit_keys=pair_keys(np.unique(pairs.source_ids[used])),
            fit_target_keys=pair_keys(np.unique(pairs.target_ids[used])) if query.target_ids or query.attribute else None,
        )

    async def _fit_without_pairs(self, call: Call, query: FitQuery, source: Snapshot, target: Snapshot) -> BridgeArtefact:
        fitted = await fit_unpaired(call, query, source, target, self._pool, self._engine)
        return self._artefact(
            query,
            source,
            target,
            method="unsupervised",
            map=fitted.map,
            fit_pairs=0,
            fit_ids_digest=item_digest([]),
            held_out=fitted.candidates[0] if fitted.candidates else None,
            candidates=fitted.candidates,
            convergence=fitted.convergence,
            notes=fitted.notes,
            fit_keys=pair_keys([]),
        )

    async def estimate_seconds(self, call: Call, query: FitQuery) -> float:
        """A rough estimate of a fit from scratch: decompositions, cross-validation and the held-out search at the machine's usual rate."""
        call.remaining()
        source = await self._snapshots.record(query.source.name, field="source")
        target = await self._snapshots.record(query.target.name, field="target")
        widths = source.spec.dim, target.spec.dim
        if query.method == "unsupervised":
            return unpaired_flops(source.item_count, target.item_count, *widths) / self._limits.flops_per_second
        # An attribute joins about as many pairs as the larger side has items, where one side has one item a value.
        pairs = len(query.item_ids) or (max if query.attribute else min)(source.item_count, target.item_count)
        asked = METHODS if query.method == "auto" else (query.method,)
        methods = [name for name in METHODS if name in BASELINES or (name in asked and pairs >= needed_pairs(name, *widths))]
        # The learning curve fits the kept method on parts that together are less than all pairs.
        work = (1.0 if query.method == "auto" else 2.0) * fit_flops(methods, pairs, *widths, len(query.penalties or PENALTIES))
        if self._trains(query, pairs):
            work += 2.0 * stitching_flops(query.layer, pairs, *widths, len(query.penalties or PENALTIES))
            methods += TRAINED
        # Ranks of all that are asked; four searches for neighbourhoods.
        search = 2.0 * (min(pairs, MAX_HELD_OUT_QUERIES) + 4 * min(pairs, MAX_QUERIES)) * target.item_count * target.spec.dim
        copies = 2.0 * pairs * min(pairs, MAX_HELD_OUT_QUERIES) * sum(widths)
        return (work + copies + len(methods) * search) / self._limits.flops_per_second

    def check_served(self, method: MethodChoice) -> None:
        """NotServed for what this server lacks the packages for."""
        if method in TRAINED:
            check_can_train(self._training)

    def training_bytes(self, query: FitQuery, pairs: int, source: Snapshot, target: Snapshot) -> int:
        """Peak of training on so many pairs, beside the rest of the fit; 0 where nothing is trained."""
        return stitching_bytes(query.layer, pairs, source.dim, target.dim) if self._trains(query, pairs) else 0

    def _trains(self, query: FitQuery, pairs: int) -> bool:
        """Whether a fit on so many pairs trains a layer."""
        return query.method in TRAINED or (
            query.method == "auto" and not query.attribute and pairs >= AUTO_TRAINED_PAIRS and can_train(self._training)
        )

    async def get(self, call: Call, name: str) -> BridgeArtefact:
        """One bridge, read whole; its notes tell what has become of its spaces since. BridgeNotFound."""
        with asked_by("name"):
            found = await self._do(call, lambda: self._bridges.get(name))
        notes = await self._do(call, lambda: notes_on_spaces(found, self._store))
        return replace(found, notes=(*found.notes, *notes))

    async def list(self, call: Call, size: int, token: str) -> tuple[list[BridgeListing], str]:
        """A page of bridges by name, and the next token (empty at the end)."""
        count = page_size(size, 20, 100)
        after = decode_token("bridges", "", token)
        found = list(await self._do(call, lambda: self._bridges.list(after, count + 1)))
        more = len(found) > count
        return found[:count], encode_token("bridges", "", found[count - 1].name) if more else ""

    async def delete(self, call: Call, name: str, request_id: str = "") -> None:
        """Remove one; BridgeNotFound. Running matches keep what they hold. Repeatable by request id."""
        with asked_by("name"):
            await self._do(call, lambda: self._bridges.delete(name, request_id))

    async def _earlier(self, call: Call, query: FitQuery) -> BridgeArtefact | None:
        """The bridge that this very request made before; refuses names that are taken otherwise."""
        return await self._do(call, lambda: earlier_bridge(self._bridges, self._store, query.name, query.request_id, fit_digest(query)))

    def _artefact(self, query: FitQuery, source: Snapshot, target: Snapshot, **fitted: Any) -> BridgeArtefact:
        """With what was asked, and of which spaces."""
        return BridgeArtefact(
            name=query.name,
            uid=secrets.token_hex(16),
            source_name=query.source.name,
            source_uid=source.uid,
            source_version=source.version,
            target_name=query.target.name,
            target_uid=target.uid,
            target_version=target.version,
            target_similarity=target.similarity,
            seed=query.seed,
            code_version=self._limits.code_version,
            create_time=datetime.now(UTC),
            request_id=query.request_id,
            request_digest=fit_digest(query) if query.request_id else "",
            **fitted,
        )

    @staticmethod
    async def _do(call: Call, function: Callable[[], T]) -> T:
        """A short store call, off the event loop."""
        call.remaining()
        return await asyncio.to_thread(function)


def paired_fit_bytes(fit_pairs: int, source: Snapshot, target: Snapshot) -> int:
    """Peak of a fit: pairs in float32 and twice in float64, two centred galleries, the matrices of the decompositions."""
    widths = source.dim + target.dim
    order = min(fit_pairs, source.dim)
    matrices = 8 * (4 * order * order + 6 * source.dim * target.dim + 24 * (source.dim**2 + target.dim**2))
    # Anchors may be more than dimensions.
    gallery = 4 * target.n * max(target.dim, min(source.dim, target.dim) + 2, ANCHORS[-1])
    return fit_pairs * widths * 20 + 2 * target.vectors.nbytes + gallery + matrices + (64 << 20)
