"""Chance within groups, fast: held to its definition on ties, many groups and groups of one."""

import numpy as np
import pytest
from support.brute_table import table

from consilience_server.core.permutation import canonical_order
from consilience_server.core.within_groups import mean_product
from consilience_server.engine.cka_features import centred_features
from consilience_server.engine.overlap import keyed_sets
from consilience_server.engine.within_chance import moments_chance, overlap_chance

N = 40


def groups_of(kind, draw):
    return {
        "one": np.zeros(N, dtype=np.int64),
        "few": draw.permutation(np.arange(N) % 3),
        "singles": np.concatenate([np.arange(N // 2), draw.permutation(np.full(N // 2, N // 2))]),
        "gap": 2 * draw.integers(0, 2, N),
    }[kind].astype(np.int64)


def dense(sets):
    weights = np.zeros((N, N))
    for i in range(N):
        part = slice(sets.indptr[i], sets.indptr[i + 1])
        weights[i, sets.indices[part]] = sets.weights[part]
    return weights


@pytest.mark.parametrize("kind", ["one", "few", "singles", "gap"])
@pytest.mark.parametrize("tied", [False, True])
def test_overlaps(kind, tied):
    draw = np.random.default_rng(0)
    groups, ks = groups_of(kind, draw), (2, 7)
    spaces = draw.normal(size=(2, N, 3))
    spaces = np.round(spaces) + 0.1 if tied else spaces
    order = canonical_order(draw.integers(0, 2**64, N, dtype=np.uint64))
    position = np.argsort(order)
    sets = [[table(space, 7).sets(k) for k in ks] for space in spaces]
    found = overlap_chance(*(keyed_sets(of_space, position) for of_space in sets), groups[order])
    for column, k in enumerate(ks):
        expected = mean_product(dense(sets[0][column]), dense(sets[1][column]), groups) / (N * k)
        assert found[column] == pytest.approx(expected, rel=1e-12)
    if kind == "one":
        assert found == pytest.approx(np.array(ks) / (N - 1), rel=1e-12)


@pytest.mark.parametrize("kind", ["one", "few", "singles"])
@pytest.mark.parametrize("width", [3, 60])
def test_moments(kind, width):
    draw = np.random.default_rng(1)
    groups = groups_of(kind, draw)
    x, y = draw.normal(size=(N, 5)) + groups[:, None] % 3, draw.normal(size=(N, width))
    cross, paired = moments_chance(*(centred_features(side, np.arange(N)) for side in (x, y)), groups)
    k, l = ((side - side.mean(axis=0)) @ (side - side.mean(axis=0)).T for side in (x, y))
    assert cross == pytest.approx(mean_product(k, l, groups), rel=1e-10)
    assert paired == pytest.approx(mean_product(np.diag(np.diagonal(k)), np.diag(np.diagonal(l)), groups), rel=1e-10)
