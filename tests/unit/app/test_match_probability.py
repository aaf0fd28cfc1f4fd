"""Probabilities through a bridge against an oracle that knows the truth, when there are none, and spaces that moved on."""

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.match_probability import as_if_new
from consilience_server.app.matching import MatchQuery
from consilience_server.core import errors
from consilience_server.core.match_calibration import expected_calibration_error
from consilience_server.engine.approximate import IndexChoice

N, FIT, KNOWN = 2400, 300, 1100
X, Y = paired_clouds(n=N, width_x=20, width_y=16, noise=1.2)
IDS = np.array([f"i{row:04d}" for row in range(N)], dtype=object)


async def fitted(known=KNOWN, fit=FIT):
    """The source knows the first items only; the gallery has all, so that later ones are queries nobody has seen."""
    bench = BridgeBench(budget=2_000_000_000)
    bench.space("x", X[:known])
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method="ridge", item_ids=tuple(IDS[:fit])))
    return bench


async def match(bench, **options):
    reports = []
    query = MatchQuery(**{"bridge": "b", "probability": True, "k": 5} | options)
    await bench.matching.match(Call("match"), query, lambda report: reports.append(report) or b"encoded")
    return reports[0] if reports else None


@pytest.mark.parametrize("correction", ["none", "csls", "margin_ratio", "inverted_softmax"])
async def test_probabilities_are_the_frequencies_of_new_queries(correction):
    bench = await fitted()
    report = await match(bench, vectors=X[KNOWN:], correction=correction)
    right = np.array(report.ids, dtype=object).reshape(-1, 5) == IDS[KNOWN:, None]
    assert 0.05 < right[:, 0].mean() < 0.95
    # About a thousand pairs leave 0.03 to chance.
    assert expected_calibration_error(report.probabilities[:, 0], right[:, 0]) < 0.05
    assert abs(report.probabilities.sum(axis=1).mean() - right.any(axis=1).mean()) < 0.05
    assert (np.diff(report.probabilities, axis=1) <= 0).all()
    assert report.calibration.pairs <= KNOWN - FIT * 0.8
    assert abs(report.calibration.accuracy - right[:, 0].mean()) < 0.06
    # It tells more than the base rate: those it is surer of are right more often.
    sure = report.probabilities[:, 0] > np.median(report.probabilities[:, 0])
    assert right[sure, 0].mean() > 1.4 * right[~sure, 0].mean()


async def test_a_query_of_the_bank_is_judged_as_a_new_one():
    scores = np.array([[np.log(0.25), np.log(0.5), 1.5]])
    assert np.allclose(as_if_new(scores, "inverted_softmax")[0, :2], [np.log(0.25 / 0.75), 0.0])
    assert as_if_new(scores, "csls") is scores
    bench = await fitted()
    by_id = await match(bench, ids=IDS[400:KNOWN].tolist(), correction="inverted_softmax")
    right = np.array(by_id.ids, dtype=object).reshape(-1, 5) == IDS[400:KNOWN, None]
    assert abs(by_id.probabilities.sum(axis=1).mean() - right.any(axis=1).mean()) < 0.05


async def test_a_calibration_is_made_once_for_a_gallery_and_a_k():
    bench = await fitted()
    await match(bench, vectors=X[:1])
    bench.engine.asked.clear()
    again = await match(bench, vectors=X[1:2])
    assert [asked[0] for asked in bench.engine.asked] == [1]
    fewer = await match(bench, vectors=X[1:2], k=2)
    assert fewer.calibration != again.calibration
    bench.store.put("y", ["z0"], Y[:1])
    later = await match(bench, vectors=X[1:2])
    assert later.gallery.version == 2
    assert any(asked[0] > 100 for asked in bench.engine.asked)


async def test_it_is_part_of_the_question():
    bench = await fitted()
    assert (await match(bench, vectors=X[:1])).probabilities is not None
    assert (await match(bench, vectors=X[:1], probability=False)).probabilities is None
    assert await match(bench, vectors=X[:1]) is None


NONE = {
    "an approximate index": ({"index": IndexChoice("ivf", 32)}, "approximate index may miss"),
    "a filter": ({"exclude_ids": IDS[:3].tolist()}, "part of the gallery"),
    "an assignment": ({"one_to_one": True, "k": 1}, "an assignment weighs queries against each other"),
}


@pytest.mark.parametrize("case", NONE)
async def test_where_it_would_mislead_there_is_none_and_a_reason(case):
    bench = await fitted()
    options, reason = NONE[case]
    report = await match(bench, vectors=X[:3], **options)
    assert (report.probabilities, report.calibration) == (None, None)
    assert reason in report.warnings[-1]


async def test_too_few_unseen_pairs_are_told():
    bench = await fitted(known=205, fit=200)
    report = await match(bench, vectors=X[:3])
    assert report.probabilities is None
    assert "the bridge has not seen" in report.warnings[-1]
    assert "50 are needed" in report.warnings[-1]


async def test_within_a_space_it_is_refused():
    bench = await fitted()
    with pytest.raises(errors.InvalidArgument, match="within a space no pairs are known") as caught:
        await match(bench, bridge="", space=SpaceQuery("x"), vectors=X[:1])
    assert caught.value.field == "probability"


async def test_spaces_that_moved_on_are_still_matched_and_told():
    bench = await fitted()
    assert (await match(bench, vectors=X[:1])).warnings == ()
    bench.store.put("y", ["z0"], Y[:1])
    moved = "the target space 'y' is at version 2; the bridge was fitted on 1"
    assert (await match(bench, vectors=X[:1], probability=False)).warnings == (moved,)
    bench.store.put("x", ["z0"], X[:1])
    assert len((await match(bench, vectors=X[:1])).warnings) == 2
    # A pinned gallery of the fit has not moved, and vectors ask nothing of the source.
    assert (await match(bench, vectors=X[:2], gallery_version=1, probability=False)).warnings == ()
