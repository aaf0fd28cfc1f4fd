"""Cycle k-NN, LCS and edit distance k-NN with chance, p-value, calibrated score and interval, from neighbour tables."""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.cycle_knn import chance as cycle_chance
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.keyed_lists import CommonPlaces, KeyedLists, KeyedPlaces, decided_lists, observed_places, permuted_places
from consilience_server.engine.list_jackknife import list_scores_without_groups
from consilience_server.engine.list_values import ListMetric, list_totals
from consilience_server.engine.neighbour_scores import table_depth
from consilience_server.engine.protocol import NeighbourTable

LIST_METRICS: frozenset[ListMetric] = frozenset(get_args(ListMetric))
"""What this file scores."""

LEAST_PAIRINGS = 99
"""Random pairings that a chance without a formula is the mean of, at the least."""


def list_scores(
    metric: ListMetric,
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
) -> list[Score]:
    """A metric of ordered lists for two spaces and every k, from one self-join table each. Definitions: `core/<metric>.py`.

    `chance` is exact for `cycle_knn`. For LCS and edit distance, and for pairings within groups, which have no closed form, it is the mean
    over the random pairings drawn, 99 at the least: an estimate whose standard error is null_sd over the root of their number.

    Args:
        metric: `cycle_knn` takes its first step in the second space, as its definition says.
        tables: two, over the same n items in the same order, k_max >= max(ks), best `table_depth(...)`.
        keys: (n,) tie keys of each space, those that its table was made with.
        ks: one or more k.
        options: its `item_order` has one entry an item.
        control: cancellation and progress.

    Raises:
        InvalidK: a k that the tables do not have.
        ShapeMismatch: tables, keys or item_order of different sizes.

    Cost:
        O(n k) a permutation, and 100 bytes a neighbour and thread.
    """
    return [scores[0, 1] for scores in _scores(metric, tables, keys, ks, options, control)]


def list_matrix(
    metric: ListMetric,
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    k: int,
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """The same for the pairs i <= j of M spaces, for all unless some are named, under shared permutations.

    For `cycle_knn`, which is not symmetric, (j, i) too. Entry (i, j) is `list_scores(metric, [tables[i], tables[j]], ...)`. Entry (i, i) is
    the space's score with itself, without a null; an estimated chance is that of the space with itself.
    """
    return _scores(metric, tables, keys, [k], options, control, pairs)[0]


def list_bytes(tables: Sequence[NeighbourTable], ks: Sequence[int], threads: int) -> int:
    """Peak bytes of `list_scores` and `list_matrix` beyond the tables: lists with their keys, an index, scratch; an upper estimate."""
    n = tables[0].gallery
    depth = min(table_depth(ks, n, "items"), *(table.k_max for table in tables))
    beyond = max((table.nbytes - table.indices.nbytes - table.scores.nbytes) // 4 for table in tables)
    common = min(n * depth, 1 << 22) * (threads + 1)
    return 100 * (len(tables) * n * depth + beyond + common) + (1 << 26)


def _scores(
    metric: ListMetric,
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> list[dict[Pair, Score]]:
    """For every k the wanted pairs."""
    lists = decided_lists(tables, keys, ks, options)
    control.check()
    wanted = wanted_pairs(len(lists), pairs)
    null = {
        (i, j): _null(
            metric,
            lists[i],
            lists[j],
            ks,
            options if i != j else replace(options, permutations=0),
            control.part(done / len(wanted), (done + 1) / len(wanted)),
        )
        for done, (i, j) in enumerate(wanted)
    }
    by_k: list[dict[Pair, Score]] = [{} for _ in ks]
    own = [_values(metric, _common(metric, side, side), ks)[0, :, 0] for side in lists]
    for i, j in wanted:
        if i == j:
            level = _level(metric, lists[i], null[i, i][0], ks, options)
            for column, k in enumerate(ks):
                score = float(own[i][column])
                ties = tie_fields(lists, i, i, k, score, score)
                by_k[column][i, i] = judged(k, score, level[column], interval_of((score, score), options), None, options, ties)
            continue
        common = _common(metric, lists[i], lists[j])
        intervals = _intervals(metric, lists[i], lists[j], common, ks, options, control)
        for direction, values in enumerate(_values(metric, common, ks)):
            x, y = (i, j) if direction == 0 else (j, i)
            level = _level(metric, lists[x], null[i, j][direction], ks, options)
            for column, k in enumerate(ks):
                score = float(values[column, 0])
                limits = (score, score) if intervals is None else intervals[direction][column]
                drawn = null[i, j][direction, column, : options.permutations] if options.permutations else None
                ties = tie_fields(lists, x, y, k, own[x][column], own[y][column])
                by_k[column][x, y] = judged(k, score, level[column], interval_of(limits, options), drawn, options, ties)
    return by_k


def _common(metric: ListMetric, x: KeyedLists, y: KeyedLists) -> CommonPlaces:
    return observed_places(_looked_up(metric, x), y.forward)


def _looked_up(metric: ListMetric, x: KeyedLists) -> KeyedPlaces:
    """The edges of x among which those of y are looked up: a cycle comes back by an edge towards its item."""
    return x.backward if metric == "cycle_knn" else x.forward


def _values(metric: ListMetric, common: CommonPlaces, ks: Sequence[int]) -> NDArray[np.float64]:
    """(directions, len(ks), pairings) scores; the second direction of `cycle_knn` is that of the spaces exchanged."""
    if metric == "cycle_knn":
        return np.stack([list_totals(metric, common, ks, exchanged=exchanged) for exchanged in (False, True)]) / common.n
    return list_totals(metric, common, ks)[None] / (common.n * np.array(ks, dtype=np.float64)[:, None])


def _null(
    metric: ListMetric, x: KeyedLists, y: KeyedLists, ks: Sequence[int], options: ScoreOptions, control: Control
) -> NDArray[np.float64]:
    """(directions, len(ks), K) scores of random pairings, where a chance is estimated from them at least 99."""
    pairings = options.permutations if _has_formula(metric, options) else max(options.permutations, LEAST_PAIRINGS)
    x, y = x.first(max(ks)), y.first(max(ks))
    parts = [np.empty((2 if metric == "cycle_knn" else 1, len(ks), 0))]
    for _, common in permuted_places(_looked_up(metric, x), y.forward, pairings, options.pairings(), options.threads, control):
        parts.append(_values(metric, common, ks))
    return np.concatenate(parts, axis=2)


def _has_formula(metric: ListMetric, options: ScoreOptions) -> bool:
    """Whether the chance is computed rather than estimated."""
    return metric == "cycle_knn" and options.groups is None


def _level(metric: ListMetric, x: KeyedLists, drawn: NDArray[np.float64], ks: Sequence[int], options: ScoreOptions) -> list[float]:
    """The chance for every k: by formula, else the mean of the random pairings (len(ks), K) that were drawn."""
    if _has_formula(metric, options):
        return [cycle_chance(x.times_listed(k), k) for k in ks]
    return [float(level) for level in drawn.mean(axis=1)]


def _intervals(
    metric: ListMetric,
    x: KeyedLists,
    y: KeyedLists,
    common: CommonPlaces,
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
) -> list[list[tuple[float, float]]] | None:
    """For every direction and k the limits; None where the interval has no width."""
    if options.interval_kind == "queries":
        return None
    sizes = group_sizes(x.n)
    values = list_scores_without_groups(metric, x, y, common, ks, len(sizes), options.threads, control)
    return [
        [item_interval(float(of_k[0]), float(of_k[0]), of_k[1:], sizes, options.confidence, 0.0, 1.0) for of_k in direction]
        for direction in values
    ]


def tie_fields(lists: Sequence[KeyedLists], x: int, y: int, k: int, own_x: float, own_y: float) -> dict[str, float]:
    """The tie fields of `core/score.py: Score` for metrics that decide ties by key."""
    return {
        "tie_fraction_x": float(lists[x].tie_shares[k - 1]),
        "tie_fraction_y": float(lists[y].tie_shares[k - 1]),
        "self_score_x": float(own_x),
        "self_score_y": float(own_y),
    }
