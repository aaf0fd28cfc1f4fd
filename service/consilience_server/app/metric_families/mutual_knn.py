"""`mutual_knn`: overlaps of neighbour sets."""

from collections.abc import Mapping, Sequence

from consilience_server.app.metric_families.costs import table_seconds
from consilience_server.app.metric_families.family import Compared, MetricFamily, any_kernel
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.group_scores import group_matrix, group_scores, group_scores_bytes
from consilience_server.engine.neighbour_scores import mutual_knn_bytes, mutual_knn_matrix, mutual_knn_scores
from consilience_server.engine.query_scores import query_scores, query_scores_bytes


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    if compared.same is not None:
        return group_scores(compared.tables, compared.keys(), compared.same, compared.spec.ks, compared.options, control)
    if compared.queries is not None:
        found = query_scores(compared.tables, compared.queries, compared.spec.ks, compared.options, control, compared.strata)
        return [of_k[0, 1] for of_k in found]
    x, y = compared.tables
    return mutual_knn_scores(x, y, compared.spec.ks, compared.options, control)


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    if compared.same is not None:
        k, options = compared.spec.ks[0], compared.options
        return group_matrix(compared.tables, compared.keys(), compared.same, k, options, control, compared.pairs)
    if compared.queries is not None:
        return query_scores(compared.tables, compared.queries, compared.spec.ks[:1], compared.options, control, compared.strata)[0]
    return mutual_knn_matrix(compared.tables, compared.spec.ks[0], compared.options, control, compared.pairs)


def _nbytes(compared: Compared) -> int:
    if compared.same is not None:
        return group_scores_bytes(compared.n, compared.tables[0].k_max, compared.options.threads)
    if compared.queries is not None:
        return query_scores_bytes(compared.tables, compared.spec.ks, compared.options.threads)
    return mutual_knn_bytes(compared.tables, compared.spec.ks, compared.options.threads)


MUTUAL_KNN = MetricFamily(
    metrics=frozenset({"mutual_knn"}),
    reads="tables",
    least_items=2,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=table_seconds,
    samples_queries=frozenset({"mutual_knn"}),
    chance_within=frozenset({"mutual_knn"}),
    check_kernel=any_kernel,
)
