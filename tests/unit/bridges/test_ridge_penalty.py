import numpy as np
import pytest

from consilience_server.bridges import ridge_penalty
from consilience_server.bridges.ridge_penalty import PENALTIES, choose_penalty
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.ridge import ridge_path


def pairs(n, width=40, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, 10))
    x = latent @ rng.standard_normal((10, width)) + noise * rng.standard_normal((n, width))
    y = latent @ rng.standard_normal((10, 30)) + noise * rng.standard_normal((n, 30))
    return [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y)]


def test_by_the_definition():
    """Mean reciprocal rank over five folds, written out pair by pair."""
    x, y = pairs(60, noise=2.5)
    grid = (1e-4, 0.1, 1.0, 30.0)
    gains = []
    for penalty in grid:
        gain = 0.0
        for fold in range(5):
            held = [i for i in range(60) if i % 5 == fold]
            kept = [i for i in range(60) if i % 5 != fold]
            weights = ridge_path(x[kept], y[kept]).weights(penalty)
            for i in held:
                mapped = x[i] @ weights
                scores = y @ mapped / np.linalg.norm(mapped)
                gain += 1 / (1 + sum(scores > scores[i]))
        gains.append(gain)
    assert max(gains) > sorted(gains)[-2]
    assert choose_penalty(x, y, grid, Control()) == grid[int(np.argmax(gains))]


def test_few_noisy_pairs_want_more_of_it_than_many():
    x, y = pairs(4000, noise=2.0)
    few = choose_penalty(x[:45], y[:45], PENALTIES, Control())
    many = choose_penalty(x, y, PENALTIES, Control())
    assert few >= 0.1
    assert many <= few


def test_where_retrieval_is_perfect_the_nearest_map_wins():
    """Any penalty finds every partner here; a large one bends the map all the same."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 20)) * np.logspace(0, -0.7, 20)
    y = x @ rng.standard_normal((20, 20))
    x, y = x / np.linalg.norm(x, axis=1, keepdims=True), y / np.linalg.norm(y, axis=1, keepdims=True)
    assert choose_penalty(x, y, (1e-6, 1e-3, 1.0, 10.0), Control()) <= 1e-3


def test_of_equals_the_largest():
    # Orthonormal rows, whatever the penalty the direction is the same.
    x = np.eye(10)
    assert choose_penalty(np.vstack([x] * 5), np.vstack([x] * 5), (0.1, 3.0, 1.0), Control()) == 3.0


def test_one_candidate_needs_no_search(monkeypatch):
    monkeypatch.setattr(ridge_penalty, "ridge_path", None)
    assert choose_penalty(*pairs(20), (0.7,), Control()) == 0.7


def test_folds_end_once_enough_have_voted(monkeypatch):
    fitted = []
    monkeypatch.setattr(ridge_penalty, "ridge_path", lambda x, y: fitted.append(len(x)) or ridge_path(x, y))
    choose_penalty(*pairs(1000), (0.1, 1.0), Control())
    assert fitted == [800] * 5
    fitted.clear()
    choose_penalty(*pairs(12_000, width=10), (0.1, 1.0), Control())
    assert fitted == [9600]


def test_it_stops_when_nobody_waits():
    control = Control()
    control.cancel()
    with pytest.raises(errors.Cancelled):
        choose_penalty(*pairs(20), PENALTIES, control)


def test_no_fold_tears_a_group_apart():
    """Four copies of each pair with a little noise: torn apart, nearly least squares looks best; kept together, it does not."""
    x, y = pairs(40, noise=3.0)
    rng = np.random.default_rng(1)
    groups = rng.permutation(np.repeat(np.arange(40), 4))
    x, y = (side[groups] + 0.01 * rng.standard_normal((160, side.shape[1])) for side in (x, y))
    torn = choose_penalty(x, y, PENALTIES, Control())
    whole = choose_penalty(x, y, PENALTIES, Control(), groups)
    assert whole > torn


def test_groups_of_one_are_pairs_that_stand_alone():
    x, y = pairs(60, noise=2.5)
    assert choose_penalty(x, y, PENALTIES, Control(), np.arange(60)[::-1]) == choose_penalty(x, y, PENALTIES, Control())
