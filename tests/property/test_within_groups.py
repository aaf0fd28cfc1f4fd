"""Two spaces that share a class and nothing else: all pairings call it more, pairings within the class do not, for every metric."""

import numpy as np
import pytest
from support.brute_table import table

from consilience import align_arrays
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.core.control import Control
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_score
from consilience_server.engine.list_scores import list_scores
from consilience_server.engine.neighbour_scores import mutual_knn_scores

N, CLASSES = 60, 4
ORDER = np.random.default_rng(9).integers(0, 2**64, N, dtype=np.uint64)


def same_class(draw, n=N, width=8):
    """Classes of unequal size, and two spaces that know nothing else."""
    labels = np.minimum(draw.integers(0, CLASSES + 2, n), CLASSES - 1)
    return labels, *(draw.normal(size=(CLASSES, width))[labels] + 0.5 * draw.normal(size=(n, width)) for _ in range(2))


def judge(metric, x, y, labels, seed):
    options = ScoreOptions(19, seed, 0.05, "queries", 0.95, ORDER, 1, labels)
    if metric == "mutual_knn":
        return mutual_knn_scores(table(x, 5), table(y, 5), (5,), options, Control())[0]
    if metric == "lcs_knn":
        keys = np.random.default_rng(seed).integers(0, 2**64, (2, N), dtype=np.uint64)
        return list_scores(metric, [table(x, 5), table(y, 5)], keys, (5,), options, Control())[0]
    return cka_score(x, y, metric == "unbiased_cka", options, Control())


@pytest.mark.parametrize(("metric", "draws"), [("mutual_knn", 500), ("unbiased_cka", 500), ("cka", 200), ("lcs_knn", 60)])
def test_sharing_a_class_is_not_mistaken_for_more(metric, draws):
    draw, rejected, plain = np.random.default_rng(7), 0, 0
    for index in range(draws):
        labels, x, y = same_class(draw)
        score = judge(metric, x, y, labels, index)
        rejected += score.p_value <= 0.05
        assert (score.calibrated > 0) <= (score.p_value <= 0.05)
        if index < 20:
            plain += judge(metric, x, y, None, index).p_value <= 0.05
    assert plain >= 19
    # Binomial(500, .05) has mean 25 and sd 4.9, binomial(60, .05) mean 3 and sd 1.7.
    assert 0 < rejected <= 0.09 * draws + 3


@pytest.mark.parametrize("metric", ["mutual_knn", "unbiased_cka"])
def test_what_is_shared_beyond_the_class_is_still_found(metric):
    draw, found = np.random.default_rng(8), 0
    for index in range(20):
        labels, x, y = same_class(draw)
        beyond = draw.normal(size=(N, 3))
        x, y = (np.hstack([side, beyond @ draw.normal(size=(3, 4))]) for side in (x, y))
        found += judge(metric, x, y, labels, index).p_value <= 0.05
    assert found >= 18


@pytest.mark.parametrize("metric", sorted(FAMILY_OF))
def test_the_chance_of_every_metric_is_that_of_the_pairings_allowed(metric):
    labels, x, y = same_class(np.random.default_rng(3))
    given = {"k": 5, "metric": metric, "permutations": 399, "interval_kind": "queries"}
    report, plain = align_arrays(x, y, within=labels, **given), align_arrays(x, y, **given)
    assert report.score == plain.score
    spread = report.headline.null_sd
    assert report.chance == pytest.approx(report.headline.null_mean, abs=max(4 * spread / 399**0.5, 1e-12))
    assert report.chance > plain.chance + 2 * plain.headline.null_sd
    assert (report.within.groups, report.within.attribute) == (CLASSES, "")
    few = align_arrays(x, y, within=labels, **{**given, "permutations": 0})
    assert few.p_value is None
    assert few.chance == pytest.approx(report.chance, abs=4 * spread / 99**0.5)


def test_one_group_for_all_restricts_nothing_and_rows_may_come_in_any_order():
    labels, x, y = same_class(np.random.default_rng(4))
    given = {"k": 5, "permutations": 99}
    one, plain = align_arrays(x, y, within=["all"] * N, **given), align_arrays(x, y, **given)
    np.testing.assert_array_equal(one.null, plain.null)
    assert one.chance == pytest.approx(plain.chance, rel=1e-12)
    rho = np.random.default_rng(5).permutation(N)
    here, moved = align_arrays(x, y, within=labels, **given), align_arrays(x[rho], y[rho], within=labels[rho].astype(str), **given)
    assert here.by_k == moved.by_k
    np.testing.assert_array_equal(here.null, moved.null)
