"""Items beside an index: none is lost, and recall measured with them is that of new queries."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.held_out_items import IndexWithHeldOut, held_out_rows


class Nothing:
    """An index that finds nothing."""

    name = "hnsw"
    nbytes = 10

    def search(self, queries, count, effort, control):
        return np.full((len(queries), count), -1)


def test_an_eighth_stays_outside_and_at_most_256():
    for n, held in ((1, 0), (7, 0), (8, 1), (80, 10), (100_000, 256)):
        rows = held_out_rows(n)
        assert (len(rows), len(set(rows))) == (held, held)
        assert np.array_equal(rows, np.sort(rows))
        assert np.array_equal(rows, held_out_rows(n))
        assert ((rows >= 0) & (rows < n)).all()


@pytest.mark.parametrize("similarity", list(Similarity))
def test_what_is_outside_is_found_by_its_row(similarity):
    x = np.random.default_rng(0).standard_normal((100, 9)).astype(np.float32)
    held = np.array([3, 50, 51, 98])
    index = IndexWithHeldOut(Nothing(), np.setdiff1d(np.arange(100), held), held, x[held], similarity)
    rows = index.search(x[:7], 2, 1, Control())
    assert (rows[:, :2] == -1).all()
    best = held[np.argsort(-exact_scores(x[:7], x[held], similarity), axis=1)[:, :2]]
    assert np.array_equal(np.sort(rows[:, 2:]), np.sort(best))
    assert index.search(x[:7], 60, 1, Control()).shape == (7, 64)
    assert index.nbytes > 10 + 8 * 100


@pytest.mark.parametrize("name", ["hnsw", "ivf"])
def test_every_item_finds_itself_with_enough_effort(name):
    x = np.random.default_rng(1).standard_normal((500, 12)).astype(np.float32)
    index = ApproximateIndexes(1, "cpu").build(name, x, Similarity.COSINE, Control())
    assert (index.search(x, 3, 4096, Control()) == np.arange(500)[:, None]).sum(axis=1).tolist() == [1] * 500


def test_recall_of_what_is_outside_is_that_of_new_queries_and_of_what_is_inside_is_not():
    random = np.random.default_rng(2)
    x, new = random.standard_normal((3000, 256)).astype(np.float32), random.standard_normal((200, 256)).astype(np.float32)
    index = ApproximateIndexes(1, "cpu").build("hnsw", x, Similarity.COSINE, Control())

    def recall(queries, own=None):
        scores = exact_scores(queries, x, Similarity.COSINE)
        found = index.search(queries, 5, 32, Control())
        if own is not None:
            scores[np.arange(len(own)), own] = -np.inf
        best = np.argsort(-scores, axis=1)[:, :4]
        return np.mean([len(set(line) & set(right)) / 4 for line, right in zip(found, best, strict=True)])

    held = held_out_rows(3000)
    inside = np.setdiff1d(np.arange(3000), held)[:200]
    outside, fresh = recall(x[held], held), recall(new)
    assert abs(outside - fresh) < 0.06
    assert recall(x[inside], inside) > fresh + 0.15
