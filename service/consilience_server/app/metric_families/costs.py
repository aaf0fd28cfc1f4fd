"""Seconds of the steps that families share."""

from collections.abc import Sequence

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec

_EDGE_SECONDS = 1.5e-8
"""Of one neighbour looked up in one permutation, on all threads together: the slowest of what was measured on two Zen 3 cores at
n = 1,500 to 20,000."""


def table_seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    """One search a space at the engine's usual rate, and the permutations of every pair's lists: of the queries, where some are asked."""
    asked = spec.queries(n)
    scans = sum(2.0 * asked * n * width for width in widths)
    pairs = len(widths) * (len(widths) - 1) // 2
    return scans / limits.flops_per_second + _EDGE_SECONDS * spec.permutations * asked * sum(spec.ks) * pairs
