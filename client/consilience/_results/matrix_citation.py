"""A methods sentence of an alignment of many spaces: every parameter that it takes to repeat the numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results import sources
from consilience._results.base import number
from consilience._results.citation import chosen, computed, distances, intervals, listed, metric_source, regression, side


@dataclass(frozen=True)
class PairTests:
    """What the tests of all pairs found.

    Attributes:
        apart: (M, M) bool, the pairs that were tested.
        adjusted, q_values: how many are at or below alpha by adjusted p and by q; None where there are none.
    """

    apart: NDArray[np.bool_]
    adjusted: int | None
    q_values: int | None

    @property
    def count(self) -> int:
        """Pairs tested."""
        return int(np.count_nonzero(self.apart))


def cite_matrix(matrix: Any, tests: PairTests) -> str:
    """The sentences of an `AlignmentMatrix` (which imports this file, so that its type cannot stand here)."""
    parts = [_measured(matrix), _scores(matrix, tests), _null(matrix, tests), computed(matrix.engine)]
    return " ".join(part for part in parts if part)


def _measured(matrix: Any) -> str:
    source = metric_source(matrix.metric)
    spaces = listed([side(use, "") for use in matrix.versions])
    form = f" with k = {matrix.k:,}" if matrix.k else form_of_many(matrix)
    tail = left_out(matrix)
    # Which of the spaces are kernels, that no preprocessing touches, their versions tell.
    read = "the spaces as stored" if matrix.preprocess == "none" else sources.PREPROCESSING.get(matrix.preprocess, matrix.preprocess)
    rules = [f"{side(use, '')} as {rule}" for use, rule in zip(matrix.versions, matrix.kernel_rules, strict=False) if rule]
    entries = f"; entries of the stored matri{'x' if len(rules) == 1 else 'ces'} of {listed(rules)}" if rules else ""
    return f"The alignment of each two of {spaces} was measured by {source}{form} over the {_items(matrix)}{tail}, from {read}{entries}."


def _items(matrix: Any) -> str:
    """What the scores are over, and what was asked of it."""
    common = f"{_span(matrix.gallery)} items common to {'all' if matrix.items == 'common' else 'each pair'}"
    if np.array_equal(matrix.n, matrix.gallery):
        return common
    return f"{_span(matrix.n)} queries {chosen(matrix)} among the {common}"


def left_out(matrix: Any) -> str:
    """Which of the common items were not compared."""
    notes = []
    if matrix.sampled_items is not None:
        notes.append(f"a sample of {matrix.sampled_items.common:,} by a hash of their ids")
    if matrix.group_by:
        notes.append(f"items of equal {matrix.group_by} compared as one thing, {matrix.groups:,} of them")
    if matrix.deduplicate:
        notes.append(f"{matrix.duplicates:,} near-duplicates, of cosine {matrix.deduplicate:g} or more, were left out")
    return f" ({'; '.join(notes)})" if notes else ""


def form_of_many(matrix: Any) -> str:
    """What a metric without neighbours was told, the same for all pairs of spaces."""
    if matrix.components:
        return f" of the {matrix.components:,} strongest components"
    if matrix.folds:
        kept = f", groups of {matrix.folds_by!r} in one fold each" if matrix.folds_by else ""
        return regression(matrix, kept)
    return distances(matrix)


def _scores(matrix: Any, tests: PairTests) -> str:
    scores, chance = (
        f"{number(values.min())} to {number(values.max())}" for values in (matrix.scores[tests.apart], matrix.chance[tests.apart])
    )
    return f"The scores of {tests.count:,} pairs ranged from {scores}, their chance levels from {chance} ({intervals(matrix)})."


def _null(matrix: Any, tests: PairTests) -> str:
    if tests.q_values is None:
        return ""
    shared = ", the same of every pair" if matrix.items == "common" else ""
    within = f" {matrix.within}" if matrix.within else ""
    found = []
    if tests.adjusted is not None:
        found.append(f"{tests.adjusted:,} at p <= {matrix.alpha:g} adjusted for all pairs at once ({sources.MAX_T})")
    found.append(f"{tests.q_values:,} at q <= {matrix.alpha:g} ({sources.FALSE_DISCOVERY_RATE})")
    return (
        f"Significance was assessed against {matrix.permutations:,} random pairings of the items{within}{shared} "
        f"(seed {matrix.seed}; permutation test with the observed pairing counted, {sources.PERMUTATION_TEST}): of {tests.count:,} pairs "
        f"{' and '.join(found)}. Scores were calibrated at alpha = {matrix.alpha:g} ({sources.CALIBRATION})."
    )


def _span(counts: NDArray[np.int64]) -> str:
    """The counts off the diagonal: one number, or from the least to the most."""
    apart = counts[~np.eye(len(counts), dtype=bool)]
    low, high = int(apart.min()), int(apart.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
