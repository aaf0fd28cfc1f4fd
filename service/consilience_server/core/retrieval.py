"""How well the true partner of each query is found: exact ranks, recall@k with its interval."""

import math
from collections.abc import Callable

import numpy as np
import scipy.special
from numpy.typing import NDArray

from consilience_server.core.exact_score import exact_norms, exact_pair_scores
from consilience_server.core.similarity import Similarity

_QUERY_ROWS = 512
_GALLERY_ROWS = 4096


def partner_ranks(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    partners: NDArray[np.int64],
    check: Callable[[], None] = lambda: None,
) -> NDArray[np.int64]:
    """The place of each query's partner among all gallery items by exact cosine, (m,) int64; 1 is best.

    rank = 1 + the items with a greater score + the items with the same score in a lower row (the order of the engine). A float64 product
    proposes; an item whose score lies within the rounding bound of the partner's is compared by the exact score.

    Args:
        queries: (m, d) float32, no zero rows.
        gallery: (n, d) float32, no zero rows.
        partners: (m,) int64, the gallery row of each query's partner.
        check: called once a tile; raises to stop.
    """
    ranks = np.ones(len(queries), dtype=np.int64)
    tolerance = (queries.shape[1] + 16) * 2.0**-52
    lengths, gallery_lengths = exact_norms(queries), exact_norms(gallery)
    for first in range(0, len(queries), _QUERY_ROWS):
        asked = np.arange(first, min(first + _QUERY_ROWS, len(queries)))
        own = partners[asked]
        target = _cosines(queries, gallery, asked, own, lengths, gallery_lengths)
        wide = queries[asked].astype(np.float64)
        for start in range(0, len(gallery), _GALLERY_ROWS):
            check()
            block = slice(start, start + _GALLERY_ROWS)
            scores = (wide @ gallery[block].astype(np.float64).T) / (lengths[asked, None] * gallery_lengths[block])
            margin = scores - target[:, None]
            ranks[asked] += (margin > tolerance).sum(axis=1)
            query, item = np.nonzero(np.abs(margin) <= tolerance)
            rows = item + start
            exact = _cosines(queries, gallery, asked[query], rows, lengths, gallery_lengths)
            ahead = (exact > target[query]) | ((exact == target[query]) & (rows < own[query]))
            ranks[asked] += np.bincount(query[ahead], minlength=len(asked))
    return ranks


def nearest_partners(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    groups: NDArray[np.int64],
    gallery_groups: NDArray[np.int64],
    check: Callable[[], None] = lambda: None,
) -> NDArray[np.int64]:
    """Where a query has several partners, the gallery row of the nearest: of the items of its group that of the greatest exact cosine.

    Equal scores go to the lowest row, so `partner_ranks` of the answer is the best rank of any partner, and no partner stands before it.

    Args:
        queries: (m, d) float32, no zero rows.
        gallery: (n, d) float32, no zero rows.
        groups: (m,) int64; a query's partners are all gallery items of its group, at least one.
        gallery_groups: (n,) int64.
        check: called once a tile; raises to stop.

    Returns:
        (m,) int64.
    """
    tolerance = 2.0 * (queries.shape[1] + 16) * 2.0**-52  # of two products
    lengths, gallery_lengths = exact_norms(queries), exact_norms(gallery)
    by_group, by_gallery = np.argsort(groups, kind="stable"), np.argsort(gallery_groups, kind="stable")
    numbers = np.unique(groups)
    own, of_gallery = groups[by_group], gallery_groups[by_gallery]
    bounds = [np.searchsorted(side, numbers, side=end) for side in (own, of_gallery) for end in ("left", "right")]
    proposed: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for first, last, start, end in zip(*bounds, strict=True):
        for tile in _tiles(by_gallery[start:end], _GALLERY_ROWS):
            for asked in _tiles(by_group[first:last], _QUERY_ROWS):
                check()
                scores = queries[asked].astype(np.float64) @ gallery[tile].astype(np.float64).T
                scores /= lengths[asked, None] * gallery_lengths[tile]
                query, item = np.nonzero(scores >= scores.max(axis=1, keepdims=True) - tolerance)
                proposed.append((asked[query], tile[item]))
    query, rows = (np.concatenate(side) for side in zip(*proposed, strict=True))
    exact = _cosines(queries, gallery, query, rows, lengths, gallery_lengths)
    order = np.lexsort((rows, -exact, query))
    nearest: NDArray[np.int64] = rows[order][np.unique(query[order], return_index=True)[1]]
    return nearest


def _tiles(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _cosines(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    query_rows: NDArray[np.int64],
    gallery_rows: NDArray[np.int64],
    query_norms: NDArray[np.float64],
    gallery_norms: NDArray[np.float64],
) -> NDArray[np.float64]:
    return exact_pair_scores(
        queries, gallery, Similarity.COSINE, query_rows, gallery_rows, query_norms=query_norms, gallery_norms=gallery_norms
    )


def recall_at_k(ranks: NDArray[np.int64], k: int) -> float:
    """Share of queries whose partner is among the first k, in [0, 1]; larger is better."""
    return float((ranks <= k).mean())


def wilson_interval(successes: float, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a proportion that stays inside [0, 1] and holds for few trials and for 0 or all successes.

    With p = successes / trials and z the normal quantile: (p + z²/2n ± z sqrt(p (1 - p)/n + z²/4n²)) / (1 + z²/n).

    Args:
        successes: 0 <= successes <= trials. Of trials that succeed in part, their sum: the interval is then conservative, as no spread of
            numbers in [0, 1] is greater than that of 0 and 1 with the same mean.
        trials: at least 1.
        confidence: coverage, in (0, 1).

    Source: Wilson, JASA 22 (1927).
    """
    z = float(scipy.special.ndtri(0.5 + confidence / 2.0))
    share = successes / trials
    centre = share + z * z / (2.0 * trials)
    half = z * math.sqrt(share * (1.0 - share) / trials + z * z / (4.0 * trials * trials))
    scale = 1.0 + z * z / trials
    # At either end one bound is the end itself, which rounding may miss.
    low = 0.0 if successes == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if successes == trials else min(1.0, (centre + half) / scale)
    return low, high
