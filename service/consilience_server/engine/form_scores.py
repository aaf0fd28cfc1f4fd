"""Scores that are products of two unit matrices, with chance, p-value, calibrated score and interval: RSA (but Kendall) and kernel CKA."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures, ShapeMismatch
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.rdm import items_of
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.pair_forms import PairForm, Part, Source
from consilience_server.engine.permuted_products import permuted_products
from consilience_server.engine.within_chance import matrices_chance

_NULL_SHARE = 0.6
"""Of the progress."""

_FORMS_AT_A_TIME = 4
"""Threads that make forms anew at a time: each holds those of all spaces, and a machine of many threads must not hold them all."""

_ROUNDING = 1e-12
"""A chance below this is the 0 of centred values."""


def form_scores(
    sources: Sequence[Source],
    lowest: float,
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
    notes: Sequence[float | None] = (),
) -> dict[Pair, Score]:
    """Pairs i <= j of M spaces, all unless some are named, under shared permutations; entry (i, i) is 1, without null.

    A random pairing permutes rows and columns of one matrix together (Mantel): norms, means and ranks stay, so that a permutation is one
    gather and one product. `chance` is the exact mean over all pairings. The interval makes every form anew without each group of items:
    with an item all its pairs go.

    Args:
        sources: M over the same n items, in canonical order.
        lowest: the least the score can be.
        options: its `item_order` is that of the items by row; the sources have it already.
        control: asked at every block of a permutation and at every group.
        pairs: those that are wanted.
        notes: of each space, told in its scores as `bandwidth_x` and `bandwidth_y`.

    Raises:
        ShapeMismatch: a source of another number of items than `item_order` has.
        ConstantFeatures: a form is undefined.

    Cost:
        O(M n^2) a permutation and O(M n^2 + M^2 n^2) a group, shared by the threads; memory `form_bytes`.
    """
    n, told = len(options.item_order), notes or [None] * len(sources)
    for source in sources:
        if source.n != n:
            raise ShapeMismatch(f"item_order has {n:,} entries for {source.n:,} items")
    wanted = wanted_pairs(len(sources), pairs)
    apart = [(i, j) for i, j in wanted if i != j]
    forms = []
    for source in sources:
        control.check()
        forms.append(source.form())
    groups = options.pairings().groups
    levels = {(i, j): form_chance(forms[i], forms[j], groups) for i, j in wanted}
    null = _null(forms, apart, options, control.part(0.0, _NULL_SHARE)) if options.permutations and apart else {}
    sizes = group_sizes(n)
    without: Mapping[Pair, NDArray[np.float64]] = {}
    if options.interval_kind == "items":
        without = _without_groups(sources, apart, len(sizes), options, control.part(_NULL_SHARE, 1.0))
    found = {}
    for i, j in wanted:
        score = 1.0 if i == j else forms[i].times(forms[j])
        limits = (score, score)
        if (i, j) in without:
            limits = item_interval(score, score, without[i, j], sizes, options.confidence, lowest, 1.0)
        of_pair = {"bandwidth_x": told[i], "bandwidth_y": told[j]}
        found[i, j] = judged(0, score, levels[i, j], interval_of(limits, options), null.get((i, j)), options, of_pair)
    return found


def form_chance(x: PairForm, y: PairForm, groups: NDArray[np.int64] | None = None) -> float:
    """The mean of the product over all pairings, exactly, or over those within groups (`core/within_groups.py`).

    An entry of the diagonal meets every entry of the other's diagonal alike, and a pair every pair:
    ```
    tr X tr Y / n + (sum of X off its diagonal)(sum of Y off its diagonal) / (n (n-1))
    ```
    Pearson's r and Spearman's rho leave the diagonal out and their pairs sum to 0, so their chance over all pairings is 0.
    """
    n = items_of(len(x.upper))
    if groups is None:
        traces = [float(np.sum(form.diagonal)) for form in (x, y)]
        sums = [2.0 * float(form.upper.sum()) for form in (x, y)]
        level = traces[0] * traces[1] / n + sums[0] * sums[1] / (n * (n - 1))
    else:
        level = matrices_chance(x.square(), y.square(), groups)
    return min(max(level, -1.0), 1.0) if abs(level) > _ROUNDING else 0.0


def form_bytes(n: int, spaces: int, threads: int) -> int:
    """Peak bytes of `form_scores` beyond what its sources hold: forms and their squares, or the forms of a part in each thread."""
    forms = 4 * n * n * spaces
    null = 12 * n * n * spaces + threads * 3 * 8 * (1 << 16) * spaces + 16 * n * n
    jackknife = min(threads, _FORMS_AT_A_TIME) * (4 * n * n * spaces + 26 * n * n)
    return forms + max(null, jackknife, 40 * n * n)


def _null(forms: Sequence[PairForm], pairs: Sequence[Pair], options: ScoreOptions, control: Control) -> Mapping[Pair, NDArray[np.float64]]:
    pairings, found = options.pairings(), {pair: np.empty(options.permutations) for pair in pairs}
    products = permuted_products(lambda i: forms[i].square(), pairings.n, pairs, control)

    def one(index: int) -> dict[Pair, float]:
        return products(pairings.draw(index))

    with ThreadPoolExecutor(max(1, options.threads)) as pool:
        for index, values in enumerate(pool.map(one, range(options.permutations))):
            for pair, product in values.items():
                found[pair][index] = product
            control.progress((index + 1) / options.permutations)
    return found


def _without_groups(
    sources: Sequence[Source], pairs: Sequence[Pair], groups: int, options: ScoreOptions, control: Control
) -> Mapping[Pair, NDArray[np.float64]]:
    """For each pair the (G,) scores without each group, NaN where undefined; canonical position c belongs to group c mod G."""
    found = {pair: np.full(groups, np.nan) for pair in pairs}

    def one(group: int) -> dict[Pair, float]:
        part = Part(np.arange(sources[0].n) % groups != group)
        forms = []
        for source in sources:
            control.check()
            forms.append(_form_or_none(source, part))
        defined = {pair: (forms[pair[0]], forms[pair[1]]) for pair in found}
        return {pair: x.times(y) for pair, (x, y) in defined.items() if x is not None and y is not None}

    with ThreadPoolExecutor(max(1, min(options.threads, _FORMS_AT_A_TIME))) as pool:
        for group, scores in enumerate(pool.map(one, range(groups))):
            for pair, score in scores.items():
                found[pair][group] = score
            control.progress((group + 1) / groups)
    return found


def _form_or_none(source: Source, part: Part) -> PairForm | None:
    try:
        return source.form(part)
    except ConstantFeatures:
        return None
