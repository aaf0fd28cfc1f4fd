"""Estimates against what the work really takes: searches, refusals, and bytes that the account sees."""

import numpy as np
import pytest
from support.alignment_house import AlignmentHouse

from consilience_server.app.alignment_spec import AlignmentSpec, ControlQuery, GroupQuery, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.comparing import Comparing
from consilience_server.app.consensus import Consensus
from consilience_server.app.consensus_query import ConsensusQuery
from consilience_server.app.estimate_query import EstimateQuery
from consilience_server.app.estimates import Estimates, UseCases
from consilience_server.app.gallery_curve_query import GalleryCurveQuery
from consilience_server.app.gallery_curves import GalleryCurves
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.trend import Trends
from consilience_server.app.trend_query import TrendQuery
from consilience_server.core import errors
from consilience_server.core.similarity import Similarity

X, Y, Z = SpaceQuery("x"), SpaceQuery("y"), SpaceQuery("z")


@pytest.fixture
def house():
    made, draw = AlignmentHouse(), np.random.default_rng(0)
    ids = [f"item-{i:04d}" for i in range(400)]
    for name, width in (("x", 16), ("y", 8), ("z", 24)):
        made.put(name, ids if name != "z" else ids[:300], draw.normal(size=(400 if name != "z" else 300, width)).astype(np.float32))
    return priced(made)


def priced(house):
    parts = house.snapshots, house.results, house.pool
    house.trends = Trends(house.alignment, house.snapshots, house.tables, house.results, house.pool)
    house.consensus = Consensus(house.alignment, house.snapshots, house.tables, house.results, house.pool, None)
    house.curves, house.comparing = GalleryCurves(house.alignment, *parts), Comparing(house.alignment, *parts)
    use_cases = UseCases(house.alignment, house.trends, house.consensus, house.curves, house.comparing)
    estimates = Estimates(house.snapshots, house.tables, house.account, use_cases)

    async def cost(spaces, spec, items=None, call=None, **more):
        return await estimates.cost(EstimateQuery(call or ("align_matrix" if items else "align"), spaces, spec, items or "common", **more))

    house.cost = cost
    return house


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
    cost = await house.cost([X, Y], spec, None)
    assert cost.refusals == ()
    peak = Peak(house.account)
    await house.align(spec)
    # The reading of a space counts its rows twice for a moment, which the estimate of a first call may leave out.
    assert peak.bytes <= cost.peak_bytes + 400 * (4 * 16 + 72) * 2
    assert peak.bytes > cost.peak_bytes / 3
    assert cost.searches == house.joins
    assert cost.seconds == await house.alignment.estimate_seconds([X, Y], spec)


async def test_a_sample_of_queries_costs_less_and_is_told(house):
    whole = await house.cost([X, Y], AlignmentSpec(ks=(5,), interval_kind="queries"), None)
    some = await house.cost([X, Y], AlignmentSpec(ks=(5,), interval_kind="queries", sample_queries=40), None)
    assert (whole.queries, some.queries, some.items_at_most, some.searches) == (400, 40, 400, 2)
    # A tenth of the searches and lookups, and the places that are drawn anew in every permutation of some queries.
    assert whole.seconds / 10 < some.seconds < whole.seconds
    assert some.table_bytes < whole.table_bytes / 9


async def test_a_matrix_is_priced_by_its_spaces_or_by_its_pairs(house):
    common = await house.cost([X, Y, Z], AlignmentSpec(ks=(5,)), "common")
    pairwise = await house.cost([X, Y, Z], AlignmentSpec(ks=(5,)), "pairwise")
    assert (common.items_at_most, common.searches) == (300, 3)
    assert pairwise.searches == 9
    # Three tables of the 300 items common to all; two of the 400 that x and y have in common.
    assert common.table_bytes == pytest.approx(3 * 300 / (2 * 400) * pairwise.table_bytes, rel=1e-3)


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
    cost = await house.cost(spaces, spec, items)
    assert [type(refusal) for refusal in cost.refusals] == [kind]


async def test_what_does_not_fit_the_budget_is_told_with_its_size():
    house = AlignmentHouse(budget=1 << 20)
    house.put("x", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    house.put("y", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    cost = await priced(house).cost([X, Y], AlignmentSpec(ks=(1,)))
    assert isinstance(cost.refusals[0], errors.MemoryBudget)
    assert cost.peak_bytes > cost.free_bytes == cost.budget_bytes == 1 << 20


async def test_spaces_that_are_not_there_are_not_found(house):
    with pytest.raises(errors.SpaceNotFound) as refused:
        await house.cost([X, SpaceQuery("nobody")], AlignmentSpec(), None)
    assert refused.value.field == "y"
    with pytest.raises(errors.InvalidArgument, match="two or more"):
        await house.cost([X], AlignmentSpec(), None)


async def test_metrics_of_all_pairs_are_priced_for_their_sample(house):
    some = await house.cost([X, Y], AlignmentSpec("rsa", sample_items=40), None)
    whole = await house.cost([X, Y], AlignmentSpec("rsa", all_items=True), None)
    assert (some.items_at_most, whole.items_at_most) == (40, 400)
    assert some.scratch_bytes < whole.scratch_bytes
    assert some.seconds < whole.seconds / 50
    refused = await house.cost([X, Y], AlignmentSpec("rsa", sample_items=40, interval_kind="queries"), None)
    assert refused.refusals[0].field == "spec.interval_kind"


def keep(_report):
    return b"kept"


ONE = AlignmentSpec(ks=(5,), permutations=9)
CALLS = {
    "controls": (
        {"spaces": [X, Y], "controls": [ControlQuery(Z)]},
        lambda house: house.alignment.align(Call("align"), X, Y, ONE, keep, [ControlQuery(Z)]),
    ),
    "given": (
        {"spaces": [X, Y], "given": Z},
        lambda house: house.alignment.align(Call("align"), X, Y, ONE, keep, (), Z),
    ),
    "groups": (
        {"spaces": [GroupQuery("g"), GroupQuery("h")], "controls": [ControlQuery(Z)]},
        lambda house: house.alignment.align(Call("align"), GroupQuery("g"), GroupQuery("h"), ONE, keep, [ControlQuery(Z)]),
    ),
    "groups beyond": (
        {"spaces": [GroupQuery("g"), Y], "given": Z},
        lambda house: house.alignment.align(Call("align"), GroupQuery("g"), Y, ONE, keep, (), Z),
    ),
    "trend": (
        {"spaces": [X, Y, Z], "call": "trend"},
        lambda house: house.trends.trend(Call("trend"), TrendQuery([X, Y, Z], (1, 2, 3), ONE), keep),
    ),
    "trend with a reference": (
        {"spaces": [X, Y, Z], "call": "trend", "reference": SpaceQuery("g-0")},
        lambda house: house.trends.trend(Call("trend"), TrendQuery([X, Y, Z], (1, 2, 3), ONE, SpaceQuery("g-0")), keep),
    ),
    "consensus": (
        {"spaces": [X, Y, Z], "call": "consensus"},
        lambda house: house.consensus.consensus(Call("consensus"), ConsensusQuery([X, Y, Z], ONE), "", keep),
    ),
    "gallery curve": (
        {"spaces": [X, Y], "call": "gallery_curve", "sizes": (100, 400)},
        lambda house: house.curves.curve(Call("curve"), GalleryCurveQuery(X, Y, ONE, (100, 400)), keep),
    ),
    "comparison": (
        {"spaces": [X, Y, X, Z], "call": "compare_alignments"},
        lambda house: house.comparing.compare(Call("compare"), (X, Y), (X, Z), ONE, keep),
    ),
    "context": (
        {"spaces": [X, GroupQuery("g")], "spec": AlignmentSpec("cka", (5,), permutations=9, context=True)},
        lambda house: house.alignment.align(
            Call("align"), X, GroupQuery("g"), AlignmentSpec("cka", (5,), permutations=9, context=True), keep
        ),
    ),
    "near-duplicates": (
        {"spaces": [X, Y], "spec": AlignmentSpec("cka", permutations=9, deduplicate=0.99)},
        lambda house: house.alignment.align(Call("align"), X, Y, AlignmentSpec("cka", permutations=9, deduplicate=0.99), keep),
    ),
}


@pytest.mark.parametrize("named", CALLS)
async def test_every_call_takes_what_it_was_priced_at(house, named):
    for group, widths in (("g", (8, 12, 10)), ("h", (9, 14))):
        for at, width in enumerate(widths):
            house.store.create(SpaceSpec(f"{group}-{at}", width, Similarity.COSINE, layer=str(at), group=group))
            vectors = np.random.default_rng(at).normal(size=(400, width)).astype(np.float32)
            house.store.put(f"{group}-{at}", [f"item-{i:04d}" for i in range(400)], vectors)
    query, run = CALLS[named]
    query = dict(query)
    cost = await house.cost(query.pop("spaces"), query.pop("spec", ONE), **query)
    assert cost.refusals == ()
    assert cost.seconds > 0
    peak = Peak(house.account)
    await run(house)
    # Tables that a step leaves behind may be evicted, and are no cost.
    assert cost.peak_bytes / 4 < peak.bytes <= cost.peak_bytes + cost.table_bytes + 400 * (4 * 24 + 72) * 2
    assert house.joins <= cost.searches <= house.joins + 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"spaces": [X, Y], "controls": [ControlQuery(X)]}, "controls[0].space"),
        ({"spaces": [X, Y], "given": X}, "given"),
        ({"spaces": [X, Y], "given": Z, "spec": AlignmentSpec(within="label")}, "spec.within"),
        ({"spaces": [GroupQuery("g"), Y], "spec": AlignmentSpec(ks=(150,))}, "spec.ks"),
        ({"spaces": [GroupQuery("g"), Y], "spec": AlignmentSpec(stop_after=5)}, "spec.stop_after"),
        ({"spaces": [GroupQuery("none"), Y]}, "x"),
        ({"spaces": [X, Y], "call": "trend"}, "spaces"),
        ({"spaces": [X, Y, Z], "call": "trend", "reference": X}, "reference"),
        ({"spaces": [X, Y], "call": "consensus", "spec": AlignmentSpec(preprocess="unit")}, "spec.preprocess"),
        ({"spaces": [X, Y], "call": "gallery_curve", "sizes": (500,)}, "gallery_sizes"),
        ({"spaces": [X, Y, X, Y], "call": "compare_alignments"}, "second"),
        ({"spaces": [GroupQuery("g"), Y], "items": "common"}, "spaces"),
    ],
)
async def test_what_any_call_would_refuse_is_told_with_its_field(house, query, field):
    for at in range(2):
        house.store.create(SpaceSpec(f"g-{at}", 4, Similarity.COSINE, layer=str(at), group="g"))
        house.store.put(
            f"g-{at}", [f"item-{i:04d}" for i in range(200)], np.random.default_rng(at).normal(size=(200, 4)).astype(np.float32)
        )
    query = dict(query)
    asked = (query.pop("spaces"), query.pop("spec", ONE))
    if field == "x":
        with pytest.raises(errors.SpaceNotFound):
            await house.cost(*asked, **query)
        return
    cost = await house.cost(*asked, **query)
    assert [refusal.field for refusal in cost.refusals] == [field]


async def test_calls_take_the_spaces_that_they_take(house):
    for query, told in (
        ({"spaces": [X, Y, Z]}, "align takes 2"),
        ({"spaces": [X, Y], "call": "compare_alignments"}, "compare_alignments takes 4"),
        ({"spaces": [X, Y, Z], "items": "common", "given": X}, "takes no given"),
    ):
        spaces = query.pop("spaces")
        with pytest.raises(errors.InvalidArgument, match=told):
            await house.cost(spaces, ONE, **query)
