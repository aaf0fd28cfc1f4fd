"""What a bridge would be worth and cost, before it is fitted: the use case of EstimateBridge."""

import numpy as np

from consilience_server.app.bridge_estimate import (
    BridgeEstimate,
    BridgeEstimateQuery,
    MethodSupport,
    check_bridge_estimate,
    learns_from_pairs,
)
from consilience_server.app.bridge_estimate_notes import estimate_notes
from consilience_server.app.bridging import Bridging, paired_fit_bytes
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.fit_query import FitQuery
from consilience_server.app.known_pairs import KnownPairs, known_pairs
from consilience_server.app.pair_groups import pair_groups
from consilience_server.app.reports import SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.unpaired_bridging import unpaired_bytes
from consilience_server.bridges.choose import METHODS, TRAINED
from consilience_server.bridges.feasibility import (
    ALIGNED_PAIRS,
    QUICK_METHODS,
    QUICK_PAIRS,
    QUICK_QUERIES,
    LearningForecast,
    PairAlignment,
    alignment_bytes,
    learning_forecast,
    pair_alignment,
)
from consilience_server.bridges.fit import BASELINES, needed_pairs
from consilience_server.bridges.held_out import Split, near_copies, split_pairs
from consilience_server.bridges.held_out_retrieval import FitProblem
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.bridges.unpaired_fit import FEWEST, NARROWEST
from consilience_server.core.errors import NoCommonItems
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_HELD_OUT = 0.2
_SEARCHED = 4e10
"""Numbers of the gallery that all queries of one point may read together; of a large one fewer are asked, `_FEWEST_QUERIES` at least."""

_FEWEST_QUERIES = 100


class BridgeEstimates:
    """The use case."""

    def __init__(self, *, bridging: Bridging, snapshots: Snapshots, pool: ComputePool, engine: NeighbourEngine) -> None:
        self._bridging = bridging
        self._snapshots = snapshots
        self._pool = pool
        self._engine = engine

    async def estimate(self, call: Call, query: BridgeEstimateQuery) -> BridgeEstimate:
        """Align the pairs, fit quick methods on parts of them, and carry the learning curve on; nothing is kept.

        The split is that of a fit with the same seed and a fifth held out: groups stay whole, near-copies are left out.

        Raises:
            UnknownMethod, InvalidArgument, ShapeMismatch, DuplicateId: the query.
            SpaceNotFound, VersionExpired, ItemNotFound, ZeroVector, ConstantFeatures: the data; TooFewPairs: all pairs are one group.
            MemoryBudget, Overloaded.
        """
        check_bridge_estimate(query)
        self._bridging.check_served(query.method)
        async with (
            self._snapshots.hold(call, query.source.name, query.source.version, field="source") as source,
            self._snapshots.hold(call, query.target.name, query.target.version, field="target") as target,
        ):
            pairs = await self._pool.run(call, "load", lambda: _pairs(query, source, target))
            count = 0 if pairs is None else len(pairs.source_ids)
            fitted, alignment, learning = 0, None, None
            if pairs is not None and count > 1:
                groups = await pair_groups(self._snapshots, call, source, pairs.source_rows, target, pairs.target_rows)
                split = split_pairs(pairs.source_ids.tolist(), _HELD_OUT, query.seed, groups)
                fitted = len(split.fit)
                alignment, learning = await self._pool.run(
                    call,
                    "statistics",
                    lambda: self._measured(call, query, pairs, split, source, target),
                    nbytes=max(
                        alignment_bytes(self._engine, count, source.dim, target.dim),
                        paired_fit_bytes(min(fitted, QUICK_PAIRS), source, target),
                    ),
                )
            methods = _supported(query, fitted, source, target)
            seconds, peak = 0.0, 0
            if any(told.supported for told in methods if query.asks_for(told.method)):
                ids = () if pairs is None else tuple(pairs.source_ids)
                fit = FitQuery("x", query.source, query.target, query.method, ids)
                seconds = await self._bridging.estimate_seconds(call, fit)
                unpaired = query.method == "unsupervised"
                peak = unpaired_bytes(source, target) if unpaired else paired_fit_bytes(fitted, source, target)
                peak += self._bridging.training_bytes(fit, fitted, source, target)
            return BridgeEstimate(
                source=SpaceUse(source.name, source.uid, source.version),
                target=SpaceUse(target.name, target.uid, target.version),
                pairs=count,
                alignment=alignment,
                methods=methods,
                learning=learning,
                seconds=seconds,
                peak_bytes=peak,
                notes=estimate_notes(query, count, fitted, methods, alignment, learning),
            )

    def _measured(
        self, call: Call, query: BridgeEstimateQuery, pairs: KnownPairs, split: Split, source: Snapshot, target: Snapshot
    ) -> tuple[PairAlignment | None, LearningForecast | None]:
        aligned = np.concatenate((split.fit, split.held_out))[:ALIGNED_PAIRS]
        alignment = pair_alignment(
            source.vectors[pairs.source_rows[aligned]],
            target.vectors[pairs.target_rows[aligned]],
            self._engine,
            call.control.part(0.0, 0.1),
        )
        if query.method != "auto" and not learns_from_pairs(query.method):
            return alignment, None
        fit, held = split.fit[:QUICK_PAIRS], split.held_out[: _asked(target)]
        x, y = source.vectors[pairs.source_rows[fit]], target.vectors[pairs.target_rows[fit]]
        queries, partners = source.vectors[pairs.source_rows[held]], pairs.target_rows[held]
        apart = ~near_copies(x, y, queries, target.vectors[partners], call.control)
        problem = FitProblem(
            x=x[apart],
            y=y[apart],
            queries=queries,
            partners=partners,
            gallery=target.vectors,
            query_ids=pairs.source_ids[held],
            gallery_ids=target.ids,
            similarity=target.similarity,
        )
        # A training is more than a look; what starts it tells of the pairs.
        methods = QUICK_METHODS if query.method == "auto" or query.method in TRAINED else (query.method,)
        control = call.control.part(0.1, 1.0)
        return alignment, learning_forecast(problem, methods, (query.recall, query.k), PENALTIES, self._engine, control)


def _pairs(query: BridgeEstimateQuery, source: Snapshot, target: Snapshot) -> KnownPairs | None:
    """None where no pair is known: that is what an estimate is asked about."""
    try:
        return known_pairs(query.item_ids, query.target_ids, source, target)
    except NoCommonItems:
        return None


def _asked(target: Snapshot) -> int:
    return int(max(_FEWEST_QUERIES, min(QUICK_QUERIES, _SEARCHED / max(target.vectors.size, 1))))


def _supported(query: BridgeEstimateQuery, fitted: int, source: Snapshot, target: Snapshot) -> tuple[MethodSupport, ...]:
    fittable = (*METHODS, *TRAINED) if query.method in TRAINED else METHODS
    needs = {name: needed_pairs(name, source.dim, target.dim) for name in fittable if name not in BASELINES or source.dim == target.dim}
    told = [MethodSupport(name, needed, fitted >= max(needed, 1)) for name, needed in needs.items()]
    unpaired = min(source.n, target.n) >= FEWEST and min(source.dim, target.dim) >= NARROWEST
    return (*told, MethodSupport("unsupervised", 0, unpaired))
