"""Which items metrics of all pairs compare, and what an answer tells of it."""

import hashlib

import numpy as np
import pytest

from consilience_server.app.alignment_query import check_spec, estimated_seconds
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.item_groups import ItemGroups
from consilience_server.app.item_sample import check_sample, compared_items, sampled, sampled_items
from consilience_server.app.joins import Join
from consilience_server.core.errors import InvalidArgument, InvalidAttribute, TooFewItems

LIMITS = AlignmentLimits(max_k=2048, max_permutations=9999, threads=2, flops_per_second=1e11)
RSA = AlignmentSpec(metric="rsa", sample_items=20)


def joined(ids):
    names = np.array(sorted(ids), dtype=object)
    return Join(names, (np.arange(len(names)),) * 2, "digest")


def names(count):
    return [f"item-{i:03d}" for i in range(count)]


def smallest_hashes(ids, count):
    """The rule as the contract tells it."""
    key = hashlib.blake2b(b"queries", digest_size=32).digest()
    hashes = {item: int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8, key=key).digest(), "little") for item in ids}
    return sorted(sorted(ids, key=hashes.__getitem__)[:count])


def test_the_items_of_the_smallest_hashes_are_compared_whatever_their_order():
    part, _ = sampled(joined(names(200)), RSA)
    assert part.ids.tolist() == smallest_hashes(names(200), 20)
    assert part.rows[1].tolist() == [names(200).index(item) for item in part.ids]
    more, _ = sampled(joined(names(200)), AlignmentSpec(metric="rsa", sample_items=50))
    assert set(part.ids) < set(more.ids)
    assert sampled(part, RSA)[0] is part


def test_the_sample_hardly_moves_when_items_are_added():
    before, after = ({str(item) for item in sampled(joined(names(count)), RSA)[0].ids} for count in (200, 220))
    added = after - before
    assert all(item >= "item-200" for item in added)
    assert len(before - after) == len(added)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (AlignmentSpec(metric="rsa"), 2048),
        (AlignmentSpec(metric="rbf_cka"), 2048),
        (AlignmentSpec(metric="rsa", rdm_comparison="kendall_tau_b"), 512),
        (AlignmentSpec(metric="rsa", rdm_comparison="kendall_tau_a", sample_items=700), 700),
        (AlignmentSpec(metric="rsa", all_items=True), 50_000),
        (AlignmentSpec(metric="cka", sample_items=9), 50_000),
        (AlignmentSpec(metric="rsa", sample_items=60_000), 50_000),
    ],
)
def test_how_many_are_compared(spec, expected):
    assert compared_items(50_000, spec) == expected
    assert compared_items(300, AlignmentSpec(metric=spec.metric)) == 300


def test_all_is_no_sample_and_costs_what_it_costs():
    everything = joined(names(20))
    assert sampled(everything, RSA)[0] is everything
    assert sampled_items(everything, 20, named=True) is None
    some, whole = (
        estimated_seconds([50_000] * 2, [768, 512], AlignmentSpec(metric="rsa", all_items=all_of), LIMITS) for all_of in (False, True)
    )
    assert some < 60
    assert whole > 1000


def test_an_interval_of_queries_says_nothing_of_a_sample():
    queries = AlignmentSpec(metric="rsa", sample_items=20, interval_kind="queries")
    with pytest.raises(InvalidArgument, match=r"20 of 200 items.*sample_items='all'") as caught:
        check_sample(200, queries)
    assert caught.value.field == "spec.interval_kind"
    check_sample(20, queries)


def test_an_answer_names_the_items_or_the_rows():
    part, _ = sampled(joined(names(200)), RSA)
    told = sampled_items(part, 200, named=True)
    assert (told.count, told.common, list(told.ids), told.rows) == (20, 200, smallest_hashes(names(200), 20), ())
    assert sampled_items(part, 200, named=False).rows == tuple(part.rows[0])


def test_groups_are_those_of_the_sample():
    items, four = joined(names(6)), AlignmentSpec(metric="rsa", sample_items=4)
    part, groups = sampled(items, four, ItemGroups("label", np.array([0, 0, 0, 1, 1, 1])))
    kept = [names(6).index(item) for item in part.ids]
    assert groups.of.tolist() == [int(row >= 3) for row in kept]
    with pytest.raises(InvalidAttribute):
        sampled(items, four, ItemGroups("label", np.arange(6)))


@pytest.mark.parametrize(
    ("options", "error", "field"),
    [
        ({"sample_items": 3}, TooFewItems, "spec.sample_items"),
        ({"sample_items": 9, "all_items": True}, InvalidArgument, "spec.sample_items"),
        ({"bandwidth": -1.0}, InvalidArgument, "spec.bandwidth"),
        ({"bandwidth": float("nan")}, InvalidArgument, "spec.bandwidth"),
        ({"bandwidth_factor": float("inf")}, InvalidArgument, "spec.bandwidth_factor"),
        ({"bandwidth": 1.0, "bandwidth_factor": 2.0}, InvalidArgument, "spec.bandwidth_factor"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, error, field):
    with pytest.raises(error) as caught:
        check_spec(AlignmentSpec(metric="rbf_cka", **options), LIMITS)
    assert caught.value.field == field
