"""About how much arithmetic a fit takes, so that a long one is known before it starts."""

from collections.abc import Sequence

from consilience_server.bridges.artefact import MethodName
from consilience_server.bridges.cross_validation import fold_sizes
from consilience_server.bridges.fit import CANONICAL
from consilience_server.bridges.stitching_options import StitchingOptions
from consilience_server.bridges.stitching_training import BATCH
from consilience_server.bridges.tuning import ANCHORS, REGULARISATIONS, halvings
from consilience_server.bridges.unpaired import CENTROIDS as MATCHED_CENTROIDS
from consilience_server.bridges.unpaired import MATCHINGS, REFINED_ROWS, REFINEMENTS, SAMPLE, SHARP_ROWS
from consilience_server.bridges.unpaired_fit import CENTROIDS, MOST

_DECOMPOSITION = 100.0
"""Operations of a dense decomposition of order d, over d^3: about ten, at a tenth of the rate of products."""

_ELEMENTWISE = 30.0
"""Of one similarity that is compared and counted, in operations of a product: it waits for memory."""


def fit_flops(methods: Sequence[MethodName], pairs: int, source_dim: int, target_dim: int, penalties: int) -> float:
    """Floating-point operations of fitting these methods, cross-validation included, at the rate of products.

    Args:
        methods: to be fitted.
        pairs: of the fit.
        source_dim: width of the source.
        target_dim: width of the target.
        penalties: tried for ridge.
    """
    narrow, both = min(source_dim, target_dim), source_dim + target_dim
    folds, queries, gallery = fold_sizes(pairs)

    def scored(widths: Sequence[int]) -> float:
        return folds * queries * gallery * sum(2.0 * width + _ELEMENTWISE for width in widths)

    order = min(pairs, source_dim)
    ridge = 2.0 * pairs * source_dim * (order + target_dim) + _DECOMPOSITION * order**3
    work = 0.0
    if "ridge" in methods or "affine" in methods:
        work += (folds + 1) * ridge + scored([target_dim] * penalties) + 2.0 * folds * queries * penalties * order * target_dim
    if "affine" in methods:
        work += (folds + 1) * (ridge + _DECOMPOSITION * narrow**3) + scored(halvings(narrow))
    if "relative" in methods:
        work += scored(ANCHORS) + 2.0 * folds * (queries + gallery) * both * sum(ANCHORS)
    if CANONICAL.intersection(methods):
        forms = _DECOMPOSITION * (source_dim**3 + target_dim**3 + len(REGULARISATIONS) * narrow**2 * max(source_dim, target_dim))
        work += (folds + 3) * (4.0 * pairs * both**2 + forms)
        work += len(REGULARISATIONS) * (scored([*halvings(narrow), *halvings(narrow), narrow]) + 4.0 * folds * gallery * both * narrow)
    if "procrustes" in methods or "scaled_procrustes" in methods:
        work += 4.0 * pairs * source_dim * target_dim + 2 * _DECOMPOSITION * narrow**2 * max(source_dim, target_dim)
    return work


def unpaired_flops(items: int, target_items: int, source_dim: int, target_dim: int) -> float:
    """Of a fit without pairs that takes all its rounds, likewise.

    Args:
        items: of the source.
        target_items: of the target.
        source_dim: width of the source.
        target_dim: width of the target.
    """
    half, target_half = (min(count, MOST) // 2 for count in (items, target_items))
    both, score = source_dim + target_dim, 2.0 * target_dim + _ELEMENTWISE
    clusters = 2.0 * MATCHINGS * 30 * MATCHED_CENTROIDS * min(half, target_half, SAMPLE) * both
    relative = min(half, SAMPLE) * min(target_half, SAMPLE) * (2.0 * MATCHINGS * MATCHED_CENTROIDS + _ELEMENTWISE)
    refined = REFINEMENTS * REFINED_ROWS * min(target_half, SAMPLE) * score
    sharp = 8 * min(half, SHARP_ROWS) * min(target_half, 2 * SAMPLE) * score
    return 2 * len(CENTROIDS) * (clusters + relative + refined + sharp + 2 * MATCHINGS * 40 * _DECOMPOSITION * 1000)


def stitching_flops(options: StitchingOptions, pairs: int, source_dim: int, target_dim: int, penalties: int) -> float:
    """Of a stitching layer that trains for all its epochs, the ridge regression that it starts from included, likewise.

    Args:
        options: of the layer.
        pairs: of the fit.
        source_dim: width of the source.
        target_dim: width of the target.
        penalties: tried for ridge.
    """
    hidden = options.width(source_dim, target_dim)
    # Forward, and twice that back; similarities within a batch, of two kinds at most.
    row = 6.0 * (source_dim * target_dim + hidden * (source_dim + target_dim)) + 12.0 * min(pairs, BATCH) * target_dim
    judged = min(pairs, 1000) * min(pairs, 4000) * (2.0 * target_dim + _ELEMENTWISE)
    return options.max_epochs * (pairs * row + judged) + fit_flops(["ridge"], pairs, source_dim, target_dim, penalties)


def stitching_bytes(options: StitchingOptions, pairs: int, source_dim: int, target_dim: int) -> int:
    """Peak of training: pairs in float32 twice, parameters with gradients, moments and copies, activations of a batch, one validation."""
    hidden = options.width(source_dim, target_dim)
    parameters = (source_dim + 1) * target_dim + hidden * (source_dim + target_dim + 1)
    batch = min(pairs, BATCH) * (8 * min(pairs, BATCH) + 12 * (source_dim + target_dim + hidden))
    return 8 * pairs * (source_dim + target_dim) + 60 * parameters + 4 * batch + 12 * min(pairs, 1000) * min(pairs, 4000)
