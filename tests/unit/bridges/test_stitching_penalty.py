import numpy as np

from consilience_server.bridges.stitching_penalty import stitching_penalty
from consilience_server.core.control import Control


def clouds(n=300, noise=0.4, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    native = (np.eye(3, 8)[labels] + noise * rng.standard_normal((n, 8))).astype(np.float32)
    return native, labels.astype(np.int64), rng


def test_a_perfect_bridge_costs_nothing():
    native, labels, _ = clouds()
    found = stitching_penalty(native, native, labels, Control())
    assert found.native == found.bridged
    # 300 items alike: with 95% confidence fewer than 1% of others.
    assert found.penalty.value == 0.0
    assert -0.01 < found.penalty.low < 0.0 < found.penalty.high < 0.01
    assert found.native.value > 0.75
    assert (found.classes, found.items) == (3, 300)


def test_a_bridge_that_knows_nothing_is_worth_the_mean():
    native, labels, rng = clouds()
    found = stitching_penalty(rng.permutation(native), native, labels, Control())
    assert found.bridged.value < 0.45
    assert found.mean_only.value < 0.45
    assert found.penalty.low > 0.2
    assert found.penalty.value == found.native.value - found.bridged.value


def test_a_noisy_bridge_lies_between():
    native, labels, rng = clouds()
    mapped = (native + 0.5 * rng.standard_normal(native.shape)).astype(np.float32)
    found = stitching_penalty(mapped, native, labels, Control())
    assert found.mean_only.value < found.bridged.value < found.native.value
    assert found.penalty.low <= found.penalty.value <= found.penalty.high


def test_labels_that_say_nothing_of_the_space_are_not_learned():
    native, labels, rng = clouds()
    found = stitching_penalty(native, native, rng.permutation(labels), Control())
    assert found.native.low <= 1 / 3 + 0.05
