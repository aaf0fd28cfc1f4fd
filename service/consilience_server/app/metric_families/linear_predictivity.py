"""`linear_predictivity`: cross-validated ridge regression from one space to the columns of another."""

from collections.abc import Mapping, Sequence
from itertools import permutations

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.predictivity_scores import LEAST_ITEMS, predictivity_bytes, predictivity_matrix, predictivity_score

# Of one multiply-add of a matrix product on one thread, and of one of the r^3 steps of an eigendecomposition of order r; upper estimates
# for two Zen 3 cores.
_PRODUCT_SECONDS = 1.3e-10
_EIGEN_SECONDS = 1e-9

_GROUPS = 32
"""Groups of the jackknife, for each of which every fold is fitted again."""


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    x, y = (side.vectors for side in compared.sides)
    return [predictivity_score(x, y, compared.spec.predictivity, compared.options, control, compared.fold_groups)]


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    vectors = [side.vectors for side in compared.sides]
    asked = compared.spec.predictivity
    return predictivity_matrix(vectors, asked, compared.options, control, compared.fold_groups, compared.pairs)


def _nbytes(compared: Compared) -> int:
    return predictivity_bytes(compared.n, compared.widths, compared.spec.predictivity.folds, compared.options.threads)


def _seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    folds, narrow = spec.predictivity.folds, [min(n, width) for width in widths]
    directions = list(permutations(range(len(widths)), 2)) if len(widths) > 2 else [(0, 1)]
    product = sum(narrow[i] * widths[j] * (n + 3.0 * folds * narrow[i]) for i, j in directions) * _PRODUCT_SECONDS
    fits = sum(n * small * small * _PRODUCT_SECONDS + folds * small**3 * _EIGEN_SECONDS for small in narrow)
    jackknife = _GROUPS * (fits + product) if spec.interval_kind == "items" else 0.0
    return fits + jackknife + product * max(spec.permutations, LEAST_PAIRINGS) / limits.threads


LINEAR_PREDICTIVITY = MetricFamily(
    metrics=frozenset({"linear_predictivity"}),
    reads="vectors",
    least_items=LEAST_ITEMS,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=_seconds,
    chance_within=frozenset({"linear_predictivity"}),
)
