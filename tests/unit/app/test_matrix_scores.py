"""Matrices go on where they stopped: pairs are kept one by one, by what they were computed from."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app import matrix_scores
from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.encoded_scores import decode_scores, encode_scores
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.core.score import Interval, Score
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine

N = 50
IDS = [f"i{row:02}" for row in range(N)]
SPEC = AlignmentSpec(ks=(5,), permutations=29)
NAMES = ["a", "b", "c", "d"]


class House:
    def __init__(self, monkeypatch):
        metrics = SilentMetrics()
        self.store, account = MemoryStore(), Account(1 << 30, metrics)
        pool = ComputePool(1, 8, account, metrics)
        self.computed, self.most, self.reached = [], 99, asyncio.Event()
        of_all = JoinedScores.of_all

        async def noted(scores, call, snapshots, joined, spec, groups=None, pairs=None):
            if len(self.computed) >= self.most:
                self.reached.set()
                await asyncio.sleep(60)
            found = await of_all(scores, call, snapshots, joined, spec, groups, pairs)
            names = [snapshot.name.removeprefix("spaces/") for snapshot in snapshots]
            self.computed += [names[i] + names[j] for i, j in pairs]
            return found

        monkeypatch.setattr(JoinedScores, "of_all", noted)
        results = ResultCache(MemoryCache(1 << 22), None, metrics)
        tables = Tables(make_engine(1, "cpu"), pool, account, metrics)
        limits = AlignmentLimits(2048, 9999, 1, 1e10)
        self.alignment = Alignment(Snapshots(self.store, pool, account), tables, results, pool, limits)
        for at, name in enumerate("abcde"):
            self.store.create(SpaceSpec(name, 6, Similarity.COSINE))
            self.put(name, at)

    def put(self, name, seed):
        shared = np.random.default_rng(99).normal(size=(N, 6))
        self.store.put(name, IDS, (shared + np.random.default_rng(seed).normal(size=(N, 6))).astype(np.float32))

    async def matrix(self, names=NAMES, spec=SPEC, items="common", call=None):
        seen = []
        queries = [SpaceQuery(name) for name in names]
        await self.alignment.align_matrix(call or Call("align_matrix"), queries, items, spec, lambda matrix: seen.append(matrix) or b"m")
        return seen[0]


@pytest.fixture
def house(monkeypatch):
    monkeypatch.setattr(matrix_scores, "PAIRS_AT_A_TIME", 1)
    return House(monkeypatch)


def same(found, expected):
    for name in ("scores", "chance", "p_values", "p_adjusted", "q_values", "interval_low", "calibrated"):
        assert np.array_equal(getattr(found, name), getattr(expected, name), equal_nan=True), name


@pytest.mark.parametrize("metric", ["mutual_knn", "cycle_knn", "lcs_knn"])
async def test_a_cancelled_matrix_goes_on_where_it_stopped(house, monkeypatch, metric):
    spec, house.most = replace(SPEC, metric=metric), 3
    running = asyncio.create_task(house.matrix(spec=spec))
    await house.reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert house.computed == ["aa", "ab", "bb"]
    house.most = 99
    resumed = await house.matrix(spec=spec)
    assert house.computed[3:] == ["ac", "bc", "cc", "ad", "bd", "cd", "dd"]
    same(resumed, await House(monkeypatch).matrix(spec=spec))


async def test_a_space_more_costs_its_own_pairs(house):
    await house.matrix()
    house.computed.clear()
    await house.matrix([*NAMES, "e"])
    assert house.computed == ["ae", "be", "ce", "de", "ee"]
    house.computed.clear()
    subset = await house.matrix(["a", "c"])
    assert house.computed == []
    assert subset.scores.shape == (2, 2)


async def test_what_changed_is_computed_again(house):
    await house.matrix()
    house.computed.clear()
    house.put("c", 77)
    await house.matrix()
    assert house.computed == ["ac", "bc", "cc", "cd"]
    house.computed.clear()
    await house.matrix(spec=replace(SPEC, seed=1))
    assert len(house.computed) == 10


async def test_pairs_over_their_own_items_are_kept_too(house):
    house.store.delete_items("d", IDS[:9])
    first = await house.matrix(items="pairwise")
    house.computed.clear()
    await house.matrix([*NAMES, "e"], items="pairwise")
    assert house.computed == ["ae", "be", "ce", "de", "ee"]
    assert first.p_adjusted is None
    assert sorted(np.unique(first.n)) == [N - 9, N]


async def test_passes_are_whole_columns(monkeypatch):
    missing = [(i, j) for j in range(5) for i in range(j + 1)]
    monkeypatch.setattr(matrix_scores, "PAIRS_AT_A_TIME", 5)
    passes = list(matrix_scores._passes(missing))
    assert [len(pairs) for pairs in passes] == [6, 9]
    assert [pair for pairs in passes for pair in pairs] == missing
    assert list(matrix_scores._passes([])) == []


def test_scores_return_to_the_bit():
    null = np.random.default_rng(0).normal(size=99)
    full = Score(
        10, 0.1 + 0.2, 1 / 3, float("nan"), Interval(0.1, 0.9, 0.95, "items"), p_value=0.01, null_sd=1e-300, components_x=3, null=null
    )
    bare = Score(0, -0.5, 0.0, -0.5, Interval(-1.0, 1.0, 0.9, "queries"))
    for found, expected in zip(decode_scores(encode_scores([full, bare])), [full, bare], strict=True):
        assert repr(found) == repr(expected)
    found = decode_scores(encode_scores([full, bare, full]))
    assert [None if score.null is None else score.null.tolist() for score in found] == [null.tolist(), None, null.tolist()]
