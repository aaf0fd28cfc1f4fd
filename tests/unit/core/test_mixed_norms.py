import numpy as np
import pytest

from consilience_server.core.mixed_norms import mixed_norms


def lengths(vectors):
    return np.linalg.norm(vectors.astype(np.float32).astype(np.float64), axis=1)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("scale", [0.03, 1 / 8, 1.0, 20.0])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_mixture_of_unit_and_other_rows_is_told(scale, share):
    rows = scale * np.random.default_rng(0).standard_normal((1000, 64))
    translated = int(share * 1000)
    rows[:translated] = unit(rows[:translated])
    found = mixed_norms(lengths(rows))
    assert (found.unit_rows, found.rows) == (translated, 1000)
    assert found.p_value < 1e-6


def test_one_source_is_no_mixture():
    rng = np.random.default_rng(1)
    assert mixed_norms(lengths(unit(rng.standard_normal((500, 32))))) is None
    assert mixed_norms(lengths(np.eye(30)[rng.integers(0, 30, 500)])) is None
    assert mixed_norms(lengths(rng.integers(0, 2, (500, 6)).astype(float))) is None
    few = rng.standard_normal((500, 32))
    few[:3] = unit(few[:3])
    assert mixed_norms(lengths(few)) is None


def test_continuous_lengths_around_one_raise_no_false_alarm():
    """Dense around 1, as of encoders that nearly normalise: 3,000 spaces, of which at most 3 may be told at the level of .001."""
    rng = np.random.default_rng(2)
    alarms = sum(mixed_norms(1.0 + spread * rng.standard_normal(2000)) is not None for spread in (1e-5, 1e-3, 1e-1) for _ in range(1000))
    assert alarms <= 3
