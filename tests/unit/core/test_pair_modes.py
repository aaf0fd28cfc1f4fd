import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.pair_modes import PAIR_MODES, Candidates, select_pairs


def candidates(scores):
    return (
        Candidates(scores.argmax(axis=1), scores.max(axis=1)),
        Candidates(scores.argmax(axis=0), scores.max(axis=0)),
    )


def matrices():
    rng = np.random.default_rng(0)
    for trial in range(60):
        m, n = rng.integers(1, 12, 2)
        scores = rng.standard_normal((m, n))
        yield scores if trial % 2 else np.round(scores, 0) + 0.0  # half with many ties


@pytest.mark.parametrize("mode", PAIR_MODES)
def test_order_and_sides(mode):
    for scores in matrices():
        found = select_pairs(mode, *candidates(scores))
        assert [tuple(key) for key in zip(-found.scores, found.sources, found.targets, strict=True)] == sorted(
            zip(-found.scores, found.sources, found.targets, strict=True)
        )
        np.testing.assert_array_equal(found.scores, scores[found.sources, found.targets])
        if mode == "forward":
            assert sorted(found.sources) == list(range(scores.shape[0]))
        if mode == "backward":
            assert sorted(found.targets) == list(range(scores.shape[1]))


def test_max_is_a_greedy_matching_of_the_union():
    for scores in matrices():
        forward, backward = candidates(scores)
        union = {(a, int(b)) for a, b in enumerate(forward.partners)} | {(int(a), b) for b, a in enumerate(backward.partners)}
        found = select_pairs("max", forward, backward)
        chosen = list(zip(found.sources.tolist(), found.targets.tolist(), strict=True))
        assert set(chosen) <= union
        assert len({a for a, _ in chosen}) == len({b for _, b in chosen}) == len(chosen)
        place = {pair: (-scores[pair], *pair) for pair in union}
        for pair in union - set(chosen):
            # Whatever is left out stands behind a chosen pair that has one of its items.
            assert any((pair[0] == a or pair[1] == b) and place[a, b] < place[pair] for a, b in chosen)


def test_with_distinct_scores_max_has_all_mutual_pairs_and_more():
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((80, 60))
    mutual, greedy = (select_pairs(mode, *candidates(scores)) for mode in ("intersect", "max"))
    assert set(zip(mutual.sources, mutual.targets, strict=True)) < set(zip(greedy.sources, greedy.targets, strict=True))


def test_max_hears_cancellation():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        select_pairs("max", *candidates(np.eye(3)), control)
