"""`cycle_knn`, `lcs_knn`, `edit_distance_knn`: ordered neighbour lists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.costs import table_seconds
from consilience_server.app.metric_families.family import Compared, MetricFamily, any_kernel
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.list_scores import LEAST_PAIRINGS, LIST_METRICS, list_bytes, list_matrix, list_scores
from consilience_server.engine.list_values import ListMetric
from consilience_server.engine.query_list_scores import QUERY_LIST_METRICS, query_list_bytes, query_list_scores


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    of_queries = _of_queries(compared, control)
    if of_queries is not None:
        return [of_k[0, 1] for of_k in of_queries]
    return list_scores(_metric(compared), compared.tables, compared.keys(), compared.spec.ks, compared.options, control)


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    of_queries = _of_queries(compared, control)
    if of_queries is not None:
        return of_queries[0]
    k, options = compared.spec.ks[0], compared.options
    return list_matrix(_metric(compared), compared.tables, compared.keys(), k, options, control, compared.pairs)


def _metric(compared: Compared) -> ListMetric:
    return cast("ListMetric", compared.spec.metric)


def _of_queries(compared: Compared, control: Control) -> list[dict[Pair, Score]] | None:
    """Scores of sampled queries for every k; None where all items are asked."""
    if compared.queries is None:
        return None
    ks, options = compared.spec.ks, compared.options
    return query_list_scores(_metric(compared), compared.tables, compared.queries, compared.keys(), ks, options, control)


def _nbytes(compared: Compared) -> int:
    if compared.queries is not None:
        return query_list_bytes(compared.tables, compared.spec.ks, compared.options.threads)
    return list_bytes(compared.tables, compared.spec.ks, compared.options.threads)


def _seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    """Chance is the mean of random pairings, which are drawn where none are asked too."""
    return table_seconds(n, widths, replace(spec, permutations=max(spec.permutations, LEAST_PAIRINGS)), limits)


ORDERED_LISTS = MetricFamily(
    metrics=frozenset(LIST_METRICS),
    reads="tables",
    least_items=2,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=_seconds,
    samples_queries=frozenset(QUERY_LIST_METRICS),
    chance_within=frozenset(LIST_METRICS),
    check_kernel=any_kernel,
)
