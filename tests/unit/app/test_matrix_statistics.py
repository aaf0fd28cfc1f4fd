import numpy as np
import pytest
from scipy.stats import false_discovery_control

from consilience_server.app.matrix_statistics import matrix_statistics
from consilience_server.core.calibration import calibrate
from consilience_server.core.max_t import max_t
from consilience_server.core.score import Interval, Score

DRAW = np.random.default_rng(0)


def score(value, draws=99):
    null = DRAW.normal(0.1, 0.02, draws) if draws else None
    p_value = calibrate(value, null, 0.05).p_value if draws else None
    return Score(10, value, 0.1, 0.0, Interval(value, value, 0.95, "items"), p_value=p_value, null=null)


def scores(values, draws=99, *, both=False):
    count = len(values)
    found = {(i, j): score(values[i][j], draws) for i in range(count) for j in range(i + 1, count)}
    if both:
        found |= {(j, i): score(values[j][i], draws) for i, j in tuple(found)}
    return {**found, **{(i, i): score(1.0, 0) for i in range(count)}}


VALUES = np.array([[1.0, 0.9, 0.11, 0.1], [0.9, 1.0, 0.14, 0.12], [0.11, 0.14, 1.0, 0.5], [0.1, 0.12, 0.5, 1.0]])


def test_both_corrections_are_over_all_pairs():
    found = scores(VALUES)
    told = matrix_statistics(found, VALUES, "common", 0.05)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    expected = max_t(np.array([found[pair].score for pair in pairs]), np.stack([found[pair].null for pair in pairs]))
    q_values = false_discovery_control([found[pair].p_value for pair in pairs])
    for at, (i, j) in enumerate(pairs):
        assert told.p_adjusted[i, j] == told.p_adjusted[j, i] == expected[at]
        assert told.q_values[i, j] == told.q_values[j, i] == pytest.approx(q_values[at])
    assert np.isnan(np.diag(told.p_adjusted)).all()
    assert told.p_adjusted[0, 1] == 0.01
    assert told.cautions == (
        "with 99 permutations one pair of 6 alone cannot reach a q-value of 0.05; ask 119 permutations, or read the adjusted p-values",
    )


def test_directions_are_pairs_of_their_own():
    values = VALUES.copy()
    values[1, 0] = 0.1
    told = matrix_statistics(scores(values, both=True), values, "common", 0.05)
    assert told.p_adjusted[0, 1] < 0.05 < told.p_adjusted[1, 0]


def test_pairs_over_their_own_items_have_no_maximum():
    told = matrix_statistics(scores(VALUES), VALUES, "pairwise", 0.05)
    assert told.p_adjusted is None
    assert told.q_values is not None
    assert "share no pairings" in told.cautions[0]


def test_without_permutations_only_the_map_and_the_order_are_told():
    told = matrix_statistics(scores(VALUES, 0), VALUES, "common", 0.05)
    assert told.p_adjusted is told.q_values is None
    assert told.cautions == ()
    assert told.coordinates.shape == (4, 2)
    apart = np.linalg.norm(told.coordinates[:, None] - told.coordinates[None], axis=2)
    assert apart[0, 1] < apart[0, 2]
    assert told.order in {(0, 1, 2, 3), (0, 1, 3, 2), (1, 0, 2, 3), (1, 0, 3, 2)}
    assert 0 < told.explained <= 1
