"""Fits without pairs: all items of both spaces, and the refusal of what did not converge."""

from dataclasses import dataclass

import numpy as np

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.fit_query import FitQuery
from consilience_server.app.known_pairs import KnownPairs, known_pairs
from consilience_server.app.validation import shown
from consilience_server.bridges.artefact import RetrievalReport
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.convergence import ENOUGH, Convergence
from consilience_server.bridges.held_out_retrieval import FitProblem, HeldOutRetrieval
from consilience_server.bridges.tuning import Tuning
from consilience_server.bridges.unpaired_fit import MOST, fit_without_pairs
from consilience_server.core.control import Control
from consilience_server.core.errors import DidNotConverge, ZeroVector
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_BLOCK_BYTES = 256 << 20
"""Similarities of one block with their places."""


@dataclass(frozen=True)
class UnpairedFit:
    """The map, whether it converged, and, where pairs were named, how it and the baselines retrieve them."""

    map: BridgeMap
    convergence: Convergence
    candidates: tuple[RetrievalReport, ...]
    notes: tuple[str, ...]


async def fit_unpaired(
    call: Call, query: FitQuery, source: Snapshot, target: Snapshot, pool: ComputePool, engine: NeighbourEngine
) -> UnpairedFit:
    """Fit on all items of both spaces as if no id were known; pairs that the query names are only measured.

    Raises:
        TooFewItems, ZeroVector: a space.
        ItemNotFound: the pairs.
        DidNotConverge: two fits on halves of the items do not agree, and the query does not ask to keep such a map.
        MemoryBudget, Overloaded.
    """
    for field, space in (("source", source), ("target", target)):
        _check_no_zeros(space, field)
    pairs = None
    if query.item_ids:
        pairs = await pool.run(call, "load", lambda: known_pairs(query.item_ids, query.target_ids, source, target))
    bridge, convergence = await pool.run(
        call,
        "statistics",
        lambda: fit_without_pairs(source.vectors, target.vectors, query.seed, call.control.part(0.0, 0.9)),
        nbytes=unpaired_bytes(source, target),
    )
    if not (convergence.converged or query.keep_unconverged):
        raise DidNotConverge(
            f"did not converge: {_told(convergence)}. Nothing was kept. The spaces may share no geometry, or too few items for this; known "
            "pairs, even tens, fit better. Another seed or more items may help; keep_unconverged keeps the map all the same",
            agreement=convergence.agreement.value,
            chance=convergence.chance,
            fits=convergence.fits,
        )
    candidates: tuple[RetrievalReport, ...] = ()
    if pairs is not None:
        candidates = await pool.run(
            call,
            "statistics",
            lambda: _measured(bridge, pairs, query.seed, source, target, engine, call.control.part(0.9, 1.0)),
            nbytes=3 * target.vectors.nbytes + (64 << 20),
        )
    return UnpairedFit(bridge, convergence, candidates, _notes(convergence, measured=bool(candidates)))


def unpaired_bytes(source: Snapshot, target: Snapshot) -> int:
    """Peak of a fit without pairs: all unit rows in float64, what is drawn of them in float32, a block of similarities."""
    return 24 * (source.n * source.dim + target.n * target.dim) + 12 * MOST * (source.dim + target.dim) + _BLOCK_BYTES


def _check_no_zeros(space: Snapshot, field: str) -> None:
    zero = np.flatnonzero(~space.vectors.any(axis=1))
    if len(zero):
        raise ZeroVector(
            f"{len(zero):,} items of space {space.name.removeprefix('spaces/')!r} are zero vectors, which have no direction: "
            f"{shown(space.ids[zero].tolist())}; delete them",
            field=field,
        )


def _measured(
    bridge: BridgeMap, pairs: KnownPairs, seed: int, source: Snapshot, target: Snapshot, engine: NeighbourEngine, control: Control
) -> tuple[RetrievalReport, ...]:
    """The map and the baselines on pairs that none of them saw."""
    order = np.argsort(tie_keys(f"held-out:{seed}", pairs.source_ids), kind="stable")
    problem = FitProblem(
        x=source.vectors[:0],
        y=target.vectors[:0],
        queries=source.vectors[pairs.source_rows[order]],
        partners=pairs.target_rows[order],
        gallery=target.vectors,
        query_ids=pairs.source_ids[order],
        gallery_ids=target.ids,
        similarity=target.similarity,
    )
    measuring = HeldOutRetrieval(problem, engine, control)
    same = np.eye(source.dim, target.dim)
    still = BridgeMap(same, np.zeros(source.dim), np.zeros(target.dim))
    reports = [measuring.measure("unsupervised", bridge, Tuning(), control)[0]]
    for method, baseline in (("identity", still), ("mean_shift", BridgeMap(same, bridge.source_mean, bridge.target_mean))):
        try:
            found, _ = measuring.measure(method, baseline, Tuning(), control)  # type: ignore[arg-type]  # names of both
        except ZeroVector:
            # Of unequal widths an item may have nothing in the dimensions that are left.
            continue
        reports.append(found)
    return tuple(reports)


def _told(convergence: Convergence) -> str:
    return (
        f"two maps fitted on halves of the items that share none lead {convergence.agreement.value:.1%} of {convergence.queries:,} source "
        f"items to one place (chance {convergence.chance:.1%}; {ENOUGH:.0%} beyond chance are enough), the best of "
        f"{convergence.fits} fits"
    )


def _notes(convergence: Convergence, *, measured: bool) -> tuple[str, ...]:
    said = ("converged" if convergence.converged else "DID NOT CONVERGE, and is kept because that was asked") + f": {_told(convergence)}"
    if measured:
        return (f"fitted without pairs, {said}",)
    return (f"fitted without pairs, {said}", "no pair was named, so no recall was measured: evaluate it on some known pairs before use")
