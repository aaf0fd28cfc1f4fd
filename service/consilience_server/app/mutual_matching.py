"""Mutual pairs across two spaces: found once, told in blocks, continued where an answer broke."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from consilience_server.app.bridge_spaces import check_direction, check_uid
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.correction import check_makes_sense
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.item_terms import Side, TermSource
from consilience_server.app.known_partners import partner_groups, unseen
from consilience_server.app.mixed_sources import SourceMarks
from consilience_server.app.nearest_pairs import Meeting, NearestPairs, PairTable, meeting_key
from consilience_server.app.pairs_query import MutualPairsQuery, Place
from consilience_server.app.ports import Metrics
from consilience_server.app.reports import PairBlock, PairsSummary, SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import DimensionMismatch, InvalidArgument, TooFewItems
from consilience_server.core.pair_agreement import PairAgreement, pair_agreement
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import ENGINE_VERSION, NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

T = TypeVar("T")

_BLOCK_BYTES = 1 << 20
_BLOCK_PAIRS = 1 << 14
_PAIR_BYTES = 32
"""The numbers and the tags of one streamed pair, beside its two ids."""
_JUDGE_BYTES = 80


@dataclass(frozen=True)
class _Found:
    """The answer as rows: the first `count` pairs of the table; `start` is where a broken answer goes on."""

    table: PairTable
    source: Snapshot
    target: Snapshot
    summary: PairsSummary
    start: int
    token: Callable[[int], str]


class MutualMatching:
    """Finds the mutual pairs of two spaces."""

    def __init__(
        self,
        snapshots: Snapshots,
        derived: DerivedVectors,
        terms: TermSource,
        pool: ComputePool,
        engine: NeighbourEngine,
        metrics: Metrics,
    ) -> None:
        self._snapshots = snapshots
        self._derived = derived
        self._pool = pool
        self._marks = SourceMarks(snapshots, derived)
        self._nearest = NearestPairs(derived, terms, engine, metrics)

    async def estimate_flops(self, call: Call, asked: MutualPairsQuery) -> float:
        """Operations of the searches, one from either side and with a correction two; none where they are kept.

        Raises: as `blocks`, for spaces and bridges that are not there, and tokens.
        """
        call.remaining()
        query, _ = asked.resumed()
        source = await self._snapshots.record(query.source.name, field="source")
        target = await self._snapshots.record(query.target.name, field="target")
        uid = (await self._derived.bridge(call, query.bridge)).uid if query.bridge else ""
        sides = [
            (record.uid, wanted or record.version) for record, wanted in ((source, query.source.version), (target, query.target.version))
        ]
        if self._nearest.is_kept(meeting_key(uid, *sides), query.corrected):
            return 0.0
        scans = 4 if query.corrected.has_neighbourhoods else 2
        return 2.0 * scans * source.item_count * target.item_count * target.spec.dim

    async def find(self, call: Call, query: MutualPairsQuery) -> tuple[PairsSummary, str]:
        """How many pairs there are, and the token that tells them from the first on: they stay kept while memory has room.

        Raises: as `blocks`.
        """
        async with self._found(call, query) as found:
            return found.summary, found.token(found.start)

    async def blocks(self, call: Call, query: MutualPairsQuery, write: Callable[[PairBlock], T]) -> AsyncGenerator[T, None]:
        """The pairs in order, in blocks of about a mebibyte, each as `write` makes it in a thread; the first block has the summary.

        The first comes even where there are no pairs. A broken answer goes on with a block's token as `query.resume_token`: over the same
        versions, and from what was kept of the work, which is done again only where memory had no room for it.

        Raises:
            SpaceNotFound, BridgeNotFound, VersionExpired, WrongSpace: where.
            InvalidPageToken: the resume token is of other arguments.
            DimensionMismatch, InvalidArgument: spaces that cannot be compared without a bridge.
            TooFewItems, InvalidK, ZeroVector, MemoryBudget, Overloaded.
            ItemNotFound, InvalidAttribute, NoCommonItems, TooFewPairs: the known pairs.
        """
        async with self._found(call, query) as found:
            start = found.start
            while True:
                start, block = await self._pool.run(call, "encode", partial(self._block, found, start, write), nbytes=8 * _BLOCK_BYTES)
                yield block
                if start >= found.summary.pairs:
                    return

    @staticmethod
    def _block(found: _Found, start: int, write: Callable[[PairBlock], T]) -> tuple[int, T]:
        """Where the next block begins, and this one."""
        most = min(start + _BLOCK_PAIRS, found.summary.pairs)
        sources = found.source.ids[found.table.sources[start:most]].tolist()
        targets = found.target.ids[found.table.targets[start:most]].tolist()
        # Four bytes a character at most in UTF-8.
        costs = (_PAIR_BYTES + 4 * (len(a) + len(b)) for a, b in zip(sources, targets, strict=True))
        ends = np.cumsum(np.fromiter(costs, dtype=np.int64, count=len(sources)))
        fit = max(1, int(np.searchsorted(ends, _BLOCK_BYTES, side="right")))
        stop = min(start + fit, most)
        block = PairBlock(
            sources[:fit],
            targets[:fit],
            found.table.similarities[start:stop],
            found.table.scores[start:stop],
            first=start,
            resume_token=found.token(stop) if stop < found.summary.pairs else "",
            summary=found.summary if start == found.start else None,
        )
        return stop, write(block)

    @asynccontextmanager
    async def _found(self, call: Call, asked: MutualPairsQuery) -> AsyncIterator[_Found]:
        call.remaining()
        query, place = asked.resumed()
        artefact = None
        if query.bridge:
            artefact = await self._derived.bridge(call, query.bridge)
            check_direction(artefact, query.source, query.target)
        async with (
            self._snapshots.hold(call, query.source.name, query.source.version, field="source") as source,
            self._snapshots.hold(call, query.target.name, query.target.version, field="target") as target,
        ):
            for space, field in ((source, "source"), (target, "target")):
                await self._marks.refuse(call, space, None, field)
            uid = artefact.uid if artefact else ""
            if place is not None:
                place.check(source.uid, target.uid, uid)
            _check(query, artefact, source, target)
            if artefact is None:
                check_makes_sense(query.corrected, source.similarity, f"space {query.source.name!r}")
            meeting = await self._meeting(call.part(0.0, 0.1), artefact, source, target)
            table = await self._nearest.table(call.part(0.1, 0.95), meeting, query.corrected, query.mode)
            count = len(table.scores) if query.threshold is None else table.count_from(query.threshold)
            count = min(count, query.limit or count)
            summary = PairsSummary(
                pairs=count,
                source_items=source.n,
                target_items=target.n,
                source=SpaceUse(source.name, source.uid, source.version),
                target=SpaceUse(target.name, target.uid, target.version),
                bridge=query.bridge,
                bridge_uid=uid,
                correction=query.correction,
                correction_k=query.corrected.k if query.corrected.has_neighbourhoods else 0,
                mode=query.mode,
                threshold=query.threshold,
                engine=ENGINE_VERSION,
            )
            agreement = await self._agreement(call, query, artefact, table, count, source, target)
            call.control.progress(1.0)
            yield _Found(
                table,
                source,
                target,
                replace(summary, agreement=agreement),
                _start(place, count),
                lambda start: asked.token(start, summary.source, summary.target, uid),
            )

    async def _agreement(
        self,
        call: Call,
        query: MutualPairsQuery,
        artefact: BridgeArtefact | None,
        table: PairTable,
        count: int,
        source: Snapshot,
        target: Snapshot,
    ) -> PairAgreement | None:
        if query.known is None:
            return None
        field = "known_attribute" if query.known.attribute else "known_pair_ids"
        known = await partner_groups(self._snapshots, call, query.known, source, target)

        def judge() -> PairAgreement:
            groups, fitted = (known, 0) if artefact is None else unseen(artefact, known, source, target, field)
            rows = table.sources[:count].astype(np.int64), table.targets[:count].astype(np.int64)
            return replace(pair_agreement(*rows, table.scores[:count], *groups), fitted=fitted)

        return await self._pool.run(call, "statistics", judge, nbytes=_JUDGE_BYTES * (count + source.n + target.n))

    async def _meeting(self, call: Call, artefact: BridgeArtefact | None, source: Snapshot, target: Snapshot) -> Meeting:
        """Both spaces where they meet: as they are, or mapped and centred."""
        if artefact is None:
            left, right, similarity = source.vectors, target.vectors, source.similarity
        else:
            left = await self._derived.bank(call, artefact, source)
            right = await self._derived.gallery(call, artefact, target)
            similarity = Similarity.COSINE
        sides = Side(source.uid, source.version, left), Side(target.uid, target.version, right)
        return Meeting(*sides, similarity, artefact.uid if artefact else "")


def _start(place: Place | None, count: int) -> int:
    return 0 if place is None else min(place.start, count)


def _check(query: MutualPairsQuery, artefact: BridgeArtefact | None, source: Snapshot, target: Snapshot) -> None:
    for snapshot, field in ((source, "source"), (target, "target")):
        if not snapshot.n:
            raise TooFewItems(f"{snapshot.name} is empty; there is nothing to pair", field=field)
    if artefact is not None:
        check_uid(artefact, "source", source.uid)
        check_uid(artefact, "target", target.uid)
        return
    if source.dim != target.dim:
        raise DimensionMismatch(
            f"{query.source.name!r} has dim {source.dim}, {query.target.name!r} has dim {target.dim}; fit a bridge and give it",
            field="bridge",
            source_dim=source.dim,
            target_dim=target.dim,
        )
    if source.similarity != target.similarity:
        raise InvalidArgument(
            f"{query.source.name!r} is compared by {source.similarity}, {query.target.name!r} by {target.similarity}; "
            "fit a bridge and give it",
            field="bridge",
        )
    if (source.uid, source.version) == (target.uid, target.version):
        raise InvalidArgument("source and target are one space at one version, where every item is its own nearest", field="target")
