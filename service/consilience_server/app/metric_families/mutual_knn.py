"""`mutual_knn`: overlaps of neighbour sets."""

from collections.abc import Mapping, Sequence

from consilience_server.app.metric_families.costs import table_seconds
from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.neighbour_scores import mutual_knn_bytes, mutual_knn_matrix, mutual_knn_scores


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    x, y = compared.tables
    return mutual_knn_scores(x, y, compared.spec.ks, compared.options, control)


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    return mutual_knn_matrix(compared.tables, compared.spec.ks[0], compared.options, control, compared.pairs)


def _nbytes(compared: Compared) -> int:
    return mutual_knn_bytes(compared.tables, compared.spec.ks, compared.options.threads)


MUTUAL_KNN = MetricFamily(
    metrics=frozenset({"mutual_knn"}),
    reads="tables",
    least_items=2,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=table_seconds,
)
