"""What a reader of an alignment should be warned of, in plain sentences: what makes a number say less than it seems to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.item_groups import ItemGroups
from consilience_server.core.intervals import Asked, Jackknife
from consilience_server.core.query_pairings import parted
from consilience_server.core.score import Score

_FEW_ITEMS = 50
_NOTABLE_CHANCE = 0.1
_LARGE_SHARE = 0.2
_MOSTLY_TIED = 0.5
_HIGH_CHANCE = 0.5


@dataclass(frozen=True)
class Restriction:
    """What restricts the random pairings, and what does not.

    Attributes:
        groups: that they keep items in, None where they are not restricted.
        queries: (m,) rows of the items that are asked, None where all are.
        folds: (n,) the group of each item that folds of a cross-validation do not split, None where items stand for themselves.
    """

    groups: ItemGroups | None = None
    queries: NDArray[np.int64] | None = None
    folds: NDArray[np.int64] | None = None


FREE = Restriction()


def report_cautions(
    by_k: Sequence[Score], n: int, permutations: int, alpha: float, restriction: Restriction = FREE, *, of: int = 0
) -> tuple[str, ...]:
    """Of the alignment of two spaces over n items, a sample where there are more (`of`); empty where nothing is to be said."""
    few, drawn = _few(by_k, n), _permutations(permutations, alpha)
    return (*sample_cautions(n, of), *few, *drawn, *_restricted(restriction, permutations), *_lists(by_k, n))


def matrix_cautions(
    by_pair: Sequence[Score], n: NDArray[np.int64], permutations: int, alpha: float, restriction: Restriction = FREE, *, of: int = 0
) -> tuple[str, ...]:
    """Of all pairs of many spaces: `by_pair` scores of different spaces, `n` (M, M) the items of each pair, `of` those to choose from."""
    least = int(n.min())
    few, drawn = _few(by_pair, least), _permutations(permutations, alpha)
    found = [*sample_cautions(least, of), *few, *drawn, *_restricted(restriction, permutations)]
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


def query_cautions(spec: AlignmentSpec) -> Iterator[str]:
    """Of queries that a caller named twice."""
    if spec.duplicate_queries:
        named = len(spec.query_ids) + spec.duplicate_queries
        yield f"{spec.duplicate_queries:,} of {named:,} query_ids stand twice and are asked once: each query counts the same"


def _few(scores: Sequence[Score], n: int) -> Iterator[str]:
    if n < _FEW_ITEMS:
        # What chance makes of few items depends on the metric: much of a neighbour list, nothing of a rank correlation.
        chance = max((score.chance for score in scores), default=0.0)
        also = f"unrelated spaces would score up to {chance:.2f}, and " if chance >= _NOTABLE_CHANCE else ""
        yield f"only {n} items: {also}the score varies much between samples; read excess, p and interval, not the score"
    if any(_is_undefined_without(score.interval.basis) for score in scores):
        yield (
            "without some of the items the score is undefined, so how it varies is not known and its interval is all that it could be; "
            "add items, or ask interval_kind='queries'"
        )


def _is_undefined_without(basis: Jackknife | Asked | None) -> bool:
    return isinstance(basis, Jackknife) and not bool(np.isfinite(basis.without).all())


def _permutations(permutations: int, alpha: float) -> Iterator[str]:
    if permutations and 1.0 / (permutations + 1) > alpha * (1.0 + 1e-9):
        yield f"{permutations:,} permutations cannot give a p of {alpha:g} or less; ask {_least(alpha):,} or more"


def _restricted(restriction: Restriction, permutations: int) -> Iterator[str]:
    groups, queries = restriction.groups, restriction.queries
    if permutations and restriction.folds is not None and _crosses(restriction.folds, groups):
        yield (
            "folds keep groups of items together, but random pairings exchange items between them: where items of a group are alike, p is "
            "too small; restrict the pairings by the same groups (within)"
        )
    if groups is None:
        return
    if queries is not None:
        parts = parted(groups.of, queries)
        sizes = np.bincount(parts)
        alone, n, whose = int(np.count_nonzero(sizes[parts[queries]] == 1)), len(queries), "queries are alone among those of"
    else:
        sizes, alone, n, whose = groups.sizes, groups.fixed, len(groups.of), "items are alone in"
    if alone:
        yield f"{alone:,} of {n:,} {whose} their group and keep their partner in every pairing: they tell p nothing"
    pairings = float(np.exp(np.minimum(gammaln(sizes + 1.0).sum(), 700.0)))
    if pairings < permutations + 1:
        yield f"only {pairings:,.0f} pairings keep items within their groups: p cannot be below {1.0 / pairings:.2g}, draw what you may"


def _crosses(folds: NDArray[np.int64], groups: ItemGroups | None) -> bool:
    """Whether a pairing may exchange items of different groups of folds, some of which have several items."""
    if len(np.unique(folds)) == len(folds):
        return False
    within = np.zeros(len(folds), dtype=np.int64) if groups is None else groups.of
    return len(np.unique(np.stack([within, folds]), axis=1).T) > len(np.unique(within))


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
