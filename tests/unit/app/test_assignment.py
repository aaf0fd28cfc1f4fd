"""One-to-one matches against SciPy on the oracle's corrected scores, by ids, with filters, and what is refused."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app import assignment
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.matching import MatchQuery
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.csls import csls
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.inverted_softmax import inverted_softmax
from consilience_server.core.margin import margin_ratio
from consilience_server.core.similarity import Similarity

X, Y = paired_clouds(n=150, noise=1.0)
IDS = np.array([f"i{row:04d}" for row in range(150)], dtype=object)
ORACLES = {
    "none": lambda s: s,
    "csls": lambda s: csls(s, 10),
    "margin_ratio": lambda s: margin_ratio(s, 10),
    "inverted_softmax": lambda s: inverted_softmax(s, 30.0),
}


async def fitted():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    ready = make_ready(bench.bridges.get("b").map)
    return bench, exact_scores(map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control()), Similarity.COSINE)


async def match(bench, **options):
    reports = []
    query = MatchQuery(one_to_one=True, **{"k": 1} | options)
    await bench.matching.match(Call("match"), query, lambda report: reports.append(report) or b"encoded")
    return reports[0]


@pytest.mark.parametrize("correction", ORACLES)
async def test_the_sum_of_the_scores_is_the_largest(correction):
    bench, raw = await fitted()
    scores = ORACLES[correction](raw)
    for rows, left_out in ((np.arange(150), []), (np.arange(20, 60), [3, 30, 140])):
        allowed = np.setdiff1d(np.arange(150), left_out)
        report = await match(bench, bridge="b", ids=IDS[rows].tolist(), correction=correction, exclude_ids=IDS[left_out].tolist())
        best = linear_sum_assignment(scores[rows][:, allowed], maximize=True)[1]
        assert list(report.ids) == IDS[allowed[best]].tolist()
        assert len(set(report.ids)) == len(rows)
        assert np.allclose(report.scores[:, 0], scores[rows, allowed[best]], rtol=1e-8, atol=1e-8)
        assert np.array_equal(report.similarities[:, 0], raw[rows, allowed[best]])
        assert report.one_to_one
        assert report.gallery_items == len(allowed)


async def test_it_finds_more_partners_than_each_query_for_itself():
    bench, raw = await fitted()
    report = await match(bench, bridge="b", ids=IDS.tolist())
    assert np.mean(np.array(report.ids) == IDS) > np.mean(raw.argmax(axis=1) == np.arange(150)) + 0.03


async def test_within_a_space_no_item_gets_itself():
    bench, _ = await fitted()
    raw = exact_scores(X, X, Similarity.COSINE)
    np.fill_diagonal(raw, -1e9)
    report = await match(bench, space=SpaceQuery("x"), ids=IDS.tolist())
    assert list(report.ids) == IDS[linear_sum_assignment(raw, maximize=True)[1]].tolist()
    part = await match(bench, space=SpaceQuery("x"), ids=IDS[:9].tolist(), gallery_ids=IDS[5:40].tolist())
    assert list(part.ids) == IDS[5 + linear_sum_assignment(raw[:9, 5:40], maximize=True)[1]].tolist()


async def test_refusals(monkeypatch):
    bench, _ = await fitted()
    with pytest.raises(errors.InvalidK, match="k is 2, but one_to_one gives every query one item"):
        await match(bench, bridge="b", ids=IDS[:3].tolist(), k=2)
    refused = [
        ({"ids": IDS[:5].tolist(), "gallery_ids": IDS[:4].tolist()}, "5 queries cannot each have one of 4 items"),
        ({"ids": IDS[:1].tolist(), "gallery_ids": IDS[:1].tolist(), "bridge": "", "space": SpaceQuery("x")}, "the query itself"),
    ]
    for options, message in refused:
        with pytest.raises(errors.InvalidArgument, match=message):
            await match(bench, **{"bridge": "b"} | options)
    monkeypatch.setattr(assignment, "MOST_PAIRS", 1000)
    with pytest.raises(errors.InvalidArgument, match=r"10 queries times 150 items are more than 1,000.*mutual_pairs with mode='max'"):
        await match(bench, bridge="b", ids=IDS[:10].tolist())
