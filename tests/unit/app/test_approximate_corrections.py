"""Approximate indexes under a correction: scores by the definition, recall as a referee measures it, one index for equal terms."""

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.matching import MatchQuery
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.inverted_softmax import inverted_softmax
from consilience_server.core.margin import margin_ratio
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import IndexChoice
from consilience_server.engine.biased_form import biased_items, biased_queries

N = 800
IDS = np.array([f"i{row:04d}" for row in range(N)], dtype=object)
X, Y = paired_clouds(n=N, width_x=24, width_y=20, noise=1.0)
HNSW, IVF, HASTY = IndexChoice("hnsw", 128), IndexChoice("ivf", 32), IndexChoice("ivf", 1)


@pytest.mark.parametrize("similarity", [Similarity.COSINE, Similarity.INNER_PRODUCT])
def test_one_dimension_more_ranks_by_the_corrected_score(similarity):
    bias = np.random.default_rng(0).uniform(0.5, 1.5, N)
    items, scores = biased_items(Y, similarity, bias).astype(np.float64), exact_scores(Y[:30], Y, similarity)
    size = np.abs(scores).max()
    products = biased_queries(Y[:30], similarity) @ items.T
    assert np.allclose(2 * products, 2 * scores - (bias - bias.mean()), atol=1e-5 * size)
    assert np.allclose(biased_queries(Y[:30], similarity, plain=True) @ items.T, scores, atol=1e-5 * size)


async def fitted():
    bench = BridgeBench(budget=2_000_000_000)
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method="ridge"))
    return bench


async def match(bench, **options):
    reports = []
    query = MatchQuery(correction_k=6, beta=12.0, k=5, **options)
    await bench.matching.match(Call("match"), query, lambda report: reports.append(report) or b"encoded")
    return reports[0]


def recall(report, exact):
    """By sets of ids."""
    best = np.argsort(-exact, axis=1, kind="stable")[:, :5]
    found = np.searchsorted(IDS, np.array(report.ids, dtype=object)).reshape(-1, 5)
    return np.mean([len(set(one) & set(right)) / 5 for one, right in zip(found, best, strict=True)]), found


async def test_scores_are_exact_and_the_recall_is_the_referees():
    bench = await fitted()
    ready = make_ready(bench.bridges.get("b").map)
    raw = exact_scores(map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control()), Similarity.COSINE)
    r_target, r_source = (-np.sort(-side, axis=1)[:, :6].mean(axis=1) for side in (raw, raw.T))
    oracles = {
        "inverted_softmax": inverted_softmax(raw, 12.0),
        "csls": 2 * raw - r_target[:, None] - r_source,
        "margin_distance": raw - (r_target[:, None] + r_source) / 2,
        "margin_ratio": margin_ratio(raw, 6),
    }
    for choice in (HNSW, IVF):
        for correction, exact in oracles.items():
            report = await match(bench, bridge="b", ids=IDS.tolist(), correction=correction, index=choice)
            found_share, rows = recall(report, exact)
            assert found_share > 0.97, (choice, correction)
            # The probe is a quarter of these items; the served neighbourhoods are those that the index finds.
            assert report.recall.low - 0.01 <= found_share <= report.recall.high + 0.01
            assert np.array_equal(report.similarities, np.take_along_axis(raw, rows, axis=1))
            scores = np.take_along_axis(exact, rows, axis=1)
            assert np.mean(np.abs(report.scores - scores) < 1e-8) > (0.999 if correction == "inverted_softmax" else 0.9)
            assert (np.diff(report.scores, axis=1) <= 0).all()
            assert report.certificate is None
    kept = [key for key in bench.derived._values if key[0] == "index"]
    assert len(kept) == 4  # two kinds of index, for neighbourhoods and for the sums over the bank


async def test_a_hasty_index_tells_its_recall_within_a_space():
    bench = await fitted()
    report = await match(bench, space=SpaceQuery("x"), ids=IDS[:400].tolist(), correction="csls", index=HASTY)
    raw = exact_scores(X, X, Similarity.COSINE)
    np.fill_diagonal(raw, -np.inf)
    r = -np.sort(-raw, axis=1)[:, :6].mean(axis=1)
    found_share, rows = recall(report, (2 * raw - r[:, None] - r)[:400])
    assert report.recall.value < 0.95
    assert abs(report.recall.value - found_share) < 0.1
    assert not (rows == np.arange(400)[:, None]).any()


async def test_squared_distances_have_no_such_index():
    bench = BridgeBench()
    bench.space("x", X, similarity=Similarity.SQUARED_L2)
    with pytest.raises(errors.InvalidArgument, match="under squared_l2 an approximate index finds no candidates by csls") as caught:
        await match(bench, space=SpaceQuery("x"), vectors=X[:2], correction="csls", index=HNSW)
    assert caught.value.field == "correction"
