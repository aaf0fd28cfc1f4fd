"""The bridge of an upgrade: one that is given, or one fitted on items that do not ask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.artefact import BridgeArtefact, LearningPoint, MethodName, RetrievalReport
from consilience_server.bridges.choose import MethodChoice, fit_and_choose
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.held_out import Split, near_copies, split_pairs
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.tuning import ANCHORS
from consilience_server.bridges.upgrade_lists import Strategy, Upgrade
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs
from consilience_server.engine.protocol import NeighbourEngine

_HELD_OUT = 0.2


@dataclass(frozen=True)
class FittedUpgrade:
    """A map from the new space into the old one.

    Attributes:
        name: bare id of a bridge that was given; empty for one that was fitted here and is not kept.
        method: of the map.
        map: it.
        fit_pairs: that it was fitted on; none of them asks.
        near_copies: pairs left out of the fit because they are nearly the same as a query.
        candidates: every method tried, on pairs held out of the fit, none of which asks.
        learning_curve: of `bridges/learning_curve.py`.
        source_dim: width of the new space.
        notes: what weakens it.
    """

    name: str
    method: MethodName
    map: SpaceMap
    fit_pairs: int
    near_copies: int
    candidates: tuple[RetrievalReport, ...]
    learning_curve: tuple[LearningPoint, ...]
    source_dim: int
    notes: tuple[str, ...] = ()

    @property
    def enough_pairs(self) -> bool:
        """Whether a failure says something of the spaces: with fewer pairs than the source has dimensions it says more of the pairs."""
        return self.fit_pairs >= self.source_dim

    def maps(self, upgrade: Upgrade) -> dict[Strategy, SpaceMap]:
        """The map, and where widths are equal the shift of the mean alone, with the same means."""
        maps: dict[Strategy, SpaceMap] = {}
        # Identity subtracts no mean, so it has none to tell.
        if upgrade.old.shape[1] == upgrade.new.shape[1] and self.method != "identity":
            maps["mean_shift"] = BridgeMap(np.eye(upgrade.new.shape[1]), self.map.source_mean, self.map.target_mean)
        return {**maps, "bridge": self.map}


def given_upgrade(artefact: BridgeArtefact) -> FittedUpgrade:
    """A bridge of the caller's."""
    unknown = "the bridge does not tell which pairs it was fitted on; queries among these flatter it"
    return FittedUpgrade(
        name=artefact.name,
        method=artefact.method,
        map=artefact.map,
        fit_pairs=artefact.fit_pairs,
        near_copies=artefact.near_copies,
        candidates=tuple(artefact.candidates),
        learning_curve=tuple(artefact.learning_curve),
        source_dim=len(artefact.map.source_mean),
        notes=(unknown,) if artefact.fit_keys is None else (),
    )


def fit_upgrade(
    upgrade: Upgrade,
    left: NDArray[np.int64],
    method: MethodChoice,
    seed: int,
    groups: NDArray[np.int64] | None,
    engine: NeighbourEngine,
    control: Control,
) -> FittedUpgrade | None:
    """Fit as `fit_bridge` does on the items left; None where they are too few.

    Near-copies of queries are left out first. A fifth of the rest, whole groups, chooses among the methods and is not fitted on either.

    Args:
        upgrade: items and queries.
        left: (f,) int64, items that do not ask.
        method: `auto`, or one by name.
        seed: of the split.
        groups: (n,) of all items, or None.
        engine: searches neighbourhoods.
        control: cancellation and progress.

    Raises:
        DimensionMismatch, ConstantFeatures.
    """
    copies = near_copies(upgrade.new[left], upgrade.old[left], upgrade.new_queries, upgrade.old_queries, control.silent())
    rows = left[~copies]
    try:
        split = _split(upgrade, rows, seed, groups, control)
        fit, held = rows[split.fit], rows[split.held_out]
        problem = FitProblem(
            x=upgrade.new[fit],
            y=upgrade.old[fit],
            queries=upgrade.new[held],
            partners=held,
            gallery=upgrade.old,
            query_ids=upgrade.ids[held],
            gallery_ids=upgrade.ids,
            similarity=upgrade.old_similarity,
        )
        found = fit_and_choose(problem, method, PENALTIES, engine, control)
    except TooFewPairs:
        return None
    notes = _rising(found.learning_curve, found.held_out)
    return FittedUpgrade(
        name="",
        method=found.method,
        map=found.map,
        fit_pairs=len(fit),
        near_copies=int(copies.sum()),
        candidates=found.candidates,
        learning_curve=found.learning_curve,
        source_dim=upgrade.new.shape[1],
        notes=notes + ((f"{len(fit):,} pairs for {upgrade.new.shape[1]:,} dimensions are few",) if len(fit) < upgrade.new.shape[1] else ()),
    )


def fit_bytes(upgrade: Upgrade, pairs: int) -> int:
    """Peak of the fit: pairs in float32 and twice in float64, two centred galleries, the matrices of the decompositions."""
    (n, target), source = upgrade.old.shape, upgrade.new.shape[1]
    order = min(pairs, source)
    matrices = 8 * (4 * order * order + 6 * source * target + 24 * (source**2 + target**2))
    gallery = 4 * n * (2 * target + max(target, min(source, target) + 2, ANCHORS[-1]))
    cosines = 18 * min(pairs, 2048) * max(len(upgrade.own), min(pairs, MAX_HELD_OUT_QUERIES))
    return int(pairs * (source + target) * 20 + gallery + matrices + cosines + (64 << 20))


def _split(upgrade: Upgrade, rows: NDArray[np.int64], seed: int, groups: NDArray[np.int64] | None, control: Control) -> Split:
    if len(rows) < 2:
        raise TooFewPairs(f"{len(rows)} items are left for the fit", field="new")
    of = None if groups is None else np.unique(groups[rows], return_inverse=True)[1].astype(np.int64)
    whole = split_pairs([str(item) for item in upgrade.ids[rows]], _HELD_OUT, seed, of)
    fit, held = rows[whole.fit], rows[whole.held_out[:MAX_HELD_OUT_QUERIES]]
    copies = near_copies(upgrade.new[fit], upgrade.old[fit], upgrade.new[held], upgrade.old[held], control.silent())
    return Split(whole.fit[~copies], whole.held_out)


def _rising(curve: tuple[LearningPoint, ...], full: RetrievalReport) -> tuple[str, ...]:
    """A word where twice the pairs still brought much: more of them would bring more."""
    if len(curve) < 2:
        return ()
    half = curve[-2]
    gain = full.recalls[1] - half.recalls[1]
    if gain < 0.02:
        return ()
    told = f"from {half.pairs:,} to {curve[-1].pairs:,} pairs the bridge's recall@1 of partners still rose by {gain:.2f}"
    return (f"{told}: more pairs bring more",)
