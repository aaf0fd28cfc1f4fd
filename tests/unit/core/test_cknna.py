"""CKNNA against loops over the published formulas, its relation to CKA, and its refusals."""

import math

import numpy as np
import pytest
from support.brute_table import cosine, latent_pair

from consilience_server.core.cka import unbiased_cka
from consilience_server.core.cknna import cknna
from consilience_server.core.errors import ConstantFeatures, InvalidK, ShapeMismatch, TooFewItems
from consilience_server.core.ordered_lists import OrderedLists, ordered_lists

METRICS = ("cknna", "cknna_paper", "cknna_centred")


def lists_of(kernel, k):
    return ordered_lists(kernel, k, np.arange(len(kernel), dtype=np.uint64))


def looped(metric, k, l, mask):
    """S by sums over indices, entry by entry."""
    n, items = len(k), range(len(k))
    if metric == "cknna_paper":
        return sum(mask[i, j] * (k[i, j] - sum(k[i]) / n) * (l[i, j] - sum(l[i]) / n) for i in items for j in items)
    a, b = mask * k, mask * l
    if metric == "cknna":
        paired = sum(a[i, m] * b[m, j] for i in items for j in items for m in items)
        both = sum(a[i, j] * b[j, i] for i in items for j in items)
        return (both + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * paired / (n - 2)) / (n * (n - 3))

    def centred(matrix, i, j):
        return matrix[i, j] - matrix[i].mean() - matrix[:, j].mean() + matrix.mean()

    return sum(centred(a, i, j) * centred(b, i, j) for i in items for j in items)


@pytest.mark.parametrize("metric", METRICS)
def test_the_published_formulas(metric):
    k, l = (cosine(side) for side in latent_pair(0, 12, 6, 5, 3, 0.5))
    x, y = lists_of(k, 3), lists_of(l, 3)
    masks = [np.array([[j in row for j in range(12)] for row in lists.indices.tolist()], dtype=float) for lists in (x, y)]
    own = [looped(metric, side, side, mask) for side, mask in zip((k, l), masks, strict=True)]
    expected = looped(metric, k, l, masks[0] * masks[1]) / math.sqrt(own[0] * own[1])
    assert cknna(metric, k, l, x, y) == pytest.approx(expected, abs=1e-12)


def test_with_all_neighbours_the_code_s_version_is_unbiased_cka():
    x, y = latent_pair(2, 20, 6, 5, 3, 1.0)
    k, l = cosine(x), cosine(y)
    assert cknna("cknna", k, l, lists_of(k, 19), lists_of(l, 19)) == pytest.approx(unbiased_cka(x, y), abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_what_cannot_be_scored_is_refused(metric):
    k = cosine(latent_pair(0, 12, 6, 5, 3, 0.5)[0])
    lists = lists_of(k, 3)
    with pytest.raises(ShapeMismatch):
        cknna(metric, k[:10, :10], k, lists, lists)
    with pytest.raises(ShapeMismatch, match="join"):
        cknna(metric, k, k, lists, OrderedLists(lists.indices[:10]))
    with pytest.raises(InvalidK, match="same k"):
        cknna(metric, k, k, lists, lists_of(k, 4))
    with pytest.raises(TooFewItems, match="at least 4"):
        cknna(metric, k[:3, :3], k[:3, :3], lists_of(k[:3, :3], 1), lists_of(k[:3, :3], 1))
    same = np.zeros((12, 12)) if metric != "cknna_paper" else np.ones((12, 12))
    with pytest.raises(ConstantFeatures, match="of y with itself"):
        cknna(metric, k, same, lists, lists)


def test_the_code_s_own_term_may_be_negative_and_is_refused():
    # Neighbours in a ring, none of them mutual: the unbiased estimate of a positive quantity falls below zero.
    n = 8
    ring = OrderedLists(((np.arange(n)[:, None] + 1) % n).astype(np.int32))
    with pytest.raises(ConstantFeatures, match="cknna_centred"):
        cknna("cknna", np.ones((n, n)), np.ones((n, n)), ring, ring)
    assert cknna("cknna_centred", np.ones((n, n)), np.ones((n, n)), ring, ring) == pytest.approx(1.0)
