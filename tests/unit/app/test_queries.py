"""Sampled queries from the request to the report: which are asked, against what, with which searches."""

import numpy as np
import pytest
from support.alignment_house import AlignmentHouse
from support.brute_table import cosine, latent_pair, table

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.core import errors
from consilience_server.core.mutual_knn import overlaps
from consilience_server.core.query_sample import hash_sample, sampling_keys
from consilience_server.core.similarity import Similarity

IDS = [f"item-{i:03d}" for i in range(70)]


def sampled(**changes):
    return AlignmentSpec(**{"ks": (5, 2), "permutations": 49, "interval_kind": "queries", **changes})


@pytest.fixture
def data():
    return [side.astype(np.float32) for side in latent_pair(0, 70, 8, 6, 4, 0.5)]


@pytest.fixture
def house(data):
    made = AlignmentHouse()
    for name, vectors in zip(("x", "y"), data, strict=True):
        made.put(name, IDS, vectors)
    return made


def of_queries(data, rows, k):
    x, y = (table(side, k, cosine) for side in data)
    return overlaps(x.sets(k), y.sets(k))[rows].mean()


async def test_a_hash_sample_is_asked_against_everything(house, data):
    report = await house.align(sampled(sample_queries=20))
    rows = hash_sample(sampling_keys(IDS), 20)
    assert (report.n, report.gallery, report.query_sampling) == (20, 70, "hash")
    for score, k in zip(report.by_k, (5, 2), strict=True):
        assert score.score == pytest.approx(of_queries(data, rows, k), rel=1e-13)
        assert score.chance == k / 69
        assert score.interval.low < score.score < score.interval.high
        assert score.interval.kind == "queries"
        assert score.p_value == 1 / 50
    assert (house.joins, house.queries) == (0, 2)
    await house.align(sampled(sample_queries=20, seed=3))
    assert house.queries == 2


async def test_named_queries_are_asked_and_another_set_is_another_table(house, data):
    report = await house.align(sampled(query_ids=("item-007", "item-003", "item-050")))
    assert (report.n, report.gallery, report.query_sampling) == (3, 70, "given")
    assert report.headline.score == pytest.approx(of_queries(data, [3, 7, 50], 5), rel=1e-13)
    other = await house.align(sampled(query_ids=("item-001", "item-003", "item-050")))
    assert other.headline.score == pytest.approx(of_queries(data, [1, 3, 50], 5), rel=1e-13)
    assert house.queries == 4


@pytest.mark.parametrize("choice", [{"sample_queries": 70}, {"sample_queries": 900}, {"query_ids": tuple(IDS[::-1])}])
async def test_a_sample_of_all_is_all_and_leaves_nothing_uncertain(house, choice):
    everyone, report = await house.align(sampled()), await house.align(sampled(**choice))
    assert (report.n, report.gallery, report.query_sampling) == (70, 70, "all")
    assert report.by_k == everyone.by_k
    assert report.headline.interval.low == report.headline.interval.high == report.headline.score
    assert (house.joins, house.queries) == (2, 0)


async def test_the_gallery_is_the_common_items_and_named_queries_must_be_among_them(house, data):
    house.put("z", IDS[10:], data[1][10:])
    report = await house.align(sampled(sample_queries=20), y="z")
    assert (report.n, report.gallery, report.dropped_x) == (20, 60, 10)
    with pytest.raises(errors.ItemNotFound, match=r"^1 ids are not among the common items: 'item-003'") as refused:
        await house.align(sampled(query_ids=("item-003",)), y="z")
    assert refused.value.field == "spec.query_ids"


async def test_a_matrix_asks_the_same_queries_of_every_space(house, data):
    house.put("z", IDS, data[0][:, ::-1] + data[1][:, :1])
    seen = []
    queries = [SpaceQuery(name) for name in "xyz"]
    for items in ("common", "pairwise"):
        await house.alignment.align_matrix(Call("m"), queries, items, sampled(ks=(5,), sample_queries=20), lambda m: seen.append(m) or b"")
    for matrix in seen:
        assert matrix.scores[0, 1] == pytest.approx(of_queries(data, hash_sample(sampling_keys(IDS), 20), 5), rel=1e-13)
        assert (matrix.n == 20).all()
        assert (matrix.gallery == 70).all()
        assert matrix.query_sampling == "hash"
        assert np.isfinite(matrix.p_values[~np.eye(3, dtype=bool)]).all()
        assert (matrix.interval_low < matrix.scores)[~np.eye(3, dtype=bool)].all()
    assert house.queries == 3


async def test_arrays_are_sampled_by_their_content_but_have_no_ids(house, data):
    x, y = data
    spec = sampled(sample_queries=20)
    report = await house.alignment.align_arrays(Call("a"), x, y, Similarity.COSINE, spec)
    order = np.random.default_rng(1).permutation(70)
    moved = await house.alignment.align_arrays(Call("a"), x[order].copy(), y[order].copy(), Similarity.COSINE, spec)
    assert (report.n, report.gallery) == (20, 70)
    assert moved.by_k == report.by_k
    with pytest.raises(errors.InvalidArgument, match="no ids") as refused:
        await house.alignment.align_arrays(Call("a"), x, y, Similarity.COSINE, sampled(query_ids=("0",)))
    assert refused.value.field == "header.spec.query_ids"


async def test_fewer_queries_are_estimated_to_cost_less(house):
    spaces = [SpaceQuery("x"), SpaceQuery("y")]
    whole = await house.alignment.estimate_seconds(spaces, sampled(permutations=0))
    some = await house.alignment.estimate_seconds(spaces, sampled(permutations=0, sample_queries=7))
    assert some == pytest.approx(whole / 10)
    # A permutation of some queries also draws places for what their lists hold: so few items would cost less altogether.
    drawn = await house.alignment.estimate_seconds(spaces, sampled(permutations=99, sample_queries=7))
    within = await house.alignment.estimate_seconds(spaces, sampled(permutations=99, sample_queries=7, within="label"))
    assert some < drawn < within


async def test_a_matrix_of_sampled_queries_does_not_depend_on_what_was_asked_before(data):
    answers = []
    for warmed in (False, True):
        house = AlignmentHouse()
        for name, vectors in zip("xyz", (*data, data[0][:, ::-1] + data[1][:, :1]), strict=True):
            house.put(name, IDS, np.ascontiguousarray(vectors))
        seen, spec = [], sampled(ks=(5,), sample_queries=20)
        if warmed:
            queries = [SpaceQuery("x"), SpaceQuery("y")]
            await house.alignment.align_matrix(Call("m"), queries, "common", spec, lambda m, seen=seen: seen.append(m) or b"")
        queries = [SpaceQuery(name) for name in "xyz"]
        await house.alignment.align_matrix(Call("m"), queries, "common", spec, lambda m, seen=seen: seen.append(m) or b"")
        answers.append(seen[-1])
    for field in ("scores", "p_values", "calibrated", "interval_low"):
        np.testing.assert_array_equal(getattr(answers[0], field), getattr(answers[1], field))
