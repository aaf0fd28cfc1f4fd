import numpy as np
import pytest

from consilience_server.core.csls import csls, neighbourhood_mean


def test_a_hand_example():
    similarities = np.array([[0.9, 0.8, 0.1], [0.7, 0.8, 0.2]])
    # k = 1: r_T = (.9, .8), r_S = (.9, .8, .2).
    expected = 2 * similarities - np.array([[0.9], [0.8]]) - np.array([[0.9, 0.8, 0.2]])
    assert np.allclose(csls(similarities, 1), expected)


def test_the_definition_item_by_item():
    rng = np.random.default_rng(0)
    s = rng.standard_normal((9, 14))
    got = csls(s, 4)
    for q in range(9):
        for t in range(14):
            r_t = sum(sorted(s[q])[-4:]) / 4
            r_s = sum(sorted(s[:, t])[-4:]) / 4
            assert got[q, t] == pytest.approx(2 * s[q, t] - r_t - r_s)


def test_the_mean_of_a_table_looks_only_at_its_first_columns():
    scores = np.array([[3.0, 2.0, -100.0], [1.0, 1.0, -100.0]])
    assert neighbourhood_mean(scores, 2).tolist() == [2.5, 1.0]


def test_a_hub_loses_to_the_true_partner():
    # Item 0 is near to every query; each query's own partner is a little less near.
    similarities = np.full((5, 6), 0.1)
    similarities[:, 0] = 0.8
    similarities[np.arange(5), np.arange(1, 6)] = 0.75
    assert (similarities.argmax(axis=1) == 0).all()
    assert csls(similarities, 2).argmax(axis=1).tolist() == [1, 2, 3, 4, 5]
