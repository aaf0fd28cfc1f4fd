"""Matches under every correction against a brute-force oracle in float64: rows, scores and raw similarities, however they are asked."""

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.matching import MatchQuery
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.csls import csls
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.inverted_softmax import inverted_softmax, log_sum_exp
from consilience_server.core.margin import margin_distance, margin_ratio
from consilience_server.core.neighbours import nearest
from consilience_server.core.similarity import Similarity

IDS = np.array([f"i{row:04d}" for row in range(200)], dtype=object)
X, Y = paired_clouds()
CORRECTIONS = ("csls", "inverted_softmax", "margin_ratio", "margin_distance")
ORACLES = {
    "csls": lambda s: csls(s, 6),
    "margin_ratio": lambda s: margin_ratio(s, 6),
    "margin_distance": lambda s: margin_distance(s, 6),
    "inverted_softmax": lambda s: inverted_softmax(s, 12.0),
}


@pytest.fixture
async def bench():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    return bench


async def match(bench, correction, **options):
    reports = []

    def encode(report):
        reports.append(report)
        return b"encoded"

    query = MatchQuery(correction=correction, correction_k=6, beta=12.0, **options)
    await bench.matching.match(Call("match"), query, encode)
    return reports[0]


def similarities(bench):
    ready = make_ready(bench.bridges.get("b").map)
    return exact_scores(map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control()), Similarity.COSINE)


def check(report, scores, raw, ids=IDS):
    rows, best = nearest(scores, report.scores.shape[1])
    assert list(report.ids) == ids[rows.ravel()].tolist()
    assert np.allclose(report.scores, best, rtol=1e-8, atol=1e-8)
    assert np.array_equal(report.similarities, np.take_along_axis(raw, rows, axis=1))


@pytest.mark.parametrize("correction", CORRECTIONS)
async def test_through_a_bridge(bench, correction):
    raw = similarities(bench)
    scores = ORACLES[correction](raw)
    report = await match(bench, correction, bridge="b", k=9, ids=IDS.tolist())
    check(report, scores, raw)
    assert report.correction == correction
    softmax = correction == "inverted_softmax"
    assert (report.correction_k, report.beta) == ((0, 12.0) if softmax else (6, 0.0))
    few = await match(bench, correction, bridge="b", k=5, vectors=X[20:23])
    check(few, scores[20:23], raw[20:23])


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("left_out", [3, 150])
async def test_part_of_the_gallery_is_the_full_ranking_without_the_rest(bench, correction, left_out):
    raw = similarities(bench)
    scores = ORACLES[correction](raw)
    gone = np.random.default_rng(left_out).choice(200, left_out, replace=False)
    scores[:, gone] = -np.inf
    report = await match(bench, correction, bridge="b", k=9, ids=IDS[:40].tolist(), exclude_ids=IDS[gone].tolist())
    check(report, scores[:40], raw[:40])
    assert report.gallery_items == 200 - left_out


def within(similarity):
    """Similarities of a space with itself, r of every item, and the log-sum of the others."""
    raw = exact_scores(X, X, similarity)
    others = raw.copy()
    np.fill_diagonal(others, -np.inf)
    return raw, -np.sort(-others, axis=1)[:, :6].mean(axis=1), log_sum_exp(12.0 * others) if similarity is Similarity.COSINE else None


@pytest.mark.parametrize("correction", CORRECTIONS)
async def test_within_a_space_no_item_is_its_own_neighbour(correction):
    bench = BridgeBench()
    bench.space("x", X)
    raw, r, partition = within(Similarity.COSINE)
    near = {"ids": r, "vectors": -np.sort(-raw, axis=1)[:, :6].mean(axis=1)}
    for by, own in (("ids", -np.inf), ("vectors", 0.0)):
        mean = (near[by][:, None] + r[None, :]) / 2
        scores = {
            "csls": 2 * raw - 2 * mean,
            "margin_distance": raw - mean,
            "margin_ratio": raw / np.maximum(mean, 1e-6),
            "inverted_softmax": 12.0 * raw - partition[None, :],
        }[correction]
        np.fill_diagonal(scores, scores.diagonal() + own)
        asked = {"ids": IDS[:30].tolist()} if by == "ids" else {"vectors": X[:30]}
        check(await match(bench, correction, space=SpaceQuery("x"), k=4, **asked), scores[:30], raw[:30])


@pytest.mark.parametrize("similarity", [Similarity.INNER_PRODUCT, Similarity.SQUARED_L2])
async def test_what_is_defined_for_cosine_is_refused_elsewhere(similarity):
    bench = BridgeBench()
    bench.space("x", X, similarity=similarity)
    for correction in ("inverted_softmax", "margin_ratio"):
        with pytest.raises(errors.InvalidArgument, match=f"{correction} is defined for cosine.*{similarity}; use csls") as caught:
            await match(bench, correction, space=SpaceQuery("x"), k=4, vectors=X[:2])
        assert caught.value.field == "correction"
    raw, r, _ = within(similarity)
    near = -np.sort(-raw, axis=1)[:, :6].mean(axis=1)
    scores = raw - (near[:, None] + r[None, :]) / 2
    check(await match(bench, "margin_distance", space=SpaceQuery("x"), k=4, vectors=X[:9]), scores[:9], raw[:9])


async def test_terms_are_computed_once_for_what_they_depend_on(bench):
    bench.engine.asked.clear()
    for correction in ("csls", "margin_distance", "margin_ratio"):
        await match(bench, correction, bridge="b", k=2, vectors=X[:1] + 1)
    assert len([asked for asked in bench.engine.asked if asked[0] == 200]) == 1


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan"), float("inf"), 2e6])
async def test_a_bad_temperature_is_refused(bench, beta):
    with pytest.raises(errors.InvalidArgument, match=r"beta is .*above 0 and at most 1,000,000") as caught:
        await bench.matching.match(Call("match"), MatchQuery(bridge="b", vectors=X[:1], correction="inverted_softmax", beta=beta), bytes)
    assert caught.value.field == "beta"


async def test_a_bank_needs_somebody():
    bench = BridgeBench()
    bench.space("x", X[:1])
    with pytest.raises(errors.TooFewItems, match="needs another one as its bank"):
        await match(bench, "inverted_softmax", space=SpaceQuery("x"), k=1, vectors=X[:1])
