"""What an alignment asks, judged: its limits, its size, and a guess of its time."""

import math
from collections.abc import Sequence
from dataclasses import replace

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.item_sample import compared_items
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.core.errors import InvalidArgument, InvalidK, NotServed, TooFewItems
from consilience_server.core.linear_predictivity import PredictivityOptions

_MOST_FOLDS = 100
_MOST_PENALTIES = 64


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
    if not 0 <= spec.stop_after <= spec.permutations:
        raise InvalidArgument(
            f"stop_after is {spec.stop_after:,}, of {spec.permutations:,} permutations; give 1 to as many, or 0 to draw all",
            field="spec.stop_after",
        )
    if spec.metric == "linear_predictivity":
        check_predictivity(spec.predictivity)
    _check_items(spec)
    _check_pairwise(spec)
    if spec.group_by:
        _check_groups(spec)
    if spec.asks_some:
        _check_queries(spec)


def check_predictivity(asked: PredictivityOptions) -> None:
    """Folds and penalties that make sense: InvalidArgument."""
    if not 2 <= asked.folds <= _MOST_FOLDS:
        raise InvalidArgument(f"{asked.folds} folds; ask 2 to {_MOST_FOLDS}", field="spec.predictivity.folds")
    wrong = [penalty for penalty in asked.penalties if not 0.0 <= penalty < math.inf]
    if wrong or len(set(asked.penalties)) != len(asked.penalties) or len(asked.penalties) > _MOST_PENALTIES:
        given = ", ".join(f"{penalty:g}" for penalty in asked.penalties[:_MOST_PENALTIES])
        raise InvalidArgument(
            f"penalties are {given}; give at most {_MOST_PENALTIES} finite numbers of 0 or more, each once",
            field="spec.predictivity.penalties",
        )


def _check_items(spec: AlignmentSpec) -> None:
    """A cosine, and strata that are sampled from."""
    if not 0.0 <= spec.deduplicate <= 1.0:
        raise InvalidArgument(
            f"deduplicate is {spec.deduplicate}; give a cosine above 0 and at most 1, such as .999", field="spec.deduplicate"
        )
    if spec.strata and spec.metric != "mutual_knn":
        raise InvalidArgument(f"{spec.metric} does not weight its queries; strata are of mutual_knn", field="spec.strata")
    if spec.strata and not spec.sample_queries:
        raise InvalidArgument("strata are sampled from; say with sample_queries how many queries", field="spec.strata")


def _check_groups(spec: AlignmentSpec) -> None:
    """What groups of items that are the same thing go with."""
    if spec.metric != "mutual_knn":
        raise InvalidArgument(f"{spec.metric} has no groups of items; group_by is of mutual_knn", field="spec.group_by")
    if spec.within:
        raise NotServed(
            "group_by exchanges whole groups of items; exchanges within the values of another attribute are not served, leave one out",
            field="spec.group_by",
        )
    if spec.asks_some:
        raise NotServed(
            "group_by exchanges whole groups of items, of which a choice of queries has parts; ask all items, or leave group_by out",
            field="spec.group_by",
        )


def _check_queries(spec: AlignmentSpec) -> None:
    """Queries chosen in one way, of a metric that can be asked for some."""
    field = "spec.query_ids" if spec.query_ids else "spec.sample_queries"
    if spec.context:
        raise InvalidArgument("the context of a space is over all its items; ask all of them, or describe the space", field="spec.context")
    if spec.sample_queries and spec.query_ids:
        raise InvalidArgument(
            f"{len(spec.query_ids):,} query_ids and a sample of {spec.sample_queries:,}; choose the queries in one way", field=field
        )
    if spec.metric not in FAMILY_OF[spec.metric].samples_queries:
        able = ", ".join(sorted(name for name, family in FAMILY_OF.items() if name in family.samples_queries))
        raise InvalidArgument(f"{spec.metric} needs every item, not only the queries' lists; ask all items, or {able}", field=field)
    if spec.interval_kind != "queries":
        raise InvalidArgument(
            "the interval of the kind `items` needs the list of every item; with some of them asked, ask for the kind `queries`",
            field="spec.interval_kind",
        )


def _check_pairwise(spec: AlignmentSpec) -> None:
    """Options of metrics that compare all pairs of items."""
    least = FAMILY_OF[spec.metric].least_items
    if spec.sample_items and spec.all_items:
        raise InvalidArgument(f"a sample of {spec.sample_items:,} items and all of them are asked; ask one", field="spec.sample_items")
    if spec.sample_items and spec.sample_items < least:
        few = f"a sample of {spec.sample_items:,} items; {spec.metric} needs at least {least}"
        raise TooFewItems(few, field="spec.sample_items", n=spec.sample_items, least=least)
    if spec.bandwidth is not None and not (0 < spec.bandwidth < math.inf):
        raise InvalidArgument(f"bandwidth is {spec.bandwidth:g}; it must be above 0 and finite", field="spec.bandwidth")
    if not 0 < spec.bandwidth_factor < math.inf:
        raise InvalidArgument(
            f"bandwidth_factor is {spec.bandwidth_factor:g}; it must be above 0 and finite", field="spec.bandwidth_factor"
        )
    if spec.bandwidth is not None and spec.bandwidth_factor != 1.0:
        raise InvalidArgument("a fixed bandwidth and a factor of the median are asked; ask one", field="spec.bandwidth_factor")


def check_size(n: int, spec: AlignmentSpec) -> None:
    """`n` common items are enough: InvalidK, TooFewItems."""
    family = FAMILY_OF[spec.metric]
    if family.reads == "tables":
        k = max(spec.ks)
        if k >= n:
            most = f"items are common, so k may be at most {n - 1}: ask a smaller k, or add items that both have"
            alone = "item is common, which has no neighbour: add items that both have"
            raise InvalidK(f"k is {k}, but only {n:,} {most if n > 1 else alone}", field="spec.ks", k=k, n=n)
    if n < family.least_items:
        few = f"only {n} items are common; {spec.metric} needs at least {family.least_items}; add items that both have"
        raise TooFewItems(few, field="y", n=n)


def too_few(n: int, spec: AlignmentSpec) -> bool:
    """Whether `check_size` refuses n items."""
    family = FAMILY_OF[spec.metric]
    return n < family.least_items or (family.reads == "tables" and n <= max(spec.ks))


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


def layers_seconds(n: int, x: Sequence[int], y: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    """A rough estimate of two sides with layers: the grid over n items, and where layers are chosen on a half, over the halves too.

    Args:
        n: items.
        x: widths of its layers.
        y: likewise.
        spec: already checked.
        limits: rates and threads.
    """
    whole, half = in_numbers(spec, n), replace(in_numbers(spec, max(n // 2, 1)), deduplicate=0.0, context=False)
    bare = replace(whole, permutations=0)
    seconds = estimated_seconds([n] * (len(x) + len(y)), [*x, *y], bare, limits)
    seconds += sum(
        estimated_seconds([n, n], [a, b], each, limits) * sign for a in x for b in y for each, sign in ((whole, 1.0), (bare, -1.0))
    )
    if len(x) * len(y) > 1 and spec.layer_selection == "split_half":
        seconds += estimated_seconds([n // 2] * (len(x) + len(y)), [*x, *y], replace(half, permutations=0), limits)
        seconds += estimated_seconds([n // 2] * 2, [max(x), max(y)], half, limits)
    return seconds


def estimated_seconds(items: Sequence[int], widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    """A rough estimate of a computation from scratch: what the metric reads at the engine's usual rate, and the permutations.

    Args:
        items: of each space.
        widths: of each space.
        spec: already checked, without shares.
        limits: rates and threads.
    """
    searched = sum(2.0 * n * n * width for n, width in zip(items, widths, strict=True))
    described = spec.context and FAMILY_OF[spec.metric].reads != "tables"
    apart = searched * (bool(spec.deduplicate) + described)
    return apart / limits.flops_per_second + FAMILY_OF[spec.metric].seconds(compared_items(min(items), spec), widths, spec, limits)
