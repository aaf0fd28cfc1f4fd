"""What a reader of an alignment should be warned of, in plain sentences: what makes a number say less than it seems to."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from consilience_server.app.item_groups import ItemGroups
from consilience_server.core.score import Score

_FEW_ITEMS = 50
_LARGE_SHARE = 0.2
_MOSTLY_TIED = 0.5
_HIGH_CHANCE = 0.5


def report_cautions(
    by_k: Sequence[Score], n: int, permutations: int, alpha: float, groups: ItemGroups | None = None, *, of: int = 0
) -> tuple[str, ...]:
    """Of the alignment of two spaces over n items, a sample where there are more (`of`); empty where nothing is to be said."""
    return (*sample_cautions(n, of), *_few(n, permutations, alpha), *_grouped(groups, permutations), *_lists(by_k, n))


def matrix_cautions(
    by_pair: Sequence[Score], n: NDArray[np.int64], permutations: int, alpha: float, groups: ItemGroups | None = None, *, of: int = 0
) -> tuple[str, ...]:
    """Of all pairs of many spaces: `by_pair` scores of different spaces, `n` (M, M) the items of each pair, `of` those to choose from."""
    found = [*sample_cautions(int(n.min()), of), *_few(int(n.min()), permutations, alpha), *_grouped(groups, permutations)]
    if n.min() != n.max():
        found.append(
            f"the pairs are over {n.min():,} to {n.max():,} items: scores of different n do not compare; "
            "ask the items common to all, or compare calibrated scores with care"
        )
    k = by_pair[0].k if by_pair else 0
    if k > _LARGE_SHARE * (n.min() - 1):
        found.append(_share_text([k], int(n.min())))
    tied = max((max(score.tie_fraction_x, score.tie_fraction_y) for score in by_pair), default=0.0)
    if tied > _MOSTLY_TIED:
        found.append(f"ties decide up to {tied:.0%} of a space's lists: it tells few items apart at this k")
    return tuple(found)


def sample_cautions(n: int, of: int) -> Iterator[str]:
    """Of a score of a sample of n items; nothing where there are no more."""
    if of > n:
        yield (
            f"estimated from {n:,} of {of:,} items, chosen by hash: the interval is that of such a sample, and chance that of {n:,} items; "
            "sample_items asks for more"
        )


def _few(n: int, permutations: int, alpha: float) -> Iterator[str]:
    if n < _FEW_ITEMS:
        yield f"only {n} items: chance is high and the score varies much between samples; read excess, p and interval, not the score"
    if permutations and 1.0 / (permutations + 1) > alpha * (1.0 + 1e-9):
        yield f"{permutations:,} permutations cannot give a p of {alpha:g} or less; ask {_least(alpha):,} or more"


def _grouped(groups: ItemGroups | None, permutations: int) -> Iterator[str]:
    if groups is None:
        return
    n = len(groups.of)
    if groups.fixed:
        yield f"{groups.fixed:,} of {n:,} items are alone in their group and keep their partner in every pairing: they tell p nothing"
    pairings = float(np.exp(np.minimum(gammaln(groups.sizes + 1.0).sum(), 700.0)))
    if pairings < permutations + 1:
        yield f"only {pairings:,.0f} pairings keep items within their groups: p cannot be below {1.0 / pairings:.2g}, draw what you may"


def _least(alpha: float) -> int:
    """The fewest permutations whose least p, 1 / (K + 1), is at most alpha."""
    return int(np.ceil(1.0 / alpha - 1e-9)) - 1


def _lists(by_k: Sequence[Score], n: int) -> Iterator[str]:
    large = [score.k for score in by_k if score.k > _LARGE_SHARE * (n - 1)]
    if large:
        yield _share_text(large, n)
    for side in ("x", "y"):
        shares = [(getattr(score, f"tie_fraction_{side}"), score.k) for score in by_k]
        tied = [(share, k) for share, k in shares if share > _MOSTLY_TIED]
        if tied:
            share, k = tied[0]
            yield f"ties decide {share:.0%} of the lists of {side} at k = {k}: it tells few items apart there"
    high = [score for score in by_k if score.chance >= _HIGH_CHANCE]
    if high:
        yield f"unrelated spaces would score {high[0].chance:.2f}: read the excess, {high[0].excess:.3f}, not the score"


def _share_text(ks: Sequence[int], n: int) -> str:
    told = ", ".join(f"{k:,}" for k in ks)
    return f"k = {told} is more than a fifth of {n:,} items: lists so long overlap by chance; ask a smaller k"
