"""Estimates against what the fit on the same pairs then reports."""

import numpy as np
import pytest
from scipy.stats import ortho_group
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.bridge_estimate import BridgeEstimateQuery
from consilience_server.app.bridge_estimates import BridgeEstimates
from consilience_server.app.call import Call
from consilience_server.core import errors
from consilience_server.core.cka import unbiased_cka

CALL = Call("estimate_bridge")


@pytest.fixture
def bench():
    bench = BridgeBench()
    x, y = paired_clouds()
    bench.space("x", x)
    bench.space("y", y)
    return bench


async def estimate(bench, source="x", target="y", **options):
    use_case = BridgeEstimates(bridging=bench.bridging, snapshots=bench.snapshots, pool=bench.pool, engine=bench.engine)
    return await use_case.estimate(CALL, BridgeEstimateQuery(SpaceQuery(source), SpaceQuery(target), **options))


@pytest.mark.parametrize("method", ["ridge", "procrustes", "cca"])
async def test_the_last_measured_point_is_what_the_fit_reports(bench, method):
    told = await estimate(bench, method=method, seed=3)
    fitted = await bench.bridging.fit(CALL, bench.query(method=method, seed=3))
    last = told.learning.measured[-1]
    assert told.learning.method == method
    assert (last.pairs, told.learning.queries, told.learning.gallery) == (fitted.fit_pairs, fitted.held_out.queries, 200)
    assert last.recalls == {k: fitted.held_out.recalls[k] for k in (1, 10)}
    assert last.intervals == {k: fitted.held_out.intervals[k] for k in (1, 10)}
    assert [point.pairs for point in told.learning.measured] == [10, 20, 40, 80, 160]
    assert told.seconds == await bench.bridging.estimate_seconds(CALL, bench.query(method=method))
    assert told.peak_bytes > 0


async def test_auto_is_foreseen_by_the_better_of_two(bench):
    told = await estimate(bench)
    ends = [(await estimate(bench, method=method)).learning.measured[-1].recalls[1] for method in ("procrustes", "ridge")]
    assert told.learning.measured[-1].recalls[1] == max(ends)
    assert told.learning.method == ("procrustes" if ends[0] >= ends[1] else "ridge")


async def test_the_order_of_the_pairs_does_not_matter(bench):
    ids = [f"i{row:04d}" for row in range(100)]
    one, other, reseeded = [await estimate(bench, item_ids=each, seed=seed) for each, seed in ((ids, 0), (ids[::-1], 0), (ids, 1))]
    assert (one.alignment, one.learning.measured, one.learning.need) == (other.alignment, other.learning.measured, other.learning.need)
    assert one.learning.forecasts[1].high.tolist() == other.learning.forecasts[1].high.tolist()
    assert one.learning.measured != reseeded.learning.measured


async def test_the_alignment_is_that_of_the_pairs(bench):
    x, y = paired_clouds()
    told = (await estimate(bench)).alignment
    assert told.cka == pytest.approx(unbiased_cka(x, y), rel=1e-9)
    assert told.chance == pytest.approx(10 / 199)
    assert (told.p_value, told.items) == (1 / 200, 200)
    lists = [np.argsort(-_cosines(rows), axis=1)[:, :10] for rows in (x, y)]
    assert told.mutual_knn == pytest.approx(np.mean([len({*a} & {*b}) / 10 for a, b in zip(*lists, strict=True)]))


def _cosines(rows):
    unit = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    return cosines


async def test_a_rotation_needs_no_more_pairs(bench):
    x, _ = paired_clouds()
    bench.space("turned", x @ ortho_group.rvs(12, random_state=0))
    told = await estimate(bench, target="turned")
    assert told.learning.measured[-1].recalls[1] == 1.0
    assert told.learning.need.pairs <= 160
    assert told.notes[-1].startswith(f"recall@1 of 0.9 takes about {told.learning.need.pairs:,} pairs in the fit (95%: ")
    assert all(point.high[-1] == 1.0 for point in told.learning.forecasts.values())


async def test_unrelated_spaces_are_told(bench):
    rng = np.random.default_rng(7)
    bench.space("noise", rng.standard_normal((200, 9)))
    told = await estimate(bench, target="noise")
    assert told.alignment.p_value > 0.05
    assert abs(told.alignment.cka) < 0.1
    assert "no more than by chance" in told.notes[0]
    assert told.learning.need.pairs is None
    assert "up to 2,560" in told.notes[1]
    assert told.learning.forecasts[1].recall[-1] < 0.1


async def test_a_wish_within_reach_has_an_interval_in_order(bench):
    need = (await estimate(bench, recall=0.5, k=10)).learning.need
    assert need.least <= need.pairs <= need.most
    harder = (await estimate(bench, recall=0.9, k=10)).learning.need
    assert harder.pairs is None or harder.pairs >= need.pairs


async def test_few_pairs_and_none_are_told_not_refused(bench):
    few = await estimate(bench, item_ids=[f"i{row:04d}" for row in range(11)])
    assert (few.pairs, few.alignment, few.learning, few.seconds, few.peak_bytes) == (11, None, None, 0.0, 0)
    assert not any(told.supported for told in few.methods if told.method != "identity")
    assert few.notes == ("11 pairs are known; a fit needs at least 10 beside the fifth that is held out, a forecast 40: label some",)
    some = await estimate(bench, item_ids=[f"i{row:04d}" for row in range(30)])
    assert {told.method for told in some.methods if told.supported} >= {"ridge", "procrustes"}
    assert some.alignment.items == 30
    assert some.seconds > 0
    assert some.notes[-1].startswith("30 pairs are too few for three points")
    for count in (1, 2, 3):
        assert (await estimate(bench, item_ids=[f"i{row:04d}" for row in range(count)])).learning is None
    bench.space("others", paired_clouds()[1], [f"other-{row}" for row in range(200)])
    none = await estimate(bench, target="others")
    assert (none.pairs, none.alignment, none.learning, none.seconds) == (0, None, None, 0.0)
    assert none.notes[0].startswith("0 pairs are known; a fit needs at least 10")


async def test_where_no_pairs_are_enough_for_a_fit_without(bench):
    rng = np.random.default_rng(0)
    for side in ("a", "b"):
        bench.space(side, rng.standard_normal((700, 12)), [f"{side}-{row}" for row in range(700)])
    assert (await estimate(bench, "a", "b")).notes[0].endswith("label some, or try method unsupervised")
    told = await estimate(bench, "a", "b", method="unsupervised")
    assert (told.learning, told.methods[-1].supported) == (None, True)
    assert told.seconds > 0
    assert told.peak_bytes > 0
    assert told.notes == ("unsupervised learns nothing from pairs, so more of them bring nothing: fit it, and read its report",)


async def test_of_a_baseline_nothing_is_foreseen(bench):
    x, _ = paired_clouds()
    bench.space("near", x + 0.1)
    told = await estimate(bench, target="near", method="identity")
    assert told.learning is None
    assert told.seconds > 0
    assert told.notes[-1].startswith("identity learns nothing from pairs")


@pytest.mark.parametrize(
    ("options", "error", "field"),
    [
        ({"recall": 0.0}, errors.InvalidArgument, "recall"),
        ({"recall": 1.0}, errors.InvalidArgument, "recall"),
        ({"recall": float("nan")}, errors.InvalidArgument, "recall"),
        ({"k": 5}, errors.InvalidArgument, "k"),
        ({"method": "magic"}, errors.UnknownMethod, "method"),
        ({"item_ids": ["i0001", "i0001"]}, errors.DuplicateId, "pairs.item_ids"),
        ({"item_ids": ["i0001"], "target_ids": ["i0001", "i0002"]}, errors.ShapeMismatch, "pairs.target_ids"),
        ({"item_ids": ["i0001", "nobody"]}, errors.ItemNotFound, "pairs.item_ids"),
    ],
)
async def test_bad_input_is_refused(bench, options, error, field):
    with pytest.raises(error) as refused:
        await estimate(bench, **options)
    assert refused.value.field == field


async def test_memory_is_asked_for():
    bench = BridgeBench(budget=20_000_000)
    for name, rows in zip("xy", paired_clouds(), strict=True):
        bench.space(name, rows)
    with pytest.raises(errors.MemoryBudget):
        await estimate(bench)


async def test_a_cancelled_one_stops(bench):
    call = Call("estimate_bridge")
    call.control.cancel()
    use_case = BridgeEstimates(bridging=bench.bridging, snapshots=bench.snapshots, pool=bench.pool, engine=bench.engine)
    with pytest.raises(errors.Cancelled):
        await use_case.estimate(call, BridgeEstimateQuery(SpaceQuery("x"), SpaceQuery("y")))
