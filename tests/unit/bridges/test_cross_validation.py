import numpy as np
import pytest

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.cross_validation import retrieval_votes
from consilience_server.bridges.fit import Fits
from consilience_server.bridges.joined_values import appearance
from consilience_server.core.control import Control
from consilience_server.core.retrieval import partner_ranks


def folds_of(groups):
    """The rows each fold kept, told by their first column."""
    rows = np.arange(len(groups), dtype=np.float64)[:, None] + 1
    kept = []

    def fit(x, _y):
        kept.append(set((x[:, 0] - 1).astype(int).tolist()))
        return lambda queries, gallery: iter([queries @ gallery.T])

    votes = retrieval_votes(rows, rows, 1, fit, Control(), groups)
    return kept, votes


def test_groups_are_numbered_by_their_first_rows():
    assert appearance(np.array([7, 3, 7, 0, 3])).tolist() == [0, 1, 0, 2, 1]


def test_no_fold_tears_a_group_apart():
    groups = np.random.default_rng(0).integers(0, 23, 120)
    kept, votes = folds_of(groups)
    assert len(kept) == 5
    for rows in kept:
        out = set(range(120)) - rows
        assert not {groups[row] for row in rows} & {groups[row] for row in out}
    assert votes.asked == 120


def test_groups_of_one_are_folds_of_rows():
    assert folds_of(np.arange(40)[::-1])[0] == [set(range(40)) - set(range(fold, 40, 5)) for fold in range(5)]


@pytest.mark.parametrize(("sizes", "asked"), [((60, 40), 40), ((50, 50), 100), ((100,), 100), ((90, 5, 5), 10)])
def test_few_groups_vote_where_enough_is_left(sizes, asked):
    kept, votes = folds_of(np.repeat(np.arange(len(sizes)), sizes))
    assert votes.asked == asked
    assert all(len(rows) >= 50 for rows in kept)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_penalty_is_chosen_for_new_things(seed):
    """Five views of each thing: the fold of a torn thing asks for what the fit has seen, and its choice is worse on things it has not."""
    rng = np.random.default_rng(seed)
    views, width = 5, 48
    rotation = np.linalg.qr(rng.standard_normal((width, width)))[0]

    def clouds(things):
        base = rng.standard_normal((things, width))
        partner = base @ rotation + 0.3 * rng.standard_normal((things, width))
        return [np.repeat(side, views, axis=0) + 0.3 * rng.standard_normal((things * views, width)) for side in (base, partner)]

    order = rng.permutation(40 * views)
    x, y = (side[order].astype(np.float32) for side in clouds(40))
    new_x, new_y = (side[::views].astype(np.float32) for side in clouds(500))

    def recall(groups):
        fitted, tuning = Fits(x, y, (1e-4, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0), Control(), groups).fit("ridge")
        ready = make_ready(fitted)
        ranks = partner_ranks(map_vectors(ready, new_x, Control()), centre_gallery(ready, new_y, Control()), np.arange(500))
        return tuning.penalty, (1.0 / ranks).mean()

    torn, whole = recall(None), recall(np.repeat(np.arange(40), views)[order])
    assert torn[0] > whole[0]
    assert whole[1] > torn[1]
