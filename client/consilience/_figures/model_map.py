"""Spaces as points: the nearer two stand, the further they agree."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import annotate_apart, headline, legend, quiet, sheet, shortened, style_of


def model_map(
    names: Sequence[str],
    coordinates: NDArray[np.float64],
    *,
    title: str,
    note: str = "",
    families: Sequence[str] = (),
) -> Any:
    """The first two coordinates of each space, equal units on both axes.

    Args:
        names: of the M spaces.
        coordinates: (M, D), D >= 1, of a multidimensional scaling.
        title: of the figure.
        note: what the distances are.
        families: (M,) labels that get a colour each.
    """
    places = np.zeros((len(names), 2))
    places[:, : min(2, coordinates.shape[1])] = coordinates[:, :2]
    figure, axes = sheet(5.8, 5.0)
    labels = sorted(set(families)) if families else [""]
    for number, label in enumerate(labels):
        chosen = [at for at in range(len(names)) if not families or families[at] == label]
        colour, marker = style_of(number)
        axes.scatter(places[chosen, 0], places[chosen, 1], s=42, color=colour, marker=marker, label=label or None, zorder=3)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.2)
    quiet(axes, x=note)
    axes.tick_params(labelleft=False, labelbottom=False, length=0)
    if families:
        legend(axes)
    headline(figure, title)
    annotate_apart(figure, axes, [(float(across), float(up)) for across, up in places], shortened(names), 8)
    return figure
