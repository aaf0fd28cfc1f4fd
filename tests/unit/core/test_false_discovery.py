import numpy as np
import pytest
from scipy.stats import false_discovery_control

from consilience_server.core.false_discovery import benjamini_hochberg


@pytest.mark.parametrize("m", [1, 2, 15, 204])
def test_equals_scipy(m):
    p_values = np.round(np.random.default_rng(m).random(m), 2).clip(0.01)
    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values), abs=1e-15)


def test_the_worked_example_of_the_paper():
    p_values = np.array(
        [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    )
    # Benjamini and Hochberg 1995, section 4: at .05 the four smallest are rejected.
    assert (benjamini_hochberg(p_values) <= 0.05).sum() == 4


def test_rounding_takes_no_q_value_below_its_p_value():
    p_values = np.random.default_rng(0).integers(1, 1001, (2000, 3)) / 1000
    assert all((benjamini_hochberg(row) >= row).all() for row in p_values)
