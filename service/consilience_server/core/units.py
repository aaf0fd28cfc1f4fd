"""Numbers of queries as numbers of what was drawn: where queries come in clusters, a cluster is one draw."""

import numpy as np
from numpy.typing import NDArray


def unit_means(values: NDArray[np.float64], units: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """The mean of the values of each unit, (u,) float64, by ascending unit; the values themselves where every query is a unit.

    Their plain mean counts every unit once, however many queries it has; as units are drawn independently of each other, an interval over
    these means is honest where one over the queries is too narrow.

    Args:
        values: (m,) float64, one a query.
        units: (m,) int64, equal for queries of one unit; None: each is its own.
    """
    if units is None:
        return values
    numbers, counts = np.unique(units, return_inverse=True, return_counts=True)[1:]
    return np.bincount(numbers, weights=values) / counts


def unit_medians(values: NDArray[np.int64], units: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """The median of the values of each unit, (u,) float64; as `unit_means`."""
    if units is None:
        return values.astype(np.float64)
    order = np.lexsort((values, units))
    starts = np.unique(units[order], return_index=True)[1]
    return np.array([np.median(part) for part in np.split(values[order], starts[1:])])
