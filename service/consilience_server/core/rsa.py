"""Representational similarity analysis: how alike two dissimilarity matrices of the same items are. The definition, plainly."""

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.kendall import concordance
from consilience_server.core.ranks import SAME, average_ranks, dense_codes
from consilience_server.core.rdm import RdmDistance, items_of, rdm

RdmComparison = Literal["spearman", "pearson", "kendall_tau_b", "kendall_tau_a", "cosine"]
"""How `rsa` compares two matrices."""

RDM_COMPARISONS: frozenset[RdmComparison] = frozenset(get_args(RdmComparison))

PROPERTIES = {
    "range": (-1.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "positive_scale"),
}
"""What the property tests hold the default to, Spearman's rho of correlation distances: these see neither the scale nor the shift of a row,
but they see a rotation of the components, and a shift common to all items."""

LEAST_ITEMS = 4
"""Three items have three pairs: any two matrices of them can be ordered in six ways alone."""


def rsa(
    x: NDArray[np.floating], y: NDArray[np.floating], distance: RdmDistance = "correlation", comparison: RdmComparison = "spearman"
) -> float:
    """Compare the pairwise dissimilarities of two spaces.

    In [-1, 1], for `cosine` in [0, 1], larger is more alike; 1 for a space with itself, but `kendall_tau_a` below 1 where dissimilarities
    are tied.

    Args:
        x: (n, d_x), finite, n >= 4.
        y: (n, d_y), row i the same item.
        distance: between two items (`core/rdm.py`).
        comparison: of the two matrices, see `compare_rdms`.

    Raises:
        ShapeMismatch, TooFewItems, ConstantFeatures, ZeroVector: as in `compare_rdms` and `core/rdm.py`.

    Cost:
        O(n^2 (d + log n)) time, O(n^2) memory.

    Source:
        Kriegeskorte et al. 2008 (Frontiers in Systems Neuroscience 2:4).
    """
    return compare_rdms(rdm(x, distance), rdm(y, distance), comparison)


def compare_rdms(u: NDArray[np.float64], v: NDArray[np.float64], comparison: RdmComparison) -> float:
    """Compare two condensed dissimilarity matrices of the same items; every comparison is over the m pairs of items.

    ```
    spearman       Pearson's r of the ranks, ties averaged
    pearson        Pearson's r
    kendall_tau_b  (concordant - discordant) / sqrt(pairs untied in u * pairs untied in v), a pair being two of the m values
    kendall_tau_a  (concordant - discordant) / all m (m-1) / 2 of them
    cosine         <u, v> / (|u| |v|)
    ```
    Values that differ by rounding alone are tied (`core/ranks.py`).

    Args:
        u: (m,), m = n (n-1) / 2, n >= 4.
        v: (m,).
        comparison: by name.

    Raises:
        ShapeMismatch: different numbers of pairs.
        TooFewItems: n < 4.
        ConstantFeatures: all dissimilarities of a side are equal (zero, for `cosine`), so the comparison is undefined.
    """
    check_pairs(u, v)
    if comparison in ("kendall_tau_a", "kendall_tau_b"):
        x, y = (codes_of(side, name) for side, name in ((u, "x"), (v, "y")))
        found = concordance(x, y)
        return found.tau_a if comparison == "kendall_tau_a" else found.tau_b
    left, right = (unit_pairs(side, comparison, name) for side, name in ((u, "x"), (v, "y")))
    return min(max(float(left @ right), -1.0), 1.0)


def check_pairs(u: NDArray[np.float64], v: NDArray[np.float64]) -> None:
    """Refuse what has no comparison: ShapeMismatch, TooFewItems."""
    if len(u) != len(v):
        raise ShapeMismatch(f"x has {items_of(len(u)):,} items and y {items_of(len(v)):,}; item i of both must be the same", field="y")
    n = items_of(len(u))
    if n < LEAST_ITEMS:
        raise TooFewItems(f"RSA needs {LEAST_ITEMS} items or more, there are {n}; add items", n=n, least=LEAST_ITEMS)


def unit_pairs(values: NDArray[np.float64], comparison: RdmComparison, name: str) -> NDArray[np.float64]:
    """(m,) of unit length, so that a comparison is a dot product: the centred ranks, the centred values, or the values themselves."""
    if comparison == "cosine":
        return _unit(values / (np.abs(values).max() or 1.0), name)
    if comparison == "spearman":
        return unit_ranks(codes_of(values, name))
    offsets = values - values[0]
    if float(np.ptp(offsets)) <= SAME * float(np.abs(values).max()):
        raise _equally_far(name)
    return _unit(offsets - offsets.mean(), name)


def unit_ranks(codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """(m,) the average ranks of codes, centred, of unit length; NaN where all codes are equal."""
    ranks = average_ranks(codes)
    ranks -= 0.5 * (len(ranks) - 1)
    length = math.sqrt(float(ranks @ ranks))
    return ranks / length if length else np.full(len(ranks), np.nan)


def codes_of(values: NDArray[np.float64], name: str) -> NDArray[np.int32]:
    """`dense_codes`; ConstantFeatures where there is only one."""
    codes = dense_codes(values)
    if not codes.any():
        raise _equally_far(name)
    return codes


def _equally_far(name: str) -> ConstantFeatures:
    return ConstantFeatures(
        f"all pairs of items are equally far apart in {name}, so RSA is undefined; use a space that tells near from far", field=name
    )


def _unit(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    length = math.sqrt(float(values @ values))
    if not length:
        raise ConstantFeatures(f"all items are the same in {name}, so RSA is undefined; use a space that tells items apart", field=name)
    return values / length
