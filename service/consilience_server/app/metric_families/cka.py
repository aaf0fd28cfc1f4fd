"""Linear CKA, biased and unbiased: inner products of vectors, or kernels as they are given."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.family import Compared, MetricFamily, any_kernel
from consilience_server.core.control import Control
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.cka_scores import cka_bytes, cka_matrix, cka_score
from consilience_server.engine.kernel_cka_scores import gram_of, kernel_cka_bytes, kernel_cka_scores, kernel_of

# Of one step of a permutation on one thread, the slowest of what was measured on two Zen 3 cores at n = 1,500 to 20,000: a product of
# features, and an entry of the Gram matrices (the cheaper form is computed).
_PRODUCT_SECONDS = 1.3e-10
_GRAM_SECONDS = 2.4e-9


def _has_kernel(compared: Compared) -> bool:
    return any(side.kernel is not None for side in compared.sides)


def _of_kernels(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    """Every side as a kernel matrix, as soon as one is given so."""
    order = canonical_order(compared.options.item_order)
    kernels = []
    for side in compared.sides:
        control.check()
        kernels.append(gram_of(side.vectors, order) if side.kernel is None else kernel_of(side.vectors, side.kernel, order))
    names = ["x", "y"] if len(kernels) == 2 else [f"spaces[{at}]" for at in range(len(kernels))]
    return kernel_cka_scores(kernels, names, compared.spec.metric == "unbiased_cka", compared.options, control, compared.pairs)


def _pair(compared: Compared, control: Control) -> Sequence[Score]:
    if _has_kernel(compared):
        return [_of_kernels(compared, control)[0, 1]]
    x, y = (side.vectors for side in compared.sides)
    return [cka_score(x, y, compared.spec.metric == "unbiased_cka", compared.options, control)]


def _matrix(compared: Compared, control: Control) -> Mapping[Pair, Score]:
    if _has_kernel(compared):
        return _of_kernels(compared, control)
    vectors = [side.vectors for side in compared.sides]
    return cka_matrix(vectors, compared.spec.metric == "unbiased_cka", compared.options, control, compared.pairs)


def _nbytes(compared: Compared) -> int:
    if _has_kernel(compared):
        return kernel_cka_bytes(compared.n, compared.widths, compared.options.threads)
    return cka_bytes(compared.n, compared.widths, compared.pairs, compared.options.interval_kind)


def _kernel_rule(kernel: KernelKind) -> str:
    return kernel.kernel_rule


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
    kernel_rule=_kernel_rule,
    check_kernel=any_kernel,
    chance_within=frozenset({"cka", "unbiased_cka"}),
)
