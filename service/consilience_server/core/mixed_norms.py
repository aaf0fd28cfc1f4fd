"""Whether some rows of a space were brought to unit length and others not: a trace of two sources in one gallery."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

LEVEL = 1e-3
"""Of the test: spaces of one source are told mixed no more often."""

_UNIT = 1e-6
_WINDOW = 1e-5
_MOST_DENSE = 2.0
_LEAST_ROWS = 10
_LEAST_SHARE = 0.005


@dataclass(frozen=True)
class MixedNorms:
    """`unit_rows` of `rows` have length 1 to rounding, the others another; `p_value` under lengths of one continuous distribution."""

    unit_rows: int
    rows: int
    p_value: float


def mixed_norms(norms: NDArray[np.float64]) -> MixedNorms | None:
    """What the lengths of rows tell; None where nothing speaks for two sources.

    Translated vectors are of unit length (a bridge makes them so), an encoder's own mostly are not. If all lengths come from one density
    that is at most twice as great within 1e-6 of 1 as within 1e-5, those in the wider range are in the narrower with a chance of at most
    .2 each: p = P(Bin(m, .2) >= u) for u of m rows. Told where p is at most .001, and at least ten rows and half a percent are of unit
    length. Rows that are all of unit length say nothing, and neither do lengths that repeat (one-hot rows, counts), which have no density.

    Args:
        norms: (n,) float64 lengths of the rows.
    """
    n = len(norms)
    off = np.abs(norms - 1.0)
    unit_rows = int((off <= _UNIT).sum())
    others = norms[off > _UNIT]
    if unit_rows < max(_LEAST_ROWS, _LEAST_SHARE * n) or len(others) < _LEAST_ROWS or len(np.unique(others)) < len(others) / 2:
        return None
    p_value = float(binom.sf(unit_rows - 1, int((off <= _WINDOW).sum()), _MOST_DENSE * _UNIT / _WINDOW))
    return MixedNorms(unit_rows, n, p_value) if p_value <= LEVEL else None
