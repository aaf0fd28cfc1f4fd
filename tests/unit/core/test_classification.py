import numpy as np
import pytest
from scipy.stats import binomtest

from consilience_server.core.classification import accuracy_of
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled


def predictions(rng, n=200, count=4, right=0.6):
    labels = rng.integers(0, count, n)
    ranked = np.array([rng.permutation(count) for _ in range(n)])
    for row in np.flatnonzero(rng.random(n) < right):
        at = ranked[row].tolist().index(labels[row])
        ranked[row, [0, at]] = ranked[row, [at, 0]]
    return ranked, labels


def test_against_plain_counts():
    ranked, labels = predictions(np.random.default_rng(0))
    told = accuracy_of(ranked, labels, 5, (1, 3), None, 199, 0, Control())
    right = ranked[:, 0] == labels
    wilson = binomtest(int(right.sum()), 200).proportion_ci(method="wilson")
    assert (told.accuracy.value, told.accuracy.low, told.accuracy.high) == pytest.approx((right.mean(), wilson.low, wilson.high))
    assert told.top_k[1] == told.accuracy
    assert told.top_k[3].value == np.mean([label in row[:3] for row, label in zip(ranked, labels, strict=True)])
    confusion = np.array([[np.sum((labels == a) & (ranked[:, 0] == b)) for b in range(5)] for a in range(5)])
    assert told.confusion.tolist() == confusion.tolist()
    # The fifth class has no items: it has no recall, and does not count in the balanced accuracy.
    assert told.recalls[4] is None
    shares = [right[labels == a].mean() for a in range(4)]
    assert [recall.value for recall in told.recalls[:4]] == pytest.approx(shares)
    assert told.balanced.value == pytest.approx(np.mean(shares))
    assert told.balanced.low < told.balanced.value < told.balanced.high
    assert told.majority == np.bincount(labels).max() / 200
    expected = sum(np.mean(ranked[:, 0] == a) * np.mean(labels == a) for a in range(5))
    assert told.chance == pytest.approx(expected)
    assert told.p_value == 1 / 200


def test_the_chance_is_the_mean_of_random_pairings():
    rng = np.random.default_rng(1)
    ranked, labels = predictions(rng, right=0.2)
    told = accuracy_of(ranked, labels, 4, (1,), None, 0, 0, Control())
    drawn = [np.mean(ranked[:, 0] == rng.permutation(labels)) for _ in range(2000)]
    assert told.chance == pytest.approx(np.mean(drawn), abs=3 * np.std(drawn) / 2000**0.5)
    assert told.p_value is None


def test_a_classifier_that_knows_nothing_is_significant_in_five_percent():
    rng = np.random.default_rng(2)
    low = 0
    for seed in range(400):
        labels = rng.integers(0, 3, 40)
        # Always the same few classes: the majority alone is no evidence.
        ranked = rng.choice(3, p=[0.7, 0.2, 0.1], size=(40, 1))
        low += accuracy_of(ranked, labels, 3, (1,), None, 19, seed, Control()).p_value <= 0.05
    assert binomtest(low, 400, 0.05, alternative="greater").pvalue > 0.01


def test_copies_of_an_item_are_one_draw():
    rng = np.random.default_rng(3)
    ranked, labels = predictions(rng, n=60)
    alone = accuracy_of(ranked, labels, 4, (1,), None, 99, 0, Control())
    copied = accuracy_of(np.repeat(ranked, 6, axis=0), np.repeat(labels, 6), 4, (1,), np.repeat(np.arange(60), 6), 99, 0, Control())
    assert copied.accuracy.value == alone.accuracy.value
    assert copied.accuracy.high - copied.accuracy.low == pytest.approx(alone.accuracy.high - alone.accuracy.low, rel=0.15)
    assert copied.p_value == alone.p_value
    # A recall is the share of its class, whose items are drawn by clusters too; so is the mean of recalls.
    singles = accuracy_of(ranked, labels, 4, (1,), np.arange(60), 99, 0, Control())
    assert (copied.balanced.low, copied.balanced.high) == pytest.approx((singles.balanced.low, singles.balanced.high))
    for one, many in zip(singles.recalls, copied.recalls, strict=True):
        assert many.value == pytest.approx(one.value)
        assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.15)


def test_the_balanced_accuracy_of_clusters_covers():
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        # 60 clusters of five items, which are right together, of classes that are mixed within a cluster.
        labels = rng.integers(0, 3, 300)
        clusters = np.repeat(np.arange(60), 5)
        right = np.repeat(rng.random(60) < 0.7, 5)
        told = accuracy_of(np.where(right, labels, (labels + 1) % 3)[:, None], labels, 3, (1,), clusters, 0, 0, Control())
        covered += told.balanced.low <= 0.7 <= told.balanced.high
    assert binomtest(covered, 300, 0.95, alternative="less").pvalue > 0.01


def test_permutations_stop_when_nobody_waits():
    ranked, labels = predictions(np.random.default_rng(0))
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        accuracy_of(ranked, labels, 4, (1,), None, 99, 0, control)


@pytest.mark.parametrize("labels", [[0], [0, 1], [1, 1]])
def test_one_item_a_class_tells_little(labels):
    told = accuracy_of(np.zeros((len(labels), 1), dtype=int), np.array(labels), 2, (1,), None, 9, 0, Control())
    assert 0.0 <= told.balanced.low <= told.balanced.value <= told.balanced.high <= 1.0


@pytest.mark.parametrize("sizes", [(60, 60, 60), (120, 40, 8)])
def test_the_interval_of_the_balanced_accuracy_covers(sizes):
    rng = np.random.default_rng(4)
    recalls = np.array([0.9, 0.6, 0.4])
    labels = np.repeat(np.arange(3), sizes)
    covered = 0
    for _ in range(400):
        right = rng.random(len(labels)) < recalls[labels]
        told = accuracy_of(np.where(right, labels, (labels + 1) % 3)[:, None], labels, 3, (1,), None, 0, 0, Control())
        covered += told.balanced.low <= recalls.mean() <= told.balanced.high
    assert binomtest(covered, 400, 0.95, alternative="less").pvalue > 0.01
