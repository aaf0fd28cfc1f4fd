"""Seconds of the steps that families share."""

from collections.abc import Sequence

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec

_EDGE_SECONDS = 1.5e-8
"""Of one neighbour looked up in one permutation, on all threads together: the slowest of what was measured on two Zen 3 cores at
n = 1,500 to 20,000."""


_PLACE_SECONDS = 3e-8
"""Of one place drawn in a permutation of some queries, for them and for what their lists hold: the slowest of n = 20,000 and 60,000."""

_SORTED_SECONDS = 1e-7
"""Of one item that is permuted within its group, which sorts all of them."""


def table_seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    """One search a space at the engine's usual rate, and the permutations of every pair's lists: of the queries, where some are asked.

    With some queries places are drawn anew for what their lists hold, at most k times as many as they are in each space.
    """
    asked = spec.queries(n)
    scans = sum(2.0 * asked * n * width for width in widths)
    pairs = len(widths) * (len(widths) - 1) // 2
    drawn = 0.0
    if asked < n:
        listed = min(n - asked, asked * max(spec.ks) * len(widths))
        drawn = _SORTED_SECONDS * n if spec.within else _PLACE_SECONDS * (asked + listed)
    return scans / limits.flops_per_second + spec.permutations * (_EDGE_SECONDS * asked * sum(spec.ks) * pairs + drawn)
