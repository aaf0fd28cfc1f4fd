"""Shape metrics of the engine against their definitions: score, every permuted score, every deleted group."""

import numpy as np
import pytest

from consilience_server.core.angular_shape import angular_shape
from consilience_server.core.cca import mean_cca
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, ConstantFeatures, InvalidArgument, ShapeMismatch, TooFewItems
from consilience_server.core.intervals import group_sizes, half_interval, item_interval
from consilience_server.core.permutation import canonical_order, permutation
from consilience_server.core.procrustes_similarity import procrustes_similarity
from consilience_server.core.svcca import svcca
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.shape_features import SHAPE_METRICS
from consilience_server.engine.shape_scores import shape_bytes, shape_matrix, shape_score

RANDOM = np.random.default_rng(5)
N = 70
ORDER = RANDOM.integers(0, 2**64, N, dtype=np.uint64)
DEFINITIONS = {
    "cca": mean_cca,
    "svcca": lambda x, y: svcca(x, y, 4),
    "procrustes": procrustes_similarity,
    "angular_shape": angular_shape,
}


def options(permutations=30, kind="items", threads=2, order=ORDER):
    return ScoreOptions(permutations, 7, 0.05, kind, 0.95, order, threads)


def spaces(*widths, n=N):
    z = RANDOM.normal(size=(n, 5))
    return [np.float32(z @ RANDOM.normal(size=(5, width)) + 2 * RANDOM.normal(size=(n, width))) for width in widths]


def score(metric, x, y, given, control=None):
    return shape_score(metric, x, y, given, control or Control(), components=4)


WIDTHS = {"cca": (6, 9), "svcca": (12, 90), "procrustes": (8, 90), "angular_shape": (90, 8)}


@pytest.mark.parametrize("metric", sorted(SHAPE_METRICS))
def test_equals_its_definition_permuted_and_without_each_group(metric):
    x, y = spaces(*WIDTHS[metric])
    define, order = DEFINITIONS[metric], canonical_order(ORDER)
    found = score(metric, x, y, options())
    assert found.score == pytest.approx(define(x, y), abs=1e-9)
    left, right = x[order], y[order]
    expected = [define(left, right[permutation(7, index, N)]) for index in range(99)]
    assert found.null == pytest.approx(np.array(expected[:30]), abs=1e-9)
    assert found.chance == pytest.approx(np.mean(expected), abs=1e-9)
    sizes = group_sizes(N)
    keep = [np.arange(N) % len(sizes) != group for group in range(len(sizes))]
    without = np.array([define(left[rows], right[rows]) for rows in keep])
    limits = item_interval(found.score, found.score, without, sizes, 0.95, -9.0, 1.0)
    if metric == "svcca":
        splits = [permutation(2**63, index, N) for index in range(16)]
        halves = np.array([define(left[rows], right[rows]) for split in splits for rows in (split[: N // 2], split[N // 2 :])])
        wider = half_interval(found.score, halves, 0.95, 0.0, 1.0)
        limits = (min(limits[0], wider[0]), max(limits[1], wider[1]))
    assert (found.interval.low, found.interval.high) == pytest.approx(limits, abs=1e-8)


@pytest.mark.parametrize("metric", sorted(SHAPE_METRICS))
def test_neither_row_order_nor_threads_show(metric):
    x, y = spaces(*WIDTHS[metric])
    expected = score(metric, x, y, options())
    rho = RANDOM.permutation(N)
    moved = score(metric, x[rho], y[rho], options(threads=1, order=ORDER[rho]))
    assert moved.p_value == expected.p_value
    for name in ("score", "chance", "threshold", "null_mean"):
        assert getattr(moved, name) == pytest.approx(getattr(expected, name), abs=1e-10)
    assert moved.interval.low == pytest.approx(expected.interval.low, abs=1e-7)


@pytest.mark.parametrize("metric", sorted(SHAPE_METRICS))
def test_a_matrix_has_the_scores_of_its_pairs(metric):
    arrays = spaces(5, 8, 11)
    found = shape_matrix(metric, arrays, options(), Control(), components=4)
    both_ways = metric == "procrustes"
    assert set(found) == {(i, j) for i in range(3) for j in range(3) if i <= j or both_ways}
    for (i, j), entry in found.items():
        if i == j:
            assert entry.score == 1.0
            assert entry.excess == 1.0
            assert entry.chance < 1.0
            assert entry.p_value is None
        elif i < j:
            pair = score(metric, arrays[i], arrays[j], options())
            assert entry.p_value == pair.p_value
            assert entry.score == pytest.approx(pair.score, abs=1e-12)
            assert entry.interval.high == pytest.approx(pair.interval.high, abs=1e-9)
        else:
            assert entry.score == pytest.approx(procrustes_similarity(arrays[i], arrays[j]), abs=1e-9)


def test_no_permutations_and_no_interval():
    x, y = spaces(5, 6)
    found = score("cca", x, y, options(permutations=0, kind="queries"))
    assert found.p_value is None
    assert found.null is None
    assert found.interval.low == found.interval.high == found.score
    assert 0.0 < found.chance < found.score


def test_directions_are_counted():
    x, y = spaces(5, 6)
    found = score("cca", np.hstack([x, x]), y, options())
    assert (found.components_x, found.components_y) == (5, 6)
    assert found.score == pytest.approx(mean_cca(x, y), abs=1e-6)
    assert score("svcca", x, y, options()).components_x == 4
    assert score("procrustes", x, y, options()).components_x == 0


def test_equal_pairings_count_as_equal():
    """One-hot spaces: pairings that exchange items of a class score the same, and the p-value counts them, whatever rounding says."""
    classes = RANDOM.integers(0, 3, N)
    x = np.float32(np.eye(3)[classes])
    for metric in SHAPE_METRICS:
        found = score(metric, x, x, options(permutations=19))
        assert found.score == pytest.approx(1.0, abs=1e-12)
        assert found.p_value == 0.05
    single = np.float32(np.arange(N)[:, None] == 0)
    # Only where the one item lands counts: with so many pairings some hit it again.
    hits = sum(
        int(permutation(7, index, N)[at] == at) for index in range(99) for at in [int(np.flatnonzero(single[canonical_order(ORDER), 0])[0])]
    )
    assert score("angular_shape", single, single, options(permutations=99)).p_value == (1 + hits) / 100


def test_refusals():
    x, y = spaces(5, 6)
    with pytest.raises(ShapeMismatch):
        score("cca", x[1:], y, options())
    with pytest.raises(ConstantFeatures, match="in y, so Procrustes"):
        score("procrustes", x, np.ones_like(y), options())
    with pytest.raises(ConstantFeatures) as refused:
        shape_matrix("angular_shape", [x, y, np.ones_like(y)], options(), Control())
    assert refused.value.field == "spaces"
    with pytest.raises(TooFewItems, match="spans 69 directions among 70 items"):
        score("cca", *spaces(80, 5), options())
    with pytest.raises(TooFewItems):
        score("procrustes", x[:3], y[:3], options(order=ORDER[:3]))
    with pytest.raises(InvalidArgument, match="components"):
        shape_score("svcca", x, y, options(), Control(), components=0)


def test_can_be_cancelled():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        score("procrustes", *spaces(5, 6), options(), control)


@pytest.mark.parametrize("metric", sorted(SHAPE_METRICS))
def test_few_items_leave_an_interval(metric):
    x, y = spaces(3, 2, n=6)
    found = score(metric, x, y, options(order=ORDER[:6]))
    assert found.interval.low <= found.score <= found.interval.high


def test_memory_grows_with_items_not_with_their_square():
    for metric in SHAPE_METRICS:
        small, large = (shape_bytes(metric, n, [512, 512], 10, 2) for n in (100_000, 200_000))
        assert small < large < 2.1 * small
        assert large < 60 * 4 * 200_000 * 512
