"""What the closed forms leave open, each chosen by retrieval among held-out folds: rank, components, regularisation, anchors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.cross_validation import Groups, Scores, best_options, retrieval_votes
from consilience_server.core.canonical import canonical_path
from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.reduced_rank import rank_path
from consilience_server.core.relative import relative_maps
from consilience_server.core.ridge import ridge_path
from consilience_server.core.whitened import whitened_maps

Array = NDArray[np.float64]
CanonicalMethod = Literal["whitened", "cca", "csa"]
_BY_COMPONENTS: tuple[CanonicalMethod, ...] = ("cca", "csa")

REGULARISATIONS = (1.0, 0.1, 1e-2, 1e-4)
"""Of the covariances, in units of their mean eigenvalue, the strongest first."""

ANCHORS = (50, 100, 200, 400, 800)
"""Numbers of anchors tried; all pairs of the fit where there are fewer than 50."""


@dataclass(frozen=True)
class Tuning:
    """What was chosen: the penalty in units of the mean eigenvalue, the rank, components or anchors; 0 where a method has none."""

    penalty: float = 0.0
    components: int = 0


def halvings(most: int) -> tuple[int, ...]:
    """most, most/2, most/4, ... down to 2, ascending; at least one."""
    sizes = [most]
    while sizes[-1] >= 4:
        sizes.append(sizes[-1] // 2)
    return tuple(reversed(sizes))


def choose_rank(x: Array, y: Array, penalty: float, control: Control, groups: Groups = None) -> int:
    """The rank of `core/reduced_rank.py` at a given penalty, of halvings of the full one; of equals the smallest."""
    ranks = halvings(min(x.shape[1], y.shape[1]))

    def fit(kept_x: Array, kept_y: Array) -> Scores:
        path = rank_path(ridge_path(kept_x, kept_y), penalty)

        def scores(queries: Array, gallery: Array) -> Iterator[Array]:
            # Orthonormal directions: similarities in their coordinates are those in the target space.
            mapped, seen = queries @ (path.weights @ path.directions.T), gallery @ path.directions.T
            for rank in ranks:
                yield unit(mapped[:, :rank]) @ seen[:, :rank].T

        return scores

    return ranks[int(best_options(x, y, len(ranks), fit, control, groups)[0])]


def choose_anchors(x: Array, y: Array, control: Control, groups: Groups = None) -> int:
    """The number of anchors of `core/relative.py`; of equals the smallest."""
    most = len(x) - len(x) // 5
    counts = tuple(count for count in ANCHORS if count <= most) or (most,)

    def fit(kept_x: Array, kept_y: Array) -> Scores:
        def scores(queries: Array, gallery: Array) -> Iterator[Array]:
            for count in counts:
                of_x, of_y = relative_maps(kept_x, kept_y, min(count, len(kept_x)))
                yield unit(queries @ of_x) @ unit(gallery @ of_y).T

        return scores

    return counts[int(best_options(x, y, len(counts), fit, control, groups)[0])]


def choose_canonical(x: Array, y: Array, control: Control, groups: Groups = None) -> dict[CanonicalMethod, Tuning]:
    """Regularisation and components of the canonical methods, which share their decompositions; whitened keeps all components.

    Of equals the strongest regularisation, then the fewest components.
    """
    full = min(x.shape[1], y.shape[1])
    sizes = halvings(full)
    options: list[tuple[CanonicalMethod, Tuning]] = []
    for penalty in REGULARISATIONS:
        options.append(("whitened", Tuning(penalty)))
        options += [(method, Tuning(penalty, size)) for size in sizes for method in _BY_COMPONENTS]

    def fit(kept_x: Array, kept_y: Array) -> Scores:
        forms = canonical_path(kept_x, kept_y, REGULARISATIONS)

        def scores(queries: Array, gallery: Array) -> Iterator[Array]:
            for form in forms:
                control.check()
                of_x, of_y = whitened_maps(form)
                yield unit(queries @ of_x) @ unit(gallery @ of_y).T
                of_x, of_y = form.projections(full)
                left, right = queries @ of_x, gallery @ of_y
                for size in sizes:
                    one, other = unit(left[:, :size]), unit(right[:, :size])
                    yield one @ other.T
                    yield (one * form.correlations[:size]) @ other.T

        return scores

    votes = retrieval_votes(x, y, len(options), fit, control, groups)
    chosen: dict[CanonicalMethod, Tuning] = {}
    for method in get_args(CanonicalMethod):
        of_method = [position for position, (name, _) in enumerate(options) if name == method]
        chosen[method] = options[of_method[int(votes.best(of_method)[0])]][1]
    return chosen
