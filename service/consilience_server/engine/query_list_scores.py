"""LCS and edit distance k-NN over some of the items, asked against the full gallery: the queries' lists suffice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK
from consilience_server.core.intervals import Limits, query_interval
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged
from consilience_server.engine.keyed_lists import KeyedPlaces, observed_places, permuted_places, tie_shares
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.list_values import ListMetric, list_totals
from consilience_server.engine.neighbour_jackknife import ranked_lists
from consilience_server.engine.overlap import KeyedSets
from consilience_server.engine.protocol import NeighbourTable
from consilience_server.engine.query_positions import QueryPositions, query_pairings, query_positions

QUERY_LIST_METRICS: frozenset[ListMetric] = frozenset({"lcs_knn", "edit_distance_knn"})
"""What this file scores. `cycle_knn` steps back from the neighbours, whose lists nobody asked for."""


def query_list_scores(
    metric: ListMetric,
    tables: Sequence[NeighbourTable],
    rows: NDArray[np.int64],
    keys: Sequence[NDArray[np.uint64]],
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
) -> list[dict[Pair, Score]]:
    """For every k the metric of all pairs i <= j of M spaces, over the queries; `query_scores.py` says what sampling and null are.

    `chance` is the mean of the random pairings drawn, 99 at the least. Definitions: `core/lcs_knn.py`, `core/edit_distance_knn.py`.

    Args:
        metric: one of `QUERY_LIST_METRICS`.
        tables: one a space, of the same m queries against the same n items, each query kept from finding itself; k_max >= max(ks).
        rows: (m,) the gallery row of each query, 1 <= m < n.
        keys: (n,) tie keys of each space by gallery row, those that its table was made with.
        ks: one or more k.
        options: its `item_order` has one entry a gallery item; its interval kind is not looked at.
        control: cancellation and progress.

    Raises:
        InvalidK: a k that the tables do not have.
        ShapeMismatch: tables, rows or item_order that do not fit.
    """
    n, m, deepest = len(options.item_order), len(rows), min(table.k_max for table in tables)
    for k in ks:
        if not 1 <= k <= deepest:
            raise InvalidK(f"k is {k}, but the neighbour tables serve 1 to {deepest}", k=k)
    depth = max(ks)
    positions = query_positions(tables, rows, options.item_order, depth)
    lists = [_places(table, of_space, positions, depth) for table, of_space in zip(tables, keys, strict=True)]
    shares = [tie_shares(table.scores[:, : depth + 1], depth) for table in tables]
    pairings = query_pairings(positions, rows, options)
    drawn = max(options.permutations, LEAST_PAIRINGS)
    pairs = list(combinations(range(len(tables)), 2))
    scale = m * np.array(ks, dtype=np.float64)[:, None]
    found: list[dict[Pair, Score]] = [{} for _ in ks]
    levels = []
    for done, (i, j) in enumerate(pairs):
        part = control.part(done / len(pairs), (done + 1) / len(pairs))
        common = observed_places(lists[i], lists[j])
        scores = list_totals(metric, common, ks)[:, 0] / scale[:, 0]
        # Every query as a pairing of its own: what each scores alone.
        alone = list_totals(metric, replace(common, pairings=m, pairing=common.item), ks) / np.array(ks, dtype=np.float64)[:, None]
        chunks = permuted_places(lists[i], lists[j], drawn, pairings, options.threads, part)
        null = np.concatenate([list_totals(metric, places, ks) for _, places in chunks], axis=1) / scale
        levels.append(null.mean(axis=1))
        for column, k in enumerate(ks):
            score, limits = float(scores[column]), query_interval(alone[column], n, options.confidence, 0.0, 1.0)
            limits = Limits.of((min(limits[0], score), max(limits[1], score)), limits.basis)
            values = null[column, : options.permutations] if options.permutations else None
            ties = _ties(shares, i, j, k)
            found[column][i, j] = judged(k, score, float(levels[-1][column]), interval_of(limits, options), values, options, ties)
    level = np.mean(levels, axis=0)
    for i in range(len(tables)):
        for column, k in enumerate(ks):
            interval = interval_of((1.0, 1.0), options)
            found[column][i, i] = judged(k, 1.0, float(level[column]), interval, None, options, _ties(shares, i, i, k))
    return found


def query_list_bytes(tables: Sequence[NeighbourTable], ks: Sequence[int], threads: int) -> int:
    """Peak bytes of `query_list_scores` beyond the tables: an upper estimate."""
    edges = len(tables[0].indices) * max(ks)
    beyond = max((table.nbytes - table.indices.nbytes - table.scores.nbytes) // 4 for table in tables)
    return 100 * (len(tables) * edges + beyond + min(edges, 1 << 22) * (threads + 1)) + 32 * tables[0].gallery + (1 << 28)


def _places(table: NeighbourTable, keys: NDArray[np.uint64], positions: QueryPositions, depth: int) -> KeyedPlaces:
    """The edges of the queries' lists down to `depth`, ties decided by key, with the place of each."""
    by_position = np.argsort(positions.of_query)
    ranked = ranked_lists(table, depth, by_position, positions.of_row)
    key_at = np.zeros(positions.count, dtype=np.uint64)
    key_at[positions.of_row] = keys
    edges = np.lexsort((key_at[ranked.columns], ranked.run_first))
    columns = ranked.columns[edges[ranked.starts[:-1][:, None] + np.arange(depth)]].astype(np.int64)
    named = np.arange(len(columns))[:, None] * positions.count + columns
    order = np.argsort(named, axis=None)
    sets = KeyedSets(positions.count, (depth,), named.ravel()[order], np.ones((named.size, 1)), len(columns))
    return KeyedPlaces(sets, order % depth)


def _ties(shares: Sequence[NDArray[np.float64]], x: int, y: int, k: int) -> Mapping[str, float]:
    told = {"tie_fraction_x": float(shares[x][k - 1]), "tie_fraction_y": float(shares[y][k - 1])}
    return {**told, "self_score_x": 1.0, "self_score_y": 1.0}
