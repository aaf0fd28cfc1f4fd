"""How linear predictivity predicted the columns of a space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience._results.noise_ceiling import Reliability
from consilience.errors import InvalidArgumentError


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

    def normalised(self, reliability: Reliability | NDArray[np.floating]) -> NDArray[np.float64]:
        """Scores as a share of what is possible: r / sqrt(reliability), or R2 / reliability; their median is usually told (`np.nanmedian`).

        Args:
            reliability: of the columns of y, from `client.reliability` of the recordings whose mean y is.

        Returns:
            (columns,) float64, NaN where the column is constant or its reliability not above 0. Noise carries some above 1.

        Raises:
            InvalidArgumentError: another number of columns.
        """
        ceilings = np.asarray(getattr(reliability, "reliability", reliability), dtype=np.float64)
        if ceilings.shape != self.target_scores.shape:
            raise InvalidArgumentError(
                f"reliability has {ceilings.size:,} columns, the fit {self.target_scores.size:,}; give that of the same columns",
                reason="SHAPE_MISMATCH",
                field="reliability",
            )
        known = np.where(ceilings > 0, ceilings, np.nan)
        shares: NDArray[np.float64] = self.target_scores / (np.sqrt(known) if self.target_score == "pearson" else known)
        return shares
