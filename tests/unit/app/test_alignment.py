import asyncio
import threading
import time
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app import array_alignment, joined_scores
from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.metric_families import mutual_knn as family_of_mutual_knn
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.reports import NeighbourMetric
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.core import errors
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.core.neighbours import neighbour_sets, self_scores
from consilience_server.core.preprocess import platonic_rep
from consilience_server.core.rsa import rsa
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine
from consilience_server.engine.neighbour_scores import mutual_knn_scores

COSINE = Similarity.COSINE
SPEC = AlignmentSpec(ks=(5,), permutations=99)


class Captured:
    """An encoder that keeps the report."""

    def __init__(self):
        self.reports = []

    def __call__(self, report):
        self.reports.append(report)
        return repr(report).encode()


class House:
    def __init__(self):
        metrics = SilentMetrics()
        self.store, self.account = MemoryStore(), Account(1 << 30, metrics)
        pool = ComputePool(1, 8, self.account, metrics)
        engine = make_engine(1, "cpu")
        self.scans = 0
        self_join = engine.self_join

        def counted(*arguments, **keywords):
            self.scans += 1
            return self_join(*arguments, **keywords)

        engine = type("Counted", (), {"self_join": staticmethod(counted), "self_join_bytes": staticmethod(engine.self_join_bytes)})()
        snapshots = Snapshots(self.store, pool, self.account)
        tables = self.tables = Tables(engine, pool, self.account, metrics)
        results = ResultCache(MemoryCache(1 << 20), None, metrics)
        self.alignment = Alignment(snapshots, tables, results, pool, AlignmentLimits(2048, 9999, 1, 1e10))

    def put(self, name, ids, vectors, similarity=COSINE):
        if name not in self.store.records:
            self.store.create(SpaceSpec(name, vectors.shape[1], similarity))
        self.store.put(name, ids, vectors)

    async def align(self, x="x", y="y", spec=SPEC, call=None):
        seen = Captured()
        await self.alignment.align(call or Call("align"), SpaceQuery(x), SpaceQuery(y), spec, seen)
        return seen.reports[0] if seen.reports else None


@pytest.fixture
def house():
    return House()


@pytest.fixture
def data():
    draw = np.random.default_rng(0)
    latent = draw.normal(size=(60, 4))
    x = (latent @ draw.normal(size=(4, 8)) + 0.3 * draw.normal(size=(60, 8))).astype(np.float32)
    y = (latent @ draw.normal(size=(4, 6)) + 0.3 * draw.normal(size=(60, 6))).astype(np.float32)
    return x, y


def ids(count, start=0):
    return [f"item-{i:03d}" for i in range(start, start + count)]


def oracle(x, y, k, similarity=COSINE):
    # The plain definition adds in another order than the fast path.
    return pytest.approx(
        mutual_knn(neighbour_sets(self_scores(x, similarity), k), neighbour_sets(self_scores(y, similarity), k)), rel=1e-14
    )


async def test_spaces_are_joined_by_id_and_what_is_dropped_is_counted(house, data):
    x, y = data
    house.put("x", ids(50), x[:50])
    house.put("y", ids(50, 10)[::-1], y[10:][::-1])
    report = await house.align()
    assert (report.n, report.gallery, report.dropped_x, report.dropped_y) == (40, 40, 10, 10)
    assert report.headline.score == oracle(x[10:50], y[10:50], 5)
    assert report.headline.chance == 5 / 39
    assert (report.x.name, report.x.version) == ("spaces/x", 1)


async def test_every_k_comes_from_one_table_a_space(house, data):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60), y)
    report = await house.align(spec=AlignmentSpec(ks=(10, 1, 5), permutations=19))
    assert [score.k for score in report.by_k] == [10, 1, 5]
    assert [score.score for score in report.by_k] == [oracle(x, y, k) for k in (10, 1, 5)]
    assert house.scans == 2


async def test_shares_of_the_items_come_from_the_same_table(house, data):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(50), y[:50])
    report = await house.align(spec=AlignmentSpec(ks=(5, 10), k_fractions=(0.3, 0.01, 0.1), permutations=0))
    assert [score.k for score in report.by_k] == [5, 10, 15, 1]  # of 50 common items; .1 is 5, which is asked already
    assert report.by_k[2].score == oracle(x[:50], y[:50], 15)
    assert house.scans == 2
    seen = Captured()
    await house.alignment.align_matrix(
        Call("m"), [SpaceQuery("x"), SpaceQuery("y")], "common", AlignmentSpec(ks=(), k_fractions=(0.1,)), seen
    )
    assert seen.reports[0].k == 5


async def test_shares_that_cannot_be_served_are_refused(house, data):
    house.put("x", ids(60), data[0])
    house.put("y", ids(60), data[1])
    for share in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(errors.InvalidK, match="above 0 and below 1"):
            await house.align(spec=AlignmentSpec(k_fractions=(share,)))
    with pytest.raises(errors.InvalidK, match="each once"):
        await house.align(spec=AlignmentSpec(k_fractions=(0.1, 0.1)))
    with pytest.raises(errors.InvalidK, match="at least one"):
        await house.align(spec=AlignmentSpec(ks=()))
    with pytest.raises(errors.InvalidK, match="another k for each"):
        both = [SpaceQuery("x"), SpaceQuery("y")]
        await house.alignment.align_matrix(Call("m"), both, "pairwise", AlignmentSpec(ks=(), k_fractions=(0.1,)), Captured())


async def test_a_repeat_is_served_from_the_cache_and_a_new_version_is_not(house, data):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60), y)
    await house.align()
    again = Call("align")
    assert await house.align(call=again) is None
    assert again.cache_tier == "memory"
    house.put("x", ids(1), x[:1] + 1)
    changed = await house.align()
    assert changed.x.version == 2
    other_seed = await house.align(spec=AlignmentSpec(ks=(5,), permutations=99, seed=1))
    assert other_seed.headline.score == changed.headline.score


async def test_the_paper_s_preprocessing(house, data):
    x, y = data
    house.put("x", ids(60), x, Similarity.INNER_PRODUCT)
    house.put("y", ids(60), y, Similarity.SQUARED_L2)
    report = await house.align(spec=AlignmentSpec(ks=(5,), permutations=0, preprocess="platonic_rep"))
    (px, clip_x), (py, clip_y) = platonic_rep(x), platonic_rep(y)
    assert report.headline.score == oracle(px, py, 5)
    assert report.clips == (clip_x, clip_y)
    assert report.headline.p_value is None


async def test_each_space_is_searched_by_its_own_similarity(house, data):
    x, y = data
    house.put("x", ids(60), x, Similarity.SQUARED_L2)
    house.put("y", ids(60), y, Similarity.COSINE)
    report = await house.align()
    expected = mutual_knn(neighbour_sets(self_scores(x, Similarity.SQUARED_L2), 5), neighbour_sets(self_scores(y, COSINE), 5))
    assert report.headline.score == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "metric",
    [
        *get_args(NeighbourMetric),
        "cka",
        "unbiased_cka",
        "cca",
        "svcca",
        "procrustes",
        "angular_shape",
        "linear_predictivity",
        "rsa",
        "rbf_cka",
    ],
)
async def test_a_matrix_agrees_with_its_pairs(house, data, metric):
    x, y = data
    spaces = {"a": x, "b": y, "c": x[:, ::-1] + y[:, :1]}
    for name, vectors in spaces.items():
        house.put(name, ids(60), np.ascontiguousarray(vectors))
    spec = AlignmentSpec(metric=metric, ks=(5,), permutations=99)
    seen = Captured()
    queries = [SpaceQuery(name) for name in spaces]
    await house.alignment.align_matrix(Call("align_matrix"), queries, "common", spec, seen)
    matrix = seen.reports[0]
    assert house.scans == (3 if FAMILY_OF[metric].reads == "tables" else 0)
    for i, first in enumerate(spaces):
        for j, second in enumerate(spaces):
            if i < j:
                one = (await house.align(first, second, spec)).headline
                assert matrix.scores[i, j] == pytest.approx(one.score, rel=1e-12)
                back = (
                    one
                    if metric not in ("cycle_knn", "cknna", "procrustes", "linear_predictivity")
                    else (await house.align(second, first, spec)).headline
                )
                assert matrix.scores[j, i] == pytest.approx(back.score, rel=1e-12)
                assert matrix.chance[j, i] == pytest.approx(
                    back.chance, rel=1e-12 if metric not in ("cknna", "procrustes", "linear_predictivity") else 0.1
                )
                assert matrix.p_values[i, j] == one.p_value
                assert matrix.calibrated[i, j] == pytest.approx(one.calibrated, abs=1e-12)
                assert matrix.interval_low[i, j] == pytest.approx(one.interval.low, abs=1e-9)
    assert np.isnan(np.diag(matrix.p_values)).all()
    if metric not in ("cycle_knn", "linear_predictivity"):
        assert np.diag(matrix.scores) == pytest.approx(1)
    seen = Captured()
    await house.alignment.align_matrix(Call("align_matrix"), queries, "pairwise", spec, seen)
    np.testing.assert_allclose(seen.reports[0].scores, matrix.scores, rtol=1e-12)


@pytest.mark.parametrize("preprocess", ["none", "platonic_rep"])
async def test_metrics_of_all_pairs_take_a_sample_that_the_answer_names(house, data, preprocess):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60)[::-1], y[::-1])
    spec = AlignmentSpec(metric="rsa", rdm_distance="euclidean", sample_items=30, permutations=19, preprocess=preprocess)
    report = await house.align(spec=spec)
    assert (report.n, report.gallery, report.sampled_items.count, report.sampled_items.common) == (30, 30, 30, 60)
    rows = [int(item.removeprefix("item-")) for item in report.sampled_items.ids]
    # Preprocessing learns from the items that are compared.
    sides = [platonic_rep(side[rows])[0] if preprocess == "platonic_rep" else side[rows] for side in (x, y)]
    assert report.headline.score == pytest.approx(rsa(*sides, "euclidean"), abs=1e-12)
    assert "estimated from 30 of 60 items" in report.warnings[0]
    assert (report.rdm.distance, report.rdm.comparison) == ("euclidean", "spearman")
    everything = await house.align(spec=replace(spec, sample_items=0, all_items=True))
    assert (everything.n, everything.sampled_items) == (60, None)
    seen = Captured()
    await house.alignment.align_matrix(Call("align_matrix"), [SpaceQuery("x"), SpaceQuery("y")], "common", spec, seen)
    matrix = seen.reports[0]
    assert matrix.sampled_items == report.sampled_items
    assert (matrix.n == 30).all()
    assert matrix.scores[0, 1] == pytest.approx(report.headline.score, abs=1e-12)


async def test_the_bandwidths_of_both_sides_are_told(house, data):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60), y)
    spec = AlignmentSpec(metric="rbf_cka", permutations=0)
    report = await house.align(spec=spec)
    assert report.bandwidths == pytest.approx([np.median(pdist(side.astype(float))) for side in (x, y)])
    seen = Captured()
    await house.alignment.align_matrix(Call("align_matrix"), [SpaceQuery("x"), SpaceQuery("y")], "common", spec, seen)
    assert seen.reports[0].bandwidths == report.bandwidths
    assert (await house.align(spec=AlignmentSpec(metric="cka", permutations=0))).bandwidths == ()


async def test_all_pairs_of_too_many_items_are_refused_with_the_number(house):
    draw = np.random.default_rng(0)
    for name in ("x", "y"):
        house.put(name, [f"{i:05d}" for i in range(6000)], draw.normal(size=(6000, 4)).astype(np.float32))
    spec = AlignmentSpec(metric="rsa", all_items=True, permutations=9)
    with pytest.raises(errors.MemoryBudget) as caught:
        await house.align(spec=spec)
    assert int(caught.value.metadata["needed_bytes"]) > 6000**2 * 8


async def test_equal_items_are_ordered_by_hashes_that_no_other_space_shares(house):
    draw = np.random.default_rng(1)
    one_hot = np.eye(4, dtype=np.float32)[draw.integers(4, size=60)]
    house.put("x", ids(60), one_hot)
    house.put("y", ids(60), one_hot)
    spec = AlignmentSpec(metric="lcs_knn", ks=(5,), permutations=0)
    assert (await house.align("x", "x", spec)).headline.score == 1.0
    twins = (await house.align("x", "y", spec)).headline
    assert twins.tie_fraction_x == 1.0
    assert 0 < twins.score < 0.9
    shuffle = draw.permutation(60)
    house.put("x", [ids(60)[row] for row in shuffle], one_hot[shuffle])
    assert (await house.align("x", "y", spec)).headline == twins


async def test_cknna_needs_a_kernel(house, data):
    house.put("x", ids(60), data[0])
    house.put("y", ids(60), data[1], Similarity.SQUARED_L2)
    with pytest.raises(errors.InvalidArgument, match="squared_l2") as refused:
        await house.align(spec=AlignmentSpec(metric="cknna", ks=(5,), permutations=0))
    assert refused.value.field == "y"
    assert house.scans == 0
    await house.align(spec=AlignmentSpec(metric="cknna", ks=(5,), permutations=0, preprocess="platonic_rep"))
    with pytest.raises(errors.TooFewItems):
        house.put("three", ids(3), data[0][:3])
        await house.align("x", "three", AlignmentSpec(metric="cknna", ks=(1,), permutations=0))


async def test_pairwise_uses_each_pair_s_own_items(house, data):
    x, y = data
    house.put("a", ids(60), x)
    house.put("b", ids(40), y[:40])
    house.put("c", ids(40, 20), y[20:])
    for items, expected in (("common", [[20] * 3] * 3), ("pairwise", [[60, 40, 40], [40, 40, 20], [40, 20, 40]])):
        seen = Captured()
        await house.alignment.align_matrix(Call("m"), [SpaceQuery(n) for n in "abc"], items, SPEC, seen)
        assert seen.reports[0].n.tolist() == expected
    assert seen.reports[0].scores[0, 1] == oracle(x[:40], y[:40], 5)


async def test_arrays_do_not_know_the_order_of_their_rows(house):
    draw = np.random.default_rng(1)
    x = np.eye(8, dtype=np.float32)[draw.integers(8, size=200)]
    y = np.eye(6, dtype=np.float32)[draw.integers(6, size=200)]
    shuffle = draw.permutation(200)
    spec = AlignmentSpec(ks=(10,), permutations=99)
    first = await house.alignment.align_arrays(Call("a"), x, y, COSINE, spec)
    second = await house.alignment.align_arrays(Call("a"), x[shuffle].copy(), y[shuffle].copy(), COSINE, spec)
    assert first.by_k == second.by_k
    assert first.headline.tie_fraction_x == 1
    assert first.headline.self_score_x < 1


@pytest.mark.parametrize(
    ("spec", "error", "field"),
    [
        (AlignmentSpec(ks=()), errors.InvalidK, "spec.ks"),
        (AlignmentSpec(ks=(0,)), errors.InvalidK, "spec.ks"),
        (AlignmentSpec(ks=(5, 5)), errors.InvalidK, "spec.ks"),
        (AlignmentSpec(ks=(60,)), errors.InvalidK, "spec.ks"),
        (AlignmentSpec(ks=(4096,)), errors.InvalidK, "spec.ks"),
        (AlignmentSpec(permutations=10**6), errors.InvalidArgument, "spec.permutations"),
        (AlignmentSpec(alpha=0), errors.InvalidArgument, "spec.alpha"),
        (AlignmentSpec(alpha=float("nan")), errors.InvalidArgument, "spec.alpha"),
        (AlignmentSpec(confidence=1), errors.InvalidArgument, "spec.confidence"),
        (AlignmentSpec(sample_queries=5), errors.InvalidArgument, "spec.interval_kind"),
        (AlignmentSpec(query_ids=("item-001",), sample_queries=5), errors.InvalidArgument, "spec.query_ids"),
        (AlignmentSpec("cka", sample_queries=5, interval_kind="queries"), errors.InvalidArgument, "spec.sample_queries"),
        (AlignmentSpec(query_ids=("nobody",), interval_kind="queries"), errors.ItemNotFound, "spec.query_ids"),
    ],
)
async def test_what_is_refused(house, data, spec, error, field):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60), y)
    with pytest.raises(error) as refusal:
        await house.align(spec=spec)
    assert refusal.value.field == field
    assert house.account.used <= x.nbytes + y.nbytes + 2 * 60 * 72


async def test_spaces_that_cannot_be_aligned(house, data):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60, 100), y)
    house.put("three", ids(3), y[:3])
    house.put("same", ids(60), np.ones((60, 2), dtype=np.float32))
    with pytest.raises(errors.NoCommonItems):
        await house.align()
    for x_name, y_name, field in (("x", "nowhere", "y"), ("nowhere", "x", "x")):
        with pytest.raises(errors.SpaceNotFound) as refusal:
            await house.align(x_name, y_name)
        assert refusal.value.field == field
    with pytest.raises(errors.InvalidK, match="only 3 items"):
        await house.align("x", "three")
    with pytest.raises(errors.TooFewItems):
        await house.align("x", "three", AlignmentSpec(metric="unbiased_cka"))
    with pytest.raises(errors.ConstantFeatures):
        await house.align("x", "same", AlignmentSpec(metric="cka"))
    with pytest.raises(errors.ConstantFeatures):
        await house.align("x", "same", AlignmentSpec(metric="procrustes"))
    with pytest.raises(errors.VersionExpired):
        await house.alignment.align(Call("a"), SpaceQuery("x", 9), SpaceQuery("y"), SPEC, Captured())
    for queries in ([SpaceQuery("x")], [SpaceQuery("x"), SpaceQuery("x")]):
        with pytest.raises(errors.InvalidArgument):
            await house.alignment.align_matrix(Call("m"), queries, "common", SPEC, Captured())


async def test_arrays_that_are_refused(house, data):
    x, y = data
    bad = x.copy()
    bad[7] = 0
    with pytest.raises(errors.ZeroVector, match="rows 7"):
        await house.alignment.align_arrays(Call("a"), bad, y, COSINE, SPEC)
    with pytest.raises(errors.ShapeMismatch):
        await house.alignment.align_arrays(Call("a"), x, y[:9], COSINE, SPEC)


async def test_a_passed_deadline_leaves_no_memory_behind(house, data):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60), y)
    with pytest.raises(errors.DeadlineExceeded):
        await house.align(call=Call("align", deadline=time.monotonic() - 1))
    await asyncio.sleep(0.2)
    assert house.account.used == 0


async def test_an_estimate_looks_at_the_versions_that_are_asked(house, data):
    x, y = data
    ids = [f"i{row:02}" for row in range(60)]
    house.put("x", ids, x)
    house.put("y", ids, y)
    house.store.delete_items("x", ids[3:])
    assert await house.alignment.estimate_seconds([SpaceQuery("x"), SpaceQuery("y")], SPEC) == 0
    assert await house.alignment.estimate_seconds([SpaceQuery("x", 1), SpaceQuery("y")], SPEC) > 0


async def test_nothing_heavy_happens_on_the_event_loop(house, data, monkeypatch):
    x, y = data
    loop, threads = threading.current_thread(), []
    for module, name in ((joined_scores, "tie_keys"), (array_alignment, "check_array")):
        original = getattr(module, name)

        def noted(*arguments, original=original, **keywords):
            threads.append(threading.current_thread())
            return original(*arguments, **keywords)

        monkeypatch.setattr(module, name, noted)
    await house.alignment.align_arrays(Call("align_arrays"), x, y, COSINE, SPEC)
    assert len(threads) == 3
    assert loop not in threads


@pytest.mark.parametrize("spec", [AlignmentSpec(ks=(60,)), AlignmentSpec(ks=(2048,), permutations=9999)])
async def test_what_will_be_refused_is_no_operation(house, data, spec):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(60, 100), y)
    assert await house.alignment.estimate_seconds([SpaceQuery("x"), SpaceQuery("y")], spec) == 0
    with pytest.raises(errors.NoCommonItems):
        await house.align(spec=spec)
    with pytest.raises(errors.InvalidK):
        await house.alignment.estimate_seconds([SpaceQuery("x"), SpaceQuery("y")], AlignmentSpec(ks=(0,)))


async def test_copies_and_tables_count_while_they_are_used_and_only_tables_stay(house, data, monkeypatch):
    x, y = data
    house.put("x", ids(60), x)
    house.put("y", ids(50), y[:50])
    seen = []

    def noted(*arguments, **keywords):
        seen.append(house.account.used)
        return mutual_knn_scores(*arguments, **keywords)

    monkeypatch.setattr(family_of_mutual_knn, "mutual_knn_scores", noted)
    await house.align()
    tables = sum(kept.table.nbytes for kept in house.tables._tables.values())
    snapshots = x.nbytes + y[:50].nbytes + 72 * 110
    copies = x[:50].nbytes
    assert seen[0] >= snapshots + copies + tables
    assert house.account.used == snapshots + tables
    house.account.take("requests", house.account.budget - snapshots, "other work")
    assert not house.tables._tables
