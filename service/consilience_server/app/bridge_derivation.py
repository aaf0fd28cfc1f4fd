"""Bridges made of others: composed, and inverted; measured anew on pairs that no parent was fitted on."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_map import DerivedMap, composed, fit_keys, fit_pairs, inverted
from consilience_server.app.fitted_items import group_mates, new_pairs_bytes
from consilience_server.app.known_pairs import check_pair_ids
from consilience_server.app.new_bridge import earlier_bridge, keep_bridge, request_digest
from consilience_server.app.ports import BridgeStore, SpaceStore
from consilience_server.app.request_fields import asked_by
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.unseen_pairs import UnseenPairs, unseen_pairs
from consilience_server.app.validation import check_name
from consilience_server.bridges.artefact import BridgeArtefact, Derivation, Parent, RetrievalReport
from consilience_server.bridges.baselines import measure_with_baselines
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem
from consilience_server.bridges.neighbourhood import MAX_QUERIES
from consilience_server.bridges.tuning import Tuning
from consilience_server.core.errors import InvalidArgument
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

T = TypeVar("T")
_MOST_PARENTS = 16


@dataclass(frozen=True)
class DeriveQuery:
    """What to make of what.

    Attributes:
        name: the bare id of the bridge to be.
        parents: bare ids: of bridges to compose, in order, or of the one to invert.
        derivation: `composed` or `inverted`.
        item_ids: source items of the pairs to measure on; empty: all items common to the new bridge's spaces.
        target_ids: their partners where the two sides have different ids; empty: the same ids.
        request_id: the same id and query again answer the bridge that the first made.
    """

    name: str
    parents: Sequence[str]
    derivation: Derivation
    item_ids: Sequence[str] = ()
    target_ids: Sequence[str] = ()
    request_id: str = ""

    @property
    def field(self) -> str:
        """Of the request: what named the parents."""
        return "bridges" if self.derivation == "composed" else "bridge"


class BridgeDerivations:
    """The use cases of BridgeAlgebraService. Names are bare ids."""

    def __init__(
        self,
        *,
        store: SpaceStore,
        bridges: BridgeStore,
        snapshots: Snapshots,
        pool: ComputePool,
        engine: NeighbourEngine,
        code_version: str,
        flops_per_second: float,
    ) -> None:
        self._store = store
        self._bridges = bridges
        self._snapshots = snapshots
        self._pool = pool
        self._engine = engine
        self._code_version = code_version
        self._flops = flops_per_second

    async def derive(self, call: Call, query: DeriveQuery) -> BridgeArtefact:
        """Make the map, measure it in both spaces as they are now on at most 4,096 pairs that no parent was fitted on, and keep it.

        Where the two spaces have no such pair in common, the bridge is kept without a report, and its notes say so; pairs that were asked
        for by id must have some.

        Raises:
            InvalidName, BridgeExists, UploadConflict: the name, or a request id that made another bridge.
            BridgeNotFound, SpaceNotFound, WrongSpace: a parent, a space, or parents that do not lead into one another.
            InvalidArgument, DimensionMismatch: a map that cannot be composed or inverted.
            ShapeMismatch, DuplicateId, ItemNotFound, TooFewPairs, ZeroVector: the pairs.
            MemoryBudget, Overloaded, StoreReadOnly, StorageFull.
        """
        check_name(query.name, "bridge_id")
        check_pair_ids(query.item_ids, query.target_ids)
        digest = request_digest(asdict(query))
        earlier = await _do(call, lambda: earlier_bridge(self._bridges, self._store, query.name, query.request_id, digest))
        if earlier is not None:
            return earlier
        derived = await self._derived(call, query)
        async with (
            self._snapshots.hold(call, derived.source[0], 0, field=query.field) as source,
            self._snapshots.hold(call, derived.target[0], 0, field=query.field) as target,
        ):
            derived.check_ends(source.uid, target.uid, query.field)
            artefact = self._artefact(query, derived, target, digest if query.request_id else "")
            mates = await group_mates(self._snapshots, call, artefact, source, target)
            nbytes = new_pairs_bytes(source, target)
            pairs = await self._pool.run(
                call,
                "statistics",
                lambda: unseen_pairs(query.item_ids, query.target_ids, artefact, source, target, call.control, mates),
                nbytes=nbytes,
            )
            measured = await self._measured(call.part(0.2, 1.0), artefact, pairs, source, target)
            newest = source.version, target.version
        told = _with_report(artefact, derived.parents, pairs, measured, newest)
        return await _do(call, lambda: keep_bridge(self._bridges, self._store, told))

    async def estimate_seconds(self, call: Call, query: DeriveQuery) -> float:
        """A rough estimate: the searches of three maps at the machine's usual rate."""
        derived = await self._derived(call, query)
        source = await self._snapshots.record(derived.source[0], field=query.field)
        target = await self._snapshots.record(derived.target[0], field=query.field)
        asked = min(len(query.item_ids) or source.item_count, target.item_count)
        queries = 3 * min(asked, MAX_HELD_OUT_QUERIES) + 12 * min(asked, MAX_QUERIES)
        return 2.0 * (queries * target.item_count + asked * min(asked, MAX_HELD_OUT_QUERIES)) * target.spec.dim / self._flops

    async def _derived(self, call: Call, query: DeriveQuery) -> DerivedMap:
        if query.derivation == "composed" and not 2 <= len(query.parents) <= _MOST_PARENTS:
            raise InvalidArgument(f"{len(query.parents)} bridges were given; two to {_MOST_PARENTS} are composed", field=query.field)
        with asked_by(query.field):
            parents = await _do(call, lambda: tuple(self._bridges.get(name) for name in query.parents))
        if query.derivation == "composed":
            return composed(parents)
        return await _do(call, lambda: inverted(parents[0]))

    async def _measured(
        self, call: Call, artefact: BridgeArtefact, pairs: UnseenPairs, source: Snapshot, target: Snapshot
    ) -> tuple[RetrievalReport | None, tuple[RetrievalReport, ...]]:
        if not len(pairs.source_ids):
            return None, ()
        problem = FitProblem(
            x=source.vectors[:0],
            y=target.vectors[:0],
            queries=source.vectors[pairs.source_rows],
            partners=pairs.target_rows,
            gallery=target.vectors,
            query_ids=pairs.source_ids,
            gallery_ids=target.ids,
            similarity=target.similarity,
        )
        return await self._pool.run(
            call,
            "statistics",
            lambda: measure_with_baselines(artefact.method, artefact.map, Tuning(), problem, self._engine, call.control),
            nbytes=3 * 4 * target.n * max(artefact.map.width, target.dim) + (64 << 20),
        )

    def _artefact(self, query: DeriveQuery, derived: DerivedMap, target: Snapshot, digest: str) -> BridgeArtefact:
        parents = derived.parents
        keys = fit_keys(query.derivation, parents)
        return BridgeArtefact(
            name=query.name,
            uid=secrets.token_hex(16),
            method=derived.method,
            map=derived.map,
            source_name=derived.source[0],
            source_uid=derived.source[1],
            source_version=derived.source[2],
            target_name=derived.target[0],
            target_uid=derived.target[1],
            target_version=derived.target[2],
            target_similarity=target.similarity,
            fit_pairs=fit_pairs(parents),
            fit_ids_digest=hashlib.blake2b("".join(parent.fit_ids_digest for parent in parents).encode(), digest_size=16).hexdigest(),
            held_out=None,
            candidates=(),
            seed=0,
            code_version=self._code_version,
            create_time=datetime.now(UTC),
            request_id=query.request_id,
            request_digest=digest,
            derivation=query.derivation,
            parents=tuple(Parent(parent.name, parent.uid, parent.method) for parent in parents),
            notes=derived.notes,
            fit_keys=keys[0],
            fit_target_keys=keys[1],
        )


async def _do(call: Call, function: Callable[[], T]) -> T:
    """A short piece of work, off the event loop."""
    call.remaining()
    return await asyncio.to_thread(function)


def _with_report(
    artefact: BridgeArtefact,
    parents: Sequence[BridgeArtefact],
    pairs: UnseenPairs,
    measured: tuple[RetrievalReport | None, tuple[RetrievalReport, ...]],
    newest: tuple[int, int],
) -> BridgeArtefact:
    """The artefact with what was measured, and what weakens it."""
    report, baselines = measured
    notes = list(artefact.notes)
    for side, version in zip(("source", "target"), newest, strict=True):
        of_source = side == "source"
        name = artefact.source_name if of_source else artefact.target_name
        fitted = artefact.source_version if of_source else artefact.target_version
        if version != fitted:
            notes.append(f"the report is of version {version} of the {side} space {name!r}; what it is made of was fitted on {fitted}")
    silent = [parent.name for parent in parents if parent.fit_keys is None]
    if silent:
        notes.append(f"{', '.join(silent)} does not tell which pairs it was fitted on; those among the pairs measured flatter the report")
    if report is None:
        notes.append("there is no report: no pair common to both spaces is left that no parent was fitted on; evaluate_bridge takes others")
    notes += pairs.notes
    candidates = (*baselines, report) if report is not None else ()
    return replace(artefact, held_out=report, candidates=candidates, near_copies=pairs.near_copies, notes=tuple(notes))
