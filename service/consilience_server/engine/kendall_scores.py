"""RSA by Kendall's tau with chance, p-value, calibrated score and interval."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.kendall import Concordance, concordance, falling_pairs, tied_pairs
from consilience_server.core.permutation import Pairings
from consilience_server.core.rdm import square, upper_triangle
from consilience_server.core.rsa import codes_of
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.pair_forms import Part

Tau = Literal["kendall_tau_a", "kendall_tau_b"]

KENDALL_TAUS: frozenset[str] = frozenset(get_args(Tau))

_NULL_SHARE = 0.95
"""Of the progress."""


@dataclass(frozen=True)
class Ordered:
    """A condensed dissimilarity matrix by the order of its values.

    Attributes:
        codes: (m,) int32, `core/ranks.py`.
        order: (m,) the pairs of items by rising value.
        tied: how many pairs of the m values are equal.
    """

    codes: NDArray[np.int32]
    order: NDArray[np.int64]
    tied: int

    def compared(self, codes: NDArray[np.int32], tied: int, control: Control) -> Concordance:
        """`concordance` with other codes of which `tied` pairs are equal; no second sort where these values are all different."""
        if self.tied:
            return concordance(self.codes, codes, control)
        pairs = len(codes) * (len(codes) - 1) // 2
        return Concordance(pairs, 0, tied, pairs - tied - 2 * falling_pairs(codes[self.order], control))

    def part(self, part: Part) -> "Ordered":
        """Of some items: the order stays, the others are left out."""
        kept = part.pairs
        places = np.cumsum(kept) - 1
        codes = self.codes[kept]
        return Ordered(codes, places[self.order[kept[self.order]]], tied_pairs(np.bincount(codes)))


def ordered(rdm: NDArray[np.float64], name: str) -> Ordered:
    """Sort one matrix; ConstantFeatures where all values are equal."""
    codes = codes_of(rdm, name)
    return Ordered(codes, np.argsort(codes, kind="stable"), tied_pairs(np.bincount(codes)))


def kendall_scores(
    tau: Tau,
    rdms: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """Pairs i <= j of M spaces, all unless some are named, under shared permutations; entry (i, i) is the space with itself, without null.

    Chance is 0, exactly: a pairing that brings two values of y into one order is as frequent as one that brings them into the other. Within
    groups of items that is not so, and chance is the mean of the random pairings drawn, 99 at the least.

    Args:
        tau: `kendall_tau_a` or `kendall_tau_b`.
        rdms: M condensed matrices of the same n items in canonical order.
        names: of the spaces, for refusals.
        options: `item_order` is not used, the matrices have their order already.
        control: asked at every step of a sort.
        pairs: those that are wanted.

    Raises:
        ConstantFeatures: all dissimilarities of a space are equal.

    Cost:
        A sort of m = n (n-1) / 2 values for every two spaces, permutation and group: about 50 times what the other comparisons take.
        Memory `kendall_bytes`.
    """
    sides = [ordered(rdm, name) for rdm, name in zip(rdms, names, strict=True)]
    own = [_value(tau, side.compared(side.codes, side.tied, control)) for side in sides]
    wanted = wanted_pairs(len(sides), pairs)
    apart, found = [(i, j) for i, j in wanted if i != j], {}
    drawn = options.permutations if options.groups is None else max(options.permutations, LEAST_PAIRINGS)
    with ThreadPoolExecutor(max(1, options.threads)) as pool:
        for i, j in wanted:
            selves = {"self_score_x": own[i], "self_score_y": own[j]}
            if i == j:
                found[i, i] = judged(0, own[i], 0.0, interval_of((own[i], own[i]), options), None, options, selves)
                continue
            done = apart.index((i, j))
            of_pair = control.part(done / len(apart), (done + 1) / len(apart))
            x, y = sides[i], sides[j]
            score = _value(tau, x.compared(y.codes, y.tied, control))
            null = _null(tau, x, y, options.pairings(), drawn, pool, of_pair.part(0.0, _NULL_SHARE))
            level = 0.0 if options.groups is None else float(null.mean())
            limits = (score, score)
            if options.interval_kind == "items":
                sizes = group_sizes(len(options.item_order))
                without = _without_groups(tau, x, y, sizes, pool, of_pair.part(_NULL_SHARE, 1.0))
                limits = item_interval(score, score, without, sizes, options.confidence, -1.0, 1.0)
            judge = null[: options.permutations] if options.permutations else None
            found[i, j] = judged(0, score, level, interval_of(limits, options), judge, options, selves)
    return found


def kendall_bytes(n: int, spaces: int, threads: int) -> int:
    """Peak bytes of `kendall_scores` beyond the matrices: codes and orders, one square, and in each thread the runs of a sort."""
    return 6 * n * n * spaces + 4 * n * n + (threads + 1) * 36 * n * n


def _value(tau: Tau, found: Concordance) -> float:
    return found.tau_a if tau == "kendall_tau_a" else found.tau_b


def _null(
    tau: Tau, x: Ordered, y: Ordered, pairings: Pairings, count: int, pool: ThreadPoolExecutor, control: Control
) -> NDArray[np.float64]:
    """(count,) taus of random pairings: rows and columns of y's matrix are permuted together, its codes stay what they are."""
    matrix = square(y.codes)

    def one(index: int) -> float:
        rho = pairings.draw(index)
        codes = upper_triangle(matrix.take(rho, axis=0).take(rho, axis=1))
        return _value(tau, x.compared(codes, y.tied, control))

    return _collected(pool, one, count, control)


def _without_groups(
    tau: Tau, x: Ordered, y: Ordered, sizes: NDArray[np.int64], pool: ThreadPoolExecutor, control: Control
) -> NDArray[np.float64]:
    """(G,) taus without each group of items, NaN where undefined; canonical position c belongs to group c mod G."""
    groups = np.arange(sizes.sum()) % len(sizes)

    def one(group: int) -> float:
        part = Part(groups != group)
        left, right = x.part(part), y.part(part)
        if len(left.codes) < 2:
            return float("nan")
        return _value(tau, left.compared(right.codes, right.tied, control))

    return _collected(pool, one, len(sizes), control)


def _collected(pool: ThreadPoolExecutor, one: Callable[[int], float], count: int, control: Control) -> NDArray[np.float64]:
    values = np.empty(count)
    for index, value in enumerate(pool.map(one, range(count))):
        values[index] = value
        control.progress((index + 1) / count)
    return values
