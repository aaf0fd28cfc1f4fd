from dataclasses import replace

import numpy as np
import pytest
from support.bridge_bench import BridgeBench

from consilience_server.app.bridge_derivation import DeriveQuery
from consilience_server.app.bridge_evaluation import EvaluationQuery
from consilience_server.app.call import Call
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import pair_keys
from consilience_server.bridges.held_out import split_pairs
from consilience_server.core import errors
from consilience_server.core.control import Control

CALL = Call("compose_bridges")
N = 200
RNG = np.random.default_rng(4)
LATENT = RNG.standard_normal((N, 8))
WIDTHS = {"a": 9, "b": 12, "c": 10}
SPACES = {
    name: (LATENT @ RNG.standard_normal((8, width)) + RNG.standard_normal(width) + 0.1 * RNG.standard_normal((N, width))).astype(np.float32)
    for name, width in WIDTHS.items()
}
IDS = [f"i{row:04d}" for row in range(N)]


@pytest.fixture
async def bench():
    bench = BridgeBench()
    for name, rows in SPACES.items():
        bench.space(name, rows)
    await bench.bridging.fit(CALL, bench.query("a-to-b", "a", "b", method="procrustes", seed=1))
    await bench.bridging.fit(CALL, bench.query("b-to-c", "b", "c", method="ridge", penalties=[0.01], seed=2))
    return bench


def compose(*parents, name="a-to-c", **options):
    return DeriveQuery(name, parents, "composed", **options)


def invert(parent, name="back", **options):
    return DeriveQuery(name, (parent,), "inverted", **options)


async def test_a_composed_bridge_tells_where_it_comes_from(bench):
    made = await bench.derivations.derive(CALL, compose("a-to-b", "b-to-c"))
    first, last = bench.bridges.get("a-to-b"), bench.bridges.get("b-to-c")
    assert (made.method, made.derivation, made.source_name, made.target_name) == ("composed", "composed", "a", "c")
    assert (made.source_uid, made.target_uid) == (first.source_uid, last.target_uid)
    assert [(parent.name, parent.uid, parent.method) for parent in made.parents] == [
        ("a-to-b", first.uid, "procrustes"),
        ("b-to-c", last.uid, "ridge"),
    ]
    assert (made.source_dim, made.target_dim, made.leads_into_target, made.code_version) == (9, 10, True, "1.0")
    assert [report.method for report in made.candidates] == ["identity", "mean_shift", "composed"]
    assert made.notes == ()
    assert bench.bridges.get("a-to-c") is made


async def test_its_report_is_measured_on_pairs_that_no_parent_was_fitted_on(bench):
    made = await bench.derivations.derive(CALL, compose("a-to-b", "b-to-c"))
    held = set.intersection(*({IDS[row] for row in split_pairs(IDS, 0.2, seed).held_out} for seed in (1, 2)))
    rows = [IDS.index(item) for item in sorted(held)]
    assert made.held_out.queries == len(rows) > 2
    ready = make_ready(made.map)
    cosines = map_vectors(ready, SPACES["a"][rows], Control()) @ centre_gallery(ready, SPACES["c"], Control()).T
    found = cosines.argsort(axis=1)[:, ::-1]
    assert made.held_out.recalls[1] == np.mean(found[:, 0] == rows)
    assert made.held_out.recalls[10] == np.mean([row in near[:10] for row, near in zip(rows, found, strict=True)])
    fitted = {row for seed in (1, 2) for row in split_pairs(IDS, 0.2, seed).fit.tolist()}
    assert made.fit_pairs == len(fitted)
    assert set(made.fit_keys.tolist()) == set(pair_keys(IDS[row] for row in fitted).tolist())
    # So it is measured again on the same pairs, and no others.
    again = await bench.evaluations.evaluate(CALL, EvaluationQuery("a-to-c"))
    assert (again.report.recalls, again.report.queries) == (made.held_out.recalls, made.held_out.queries)


async def test_an_inverse_is_measured_on_its_parents_held_out_pairs(bench):
    made = await bench.derivations.derive(CALL, invert("a-to-b"))
    assert (made.method, made.derivation, made.source_name, made.target_name) == ("procrustes", "inverted", "b", "a")
    assert np.array_equal(made.map.weights, bench.bridges.get("a-to-b").map.weights.T)
    assert (made.held_out.queries, made.held_out.gallery, made.fit_pairs) == (40, 200, 160)
    assert made.held_out.recalls[10] > 0.9
    assert "3 directions that it never reaches" in made.notes[0]
    there_and_back = await bench.derivations.derive(CALL, compose("a-to-b", "back", name="there-and-back"))
    assert there_and_back.held_out.recalls[1] == 1.0


async def test_ids_that_differ_are_remembered_on_both_sides(bench):
    others = [f"o{row:04d}" for row in range(N)]
    bench.space("d", SPACES["b"], others)
    await bench.bridging.fit(CALL, bench.query("a-to-d", "a", "d", method="procrustes", item_ids=IDS, target_ids=others))
    made = await bench.derivations.derive(CALL, invert("a-to-d", item_ids=others, target_ids=IDS))
    held = split_pairs(IDS, 0.2, 0).held_out
    assert made.held_out.queries == len(held)
    fitted = sorted(set(range(N)) - set(held.tolist()))[:5]
    with pytest.raises(errors.TooFewPairs, match="all of these 5 pairs"):
        await bench.derivations.derive(
            CALL, invert("a-to-d", name="other", item_ids=[others[row] for row in fitted], target_ids=[IDS[row] for row in fitted])
        )


async def test_ends_without_a_common_pair_make_a_bridge_without_a_report(bench):
    bench.space("d", SPACES["c"], [f"o{row:04d}" for row in range(N)])
    await bench.bridging.fit(
        CALL,
        bench.query("b-to-d", "b", "d", method="ridge", penalties=[0.01], item_ids=IDS, target_ids=[f"o{row:04d}" for row in range(N)]),
    )
    made = await bench.derivations.derive(CALL, compose("a-to-b", "b-to-d", name="a-to-d"))
    assert (made.held_out, made.candidates) == (None, ())
    assert made.notes[-1].startswith("there is no report")


async def test_near_copies_of_what_a_parent_saw_are_left_out(bench):
    fitted = split_pairs(IDS, 0.2, 1).fit[0]
    for name in ("a", "b"):
        bench.store.put(name, ["copy"], SPACES[name][fitted][None])
    made = await bench.derivations.derive(CALL, invert("a-to-b"))
    assert made.near_copies == 1
    assert made.held_out.queries == 40
    assert "the report is of version 2 of the source space 'b'; what it is made of was fitted on 1" in made.notes
    assert "the report is of version 2 of the target space 'a'; what it is made of was fitted on 1" in made.notes
    assert made.notes[-1] == "pairs left out as near-copies, on either side, of items that the bridge was fitted on: 1"
    # Notes are of the making: what they say stays true as spaces go on.
    bench.store.put("a", ["more"], SPACES["a"][:1])
    told = (await bench.bridging.get(CALL, "back")).notes
    assert sum("is at version" in note for note in told) == 2
    assert not any("newest" in note for note in told)


async def test_a_parent_of_the_first_format_says_what_it_does_not_know(bench):
    bench.bridges.artefacts["a-to-b"] = replace(bench.bridges.get("a-to-b"), fit_keys=None)
    made = await bench.derivations.derive(CALL, invert("a-to-b"))
    assert made.held_out.queries == N
    assert any(note.startswith("a-to-b does not tell") for note in made.notes)
    assert made.fit_pairs == 160


async def test_only_the_last_may_lead_into_a_space_of_its_own(bench):
    await bench.bridging.fit(CALL, bench.query("b-by-csa", "b", "c", method="csa"))
    await bench.bridging.fit(CALL, bench.query("a-by-csa", "a", "b", method="csa"))
    made = await bench.derivations.derive(CALL, compose("a-to-b", "b-by-csa"))
    assert not made.leads_into_target
    assert made.held_out.recalls[10] > 0.5
    with pytest.raises(errors.InvalidArgument, match=r"'a-by-csa' \(csa\) maps both of its sides"):
        await bench.derivations.derive(CALL, compose("a-by-csa", "b-to-c", name="other"))


async def test_repeating_the_request_answers_the_same(bench):
    query = compose("a-to-b", "b-to-c", request_id="once")
    made = await bench.derivations.derive(CALL, query)
    assert await bench.derivations.derive(CALL, query) is made
    with pytest.raises(errors.UploadConflict):
        await bench.derivations.derive(CALL, replace(query, parents=("a-to-b",), derivation="inverted"))
    with pytest.raises(errors.BridgeExists):
        await bench.derivations.derive(CALL, replace(query, request_id=""))


BAD = [
    (compose("a-to-b"), errors.InvalidArgument, "1 bridges were given"),
    (compose("a-to-b", "nobody"), errors.BridgeNotFound, "nobody"),
    (compose("b-to-c", "a-to-b"), errors.WrongSpace, "'b-to-c' leads into 'c', and 'a-to-b' starts from 'a'"),
    (invert("b-to-c"), errors.DimensionMismatch, r"'b-to-c' \(ridge\) cannot be inverted: it leads from 12 dimensions into 10"),
    (compose("a-to-b", "b-to-c", name="B"), errors.InvalidName, "no valid id"),
    (compose("a-to-b", "b-to-c", name="a"), errors.InvalidName, "id of a space"),
    (invert("a-to-b", item_ids=["nobody"]), errors.ItemNotFound, "nobody"),
    (invert("a-to-b", item_ids=["i0000", "i0000"]), errors.DuplicateId, "several pairs"),
]


@pytest.mark.parametrize(("query", "error", "message"), BAD)
async def test_bad_input(bench, query, error, message):
    with pytest.raises(error, match=message):
        await bench.derivations.derive(CALL, query)
    assert set(bench.bridges.artefacts) == {"a-to-b", "b-to-c"}


async def test_an_end_that_was_made_anew_is_another_space(bench):
    bench.store.delete("c")
    bench.space("c", SPACES["c"])
    with pytest.raises(
        errors.WrongSpace, match="bridge 'b-to-c' was fitted on another target space named 'c', deleted and made anew"
    ) as refused:
        await bench.derivations.derive(CALL, compose("a-to-b", "b-to-c"))
    assert refused.value.field == "bridges"
    bench.store.delete("a")
    with pytest.raises(errors.SpaceNotFound) as missing:
        await bench.derivations.derive(CALL, invert("a-to-b"))
    assert missing.value.field == "bridge"


async def test_the_parent_is_named_whose_space_was_made_anew(bench):
    bench.store.delete("a")
    bench.space("a", SPACES["a"])
    with pytest.raises(errors.WrongSpace, match="bridge 'a-to-b' was fitted on another source space named 'a'") as refused:
        await bench.derivations.derive(CALL, invert("a-to-b"))
    assert refused.value.field == "bridge"
    with pytest.raises(errors.WrongSpace, match="bridge 'a-to-b' was fitted on another source space named 'a'"):
        await bench.derivations.derive(CALL, compose("a-to-b", "b-to-c"))


async def test_it_tells_how_long_it_will_take(bench):
    assert 0 < await bench.derivations.estimate_seconds(CALL, compose("a-to-b", "b-to-c")) < 1
