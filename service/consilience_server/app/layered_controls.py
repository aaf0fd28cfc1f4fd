"""Controls beside sides with layers: compared layer by layer, and chosen by the rule that chose the alignment's own pair."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consilience_server.app.alignment_spec import Side
from consilience_server.app.layered_scores import LayeredScores, LayeredSide
from consilience_server.app.reports import ControlReport, LayerComparison
from consilience_server.core.differences import Difference, difference


@dataclass(frozen=True)
class LayeredControl:
    """A control of one layer or more, and the side whose place it takes."""

    side: LayeredSide
    in_place_of: Side

    def among(self, x: LayeredSide, y: LayeredSide) -> tuple[LayeredSide, LayeredSide]:
        """The two sides that are compared."""
        return (self.side, y) if self.in_place_of == "x" else (x, self.side)


def has_choice(x: LayeredSide, y: LayeredSide, controls: Sequence[LayeredControl]) -> bool:
    """Whether any comparison has more than one pair of layers."""
    pairs = [(x, y), *(control.among(x, y) for control in controls)]
    return any(len(left.layers) * len(right.layers) > 1 for left, right in pairs)


def layered_cautions(layers: LayerComparison, controls: Sequence[ControlReport], n: int) -> Iterator[str]:
    """Of an alignment beside controls that have another number of pairs of layers.

    Args:
        layers: of the alignment.
        controls: beside it.
        n: common items.
    """
    count = layers.scores.size
    if count == 1 and layers.selection_n:
        yield (
            f"a control has layers, which it chooses on {layers.selection_n:,} items; all is scored on the other "
            f"{n - layers.selection_n:,}: layer_selection='max' scores all {n:,}"
        )
    if layers.selection != "max":
        return
    for control in controls:
        pairs = 1 if control.layers is None else control.layers.scores.size
        if pairs != count:
            name = control.space.name.removeprefix("spaces/")
            yield (
                f"the alignment is {_maximum_of(count)}, control {name} {_maximum_of(pairs)}: more pairs score higher by chance; "
                "compare under layer_selection='split_half'"
            )


def _maximum_of(pairs: int) -> str:
    return f"a maximum of {pairs:,} pairs" if pairs > 1 else "of one pair"


def layered_control_report(control: LayeredControl, found: LayeredScores, of_pair: LayeredScores, n: int) -> ControlReport:
    """A control's scores beside those of the alignment.

    A control has the alignment's own freedom: on the half that chooses it chooses its best pair, of its own layers and those of the side
    that stayed, and it is scored on the other half; as a maximum it is judged by its own maxima under the same random pairings. A control
    held to the pair that suits the alignment best would look worse than it is.

    On the half that judges, nothing was chosen: the differences are those of two pairs named beforehand, paired over the items. Two maxima
    over the items that they were chosen on have no such interval: each is too high by an amount that grows with its number of pairs, so
    that only the value is told.

    Args:
        control: which.
        found: its comparison.
        of_pair: the alignment's.
        n: common items.
    """
    chosen_there = any(
        scores.layers.selection == "max" and scores.layers.scores.size > 1 and not scores.layers.selection_n for scores in (found, of_pair)
    )
    differences = [difference(first, second) for first, second in zip(of_pair.by_k, found.by_k, strict=True)]
    return ControlReport(
        space=control.side.use,
        in_place_of=control.in_place_of,
        by_k=tuple(found.by_k),
        differences=tuple(Difference(each.value, None) if chosen_there else each for each in differences),
        dropped=max(layer.n for layer in control.side.layers) - n,
        layers=found.layers,
    )
