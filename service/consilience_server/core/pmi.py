"""Pointwise mutual information of things that occur together: the kernel that contrastive learners converge to, plainly."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument


@dataclass(frozen=True)
class PmiOptions:
    """How counts become PMI.

    Attributes:
        positive: negative values, pairs that never occur among them, count 0 (PPMI; Bullinaria and Levy 2007).
        context_smoothing: exponent in (0, 1] on the contexts' frequencies, 1 is plain; .75 takes weight from rare contexts (Levy et al.
            2015).
        shift: subtracted from each value, before `positive`; log k makes the kernel of skip-gram with k negative samples.
        smoothing: added to each count, those of pairs that never occur included (Laplace).
    """

    positive: bool = True
    context_smoothing: float = 1.0
    shift: float = 0.0
    smoothing: float = 0.0

    @property
    def is_sparse(self) -> bool:
        """Pairs that never occur have the value 0."""
        return self.positive and self.smoothing == 0.0 and self.shift >= 0.0


def check_pmi_options(options: PmiOptions) -> None:
    """InvalidArgument for what is outside its range."""
    if not 0.0 < options.context_smoothing <= 1.0:
        raise InvalidArgument(
            f"context_smoothing is {options.context_smoothing:g}; it must be above 0 and at most 1 (1 smooths nothing)",
            field="header.context_smoothing",
        )
    if not (np.isfinite(options.smoothing) and options.smoothing >= 0.0):
        raise InvalidArgument(f"smoothing is {options.smoothing:g}; it must be 0 or more", field="header.smoothing")
    if not np.isfinite(options.shift):
        raise InvalidArgument(f"shift is {options.shift:g}; it must be finite", field="header.shift")
    if options.positive and options.shift < 0.0:
        raise InvalidArgument(
            f"shift is {options.shift:g}; with positive values it must be 0 or more, or pairs that never occur would count",
            field="header.shift",
        )


def pmi(counts: NDArray[np.floating], options: PmiOptions) -> NDArray[np.float64]:
    """Pointwise mutual information of items and contexts.

    ```
    PMI_ij = log( p(i, j) / (p(i) p_a(j)) ) - shift,   p(i, j) = (C_ij + s) / sum (C + s)
    p(i) = sum_j p(i, j),   p_a(j) = p(j)^a / sum_j' p(j')^a,   a = context_smoothing, s = smoothing
    ```
    and max(., 0) of it where `positive`. With a = 1, s = 0 and shift = 0: log(C_ij T / (r_i c_j)), T the sum of all counts, r and c the
    sums of rows and columns. A contrastive learner's optimum has <f(i), f(j)> = PMI_ij + constant.

    Args:
        counts: (n, m), finite, not negative; for things of one kind square and symmetric.
        options: see PmiOptions.

    Returns:
        (n, m) float64. -inf where a pair never occurs, unless `positive` or smoothed; NaN in a row or column without counts, 0 there where
        `positive`.

    Source:
        Church and Hanks 1990; Levy and Goldberg 2014; Huh et al. 2024, section 4.
    """
    joint = counts.astype(np.float64) + options.smoothing
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    weighted = columns**options.context_smoothing
    with np.errstate(divide="ignore", invalid="ignore"):
        value: NDArray[np.float64] = np.log(joint) - np.log(rows)[:, None] - np.log(weighted / weighted.sum())[None, :] - options.shift
    if options.positive:
        value = np.maximum(np.nan_to_num(value, nan=0.0, neginf=0.0), 0.0)
    return value
