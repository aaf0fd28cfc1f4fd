import asyncio
import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds
from support.memory_checkpoints import MemoryCheckpoints

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.fit_query import fit_digest
from consilience_server.app.ports import AttributeColumn
from consilience_server.bridges import training_host
from consilience_server.bridges.apply import make_ready, map_vectors
from consilience_server.bridges.held_out import split_pairs
from consilience_server.bridges.stitching_options import StitchingOptions
from consilience_server.bridges.stitching_training import _Learner
from consilience_server.bridges.training_host import TrainingHost
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity

CALL = Call("fit_bridge")


@pytest.fixture
def bench():
    bench = BridgeBench()
    x, y = paired_clouds()
    bench.space("x", x)
    bench.space("y", y)
    return bench


async def fit(bench, **options):
    return await bench.bridging.fit(CALL, bench.query(**options))


async def test_a_bridge_says_where_it_comes_from(bench):
    artefact = await fit(bench, seed=3)
    assert (artefact.name, artefact.source_name, artefact.target_name) == ("b", "x", "y")
    assert (artefact.source_uid, artefact.source_version) == ("uid-0", 1)
    assert (artefact.target_uid, artefact.target_version) == ("uid-1", 1)
    assert artefact.map.weights.shape == (12, 9)
    assert artefact.target_similarity is Similarity.COSINE
    assert (artefact.fit_pairs, artefact.held_out.queries, artefact.held_out.gallery) == (160, 40, 200)
    assert (artefact.seed, artefact.code_version) == (3, "1.0")
    assert artefact.method in {"ridge", "procrustes"}
    assert artefact.held_out.recalls[10] > 0.9
    assert await bench.bridging.get(CALL, "b") == artefact


async def test_the_order_of_the_pairs_does_not_matter(bench):
    ids = [f"i{row:04d}" for row in range(100)]
    first = await fit(bench, item_ids=ids)
    second = await fit(bench, name="c", item_ids=ids[::-1])
    assert np.array_equal(first.map.weights, second.map.weights)
    assert first.fit_ids_digest == second.fit_ids_digest
    assert first.held_out == second.held_out


async def test_held_out_pairs_are_those_of_the_hash_and_never_fitted(bench):
    first = await fit(bench, method="ridge", penalties=[0.1])
    ids = [f"i{row:04d}" for row in range(200)]
    held = split_pairs(ids, 0.2, 0).held_out
    # Whatever stands in the held-out rows of the target, the map is the same.
    bench.store.put("y", [ids[row] for row in held], np.random.default_rng(5).standard_normal((40, 9)))
    second = await fit(bench, name="c", method="ridge", penalties=[0.1])
    assert np.array_equal(first.map.weights, second.map.weights)
    assert second.held_out.recalls[1] < first.held_out.recalls[1]


async def test_another_seed_holds_out_others(bench):
    first, second = await fit(bench), await fit(bench, name="c", seed=1)
    assert first.fit_ids_digest != second.fit_ids_digest


async def test_only_common_items_are_pairs(bench):
    bench.space("z", paired_clouds()[1][:50], [f"i{row:04d}" for row in range(0, 300, 6)])
    artefact = await fit(bench, target="z", held_out_fraction=0.5)
    # 34 of the 50 are below 200.
    assert (artefact.fit_pairs, artefact.held_out.queries, artefact.held_out.gallery) == (17, 17, 50)


async def test_pairs_with_other_ids_on_the_other_side(bench):
    _, y = paired_clouds()
    bench.space("z", y, [f"other-{row:04d}" for row in range(200)])
    ids = [f"i{row:04d}" for row in range(200)]
    first = await fit(bench)
    second = await fit(bench, name="c", target="z", item_ids=ids, target_ids=[f"other-{row:04d}" for row in range(200)])
    assert np.array_equal(first.map.weights, second.map.weights)
    assert first.held_out == second.held_out
    with pytest.raises(errors.NoCommonItems, match="share no item id"):
        await fit(bench, name="d", target="z")


async def test_an_exact_rotation_finds_every_partner():
    bench = BridgeBench()
    x = np.random.default_rng(0).standard_normal((120, 10))
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((10, 10)))[0]
    bench.space("x", x)
    bench.space("y", x @ rotation)
    artefact = await fit(bench, method="procrustes")
    assert artefact.held_out.recalls[1] == 1.0
    assert np.abs(artefact.map.weights - rotation).max() < 1e-6
    assert map_vectors(make_ready(artefact.map), x.astype(np.float32), Control()).shape == (120, 10)


async def test_near_copies_of_held_out_pairs_are_not_fitted_on():
    bench = BridgeBench()
    x, y = paired_clouds()
    noise = np.random.default_rng(1).standard_normal((200, 12)).astype(np.float32)
    bench.space("x", np.vstack([x, x + np.float32(1e-3) * noise]))
    bench.space("y", np.vstack([y, y + np.float32(1e-3) * noise[:, :9]]))
    artefact = await fit(bench, method="ridge")
    assert artefact.held_out.queries == 80
    assert 0 < artefact.near_copies < 80
    # Whatever a held-out pair has as its twin is out of the fit or itself held out.
    assert artefact.fit_pairs == 320 - artefact.near_copies
    bench.space("plain-x", x)
    bench.space("plain-y", y)
    assert (await fit(bench, name="c", source="plain-x", target="plain-y", method="ridge")).near_copies == 0


@pytest.mark.parametrize("exact", ["source", "target"])
async def test_captions_of_an_image_do_not_give_each_other_away(exact):
    """Unrelated spaces in which one side repeats: a fit that saw four captions of an image would find the fifth."""
    rng = np.random.default_rng(0)
    one, other = (np.repeat(rng.standard_normal((60, 64)), 5, axis=0) for _ in range(2))
    other = other + 0.4 * rng.standard_normal(other.shape)
    bench = BridgeBench()
    bench.space("x", one if exact == "source" else other)
    bench.space("y", other if exact == "source" else one)
    for method in ("ridge", "auto"):
        artefact = await fit(bench, name=method, method=method)
        assert (artefact.fit_pairs, artefact.held_out.queries) == (240, 60)
        # Chance: .017 of 300; of a gallery of repeated images, .083.
        assert artefact.held_out.recalls[5] < 0.2
        assert "300 pairs have a vector in common with another pair" in artefact.notes[0]
        assert "the 60 held-out queries are of 12 groups" in artefact.notes[1]
        ranked = any("60 of 60 partners have an equal vector" in note for note in artefact.notes)
        assert ranked == (exact == "target")


async def test_a_side_of_few_vectors_is_fitted_with_a_word():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 6, 200)
    bench = BridgeBench()
    bench.space("x", np.eye(6)[classes])
    bench.space("y", rng.standard_normal((6, 9))[classes] + 0.3 * rng.standard_normal((200, 9)))
    artefact = await fit(bench, method="ridge")
    assert (artefact.fit_pairs, artefact.held_out.queries) == (160, 40)
    assert artefact.notes[0] == (
        "160 pairs of the fit have on one side nearly the vector of a held-out pair, and too few have not: the report flatters"
    )


async def test_pairs_that_are_all_alike_are_told():
    bench = BridgeBench()
    x, y = paired_clouds(n=5)
    bench.space("x", np.tile(x, (20, 1)))
    bench.space("y", np.tile(y, (20, 1)))
    with pytest.raises(errors.TooFewPairs, match="nearly the same as held-out ones"):
        await fit(bench, method="ridge")


async def test_spaces_of_one_dimension_are_joined():
    bench = BridgeBench()
    x = np.random.default_rng(0).standard_normal((60, 1))
    bench.space("x", x)
    bench.space("y", 2 * x)
    artefact = await fit(bench)
    assert (artefact.near_copies, artefact.fit_pairs) == (0, 48)


async def test_pairs_of_one_group_stay_on_one_side(bench):
    def attributes(space, _version, ids):
        return {"group_id": AttributeColumn("integer", tuple(int(item[1:]) // 4 for item in ids))} if space == "x" else {}

    bench.store.attributes = attributes
    artefact = await fit(bench, method="ridge")
    assert artefact.split_by == "group_id"
    assert artefact.held_out.queries == 40
    assert any("queries are of 10 groups" in note and "too narrow" in note for note in artefact.notes)
    assert (await fit(bench, name="c", source="y", target="x", method="ridge")).split_by == "group_id"


async def test_spaces_of_equal_width_carry_their_baselines():
    bench = BridgeBench()
    x, y = paired_clouds(width_y=12)
    bench.space("x", x)
    bench.space("y", y)
    artefact = await fit(bench, method="ridge")
    assert [report.method for report in artefact.candidates] == ["identity", "mean_shift", "ridge"]
    assert artefact.held_out == artefact.candidates[2]


async def test_pinned_versions_are_used(bench):
    bench.store.put("x", ["i0000"], paired_clouds(seed=4)[0][:1])
    pinned = await bench.bridging.fit(CALL, replace(bench.query(), source=SpaceQuery("x", 1)))
    assert pinned.source_version == 1
    with pytest.raises(errors.VersionExpired):
        await bench.bridging.fit(CALL, replace(bench.query(name="c"), source=SpaceQuery("x", 9)))


async def test_the_same_request_again_answers_the_same_bridge(bench):
    first = await fit(bench, request_id="r")
    assert await fit(bench, request_id="r") is first
    with pytest.raises(errors.UploadConflict, match="another query"):
        await fit(bench, request_id="r", seed=1)
    with pytest.raises(errors.BridgeExists, match="delete it first"):
        await fit(bench, request_id="s")
    with pytest.raises(errors.BridgeExists):
        await fit(bench)


async def test_equal_requests_at_the_same_time_make_one_bridge(bench):
    first, second = await asyncio.gather(fit(bench, request_id="r"), fit(bench, request_id="r"))
    assert first.uid == second.uid
    with pytest.raises(errors.BridgeExists):
        await asyncio.gather(fit(bench, name="c"), fit(bench, name="c"))


async def test_a_deleted_bridge_is_gone_and_its_name_free(bench):
    first = await fit(bench)
    await bench.bridging.delete(CALL, "b")
    for use in (bench.bridging.get, bench.bridging.delete):
        with pytest.raises(errors.BridgeNotFound):
            await use(CALL, "b")
    assert (await fit(bench)).uid != first.uid


async def test_pages(bench):
    for name in ("d", "a", "c", "b", "e"):
        await fit(bench, name=name)
    seen, token = [], ""
    while True:
        page, token = await bench.bridging.list(CALL, 2, token)
        seen.append([artefact.name for artefact in page])
        if not token:
            break
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    with pytest.raises(errors.InvalidPageToken):
        await bench.bridging.list(CALL, 2, "bm9uc2Vuc2U=")


BAD = [
    ({"name": "Big"}, errors.InvalidName, "bridge_id", "lower-case"),
    ({"name": "x"}, errors.InvalidName, "bridge_id", "id of a space"),
    ({"method": "magic"}, errors.UnknownMethod, "method", "auto, identity, mean_shift, procrustes"),
    ({"method": "identity"}, errors.DimensionMismatch, "method", "12 and 9"),
    ({"source": "nowhere"}, errors.SpaceNotFound, "source", "nowhere"),
    ({"held_out_fraction": 0.0}, errors.InvalidArgument, "held_out_fraction", "above 0"),
    ({"held_out_fraction": 1.0}, errors.InvalidArgument, "held_out_fraction", "at most 0.9"),
    ({"held_out_fraction": float("nan")}, errors.InvalidArgument, "held_out_fraction", "nan"),
    ({"seed": -1}, errors.InvalidArgument, "seed", "-1"),
    ({"seed": 2**64}, errors.InvalidArgument, "seed", "2\\^64"),
    ({"penalties": [1.0, -0.5]}, errors.InvalidArgument, "penalties", "-0.5"),
    ({"penalties": [float("inf")]}, errors.InvalidArgument, "penalties", "inf"),
    ({"penalties": [1.0] * 101}, errors.InvalidArgument, "penalties", "at most 100"),
    ({"item_ids": ["i0001", "gone"], "method": "ridge"}, errors.ItemNotFound, "pairs.item_ids", "'gone'"),
    ({"item_ids": ["i0001", "i0002"], "target_ids": ["i0001", "gone"]}, errors.ItemNotFound, "pairs.target_ids", "'gone'"),
    ({"item_ids": ["i0001", "i0001", "i0002"]}, errors.DuplicateId, "pairs.item_ids", "'i0001'"),
    ({"item_ids": ["i0001", "i0002"], "target_ids": ["i0003", "i0003"]}, errors.DuplicateId, "pairs.target_ids", "'i0003'"),
    ({"item_ids": ["i0001", "i0002"], "target_ids": ["i0003"]}, errors.ShapeMismatch, "pairs.target_ids", "2 item_ids .* 1 target_ids"),
    ({"target_ids": ["i0003"]}, errors.ShapeMismatch, "pairs.target_ids", "0 item_ids"),
    ({"item_ids": ["i0001"]}, errors.TooFewPairs, "pairs", "of 1 known pair 1 is held out.* give 13 pairs or more$"),
    (
        {"item_ids": [f"i{row:04d}" for row in range(11)]},
        errors.TooFewPairs,
        "pairs",
        "of 11 known pairs 2 are held out, which leaves 9 .* at least 10: give 13",
    ),
]


@pytest.mark.parametrize(("options", "error", "field", "message"), BAD)
async def test_bad_input_is_refused_and_leaves_nothing(bench, options, error, field, message):
    with pytest.raises(error, match=message) as caught:
        await fit(bench, **options)
    assert caught.value.field == field
    assert not bench.bridges.artefacts


async def test_items_without_a_direction_are_named():
    bench = BridgeBench()
    x, y = paired_clouds()
    x[7] = 0
    y[9] = 0
    bench.space("x", x, similarity=Similarity.INNER_PRODUCT)
    bench.space("y", y, similarity=Similarity.INNER_PRODUCT)
    with pytest.raises(errors.ZeroVector, match=r"space 'x' .*'i0007'"):
        await fit(bench)
    ids = [f"i{row:04d}" for row in range(200) if row not in {7, 9}]
    # Nothing can be matched with a zero vector either, pair or not.
    with pytest.raises(errors.ZeroVector, match=r"space 'y' .*'i0009'"):
        await fit(bench, item_ids=ids)


async def test_one_direction_for_all_items_is_refused():
    bench = BridgeBench()
    bench.space("x", paired_clouds()[0])
    bench.space("y", np.outer(np.arange(1, 201), [1.0, 2.0, 3.0]))
    with pytest.raises(errors.ConstantFeatures, match="target space"):
        await fit(bench)


async def test_a_fit_beyond_the_budget_is_refused_with_the_estimate():
    bench = BridgeBench(budget=10_000_000)
    x, y = paired_clouds()
    bench.space("x", x)
    bench.space("y", y)
    with pytest.raises(errors.MemoryBudget, match="this fit_bridge needs about"):
        await fit(bench)


async def test_a_cancelled_fit_keeps_nothing(bench):
    call = Call("fit_bridge")
    call.control.cancel()
    with pytest.raises(errors.Cancelled):
        await bench.bridging.fit(call, bench.query())
    assert not bench.bridges.artefacts


async def test_an_estimate_grows_with_the_pairs(bench):
    few = await bench.bridging.estimate_seconds(CALL, bench.query(item_ids=["i0001"] * 20))
    many = await bench.bridging.estimate_seconds(CALL, bench.query())
    assert 0 < few < many < 1


async def test_a_stitching_layer_is_kept_with_its_training(bench):
    options = StitchingOptions("residual_mlp", hidden=8, max_epochs=3)
    artefact = await fit(bench, method="stitching_layer", stitching=options)
    assert (artefact.method, artefact.stitching.architecture, artefact.stitching.hidden) == ("stitching_layer", "residual_mlp", 8)
    assert artefact.held_out.method == "stitching_layer"
    assert (await fit(bench, name="c", method="ridge")).stitching is None
    assert await bench.bridging.estimate_seconds(CALL, bench.query(method="stitching_layer")) > await bench.bridging.estimate_seconds(
        CALL, bench.query(method="ridge")
    )


async def test_what_belongs_to_a_layer_is_refused_with_other_methods(bench):
    with pytest.raises(errors.InvalidArgument, match="the method is 'ridge'"):
        await fit(bench, method="ridge", stitching=StitchingOptions())
    with pytest.raises(errors.InvalidArgument, match="temperature"):
        await fit(bench, method="stitching_layer", stitching=StitchingOptions(temperature=-1.0))


async def test_a_stitching_layer_without_torch_is_not_served(bench, monkeypatch):
    monkeypatch.setattr(training_host, "has_torch", lambda: False)
    with pytest.raises(errors.NotServed, match=r"consilience\[torch\]"):
        await fit(bench, method="stitching_layer")
    assert not bench.bridges.artefacts


def test_requests_of_before_keep_their_digests(bench):
    plain = bench.query()
    assert fit_digest(plain) != fit_digest(replace(plain, stitching=StitchingOptions()))
    asked = {key: value for key, value in asdict(plain).items() if key not in {"request_id", "keep_unconverged", "attribute", "stitching"}}
    assert fit_digest(plain) == hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=16).hexdigest()


async def test_a_fit_that_was_cut_off_goes_on_where_it_was_and_leaves_nothing(monkeypatch):
    bench, (x, y) = BridgeBench(), paired_clouds(noise=3.0)
    bench.space("x", x)
    bench.space("y", y)
    options = StitchingOptions("residual_mlp", "infonce", hidden=8, max_epochs=6)
    whole = await fit(bench, name="whole", method="stitching_layer", stitching=options)
    kept, call, epochs, train_epoch = MemoryCheckpoints(), Call("fit_bridge"), [], _Learner.train_epoch
    bench.bridging._training = TrainingHost(checkpoints=kept)

    def counted(learner, control):
        epochs.append(learner.epoch)
        if len(epochs) == 3:
            call.control.cancel()
        train_epoch(learner, control)

    monkeypatch.setattr(_Learner, "train_epoch", counted)
    with pytest.raises(errors.Cancelled):
        await bench.bridging.fit(call, bench.query(method="stitching_layer", stitching=options))
    assert (epochs, len(kept.states)) == ([0, 1, 2], 1)
    again = await fit(bench, method="stitching_layer", stitching=options)
    assert epochs[3] == 2
    assert kept.states == {}
    assert again.stitching == whole.stitching
    for name, array in whole.map.tensors().items():
        assert array.tobytes() == again.map.tensors()[name].tobytes()
