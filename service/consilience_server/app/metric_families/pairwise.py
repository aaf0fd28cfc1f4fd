"""`rsa` and `rbf_cka`: dissimilarities of all pairs of items."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.app.reports import MetricName
from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures, ZeroVector
from consilience_server.core.intervals import GROUPS
from consilience_server.core.kernel_distances import dissimilarities_of, dissimilarity_rule, distance_rule, distances_of
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.permutation import canonical_order
from consilience_server.core.rbf_cka import Bandwidth
from consilience_server.core.rdm import RdmDistance
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.kendall_scores import KENDALL_TAUS
from consilience_server.engine.pairwise import pairwise, pairwise_bytes, reordered
from consilience_server.engine.rbf_cka_scores import rbf_cka_bytes, rbf_cka_scores
from consilience_server.engine.rsa_scores import rsa_bytes, rsa_scores

SAMPLE_ITEMS = 2048
"""Items compared unless more are asked: 2 million pairs, whose 999 permutations take seconds."""

KENDALL_SAMPLE_ITEMS = 512
"""The same for Kendall's tau, which sorts the pairs in every permutation."""

# Of one step on one thread, upper estimates for two Zen 3 cores: a component of a squared difference; a pair looked up and multiplied in a
# permutation; a pair prepared anew without a group; a pair sorted in a permutation.
_COMPONENT_SECONDS = 1.2e-9
_PAIR_SECONDS = 2.4e-9
_FORM_SECONDS = 4e-8
_SORT_SECONDS = 2.5e-7


def _pairs(compared: Compared, names: Sequence[str], distance: RdmDistance, control: Control) -> list[NDArray[np.float64]]:
    """The condensed dissimilarities of each side in canonical order: of vectors by the named distance, of kernels as their kind says."""
    order, threads = canonical_order(compared.options.item_order), compared.options.threads
    found = []
    for at, (side, name) in enumerate(zip(compared.sides, names, strict=True)):
        part = control.part(at / len(names), (at + 1) / len(names))
        if side.kernel is None:
            found.append(_distances(side.vectors, distance, order, threads, part, name))
        elif compared.spec.metric == "rbf_cka":
            found.append(reordered(distances_of(side.vectors, side.kernel, name), order))
        else:
            found.append(reordered(dissimilarities_of(side.vectors, side.kernel), order))
    return found


def _distances(
    vectors: NDArray[np.floating], distance: RdmDistance, order: NDArray[np.int64], threads: int, control: Control, name: str
) -> NDArray[np.float64]:
    """`pairwise`, whose refusals name the side."""
    try:
        return pairwise(vectors, distance, order, threads, control)
    except (ConstantFeatures, ZeroVector) as error:
        error.field = name
        raise


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    spec, options = compared.spec, compared.options
    names = ["x", "y"] if len(compared.sides) == 2 else [f"spaces[{at}]" for at in range(len(compared.sides))]
    distance: RdmDistance = "euclidean" if spec.metric == "rbf_cka" else spec.rdm_distance
    pairs = _pairs(compared, names, distance, control.part(0.0, 0.2))
    rest = control.part(0.2, 1.0)
    if spec.metric == "rbf_cka":
        return rbf_cka_scores(pairs, names, Bandwidth(spec.bandwidth, spec.bandwidth_factor), options, rest, compared.pairs)
    return rsa_scores(pairs, names, spec.rdm_comparison, options, rest, compared.pairs)


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    return [_matrix(compared, control)[0, 1]]


def _most_items(spec: AlignmentSpec) -> int:
    return KENDALL_SAMPLE_ITEMS if spec.metric == "rsa" and spec.rdm_comparison in KENDALL_TAUS else SAMPLE_ITEMS


def _nbytes(compared: Compared) -> int:
    spaces, threads = len(compared.sides), compared.options.threads
    distances = pairwise_bytes(compared.n, compared.widths, threads)
    if any(side.kernel is not None for side in compared.sides):
        distances += 40 * compared.n**2
    if compared.spec.metric == "rbf_cka":
        return distances + rbf_cka_bytes(compared.n, spaces, threads)
    return distances + rsa_bytes(compared.n, spaces, compared.spec.rdm_comparison, threads)


def _seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    pairs, spaces = 0.5 * n * n, len(widths)
    distances = pairs * sum(widths) * _COMPONENT_SECONDS
    if spec.metric == "rsa" and spec.rdm_comparison in KENDALL_TAUS:
        sorts = pairs * (spec.permutations + GROUPS) * spaces * (spaces - 1) / 2
        return (distances + sorts * _SORT_SECONDS) / limits.threads
    null = pairs * spec.permutations * (spaces - 1) * (1 + 0.15 * spaces) * _PAIR_SECONDS
    jackknife = pairs * GROUPS * spaces * _FORM_SECONDS if spec.interval_kind == "items" else 0.0
    return (distances + null + jackknife) / limits.threads


def _any_kind(_kind: KernelKind, _space: str) -> None:
    """Nothing is refused by its kind."""


def _family(metric: MetricName, kernel_rule: Callable[[KernelKind], str]) -> MetricFamily:
    return MetricFamily(
        metrics=frozenset({metric}),
        reads="vectors",
        least_items=4,
        pair=_pair,
        matrix=_matrix,
        nbytes=_nbytes,
        seconds=_seconds,
        chance_within=frozenset({metric}),
        most_items=_most_items,
        kernel_rule=kernel_rule,
        check_kernel=_any_kind,
    )


RSA = _family("rsa", dissimilarity_rule)

RBF_CKA = _family("rbf_cka", distance_rule)
