"""What an alignment asks: spaces and specification, their limits, their size, and a guess of the time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from consilience_server.app.reports import NEIGHBOUR_METRICS, MetricName, PreprocessName
from consilience_server.core.errors import InvalidArgument, InvalidK, NotServed, TooFewItems
from consilience_server.core.score import IntervalKind
from consilience_server.engine.cknna_scores import CKNNA_METRICS

# Seconds of one step of a permutation, the slowest of what was measured on two Zen 3 cores at n = 1,500 to 20,000: a neighbour looked up,
# on both threads together; a product of CKA's features, and an entry of its Gram matrices (the cheaper form is computed), on one thread.
_EDGE_SECONDS = 1.5e-8
_PRODUCT_SECONDS = 1.3e-10
_GRAM_SECONDS = 2.4e-9


@dataclass(frozen=True)
class SpaceQuery:
    """A space as a caller names it: the bare id, and a version or 0 for the newest."""

    name: str
    version: int = 0


@dataclass(frozen=True)
class AlignmentSpec:
    """Everything that decides an alignment besides the spaces; `permutations` 0 computes no null.

    `k_fractions` are further k as shares of the number of common items: `at_size` makes them numbers once that is known.
    """

    metric: MetricName = "mutual_knn"
    ks: tuple[int, ...] = (10,)
    preprocess: PreprocessName = "none"
    permutations: int = 999
    seed: int = 0
    alpha: float = 0.05
    interval_kind: IntervalKind = "items"
    confidence: float = 0.95
    sample_queries: int = 0
    k_fractions: tuple[float, ...] = ()


@dataclass(frozen=True)
class AlignmentLimits:
    """What one alignment may ask (published by server info), on how many threads, and how fast scans usually are."""

    max_k: int
    max_permutations: int
    threads: int
    flops_per_second: float


def check_spec(spec: AlignmentSpec, limits: AlignmentLimits) -> None:
    """Everything that can be refused before the spaces are looked at: InvalidK, InvalidArgument, NotServed."""
    most = limits.max_k
    asked = [*spec.ks, *spec.k_fractions]
    if not asked or len(set(asked)) != len(asked):
        raise InvalidK(f"k is {asked}; give at least one, each once", field="spec.ks")
    for share in spec.k_fractions:
        if not 0.0 < share < 1.0:
            raise InvalidK(f"k is {share:g} of the items; a share must be above 0 and below 1", field="spec.k_fractions")
    for k in spec.ks:
        if not 1 <= k <= most:
            raise InvalidK(f"k is {k}; it must be 1 to {most:,} and below the number of items", field="spec.ks", k=k, max_k=most)
    if not 0 <= spec.permutations <= limits.max_permutations:
        raise InvalidArgument(
            f"{spec.permutations:,} permutations; at most {limits.max_permutations:,} are served", field="spec.permutations"
        )
    for name, value in (("alpha", spec.alpha), ("confidence", spec.confidence)):
        if not 0 < value < 1:
            raise InvalidArgument(f"{name} is {value}; it must lie between 0 and 1", field=f"spec.{name}")
    if spec.sample_queries:
        raise NotServed("a sample of queries is not served by this version; all common items are asked", field="spec.sample_queries")


def check_size(n: int, spec: AlignmentSpec) -> None:
    """`n` common items are enough: InvalidK, TooFewItems."""
    if spec.metric in NEIGHBOUR_METRICS:
        k = max(spec.ks)
        if k >= n:
            raise InvalidK(f"k is {k}, but only {n:,} items are common, so k may be at most {n - 1}", field="spec.ks", k=k, n=n)
    if n < 4 and (spec.metric in CKNNA_METRICS or spec.metric not in NEIGHBOUR_METRICS):
        raise TooFewItems(f"only {n} items are common; {spec.metric} needs at least 4; add items that both have", field="y", n=n)


def in_numbers(spec: AlignmentSpec, n: int) -> AlignmentSpec:
    """The spec with every k a number, for `n` common items: a share f is k = floor(n f), at least 1; a k asked twice is asked once."""
    # .29 of 100 items is 29, though the product of the floats is a little less.
    shares = (max(1, math.floor(n * share + 1e-9)) for share in spec.k_fractions)
    return replace(spec, ks=tuple(dict.fromkeys((*spec.ks, *shares))), k_fractions=())


def at_size(spec: AlignmentSpec, n: int, limits: AlignmentLimits) -> AlignmentSpec:
    """`in_numbers`, unless a share is more than is served: InvalidK."""
    numbers = in_numbers(spec, n)
    if spec.k_fractions and max(numbers.ks) > limits.max_k:
        raise InvalidK(
            f"{max(spec.k_fractions):g} of {n:,} items is k = {max(numbers.ks):,}; at most {limits.max_k:,} is served, ask a smaller share",
            field="spec.k_fractions",
            k=max(numbers.ks),
            max_k=limits.max_k,
        )
    return numbers


def estimated_seconds(items: Sequence[int], widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    """A rough estimate of a computation from scratch: the scans at the engine's usual rate, and the permutations.

    Args:
        items: of each space.
        widths: of each space.
        spec: already checked, without shares.
        limits: rates and threads.
    """
    n, pairs = min(items), list(combinations(widths, 2))
    if spec.metric in NEIGHBOUR_METRICS:
        work = sum(2.0 * n * n * width for width in widths)
        null = _EDGE_SECONDS * spec.permutations * n * sum(spec.ks) * len(pairs)
    else:
        work = sum(2.0 * n * a * b for a in widths for b in widths)
        step = sum(min(n * a * b * _PRODUCT_SECONDS, n * n * _GRAM_SECONDS) for a, b in pairs)
        null = step * spec.permutations / limits.threads
    return work / limits.flops_per_second + null
