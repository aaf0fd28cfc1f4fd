"""Scores with repeats: the fast path for complete data, gaps, threads, and draws against the definition."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.dual_bootstrap import drawn
from consilience_server.core.errors import Cancelled, ConstantFeatures
from consilience_server.core.noise_ceiling import compare_known
from consilience_server.engine.repeat_scores import repeat_scores

N, R = 14, 4
UPPER = np.triu_indices(N, 1)
COMPARISONS = ["spearman", "pearson", "cosine", "kendall_tau_a", "kendall_tau_b"]


def squares(count, seed, gaps=0.0):
    draw = np.random.default_rng(seed)
    upper = np.triu(draw.random((count, N, N)) + 2 * np.random.default_rng(9).random((N, N)), 1)
    upper[draw.random(upper.shape) < gaps] = np.nan
    return upper + upper.transpose(0, 2, 1)


def by_definition(model, repeat, comparison, items):
    pairs = [(a, b) for at, a in enumerate(items) for b in items[at + 1 :] if a != b]
    return compare_known(*(np.array([side[a, b] for a, b in pairs]) for side in (model, repeat)), comparison)


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_every_number_is_that_of_the_definition(comparison, gaps):
    models, repeats = squares(2, 0), squares(R, 1, gaps)
    found = repeat_scores(models, repeats, comparison, 6, 5, 2, Control())
    everything = list(range(N))
    for model, scores in zip(models, found, strict=True):
        full = np.array([by_definition(model, repeat, comparison, everything) for repeat in repeats])
        assert scores.by_repeat == pytest.approx(full, abs=1e-12)
        assert scores.score == pytest.approx(full.mean())
        for draw in range(6):
            subjects, items = drawn(5, 2 * draw, R), drawn(5, 2 * draw + 1, N)
            of_items = np.array([by_definition(model, repeat, comparison, items.tolist()) for repeat in repeats])
            assert scores.resampled.both[draw] == pytest.approx(of_items[subjects].mean(), abs=1e-12)
            assert scores.resampled.subjects[draw] == pytest.approx(full[subjects].mean(), abs=1e-12)
            assert scores.resampled.items[draw] == pytest.approx(of_items.mean(), abs=1e-12)


def test_threads_decide_nothing():
    one, four = (repeat_scores(squares(1, 0), squares(R, 1), "spearman", 20, 3, threads, Control())[0] for threads in (1, 4))
    assert one.resampled.both.tolist() == four.resampled.both.tolist()


def test_what_is_undefined_on_all_items_is_refused():
    with pytest.raises(ConstantFeatures):
        repeat_scores([np.ones((N, N))], squares(R, 1), "pearson", 0, 0, 1, Control())


def test_a_cancelled_bootstrap_stops():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        repeat_scores(squares(1, 0), squares(R, 1), "pearson", 5, 0, 1, control)
