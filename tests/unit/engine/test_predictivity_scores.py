"""Linear predictivity of the engine against its definition: score, every permuted score, every deleted group."""

import numpy as np
import pytest
from scipy import stats

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.folds import grouped_folds, item_folds, spread_groups
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.linear_predictivity import PredictivityOptions, aggregated, target_scores
from consilience_server.core.permutation import canonical_order, permutation
from consilience_server.engine import predictivity_scores
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.predictivity_scores import predictivity_bytes, predictivity_matrix, predictivity_score

RANDOM = np.random.default_rng(5)
N = 70
ORDER = RANDOM.integers(0, 2**64, N, dtype=np.uint64)
ASKED = PredictivityOptions(folds=4)


def options(permutations=30, kind="items", threads=2, order=ORDER):
    return ScoreOptions(permutations, 7, 0.05, kind, 0.95, order, threads)


def spaces(*widths, n=N):
    z = RANDOM.normal(size=(n, 5))
    return [np.float32(z @ RANDOM.normal(size=(5, width)) + 2 * RANDOM.normal(size=(n, width)) + 3) for width in widths]


@pytest.mark.parametrize(
    "asked",
    [ASKED, PredictivityOptions("pearson", "median", 5, "", (0.1, 10.0)), PredictivityOptions(folds=2, penalties=(1.0,))],
    ids=["default", "pearson", "one penalty"],
)
@pytest.mark.parametrize("widths", [(6, 5), (100, 4)], ids=["narrow", "wider than items"])
def test_equals_its_definition_permuted_and_without_each_group(asked, widths):
    x, y = spaces(*widths)
    y[:, 1] = 7.0
    order, folds = canonical_order(ORDER), item_folds(N, asked.folds)
    left, right = x[order], y[order]

    def define(a, b, of=folds):
        return aggregated(target_scores(a, b, of, asked.penalties, asked.target_score), asked.aggregate)

    found = predictivity_score(x, y, asked, options(), Control())
    assert found.score == pytest.approx(define(left, right), abs=1e-9)
    np.testing.assert_allclose(found.fit.target_scores, target_scores(left, right, folds, asked.penalties, asked.target_score), atol=1e-9)
    assert found.fit.choices.sum() == asked.folds * (widths[1] - 1)
    expected = [define(left, right[permutation(7, index, N)]) for index in range(99)]
    assert found.null == pytest.approx(np.array(expected[:30]), abs=1e-9)
    assert found.chance == pytest.approx(np.mean(expected), abs=1e-9)
    sizes = group_sizes(N)
    keep = [np.arange(N) % len(sizes) != group for group in range(len(sizes))]
    without = np.array([define(left[rows], right[rows], folds[rows]) for rows in keep])
    lowest = -1.0 if asked.target_score == "pearson" else -np.inf
    limits = item_interval(found.score, found.score, without, sizes, 0.95, lowest, 1.0)
    assert (found.interval.low, found.interval.high) == pytest.approx(limits, abs=1e-8)


def test_groups_are_not_split():
    x, y = spaces(6, 5)
    groups = RANDOM.integers(0, 12, N)
    order = canonical_order(ORDER)
    found = predictivity_score(x, y, ASKED, options(permutations=0, kind="queries"), Control(), groups)
    expected = target_scores(x[order], y[order], grouped_folds(groups[order], 4))
    np.testing.assert_allclose(found.fit.target_scores, expected, atol=1e-9)
    assert found.fit.fold_groups == len(set(groups))
    assert found.score != predictivity_score(x, y, ASKED, options(permutations=0, kind="queries"), Control()).score


def test_the_interval_leaves_out_whole_groups():
    x, y = spaces(6, 5)
    groups = np.repeat(np.arange(7), 10)
    order = canonical_order(ORDER)
    left, right, of = x[order], y[order], groups[order]
    folds, parts = grouped_folds(of, 4), spread_groups(of, 7)
    assert all(len(set(parts[of == group])) == 1 for group in range(7))
    assert len(set(parts)) == 7
    found = predictivity_score(x, y, ASKED, options(permutations=0), Control(), groups)
    without = [np.mean(target_scores(left[parts != part], right[parts != part], folds[parts != part])) for part in range(7)]
    limits = item_interval(found.score, found.score, np.array(without), np.full(7, 10), 0.95, -np.inf, 1.0)
    assert (found.interval.low, found.interval.high) == pytest.approx(limits, abs=1e-8)


def test_samples_of_groups_are_covered(monkeypatch):
    """Scenes of eight pictures: what they have in common is predictable, and one sample of 24 scenes differs from the next.

    Leaving out pictures instead, whose scene stays, covers 57% of such samples.
    """
    monkeypatch.setattr(predictivity_scores, "LEAST_PAIRINGS", 1)  # of a chance that nobody reads here
    draw = np.random.default_rng(11)
    maps = draw.normal(size=(2, 3, 4))
    asked, found = PredictivityOptions(folds=4, penalties=(0.1,)), []
    groups = np.repeat(np.arange(24), 8)
    for _ in range(60):
        scene, own = draw.normal(size=(24, 1, 3)) * draw.exponential(size=(24, 1, 1)), draw.normal(size=(2, 24, 8, 4))
        x, y = (np.float32(scene @ seen + noise).reshape(192, 4) for seen, noise in zip(maps, own, strict=True))
        order = draw.integers(0, 2**64, 192, dtype=np.uint64)
        found.append(predictivity_score(x, y, asked, options(permutations=0, order=order, threads=1), Control(), groups))
    mean = np.mean([each.score for each in found])
    covered = sum(each.interval.low <= mean <= each.interval.high for each in found)
    assert covered >= stats.binom.ppf(0.001, len(found), 0.95)


def test_neither_row_order_nor_threads_show():
    x, y = spaces(6, 5)
    expected = predictivity_score(x, y, ASKED, options(), Control())
    rho = RANDOM.permutation(N)
    moved = predictivity_score(x[rho], y[rho], ASKED, options(threads=1, order=ORDER[rho]), Control())
    assert moved.p_value == expected.p_value
    for name in ("score", "chance", "threshold", "null_mean"):
        assert getattr(moved, name) == pytest.approx(getattr(expected, name), abs=1e-10)


def test_a_matrix_has_both_directions_under_the_same_pairings():
    arrays = spaces(5, 8, 3)
    found = predictivity_matrix(arrays, ASKED, options(), Control())
    assert set(found) == {(i, j) for i in range(3) for j in range(3)}
    order, folds = canonical_order(ORDER), item_folds(N, 4)
    for (i, j), entry in found.items():
        left, right = arrays[i][order], arrays[j][order]
        assert entry.score == pytest.approx(np.mean(target_scores(left, right, folds)), abs=1e-9)
        if i == j:
            assert entry.p_value is None
            assert 0.5 < entry.score <= 1.0
        else:
            rho = permutation(7, 3, N)
            moved = right[rho] if i < j else right[np.argsort(rho)]
            assert entry.null[3] == pytest.approx(np.mean(target_scores(left, moved, folds)), abs=1e-9)


def test_refusals():
    x, y = spaces(5, 6)
    with pytest.raises(ShapeMismatch):
        predictivity_score(x[1:], y, ASKED, options(), Control())
    with pytest.raises(ConstantFeatures) as refused:
        predictivity_score(x, np.ones_like(y), ASKED, options(), Control())
    assert refused.value.field == "y"
    with pytest.raises(TooFewItems, match="linear predictivity needs 8 items"):
        predictivity_score(x[:7], y[:7], ASKED, options(order=ORDER[:7]), Control())
    with pytest.raises(TooFewItems, match="50 folds of 70 items"):
        predictivity_score(x, y, PredictivityOptions(folds=50), options(), Control())
    with pytest.raises(TooFewItems, match="2 groups cannot be spread over 4 folds"):
        predictivity_score(x, y, ASKED, options(), Control(), np.arange(N) % 2)


def test_can_be_cancelled():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        predictivity_score(*spaces(5, 6), ASKED, options(), control)


def test_few_items_leave_an_interval():
    x, y = spaces(3, 2, n=9)
    found = predictivity_score(x, y, PredictivityOptions("pearson", folds=3), options(order=ORDER[:9]), Control())
    assert -1.0 <= found.interval.low <= found.score <= found.interval.high <= 1.0


def test_memory_grows_with_items_not_with_their_square():
    small, large = (predictivity_bytes(n, [512, 512], 5, 2) for n in (100_000, 200_000))
    assert small < large < 2.1 * small
