"""The calibrated score of unrelated spaces is above 0 no more often than alpha, for a metric of each family."""

import numpy as np
import pytest
from scipy import stats

from consilience import align_arrays
from consilience_server.app.metric_families.registry import FAMILIES


@pytest.mark.parametrize("metric", [min(family.metrics) for family in FAMILIES])
def test_unrelated_spaces_are_calibrated_to_nothing(metric):
    draw, draws, alpha, above = np.random.default_rng(11), 25, 0.1, 0
    for seed in range(draws):
        x, y = draw.normal(size=(2, 40, 5))
        report = align_arrays(x, y, k=4, metric=metric, permutations=19, seed=seed, alpha=alpha, interval_kind="queries")
        above += report.calibrated > 0
        assert (report.calibrated > 0) <= (report.p_value <= alpha)
    assert above <= stats.binom.ppf(0.999, draws, alpha)
