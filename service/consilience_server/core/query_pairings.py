"""Random pairings for scores of which only some items' lists are known: queries go to queries, other items to other items.

A score of m queries against a gallery of n items needs the lists of the queries alone, in both spaces. Under a pairing that sends queries
to queries the same lists suffice, so its score is exact and nothing is searched again. Such pairings are a group: the permutations of the n
items that keep the set of queries. Where the pairing of the spaces is random, the score is therefore as likely as that of any of them,
and the permutation test is exact (Lehmann and Romano 2005, section 15.2), as long as the queries were not chosen by looking at the spaces.

**Its mean.** Let a share a_X of the edges of x's lists, by weight, lead from queries to queries, a_Y of y's, and p = (m - 1)/(n - 1). An
edge between queries goes to a uniform ordered pair of queries, any other edge to a uniform pair of a query and another item, so the mean of
mutual k-NN over the group is
```
k a_X a_Y / (m - 1) + k (1 - a_X)(1 - a_Y) / (n - m)  =  k/(n - 1) + k (a_X - p)(a_Y - p) (n - 1) / ((m - 1)(n - m))
```
It is k/(n - 1) where either space's queries list each other as often as they list others, and k/(n - 1) on average over all pairings.

**Within groups.** Pairings that keep the set of queries and every item within its group are those that keep every item within the part of
its group that is asked, or that is not: a group again, so that the test stays exact, and its mean is that of `core/within_groups.py` over
these parts (`parted`). A query alone among its group's queries keeps its partner; its neighbours are exchanged all the same.
"""

import math

import numpy as np
from numpy.typing import NDArray


def query_pairing(seed: int, index: int, queries: int, others: int, listed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairing number `index`: a permutation of the queries, and where it sends some of the other items.

    One raw stream of Philox 4x64-10 with the key (seed, index), as in `core/permutation.py`: the queries by their first draws; then every
    further draw names a place among the others, and the j-th place that had not been named before is that of item j. No time is spent on
    items that no list has.

    Args:
        seed: 0 <= seed < 2^64.
        index: 0 <= index < 2^64.
        queries: number m of queries.
        others: number n - m of other items.
        listed: for how many of them a place is drawn, 0 <= listed <= others.

    Returns:
        (m,) int64, a uniform permutation; (listed,) int64, distinct places in [0, others), every choice equally likely to within
        others / 2^64. O(m log m + listed).
    """
    stream = np.random.Philox(key=np.array([seed, index], dtype=np.uint64))
    permuted = np.argsort(stream.random_raw(queries)).astype(np.int64)
    if listed == 0:
        return permuted, np.empty(0, dtype=np.int64)
    if 5 * listed > 4 * others:
        # Most places are taken: the last of them would be drawn for long.
        return permuted, np.argsort(stream.random_raw(others))[:listed].astype(np.int64)
    drawn = np.empty(0, dtype=np.int64)
    # As many as are taken on average until so many places are named, and a few more.
    more = int(1.05 * others * math.log(others / (others - listed))) + 32
    while True:
        named = stream.random_raw(more) % np.uint64(others)
        drawn = np.concatenate([drawn, named.astype(np.int64)])
        first = np.flatnonzero(_is_first(drawn, others))
        if len(first) >= listed:
            return permuted, drawn[first[:listed]]


def _is_first(drawn: NDArray[np.int64], places: int) -> NDArray[np.bool_]:
    """Whether a place had not been drawn before. O(len(drawn)): only what is written is read."""
    at = np.arange(len(drawn))
    earliest = np.empty(places, dtype=np.int64)
    earliest[drawn[::-1]] = at[::-1]
    return np.asarray(earliest[drawn] == at, dtype=np.bool_)


def parted(groups: NDArray[np.int64], queries: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the part of each item: of its group the items that are asked, or the others.

    Args:
        groups: (n,) 0 <= group.
        queries: (m,) rows of the queries.
    """
    parts = 2 * groups
    parts[queries] += 1
    return np.unique(parts, return_inverse=True)[1].astype(np.int64)


def chance_of_pairings(k: int, queries: int, gallery: int, share_x: float, share_y: float) -> float:
    """The mean of mutual k-NN over these pairings, as derived above.

    Args:
        k: neighbours a list.
        queries: number m of queries, 1 <= m < n.
        gallery: number n of items.
        share_x: share a_X of the weight of x's lists that queries have.
        share_y: likewise y's.
    """
    among = k * share_x * share_y / (queries - 1) if queries > 1 else 0.0
    return among + k * (1.0 - share_x) * (1.0 - share_y) / (gallery - queries)
