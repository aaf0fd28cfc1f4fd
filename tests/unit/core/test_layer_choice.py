import numpy as np

from consilience_server.core.layer_choice import halves, maximum


def test_the_maximum_is_taken_again_in_every_pairing():
    draw = np.random.default_rng(0)
    scores, null = draw.random((3, 4)), draw.random((3, 4, 50))
    found = maximum(scores, null)
    assert found.score == scores.max() == scores[found.at]
    assert [max(null[i, j, b] for i in range(3) for j in range(4)) for b in range(50)] == found.null.tolist()


def test_of_equal_scores_the_first_is_chosen():
    assert maximum(np.array([[0.1, 0.5], [0.5, 0.2]])).at == (0, 1)


def test_scores_below_zero_have_a_maximum_too():
    found = maximum(np.array([[-0.3, -0.1]]))
    assert (found.at, found.score, found.null) == ((0, 1), -0.1, None)


def test_halves_belong_to_the_items():
    keys = np.random.default_rng(1).integers(0, 2**64, 101, dtype=np.uint64)
    choose, judge = halves(keys)
    assert (len(choose), len(judge)) == (50, 51)
    assert sorted([*choose, *judge]) == list(range(101))
    assert keys[choose].max() < keys[judge].min()
    rho = np.random.default_rng(2).permutation(101)
    assert set(keys[rho][halves(keys[rho])[0]]) == set(keys[choose])
