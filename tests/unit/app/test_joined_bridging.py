"""Pairs joined by an attribute: fitted on, split by value, found by value."""

import asyncio

import numpy as np
import pytest
from support.bridge_bench import BridgeBench

from consilience_server.app.bridge_evaluation import EvaluationQuery
from consilience_server.app.call import Call
from consilience_server.app.ports import AttributeColumn
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import pair_keys
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.retrieval import wilson_interval

CALL = Call("fit_bridge")
VALUES = 60


def clouds(sources=(1, 4), targets=(1, 4), values=VALUES, noise=0.2, seed=0):
    """Items of each value, a few on either side, near a centre of the value; (vectors, value of each) of both sides."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((values, 6))
    sides = []
    for width, (least, most) in ((12, sources), (9, targets)):
        of = np.repeat(np.arange(values), rng.integers(least, most + 1, values))
        mixed = (latent[of] + noise * rng.standard_normal((len(of), 6))) @ rng.standard_normal((6, width))
        sides.append(((mixed + rng.standard_normal(width)).astype(np.float32), of))
    return sides


def made(sides, prefix=("s", "t"), attribute="caption_of", extra=None):
    """Both spaces, whose ids have nothing in common."""
    bench = BridgeBench()
    values = {}
    for name, letter, (vectors, of) in zip(("x", "y"), prefix, sides, strict=True):
        ids = [f"{letter}{row:04d}" for row in range(len(of))]
        bench.space(name, vectors, ids)
        values[name] = dict(zip(ids, of.tolist(), strict=True))

    def attributes(space, _version, ids):
        assert len(set(ids)) == len(ids)
        columns = {attribute: AttributeColumn("integer", tuple(values[space][item] for item in ids))}
        return columns | (extra(space, ids) if extra else {})

    bench.store.attributes = attributes
    return bench, values


async def fit(bench, **options):
    return await bench.bridging.fit(CALL, bench.query(**{"attribute": "caption_of", "method": "ridge", **options}))


async def evaluate(bench, name="b", **options):
    return await bench.evaluations.evaluate(CALL, EvaluationQuery(name, **{"attribute": "caption_of", **options}))


@pytest.fixture(scope="module")
def fitted():
    bench, values = made(clouds())
    return bench, values, asyncio.run(fit(bench))


def items_of_the_fit(artefact, bench, side):
    keys = artefact.fit_keys if side == "x" else artefact.fit_target_keys
    ids = sorted(bench.store.versions[bench.store.get(side).uid][1])
    return [item for item, seen in zip(ids, np.isin(pair_keys(ids), keys), strict=True) if seen]


def test_no_value_is_on_both_sides_of_the_split(fitted):
    bench, values, artefact = fitted
    seen = {values["x"][item] for item in items_of_the_fit(artefact, bench, "x")}
    assert seen == {values["y"][item] for item in items_of_the_fit(artefact, bench, "y")}
    assert artefact.held_out.values == VALUES - len(seen)
    assert artefact.held_out.queries == sum(value not in seen for value in values["x"].values())
    assert artefact.fit_pairs == sum(list(values["x"].values()).count(value) * list(values["y"].values()).count(value) for value in seen)
    assert (artefact.pair_attribute, artefact.split_by, artefact.pairs_left_out, artefact.notes) == ("caption_of", "caption_of", 0, ())


def test_any_item_of_the_value_is_found_and_a_value_counts_once(fitted):
    bench, values, artefact = fitted
    seen = {values["x"][item] for item in items_of_the_fit(artefact, bench, "x")}
    (x, of_x), (y, of_y) = clouds()
    asked = ~np.isin(of_x, list(seen))
    ready = make_ready(artefact.map)
    scores = map_vectors(ready, x[asked], Control()).astype(np.float64) @ centre_gallery(ready, y, Control()).astype(np.float64).T
    order = np.argsort(-scores, axis=1)
    ranks = np.array([1 + np.flatnonzero(of_y[row] == value)[0] for row, value in zip(order, of_x[asked], strict=True)])
    for k, told in artefact.held_out.recalls.items():
        shares = [np.mean(ranks[of_x[asked] == value] <= k) for value in np.unique(of_x[asked])]
        assert told == pytest.approx(np.mean(shares), abs=1e-12)
        assert artefact.held_out.intervals[k] == pytest.approx(wilson_interval(sum(shares), len(shares)))
    means = [np.mean(1 / ranks[of_x[asked] == value]) for value in np.unique(of_x[asked])]
    assert artefact.held_out.mean_reciprocal_rank == pytest.approx(np.mean(means))
    assert artefact.held_out.recalls[1] > 0.5


async def test_evaluating_by_the_value_reproduces_the_held_out_report(fitted):
    bench, _, artefact = fitted
    found = await evaluate(bench)
    assert found.report == artefact.held_out
    assert found.fitted_pairs == len(items_of_the_fit(artefact, bench, "x"))
    assert found.notes == (f"{found.fitted_pairs} source items were left out because the bridge was fitted on items of their 'caption_of'",)
    assert [report.values for report in found.baselines] == [artefact.held_out.values] * len(found.baselines)


async def test_new_items_of_a_fitted_value_are_not_asked(fitted):
    bench, values, artefact = fitted
    item = items_of_the_fit(artefact, bench, "x")[0]
    bench.store.put("x", ["new"], np.ones((1, 12), dtype=np.float32))
    values["x"]["new"] = values["x"][item]
    assert (await evaluate(bench)).report == artefact.held_out
    del values["x"]["new"]
    bench.store.delete_items("x", ["new"])


async def test_one_item_a_value_is_the_bridge_of_pairs_by_id():
    sides = clouds((1, 1), (1, 1))
    joined, _ = made(sides)
    plain, _ = made(sides)
    ids = [[f"{letter}{row:04d}" for row in range(VALUES)] for letter in "st"]
    first = await fit(joined)
    second = await fit(plain, attribute="", item_ids=ids[0], target_ids=ids[1])
    assert np.array_equal(first.map.weights, second.map.weights)
    assert first.fit_ids_digest == second.fit_ids_digest
    assert first.held_out.recalls == second.held_out.recalls
    assert first.held_out.intervals == second.held_out.intervals
    assert (first.held_out.values, second.held_out.values) == (first.held_out.queries, 0)


@pytest.mark.parametrize(
    "method", ["auto", "identity", "mean_shift", "procrustes", "scaled_procrustes", "affine", "relative", "whitened", "cca", "csa"]
)
async def test_every_method_is_fitted(method):
    (x, of_x), (y, of_y) = clouds()
    bench, _ = made([(x, of_x), (np.hstack([y, y[:, :3] ** 2]), of_y)])
    artefact = await fit(bench, method=method)
    assert artefact.held_out.values > 0
    assert {report.method for report in artefact.candidates} >= {"identity", "mean_shift"}


async def test_values_chained_by_group_id_stay_together():
    def groups(space, ids):
        return {"group_id": AttributeColumn("integer", tuple(values[space][item] // 6 for item in ids))}

    bench, values = made(clouds(values=120), extra=groups)
    artefact = await fit(bench)
    seen = {values["x"][item] for item in items_of_the_fit(artefact, bench, "x")}
    assert len({value // 6 for value in seen}) == len(seen) / 6


async def test_large_values_are_told():
    bench, _ = made(clouds((15, 15), (15, 15), 20))
    artefact = await fit(bench)
    assert artefact.pairs_left_out == 20 * 125
    assert "20 values of 'caption_of' join more than 100 pairs" in artefact.notes[0]
    assert "2,500 pairs were left out" in artefact.notes[0]


async def test_what_a_fit_needs_are_values():
    bench, _ = made(clouds((5, 5), (5, 5), 12))
    with pytest.raises(errors.TooFewPairs, match="9 groups of joined pairs are left for the fit; ridge needs at least 10"):
        await fit(bench)
    bench, _ = made(clouds((5, 5), (5, 5), 1))
    with pytest.raises(errors.TooFewPairs, match="all 25 pairs are one group"):
        await fit(bench)


BAD = [
    ({"item_ids": ["s0000"]}, errors.InvalidArgument, "pairs.attribute", "one or the other"),
    ({"attribute": "nothing"}, errors.InvalidAttribute, "pairs.attribute", "no item of the source space 'x' has the attribute 'nothing'"),
    ({"method": "unsupervised"}, errors.NotServed, "pairs.attribute", "evaluate_bridge"),
]


@pytest.mark.parametrize(("options", "error", "field", "message"), BAD)
async def test_bad_input(options, error, field, message):
    bench, _ = made(clouds())
    with pytest.raises(error, match=message) as caught:
        await fit(bench, **options)
    assert caught.value.field == field


async def test_values_of_one_space_alone_join_nothing():
    (x, of_x), (y, of_y) = clouds()
    bench, _ = made([(x, of_x), (y, of_y + 1000)])
    with pytest.raises(errors.NoCommonItems, match="no value of 'caption_of' is in both"):
        await fit(bench)


async def test_an_evaluation_refuses_what_it_cannot_tell(fitted):
    bench, values, artefact = fitted
    with pytest.raises(errors.NotServed, match="one partner each"):
        await evaluate(bench, labels_attribute="caption_of")
    with pytest.raises(errors.InvalidArgument, match="one or the other"):
        await evaluate(bench, item_ids=["s0000"])
    seen = {values["x"][item] for item in items_of_the_fit(artefact, bench, "x")}
    held = {item: value for item, value in values["x"].items() if value not in seen}
    values["x"].update(dict.fromkeys(held, 10_000))
    with pytest.raises(errors.TooFewPairs, match="fitted on items of all"):
        await evaluate(bench)
    values["x"].update(held)


async def test_an_estimate_grows_with_the_gallery(fitted):
    bench, _, _ = fitted
    assert 0 < await bench.evaluations.estimate_seconds(CALL, EvaluationQuery("b")) < 1
