"""Fitting one bridge on known pairs, for each method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.artefact import MethodName
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.ridge_penalty import choose_penalty
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.stitching_fit import fit_stitching
from consilience_server.bridges.stitching_options import StitchingReport
from consilience_server.bridges.training_host import TrainingPlan, check_can_train
from consilience_server.bridges.tuning import CanonicalMethod, Tuning, choose_anchors, choose_canonical, choose_rank
from consilience_server.core.canonical import canonical
from consilience_server.core.centring import centred, unit_mean
from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.procrustes import procrustes
from consilience_server.core.reduced_rank import rank_path
from consilience_server.core.relative import relative_maps
from consilience_server.core.ridge import RidgePath, ridge_path
from consilience_server.core.scaled_procrustes import scaled_procrustes
from consilience_server.core.whitened import whitened_maps

_Array = NDArray[np.float64]

_FLOORS: dict[MethodName, int] = {"identity": 0, "mean_shift": 2, "stitching_layer": 50}
_LEARNED_FLOOR = 10

BASELINES: frozenset[MethodName] = frozenset({"identity", "mean_shift"})
"""Methods without a matrix of their own, reported beside every fit; by name only for spaces of one width."""

CANONICAL: frozenset[MethodName] = frozenset({"whitened", "cca", "csa"})


def needed_pairs(method: MethodName, source_dim: int, target_dim: int) -> int:
    """Pairs that a fit needs at the least; a floor, not advice.

    Learned maps begin to beat chance at tens of pairs. The canonical methods whiten both sides: with fewer pairs than the narrower space
    has dimensions, every direction correlates perfectly whatever the pairs. A stitching layer sets some of
    them apart to choose its epoch.
    """
    if method in CANONICAL:
        return max(_LEARNED_FLOOR, min(source_dim, target_dim))
    return _FLOORS.get(method, _LEARNED_FLOOR)


def fit_map(
    method: MethodName, x: NDArray[np.float32], y: NDArray[np.float32], penalties: Sequence[float], control: Control
) -> tuple[SpaceMap, Tuning]:
    """Fit one method that has a closed form; returns the map and what was chosen for it. See `Fits`."""
    return Fits(x, y, penalties, control).fit(method)


@dataclass(frozen=True)
class _Form:
    """Weights of one side or both, between centred rows."""

    weights: _Array
    target_weights: _Array | None = None
    correlations: _Array | None = None


class Fits:
    """All methods on the same pairs; what several need is computed once.

    identity: nothing is fitted, raw directions are compared: W = I, both means 0. mean_shift: W = I between the centred sides. Of unequal
    widths, W = I drops the last dimensions or fills them with zeros. The others are closed forms of `core/` on the centred rows
    c(x; mean_x), c(y; mean_y); what they leave open is chosen by retrieval among folds (`bridges/ridge_penalty.py`, `bridges/tuning.py`),
    then all pairs are fitted again.

    Args:
        x: (n, d_x) float32 source rows of the fit, not zero, in random order; n >= needed_pairs(...).
        y: (n, d_y) float32 target rows, row i the partner of row i of x.
        penalties: candidates for ridge and affine, at least one.
        control: cancellation.
        groups: (n,) int64, equal for pairs that no fold may tear apart; None: every pair stands alone.
        plan: of stitching layers; None where none are trained.

    Attributes:
        stitching: how the stitching layer was trained, once there is one.
    """

    stitching: StitchingReport | None = None

    def __init__(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        penalties: Sequence[float],
        control: Control,
        groups: NDArray[np.int64] | None = None,
        plan: TrainingPlan | None = None,
    ) -> None:
        self._x, self._y = x, y
        self._penalties = penalties
        self._control = control
        self._groups = groups
        self._plan = plan

    def fit(self, method: MethodName, control: Control | None = None) -> tuple[SpaceMap, Tuning]:
        """One method's map and what was chosen for it; `control` is told the progress of one that is trained.

        Raises:
            ConstantFeatures: all rows of a side point one way.
            NotServed: a stitching layer where none can be trained.
        """
        if method == "identity":
            widths = self._x.shape[1], self._y.shape[1]
            return BridgeMap(np.eye(*widths), np.zeros(widths[0]), np.zeros(widths[1])), Tuning()
        source_mean, target_mean = self._means
        if method == "stitching_layer":
            check_can_train(None if self._plan is None else self._plan.host)
            assert self._plan is not None  # checked above
            told = control or self._control.silent()
            layer, self.stitching, penalty = fit_stitching(*self._rows, self._means, self._penalties, self._plan, told)
            return layer, Tuning(penalty)
        form, tuning = self._forms[method]()
        return BridgeMap(form.weights, source_mean, target_mean, form.target_weights, form.correlations), tuning

    @cached_property
    def _means(self) -> tuple[_Array, _Array]:
        return unit_mean(self._x), unit_mean(self._y)

    @cached_property
    def _rows(self) -> tuple[_Array, _Array]:
        sides = centred(self._x, self._means[0]), centred(self._y, self._means[1])
        for side, directions in zip(("source", "target"), sides, strict=True):
            if not directions.any():
                raise ConstantFeatures(
                    f"all {len(self._x):,} pairs of the fit point the same way in the {side} space; nothing can be learned from them",
                    field=side,
                )
        self._control.check()
        return sides

    @cached_property
    def _penalty(self) -> float:
        return choose_penalty(*self._rows, self._penalties, self._control, self._groups)

    @cached_property
    def _ridge_path(self) -> RidgePath:
        return ridge_path(*self._rows)

    @cached_property
    def _tunings(self) -> dict[CanonicalMethod, Tuning]:
        return choose_canonical(*self._rows, self._control, self._groups)

    @property
    def _forms(self) -> dict[MethodName, Callable[[], tuple[_Form, Tuning]]]:
        return {
            "mean_shift": lambda: (_Form(np.eye(self._rows[0].shape[1], self._rows[1].shape[1])), Tuning()),
            "procrustes": lambda: (_Form(procrustes(*self._rows)), Tuning()),
            "scaled_procrustes": lambda: (_Form(scaled_procrustes(*self._rows)), Tuning()),
            "ridge": lambda: (_Form(self._ridge_path.weights(self._penalty)), Tuning(self._penalty)),
            "affine": self._affine,
            "relative": self._relative,
            "whitened": self._whitened,
            "cca": self._cca,
            "csa": self._csa,
        }

    def _affine(self) -> tuple[_Form, Tuning]:
        rank = choose_rank(*self._rows, self._penalty, self._control, self._groups)
        return _Form(rank_path(self._ridge_path, self._penalty).of_rank(rank)), Tuning(self._penalty, rank)

    def _relative(self) -> tuple[_Form, Tuning]:
        anchors = choose_anchors(*self._rows, self._control, self._groups)
        return _Form(*relative_maps(*self._rows, anchors)), Tuning(components=anchors)

    def _whitened(self) -> tuple[_Form, Tuning]:
        tuning = self._tunings["whitened"]
        return _Form(*whitened_maps(canonical(*self._rows, tuning.penalty))), tuning

    def _cca(self) -> tuple[_Form, Tuning]:
        tuning = self._tunings["cca"]
        return _Form(*canonical(*self._rows, tuning.penalty).projections(tuning.components)), tuning

    def _csa(self) -> tuple[_Form, Tuning]:
        tuning = self._tunings["csa"]
        found = canonical(*self._rows, tuning.penalty)
        return _Form(*found.projections(tuning.components), found.correlations[: tuning.components]), tuning
