import math

import numpy as np
import pytest
from support.convergence_house import ConvergenceHouse

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.trend_query import TrendQuery
from consilience_server.core import errors

SPEC = AlignmentSpec(ks=(5,), permutations=99)
NAMES = tuple("abcdef")
NUMBERS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)


@pytest.fixture
def house():
    """Six spaces of one latent, the noisier the earlier in the alphabet, and the latent itself."""
    made, random = ConvergenceHouse(), np.random.default_rng(0)
    ids = [f"i{row:03d}" for row in range(150)]
    latent = random.standard_normal((150, 6))
    for name, noise in zip(NAMES, (8, 4, 2, 1, 0.5, 0.25), strict=True):
        made.put(name, ids, (latent @ random.standard_normal((6, 12)) + noise * random.standard_normal((150, 12))).astype(np.float32))
    made.put("latent", ids[:140], latent[:140].astype(np.float32))
    return made


def query(names=NAMES, numbers=NUMBERS, spec=SPEC, **more):
    return TrendQuery(tuple(SpaceQuery(name) for name in names), numbers, spec, **more)


async def test_less_noise_is_more_alignment_with_the_reference(house):
    told = await house.trend(query(reference=SpaceQuery("latent"), scale="log10"))
    assert told.spearman == pytest.approx(1.0)
    assert told.test.spearman == pytest.approx(2 / math.factorial(6))
    assert (told.n, told.k, len(told.reports)) == (140, 5, 6)
    assert told.reference.name == "spaces/latent"
    assert told.pair_scores is None
    np.testing.assert_array_equal(told.scores, [report.headline.score for report in told.reports])
    assert all(report.headline.p_value is not None for report in told.reports)
    assert told.slope == pytest.approx(np.polyfit(np.arange(6.0), told.scores, 1)[0])
    assert told.spearman_interval[0] < 1.0 == told.spearman_interval[1]
    assert house.scans == 7
    single = await house.align("c", "latent", SPEC)
    assert single.headline.score == told.scores[2]


async def test_without_a_reference_each_space_is_compared_with_the_others(house):
    told = await house.trend(query(bucket_count=2))
    matrix = await house.matrix(NAMES, SPEC)
    off = matrix.scores.copy()
    np.fill_diagonal(off, np.nan)
    np.testing.assert_allclose(told.pair_scores, off)
    np.testing.assert_allclose(told.scores, np.nanmean(off, axis=1))
    assert (told.reference, told.reports) == (None, ())
    low, high = told.buckets
    assert (low.members, high.members) == ((0, 1, 2), (3, 4, 5))
    assert high.mean > low.mean
    assert high.mean == pytest.approx(told.across[1, 1])
    assert told.across[0, 1] == pytest.approx(off[:3, 3:].mean())
    assert told.spearman > 0.5


async def test_metrics_of_all_pairs_are_measured_on_their_sample(house):
    spec = AlignmentSpec("rsa", rdm_distance="euclidean", sample_items=60, permutations=19)
    told, matrix = await house.trend(query(spec=spec)), await house.matrix(NAMES, spec)
    off = matrix.scores.copy()
    np.fill_diagonal(off, np.nan)
    np.testing.assert_allclose(told.pair_scores, off, atol=1e-12)
    assert told.n == 60
    assert "estimated from 60 of 150 items" in told.warnings[0]
    assert (await house.trend(query(spec=spec, reference=SpaceQuery("latent")))).n == 60


async def test_a_metric_with_a_direction_counts_both(house):
    spec = AlignmentSpec(metric="cycle_knn", ks=(5,), permutations=9)
    told = await house.trend(query(spec=spec))
    expected = 0.5 * (told.pair_scores + told.pair_scores.T)
    np.testing.assert_allclose(told.scores, np.nanmean(expected, axis=1))


async def test_neither_the_order_of_spaces_nor_more_of_them_matters_to_a_score(house):
    told = await house.trend(query(reference=SpaceQuery("latent")))
    turned = await house.trend(query(NAMES[::-1], NUMBERS[::-1], reference=SpaceQuery("latent")))
    np.testing.assert_array_equal(told.scores, turned.scores[::-1])
    assert (told.spearman, told.test) == (turned.spearman, turned.test)


async def test_families_have_lines_of_their_own(house):
    told = await house.trend(query(families=("x", "y", "x", "y", "x", "z"), scale="log10"))
    assert [(family.name, family.count) for family in told.families] == [("x", 3), ("y", 2), ("z", 1)]
    slope, intercept = np.polyfit([0.0, 2, 4], told.scores[[0, 2, 4]], 1)
    assert (told.families[0].slope, told.families[0].intercept) == pytest.approx((slope, intercept))
    assert math.isnan(told.families[2].slope)


async def test_what_a_reader_must_know_is_said(house):
    told = await house.trend(query(NAMES[:3], (1.0, 1.0, 2.0), reference=SpaceQuery("latent")))
    few, sizes, ties = told.warnings
    assert "only 3 spaces" in few
    assert "140" in sizes
    assert "share a number" in ties
    assert (await house.trend(query())).warnings == []


async def test_without_permutations_there_is_no_test(house):
    told = await house.trend(query(spec=AlignmentSpec(ks=(5,), permutations=0)))
    assert told.test is None


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        (dict(names=NAMES[:2], numbers=NUMBERS[:2]), "spaces", "2 spaces show no trend"),
        (dict(names=("a", "b", "a"), numbers=NUMBERS[:3]), "spaces", "'a' is named twice"),
        (dict(reference=SpaceQuery("a")), "reference", "compared with itself"),
        (dict(numbers=NUMBERS[:4]), "against", "4 numbers for 6 spaces"),
        (dict(numbers=(*NUMBERS[:5], math.nan)), "against", "'f' has no finite number"),
        (dict(numbers=(-1.0, *NUMBERS[1:]), scale="log10"), "against", "'a' has -1, which has no logarithm"),
        (dict(numbers=(2.0,) * 6), "against", "numbers that differ"),
        (dict(families=("x",)), "families", "1 families for 6 spaces"),
        (dict(bucket_edges=(3.0, 3.0)), "bucket_edges", "ascend"),
        (dict(bucket_count=7), "bucket_count", "7 buckets for 6 spaces"),
        (dict(spec=AlignmentSpec(ks=(5, 10))), "spec.ks", "one k"),
        (dict(spec=AlignmentSpec(ks=(5,), within="label")), "spec.within", "nothing to keep within"),
    ],
)
async def test_what_cannot_be_a_trend_is_refused(house, asked, field, says):
    with pytest.raises(errors.InvalidArgument, match=says) as refused:
        await house.trend(query(**asked))
    assert refused.value.field == field


async def test_what_an_alignment_refuses_a_trend_refuses(house):
    with pytest.raises(errors.InvalidK):
        await house.trend(query(spec=AlignmentSpec(ks=(150,))))
    with pytest.raises(errors.SpaceNotFound) as missing:
        await house.trend(query(reference=SpaceQuery("nobody")))
    assert missing.value.field.startswith("reference")


async def test_the_same_question_is_answered_from_the_cache(house):
    await house.trend(query())
    assert await house.trend(query()) is None


def test_equal_scores_are_one_rank_though_their_sums_differ():
    from consilience_server.app.reports import SpaceUse
    from consilience_server.app.trend import trend_report
    from consilience_server.app.trend_query import Aligned
    from consilience_server.core.control import Control

    asked = query(NAMES[:4], (1.0, 2.0, 3.0, 4.0))
    uses = [SpaceUse(name, name, 1) for name in NAMES[:4]]
    scores = np.array([0.1 + 0.2, 0.3, 0.3, 0.3])
    told = trend_report(asked, uses, 9, Aligned(scores, scores, scores), (), None, Control())
    assert math.isnan(told.spearman)
    assert told.test.spearman == 1.0


async def test_near_duplicates_in_one_space_leave_all_so_that_scores_compare(house):
    ids = [f"i{row:03d}" for row in range(150)]
    twice = house.store.load("a", 1).vectors.copy()
    twice[100:120] = twice[:20]
    house.put("twice", ids, twice)
    names, numbers = ("twice", *NAMES[1:]), NUMBERS
    spec = AlignmentSpec(ks=(5,), permutations=19, deduplicate=0.9999)
    told = await house.trend(query(names, numbers, spec, reference=SpaceQuery("latent")))
    assert (told.n, {report.n for report in told.reports}) == (120, {120})
    assert "20 of 140 common items are near-duplicates" in told.warnings[-1]
    others = await house.trend(query(names, numbers, spec))
    (left_out,) = others.warnings
    assert (others.n, left_out.partition(" items")[0]) == (130, "20 of 150 common")
    np.testing.assert_allclose(others.pair_scores[0, 1], (await house.matrix(names, spec)).scores[0, 1])


async def test_spaces_without_a_common_item_are_refused_by_the_field_that_names_them(house):
    house.put("elsewhere", ["z1", "z2"], np.eye(2, dtype=np.float32))
    with pytest.raises(errors.NoCommonItems) as refused:
        await house.trend(query(("a", "b", "elsewhere"), NUMBERS[:3]))
    assert refused.value.field == "spaces"
    with pytest.raises(errors.NoCommonItems) as refused:
        await house.matrix(("a", "b", "elsewhere"), SPEC)
    assert refused.value.field == "spaces"
