"""Controls and a given space beside layers: the alignment's own rule of choice, the same items, the same random pairings."""

from dataclasses import replace

import numpy as np
import pytest
from support.layer_house import DINO, LLAMA, SPEC, LayerHouse, N, layer

from consilience_server.app.alignment_spec import ControlQuery, GroupQuery, SpaceQuery
from consilience_server.core import errors
from consilience_server.core.partial import beyond

RANDOM = GroupQuery("random")


@pytest.fixture
def house():
    house = LayerHouse()
    for at, share in enumerate((1.0, 0.3)):
        house.put(f"llama-{at}", layer(6 + at, share), "llama", str(at))
        house.put(f"dino-{at}", layer(8, share), "dino", str(at))
    for at, share in enumerate((0.1, 0.4, 0.0)):
        house.put(f"random-{at}", layer(7, share), "random", str(at))
    house.put("pixels", layer(9, 0.3), "", "")
    return house


@pytest.mark.parametrize("metric", ["mutual_knn", "cka"])
@pytest.mark.parametrize("selection", ["split_half", "max"])
async def test_a_control_is_the_alignment_of_the_control(house, metric, selection):
    spec = replace(SPEC, metric=metric, layer_selection=selection)
    controls = [ControlQuery(RANDOM), ControlQuery(SpaceQuery("pixels")), ControlQuery(RANDOM, "y")]
    report = await house.align(spec=spec, controls=controls)
    plain = await house.align(spec=spec)
    assert report.by_k == plain.by_k
    for control, (x, y) in zip(report.controls, ((RANDOM, DINO), (SpaceQuery("pixels"), DINO), (LLAMA, RANDOM)), strict=True):
        alone = await house.align(x, y, spec)
        assert control.by_k == alone.by_k
        assert (control.layers.best, control.layers.selection_n) == (alone.layers.best, alone.layers.selection_n)
        assert control.layers.maximum == alone.layers.maximum
        np.testing.assert_array_equal(control.layers.scores, alone.layers.scores)
        (difference,) = control.differences
        assert difference.value == pytest.approx(plain.headline.score - alone.headline.score)
        assert (difference.interval is None) == (selection == "max")
    assert [control.space.name for control in report.controls] == ["groups/random", "spaces/pixels", "groups/random"]
    assert [use.name for use in report.controls[0].layers.x_layers] == ["spaces/random-0", "spaces/random-1", "spaces/random-2"]


async def test_where_a_control_alone_has_layers_both_are_over_the_half_that_judges(house):
    x, y = SpaceQuery("llama-0"), SpaceQuery("dino-0")
    report = await house.align(x, y, controls=[ControlQuery(RANDOM), ControlQuery(SpaceQuery("pixels"), "y")])
    assert (report.n, report.layers.selection_n, report.layers.scores.shape) == (N // 2, N // 2, (1, 1))
    assert report.layers.maximum is None
    assert all(control.differences[0].interval is not None for control in report.controls)
    alone = await house.align(RANDOM, y)
    assert report.controls[0].by_k == alone.by_k
    as_maximum = await house.align(x, y, replace(SPEC, layer_selection="max"), controls=[ControlQuery(RANDOM)])
    assert (as_maximum.n, as_maximum.by_k) == (N, (await house.align(x, y)).by_k)
    assert as_maximum.controls[0].differences[0].interval is None


async def test_a_single_pair_beside_single_controls_is_over_all_items(house):
    house.put("one", layer(5, 0.5), "one", "0")
    report = await house.align(GroupQuery("one"), SpaceQuery("dino-0"), controls=[ControlQuery(SpaceQuery("pixels"))])
    pair = await house.align(SpaceQuery("one"), SpaceQuery("dino-0"), controls=[ControlQuery(SpaceQuery("pixels"))])
    assert (report.n, report.by_k, report.controls[0].by_k) == (N, pair.by_k, pair.controls[0].by_k)
    assert report.controls[0].differences == pair.controls[0].differences


async def test_items_are_common_to_controls_and_given_too(house):
    house.put("few", layer(9, 0.3)[:70], "", "", [f"i{row:03}" for row in range(70)])
    house.put("given", layer(3, 0.3)[:60], "", "", [f"i{row:03}" for row in range(60)])
    report = await house.align(controls=[ControlQuery(SpaceQuery("few"))], given=SpaceQuery("given"))
    assert (report.dropped_x, report.dropped_y, report.controls[0].dropped) == (20, 20, 10)
    assert (report.given.items, report.layers.n) == (60, 56)


@pytest.mark.parametrize("metric", ["mutual_knn", "cka"])
async def test_each_layer_is_compared_beyond_the_given_space(house, metric):
    z = layer(3, 1.0)
    house.put("given", z, "", "")
    spec = replace(SPEC, metric=metric)
    report = await house.align(spec=spec, controls=[ControlQuery(SpaceQuery("pixels"))], given=SpaceQuery("given"))
    names = ["llama-0", "llama-1", "dino-0", "dino-1", "pixels"]
    found = beyond([house.vectors[name] for name in names], z)
    for at, residuals in enumerate(found.residuals):
        house.put(f"left-{at}", residuals.astype(np.float32), "", "", [f"i{row:03}" for row in found.kept])
    for i in range(2):
        for j in range(2):
            alone = await house.align(SpaceQuery(f"left-{i}"), SpaceQuery(f"left-{2 + j}"), spec)
            assert report.layers.scores[i, j] == pytest.approx(alone.headline.score, abs=1e-6)
            assert report.layers.p_values[i, j] == alone.headline.p_value
    (x, y) = report.layers.best
    assert (report.given.explained_x, report.given.explained_y) == pytest.approx((found.explained[x], found.explained[2 + y]))
    assert [*report.given.layers_explained[0], *report.given.layers_explained[1]] == pytest.approx(found.explained[:4])
    assert (report.given.rank, report.layers.n, report.n) == (3, N - 4, (N - 4) // 2)
    assert [use.uid for use in report.layers.x_layers] == [house.store.records[name].uid for name in names[:2]]
    assert report.controls[0].layers.scores.shape == (1, 2)


async def test_a_layer_that_is_explained_altogether_is_named(house):
    house.put("dino-2", 2 * house.vectors["pixels"][:, :4], "dino", "2")
    with pytest.raises(errors.ConstantFeatures, match="given explains all of spaces/dino-2") as refused:
        await house.align(given=SpaceQuery("pixels"))
    assert refused.value.field == "y"
    with pytest.raises(errors.NotServed, match="within"):
        await house.align(spec=replace(SPEC, within="label"), given=SpaceQuery("pixels"))


async def test_clips_are_those_of_the_layers_as_they_were(house):
    spec = replace(SPEC, preprocess="platonic_rep")
    clips = (await house.align(spec=spec)).clips
    house.put("given", layer(3, 1.0), "", "")
    report = await house.align(spec=spec, given=SpaceQuery("given"), controls=[ControlQuery(RANDOM)])
    assert (report.clips, report.preprocess) == (clips, "platonic_rep")
