"""CKNNA in its three versions: similarities of common neighbours."""

from collections.abc import Mapping, Sequence
from typing import cast

from consilience_server.app.metric_families.costs import table_seconds
from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.cknna import CknnaMetric
from consilience_server.core.control import Control
from consilience_server.core.intervals import group_sizes
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.cknna_scores import CKNNA_METRICS, cknna_bytes, cknna_matrix, cknna_scores
from consilience_server.engine.kernel_means import (
    KernelMeans,
    check_kernel,
    check_kernel_space,
    kernel_means,
    kernel_means_bytes,
    matrix_means,
)


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    means = _means(compared)
    return cknna_scores(_metric(compared), compared.tables, compared.keys(), means, compared.spec.ks, compared.options, control)


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    means = _means(compared)
    k, options = compared.spec.ks[0], compared.options
    return cknna_matrix(_metric(compared), compared.tables, compared.keys(), means, k, options, control, compared.pairs)


def _metric(compared: Compared) -> CknnaMetric:
    return cast("CknnaMetric", compared.spec.metric)


def _means(compared: Compared) -> list[KernelMeans] | None:
    """What `cknna_paper` takes away from similarities; None for the other versions."""
    if compared.spec.metric != "cknna_paper":
        return None
    order, groups = canonical_order(compared.options.item_order), len(group_sizes(compared.n))
    return [
        kernel_means(side.vectors, side.similarity, order, groups) if side.kernel is None else matrix_means(side.vectors, order, groups)
        for side in compared.sides
    ]


def _nbytes(compared: Compared) -> int:
    scratch = cknna_bytes(compared.tables, compared.spec.ks, compared.options.threads)
    if compared.spec.metric != "cknna_paper":
        return scratch
    groups = len(group_sizes(compared.n))
    return scratch + sum(kernel_means_bytes(compared.n, width, groups) for width in compared.widths)


CKNNA = MetricFamily(
    metrics=frozenset(CKNNA_METRICS),
    reads="tables",
    least_items=4,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=table_seconds,
    check=check_kernel,
    check_kernel=check_kernel_space,
    chance_within=frozenset(CKNNA_METRICS),
)
