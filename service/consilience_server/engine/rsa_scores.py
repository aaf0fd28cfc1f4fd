"""RSA with chance, p-value, calibrated score and interval, from dissimilarity matrices."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.rsa import RdmComparison, check_pairs
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions
from consilience_server.engine.form_scores import form_bytes, form_scores
from consilience_server.engine.kendall_scores import KENDALL_TAUS, Tau, kendall_bytes, kendall_scores
from consilience_server.engine.pair_forms import RankSource, Source, ValueSource


def rsa_scores(
    rdms: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    comparison: RdmComparison,
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """Pairs i <= j of M spaces, all unless some are named, under shared permutations. Definitions: `core/rsa.py`.

    Within 1e-10 of them on any number of threads. Entry (i, i) is the space with itself, without null. `chance` is exact: 0, but for
    `cosine`.

    Args:
        rdms: M condensed (n (n-1) / 2,) float64 matrices of the same items in canonical order: `engine/pairwise.py` makes them of vectors
            (`pairwise`) or of given matrices (`reordered`).
        names: of the spaces, for refusals.
        comparison: by name.
        options: how scores are judged.
        control: cancellation and progress.
        pairs: those that are wanted.

    Raises:
        ShapeMismatch, TooFewItems, ConstantFeatures: as in `core/rsa.py`.

    Cost:
        A sort a space, then O(n^2) a permutation; Kendall's tau sorts n^2 / 2 values in each. Memory `rsa_bytes`.
    """
    for rdm in rdms:
        check_pairs(rdms[0], rdm)
    if comparison in KENDALL_TAUS:
        return kendall_scores(cast("Tau", comparison), rdms, names, options, control, pairs)
    sources: list[Source] = [
        RankSource(rdm, name) if comparison == "spearman" else ValueSource(rdm, comparison, name)
        for rdm, name in zip(rdms, names, strict=True)
    ]
    return form_scores(sources, -1.0, options, control, pairs)


def rsa_bytes(n: int, spaces: int, comparison: RdmComparison, threads: int) -> int:
    """Peak bytes of `rsa_scores` beyond the matrices."""
    return kendall_bytes(n, spaces, threads) if comparison in KENDALL_TAUS else 2 * n * n * spaces + form_bytes(n, spaces, threads)
