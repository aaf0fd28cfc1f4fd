"""Estimates against what the work really takes: searches, refusals, and bytes that the account sees."""

import numpy as np
import pytest
from support.alignment_house import AlignmentHouse

from consilience_server.app.alignment_spec import AlignmentSpec, SpaceQuery
from consilience_server.app.estimates import Estimates
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.core import errors

X, Y, Z = SpaceQuery("x"), SpaceQuery("y"), SpaceQuery("z")


@pytest.fixture
def house():
    made, draw = AlignmentHouse(), np.random.default_rng(0)
    ids = [f"item-{i:04d}" for i in range(400)]
    for name, width in (("x", 16), ("y", 8), ("z", 24)):
        made.put(name, ids if name != "z" else ids[:300], draw.normal(size=(400 if name != "z" else 300, width)).astype(np.float32))
    made.estimates = Estimates(made.snapshots, made.tables, made.account, made.limits)
    return made


class Peak:
    """The most that an account has promised."""

    def __init__(self, account):
        self.bytes, change = 0, account._change

        def watched(kind, nbytes):
            change(kind, nbytes)
            self.bytes = max(self.bytes, account.used)

        account._change = watched


@pytest.mark.parametrize("metric", sorted(FAMILY_OF))
@pytest.mark.parametrize("changes", [{}, {"interval_kind": "queries"}])
async def test_the_account_never_promises_more_than_the_estimate_and_not_much_less(house, metric, changes):
    spec = AlignmentSpec(metric, (5,), permutations=9, **changes)
    cost = await house.estimates.alignment([X, Y], spec, None)
    assert cost.refusals == ()
    peak = Peak(house.account)
    await house.align(spec)
    # The reading of a space counts its rows twice for a moment, which the estimate of a first call may leave out.
    assert peak.bytes <= cost.peak_bytes + 400 * (4 * 16 + 72) * 2
    assert peak.bytes > cost.peak_bytes / 3
    assert cost.searches == house.joins
    assert cost.seconds == await house.alignment.estimate_seconds([X, Y], spec)


async def test_a_sample_of_queries_costs_less_and_is_told(house):
    whole = await house.estimates.alignment([X, Y], AlignmentSpec(ks=(5,), interval_kind="queries"), None)
    some = await house.estimates.alignment([X, Y], AlignmentSpec(ks=(5,), interval_kind="queries", sample_queries=40), None)
    assert (whole.queries, some.queries, some.items_at_most, some.searches) == (400, 40, 400, 2)
    assert some.seconds == pytest.approx(whole.seconds / 10)
    assert some.table_bytes < whole.table_bytes / 9


async def test_a_matrix_is_priced_by_its_spaces_or_by_its_pairs(house):
    common = await house.estimates.alignment([X, Y, Z], AlignmentSpec(ks=(5,)), "common")
    pairwise = await house.estimates.alignment([X, Y, Z], AlignmentSpec(ks=(5,)), "pairwise")
    assert (common.items_at_most, common.searches) == (300, 3)
    assert pairwise.searches == 9
    assert common.table_bytes == pytest.approx(1.5 * pairwise.table_bytes)


@pytest.mark.parametrize(
    ("spaces", "spec", "items", "kind"),
    [
        ([X, Y], AlignmentSpec(ks=(400,)), None, errors.InvalidK),
        ([X, Y], AlignmentSpec(ks=(0,)), None, errors.InvalidK),
        ([X, Y], AlignmentSpec(sample_queries=5), None, errors.InvalidArgument),
        ([X, X], AlignmentSpec(), "common", errors.InvalidArgument),
        ([X, Y, Z], AlignmentSpec(ks=(1, 2)), "common", errors.InvalidArgument),
        ([X, Y, Z], AlignmentSpec(ks=(), k_fractions=(0.1,)), "pairwise", errors.InvalidK),
    ],
)
async def test_what_would_be_refused_is_told_not_raised(house, spaces, spec, items, kind):
    cost = await house.estimates.alignment(spaces, spec, items)
    assert [type(refusal) for refusal in cost.refusals] == [kind]


async def test_what_does_not_fit_the_budget_is_told_with_its_size():
    house = AlignmentHouse(budget=1 << 20)
    house.put("x", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    house.put("y", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    cost = await Estimates(house.snapshots, house.tables, house.account, house.limits).alignment([X, Y], AlignmentSpec(ks=(1,)), None)
    assert isinstance(cost.refusals[0], errors.MemoryBudget)
    assert cost.peak_bytes > cost.free_bytes == cost.budget_bytes == 1 << 20


async def test_spaces_that_are_not_there_are_not_found(house):
    with pytest.raises(errors.SpaceNotFound) as refused:
        await house.estimates.alignment([X, SpaceQuery("nobody")], AlignmentSpec(), None)
    assert refused.value.field == "spaces[1]"
    with pytest.raises(errors.InvalidArgument, match="two or more"):
        await house.estimates.alignment([X], AlignmentSpec(), None)


async def test_metrics_of_all_pairs_are_priced_for_their_sample(house):
    some = await house.estimates.alignment([X, Y], AlignmentSpec("rsa", sample_items=40), None)
    whole = await house.estimates.alignment([X, Y], AlignmentSpec("rsa", all_items=True), None)
    assert (some.items_at_most, whole.items_at_most) == (40, 400)
    assert some.scratch_bytes < whole.scratch_bytes
    assert some.seconds < whole.seconds / 50
    refused = await house.estimates.alignment([X, Y], AlignmentSpec("rsa", sample_items=40, interval_kind="queries"), None)
    assert refused.refusals[0].field == "spec.interval_kind"
