"""Translation through a bridge: the bits that a match searches with, batch by batch, and what is refused."""

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app.bridge_spaces import ExpectedBridge
from consilience_server.app.call import Call
from consilience_server.app.translation import Translation
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.compose import compose
from consilience_server.core import errors
from consilience_server.core.control import Control

X, Y = paired_clouds()


async def fitted(method="ridge"):
    bench = BridgeBench()
    bench.space("x", X)
    bench.space("y", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query(method=method))
    return bench, Translation(bench.derived, bench.pool)


async def test_vectors_are_those_that_a_match_searches_with_however_they_are_cut():
    bench, translation = await fitted()
    ready = make_ready(bench.bridges.get("b").map)
    for side, vectors, apply in (("source", X, map_vectors), ("target", Y, centre_gallery)):
        opened = await translation.open(Call("translate"), "b", side)
        parts = [await opened.translate(Call("translate"), vectors[start:stop]) for start, stop in ((0, 1), (1, 130), (130, 200))]
        assert np.array_equal(np.concatenate(parts), apply(ready, vectors, Control()))
        assert parts[0].dtype == np.float32


async def test_a_ridge_map_is_the_centred_product_within_float32():
    bench, translation = await fitted()
    bridge = bench.bridges.get("b").map
    opened = await translation.open(Call("translate"), "b", "source")

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    expected = unit(unit(unit(X.astype(np.float64)) - bridge.source_mean) @ bridge.weights)
    assert np.allclose(await opened.translate(Call("translate"), X), expected, rtol=0, atol=1e-7)


async def test_spaces_may_be_gone():
    bench, translation = await fitted()
    before = await (await translation.open(Call("translate"), "b", "source")).translate(Call("translate"), X[:3])
    bench.store.delete("x")
    bench.store.delete("y")
    after = await (await translation.open(Call("translate"), "b", "source")).translate(Call("translate"), X[:3])
    assert np.array_equal(before, after)


@pytest.mark.parametrize("method", ["relative", "whitened", "cca", "csa"])
async def test_a_map_into_a_space_of_its_own_is_refused(method):
    _, translation = await fitted(method)
    with pytest.raises(errors.InvalidArgument, match=f"fitted by {method}, which maps both sides.*none of 'y'; match through it") as caught:
        await translation.open(Call("translate"), "b", "source")
    assert caught.value.field == "bridge"


async def test_bad_vectors_are_refused_by_their_rows_in_the_stream():
    _, translation = await fitted()
    opened = await translation.open(Call("translate"), "b", "source")
    with pytest.raises(errors.DimensionMismatch, match="9 columns, the source space 'x' of bridge 'b' has dim 12"):
        await opened.translate(Call("translate"), Y[:2])
    await opened.translate(Call("translate"), X[:5])
    spoiled = X[:4].copy()
    spoiled[2, 1] = np.nan
    with pytest.raises(errors.NotFinite, match=r"row.* 7"):
        await opened.translate(Call("translate"), spoiled)
    with pytest.raises(errors.ZeroVector):
        await opened.translate(Call("translate"), np.zeros((1, 12), np.float32))
    with pytest.raises(errors.BridgeNotFound):
        await translation.open(Call("translate"), "none", "source")


async def test_uncentred_vectors_stand_in_the_target_space_and_go_through_the_next_bridge():
    bench, translation = await fitted("procrustes")
    bench.space("z", Y)
    await bench.bridging.fit(Call("fit_bridge"), bench.query("c", "y", "z", method="ridge"))
    first, second = bench.bridges.get("b").map, bench.bridges.get("c").map

    async def through(name, vectors, **options):
        return await (await translation.open(Call("translate"), name, "source", **options)).translate(Call("translate"), vectors)

    placed = await through("b", X, uncentred=True)
    np.testing.assert_allclose(np.linalg.norm(placed, axis=1), 1.0, atol=1e-6)
    # The definition: unit(placed) - mean points where the centred vector does.
    offsets = placed - first.target_mean
    centred = await through("b", X)
    np.testing.assert_allclose(offsets / np.linalg.norm(offsets, axis=1, keepdims=True), centred, atol=1e-6)
    chain = map_vectors(make_ready(compose((first, second))), X, Control())
    np.testing.assert_allclose(await through("c", placed), chain, atol=1e-5)
    assert np.abs(await through("c", centred) - chain).max() > 0.01


async def test_target_vectors_are_uncentred_already():
    _, translation = await fitted()
    with pytest.raises(errors.InvalidArgument, match="the very vectors given") as refused:
        await translation.open(Call("translate"), "b", "target", uncentred=True)
    assert refused.value.field == "uncentred"


async def test_another_bridge_than_expected_is_refused():
    bench, translation = await fitted()
    uid = bench.bridges.get("b").uid
    await translation.open(Call("translate"), "b", "source", ExpectedBridge("x", uid))
    with pytest.raises(errors.WrongSpace, match="leads from 'x' into 'y', not from 'y'; fit one for the other direction") as refused:
        await translation.open(Call("translate"), "b", "source", ExpectedBridge("y"))
    assert refused.value.field == "expected_bridge.source"
    with pytest.raises(errors.VersionExpired, match=f"the uid old, the one that has the name now {uid}") as refused:
        await translation.open(Call("translate"), "b", "source", ExpectedBridge(uid="old"))
    assert refused.value.field == "bridge"
