"""Mutual k-NN over some of the items, asked against the full gallery: chance, p-value, calibrated score and interval."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK
from consilience_server.core.intervals import Limits, query_interval
from consilience_server.core.mutual_knn import chance
from consilience_server.core.score import Score
from consilience_server.core.strata import Strata, stratified_interval
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged
from consilience_server.engine.overlap import KeyedSets, item_overlaps, keyed_sets, overlap_scores, own_scores
from consilience_server.engine.permutation_null import permuted_overlaps
from consilience_server.engine.protocol import NeighbourTable
from consilience_server.engine.query_positions import QueryPairings, query_pairings, query_positions
from consilience_server.engine.within_chance import overlap_chance


def query_scores(
    tables: Sequence[NeighbourTable],
    rows: NDArray[np.int64],
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
    strata: Strata | None = None,
) -> list[dict[Pair, Score]]:
    """For every k the mutual k-NN of all pairs i <= j of M spaces, over the queries: the mean of their overlaps in the full gallery.

    As a mean of a simple random sample of the items it is unbiased for the score over all of them, which a smaller gallery is not. `chance`
    is k / (n - 1) for the gallery of n, the mean over all pairings. The null is of pairings that send queries to queries
    (`core/query_pairings.py`): the same for every pair of these tables, others with other tables, since positions are those of the items
    listed. Within the groups of the options chance and null are those of the pairings that keep these too. The interval
    is of the kind `queries` (`core/intervals.py: query_interval`). Entry (i, i) is the space with itself, without a null.

    Of queries sampled from strata the mean is weighted by the strata's items (`core/strata.py`), the weight of a query being that of the
    item of x under every pairing; so the mean is unbiased again, and the null that of the weighted mean.

    Args:
        tables: one a space, of the same m queries against the same n items, each query kept from finding itself; k_max >= max(ks).
        rows: (m,) the gallery row of each query, 1 <= m < n.
        ks: one or more k.
        options: its `item_order` has one entry a gallery item; its interval kind is not looked at.
        control: cancellation and progress.
        strata: of the queries, in the order of `rows`; None for a simple sample.

    Raises:
        InvalidK: a k that the tables do not have.
        ShapeMismatch: tables, rows or item_order that do not fit.

    Cost:
        O(m k) a permutation, however large the gallery; O(n) once.
    """
    n, deepest = len(options.item_order), min(table.k_max for table in tables)
    for k in ks:
        chance(k, n)
        if k > deepest:
            raise InvalidK(f"k is {k}, but the neighbour tables end at {deepest}", k=k)
    positions = query_positions(tables, rows, options.item_order, max(ks))
    sets = [[table.sets(k) for k in ks] for table in tables]
    spaces = [keyed_sets(of_space, positions.of_row, positions.of_query, positions.count) for of_space in sets]
    control.check()
    by_position = np.argsort(positions.of_query)
    sampled = None if strata is None else Strata(strata.of[by_position], strata.sizes)
    first = spaces if sampled is None else [_weighted(space, sampled) for space in spaces]
    pairings = query_pairings(positions, rows, options)
    null = _null(spaces, first, pairings, options, control)
    own = [own_scores(space) for space in spaces]
    by_k: list[dict[Pair, Score]] = [{} for _ in ks]
    for i, j in combinations(range(len(tables)), 2):
        overlaps, scores = item_overlaps(spaces[i], spaces[j]), overlap_scores(first[i], spaces[j])
        levels = [chance(k, n) for k in ks] if pairings.parts is None else overlap_chance(first[i], spaces[j], *pairings.at_positions())
        for column, k in enumerate(ks):
            score = float(scores[column])
            limits = _limits(score, overlaps[column], n, sampled, options)
            by_k[column][i, j] = judged(
                k,
                score,
                float(levels[column]),
                interval_of(limits, options),
                null[i, j][column] if null else None,
                options,
                {
                    "tie_fraction_x": sets[i][column].tie_fraction,
                    "tie_fraction_y": sets[j][column].tie_fraction,
                    "self_score_x": float(own[i][column]),
                    "self_score_y": float(own[j][column]),
                },
            )
    for i, of_space in enumerate(own):
        for column, k in enumerate(ks):
            score, tied = float(of_space[column]), sets[i][column].tie_fraction
            ties = {"tie_fraction_x": tied, "tie_fraction_y": tied, "self_score_x": score, "self_score_y": score}
            by_k[column][i, i] = judged(k, score, chance(k, n), interval_of((score, score), options), None, options, ties)
    return by_k


def _weighted(space: KeyedSets, strata: Strata) -> KeyedSets:
    """The same edges, those of each query times its weight in the mean."""
    return replace(space, weights=space.weights * strata.weights()[space.rows][:, None])


def _null(
    spaces: Sequence[KeyedSets], first: Sequence[KeyedSets], pairings: QueryPairings, options: ScoreOptions, control: Control
) -> dict[Pair, NDArray[np.float64]]:
    """For i < j the (len(ks), K) scores of random pairings; `first` is what a space is where it is x, weighted or the same."""
    if not options.permutations:
        return {}
    if first is spaces:
        return permuted_overlaps(spaces, options.permutations, pairings, options.threads, control)
    pairs = list(combinations(range(len(spaces)), 2))
    found = {}
    for done, (i, j) in enumerate(pairs):
        part = control.part(done / len(pairs), (done + 1) / len(pairs))
        found[i, j] = permuted_overlaps([first[i], spaces[j]], options.permutations, pairings, options.threads, part)[0, 1]
    return found


def _limits(score: float, overlaps: NDArray[np.float64], n: int, strata: Strata | None, options: ScoreOptions) -> tuple[float, float]:
    """Around the score; the two means add in another order, and without spread the limits are the score itself."""
    if strata is not None:
        low, high = stratified_interval(overlaps, strata, options.confidence, 0.0, 1.0)
        return min(low, score), max(high, score)
    limits = query_interval(overlaps, n, options.confidence, 0.0, 1.0)
    return Limits.of((min(limits[0], score), max(limits[1], score)), limits.basis)


def query_scores_bytes(tables: Sequence[NeighbourTable], ks: Sequence[int], threads: int) -> int:
    """Peak bytes of `query_scores` beyond the tables: an upper estimate, as `neighbour_scores.py: mutual_knn_bytes` has it."""
    m, n = len(tables[0].indices), tables[0].gallery
    beyond = [(table.nbytes - table.indices.nbytes - table.scores.nbytes) // 4 for table in tables]
    kept = sum(m * k + tail for k in ks for tail in beyond)
    permuted = min(m * max(ks) + max(beyond), 1 << 22)
    return 100 * (kept + permuted * (threads + 1)) + 32 * n + (1 << 28)
