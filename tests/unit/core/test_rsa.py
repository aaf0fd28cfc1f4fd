"""RSA against SciPy, exact chance, ties, and what is refused."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau, pearsonr, spearmanr

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.rsa import RDM_COMPARISONS, compare_rdms, rsa

SCIPY = {
    "spearman": lambda u, v: spearmanr(u, v).statistic,
    "pearson": lambda u, v: pearsonr(u, v).statistic,
    "kendall_tau_b": lambda u, v: kendalltau(u, v).statistic,
    "kendall_tau_a": lambda u, v: np.mean([np.sign(u[i] - u[j]) * np.sign(v[i] - v[j]) for i in range(len(u)) for j in range(i)]),
    "cosine": lambda u, v: u @ v / np.sqrt((u @ u) * (v @ v)),
}


@pytest.mark.parametrize("comparison", sorted(RDM_COMPARISONS))
@pytest.mark.parametrize("tied", [False, True])
def test_comparisons_are_those_of_scipy(comparison, tied):
    draw = np.random.default_rng(1)
    u, v = (draw.integers(0, 4, (2, 45)).astype(float)) if tied else draw.normal(size=(2, 45)) + 2.0
    assert compare_rdms(u, v, comparison) == pytest.approx(SCIPY[comparison](u, v), abs=1e-12)


@pytest.mark.parametrize("distance", ["correlation", "cosine", "euclidean", "squared_euclidean"])
def test_of_vectors_it_is_that_of_their_distances(distance):
    draw = np.random.default_rng(2)
    x, y = draw.normal(size=(15, 4)), draw.normal(size=(15, 6))
    name = {"squared_euclidean": "sqeuclidean"}.get(distance, distance)
    assert rsa(x, y, distance, "pearson") == pytest.approx(pearsonr(pdist(x, name), pdist(y, name)).statistic, abs=1e-12)
    assert rsa(x, y, distance) == pytest.approx(spearmanr(pdist(x, name), pdist(y, name)).statistic, abs=1e-12)


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall_tau_a", "kendall_tau_b"])
def test_the_mean_over_all_pairings_is_zero(comparison):
    draw = np.random.default_rng(3)
    u, v = draw.integers(0, 5, (2, 15)).astype(float)
    orders = [np.array(rho) for rho in permutations(range(6))]
    matrix = squareform(v)
    values = [compare_rdms(u, squareform(matrix[np.ix_(rho, rho)]), comparison) for rho in orders]
    assert np.mean(values) == pytest.approx(0.0, abs=1e-13)


def test_ties_do_not_depend_on_rounding():
    draw = np.random.default_rng(4)
    x, y = np.eye(6)[draw.integers(0, 6, 40)], draw.normal(size=(40, 3))
    expected = rsa(x, y, "cosine")
    turned = x @ np.linalg.qr(draw.normal(size=(6, 6)))[0]
    assert rsa(turned, y, "cosine") == pytest.approx(expected, abs=1e-13)
    assert rsa(x, x, "correlation", "kendall_tau_a") < 1.0 == rsa(x, x, "correlation", "kendall_tau_b")


def test_what_has_no_comparison_is_refused():
    x = np.random.default_rng(0).normal(size=(6, 3))
    with pytest.raises(ShapeMismatch, match="6 items and y 5"):
        rsa(x, x[:5])
    with pytest.raises(TooFewItems, match="4 items or more, there are 3"):
        rsa(x[:3], x[:3])
    for comparison in RDM_COMPARISONS - {"cosine"}:
        with pytest.raises(ConstantFeatures, match="equally far apart in y"):
            rsa(x, np.eye(6), "euclidean", comparison)
    with pytest.raises(ConstantFeatures, match="the same in y"):
        rsa(x, np.ones((6, 2)), "euclidean", "cosine")
    same_direction = np.outer(np.arange(1.0, 7.0), x[0])
    for distance in ("correlation", "cosine"):
        with pytest.raises(ConstantFeatures, match="in y"):
            rsa(x, same_direction, distance)
