import numpy as np
import pytest

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.pmi import PmiOptions, check_pmi_options, pmi

COUNTS = np.array([[4.0, 2, 0], [2, 0, 6], [0, 6, 1]])


def test_by_hand():
    found = pmi(COUNTS, PmiOptions(positive=False))
    assert found[0, 1] == pytest.approx(np.log(2 * 21 / (6 * 8)))
    assert found[1, 2] == pytest.approx(np.log(6 * 21 / (8 * 7)))
    assert found[0, 2] == -np.inf
    np.testing.assert_allclose(found, found.T)
    positive = pmi(COUNTS, PmiOptions())
    assert positive[0, 1] == positive[0, 2] == 0.0
    assert positive[1, 2] == found[1, 2]


def test_a_shift_comes_off_before_negative_values_are_cut():
    plain, shifted = pmi(COUNTS, PmiOptions(positive=False)), pmi(COUNTS, PmiOptions(shift=np.log(2)))
    np.testing.assert_allclose(shifted, np.maximum(plain - np.log(2), 0))


def test_smoothed_contexts_lose_weight_where_they_are_rare():
    counts = np.array([[90.0, 9, 1], [9, 5, 1], [1, 1, 1]])
    plain, smoothed = pmi(counts, PmiOptions(positive=False)), pmi(counts, PmiOptions(positive=False, context_smoothing=0.75))
    weight = counts.sum(0) ** 0.75
    np.testing.assert_allclose(plain - smoothed, np.tile(np.log(weight / weight.sum()) - np.log(counts.sum(0) / counts.sum()), (3, 1)))
    assert smoothed[0, 2] < plain[0, 2]


def test_added_counts_make_every_pair_possible():
    np.testing.assert_allclose(pmi(COUNTS, PmiOptions(positive=False, smoothing=0.5)), pmi(COUNTS + 0.5, PmiOptions(positive=False)))
    assert np.isfinite(pmi(COUNTS, PmiOptions(positive=False, smoothing=0.5))).all()


def test_things_that_never_occur_have_no_value_and_count_nothing():
    counts = np.pad(COUNTS, ((0, 1), (0, 1)))
    assert np.isnan(pmi(counts, PmiOptions(positive=False))[3]).all()
    np.testing.assert_array_equal(pmi(counts, PmiOptions())[3], 0)


def test_independent_things_have_none():
    marginal = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(pmi(1000 * np.outer(marginal, marginal), PmiOptions(positive=False)), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (PmiOptions(context_smoothing=0.0), "context_smoothing"),
        (PmiOptions(context_smoothing=1.5), "context_smoothing"),
        (PmiOptions(smoothing=-1.0), "smoothing"),
        (PmiOptions(shift=float("nan")), "shift"),
        (PmiOptions(shift=-1.0), "shift"),
    ],
)
def test_what_is_outside_its_range_is_refused(options, field):
    with pytest.raises(InvalidArgument) as refused:
        check_pmi_options(options)
    assert refused.value.field == f"header.{field}"
