from dataclasses import replace

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds
from support.onnx_heads import linear_head

from consilience_server.adapters.onnx_head import OnnxHeads
from consilience_server.app.bridge_evaluation import EvaluationQuery
from consilience_server.app.call import Call
from consilience_server.app.caller_head import CallerHeads
from consilience_server.app.ports import AttributeColumn
from consilience_server.bridges.apply import make_ready, map_vectors
from consilience_server.bridges.held_out import split_pairs
from consilience_server.core import errors
from consilience_server.core.control import Control

CALL = Call("evaluate_bridge")
X, Y = paired_clouds()
IDS = [f"i{row:04d}" for row in range(200)]


@pytest.fixture
async def bench():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method="ridge", penalties=[0.1]))
    return bench


async def evaluate(bench, **options):
    return await bench.evaluations.evaluate(CALL, EvaluationQuery("b", **options))


async def test_all_common_items_without_those_of_the_fit_are_the_held_out_ones(bench):
    kept = bench.bridges.get("b")
    found = await evaluate(bench)
    assert found.report == kept.held_out
    assert (found.fitted_pairs, found.report.queries) == (160, 40)
    assert "160 pairs were left out" in found.notes[0]
    assert found.stitching is None


async def test_new_pairs_alone_are_asked_without_a_word(bench):
    held = [IDS[row] for row in split_pairs(IDS, 0.2, 0).held_out[:10]]
    found = await evaluate(bench, item_ids=held)
    assert (found.fitted_pairs, found.report.queries, found.notes) == (0, 10, ())


async def test_pairs_of_the_fit_alone_are_refused(bench):
    fitted = [IDS[row] for row in split_pairs(IDS, 0.2, 0).fit[:10]]
    with pytest.raises(errors.TooFewPairs, match="fitted on all 10 of these pairs"):
        await evaluate(bench, item_ids=fitted)


async def test_copies_of_pairs_of_the_fit_under_new_ids_are_not_new():
    """Unrelated spaces, fitted nearly without a penalty: only what was learnt by heart is found."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((200, 40)).astype(np.float32) for _ in range(2))
    bench = BridgeBench()
    bench.space("x", x)
    bench.space("y", y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method="ridge", penalties=[1e-6]))
    copies = [f"copy{row:04d}" for row in range(200)]
    bench.store.put("x", copies, x)
    bench.store.put("y", copies, y)
    found = await evaluate(bench, item_ids=copies)
    assert (found.fitted_pairs, found.report.queries) == (0, 40)
    assert found.report.recalls[10] < 0.3
    assert "pairs left out as near-copies, on either side, of items that the bridge was fitted on: 160" in found.notes
    seen = [copies[row] for row in split_pairs(IDS, 0.2, 0).fit[:20]]
    with pytest.raises(errors.TooFewPairs, match="20 are near-copies"):
        await evaluate(bench, item_ids=seen)


async def test_pairs_with_the_group_of_a_pair_of_the_fit_are_not_new():
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)

    def attributes(space, _version, ids):
        return {"group_id": AttributeColumn("integer", tuple(int(item[1:]) % 50 for item in ids))} if space == "x" else {}

    bench.store.attributes = attributes
    made = await bench.bridging.fit(Call("fit_bridge"), bench.query(method="ridge", penalties=[0.1]))
    held = (await evaluate(bench)).report
    assert held == made.held_out
    rng = np.random.default_rng(1)
    more = [f"i{row:04d}" for row in range(1000, 1050)]
    for name, width in (("x", 12), ("y", 9)):
        bench.store.put(name, more, rng.standard_normal((50, width)).astype(np.float32))
    found = await evaluate(bench, item_ids=more)
    # One new item for each of the 50 groups, 10 of which were held out.
    assert found.report.queries == 10
    assert "pairs left out because they have the group_id of an item that the bridge was fitted on: 40" in found.notes


async def test_spaces_that_moved_on_are_told_and_used(bench):
    bench.store.put("y", ["new"], Y[:1])
    found = await evaluate(bench)
    assert found.target.version == 2
    assert found.report.gallery == 201
    assert any("'y' is at version 2; the bridge was fitted on 1" in note for note in found.notes)


async def test_a_space_made_anew_is_another_space(bench):
    bench.store.delete("y")
    bench.space("y", Y)
    with pytest.raises(errors.WrongSpace, match="made anew"):
        await evaluate(bench)


async def test_labels_by_attribute_and_by_hand_agree(bench):
    signs = np.where(X[:, 0] > np.median(X[:, 0]), "high", "low")
    by_id = dict(zip(IDS, signs.tolist(), strict=True))

    def attributes(space, _version, ids):
        return {"sign": AttributeColumn("string", tuple(by_id[item] for item in ids))} if space == "x" else {}

    bench.store.attributes = attributes
    by_attribute = (await evaluate(bench, item_ids=IDS, labels_attribute="sign")).stitching
    by_hand = (await evaluate(bench, item_ids=IDS, labels=signs.tolist())).stitching
    assert by_attribute == by_hand or by_attribute.native.value == pytest.approx(by_hand.native.value, abs=0.05)
    assert by_hand.classes == 2
    assert by_hand.native.value > by_hand.mean_only.value


async def test_an_older_artefact_says_what_it_does_not_know(bench):
    bench.bridges.artefacts["b"] = replace(bench.bridges.get("b"), fit_keys=None)
    found = await evaluate(bench)
    assert found.report.queries == 200
    assert any("does not tell" in note for note in found.notes)


BAD = [
    ({"item_ids": ["i0000", "i0000"]}, errors.DuplicateId, "several pairs"),
    ({"item_ids": ["nobody"]}, errors.ItemNotFound, "nobody"),
    ({"item_ids": IDS, "labels": ["a"] * 3}, errors.ShapeMismatch, "3 labels"),
    ({"item_ids": IDS, "labels": ["a"] * 200}, errors.InvalidAttribute, "one label"),
    ({"item_ids": IDS, "labels": ["a"] * 200, "labels_attribute": "sign"}, errors.InvalidArgument, "one of them"),
    ({"labels_attribute": "sign"}, errors.InvalidAttribute, "no attribute 'sign'"),
    ({"item_ids": IDS, "labels": IDS}, errors.InvalidAttribute, "each of the 40 pairs has a label of its own"),
    ({"item_ids": ["i0000", "i0000"], "target_ids": ["i0000", "i0000"]}, errors.DuplicateId, "several pairs: 'i0000'; give each once"),
    (
        {"item_ids": ["i0003", "i0001", "i0003"], "target_ids": ["i0001", "i0004", "i0002"]},
        errors.DuplicateId,
        "'i0003' is paired with 'i0001', 'i0002', which contradict each other",
    ),
    ({"item_ids": ["i0000"] * 20}, errors.DuplicateId, "pairs: 'i0000'; give"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
async def test_bad_input(bench, options, error, message):
    with pytest.raises(error, match=message):
        await evaluate(bench, **options)


async def test_a_handful_of_labelled_pairs_is_too_few(bench):
    held = [IDS[row] for row in split_pairs(IDS, 0.2, 0).held_out[:9]]
    with pytest.raises(errors.TooFewPairs, match="at least 10"):
        await evaluate(bench, item_ids=held, labels=list("ababababa"))


def head_of(labels):
    """A least-squares classifier of the target space, trained on the items' own vectors."""
    codes = np.unique(labels, return_inverse=True)[1]
    design = np.hstack([Y.astype(np.float64), np.ones((200, 1))])
    weights = np.linalg.lstsq(design, np.eye(2)[codes] - 0.5, rcond=None)[0]
    return weights[:-1], weights[-1]


async def test_the_callers_own_head_is_asked_natively_and_bridged(bench):
    labels = np.where(Y[:, 0] > np.median(Y[:, 0]), "high", "low")
    weights, bias = head_of(labels)
    found = (
        await evaluate(bench, item_ids=IDS, labels=labels.tolist(), head=linear_head(weights, bias), head_classes=["high", "low"])
    ).stitching
    assert found.own_head
    rows = sorted(split_pairs(IDS, 0.2, 0).held_out)
    assert (found.items, found.classes) == (len(rows), 2)

    def right(vectors):
        told = np.where((vectors @ weights + bias).argmax(axis=1) == 0, "high", "low")
        return np.mean(told == labels[rows])

    assert found.native.value == right(Y[rows])
    assert found.mean_only.value == right(np.repeat(Y[rows].mean(axis=0, keepdims=True), len(rows), axis=0))
    # By hand: mapped, no longer centred, as long as the target's vectors are in the mean.
    kept = bench.bridges.get("b").map
    mapped = map_vectors(make_ready(kept), X[rows], Control()).astype(np.float64)
    m = kept.target_mean
    stands = [m + max(np.roots([c @ c, 2 * (m @ c), m @ m - 1]).real) * c for c in mapped]
    bridged = right(np.stack(stands) * np.linalg.norm(Y[rows], axis=1).mean())
    assert found.bridged.value == bridged > found.mean_only.value
    assert found.penalty.value == pytest.approx(found.native.value - bridged)


BAD_HEADS = [
    ({"labels": ["0", "1"] * 100, "head": b"x" * (2 << 20)}, errors.MessageTooLarge, "up to 1,048,576"),
    ({"labels": ["0", "1"] * 100, "head": b"no model"}, errors.InvalidArgument, "no ONNX model"),
    ({"head": b"no model"}, errors.InvalidArgument, "measured by labels"),
    ({"labels": ["0", "1"] * 100, "head_classes": ["a"]}, errors.InvalidArgument, "without a head"),
    (
        {"labels": ["cat", "dog"] * 100, "head": linear_head(np.eye(9, 2))},
        errors.InvalidArgument,
        "its 2 outputs are, without",
    ),
    ({"labels": ["0", "1"] * 100, "head": linear_head(np.eye(8, 2))}, errors.DimensionMismatch, "width 8; the target space has 9"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD_HEADS)
async def test_bad_heads(bench, options, error, message):
    with pytest.raises(error, match=message) as caught:
        await evaluate(bench, item_ids=IDS, **options)
    assert caught.value.field in {"head", "head_classes", "labels"}


async def test_no_head_knows_a_space_of_the_bridges_own(bench):
    await bench.bridging.fit(Call("fit_bridge"), bench.query(name="own", method="csa"))
    query = EvaluationQuery("own", item_ids=IDS, labels=["0", "1"] * 100, head=linear_head(np.eye(9, 2)))
    with pytest.raises(errors.InvalidArgument, match=r"'own' \(csa\) maps both sides"):
        await bench.evaluations.evaluate(CALL, query)


async def test_what_the_operator_does_not_allow_is_not_run(bench):
    for heads, error in ((CallerHeads(OnnxHeads(1), 0), errors.NotServed), (CallerHeads(None, 100), errors.ExtraMissing)):
        bench.evaluations._heads = heads
        with pytest.raises(error):
            await evaluate(bench, item_ids=IDS, labels=["0", "1"] * 100, head=b"model")
