"""Groups of stored spaces: which spaces, in which order, over which items; the same answer as from arrays."""

from dataclasses import replace

import numpy as np
import pytest
from support.layer_house import DINO, LLAMA, SPEC, LayerHouse, N, layer

from consilience_server.app.alignment_spec import ControlQuery, GroupQuery, SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.layered_alignment import in_layer_order
from consilience_server.app.ports import SpaceSpec
from consilience_server.core import errors
from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity


@pytest.fixture
def house():
    house = LayerHouse()
    for at, share in ((10, 1.0), (2, 0.3), (1, 0.1)):
        house.put(f"llama-{at}", layer(6 + at, share), "llama", f"block{at}")
    house.put("dino-a", layer(8, 0.8), "dino", "0")
    house.put("dino-b", layer(8, 0.2), "dino", "1")
    house.put("alone", layer(9, 0.7), "", "")
    return house


@pytest.mark.parametrize("metric", ["mutual_knn", "cka", "linear_predictivity"])
async def test_layers_stand_in_their_order_and_pairs_have_the_scores_of_their_spaces(house, metric):
    spec = replace(SPEC, metric=metric)
    report = await house.align(spec=spec)
    assert [use.name for use in report.layers.x_layers] == ["spaces/llama-1", "spaces/llama-2", "spaces/llama-10"]
    assert [use.version for use in report.layers.y_layers] == [1, 1]
    assert (report.x.name, report.y.name) == ("groups/llama", "groups/dino")
    for i, x in enumerate(("llama-1", "llama-2", "llama-10")):
        for j, y in enumerate(("dino-a", "dino-b")):
            alone = await house.align(SpaceQuery(x), SpaceQuery(y), spec)
            assert report.layers.scores[i, j] == pytest.approx(alone.headline.score, abs=1e-10)
            assert report.layers.p_values[i, j] == alone.headline.p_value
    assert (report.n, report.layers.selection_n, report.layers.n) == (40, 40, 80)


async def test_a_group_and_a_space(house):
    report = await house.align(LLAMA, SpaceQuery("alone"))
    assert report.layers.scores.shape == (3, 1)
    assert (report.y.name, report.y.version) == ("spaces/alone", 1)
    assert report.layers.y_layers == ()


async def test_items_are_those_common_to_all_layers(house):
    house.put("dino-c", layer(8, 0.2)[:70], "dino", "2", [f"i{row:03}" for row in range(70)])
    report = await house.align()
    assert report.layers.n == 70
    assert (report.dropped_x, report.dropped_y) == (10, 10)


async def test_the_answer_is_kept_until_a_layer_changes(house):
    await house.align()
    await house.align()
    assert house.computed == 1
    house.store.put("dino-a", [f"i{row:03}" for row in range(N)], layer(8, 0.5))
    report = await house.align()
    assert report.layers.y_layers[0].version == 2
    house.put("dino-c", layer(8, 0.2), "dino", "2")
    assert (await house.align()).layers.scores.shape == (3, 3)


async def test_groups_that_are_not_there_or_empty_are_named(house):
    with pytest.raises(errors.SpaceNotFound, match="'gpt'; there are dino, llama") as refused:
        await house.align(GroupQuery("gpt"))
    assert refused.value.field == "x"
    with pytest.raises(errors.SpaceNotFound):
        await house.alignment.estimate_align(LLAMA, GroupQuery("gpt"), SPEC)
    house.store.create(SpaceSpec("dino-z", 4, Similarity.COSINE, layer="9", group="dino"))
    with pytest.raises(errors.NoCommonItems, match="'dino-z' of group 'dino' has no items") as refused:
        await house.align()
    assert refused.value.field == "y"


async def test_a_constant_layer_and_a_control_that_is_a_layer_are_refused(house):
    for beside in ({"controls": [ControlQuery(SpaceQuery("dino-b"), "x")]}, {"given": SpaceQuery("dino-b")}):
        with pytest.raises(errors.InvalidArgument, match="'dino-b' is a layer of this alignment") as refused:
            await house.align(**beside)
        assert refused.value.field == ("given" if "given" in beside else "controls[0].space")
    house.put("dino-z", np.ones((N, 3), np.float32), "dino", "9")
    with pytest.raises(errors.ConstantFeatures, match="spaces/dino-z"):
        await house.align()


async def test_the_estimate_grows_with_the_layers(house):
    group = await house.alignment.estimate_align(LLAMA, DINO, SPEC)
    one = await house.alignment.estimate_seconds([SpaceQuery("llama-1"), SpaceQuery("dino-a")], SPEC)
    assert group > 3 * one > 0
    assert await house.alignment.estimate_align(LLAMA, DINO, SPEC, [ControlQuery(DINO)], SpaceQuery("alone")) > 1.5 * group
    assert await house.alignment.estimate_align(LLAMA, DINO, replace(SPEC, ks=(80,))) == 0.0


@pytest.mark.parametrize("metric", ["mutual_knn", "cka"])
async def test_each_layer_is_described_over_all_items(house, metric):
    spec = replace(SPEC, metric=metric, context=True)
    report = await house.align(spec=spec, controls=[ControlQuery(SpaceQuery("alone"))])
    for names, contexts in zip((("llama-1", "llama-2", "llama-10"), ("dino-a", "dino-b")), report.layer_contexts, strict=True):
        for name, context in zip(names, contexts, strict=True):
            alone = await house.align(SpaceQuery(name), SpaceQuery("alone"), spec)
            assert context == alone.contexts[0]
            assert context.effective_rank is not None
    best = report.layers.best
    assert report.contexts == (report.layer_contexts[0][best[0]], report.layer_contexts[1][best[1]])
    plain = await house.align(spec=replace(spec, context=False))
    assert (plain.contexts, plain.layer_contexts, plain.by_k) == ((None, None), ((), ()), report.by_k)
    with pytest.raises(errors.TooFewItems, match="leave context out"):
        await house.align(spec=replace(spec, metric="cka", ks=(80,)))


async def test_near_duplicates_go_and_are_counted(house):
    for at in range(2):
        vectors = layer(6 + at, 0.5)
        vectors[70:] = vectors[:10]
        house.put(f"twin-{at}", vectors, "twin", str(at))
    report = await house.align(GroupQuery("twin"), SpaceQuery("twin-1"), replace(SPEC, deduplicate=0.999))
    assert (report.duplicates, report.deduplicate, report.layers.n) == (10, 0.999, 70)


async def test_what_is_of_single_spaces_is_refused(house):
    with pytest.raises(errors.InvalidArgument, match="all pairings"):
        await house.align(spec=replace(SPEC, stop_after=5))


async def test_progress_and_cancellation(house):
    told = []
    await house.align(call=Call("align", control=Control(told.append)))
    assert told == sorted(told)


async def test_numbers_in_layers_count():
    class Record:
        def __init__(self, name, layer):
            self.spec = SpaceSpec(name, 1, Similarity.COSINE, layer=layer)

    records = [Record("e", "block10"), Record("d", "block2"), Record("c", ""), Record("b", "block2"), Record("a", "head")]
    assert [record.spec.name for record in in_layer_order(records)] == ["c", "b", "d", "e", "a"]
