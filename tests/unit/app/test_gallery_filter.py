"""Filters of the gallery: the answer is that of the oracle with the left-out items struck from its score matrix."""

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app import gallery_filter
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.matching import MatchQuery
from consilience_server.app.ports import AttributeColumn
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbours import nearest
from consilience_server.core.similarity import Similarity

IDS = np.array([f"i{row:04d}" for row in range(200)], dtype=object)
X, Y = paired_clouds()
RANDOM = np.random.default_rng(5)
SOME = np.sort(RANDOM.choice(200, 60, replace=False))
REST = np.setdiff1d(np.arange(200), SOME)
FILTERS = {
    "a small part, gathered": ({"gallery_ids": IDS[SOME].tolist()}, SOME),
    "an unordered part with an id twice": ({"gallery_ids": IDS[[9, 3, 120, 3, 60, 61, 62, 63, 199, 0]].tolist()},
                                           np.array([0, 3, 9, 60, 61, 62, 63, 120, 199])),
    "few left out, searched deeper": ({"exclude_ids": IDS[SOME].tolist()}, REST),
    "many left out, gathered": ({"exclude_ids": IDS[REST].tolist()}, SOME),
    "both lists": ({"gallery_ids": IDS[SOME].tolist(), "exclude_ids": IDS[SOME[:20]].tolist() + IDS[REST[:3]].tolist()}, SOME[20:]),
    "everything": ({"gallery_ids": IDS.tolist()}, np.arange(200)),
}  # fmt: skip


async def match(bench, **options):
    reports = []
    await bench.matching.match(Call("match"), MatchQuery(**options), lambda report: reports.append(report) or b"encoded")
    return reports[0] if reports else None


def bench_of(similarity=Similarity.COSINE, x=X):
    bench = BridgeBench(budget=2_000_000_000)
    bench.space("x", x, similarity=similarity)
    bench.space("y", Y)
    return bench


def check(report, ranked, raw, part, k):
    """`ranked` and `raw` are of the full gallery."""
    struck = np.full_like(ranked, -np.inf)
    struck[:, part] = ranked[:, part]
    rows, scores = nearest(struck, k)
    assert list(report.ids) == IDS[rows.ravel()].tolist()
    assert np.allclose(report.scores, scores, rtol=1e-12, atol=1e-13)
    assert np.array_equal(report.similarities, np.take_along_axis(raw, rows, axis=1))
    assert report.gallery_items == len(part)
    assert report.certificate is not None


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", FILTERS)
async def test_within_a_space(name, similarity):
    options, part = FILTERS[name]
    bench = bench_of(similarity)
    scores = exact_scores(X, X, similarity)
    by_vector = await match(bench, space=SpaceQuery("x"), k=5, vectors=X[10:40], **options)
    check(by_vector, scores[10:40], scores[10:40], part, 5)
    own = scores.copy()
    np.fill_diagonal(own, -np.inf)
    by_id = await match(bench, space=SpaceQuery("x"), k=5, ids=IDS[10:40].tolist(), **options)
    check(by_id, own[10:40], own[10:40], part, 5)


@pytest.mark.parametrize("name", FILTERS)
async def test_csls_keeps_the_terms_of_the_full_gallery(name):
    options, part = FILTERS[name]
    bench = bench_of()
    scores = exact_scores(X, X, Similarity.COSINE)
    np.fill_diagonal(scores, -np.inf)
    r = -np.sort(-scores, axis=1)[:, :6].mean(axis=1)
    corrected = 2 * scores - r - r[:, None]
    report = await match(
        bench, space=SpaceQuery("x"), k=4, ids=IDS[10:40].tolist(), correction="csls", correction_k=6, **options
    )  # fmt: skip
    check(report, corrected[10:40], scores[10:40], part, 4)


@pytest.mark.parametrize("correction", ["none", "csls"])
@pytest.mark.parametrize("name", FILTERS)
async def test_through_a_bridge(name, correction):
    options, part = FILTERS[name]
    bench = bench_of()
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    ready = make_ready(bench.bridges.get("b").map)
    mapped, gallery = map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control())
    raw = exact_scores(mapped, gallery, Similarity.COSINE)
    ranked = raw
    if correction == "csls":
        r_source = -np.sort(-raw.T, axis=1)[:, :10].mean(axis=1)
        ranked = 2 * raw - r_source - (-np.sort(-raw, axis=1)[:, :10].mean(axis=1))[:, None]
    report = await match(bench, bridge="b", k=5, ids=IDS[10:40].tolist(), correction=correction, **options)
    check(report, ranked[10:40], raw[10:40], part, 5)


@pytest.mark.parametrize("few", [0, 128])
async def test_equal_scores_go_by_row_both_ways(monkeypatch, few):
    monkeypatch.setattr(gallery_filter, "_FEW", few)
    bench = BridgeBench()
    bench.space("x", np.ones((30, 3)))
    report = await match(bench, space=SpaceQuery("x"), k=3, ids=["i0009"], exclude_ids=["i0001", "i0003"])
    assert list(report.ids) == ["i0000", "i0002", "i0004"]


async def test_a_filter_is_part_of_the_cache_key_and_its_order_is_not():
    bench = bench_of()
    base = {"space": SpaceQuery("x"), "k": 2, "vectors": X[:3]}
    assert await match(bench, **base) is not None
    ids = IDS[:20].tolist()
    assert await match(bench, **base, gallery_ids=ids) is not None
    assert await match(bench, **base, gallery_ids=ids[::-1] + ids[:1]) is None
    assert await match(bench, **base, exclude_ids=ids) is not None
    assert await match(bench, **base, gallery_ids=ids[1:]) is not None


REFUSED = [
    ({"gallery_ids": ["i0001", "gone", "lost"]}, errors.ItemNotFound, "gallery_ids.ids", "2 ids are not in space 'x'.*'gone', 'lost'"),
    ({"exclude_ids": ["gone"]}, errors.ItemNotFound, "exclude_ids.ids", "'gone'"),
    ({"gallery_ids": []}, errors.InvalidArgument, "gallery_ids.ids", "empty"),
    ({"exclude_ids": IDS.tolist()}, errors.InvalidArgument, "exclude_ids.ids", "nothing of space 'x'"),
    ({"gallery_ids": ["i0001"], "exclude_ids": ["i0001"]}, errors.InvalidArgument, "exclude_ids.ids", "nothing"),
    ({"gallery_ids": IDS[:4].tolist(), "k": 5}, errors.InvalidK, "k", "leave 4 items, so it may be at most 4"),
    ({"exclude_ids": IDS[4:].tolist(), "k": 5}, errors.InvalidK, "k", "at most 4"),
]


@pytest.mark.parametrize(("options", "error", "field", "message"), REFUSED)
async def test_bad_filters_are_refused(options, error, field, message):
    with pytest.raises(error, match=message) as caught:
        await match(bench_of(), **{"space": SpaceQuery("x"), "vectors": X[:1], "k": 1, **options})
    assert caught.value.field == field


async def test_k_may_be_all_that_is_left():
    bench = bench_of()
    part = {"gallery_ids": IDS[:4].tolist()}
    assert (await match(bench, space=SpaceQuery("x"), vectors=X[:2], k=4, **part)).scores.shape == (2, 4)
    # Items of the part are not their own matches; others have the whole part.
    assert (await match(bench, space=SpaceQuery("x"), ids=["i0100"], k=4, **part)).scores.shape == (1, 4)
    with pytest.raises(errors.InvalidK, match="an item is not its own match, so it may be at most 3"):
        await match(bench, space=SpaceQuery("x"), ids=["i0100", "i0002"], k=4, **part)


async def test_a_gathered_part_is_accounted_for():
    bench = bench_of()
    bench.account.take("requests", bench.account.budget - bench.account.used - 30_000, "everything else")
    with pytest.raises(errors.MemoryBudget):
        await match(bench, space=SpaceQuery("x"), vectors=X[:1], k=1, gallery_ids=IDS[:150].tolist())


LABELS = ["cat" if row % 3 == 0 else "dog" for row in range(200)]
ATTRIBUTES = {
    "label": AttributeColumn("string", LABELS),
    "year": AttributeColumn("integer", [None if row % 10 == 0 else 2000 + row for row in range(200)]),
}


async def labelled(monkeypatch):
    """A bench whose spaces have attributes; `read` counts how often the store is asked for them."""
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    read = []

    def attributes(_space, version, ids):
        read.append(version)
        rows = np.searchsorted(IDS, np.array(ids, dtype=object))
        return {name: AttributeColumn(column.type, [column.values[row] for row in rows]) for name, column in ATTRIBUTES.items()}

    monkeypatch.setattr(bench.store, "attributes", attributes)
    return bench, read


@pytest.mark.parametrize("correction", ["none", "csls", "inverted_softmax", "margin_ratio"])
async def test_a_filter_by_attribute_is_a_filter_by_the_ids_that_fulfil_it(monkeypatch, correction):
    bench, read = await labelled(monkeypatch)
    kept = [IDS[row] for row in range(200) if LABELS[row] == "cat" and row % 10 and row > 30]
    asked = {"bridge": "b", "ids": IDS[:20].tolist(), "k": 4, "correction": correction}
    by_filter = await match(bench, filter="label = 'cat' and year > 2030", **asked)
    by_ids = await match(bench, gallery_ids=kept, **asked)
    assert list(by_filter.ids) == list(by_ids.ids)
    assert np.array_equal(by_filter.scores, by_ids.scores)
    assert by_filter.gallery_items == by_ids.gallery_items == len(kept)
    both = await match(bench, filter="label = 'cat' and year > 2030", exclude_ids=kept[:5], gallery_ids=kept[:30], **asked)
    assert both.gallery_items == 25
    assert set(both.ids) <= set(kept[5:30])
    assert read == [1]


async def test_filters_that_keep_too_little_or_cannot_be_read_are_refused(monkeypatch):
    bench, _ = await labelled(monkeypatch)
    refused = [
        ("label = 'bird'", errors.InvalidArgument, "true for none of the 200 items of spaces/y"),
        ("label =", errors.InvalidArgument, "cannot be read at character 8"),
        ("colour = 'red'", errors.InvalidAttribute, "no attribute 'colour'"),
    ]
    for text, error, message in refused:
        with pytest.raises(error, match=message) as caught:
            await match(bench, bridge="b", vectors=X[:1], k=1, filter=text)
        assert caught.value.field == "filter"
    with pytest.raises(errors.InvalidK, match=r"k is 3, but .*filter leave 2 items"):
        await match(bench, bridge="b", vectors=X[:1], k=3, filter="year in (2001, 2002)")
