"""Sequential p-values: the rule, that they are valid, and what they save."""

import numpy as np
import pytest

from consilience_server.core.calibration import calibrate
from consilience_server.core.sequential_test import sequential_p


def test_by_the_rule():
    null = np.array([0.1, 0.6, 0.2, 0.5, 0.9, 0.4])
    found = sequential_p(0.5, null, 2, 100)
    assert (found.p_value, found.drawn) == (2 / 4, 4)
    assert sequential_p(0.5, null[:4], 2, 100) == found  # what comes later does not matter
    assert sequential_p(0.5, null, 4, 100) is None
    assert sequential_p(0.5, null, 4, 6).p_value == (1 + 3) / 7
    assert sequential_p(0.5, null, 4, 6).drawn == 6
    assert sequential_p(0.5 + 1e-14, null, 2, 100) == found  # the last bits do not decide


def test_where_nothing_is_saved_it_is_the_usual_p():
    draw = np.random.default_rng(0)
    null = draw.random(99)
    assert sequential_p(2.0, null, 10, 99).p_value == calibrate(2.0, null, 0.05).p_value == 0.01


@pytest.mark.parametrize(("stop_after", "most"), [(1, 19), (5, 99), (10, 999)])
def test_it_is_valid_at_every_level_and_stops_early_where_there_is_nothing(stop_after, most):
    draw, draws = np.random.default_rng(1), 4000
    found = [sequential_p(scores[0], scores[1:], stop_after, most) for scores in draw.random((draws, most + 1))]
    p_values = np.array([each.p_value for each in found])
    for level in (0.01, 0.05, 0.1, 0.3):
        rejected = (p_values <= level + 1e-12).mean()
        assert rejected <= level + 3.5 * (level * (1 - level) / draws) ** 0.5
    assert np.mean([each.drawn for each in found]) < 0.5 * most or most == 19
