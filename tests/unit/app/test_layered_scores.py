"""Arrays with layers: every pair over all items, the choice on one half, the maximum calibrated as one; refusals by layer."""

from dataclasses import replace

import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.array_layers import ArrayLayers
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.content_ids import content_ids
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.layer_choice import halves
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.choose import make_engine

N = 90
DRAW = np.random.default_rng(5)
Z = DRAW.normal(size=(N, 5))
X = [(a * Z @ DRAW.normal(size=(5, d)) + DRAW.normal(size=(N, d))).astype(np.float32) for a, d in ((0.2, 9), (1.0, 14), (0.6, 9))]
Y = [(a * Z @ DRAW.normal(size=(5, d)) + DRAW.normal(size=(N, d))).astype(np.float32) for a, d in ((0.9, 7), (0.1, 20))]
SPEC = AlignmentSpec(ks=(5,), permutations=39)


class House:
    def __init__(self):
        metrics = SilentMetrics()
        account = Account(1 << 30, metrics)
        pool = ComputePool(1, 8, account, metrics)
        engine = make_engine(1, "cpu")
        self.scans = 0

        def counted(*arguments, **keywords):
            self.scans += 1
            return engine.self_join(*arguments, **keywords)

        counting = type("Counted", (), {"self_join": staticmethod(counted), "self_join_bytes": staticmethod(engine.self_join_bytes)})()
        limits = AlignmentLimits(2048, 9999, 1, 1e10)
        tables = Tables(counting, pool, account, metrics)
        results = ResultCache(MemoryCache(1 << 20), None, metrics)
        self.alignment = Alignment(Snapshots(MemoryStore(), pool, account), tables, results, pool, limits)

    async def align(self, x=X, y=Y, spec=SPEC, call=None, stacked=(False, False), groups=None):
        sides = [np.concatenate(side, axis=1) if isinstance(side, list) else side for side in (x, y)]
        layers = tuple(
            ArrayLayers([layer.shape[1] for layer in side], is_stacked) if isinstance(side, list) else None
            for side, is_stacked in zip((x, y), stacked, strict=True)
        )
        call = call or Call("align_arrays")
        return await self.alignment.align_arrays(call, *sides, Similarity.COSINE, spec, groups, layers=layers)


@pytest.fixture
def house():
    return House()


# Folds of linear predictivity are made of the items' names, which arrays take from their content: test_layered_alignment.py has it.
@pytest.mark.parametrize("metric", sorted(set(FAMILY_OF) - {"linear_predictivity"}))
async def test_each_pair_has_the_score_that_it_has_alone(house, metric):
    spec = replace(SPEC, metric=metric, permutations=19)
    report = await house.align(spec=spec)
    assert report.layers.scores.shape == report.layers.p_values.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        alone = await house.align(X[i], Y[j], spec=replace(spec, permutations=0))
        assert report.layers.scores[i, j] == pytest.approx(alone.headline.score, abs=1e-10)
    assert report.layers.n == N
    assert report.layers.maximum.score == report.layers.scores.max() == report.layers.scores[report.layers.maximum_at]


async def test_the_pair_is_chosen_on_one_half_and_scored_on_the_other(house):
    report = await house.align(spec=replace(SPEC, ks=(5, 3)))
    ids = content_ids(np.concatenate(X, axis=1), np.concatenate(Y, axis=1))
    choose, judge = halves(tie_keys("halves", ids.tolist()))
    assert (report.layers.selection, report.layers.selection_n, report.n, report.gallery) == ("split_half", 45, 45, 45)
    grid = np.array([[(await house.align(a[choose], b[choose])).headline.score for b in Y] for a in X])
    best = np.unravel_index(grid.argmax(), grid.shape)
    assert report.layers.best == best
    held_out = await house.align(X[best[0]][judge], Y[best[1]][judge])
    assert report.headline.score == held_out.headline.score
    assert [score.k for score in report.by_k] == [5, 3]
    assert report.headline.p_value is not None
    assert report.headline.interval.low < report.headline.score < report.headline.interval.high


async def test_the_maximum_is_calibrated_by_the_maxima_of_shared_pairings(house):
    report = await house.align(spec=replace(SPEC, layer_selection="max", ks=(5, 2)))
    assert report.n == N
    assert report.layers.selection_n == 0
    first, second = report.by_k
    assert (first.k, second.k) == (5, 2)
    assert first.score == report.layers.scores.max()
    assert report.layers.best == report.layers.maximum_at == tuple(np.unravel_index(report.layers.scores.argmax(), (3, 2)))
    assert first.null.shape == (39,)
    assert first.p_value == (1 + np.count_nonzero(first.null >= first.score - 1e-12)) / 40
    assert first.chance == pytest.approx(first.null.mean())
    assert first.chance > 5 / (N - 1)
    assert first.interval.low < first.score < first.interval.high
    # The maxima, from the same pairings of each pair alone.
    again = await house.align(spec=replace(SPEC, layer_selection="split_half"))
    assert again.layers.maximum.null.tolist() == first.null.tolist()
    assert again.layers.maximum == first


async def test_the_least_p_value_of_many_pairs_is_not_that_of_the_maximum(house):
    unrelated = [DRAW.normal(size=(N, 8)).astype(np.float32) for _ in range(6)]
    report = await house.align(unrelated, [DRAW.normal(size=(N, 8)).astype(np.float32) for _ in range(6)], replace(SPEC, permutations=99))
    assert report.layers.p_values.min() < report.layers.maximum.p_value


async def test_no_number_moves_with_the_rows(house):
    rho = np.random.default_rng(9).permutation(N)
    first, second = await house.align(), await house.align([x[rho] for x in X], [y[rho] for y in Y])
    assert first.headline == second.headline
    assert np.array_equal(first.layers.scores, second.layers.scores)
    assert np.array_equal(first.layers.p_values, second.layers.p_values)
    assert (first.layers.best, first.layers.maximum) == (second.layers.best, second.layers.maximum)


async def test_one_table_a_layer_and_half_and_two_of_the_chosen(house):
    await house.align()
    assert house.scans == 5 + 5 + 2
    await house.align(spec=replace(SPEC, metric="cycle_knn"))
    assert house.scans == 12
    await house.align(spec=replace(SPEC, layer_selection="max", ks=(3,)))
    assert house.scans == 12


async def test_where_there_is_one_pair_nothing_is_chosen(house):
    report = await house.align([X[1]], Y[0])
    alone = await house.align(X[1], Y[0])
    assert (report.headline, report.n) == (alone.headline, N)
    assert (report.layers.best, report.layers.maximum, report.layers.selection_n) == ((0, 0), None, 0)
    assert alone.layers is None


async def test_a_side_without_layers_is_one_layer(house):
    report = await house.align(X, Y[0])
    assert report.layers.scores.shape == (3, 1)


async def test_lists_and_stacks_are_clipped_apart(house):
    stack = [x[:, :9] for x in X]
    spec = replace(SPEC, preprocess="platonic_rep")
    of_list = await house.align(stack, Y, spec)
    of_stack = await house.align(stack, Y, spec, stacked=(True, False))
    assert len(of_list.clips) == len(of_stack.clips) == 5
    flat = np.abs(np.concatenate(stack, axis=1).astype(np.float64))
    whole = np.float32(np.quantile(flat, 0.95, axis=1).mean())
    assert of_stack.clips[:3] == pytest.approx([whole] * 3)
    each = [np.quantile(np.abs(layer.astype(np.float64)), 0.95, axis=1).mean() for layer in stack]
    assert of_list.clips[:3] == pytest.approx(each)
    assert of_list.clips[3:] == of_stack.clips[3:]
    assert not np.array_equal(of_list.layers.scores, of_stack.layers.scores)


async def test_pairings_stay_within_groups_in_both_halves(house):
    labels = np.repeat(np.arange(9), 10)
    report = await house.align(groups=labels)
    assert report.within.groups == 9
    free = await house.align()
    assert report.headline.null.tolist() != free.headline.null.tolist()


async def test_without_permutations_the_choice_is_judged_by_no_null(house):
    report = await house.align(spec=replace(SPEC, permutations=0))
    assert report.headline.p_value is report.layers.maximum is report.layers.p_values is None
    with pytest.raises(errors.InvalidArgument, match="without its chance"):
        await house.align(spec=replace(SPEC, permutations=0, layer_selection="max"))


async def test_refusals_name_the_layer(house):
    constant = [X[0], np.ones((N, 4), np.float32)]
    with pytest.raises(errors.ConstantFeatures, match="layer 1 of y") as refused:
        await house.align(X, constant)
    assert refused.value.field == "y"
    broken = X[2].copy()
    broken[7, 1] = np.nan
    with pytest.raises(errors.NotFinite, match=r"layer 2 of x.*rows 7"):
        await house.align([X[0], X[1], broken])
    zero = Y[0].copy()
    zero[3] = 0
    with pytest.raises(errors.ZeroVector, match="layer 0 of y"):
        await house.align(X, [zero, Y[1]])
    with pytest.raises(errors.ShapeMismatch, match="width of each layer"):
        await house.alignment.align_arrays(Call("align_arrays"), X[0], Y[0], Similarity.COSINE, SPEC, layers=(ArrayLayers([4, 4]), None))


async def test_refusals_of_preprocessing_name_the_layer(house):
    constant = [Y[0], np.tile(np.arange(1, 5, dtype=np.float32), (N, 1))]
    with pytest.raises(errors.ConstantFeatures, match="layer 1 of y"):
        await house.align(X, constant, replace(SPEC, preprocess="standardize"))


async def test_halves_that_are_too_small_name_the_way_out(house):
    with pytest.raises(errors.InvalidK, match=r"45 items.*at most 44.*layer_selection max"):
        await house.align(spec=replace(SPEC, ks=(45,)))
    report = await house.align(spec=replace(SPEC, ks=(45,), layer_selection="max"))
    assert report.headline.k == 45
    with pytest.raises(errors.TooFewItems, match="needs 4"):
        await house.align([x[:6] for x in X], [y[:6] for y in Y], replace(SPEC, metric="cka"))
    with pytest.raises(errors.NotServed, match="layers"):
        await house.align(spec=replace(SPEC, sample_queries=10, interval_kind="queries"))


async def test_progress_rises_and_cancellation_is_heard(house):
    told = []
    await house.align(call=Call("align_arrays", control=Control(told.append)))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    stopped = Control()
    stopped.cancel()
    with pytest.raises(errors.Cancelled):
        await house.align(call=Call("align_arrays", control=stopped))
