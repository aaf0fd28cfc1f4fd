import numpy as np
import pytest
from scipy.optimize import curve_fit

from consilience_server.core.learning_forecast import _logit_line, _power_law, forecast

SIZES = [60, 125, 250, 500, 1000]


def asked(recalls, queries, seed):
    """Nested hits, as of one set of queries of unlike difficulty."""
    return np.random.default_rng(seed).random(queries) < np.asarray(recalls)[:, None]


def curve(n, plateau=0.7, a=4.0, b=0.6):
    return plateau - a * np.asarray(n, dtype=float) ** -b


def test_the_power_law_is_that_of_a_general_fit():
    truth = curve(SIZES)
    found, plateaus = _power_law(np.array(SIZES, float), truth[None], np.full(5, 0.02), np.array([5000.0]))
    (plateau, a, b), _ = curve_fit(lambda n, *at: at[0] - at[1] * n ** -at[2], SIZES, truth, p0=(0.6, 3.0, 0.5))
    assert plateaus[0] == pytest.approx(plateau, abs=2e-3)
    assert found[0, 0] == pytest.approx(plateau - a * 5000.0**-b, abs=2e-3)


def test_the_line_is_that_of_a_weighted_fit():
    truth, errors = curve(SIZES), np.array([0.02, 0.03, 0.02, 0.025, 0.02])
    slope, start = np.polyfit(np.log(SIZES), np.log(truth / (1 - truth)), 1, w=truth * (1 - truth) / errors)
    found = _logit_line(np.array(SIZES, float), truth[None], errors, np.array([5000.0]))
    assert found[0, 0] == pytest.approx(1 / (1 + np.exp(-start - slope * np.log(5000))), abs=1e-12)


def test_intervals_hold_what_comes():
    """Of 40 curves, what is measured with eight times the pairs lies within the interval in nine of ten or more."""
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = {"plateau": rng.uniform(0.4, 1.0), "a": rng.uniform(1, 3), "b": rng.uniform(0.4, 0.8)}
        found = forecast(SIZES, asked(np.clip(curve(SIZES, **truth), 0, 1), 400, seed), [8000], rng)
        inside.append(found.low[0] <= curve(8000, **truth) <= found.high[0])
    assert np.mean(inside) >= 0.9


def test_a_flat_curve_stays_and_a_perfect_one_too():
    rng = np.random.default_rng(0)
    flat = forecast(SIZES, asked([0.5] * 5, 1000, 0), [4000], rng)
    assert flat.recall[0] == pytest.approx(0.5, abs=0.03)
    assert flat.plateau == pytest.approx(0.5, abs=0.03)
    perfect = forecast(SIZES, np.ones((5, 100), dtype=bool), [4000], rng)
    assert perfect.recall[0] > 0.99
    assert perfect.low[0] < 0.985  # a hundred that all hit do not say that the next one will
    assert perfect.high[0] == 1.0
    assert perfect.low[0] <= perfect.recall[0] <= perfect.high[0]


def test_recall_never_falls_with_pairs():
    found = forecast(SIZES, asked([0.4, 0.3, 0.35, 0.3, 0.32], 300, 1), [2000, 4000, 8000], np.random.default_rng(0))
    assert (np.diff(found.recall) >= -1e-12).all()
