"""Pairs of near-duplicates, from a table of cosines."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.near_duplicates import ROUNDING
from consilience_server.engine.protocol import NeighbourTable

DEPTH = 16
"""Nearest items looked at for each. Of more mutual near-duplicates than these each sees only its nearest: chains of them still join into
one cluster, and equal ones always do, for all see the same first rows."""


def duplicate_pairs(table: NeighbourTable, threshold: float) -> NDArray[np.int64]:
    """(m, 2) the pairs of a self-join table whose cosine is `threshold` or more, up to rounding."""
    rows, places = np.nonzero(table.scores >= threshold - ROUNDING)
    return np.stack([rows, table.indices[rows, places].astype(np.int64)], axis=1)
