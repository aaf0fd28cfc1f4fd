"""What a pair of two collections scores: its similarity, or that against how near both items are to their nearest on the other side.

With s the similarity of (a, b), r_T(a) the mean similarity of a to its k nearest targets and r_S(b) that of b to its k nearest sources:

- `none`: s.
- `csls`: 2 s - r_S(b) - r_T(a) (`csls.py`).
- `margin_ratio`: s / ((r_T(a) + r_S(b)) / 2), `margin_distance`: s - (r_T(a) + r_S(b)) / 2 (`margin.py`).

The score of a pair is the same from either side, to the bit: what pairs that were found from both sides are put in order by.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.margin import ratio

PairCorrection = Literal["none", "csls", "margin_ratio", "margin_distance"]
PAIR_CORRECTIONS: tuple[PairCorrection, ...] = get_args(PairCorrection)

DEFAULT_NEIGHBOURHOODS = {"none": 0, "csls": 10, "margin_ratio": 4, "margin_distance": 4}
"""The k of the sources: MUSE for CSLS, LASER for the margins."""


def pair_scores(
    correction: PairCorrection,
    similarities: NDArray[np.float64],
    r_target: NDArray[np.float64],
    r_source: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The scores of p pairs, (p,) float64.

    Args:
        correction: which.
        similarities: (p,) of the pairs.
        r_target: (p,) r_T of their sources; not read without a correction.
        r_source: (p,) r_S of their targets; likewise.
    """
    if correction == "none":
        return similarities
    if correction == "margin_ratio":
        return ratio(similarities, r_target, r_source)
    if correction == "margin_distance":
        return np.asarray(similarities - (r_target + r_source) / 2.0)
    return np.asarray(2.0 * similarities - r_source - r_target)
