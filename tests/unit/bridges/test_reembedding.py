import numpy as np
import pytest

from consilience_server.bridges.mixed_gallery import Scale, mixed_lists, scale_of
from consilience_server.bridges.reembedding import curve_sizes, order_items, reembedding
from consilience_server.bridges.upgrade_lists import Side
from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.relevance import Relevance
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

ENGINE, CONTROL = ExactNeighbours(FaissCpuScan(1), 1), Control()


def sides(n=60, m=20, seed=0):
    rng = np.random.default_rng(seed)
    new, old = (rng.standard_normal((n, width)).astype(np.float32) for width in (7, 5))
    queries = rng.permutation(n)[:m]
    return Side(new[queries], new, Similarity.COSINE), Side(old[queries], old, Similarity.COSINE), queries


@pytest.mark.parametrize("natives", [0, 1, 6, 10, 11, 30, 50, 55, 60])
def test_the_best_of_both_sources_by_standardised_score(natives):
    native, translated, own = sides()
    is_native = np.zeros(60, dtype=bool)
    is_native[np.random.default_rng(1).permutation(60)[:natives]] = True
    scales = (Scale(0.1, 0.3), Scale(-0.2, 0.5))
    found = mixed_lists(native, translated, scales, is_native, own, 10, ENGINE, CONTROL)
    scores = [
        scale.standardised(exact_scores(side.queries, side.gallery, side.similarity))
        for side, scale in zip((native, translated), scales, strict=True)
    ]
    merit = np.where(is_native, scores[0], scores[1])
    merit[np.arange(len(own)), own] = -np.inf
    assert found.tolist() == np.argsort(-merit, axis=1, kind="stable")[:, :10].tolist()


@pytest.mark.parametrize("similarity", list(Similarity))
def test_a_scale_is_mean_and_deviation_of_scores(similarity):
    rng = np.random.default_rng(2)
    queries, gallery = (rng.standard_normal((count, 6)).astype(np.float32) for count in (9, 31))
    scores = exact_scores(queries, gallery, similarity)
    scale = scale_of(queries, gallery, similarity)
    assert (scale.mean, scale.deviation) == pytest.approx((scores.mean(), scores.std()))


def test_a_source_without_spread_is_not_divided_by_zero():
    ones = np.ones((4, 3), dtype=np.float32)
    assert scale_of(ones, ones, Similarity.INNER_PRODUCT).deviation == 1.0


@pytest.mark.parametrize(("n", "sizes"), [(80, (0, 10, 20, 40, 80)), (9000, (0, 1000, 2000, 4000, 8000, 9000)), (3, (0, 1, 3))])
def test_the_curve_goes_by_thousands(n, sizes):
    assert curve_sizes(n) == sizes


def test_what_most_queries_miss_comes_first():
    # Items 5 and 6 are wanted by two queries and one; of those nobody misses, the ones around a losing query come first.
    relevance = Relevance(np.array([0, 0, 1, 1]), np.array([1, 5, 5, 6]), np.ones(4), 2)
    lists = np.array([[1, 2, 3], [2, 3, 4]])
    around = np.array([[1, 2], [3, 2]])
    order, missed = order_items(relevance, lists, around, 8, np.arange(8, dtype=np.uint64))
    assert order.tolist() == [5, 6, 2, 3, 1, 0, 4, 7]
    assert missed.tolist() == [2, 1, 0, 0, 0, 0, 0, 0]


def test_re_embedding_where_it_is_lost_beats_random_items():
    """A quarter of the items is unknown to the old encoder; queries near these lose all, others nothing."""
    rng = np.random.default_rng(3)
    n, lost = 800, np.arange(800) < 200
    new = rng.standard_normal((n, 8)) + np.where(lost[:, None], 6.0, -6.0) * np.eye(1, 8)
    old = new.copy()
    old[lost] = rng.standard_normal((200, 8)) + 6.0 * np.eye(1, 8)
    new, old = new.astype(np.float32), old.astype(np.float32)
    own = rng.permutation(n)[:400]
    native, translated = Side(new[own], new, Similarity.COSINE), Side(new[own], old, Similarity.COSINE)
    truth, found = (
        ENGINE.query(side.queries, side.gallery, side.similarity, 10, exclude=own, control=CONTROL).indices[:, :10]
        for side in (native, translated)
    )
    told = reembedding(native, translated, Relevance.of_lists(truth), found, own, tie_keys("x", map(str, range(n))), ENGINE, CONTROL)
    assert (told.chosen_on, told.measured_on) == (200, 200)
    assert lost[told.order[:200]].mean() > 0.9
    none, _, quarter, _, everything = told.curve
    assert quarter.items == 200
    assert quarter.recall.value > quarter.at_random + 0.1
    assert quarter.gain.low > 0.1
    assert quarter.per_thousand == pytest.approx(5 * quarter.gain.value)
    assert (none.gain.value, everything.recall.value) == (0.0, 1.0)


def test_the_order_knows_nothing_of_the_queries_that_measure():
    native, translated, own = sides(200, 60)
    hashes = tie_keys("x", map(str, range(200)))
    lists = [
        ENGINE.query(side.queries, side.gallery, side.similarity, 10, exclude=own, control=CONTROL).indices for side in (native, translated)
    ]
    truth, found = (each[:, :10].copy() for each in lists)
    first = reembedding(native, translated, Relevance.of_lists(truth), found, own, hashes, ENGINE, CONTROL)
    truth[1::2], found[1::2] = np.arange(10), np.arange(100, 110)
    second = reembedding(native, translated, Relevance.of_lists(truth), found, own, hashes, ENGINE, CONTROL)
    assert first.order.tolist() == second.order.tolist()
    assert first.curve != second.curve
