"""What an evaluation of an upgrade answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from consilience_server.app.reports import SpaceUse
from consilience_server.app.upgrade_fit import FittedUpgrade
from consilience_server.app.upgrade_measures import SliceVerdict, StrategyReport
from consilience_server.bridges.reembedding import Reembedding
from consilience_server.core.upgrade_verdict import Verdict


@dataclass(frozen=True)
class UpgradeReport:
    """What a change of encoder keeps.

    Attributes:
        verdict: see `core/upgrade_verdict.py`.
        queries_needed: to decide, if shares stay as they are; 0 where it is decided, None where no number would.
        strategies: every way that was measured.
        slices: all queries first, then each slice.
        bridge: the map that was measured, None where there were too few pairs for one.
        reembedding: which items first, and what that regains; None without a bridge.
        reembed_ids: the first of these items.
        queries: asked.
        gallery: items of both spaces, searched.
        old, new, old_queries, new_queries: the versions read; the last two are None where items ask for each other.
        dropped_old, dropped_new: items that the other space lacks.
        clustered_by: the attribute whose equal values count as one draw of the queries; empty for none.
        notes: what weakens the answer, in plain sentences.
    """

    verdict: Verdict
    queries_needed: int | None
    strategies: Sequence[StrategyReport]
    slices: Sequence[SliceVerdict]
    bridge: FittedUpgrade | None
    reembedding: Reembedding | None
    reembed_ids: Sequence[str]
    queries: int
    gallery: int
    old: SpaceUse
    new: SpaceUse
    old_queries: SpaceUse | None
    new_queries: SpaceUse | None
    dropped_old: int
    dropped_new: int
    clustered_by: str
    notes: Sequence[str]
