"""Watches over a store of dictionaries, a real engine and a real file: what alarms, what does not, and what is told of it."""

import asyncio
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.adapters.watch_store import SqliteWatches
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.probe_measurement import ProbeMeasurement
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.watch_records import WatchSpec
from consilience_server.app.watch_runner import WatchRunner
from consilience_server.app.watching import Watching, WatchLimits
from consilience_server.core import errors
from consilience_server.core.confidence_sequence import check_level, log_evidence
from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.mutual_knn import chance, overlaps
from consilience_server.core.neighbours import neighbour_sets, self_scores
from consilience_server.core.ordered_lists import ordered_lists
from consilience_server.core.query_sample import hash_sample, sampling_keys
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.choose import make_engine
from consilience_server.engine.ordered_probes import ordered_chance, ordered_values

ENGINE = make_engine(1, "cpu")
SPEC = WatchSpec("w", "x", "y", k=5, probes=1000)
N = 240


class Gauges:
    def __init__(self):
        self.shown = {}

    def show(self, record, fresh_time):
        self.shown[record.spec.name] = (record, fresh_time)

    def remove(self, name):
        self.shown.pop(name, None)


class House:
    """Two spaces x and y of `N` items that agree well."""

    def __init__(self, path, max_watches=3):
        metrics = SilentMetrics()
        self.spaces, self.account = MemoryStore(), Account(1 << 30, metrics)
        self.pool = ComputePool(1, 8, self.account, metrics)
        self.snapshots = Snapshots(self.spaces, self.pool, self.account)
        self.path, self.gauges, self.max_watches = path, Gauges(), max_watches
        self.open()
        self.draw = np.random.default_rng(0)
        latent = self.draw.standard_normal((5 * N, 5))
        self.vectors = {name: latent @ self.draw.standard_normal((5, d)) + 0.3 * self.draw.standard_normal((5 * N, d)) for name, d in DIMS}
        self.ids = [f"item-{row:04d}" for row in range(5 * N)]
        for name, d in DIMS:
            self.spaces.create(SpaceSpec(name, d, Similarity.COSINE))
            self.put(name, self.vectors[name][:N])

    def open(self, *, read_only=False):
        self.watches = SqliteWatches(self.path / "watches.sqlite", read_only=read_only)
        limits = WatchLimits(self.max_watches, 2048, 1e9)
        self.watching = Watching(self.watches, self.snapshots, ProbeMeasurement(ENGINE, self.pool), self.gauges, limits)

    def put(self, name, vectors, start=0):
        self.spaces.put(name, self.ids[start : start + len(vectors)], vectors)

    async def create(self, spec=SPEC, request_id=""):
        return await self.watching.create(Call("create_watch"), spec, request_id)

    async def check(self, name="w"):
        return await self.watching.check(Call("run_watch"), name)


DIMS = (("x", 12), ("y", 9))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def plain(x, y, k=5):
    return overlaps(*(neighbour_sets(self_scores(side.astype(np.float32), Similarity.COSINE), k) for side in (x, y)))


async def test_a_baseline_of_all_items_scores_what_the_definition_says(house):
    record = await house.create()
    expected = plain(house.vectors["x"][:N], house.vectors["y"][:N])
    result = record.last
    assert result.score == pytest.approx(expected.mean(), rel=1e-12)
    assert (result.number, result.difference, result.level, result.alarm, result.fallen) == (0, 0.0, 0.0, False, ())
    assert (result.probes, result.coverage, result.gallery_items, result.common_items) == (N, 1.0, N, N)
    assert result.chance == chance(5, N)
    assert (result.interval_low, result.interval_high) == (result.score, result.score)
    assert (result.kept_x, result.kept_y) == (1.0, 1.0)
    assert record.baseline.min_drop == pytest.approx((result.score - result.chance) / 10)
    standing = (await house.watching.get("w"))[1]
    assert (standing.state, standing.age_seconds, standing.false_alarms_per_year) == ("ok", 0.0, pytest.approx(0.05))
    assert house.gauges.shown["w"][0] == record


@pytest.mark.parametrize("metric", ["lcs_knn", "edit_distance_knn"])
async def test_ordered_lists_are_watched_as_defined_and_alarm_when_scrambled(house, metric):
    spec = replace(SPEC, metric=metric)
    record = await house.create(spec)
    x, y = (house.vectors[name][:N].astype(np.float32) for name in "xy")
    uids = (record.baseline.x.uid, record.baseline.y.uid)
    lists = [
        ordered_lists(self_scores(side, Similarity.COSINE), 5, tie_keys(uid, house.ids[:N])) for side, uid in zip((x, y), uids, strict=True)
    ]
    expected = {"lcs_knn": lcs_knn, "edit_distance_knn": edit_distance_knn}[metric](*lists)
    assert record.last.score == pytest.approx(expected, rel=1e-12)
    assert record.last.chance == pytest.approx(ordered_chance(metric, 5, N))
    assert record.last.chance < chance(5, N) + 1e-12
    # Written anew as they are, and with a gallery that grew: nothing happened.
    house.put("x", house.vectors["x"][:N])
    house.put("y", house.vectors["y"][N : 2 * N], N)
    checked = await house.check()
    assert (checked.last.difference, checked.alarm) == (0.0, False)
    house.put("y", house.draw.permutation(house.vectors["y"][:N]))
    checked = await house.check()
    assert checked.alarm
    assert checked.last.fallen[0].overlap < checked.last.fallen[0].baseline_overlap


@pytest.mark.parametrize("metric", ["lcs_knn", "edit_distance_knn"])
def test_a_thousand_versions_that_only_jitter_the_order_never_alarm(metric):
    """Places next to each other change at random, at the baseline as at every version: single probes rise and fall, their mean does not."""
    draw, k, m = np.random.default_rng(2), 6, 200
    x = np.array([draw.permutation(40)[:k] for _ in range(m)])
    # y has the list of x with two items of its own, so that there is something to lose.
    y = np.where(draw.random((m, k)) < 0.7, x, 40 + np.arange(k))

    def now():
        sides = []
        for side in (x, y):
            sides.append(side.copy())
            at, rows = draw.integers(0, k - 1, m), np.flatnonzero(draw.random(m) < 0.3)
            sides[-1][rows, at[rows]], sides[-1][rows, at[rows] + 1] = side[rows, at[rows] + 1], side[rows, at[rows]]
        return ordered_values(metric, *sides)

    before = now()
    min_drop = 0.1 * before.mean()
    moved = 0
    for check in range(1, 1001):
        differences = now() - before
        moved += bool(differences.any())
        assert log_evidence(differences, -min_drop) < -math.log(check_level(0.05, check))
    assert moved == 1000
    assert log_evidence(-before, -min_drop) > -math.log(check_level(0.05, 1000))


async def test_probes_are_a_hash_sample_that_the_seed_names(house):
    one = await house.create(replace(SPEC, probes=150))
    house.put("x", house.vectors["x"][:N])
    two = await house.create(replace(SPEC, name="v", probes=150))
    other = await house.create(replace(SPEC, name="u", probes=150, seed=1))
    rows = [house.watches.baseline(record.uid).probe_rows for record in (one, two, other)]
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])
    assert np.array_equal(rows[0], hash_sample(sampling_keys(house.ids[:N]), 150))
    await house.watching.rebaseline(Call("rebaseline_watch"), "v", "")
    assert not np.array_equal(rows[0], house.watches.baseline(two.uid).probe_rows)
    expected = plain(house.vectors["x"][:N], house.vectors["y"][:N])[rows[0]]
    assert one.last.score == pytest.approx(expected.mean(), rel=1e-12)
    assert one.last.interval_low < expected.mean() < one.last.interval_high


async def test_growth_alone_never_alarms_though_over_all_items_the_same_probes_score_less(house):
    """What the spaces share is coarse: among more items, a probe's nearest are closer than that."""
    coarse = house.draw.standard_normal((5 * N, 2))
    for name, d in DIMS:
        house.vectors[name] = np.hstack([coarse, 0.25 * house.draw.standard_normal((5 * N, d - 2))])
        house.put(name, house.vectors[name][:N])
    record = await house.create()
    for start in range(N, 5 * N, N // 2):
        for name, _ in DIMS:
            house.put(name, house.vectors[name][start : start + N // 2], start)
        checked = await house.check()
        assert not checked.alarm
        assert checked.last.difference == 0.0
        assert (checked.last.gallery_items, checked.last.common_items) == (N, start + N // 2)
    assert checked.checks == 8
    differences = plain(house.vectors["x"], house.vectors["y"])[:N] - plain(house.vectors["x"][:N], house.vectors["y"][:N])
    assert log_evidence(differences, -record.baseline.min_drop) > -math.log(check_level(0.05, 8))


DRIFTS = {
    "noise in one space": lambda house: house.vectors["y"][:N] + 1.5 * house.draw.standard_normal((N, 9)),
    "another model": lambda house: house.draw.standard_normal((N, 9)),
    "ids mixed up": lambda house: house.vectors["y"][house.draw.permutation(N)],
    "a fifth of the items": lambda house: np.where(np.arange(N)[:, None] % 5 == 0, -house.vectors["y"][:N], house.vectors["y"][:N]),
}


@pytest.mark.parametrize("drift", DRIFTS)
async def test_a_real_drift_is_seen_at_the_first_version_and_says_which_space_moved(house, drift):
    record = await house.create()
    before = plain(house.vectors["x"][:N], house.vectors["y"][:N])
    moved = DRIFTS[drift](house)
    house.put("y", moved)
    checked = await house.check()
    result = checked.last
    now = plain(house.vectors["x"][:N], moved)
    assert checked.alarm
    assert result.alarm
    assert result.difference == pytest.approx((now - before).mean(), abs=1e-12)
    assert result.difference < result.difference_high < -record.baseline.min_drop
    assert result.level == check_level(0.05, 1)
    assert result.kept_x == 1.0
    assert result.kept_y < 0.9
    assert (await house.watching.get("w"))[1].state == "alarm"
    worst = result.fallen[0]
    row = house.ids.index(worst.item_id)
    assert (worst.baseline_overlap, worst.overlap) == (pytest.approx(before[row]), pytest.approx(now[row]))
    assert worst.overlap - worst.baseline_overlap == pytest.approx((now - before).min())
    assert worst.x_before == worst.x_now
    scores = self_scores(moved.astype(np.float32), Similarity.COSINE)[row]
    nearest = [house.ids[other] for other in np.argsort(-scores) if other != row][:5]
    assert list(worst.y_now) == nearest
    assert len(result.fallen) == 10


async def test_a_drop_below_min_drop_is_no_alarm_however_significant(house):
    await house.create(replace(SPEC, min_drop=0.3))
    house.put("y", house.vectors["y"][:N] + 0.3 * house.draw.standard_normal((N, 9)))
    checked = await house.check()
    assert not checked.alarm
    assert -0.3 < checked.last.difference_high < 0.0


async def test_jitter_of_many_versions_is_silent(house):
    await house.create()
    for _ in range(15):
        for name, d in DIMS:
            house.put(name, house.vectors[name][:N] + 0.01 * house.draw.standard_normal((N, d)))
        checked = await house.check()
        assert not checked.alarm
        assert checked.last.fallen
    assert checked.checks == 15


async def test_the_same_versions_are_measured_once(house):
    first = await house.create()
    again = await house.check()
    assert (again.last, again.checks) == (first.last, 0)
    assert again.check_time > first.check_time
    assert len((await house.watching.results("w", 0, ""))[1]) == 1


async def test_an_alarm_stays_while_the_drop_is_material_and_ends_when_it_is_not(house):
    await house.create()
    good = house.vectors["y"][:N]
    moved = np.where(np.arange(N)[:, None] % 4 == 0, -good, good)
    house.put("y", moved)
    assert (await house.check()).alarm
    record = house.watches.get("w")
    # So many checks later the same drop would raise none: the level is that small by then.
    house.watches.save(replace(record, checks=10**15))
    house.put("y", moved + 1e-6)
    later = await house.check()
    assert later.last.difference_high > -record.baseline.min_drop
    assert later.alarm
    house.put("y", good)
    assert not (await house.check()).alarm
    house.put("y", moved)
    assert not (await house.check()).alarm


async def test_items_that_leave_are_left_out_of_both_sides(house):
    await house.create()
    gone = house.ids[0:N:3]
    house.spaces.delete_items("y", gone)
    checked = await house.check()
    left = np.setdiff1d(np.arange(N), np.arange(0, N, 3))
    expected = plain(house.vectors["x"][left], house.vectors["y"][left])
    assert checked.last.score == pytest.approx(expected.mean(), rel=1e-12)
    assert (checked.last.difference, checked.alarm) == (0.0, False)
    assert checked.last.coverage == pytest.approx(2 / 3)
    assert checked.last.gallery_items == checked.last.common_items == len(left)


async def test_a_baseline_of_which_too_little_is_left_says_what_to_do(house):
    await house.create()
    house.spaces.delete_items("x", house.ids[: N // 2 + 10])
    with pytest.raises(errors.BaselineLost, match=r"110 of the baseline's 240 items.*new baseline") as lost:
        await house.check()
    assert lost.value.message.startswith("watch 'w': ")
    record, standing = await house.watching.get("w")
    assert (standing.state, record.failure[0], record.failures) == ("failed", "BASELINE_LOST", 1)
    assert standing.age_seconds > 0
    fresh = await house.watching.rebaseline(Call("rebaseline_watch"), "w", "")
    assert (fresh.failure, fresh.failures, fresh.last.number, fresh.last.gallery_items) == (None, 0, 1, 110)
    assert (await house.watching.get("w"))[1].state == "ok"


async def test_a_new_baseline_accepts_what_is(house):
    await house.create()
    house.put("y", DRIFTS["a fifth of the items"](house))
    assert (await house.check()).alarm
    fresh = await house.watching.rebaseline(Call("rebaseline_watch"), "w", "again")
    assert (fresh.alarm, fresh.checks, fresh.last.number, fresh.last.level) == (False, 0, 2, 0.0)
    assert fresh.baseline.score == fresh.last.score < (await house.watching.results("w", 0, ""))[1][2].score
    house.put("y", house.draw.standard_normal((N, 9)))
    assert (await house.check()).last.level == check_level(0.05, 1)
    # Repeated, it changes nothing more.
    repeated = await house.watching.rebaseline(Call("rebaseline_watch"), "w", "again")
    assert repeated.alarm
    assert [result.number for result in (await house.watching.results("w", 0, ""))[1]] == [3, 2, 1, 0]


async def test_a_space_made_anew_is_measured_by_its_ids(house):
    await house.create()
    house.spaces.delete("y")
    with pytest.raises(errors.SpaceNotFound):
        await house.check()
    record, standing = await house.watching.get("w")
    assert (standing.state, record.failure[0]) == ("failed", "SPACE_NOT_FOUND")
    house.spaces.create(SpaceSpec("y", 9, Similarity.COSINE))
    house.put("y", house.vectors["y"][:N])
    checked = await house.check()
    assert (checked.failure, checked.last.difference, checked.last.kept_y) == (None, 0.0, 1.0)
    assert checked.last.y.uid != record.last.y.uid


async def test_what_a_watch_cannot_be(house):
    bad = {
        "y": errors.InvalidArgument,
        "k": errors.InvalidK,
        "probes": errors.InvalidArgument,
        "min_drop": errors.InvalidArgument,
        "alpha": errors.InvalidArgument,
        "every_seconds": errors.InvalidArgument,
    }
    values = {"y": ["x"], "k": [0, N, 9999], "probes": [0, 10**6], "min_drop": [-0.1, 1.0, math.nan], "alpha": [0.0, 1.0, math.nan]}
    values["every_seconds"] = [-1.0, 0.5, math.inf, math.nan]
    for name, kind in bad.items():
        for value in values[name]:
            with pytest.raises(kind) as refused:
                await house.create(replace(SPEC, **{name: value}))
            assert refused.value.field == f"spec.{name}", (name, value)
    with pytest.raises(errors.InvalidName):
        await house.create(replace(SPEC, name="No"))
    with pytest.raises(errors.SpaceNotFound) as missing:
        await house.create(replace(SPEC, y="nowhere"))
    assert missing.value.field == "spec.y"
    for call in (house.watching.get("w"), house.check(), house.watching.results("w", 0, ""), house.watching.delete("w", "")):
        with pytest.raises(errors.WatchNotFound, match="'w'"):
            await call


async def test_a_watch_that_could_never_alarm_is_refused_with_the_numbers(house):
    with pytest.raises(errors.TooFewItems, match="with 12 probes even a complete loss") as few:
        await house.create(replace(SPEC, probes=12))
    assert few.value.field == "spec.probes"
    with pytest.raises(errors.InvalidArgument, match=r"cannot drop by 0\.9000") as near:
        await house.create(replace(SPEC, min_drop=0.9))
    assert near.value.field == "spec.min_drop"
    house.put("y", house.draw.standard_normal((N, 9)))
    house.put("x", house.draw.standard_normal((N, 12)))
    with pytest.raises(errors.InvalidArgument):
        await house.create()


async def test_names_and_numbers_are_limited_and_requests_repeatable(house):
    first = await house.create(request_id="one")
    assert await house.create(request_id="one") == first
    with pytest.raises(errors.UploadConflict, match="'one' was used before, to create watch 'w'"):
        await house.create(replace(SPEC, k=6), request_id="one")
    with pytest.raises(errors.WatchExists, match="'w'"):
        await house.create(request_id="two")
    await house.create(replace(SPEC, name="v"))
    await house.create(replace(SPEC, name="u"))
    with pytest.raises(errors.TooManyWatches, match="3 watches"):
        await house.create(replace(SPEC, name="t"))
    page, token = await house.watching.list(2, "")
    assert [record.spec.name for record, _ in page] == ["u", "v"]
    rest, end = await house.watching.list(2, token)
    assert ([record.spec.name for record, _ in rest], end) == (["w"], "")
    await house.watching.delete("w", "gone")
    assert "w" not in house.gauges.shown
    again = await house.create()
    await house.watching.delete("w", "gone")
    assert (await house.watching.get("w"))[0].uid == again.uid != first.uid
    with pytest.raises(errors.UploadConflict):
        await house.watching.delete("v", "gone")


async def test_results_come_page_by_page_the_newest_first(house):
    await house.create()
    for _ in range(3):
        house.put("y", house.vectors["y"][:N] + 0.01 * house.draw.standard_normal((N, 9)))
        await house.check()
    spec, page, token = await house.watching.results("w", 3, "")
    _, rest, end = await house.watching.results("w", 3, token)
    assert ([result.number for result in [*page, *rest]], end, spec) == ([3, 2, 1, 0], "", SPEC)
    await house.create(replace(SPEC, name="v"))
    with pytest.raises(errors.InvalidPageToken):
        await house.watching.results("v", 3, token)


async def test_a_reader_tells_and_refuses_to_write(house):
    made = await house.create()
    house.put("y", house.vectors["y"][:N] + 0.01)
    house.open(read_only=True)
    record, standing = await house.watching.get("w")
    assert record == made
    assert standing.age_seconds > 0
    for call in (house.create(replace(SPEC, name="v")), house.check(), house.watching.rebaseline(Call("c"), "w", "")):
        with pytest.raises(errors.StoreReadOnly):
            await call
    with pytest.raises(errors.StoreReadOnly):
        await house.watching.delete("w", "")


async def test_false_alarms_of_a_schedule_and_how_late_is_stale(house):
    record = await house.create(replace(SPEC, on_versions=False, every_seconds=86_400.0))
    assert (await house.watching.standing(record)).false_alarms_per_year == pytest.approx(0.05 * (1 - math.log(2) / math.log(367)))
    house.spaces.records["y"] = replace(house.spaces.records["y"], version=2)
    times = house.spaces.records["y"].update_time
    for days, state in ((2, "ok"), (4, "stale")):
        house.watching._behind.clear()
        house.spaces.records["y"] = replace(
            house.spaces.records["y"], update_time=times.fromtimestamp(time.time() - days * 86_400, times.tzinfo)
        )
        standing = await house.watching.standing(record)
        assert (standing.state, round(standing.age_seconds / 86_400)) == (state, days)
    manual = replace(record, spec=replace(record.spec, every_seconds=0.0))
    assert (await house.watching.standing(manual)).state == "ok"


class TestTheRunner:
    @pytest.fixture
    def runner(self, house):
        return WatchRunner(house.watching, limit=1)

    @staticmethod
    async def settle(runner):
        await runner.round()
        tasks = [rhythm.task for rhythm in runner._rhythms.values() if rhythm.task is not None]
        await asyncio.gather(*tasks)
        return len(tasks)

    async def test_it_checks_on_a_new_version_and_else_rests(self, house, runner):
        await house.create()
        assert await self.settle(runner) == 0
        house.put("y", house.draw.standard_normal((N, 9)))
        assert await self.settle(runner) == 1
        assert house.watches.get("w").alarm
        assert await self.settle(runner) == 0
        assert house.gauges.shown["w"][1] == pytest.approx(time.time(), abs=5)

    async def test_a_schedule_waits_for_its_time(self, house, runner):
        await house.create(replace(SPEC, on_versions=False, every_seconds=100.0))
        house.put("y", house.vectors["y"][:N] + 0.01)
        assert await self.settle(runner) == 0
        record = house.watches.get("w")
        house.watches.save(replace(record, check_time=record.check_time.fromtimestamp(time.time() - 101, record.check_time.tzinfo)))
        assert await self.settle(runner) == 1
        assert house.watches.get("w").checks == 1

    async def test_a_watch_without_a_trigger_is_left_alone(self, house, runner):
        await house.create(replace(SPEC, on_versions=False))
        house.put("y", house.vectors["y"][:N] + 0.01)
        assert await self.settle(runner) == 0

    async def test_failures_are_counted_kept_and_tried_again_later_and_later(self, house, runner):
        await house.create()
        house.spaces.delete("y")
        waits = []
        for _ in range(3):
            assert await self.settle(runner) == 1
            rhythm = next(iter(runner._rhythms.values()))
            waits.append(rhythm.retry_until - time.monotonic())
            assert await self.settle(runner) == 0
            rhythm.retry_until = 0.0
        assert [round(wait) for wait in waits] == [5, 10, 20]
        assert house.watches.get("w").failures == 3

    async def test_a_fault_of_ours_is_logged_kept_and_survived(self, house, runner, monkeypatch, caplog):
        await house.create()
        house.put("y", house.vectors["y"][:N] + 0.01)
        monkeypatch.setattr(house.watching._measurement, "compare", None)
        assert await self.settle(runner) == 1
        reason, message = house.watches.get("w").failure
        assert reason == "INTERNAL"
        assert message.rpartition(" ")[2] in caplog.text

    async def test_only_so_many_run_at_a_time_and_the_end_cancels_them(self, house, runner, monkeypatch):
        for name in ("w", "v"):
            await house.create(replace(SPEC, name=name))
        house.put("y", house.vectors["y"][:N] + 0.01)
        started = asyncio.Event()

        async def never(*_arguments):
            started.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(house.watching._measurement, "compare", never)
        await runner.round()
        await started.wait()
        await runner.round()
        assert sum(rhythm.task is not None for rhythm in runner._rhythms.values()) == 1
        await runner.close()
        assert not any(rhythm.task for rhythm in runner._rhythms.values())
        assert house.watches.get("w").failure is None

    async def test_a_watch_deleted_while_it_is_checked_is_forgotten(self, house, runner, monkeypatch):
        await house.create()
        house.put("y", house.vectors["y"][:N] + 0.01)
        record = house.watches.get("w")
        compare = house.watching._measurement.compare

        async def late(*arguments):
            house.watches.delete(record.spec, "")
            return await compare(*arguments)

        monkeypatch.setattr(house.watching._measurement, "compare", late)
        assert await self.settle(runner) == 1
        await runner.round()
        assert runner._rhythms == {}
