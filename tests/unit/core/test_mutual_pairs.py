import numpy as np

from consilience_server.core.mutual_pairs import mutual_pairs


def test_only_each_others_nearest():
    forward = np.array([2, 0, 2, 1])
    backward = np.array([1, 0, 2])
    # 0 -> 2 but 2 -> 2; 1 -> 0 -> 1; 2 -> 2 -> 2; 3 -> 1 but 1 -> 0.
    assert mutual_pairs(forward, backward).tolist() == [1, 2]


def test_by_brute_force():
    rng = np.random.default_rng(0)
    for _ in range(50):
        s = rng.standard_normal((rng.integers(1, 9), rng.integers(1, 9)))
        forward, backward = s.argmax(axis=1), s.argmax(axis=0)
        expected = [i for i in range(s.shape[0]) if s[i, forward[i]] == s[i].max() == s[:, forward[i]].max()]
        assert mutual_pairs(forward, backward).tolist() == expected
