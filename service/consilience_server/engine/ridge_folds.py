"""Cross-validated ridge regression from moments: after one pass over the targets no fit and no prediction touches an item again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.linear_predictivity import RANK_TOLERANCE, TargetScore, last_least

_ROWS = 4096
_TARGETS = 512
"""Targets whose moments are held at a time."""


@dataclass(frozen=True)
class _Fold:
    """What ridge regression on all items but one fold needs of the regressors, in the eigenbasis of the training items' X'X.

    Attributes:
        rows: of the fold, in the order of `RidgeFolds`.
        kept: number of training items.
        total: (r,) sum of the fold's rows.
        mean: (r,) mean of the training rows.
        basis: (r, s) eigenvectors.
        moments: (s, s) Z'Z of the fold's rows Z less the training mean, in the basis.
        sums: (s,) sum of Z.
        inverse: (L, s) 1 / (eigenvalue + penalty).
        explained: (L, s) what p_k^2 takes off a target's training residual, p = basis' X'y.
        room: (L,) the squared share of degrees of freedom left, the divisor of GCV; 0 where none are.
    """

    rows: slice
    kept: int
    total: NDArray[np.float64]
    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    moments: NDArray[np.float64]
    sums: NDArray[np.float64]
    inverse: NDArray[np.float64]
    explained: NDArray[np.float64]
    room: NDArray[np.float64]


@dataclass(frozen=True)
class FoldedScores:
    """Scores of targets, NaN for constant ones, and how often each penalty was chosen, over folds and targets that vary."""

    targets: NDArray[np.float64]
    choices: NDArray[np.int64]


class RidgeFolds:
    """Regressors with their folds, ready to predict any targets; `core/linear_predictivity.py` defines what.

    Let C = X'Y over all items and C_f, t_f the cross-product and the target sums of fold f. The training moments are C less those of the
    fold; a target's squared error and its products with its predictions are quadratic forms in C_f and weights. So targets that are paired
    anew need n r q multiply-adds for the C_f, and O(r^2 q) a fold.

    Args:
        x: (n, d), finite.
        folds: (n,) the fold of each row.
        penalties: as in the definition.
        control: asked before every fold.

    Cost:
        O(n r^2) and one eigendecomposition of order r a fold, r = min(n, d).
    """

    def __init__(self, x: NDArray[np.floating], folds: NDArray[np.int64], penalties: Sequence[float], control: Control) -> None:
        self._order = np.argsort(folds, kind="stable")
        values = x[self._order].astype(np.float64)
        values -= values[0].copy()
        values -= values.mean(axis=0)
        width = values.shape[1]
        if width > len(values):
            (triangle,) = scipy.linalg.qr(values.T, mode="r", overwrite_a=True, check_finite=False)
            values = np.ascontiguousarray(triangle[: len(values)].T)
        self._values = values
        bounds = np.flatnonzero(np.diff(folds[self._order], prepend=folds[self._order[0]] - 1, append=folds[self._order[-1]] + 1))
        gram = values.T @ values
        self._folds = []
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            control.check()
            self._folds.append(_fold(values, gram, slice(start, stop), width, np.asarray(penalties, dtype=np.float64)))
        self._penalties = len(penalties)

    def scores(self, y: NDArray[np.float64], rows: NDArray[np.int64], target_score: TargetScore, control: Control) -> FoldedScores:
        """The score of each target.

        Args:
            y: (n, q) float64, columns of mean 0, those of constant targets exactly 0.
            rows: (n,) which row of y each row of x is paired with.
            target_score: `r2` or `pearson`.
            control: asked for every block of targets and rows.
        """
        scored, choices, paired = np.empty(y.shape[1]), np.zeros(self._penalties, dtype=np.int64), rows[self._order]
        for start in range(0, y.shape[1], _TARGETS):
            block = slice(start, min(start + _TARGETS, y.shape[1]))
            scored[block] = self._block(y[:, block], paired, target_score, choices, control)
        return FoldedScores(scored, choices)

    def _block(
        self, y: NDArray[np.float64], paired: NDArray[np.int64], target_score: TargetScore, choices: NDArray[np.int64], control: Control
    ) -> NDArray[np.float64]:
        moments = [self._moments(y, paired, fold.rows, control) for fold in self._folds]
        whole = np.sum([cross for cross, _, _ in moments], axis=0)
        square = np.sum([own for _, _, own in moments], axis=0)
        # Of predictions p and targets y, summed over all items: p, p^2, p y.
        of_p, of_pp, of_py = np.zeros((3, y.shape[1]))
        for fold, (cross, total, own) in zip(self._folds, moments, strict=True):
            mean_y = -total / fold.kept
            p = fold.basis.T @ (whole - cross - np.outer(fold.total, total / fold.kept))
            best = _least_error(fold, p, np.maximum(square - own - fold.kept * mean_y**2, 0.0))
            choices += np.bincount(best[square > 0.0], minlength=len(choices))
            weights = p * fold.inverse[best].T
            with_targets = fold.basis.T @ (cross - np.outer(fold.mean, total))
            shift, count = fold.sums @ weights, fold.rows.stop - fold.rows.start
            of_p += count * mean_y + shift
            of_pp += count * mean_y**2 + 2.0 * mean_y * shift + np.einsum("ij,ij->j", weights, fold.moments @ weights)
            of_py += total * mean_y + np.einsum("ij,ij->j", weights, with_targets)
        return _scored(target_score, len(y), square, of_p, of_pp, of_py)

    def _moments(
        self, y: NDArray[np.float64], paired: NDArray[np.int64], rows: slice, control: Control
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """X_f'Y_f, the sums and the sums of squares of the targets over one fold, a block of rows at a time."""
        cross = np.zeros((self._values.shape[1], y.shape[1]))
        total, own = np.zeros((2, y.shape[1]))
        for start in range(rows.start, rows.stop, _ROWS):
            control.check()
            part = slice(start, min(start + _ROWS, rows.stop))
            targets = y[paired[part]]
            cross += self._values[part].T @ targets
            total += targets.sum(axis=0)
            own += np.einsum("ij,ij->j", targets, targets)
        return cross, total, own


def _fold(values: NDArray[np.float64], gram: NDArray[np.float64], rows: slice, width: int, penalties: NDArray[np.float64]) -> _Fold:
    held_out = values[rows]
    total, own = held_out.sum(axis=0), held_out.T @ held_out
    kept = len(values) - len(held_out)
    trained = gram - own - np.outer(total, total / kept)
    eigenvalues, basis = scipy.linalg.eigh(trained, check_finite=False)
    spanned = eigenvalues > RANK_TOLERANCE * eigenvalues[-1]
    eigenvalues, basis = eigenvalues[spanned], basis[:, spanned]
    mean = -total / kept
    shifted = own - np.outer(total, mean) - np.outer(mean, total) + len(held_out) * np.outer(mean, mean)
    inverse = 1.0 / (eigenvalues + penalties[:, None] * (eigenvalues.sum() / width))
    share = eigenvalues * inverse
    freedom = 1.0 + share.sum(axis=1)
    room = np.where(freedom < kept * (1.0 - 1e-9), (1.0 - freedom / kept) ** 2, 0.0)
    return _Fold(
        rows=rows,
        kept=kept,
        total=total,
        mean=mean,
        basis=np.ascontiguousarray(basis),
        moments=basis.T @ shifted @ basis,
        sums=basis.T @ (total - len(held_out) * mean),
        inverse=inverse,
        explained=inverse * (2.0 - share),
        room=room,
    )


def _least_error(fold: _Fold, p: NDArray[np.float64], left: NDArray[np.float64]) -> NDArray[np.int64]:
    """(q,) each target's penalty of least GCV error, the last of equals; `left` is its squared length over the training items."""
    if len(fold.room) == 1:
        return np.zeros(p.shape[1], dtype=np.int64)
    residuals = np.maximum(left - fold.explained @ (p * p), 0.0)
    errors = np.full(residuals.shape, np.inf)
    np.divide(residuals, fold.room[:, None], out=errors, where=fold.room[:, None] > 0.0)
    return last_least(errors)


def _scored(
    target_score: TargetScore,
    n: int,
    square: NDArray[np.float64],
    of_p: NDArray[np.float64],
    of_pp: NDArray[np.float64],
    of_py: NDArray[np.float64],
) -> NDArray[np.float64]:
    scores = np.full(len(square), np.nan)
    varied = square > 0.0
    if target_score == "r2":
        np.divide(2.0 * of_py - of_pp, square, out=scores, where=varied)
        return scores
    spread = np.maximum(of_pp - of_p * of_p / n, 0.0)
    scores[varied] = 0.0
    np.divide(of_py, np.sqrt(spread * square), out=scores, where=varied & (spread > 0.0))
    clipped: NDArray[np.float64] = np.clip(scores, -1.0, 1.0)
    return clipped
