"""What an estimate of a bridge comes to, in plain sentences."""

from collections.abc import Sequence

from consilience_server.app.bridge_estimate import BridgeEstimateQuery, MethodSupport, learns_from_pairs
from consilience_server.bridges.feasibility import LearningForecast, PairAlignment
from consilience_server.core.learning_forecast import FEWEST_POINTS

_CHANCE = 0.05
"""Of the permutations: above it the pairs say nothing."""


def estimate_notes(
    query: BridgeEstimateQuery,
    pairs: int,
    fitted: int,
    methods: Sequence[MethodSupport],
    alignment: PairAlignment | None,
    learning: LearningForecast | None,
) -> tuple[str, ...]:
    """What stands in the way, whether the spaces agree, and what the wished recall takes.

    Args:
        query: asked.
        pairs: at hand.
        fitted: of them, the others being held out.
        methods: what they support.
        alignment: on the pairs.
        learning: foreseen.
    """
    notes = []
    if alignment is not None and alignment.p_value > _CHANCE:
        notes.append(f"on the pairs the spaces agree no more than by chance (p = {alignment.p_value:.3f}): expect little of a bridge")
    if learning is not None:
        notes.append(_need(query, learning))
    elif query.method != "auto" and not learns_from_pairs(query.method):
        notes.append(f"{query.method} learns nothing from pairs, so more of them bring nothing: fit it, and read its report")
    else:
        notes.append(_too_few(query, pairs, fitted, methods))
    return tuple(notes)


def _too_few(query: BridgeEstimateQuery, pairs: int, fitted: int, methods: Sequence[MethodSupport]) -> str:
    least = min(told.needed for told in methods if query.asks_for(told.method))
    # Three points of a curve: all, a half, a quarter.
    for_curve = least * 2 ** (FEWEST_POINTS - 1)
    if fitted >= least:
        return (
            f"{pairs:,} pairs are too few for three points of a learning curve, so nothing is foreseen: a forecast needs {for_curve:,} "
            "beside the fifth that is held out"
        )
    unpaired = any(told.method == "unsupervised" and told.supported for told in methods)
    return (
        f"{pairs:,} pairs are known; a fit needs at least {least:,} beside the fifth that is held out, a forecast {for_curve:,}: label some"
        f"{', or try method unsupervised' if unpaired else ''}"
    )


def _need(query: BridgeEstimateQuery, learning: LearningForecast) -> str:
    wish, need, reach = f"recall@{query.k} of {query.recall:g}", learning.need, learning.forecasts[query.k]
    most = int(reach.pairs[-1])
    if need.pairs is not None:
        ends = f"{need.least or need.pairs:,} to " + (f"more than {most:,}" if need.most is None else f"{need.most:,}")
        return f"{wish} takes about {need.pairs:,} pairs in the fit (95%: {ends}) by {learning.method}"
    if need.least is not None:
        return (
            f"{wish} may be reached by {learning.method} with {need.least:,} pairs in the fit at the earliest; with up to {most:,} it is "
            f"not to be expected: foreseen {reach.recall[-1]:.2f} [{reach.low[-1]:.2f}, {reach.high[-1]:.2f}]"
        )
    return (
        f"{wish} is not reached with up to {most:,} pairs by {learning.method}: foreseen "
        f"{reach.recall[-1]:.2f} [{reach.low[-1]:.2f}, {reach.high[-1]:.2f}]"
    )
