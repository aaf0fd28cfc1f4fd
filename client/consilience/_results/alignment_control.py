"""Controls beside an alignment: what spaces without understanding score in the place of one side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_at_k import AlignmentAtK, Interval
from consilience._results.alignment_text import span
from consilience._results.base import number, probability
from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class Difference:
    """How much higher the first of two scores of the same items is.

    Attributes:
        value: the first less the second.
        interval: where the difference would fall again, paired over the items; None where that is not known.
        p_value: two-sided, of no difference; None where it is not known, and where the difference has no spread.
    """

    value: float
    interval: Interval | None = None
    p_value: float | None = None

    def __str__(self) -> str:
        sign = "+" if self.value > 0 else ""
        return f"{sign}{number(self.value)}" + (f" {span(self.interval)}" if self.interval else "")


@dataclass(frozen=True, eq=False)
class Control:
    """A control's scores with the side that stayed, over the same items as the alignment.

    Score, chance, excess, p_value, calibrated, interval and difference are those of the first k asked.

    Attributes:
        space: the version used.
        in_place_of: `x` or `y`: the side whose place it takes.
        by_k: `AlignmentAtK` by k.
        differences: by k, how much higher the alignment scores than the control.
        dropped: items of the control that the alignment has not.
        layer_scores, best_layers, layer_selection, layer_p_values, layer_calibrated, maximum, maximum_layers, layers_n, selection_n,
            x_layers, y_layers: as in `AlignmentReport`, where a side of the alignment or of a control has layers: of the control in the
            place of its side, chosen by the same rule.
    """

    space: SpaceUse
    in_place_of: str
    by_k: Mapping[int, AlignmentAtK]
    differences: Mapping[int, Difference]
    dropped: int = 0
    layer_scores: NDArray[np.float64] | None = None
    best_layers: tuple[int, int] | None = None
    layer_selection: str = ""
    layer_p_values: NDArray[np.float64] | None = None
    layer_calibrated: NDArray[np.float64] | None = None
    maximum: AlignmentAtK | None = None
    maximum_layers: tuple[int, int] | None = None
    layers_n: int = 0
    selection_n: int = 0
    x_layers: tuple[SpaceUse, ...] = ()
    y_layers: tuple[SpaceUse, ...] = ()

    @property
    def headline(self) -> AlignmentAtK:
        """The score of the first k asked."""
        return next(iter(self.by_k.values()))

    @property
    def score(self) -> float:
        """The metric's value."""
        return self.headline.score

    @property
    def chance(self) -> float:
        """What unrelated spaces would score."""
        return self.headline.chance

    @property
    def excess(self) -> float:
        """(score - chance) / (1 - chance)."""
        return self.headline.excess

    @property
    def p_value(self) -> float | None:
        """Share of permutations that score as high, the observed one counted; None without permutations."""
        return self.headline.p_value

    @property
    def calibrated(self) -> float | None:
        """The score above the permutation threshold, rescaled; None without permutations."""
        return self.headline.calibrated

    @property
    def interval(self) -> Interval:
        """Where the control's score would fall again."""
        return self.headline.interval

    @property
    def difference(self) -> Difference:
        """How much higher the alignment scores."""
        return next(iter(self.differences.values()))

    def text(self, name: str, permutations: int) -> str:
        """One line: the control's score, and how much higher the alignment's is."""
        top = self.headline
        called = f"control {name} for {self.in_place_of}"
        if self.layer_selection == "max" and self.layer_scores is not None and self.layer_scores.size > 1:
            called = f"{called}, max of {self.layer_scores.size:,},"
        parts = [f"{called} = {number(top.score)} {span(top.interval)}", f"difference {self.difference}"]
        if top.p_value is not None:
            parts.append(probability(top.p_value, permutations))
        if self.layer_scores is not None and self.layer_scores.size > 1 and self.best_layers is not None:
            parts.append(f"layers {self.best_layers[0]} and {self.best_layers[1]}")
        return " · ".join(parts)
