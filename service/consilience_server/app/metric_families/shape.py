"""`cca`, `svcca`, `procrustes`, `angular_shape`: feature matrices up to rotations or linear maps."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import cast

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.shape_features import SHAPE_METRICS, ShapeMetric
from consilience_server.engine.shape_scores import LEAST_ITEMS, shape_bytes, shape_matrix, shape_score

# Of one multiply-add of a matrix product on one thread, and of one of the a b min(a, b) steps that the singular values of an (a, b) matrix
# take; upper estimates for two Zen 3 cores.
_PRODUCT_SECONDS = 1.3e-10
_SINGULAR_SECONDS = 1e-9

_COPY_SECONDS = 1e-8
"""Of an element of a space copied, centred and projected."""

_GROUPS = 32
"""Groups of the jackknife, each of which decomposes small matrices anew."""


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    x, y = (side.vectors for side in compared.sides)
    return [shape_score(_metric(compared), x, y, compared.options, control, compared.spec.components)]


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    vectors = [side.vectors for side in compared.sides]
    return shape_matrix(_metric(compared), vectors, compared.options, control, compared.spec.components, compared.pairs)


def _metric(compared: Compared) -> ShapeMetric:
    return cast("ShapeMetric", compared.spec.metric)


def _nbytes(compared: Compared) -> int:
    return shape_bytes(_metric(compared), compared.n, compared.widths, compared.spec.components, compared.options.threads)


def _seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    narrow = [min(n, width) for width in widths]
    decompositions = sum(6.0 * n * width * small for width, small in zip(widths, narrow, strict=True)) / limits.flops_per_second
    groups = 2.0 * _GROUPS * _SINGULAR_SECONDS * sum(small**3 for small in narrow)
    if spec.metric == "svcca" and spec.interval_kind == "items":
        # It decomposes as many half-samples too; each time the rows that are left are copied, and of halves the products are formed anew.
        copies = 2.0 * _COPY_SECONDS * n * sum(widths)
        products = 0.5 * _PRODUCT_SECONDS * n * sum(width * small for width, small in zip(widths, narrow, strict=True))
        groups = 2.0 * groups + _GROUPS * (copies + products)
    compared = [min(spec.components, small) for small in narrow] if spec.metric == "svcca" else narrow
    step = sum(a * b * (n * _PRODUCT_SECONDS + min(a, b) * _SINGULAR_SECONDS) for a, b in combinations(compared, 2))
    return decompositions + groups + step * max(spec.permutations, LEAST_PAIRINGS) / limits.threads


SHAPE = MetricFamily(
    metrics=frozenset(SHAPE_METRICS),
    reads="vectors",
    least_items=LEAST_ITEMS,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=_seconds,
    chance_within=frozenset(SHAPE_METRICS),
)
