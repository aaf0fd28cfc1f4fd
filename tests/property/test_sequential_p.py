"""Stopped permutations: the answer of drawing one by one, for every metric, however they are batched."""

import numpy as np
import pytest

from consilience import align_arrays
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.core.sequential_test import sequential_p


def spaces(noise, n=48):
    draw = np.random.default_rng(5)
    x = draw.normal(size=(n, 4))
    return x, x @ draw.normal(size=(4, 5)) + noise * draw.normal(size=(n, 5))


@pytest.mark.parametrize("metric", sorted(FAMILY_OF))
def test_batches_are_the_full_null_cut_short(metric):
    x, y = spaces(6.0)
    given = {"k": [5, 3], "metric": metric, "permutations": 450, "interval_kind": "queries"}
    full, found = align_arrays(x, y, **given), align_arrays(x, y, stop_after=40, **given)
    for k, entry in found.by_k.items():
        expected = sequential_p(entry.score, full.by_k[k].null, 40, 450)
        assert (entry.p_value, entry.permutations) == (expected.p_value, expected.drawn)
        assert entry.score == full.by_k[k].score
        assert (entry.calibrated, entry.threshold, entry.null_mean, entry.null_sd, entry.null) == (None,) * 5
    assert found.stop_after == 40


def test_interval_and_exact_chance_are_those_of_the_full_answer():
    x, y = spaces(2.0)
    full, found = (align_arrays(x, y, k=5, permutations=999, stop_after=stop) for stop in (0, 5))
    assert (found.chance, found.interval) == (full.chance, full.interval)
    assert found.p_value == full.p_value == 0.001
    assert found.headline.permutations == 999
    soon = align_arrays(*spaces(1e6), k=5, permutations=9999, stop_after=5)
    assert soon.headline.permutations < 300
    assert f"({soon.headline.permutations} of 9,999 permutations)" in repr(soon)
    assert "until 5 of them scored as high (Besag and Clifford 1991" in soon.cite()
