import numpy as np
import pytest

from consilience_server.bridges.choose import METHODS
from consilience_server.bridges.cross_validation import fold_sizes, retrieval_votes
from consilience_server.bridges.fit_cost import fit_flops
from consilience_server.core.control import Control


@pytest.mark.parametrize("pairs", [20, 1000, 2600, 12_000])
def test_folds_are_those_that_vote(pairs):
    asked = []

    def fit(_x, _y):
        def scores(queries, gallery):
            asked.append((len(queries), len(gallery)))
            return iter([queries @ gallery.T])

        return scores

    rows = np.random.default_rng(0).standard_normal((pairs, 2))
    retrieval_votes(rows, rows, 1, fit, Control())
    folds, queries, gallery = fold_sizes(pairs)
    assert len(asked) == folds
    assert asked[-1] == (queries, gallery)


def test_more_of_anything_costs_more():
    least = fit_flops(["ridge"], 500, 64, 64, 11)
    assert 0 < least < fit_flops(["ridge"], 1000, 64, 64, 11)
    assert least < fit_flops(["ridge"], 500, 128, 64, 11)
    assert least < fit_flops(["ridge", "affine"], 500, 64, 64, 11) < fit_flops(METHODS, 500, 64, 64, 11)
    assert fit_flops(["identity", "mean_shift"], 500, 64, 64, 11) == 0
