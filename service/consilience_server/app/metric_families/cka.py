"""Linear CKA, biased and unbiased: inner products of vectors."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.cka_scores import cka_bytes, cka_matrix, cka_score

# Of one step of a permutation on one thread, the slowest of what was measured on two Zen 3 cores at n = 1,500 to 20,000: a product of
# features, and an entry of the Gram matrices (the cheaper form is computed).
_PRODUCT_SECONDS = 1.3e-10
_GRAM_SECONDS = 2.4e-9


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    x, y = (side.vectors for side in compared.sides)
    return [cka_score(x, y, compared.spec.metric == "unbiased_cka", compared.options, control)]


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    vectors = [side.vectors for side in compared.sides]
    return cka_matrix(vectors, compared.spec.metric == "unbiased_cka", compared.options, control, compared.pairs)


def _nbytes(compared: Compared) -> int:
    return cka_bytes(compared.n, compared.widths, compared.pairs, compared.options.interval_kind)


def _seconds(n: int, widths: Sequence[int], spec: AlignmentSpec, limits: AlignmentLimits) -> float:
    work = sum(2.0 * n * a * b for a in widths for b in widths)
    step = sum(min(n * a * b * _PRODUCT_SECONDS, n * n * _GRAM_SECONDS) for a, b in combinations(widths, 2))
    return work / limits.flops_per_second + step * spec.permutations / limits.threads


CKA = MetricFamily(
    metrics=frozenset({"cka", "unbiased_cka"}),
    reads="vectors",
    least_items=4,
    pair=_pair,
    matrix=_matrix,
    nbytes=_nbytes,
    seconds=_seconds,
    chance_within=frozenset({"cka", "unbiased_cka"}),
)
