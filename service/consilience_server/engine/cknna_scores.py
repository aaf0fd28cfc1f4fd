"""CKNNA with chance, p-value, calibrated score and interval, from neighbour tables: sparse, no n x n matrix."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cknna import LEAST_ITEMS, SMALLEST, CknnaMetric, check_count, check_own
from consilience_server.core.control import Control
from consilience_server.core.errors import ShapeMismatch, TooFewItems
from consilience_server.core.intervals import group_sizes, item_interval, list_depth
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.cknna_terms import Edges, terms
from consilience_server.engine.kernel_means import KernelMeans
from consilience_server.engine.keyed_lists import KeyedLists, decided_lists, gone_before
from consilience_server.engine.list_scores import LEAST_PAIRINGS, list_bytes, tie_fields
from consilience_server.engine.overlap import shared_edges
from consilience_server.engine.permutation_null import permuted_shared_edges
from consilience_server.engine.protocol import NeighbourTable

CKNNA_METRICS: frozenset[CknnaMetric] = frozenset(get_args(CknnaMetric))
"""What this file scores."""


def cknna_scores(
    metric: CknnaMetric,
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    means: Sequence[KernelMeans] | None,
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
) -> list[Score]:
    """CKNNA of two spaces for every k, from one self-join table each. Definitions: `core/cknna.py`; relative error below 1e-10.

    `chance` has no closed form: it is the mean over the random pairings drawn, 99 at the least. A score above 1 is possible and is
    calibrated as 1, what a space scores with itself.

    Args:
        metric: which version; `cknna` is not quite symmetric.
        tables: two, over the same n items in the same order, whose scores are cosines or inner products; best `table_depth(...)`.
        keys: (n,) tie keys of each space, those that its table was made with.
        means: of each space's kernel, for `cknna_paper`; with as many groups as `group_sizes(n)`.
        ks: one or more k.
        options: its `item_order` has one entry an item.
        control: cancellation and progress.

    Raises:
        InvalidK, ShapeMismatch: as `list_scores`; ShapeMismatch also without the means that the metric needs.
        TooFewItems, ConstantFeatures: the metric is undefined.

    Cost:
        O(n k) a permutation; the interval O(G n depth).
    """
    return [scores[0, 1] for scores in _scores(metric, tables, keys, means, ks, options, control)]


def cknna_matrix(
    metric: CknnaMetric,
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    means: Sequence[KernelMeans] | None,
    k: int,
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """The same for the pairs i <= j of M spaces, for all unless some are named, under shared permutations.

    For `cknna`, which is not symmetric, (j, i) too. Entry (i, j) is `cknna_scores(metric, [tables[i], tables[j]], ...)`. Entry (i, i) is 1,
    without a null; its chance is that of the space with itself.
    """
    return _scores(metric, tables, keys, means, [k], options, control, pairs)[0]


def cknna_bytes(tables: Sequence[NeighbourTable], ks: Sequence[int], threads: int) -> int:
    """Peak bytes of `cknna_scores` and `cknna_matrix` beyond the tables: twice the lists, whose edges have values and ways back as well."""
    return 2 * list_bytes(tables, ks, threads)


@dataclass(frozen=True)
class _Side:
    """One space: its decided lists, its similarities there, and the means of its kernel where the metric takes them away."""

    lists: KeyedLists
    similarities: NDArray[np.float64]
    means: KernelMeans | None

    @cached_property
    def items(self) -> NDArray[np.int64]:
        """(m,) the item of each edge, by ascending key."""
        return self.lists.forward.edges.rows

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """(m,) the similarity of each edge, by ascending key."""
        return self.similarities[self.items, self.lists.forward.places]

    @cached_property
    def edges(self) -> Edges:
        """All edges of the lists."""
        forward = self.lists.forward.edges
        return Edges.of(forward.n, 1, np.zeros(len(forward.keys), dtype=np.int64), forward.rows, forward.columns)

    def centred(self, without: int = -1) -> NDArray[np.float64]:
        """`values`, less the mean of their row over the items that are left."""
        return self.values if self.means is None else self.values - self.means.mean(without)[self.items]

    def first(self, places: int) -> "_Side":
        """The same with lists down to fewer places."""
        return _Side(self.lists.first(places), self.similarities[:, :places], self.means)


def _scores(
    metric: CknnaMetric,
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    means: Sequence[KernelMeans] | None,
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> list[dict[Pair, Score]]:
    """For every k the wanted pairs."""
    lists = decided_lists(tables, keys, ks, options)
    check_count(lists[0].n)
    if options.interval_kind == "items" and lists[0].n <= LEAST_ITEMS:
        raise TooFewItems(
            f"only {lists[0].n} items: without one of them CKNNA is undefined, so an interval over items needs {LEAST_ITEMS + 1}; "
            "add items, or ask interval_kind='queries'",
            n=lists[0].n,
            least=LEAST_ITEMS + 1,
        )
    order = canonical_order(options.item_order)
    if metric == "cknna_paper" and (means is None or len(means) != len(tables)):
        raise ShapeMismatch("cknna_paper needs the means of each space's kernel; compute them with kernel_means")
    of_space = means if means is not None and metric == "cknna_paper" else [None] * len(tables)
    sides = [_Side(of, table.scores[order, : of.depth], mean) for of, table, mean in zip(lists, tables, of_space, strict=True)]
    by_k: list[dict[Pair, Score]] = [{} for _ in ks]
    wanted = wanted_pairs(len(sides), pairs)
    for done, (i, j) in enumerate(wanted):
        control.check()
        part = control.part(done / len(wanted), (done + 1) / len(wanted))
        if i == j:
            for column, k in enumerate(ks):
                side = sides[i].first(k)
                level = float(_null(metric, side, side, replace(options, permutations=0), part)[0].mean())
                own = interval_of((1.0, 1.0), options)
                by_k[column][i, i] = judged(k, 1.0, level, own, None, options, tie_fields(lists, i, i, k, 1.0, 1.0))
            continue
        names = ("x", "y") if len(sides) == 2 else (f"space {i + 1}", f"space {j + 1}")
        values, without = _observed(metric, sides[i], sides[j], names, ks, options, control)
        for column, k in enumerate(ks):
            null = _null(metric, sides[i].first(k), sides[j].first(k), options, part)
            for direction, (x, y) in enumerate(((i, j), (j, i)) if metric == "cknna" else ((i, j),)):
                score, drawn = float(values[direction, column]), null[direction]
                limits = (score, score)
                if options.interval_kind == "items":
                    limits = item_interval(
                        score, score, without[direction, column], group_sizes(lists[0].n), options.confidence, *_span(metric)
                    )
                level = float(drawn.mean())
                ties = tie_fields(lists, x, y, k, 1.0, 1.0)
                against = drawn[: options.permutations] if options.permutations else None
                by_k[column][x, y] = judged(k, score, level, interval_of(limits, options), against, options, ties)
    return by_k


def _span(metric: CknnaMetric) -> tuple[float, float]:
    return (-1.0, 1.0) if metric == "cknna_paper" else (-np.inf, np.inf)


def _observed(
    metric: CknnaMetric, x: _Side, y: _Side, names: tuple[str, str], ks: Sequence[int], options: ScoreOptions, control: Control
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores (2, len(ks)) of both directions, and without each group (2, len(ks), G), NaN where undefined; G is 0 for `queries`."""
    n = x.lists.n
    groups = len(group_sizes(n)) if options.interval_kind == "items" else 0
    at_x, at_y = shared_edges(x.lists.forward.edges.keys, y.lists.forward.edges.keys)
    common = Edges.of(n, 1, np.zeros_like(at_x), x.edges.item[at_x], x.edges.other[at_x])

    def without(group: int) -> NDArray[np.float64]:
        """(2, len(ks)); group -1 leaves nothing out, and refuses where the score is undefined."""
        control.check()
        sides = [(side, side.centred(group), _places(side, group, groups)) for side in (x, y)]
        left = n if group < 0 else n - int(group_sizes(n)[group])
        found = np.full((2, len(ks)), np.nan)
        if left < 4:
            return found
        for column, k in enumerate(ks):
            reach = list_depth(k, n)
            kept = [(places < k) & (side.lists.forward.places < reach) for side, _, places in sides]
            own = []
            for name, (side, values, _), of_side in zip(names, sides, kept, strict=True):
                term = float(terms(metric, side.edges, values, values, of_side, left)[0][0])
                squares = float(np.add.reduce(np.where(of_side, side.values * side.values, 0.0)))
                if group < 0:
                    check_own(metric, name, term, squares, left)
                own.append(term if term > SMALLEST * squares / (left * (left - 3) if metric == "cknna" else 1) else np.nan)
            a, b = sides[0][1][at_x], sides[1][1][at_y]
            cross = terms(metric, common, a, b, kept[0][at_x] & kept[1][at_y], left)
            found[:, column] = [float(value[0]) / (np.sqrt(own[0]) * np.sqrt(own[1])) for value in cross]
        return found

    with ThreadPoolExecutor(max(1, options.threads)) as pool:
        results = np.stack(list(pool.map(without, range(-1, groups))), axis=2)
    return results[:, :, 0], results[:, :, 1:]


def _places(side: _Side, group: int, groups: int) -> NDArray[np.int64]:
    """(m,) the place of each edge once a group is deleted; beyond every list where one of its ends is."""
    places = side.lists.forward.places
    if group < 0:
        return places
    gone = gone_before(side.lists.columns, group, groups)[side.items, places]
    deleted = (side.items % groups == group) | (side.edges.other % groups == group)
    return np.where(deleted, side.lists.n, places - gone)


def _null(metric: CknnaMetric, x: _Side, y: _Side, options: ScoreOptions, control: Control) -> NDArray[np.float64]:
    """(2, K) scores of random pairings in both directions, 99 at the least."""
    pairings = max(options.permutations, LEAST_PAIRINGS)
    n = x.lists.n
    a, b = x.centred(), y.centred()
    own = [float(terms(metric, side.edges, values, values)[0][0]) for side, values in ((x, a), (y, b))]
    parts = []
    chunks = permuted_shared_edges(x.lists.forward.edges, y.lists.forward.edges, pairings, options.pairings(), options.threads, control)
    for chunk, shared in chunks:
        edges = Edges.of(n, len(chunk), shared.pairing, x.edges.item[shared.at_x], x.edges.other[shared.at_x])
        parts.append(np.stack(terms(metric, edges, a[shared.at_x], b[shared.at_y])))
    return np.asarray(np.concatenate(parts, axis=1) / (np.sqrt(own[0]) * np.sqrt(own[1])), dtype=np.float64)
