"""A map measured beside the two that learn no matrix."""

import numpy as np

from consilience_server.bridges.artefact import MethodName, RetrievalReport
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.held_out_retrieval import FitProblem, HeldOutRetrieval
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.tuning import Tuning
from consilience_server.core.control import Control
from consilience_server.core.errors import ZeroVector
from consilience_server.engine.protocol import NeighbourEngine


def measure_with_baselines(
    method: MethodName, bridge: SpaceMap, tuning: Tuning, problem: FitProblem, engine: NeighbourEngine, control: Control
) -> tuple[RetrievalReport, tuple[RetrievalReport, ...]]:
    """The report of a map, and those of identity and mean shift (by the map's means) on the same pairs.

    A baseline is left out where, of unequal widths, an item has nothing in the dimensions that are left.

    Args:
        method: of the map.
        bridge: the map.
        tuning: told in its report.
        problem: pairs that it was not fitted on, and the gallery; `x` and `y` are not read.
        engine: searches neighbourhoods.
        control: cancellation and progress.
    """
    measuring = HeldOutRetrieval(problem, engine, control)
    report, _ = measuring.measure(method, bridge, tuning, control)
    widths = len(bridge.source_mean), len(bridge.target_mean)
    baselines: dict[MethodName, SpaceMap] = {
        "identity": BridgeMap(np.eye(*widths), np.zeros(widths[0]), np.zeros(widths[1])),
        "mean_shift": BridgeMap(np.eye(*widths), bridge.source_mean, bridge.target_mean),
    }
    found = []
    for name, baseline in baselines.items():
        try:
            found.append(measuring.measure(name, baseline, Tuning(), control.silent())[0])
        except ZeroVector:
            continue
    return report, tuple(found)
