import asyncio

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.bridge_spaces import ExpectedBridge
from consilience_server.app.call import Call
from consilience_server.app.matching import MatchQuery
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.csls import csls
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbours import nearest
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import IndexChoice

IDS = np.array([f"i{row:04d}" for row in range(200)], dtype=object)
X, Y = paired_clouds()


@pytest.fixture
async def bench():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    bench.engine.asked.clear()
    return bench


async def match(bench, call=None, **options):
    reports = []

    def encode(report):
        reports.append(report)
        return b"encoded"

    assert await bench.matching.match(call or Call("match"), MatchQuery(**options), encode) == b"encoded"
    return reports[0] if reports else None


def sides(bench):
    """Both spaces where they meet."""
    ready = make_ready(bench.bridges.get("b").map)
    return map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control())


def check(report, ranked, raw, k, offset=0.0):
    rows, scores = nearest(ranked, k)
    assert list(report.ids) == IDS[rows.ravel()].tolist()
    assert np.allclose(report.scores, scores - offset, rtol=0, atol=1e-15)
    assert np.array_equal(report.similarities, np.take_along_axis(raw, rows, axis=1))


@pytest.mark.parametrize("by", ["ids", "vectors"])
async def test_through_a_bridge_by_the_definition(bench, by):
    mapped, gallery = sides(bench)
    scores = exact_scores(mapped[20:50], gallery, Similarity.COSINE)
    queries = {"ids": IDS[20:50].tolist()} if by == "ids" else {"vectors": X[20:50]}
    report = await match(bench, bridge="b", k=7, **queries)
    check(report, scores, scores, 7)
    assert np.array_equal(report.scores, nearest(scores, 7)[1])
    assert (report.gallery.name, report.gallery.uid, report.gallery.version) == ("spaces/y", "uid-1", 1)
    assert (report.bridge, report.bridge_uid) == ("b", bench.bridges.get("b").uid)
    assert report.certificate.certified_rows + report.certificate.refined_rows == 30


@pytest.mark.parametrize("method", ["scaled_procrustes", "affine", "relative", "whitened", "cca", "csa"])
async def test_maps_into_a_space_of_their_own_are_matched_by_the_definition(method):
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    artefact = await bench.bridging.fit(Call("fit"), bench.query(method=method))
    assert artefact.method == method
    assert artefact.held_out.recalls[10] > 0.5
    mapped, gallery = sides(bench)
    scores = exact_scores(mapped[20:50], gallery, Similarity.COSINE)
    check(await match(bench, bridge="b", k=7, ids=IDS[20:50].tolist()), scores, scores, 7)
    full = exact_scores(mapped, gallery, Similarity.COSINE)
    r_source = np.sort(full, axis=0)[::-1][:6].mean(axis=0)
    corrected = await match(bench, bridge="b", k=7, vectors=X[20:50], correction="csls", correction_k=6)
    assert list(corrected.ids) == IDS[nearest(2 * scores - r_source, 7)[0].ravel()].tolist()


@pytest.mark.parametrize("by", ["ids", "vectors"])
async def test_csls_through_a_bridge_by_the_definition(bench, by):
    mapped, gallery = sides(bench)
    full = exact_scores(mapped, gallery, Similarity.COSINE)
    raw = full[20:50]
    r_source = np.sort(full, axis=0)[::-1][:6].mean(axis=0)
    r_target = -np.sort(-raw, axis=1)[:, :6].mean(axis=1)
    queries = {"ids": IDS[20:50].tolist()} if by == "ids" else {"vectors": X[20:50]}
    report = await match(bench, bridge="b", k=7, correction="csls", correction_k=6, **queries)
    assert np.allclose(report.scores, -np.sort(-(2 * raw - r_source - r_target[:, None]), axis=1)[:, :7], atol=1e-14)
    check(report, 2 * raw - r_source, raw, 7, r_target[:, None])
    assert report.correction == "csls"


async def test_csls_of_the_whole_bank_is_the_oracle(bench):
    mapped, gallery = sides(bench)
    expected = csls(exact_scores(mapped, gallery, Similarity.COSINE), 10)
    report = await match(bench, bridge="b", k=1, correction="csls", ids=IDS.tolist())
    assert np.allclose(report.scores[:, 0], expected.max(axis=1), atol=1e-14)
    assert list(report.ids) == IDS[expected.argmax(axis=1)].tolist()


@pytest.mark.parametrize("similarity", list(Similarity))
async def test_within_a_space_items_are_not_their_own_matches(similarity):
    bench = BridgeBench()
    bench.space("x", X, similarity=similarity)
    scores = exact_scores(X, X, similarity)
    by_vector = await match(bench, space=SpaceQuery("x"), k=3, vectors=X[5:15])
    check(by_vector, scores[5:15], scores[5:15], 3)
    np.fill_diagonal(scores, -np.inf)
    by_id = await match(bench, space=SpaceQuery("x"), k=3, ids=IDS[5:15].tolist())
    check(by_id, scores[5:15], scores[5:15], 3)
    assert (by_id.bridge, by_id.bridge_uid) == ("", "")


@pytest.mark.parametrize("similarity", list(Similarity))
async def test_csls_within_a_space(similarity):
    bench = BridgeBench()
    bench.space("x", X, similarity=similarity)
    scores = exact_scores(X, X, similarity)
    np.fill_diagonal(scores, -np.inf)
    # The space is its own bank, and no item is its own neighbour on either side.
    r = -np.sort(-scores, axis=1)[:, :10].mean(axis=1)
    report = await match(bench, space=SpaceQuery("x"), k=3, ids=IDS[5:15].tolist(), correction="csls")
    corrected = 2 * scores[5:15] - r - r[5:15, None]
    rows, best = nearest(corrected, 3)
    assert list(report.ids) == IDS[rows.ravel()].tolist()
    assert np.allclose(report.scores, best, rtol=1e-12, atol=1e-12)


async def test_equal_scores_go_by_row():
    bench = BridgeBench()
    bench.space("x", np.vstack([np.ones((5, 3)), -np.ones((2, 3))]))
    report = await match(bench, space=SpaceQuery("x"), k=3, ids=["i0002"])
    assert list(report.ids) == ["i0000", "i0001", "i0003"]


async def test_answers_do_not_depend_on_the_batch(bench):
    together = await match(bench, bridge="b", k=4, correction="csls", vectors=X[:30])
    for row in (0, 17, 29):
        alone = await match(bench, bridge="b", k=4, correction="csls", vectors=X[row : row + 1])
        assert list(alone.ids) == list(together.ids[4 * row : 4 * row + 4])
        assert np.array_equal(alone.scores[0], together.scores[row])
        assert np.array_equal(alone.similarities[0], together.similarities[row])


async def test_a_repeat_is_cached_and_any_difference_is_not(bench):
    call = Call("match")
    base = {"bridge": "b", "k": 3, "vectors": X[:5]}
    assert await match(bench, **base) is not None
    assert await match(bench, call, **base) is None
    assert call.cache_tier == "memory"
    nudged = X[:5].copy()
    nudged[4, 0] = np.nextafter(nudged[4, 0], np.float32(9))
    for change in ({"k": 4}, {"correction": "csls"}, {"vectors": nudged}, {"vectors": X[:4]}, {"bridge": "", "space": SpaceQuery("x")}):
        assert await match(bench, **{**base, **change}) is not None
    corrected = {**base, "correction": "csls"}
    assert await match(bench, **corrected) is None
    assert await match(bench, **corrected, correction_k=5) is not None
    # The neighbourhood of a correction that is not asked changes nothing.
    assert await match(bench, **base, correction_k=5) is None


async def test_new_versions_are_new_answers(bench):
    base = {"bridge": "b", "k": 1, "vectors": X[:5]}
    old = await match(bench, **base)
    bench.store.put("y", ["i9999"], Y[:1])
    new = await match(bench, **base)
    assert (old.gallery.version, new.gallery.version) == (1, 2)
    assert (await match(bench, **base, gallery_version=1)) is None
    # The bank is part of a corrected answer, and of an answer about its items.
    assert await match(bench, **base, correction="csls") is not None
    bench.store.put("x", ["i9999"], X[:1])
    assert await match(bench, **base, correction="csls") is not None
    assert await match(bench, **base) is None


async def test_the_term_of_a_gallery_is_computed_once(bench):
    for start in range(4):
        await match(bench, bridge="b", k=2, correction="csls", vectors=X[start : start + 3])
    assert [asked for asked in bench.engine.asked if asked[0] == 200] == [(200, 200, 10, False)]
    assert len(bench.engine.asked) == 1 + 2 * 4
    bench.engine.asked.clear()
    await match(bench, bridge="b", k=2, correction="csls", correction_k=4, vectors=X[:3])
    assert [asked for asked in bench.engine.asked if asked[0] == 200] == [(200, 200, 4, False)]


async def test_equal_questions_at_the_same_time_are_computed_once(bench):
    calls = [Call("match") for _ in range(6)]
    query = MatchQuery(bridge="b", k=2, correction="csls", ids=("i0001",))
    answers = await asyncio.gather(*(bench.matching.match(call, query, lambda report: report.ids[0].encode()) for call in calls))
    assert len(set(answers)) == 1
    assert len(bench.engine.asked) == 3


async def test_a_small_budget_costs_time_and_never_an_answer(bench):
    small = BridgeBench(budget=16_000_000)
    small.space("x", X)
    small.space("y", Y)
    small.bridges.artefacts.update(bench.bridges.artefacts)
    expected = await match(bench, bridge="b", k=2, correction="csls", vectors=X[:3])
    small.account.take("requests", small.account.budget - small.engine.query_bytes(200, 200, 9, 10) - 60_000, "everything else")
    got = await match(small, bridge="b", k=2, correction="csls", vectors=X[:3])
    assert list(got.ids) == list(expected.ids)
    assert np.array_equal(got.scores, expected.scores)


async def test_stages_are_told(bench):
    call = Call("match")
    await bench.matching.match(call, MatchQuery(bridge="b", k=2, vectors=X[:3]), lambda _: b"")
    assert {"load", "scan", "encode"} <= set(call.timings)


async def test_estimates_grow_with_the_work(bench):
    one = await bench.matching.estimate_seconds(Call("match"), MatchQuery(bridge="b", vectors=X[:1]))
    many = await bench.matching.estimate_seconds(Call("match"), MatchQuery(bridge="b", vectors=X[:50]))
    corrected = await bench.matching.estimate_seconds(Call("match"), MatchQuery(bridge="b", vectors=X[:50], correction="csls"))
    assert 0 < one < many < corrected < 1
    calibrated = await bench.matching.estimate_seconds(Call("match"), MatchQuery(bridge="b", vectors=X[:50], probability=True))
    assert many < calibrated
    indexed = [
        await bench.matching.estimate_seconds(
            Call("match"), MatchQuery(bridge="b", vectors=X[:1], index=IndexChoice("hnsw", 64), correction=correction)
        )
        for correction in ("none", "csls", "inverted_softmax")
    ]
    assert indexed == sorted(set(indexed))


async def test_a_bridge_of_spaces_made_anew_is_refused(bench):
    for side, vectors in (("x", X), ("y", Y)):
        bench.store.delete(side)
        with pytest.raises(errors.SpaceNotFound):
            await match(bench, bridge="b", k=1, vectors=X[:1])
        bench.space(side, vectors)
        which = "source" if side == "x" else "target"
        with pytest.raises(errors.WrongSpace, match=f"another {which} space named '{side}'.*fit the bridge again"):
            await match(bench, bridge="b", k=1, vectors=X[:1])
        bench = await again()


async def again():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    return bench


def spoiled(value):
    vectors = X[:4].copy()
    vectors[[1, 3], 2] = value
    return vectors


ZERO = np.vstack([X[:2], np.zeros((1, 12), dtype=np.float32)])
BAD = [
    ({"bridge": "b"}, errors.InvalidArgument, "queries", "one of them"),
    ({"bridge": "b", "vectors": X[:1], "ids": ("i0001",)}, errors.InvalidArgument, "queries", "one of them"),
    ({"vectors": X[:1]}, errors.InvalidArgument, "route", "a bridge .* or a space"),
    ({"bridge": "b", "space": SpaceQuery("x"), "vectors": X[:1]}, errors.InvalidArgument, "route", "one of them"),
    ({"space": SpaceQuery("x"), "vectors": X[:1], "gallery_version": 1}, errors.InvalidArgument, "gallery_version", "goes with a bridge"),
    ({"bridge": "b", "vectors": X[:0]}, errors.ShapeMismatch, "vectors", "at least one row"),
    ({"bridge": "b", "vectors": X[0]}, errors.ShapeMismatch, "vectors", "shape"),
    ({"bridge": "b", "vectors": Y[:1]}, errors.DimensionMismatch, "vectors", "9 columns, the source space 'x' .* has dim 12"),
    ({"space": SpaceQuery("y"), "vectors": X[:1]}, errors.DimensionMismatch, "vectors", "12 columns, space 'y' has dim 9"),
    ({"bridge": "b", "vectors": spoiled(np.nan)}, errors.NotFinite, "vectors", "rows 1, 3"),
    ({"space": SpaceQuery("x"), "vectors": spoiled(np.inf)}, errors.NotFinite, "vectors", "rows 1, 3"),
    ({"bridge": "b", "vectors": ZERO}, errors.ZeroVector, "vectors", "rows 2"),
    ({"space": SpaceQuery("x"), "vectors": ZERO}, errors.ZeroVector, "vectors", "rows 2"),
    ({"bridge": "b", "vectors": X[:1], "k": 0}, errors.InvalidK, "k", "1 to 100"),
    ({"bridge": "b", "vectors": X[:1], "k": 101}, errors.InvalidK, "k", "k is 101"),
    ({"bridge": "b", "vectors": X[:1], "correction": "csls", "correction_k": 0}, errors.InvalidK, "correction_k", "1 to 100"),
    ({"bridge": "b", "vectors": X[:1], "correction": "margin"}, errors.UnknownMethod, "correction", "none, csls"),
    ({"bridge": "b", "ids": IDS.tolist() * 2, "k": 60}, errors.MessageTooLarge, "k", "400 queries times k = 60"),
    ({"bridge": "b", "ids": ("i0001", "gone", "lost")}, errors.ItemNotFound, "ids.ids", "'gone', 'lost'"),
    ({"space": SpaceQuery("x"), "ids": ("gone",)}, errors.ItemNotFound, "ids.ids", "space 'x'.*'gone'"),
    ({"bridge": "none", "vectors": X[:1]}, errors.BridgeNotFound, "bridge", "none"),
    ({"space": SpaceQuery("none"), "vectors": X[:1]}, errors.SpaceNotFound, "space", "none"),
    ({"bridge": "b", "vectors": X[:1], "gallery_version": 5}, errors.VersionExpired, "gallery_version", "no version 5; the newest is 1"),
    ({"space": SpaceQuery("x", 5), "vectors": X[:1]}, errors.VersionExpired, "space.version", "no version 5"),
]


@pytest.mark.parametrize(("options", "error", "field", "message"), BAD)
async def test_bad_input_is_refused(bench, options, error, field, message):
    with pytest.raises(error, match=message) as caught:
        await match(bench, **options)
    assert caught.value.field == field
    assert not bench.engine.asked


async def test_a_gallery_smaller_than_k_is_refused():
    bench = BridgeBench()
    bench.space("x", X[:30])
    bench.space("y", Y[:30])
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    with pytest.raises(errors.InvalidK, match="k is 31, but space 'y' has 30 items"):
        await match(bench, bridge="b", k=31, vectors=X[:1])
    assert (await match(bench, bridge="b", k=30, vectors=X[:1])).scores.shape == (1, 30)
    with pytest.raises(errors.InvalidK, match="k is 30, but space 'x' has 29 items to match with"):
        await match(bench, space=SpaceQuery("x"), k=30, ids=("i0001",))
    with pytest.raises(errors.InvalidK, match="correction_k is 31") as caught:
        await match(bench, bridge="b", k=1, vectors=X[:1], correction="csls", correction_k=31)
    assert caught.value.field == "correction_k"
    with pytest.raises(errors.InvalidK, match=r"correction_k is 30.*at most 29"):
        await match(bench, space=SpaceQuery("x"), k=1, vectors=X[:1], correction="csls", correction_k=30)


async def test_another_bridge_than_expected_is_refused_even_where_widths_are_equal():
    bench = BridgeBench()
    bench.space("x", Y)
    bench.space("y", Y[::-1])
    kept = await bench.bridging.fit(Call("fit_bridge"), bench.query(method="procrustes"))
    expected = await match(bench, bridge="b", vectors=Y[:3], expected=ExpectedBridge("x", kept.uid))
    # What the caller takes it to be changes no answer, so the cached one is found.
    assert expected is not None
    assert await match(bench, bridge="b", vectors=Y[:3]) is None
    with pytest.raises(errors.WrongSpace, match="leads from 'x' into 'y', not from 'y'; fit one for the other direction, or invert"):
        await match(bench, bridge="b", vectors=Y[:3], expected=ExpectedBridge("y"))
    with pytest.raises(errors.WrongSpace, match="not from 'z'; choose another bridge"):
        await match(bench, bridge="b", ids=IDS[:3].tolist(), expected=ExpectedBridge("z"))
    with pytest.raises(errors.VersionExpired, match="deleted and made anew"):
        await match(bench, bridge="b", vectors=Y[:3], expected=ExpectedBridge(uid="other"))
    with pytest.raises(errors.InvalidArgument, match="within a space leave it out"):
        await match(bench, space=SpaceQuery("x"), vectors=Y[:3], expected=ExpectedBridge("x"))
