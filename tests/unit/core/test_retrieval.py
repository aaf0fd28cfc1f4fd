import numpy as np
import pytest
from scipy.stats import binomtest

from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbours import nearest
from consilience_server.core.retrieval import nearest_partners, partner_ranks, recall_at_k, wilson_interval
from consilience_server.core.similarity import Similarity


def oracle_ranks(queries, gallery, partners):
    order, _ = nearest(exact_scores(queries, gallery, Similarity.COSINE), len(gallery))
    return np.array([1 + row.tolist().index(partner) for row, partner in zip(order, partners, strict=True)])


@pytest.mark.parametrize("kind", ["gaussian", "duplicates", "binary", "scaled copies"])
def test_ranks_are_places_in_the_exact_order(kind):
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((90, 33)).astype(np.float32)
    if kind == "duplicates":
        gallery = gallery[rng.integers(0, 10, 90)]
    if kind == "binary":
        gallery = (gallery[:, :6] > 0).astype(np.float32) + np.eye(1, 6, dtype=np.float32)
    if kind == "scaled copies":
        # Equal directions whose cosines differ in the last bits only.
        gallery = gallery[rng.integers(0, 10, 90)] * rng.uniform(0.1, 10, (90, 1)).astype(np.float32)
    partners = rng.integers(0, 90, 40)
    queries = gallery[partners] + (0.0 if kind != "gaussian" else 0.5) * rng.standard_normal((40, gallery.shape[1])).astype(np.float32)
    queries = queries.astype(np.float32)
    assert partner_ranks(queries, gallery, partners).tolist() == oracle_ranks(queries, gallery, partners).tolist()


def test_tiles_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    gallery = np.round(rng.standard_normal((70, 3)), 1).astype(np.float32) + np.float32(0.05)
    partners = rng.integers(0, 70, 30)
    expected = partner_ranks(gallery[partners], gallery, partners)
    monkeypatch.setitem(partner_ranks.__globals__, "_QUERY_ROWS", 7)
    monkeypatch.setitem(partner_ranks.__globals__, "_GALLERY_ROWS", 11)
    assert partner_ranks(gallery[partners], gallery, partners).tolist() == expected.tolist()


def test_it_stops_when_nobody_waits():
    control = Control()
    control.cancel()
    vectors = np.eye(4, dtype=np.float32)
    with pytest.raises(errors.Cancelled):
        partner_ranks(vectors, vectors, np.arange(4), control.check)


@pytest.mark.parametrize("kind", ["gaussian", "duplicates", "scaled copies"])
@pytest.mark.parametrize("tile", [None, 7])
def test_the_nearest_partner_has_the_best_rank_of_any(kind, tile, monkeypatch):
    if tile:
        monkeypatch.setitem(nearest_partners.__globals__, "_QUERY_ROWS", tile)
        monkeypatch.setitem(nearest_partners.__globals__, "_GALLERY_ROWS", tile + 4)
    rng = np.random.default_rng(2)
    gallery = rng.standard_normal((90, 13)).astype(np.float32)
    if kind != "gaussian":
        gallery = gallery[rng.integers(0, 10, 90)]
    if kind == "scaled copies":
        gallery *= rng.uniform(0.1, 10, (90, 1)).astype(np.float32)
    groups = rng.integers(-1, 9, 90)
    asked = rng.permutation(np.repeat(np.arange(9), 5))
    queries = (gallery[rng.integers(0, 90, 45)] + 0.3 * rng.standard_normal((45, 13))).astype(np.float32)
    found = nearest_partners(queries, gallery, asked, groups)
    assert (groups[found] == asked).all()
    every = [oracle_ranks(np.repeat(queries[[i]], 90, axis=0), gallery, np.arange(90)) for i in range(45)]
    best = [ranks[groups == group].min() for ranks, group in zip(every, asked, strict=True)]
    assert partner_ranks(queries, gallery, found).tolist() == best


def test_summaries():
    ranks = np.array([1, 1, 2, 10])
    assert recall_at_k(ranks, 1) == 0.5
    assert recall_at_k(ranks, 9) == 0.75


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 40), (17, 40), (40, 40), (663, 1155)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_equals_scipy(successes, trials, confidence):
    interval = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert wilson_interval(successes, trials, confidence) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_none_and_all_right_end_at_the_very_ends():
    for trials in range(1, 500):
        assert wilson_interval(trials, trials)[1] == 1.0
        assert wilson_interval(0, trials)[0] == 0.0
