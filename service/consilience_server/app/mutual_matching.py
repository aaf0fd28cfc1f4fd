"""Mutual pairs across two spaces: forward and backward exact nearest, intersected."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import check_direction, check_uid
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.correction import Correction
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.item_terms import Side, TermSource
from consilience_server.app.match_query import MutualPairsQuery
from consilience_server.app.ports import Metrics
from consilience_server.app.reports import MutualPairs, SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import DimensionMismatch, InvalidArgument, TooFewItems
from consilience_server.core.mutual_pairs import mutual_pairs
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import ENGINE_VERSION, NeighbourEngine, NeighbourTable
from consilience_server.engine.snapshot import Snapshot


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
        self._terms = terms
        self._pool = pool
        self._engine = engine
        self._metrics = metrics

    async def pairs(self, call: Call, query: MutualPairsQuery) -> MutualPairs:
        """Items a of the source and b of the target that are each other's nearest, by descending score, then source id.

        Nearest is by similarity, or by CSLS; equal scores go by the lower row on either side. The score is what was compared.

        Raises:
            SpaceNotFound, BridgeNotFound, VersionExpired, WrongSpace: where.
            DimensionMismatch, InvalidArgument: spaces that cannot be compared without a bridge.
            TooFewItems, InvalidK, ZeroVector, MemoryBudget, Overloaded.
        """
        call.remaining()
        artefact = None
        if query.bridge:
            artefact = await self._derived.bridge(call, query.bridge)
            check_direction(artefact, query.source, query.target)
        async with (
            self._snapshots.hold(call, query.source.name, query.source.version, field="source") as source,
            self._snapshots.hold(call, query.target.name, query.target.version, field="target") as target,
        ):
            _check(query, artefact, source, target)
            left, right, similarity = await self._sides(call.part(0.0, 0.1), artefact, source, target)
            rows, partners, scores = await self._found(call, query, left, right, similarity, artefact.uid if artefact else "")
            order = np.lexsort((rows, -scores))[: query.limit or None]
            return MutualPairs(
                source_ids=source.ids[rows[order]].tolist(),
                target_ids=target.ids[partners[order]].tolist(),
                scores=scores[order],
                source_items=source.n,
                target_items=target.n,
                source=SpaceUse(source.name, source.uid, source.version),
                target=SpaceUse(target.name, target.uid, target.version),
                bridge=query.bridge,
                correction=query.correction,
                engine=ENGINE_VERSION,
            )

    async def _sides(
        self, call: Call, artefact: BridgeArtefact | None, source: Snapshot, target: Snapshot
    ) -> tuple[Side, Side, Similarity]:
        """Both spaces where they meet: as they are, or mapped and centred."""
        if artefact is None:
            left, right, similarity = source.vectors, target.vectors, source.similarity
        else:
            left = await self._derived.bank(call, artefact, source)
            right = await self._derived.gallery(call, artefact, target)
            similarity = Similarity.COSINE
        return Side(source.uid, source.version, left), Side(target.uid, target.version, right), similarity

    async def _found(
        self, call: Call, query: MutualPairsQuery, left: Side, right: Side, similarity: Similarity, bridge_uid: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """Source rows, their partners and the scores."""
        if query.correction == "none":
            forward = await self._nearest(call.part(0.1, 0.55), left, right, similarity, None)
            backward = await self._nearest(call.part(0.55, 1.0), right, left, similarity, None)
            scores = forward.scores[:, 0]
        else:
            correction = Correction(query.correction, query.correction_k)
            of_targets = (await self._terms.across(call.part(0.1, 0.3), right, left, similarity, bridge_uid, correction)).bias
            of_sources = (await self._terms.across(call.part(0.3, 0.5), left, right, similarity, bridge_uid, correction)).bias
            forward = await self._nearest(call.part(0.5, 0.75), left, right, similarity, of_targets)
            backward = await self._nearest(call.part(0.75, 1.0), right, left, similarity, of_sources)
            scores = forward.scores[:, 0] - of_sources
        rows = mutual_pairs(forward.indices[:, 0], backward.indices[:, 0])
        return rows, forward.indices[rows, 0], scores[rows]

    async def _nearest(self, call: Call, of: Side, among: Side, similarity: Similarity, bias: NDArray[np.float64] | None) -> NeighbourTable:
        m, n = len(of.vectors), len(among.vectors)
        table = await self._pool.run(
            call,
            "scan",
            lambda: self._engine.query(of.vectors, among.vectors, similarity, 1, bias=bias, control=call.control),
            nbytes=self._engine.query_bytes(m, n, of.vectors.shape[1], 1),
        )
        self._metrics.rows(table.certificate.backend, table.certificate.certified_rows, table.certificate.refined_rows)
        return table


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
