"""Linear predictivity: how well one space predicts another by cross-validated ridge regression. The definition, plainly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.paired_features import check_paired

PROPERTIES = {
    "range": (-math.inf, 1.0),
    "self_value": None,
    "symmetric": False,
    "invariances": ("item_order", "orthogonal", "positive_scale", "shift"),
}
"""What the property tests hold this metric to, with folds that belong to the items. A penalty keeps a space from predicting itself
fully."""

TargetScore = Literal["r2", "pearson"]
Aggregate = Literal["mean", "median"]

PENALTIES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Penalties that are chosen from where none are asked, in units of the mean eigenvalue of the training items' X'X."""

FOLDS = 5
"""Folds where none are asked."""

RANK_TOLERANCE = 1e-12
"""Eigenvalues below this share of the largest are zero: a Gram matrix knows squared singular values to about 1e-15."""


@dataclass(frozen=True)
class PredictivityOptions:
    """What linear predictivity asks; arguments of `linear_predictivity`. `folds_by` names the attribute whose groups stay in one fold."""

    target_score: TargetScore = "r2"
    aggregate: Aggregate = "mean"
    folds: int = FOLDS
    folds_by: str = ""
    penalties: tuple[float, ...] = PENALTIES


@dataclass(frozen=True)
class LinearFit:
    """How the columns of y were predicted.

    Attributes:
        target_scores: (d_y,) float64, NaN for constant targets, which count nowhere.
        choices: (penalties,) how often each was chosen, over folds and targets that vary.
        asked: what was asked.
        fold_groups: groups that stood in one fold each, 0 where items stood for themselves.
    """

    target_scores: NDArray[np.float64]
    choices: NDArray[np.int64]
    asked: PredictivityOptions
    fold_groups: int = 0


def aggregated(scores: NDArray[np.float64], aggregate: Aggregate) -> float:
    """Of the targets that are not constant; NaN where all are."""
    told = scores[np.isfinite(scores)]
    if not len(told):
        return math.nan
    return float(told.mean() if aggregate == "mean" else np.median(told))


def linear_predictivity(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    folds: NDArray[np.int64],
    penalties: Sequence[float] = PENALTIES,
    target_score: TargetScore = "r2",
    aggregate: Aggregate = "mean",
) -> float:
    """How well ridge regression predicts the columns of y (the targets) from x on items it was not fitted on; x predicts y.

    Every fold in turn is predicted from the others: both sides less their means over the training items,
    ```
    W = (X'X + lambda e I)^-1 X'Y,   e = tr(X'X) / d_x
    ```
    and each target gets the lambda of `penalties` that minimises its generalised cross-validation error on the training items, so that
    nothing of the fold decides it (of equals the last):
    ```
    GCV = |y - X w|^2 / (1 - (1 + tr(X (X'X + lambda e I)^-1 X')) / n)^2
    ```
    All n predictions p of a target are then scored together: `r2` = 1 - |y - p|^2 / |y - mean|^2, negative where the mean predicts better;
    `pearson` = their correlation, 0 where the predictions are constant. Targets that are constant are left out.

    Args:
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item.
        folds: (n,) the fold of each item (`core/folds.py`), two or more.
        penalties: lambda >= 0, one fixes it; 0 is least squares of least norm.
        target_score: of one target.
        aggregate: of the targets' scores.

    Raises:
        ShapeMismatch: different numbers of rows.
        TooFewItems: n < 4.
        ConstantFeatures: all rows of a side are equal.

    Source:
        Hoerl and Kennard 1970 (ridge); Golub, Heath and Wahba 1979 (GCV); Yamins et al. 2014, Schrimpf et al. 2018 (predictivity of neural
        recordings).
    """
    return aggregated(target_scores(x, y, folds, penalties, target_score), aggregate)


def target_scores(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    folds: NDArray[np.int64],
    penalties: Sequence[float] = PENALTIES,
    target_score: TargetScore = "r2",
) -> NDArray[np.float64]:
    """(d_y,) the score of each target, NaN where it is constant. Arguments and errors as `linear_predictivity`."""
    check_paired(x, y, "linear predictivity", 4)
    x, y = x.astype(np.float64), y.astype(np.float64)
    predicted = np.empty_like(y)
    for fold in np.unique(folds):
        fitted, held_out = folds != fold, folds == fold
        mean_x, mean_y = x[fitted].mean(axis=0), y[fitted].mean(axis=0)
        predicted[held_out] = (x[held_out] - mean_x) @ _weights(x[fitted] - mean_x, y[fitted] - mean_y, penalties) + mean_y
    constant = (y == y[:1]).all(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if target_score == "r2":
            scores = 1.0 - ((y - predicted) ** 2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)
        else:
            scores = np.array([_correlation(*columns) for columns in zip(y.T, predicted.T, strict=True)])
    return np.where(constant, np.nan, scores)


def _weights(x: NDArray[np.float64], y: NDArray[np.float64], penalties: Sequence[float]) -> NDArray[np.float64]:
    """(d_x, d_y) each target's ridge weights at its penalty of least GCV error, the last of equals."""
    left, strengths, right = np.linalg.svd(x, full_matrices=False)
    spanned = strengths**2 > RANK_TOLERANCE * strengths[0] ** 2
    left, strengths, right = left[:, spanned], strengths[spanned], right[spanned]
    unit = (strengths**2).sum() / x.shape[1]
    solutions, errors = [], []
    for penalty in penalties:
        weights = right.T @ ((strengths / (strengths**2 + penalty * unit))[:, None] * (left.T @ y))
        freedom = 1.0 + (strengths**2 / (strengths**2 + penalty * unit)).sum()
        residual = ((y - x @ weights) ** 2).sum(axis=0)
        solutions.append(weights)
        # With as many degrees of freedom as items nothing is left to tell an error from.
        errors.append(residual / (1.0 - freedom / len(x)) ** 2 if freedom < len(x) * (1.0 - 1e-9) else np.full(y.shape[1], np.inf))
    best = last_least(np.array(errors))
    return np.stack(solutions)[best, :, np.arange(y.shape[1])].T


def last_least(errors: NDArray[np.float64]) -> NDArray[np.int64]:
    """(q,) for each column of (L, q) errors the last row within 1e-9 of the least: the largest of rising penalties that do equally well.

    Where items span as many directions as there are of them and all are equally strong, GCV is the same for every penalty, and rounding
    must not choose.
    """
    equal = errors <= errors.min(axis=0) * (1.0 + 1e-9)
    last: NDArray[np.int64] = len(errors) - 1 - np.argmax(equal[::-1], axis=0)
    return last


def _correlation(target: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    target, predicted = target - target.mean(), predicted - predicted.mean()
    length = math.sqrt(float(predicted @ predicted) * float(target @ target))
    return float(target @ predicted) / length if length > 0 else 0.0
