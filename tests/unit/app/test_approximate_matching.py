"""Approximate indexes behind `match`: scores by the definition, recall as a referee measures it, built once, refused where they mislead."""

import asyncio

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app import approximate_matching
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.approximate_matching import PROBE_QUERIES, candidate_count, own_probe_rows, probe_rows
from consilience_server.app.call import Call
from consilience_server.app.matching import MatchQuery
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import IndexChoice
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.held_out_items import IndexWithHeldOut

N = 1500
IDS = np.array([f"i{row:04d}" for row in range(N)], dtype=object)
X, Y = paired_clouds(n=N, width_x=24, width_y=20, noise=1.0)
HNSW, IVF = IndexChoice("hnsw", 128), IndexChoice("ivf", 32)
# One cell of 46: most of the exact answer lies elsewhere.
HASTY = IndexChoice("ivf", 1)


async def match(bench, call=None, **options):
    reports = []
    await bench.matching.match(call or Call("match"), MatchQuery(**options), lambda report: reports.append(report) or b"encoded")
    return reports[0] if reports else None


def bench_of(similarity=Similarity.COSINE, x=X, budget=2_000_000_000):
    bench = BridgeBench(budget=budget)
    bench.space("x", x, similarity=similarity)
    bench.space("y", Y)
    return bench


def rows_of(report, m, k):
    return np.searchsorted(IDS, np.array(report.ids, dtype=object)).reshape(m, k)


def check_scores(report, exact, k):
    """Whatever was found has its own exact score, once, best first, equal scores by row."""
    m = len(exact)
    rows = rows_of(report, m, k)
    assert np.array_equal(report.scores, np.take_along_axis(exact, rows, axis=1))
    assert np.array_equal(report.similarities, report.scores)
    for line, scores in zip(rows, report.scores, strict=True):
        assert len(set(line)) == k
        assert list(line) == sorted(line, key=lambda row: (-scores[list(line).index(row)], row))


def referee(report, exact, k):
    """Recall by sets of ids."""
    best = np.argsort(-exact, axis=1, kind="stable")[:, :k]
    return np.mean([len(set(found) & set(right)) / k for found, right in zip(rows_of(report, len(exact), k), best, strict=True)])


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("choice", [HNSW, IVF, HASTY])
async def test_scores_are_exact_and_the_recall_is_the_referees(choice, similarity):
    bench = bench_of(similarity)
    batches = []
    bench.metrics.batch = lambda backend, queries: batches.append((backend, queries))
    probed = own_probe_rows(N)
    exact = exact_scores(X[probed], X, similarity)
    exact[np.arange(len(probed)), probed] = -np.inf
    report = await match(bench, space=SpaceQuery("x"), ids=IDS[probed].tolist(), k=10, index=choice)
    check_scores(report, exact, 10)
    # The probe is these very items, so the recall is theirs to the last digit.
    assert report.recall.value == pytest.approx(referee(report, exact, 10), abs=1e-12)
    assert (report.recall.k, report.recall.probe_queries, report.index) == (10, N // 8, choice)
    assert report.recall.low <= report.recall.value <= report.recall.high
    assert report.certificate is None
    if choice is HASTY:
        assert report.recall.value < 0.9
    else:
        assert report.recall.value > 0.95
    assert batches == [(f"faiss-{choice.name}", len(probed))]


async def test_an_item_is_not_its_own_match_but_a_vector_is():
    bench = bench_of()
    by_id = await match(bench, space=SpaceQuery("x"), ids=IDS[:30].tolist(), k=3, index=HNSW)
    assert not any(IDS[row] in by_id.ids[3 * row : 3 * row + 3] for row in range(30))
    by_vector = await match(bench, space=SpaceQuery("x"), vectors=X[:30], k=3, index=HNSW)
    assert [by_vector.ids[3 * row] for row in range(30)] == IDS[:30].tolist()


@pytest.mark.parametrize("choice", [HNSW, HASTY])
async def test_through_a_bridge_the_probe_is_of_its_source_space(choice):
    bench = bench_of()
    await bench.bridging.fit(Call("fit_bridge"), bench.query())
    ready = make_ready(bench.bridges.get("b").map)
    exact = exact_scores(map_vectors(ready, X, Control()), centre_gallery(ready, Y, Control()), Similarity.COSINE)
    probed = probe_rows(N)
    report = await match(bench, bridge="b", ids=IDS[probed].tolist(), k=10, index=choice)
    check_scores(report, exact[probed], 10)
    assert report.recall.value == pytest.approx(referee(report, exact[probed], 10), abs=1e-12)
    by_vector = await match(bench, bridge="b", vectors=X[:5], k=10, index=choice)
    assert (by_vector.recall, by_vector.source.name) == (report.recall, "spaces/x")


async def test_index_and_probe_are_made_once_for_a_bucket_of_k(monkeypatch):
    built = []
    build = ApproximateIndexes.build
    monkeypatch.setattr(ApproximateIndexes, "build", lambda self, *given: built.append(given[0]) or build(self, *given))
    bench = bench_of()
    call = {"space": SpaceQuery("x"), "vectors": X[:3]}
    await asyncio.gather(*(match(bench, **call, k=k, index=HNSW) for k in (1, 5, 10, 20)))
    assert (built, len(bench.engine.asked)) == (["hnsw"], 1)
    await match(bench, **call, k=60, index=HNSW)
    await match(bench, **call, k=10, index=IndexChoice("hnsw", 16))
    assert (built, len(bench.engine.asked)) == (["hnsw"], 3)
    await match(bench, **call, k=10, index=IVF)
    assert built == ["hnsw", "ivf"]


async def test_a_new_version_gets_an_index_of_its_own_and_the_old_one_still_answers():
    bench = bench_of()
    call = {"space": SpaceQuery("x"), "vectors": X[:1], "k": 1, "index": HNSW}
    old = await match(bench, **call)
    bench.store.put("x", ["i0000"], -X[:1])
    new = await match(bench, **call)
    assert (list(old.ids), new.gallery.version) == (["i0000"], 2)
    assert list(new.ids) != ["i0000"]
    pinned = await match(bench, **{**call, "space": SpaceQuery("x", 1), "vectors": X[:2]})
    assert list(pinned.ids) == ["i0000", "i0001"]


async def test_the_index_and_its_effort_are_part_of_the_cache_key():
    bench = bench_of()
    base = {"space": SpaceQuery("x"), "vectors": X[:3], "k": 2}
    for choice in (None, HNSW, IndexChoice("hnsw", 64), IVF):
        assert await match(bench, **base, index=choice) is not None
        assert await match(bench, **base, index=choice) is None


async def test_ties_do_not_lower_the_recall():
    x = np.repeat(X[:15], 100, axis=0)
    report = await match(bench_of(x=x), space=SpaceQuery("x"), vectors=X[:3], k=10, index=IVF)
    assert np.all(report.scores[:, 9] >= 1 - 1e-9)
    assert report.recall.value == 1.0


async def test_queries_for_which_the_index_finds_too_little_are_done_exactly(monkeypatch):
    search = IndexWithHeldOut.search

    def finding_little(self, *given):
        rows = search(self, *given)
        rows[::2, 5:] = -1
        return rows

    monkeypatch.setattr(IndexWithHeldOut, "search", finding_little)
    bench = bench_of()
    exact = exact_scores(X[:20], X, Similarity.COSINE)
    np.fill_diagonal(exact, -np.inf)
    for k in (6, 20):
        report = await match(bench, space=SpaceQuery("x"), ids=IDS[:20].tolist(), k=k, index=HNSW)
        check_scores(report, exact, k)
        alike = rows_of(report, 20, k) == np.argsort(-exact, axis=1, kind="stable")[:, :k]
        assert alike[::2].all()
        assert report.recall.value > 0.95


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("choice", [HNSW, IVF])
async def test_small_galleries(n, choice):
    bench = bench_of(x=X[:n])
    report = await match(bench, space=SpaceQuery("x"), vectors=X[:3], k=n, index=choice)
    check_scores(report, exact_scores(X[:3], X[:n], Similarity.COSINE), n)
    assert (report.recall.value, report.recall.probe_queries) == (1.0, n // 8 or n)


async def test_no_memory_for_an_index_is_a_refusal():
    bench = bench_of(budget=2_000_000)
    with pytest.raises(errors.MemoryBudget):
        await match(bench, space=SpaceQuery("x"), vectors=X[:1], k=1, index=HNSW)


async def test_an_index_that_cannot_be_kept_costs_time_and_no_answer(monkeypatch):
    kept = bench_of()
    expected = await match(kept, space=SpaceQuery("x"), vectors=X[:5], k=3, index=HNSW)
    bench = bench_of()
    monkeypatch.setattr(bench.account, "try_take", lambda *_: False)
    got = await match(bench, space=SpaceQuery("x"), vectors=X[:5], k=3, index=HNSW)
    assert list(got.ids) == list(expected.ids)
    assert got.recall == expected.recall


async def test_the_estimate_falls_once_the_index_is_there():
    bench = bench_of()
    query = MatchQuery(space=SpaceQuery("x"), vectors=X[:1], k=1, index=HNSW)
    before = await bench.matching.estimate_seconds(Call("match"), query)
    await bench.matching.match(Call("match"), query, lambda _: b"")
    assert await bench.matching.estimate_seconds(Call("match"), query) == 0.0 < before


REFUSED = [
    ({"gallery_ids": ["i0001"], "index": HNSW}, errors.InvalidArgument, "index", "searched exactly"),
    ({"exclude_ids": ["i0001"], "index": IVF}, errors.InvalidArgument, "index", "searched exactly"),
    ({"index": IndexChoice("hnsw", 5000)}, errors.InvalidArgument, "index_parameters.ef_search", "1 to 4,096"),
    ({"index": IndexChoice("ivf", 0)}, errors.InvalidArgument, "index_parameters.nprobe", "1 to 4,096"),
    ({"index": IndexChoice("cagra", 513)}, errors.InvalidArgument, "index_parameters.itopk_size", "1 to 512"),
    ({"index": IndexChoice("cagra", 128)}, errors.DeviceMissing, "index", "needs a GPU, but.*start it with the device cuda"),
    ({"index": IndexChoice("gpu_flat", 0)}, errors.DeviceMissing, "index", "hnsw or ivf"),
    ({"index": HNSW, "k": 101}, errors.InvalidK, "k", "1 to 100"),
]


@pytest.mark.parametrize(("options", "error", "field", "message"), REFUSED)
async def test_bad_requests_are_refused_before_anything_is_built(monkeypatch, options, error, field, message):
    monkeypatch.setattr(ApproximateIndexes, "build", lambda *_: pytest.fail("built"))
    bench = bench_of()
    with pytest.raises(error, match=message) as caught:
        await match(bench, **{"space": SpaceQuery("x"), "vectors": X[:1], "k": 1, **options})
    assert caught.value.field == field
    assert not bench.engine.asked


async def test_a_caller_who_leaves_ends_the_build(monkeypatch):
    started = asyncio.Event()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def build(self, name, gallery, similarity, control):
        loop.call_soon_threadsafe(started.set)
        try:
            while True:
                control.check()
        finally:
            loop.call_soon_threadsafe(ended.set)

    monkeypatch.setattr(ApproximateIndexes, "build", build)
    bench = bench_of()
    asked = asyncio.create_task(match(bench, space=SpaceQuery("x"), vectors=X[:1], k=1, index=HNSW))
    await started.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    async with asyncio.timeout(5):
        await ended.wait()


def test_buckets_of_k():
    for k in range(1, 2049):
        count = candidate_count(k, 10**6)
        assert count >= k + approximate_matching._SPARE + 1
        assert count & (count - 1) == 0
    assert candidate_count(5, 20) == 20


def test_probes_are_distinct_ascending_and_the_same_each_time():
    rows = probe_rows(10_000)
    assert len(rows) == len(set(rows)) == PROBE_QUERIES
    assert np.array_equal(rows, np.sort(rows))
    assert np.array_equal(rows, probe_rows(10_000))
    assert np.array_equal(probe_rows(7), np.arange(7))
