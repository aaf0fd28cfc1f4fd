"""How linear predictivity predicted the columns of a space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LinearFit:
    """How well each column of y is predicted from x, on items that its regression was not fitted on.

    Attributes:
        target_scores: (columns of y,) float64, NaN for constant columns, which count nowhere.
        target_score: `r2` or `pearson`.
        aggregate: what made one score of them, `mean` or `median`.
        folds: of the cross-validation.
        folds_by: the attribute whose groups stood in one fold each; empty where there was none, or where labels were given.
        penalties: those that were chosen from, in units of the mean eigenvalue of the training items' X'X.
        choices: how often each was chosen, over folds and columns that are not constant.
        fold_groups: groups that stood in one fold each; 0 where items were spread over the folds by their hash.
    """

    target_scores: NDArray[np.float64]
    target_score: str
    aggregate: str
    folds: int
    folds_by: str
    penalties: tuple[float, ...]
    choices: tuple[int, ...]
    fold_groups: int = 0
