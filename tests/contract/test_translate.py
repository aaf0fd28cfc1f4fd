"""Translate over a real server and in process: arrays, streams of batches, and refusals in the middle of one."""

import asyncio
import json

import numpy as np
import pytest
from support.bridge_bench import paired_clouds
from typer.testing import CliRunner

import consilience
from consilience import AsyncClient
from consilience.commands.app import app

X, Y = paired_clouds(n=300)
IDS = [f"i{row:04d}" for row in range(300)]


@pytest.fixture(scope="module")
def spaces(client):
    for name, vectors in (("tx", X), ("ty", Y)):
        client.create_space(name, dim=vectors.shape[1])
        client.upsert(name, IDS, vectors)
    client.fit_bridge("tx", "ty", name="t-ridge", method="ridge")
    client.fit_bridge("tx", "ty", name="t-cca", method="cca")
    return client


def test_both_sides_rank_as_a_match_does(spaces):
    mapped, gallery = spaces.translate("t-ridge", X[:50]), spaces.translate("t-ridge", Y, side="target")
    assert (mapped.shape, mapped.dtype) == ((50, 9), np.float32)
    found = spaces.match(queries=X[:50], bridge="t-ridge", k=3)
    cosines = mapped.astype(np.float64) @ gallery.astype(np.float64).T
    assert found.ids.tolist() == np.array(IDS)[np.argsort(-cosines, axis=1)[:, :3]].tolist()
    assert np.array_equal(spaces.translate("t-ridge", X[3])[0], mapped[3])


def test_a_stream_answers_batch_by_batch(spaces):
    whole = spaces.translate("t-ridge", X)
    parts = list(spaces.translate("t-ridge", iter([X[:1], X[1:200].astype(np.float64), X[200:].tolist()])))
    assert [len(part) for part in parts] == [1, 199, 100]
    assert np.array_equal(np.concatenate(parts), whole)


def test_an_endless_stream_is_read_as_it_is_asked_for(spaces):
    made = 0

    def endless():
        nonlocal made
        while True:
            made += 1
            yield np.tile(X, (20, 1))

    blocks = spaces.translate("t-ridge", endless())
    first = next(blocks)
    assert first.shape == (6000, 9)
    blocks.close()
    # What the connection holds, not what there is.
    assert made < 200


def test_a_batch_beyond_a_message_is_cut_and_comes_back_whole(spaces):
    vectors = np.tile(X, (600, 1))  # 8.6 MB
    mapped = spaces.translate("t-ridge", vectors)
    assert np.array_equal(mapped, np.tile(spaces.translate("t-ridge", X), (600, 1)))


def test_refusals(spaces):
    refusals = [
        (lambda: spaces.translate("t-ridge", Y), "DIMENSION_MISMATCH", "vectors"),
        (lambda: spaces.translate("t-cca", X), "INVALID_ARGUMENT", "bridge"),
        (lambda: spaces.translate("t-ridge", X[:0]), "SHAPE_MISMATCH", "vectors"),
        (lambda: spaces.translate("t-ridge", X[:2], side="left"), "INVALID_ARGUMENT", "side"),
        (lambda: spaces.translate("t-ridge", np.full((1, 12), np.nan)), "NOT_FINITE", "vectors"),
    ]
    for call, reason, field in refusals:
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            call()
        assert (refused.value.reason, refused.value.field) == (reason, field)
    with pytest.raises(consilience.NotFoundError):
        spaces.translate("t-none", X)


def test_vectors_go_through_one_bridge_after_another_as_through_the_composed_one(spaces):
    spaces.create_space("tz", dim=9)
    spaces.upsert("tz", IDS, Y[:, ::-1])
    second = spaces.fit_bridge("ty", "tz", name="t-second", method="ridge")
    both = spaces.compose_bridges(["t-ridge", second], name="t-both")
    placed = spaces.translate("t-ridge", X, centred=False, source="tx")
    expected = spaces.translate(both, X)
    np.testing.assert_allclose(spaces.translate(second, placed), expected, atol=1e-5)
    assert np.abs(spaces.translate(second, spaces.translate("t-ridge", X)) - expected).max() > 0.01
    parts = list(spaces.translate("t-ridge", iter([X[:100], X[100:]]), centred=False))
    assert np.array_equal(np.concatenate(parts), placed)
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        spaces.translate("t-ridge", Y, side="target", centred=False)
    assert refused.value.field == "centred"


def test_the_wrong_direction_is_refused_where_widths_hide_it(spaces):
    spaces.create_space("tw", dim=9)
    spaces.upsert("tw", IDS, Y[:, ::-1])
    bridge = spaces.fit_bridge("ty", "tw", name="t-flat", method="procrustes")
    assert spaces.match(Y[:2], bridge=bridge, source="ty", k=1).ids[:, 0].tolist() == IDS[:2]
    for call in (lambda: spaces.match(Y[:2], bridge=bridge, source="tw"), lambda: spaces.translate(bridge, Y[:2], source="tw")):
        with pytest.raises(consilience.FailedPreconditionError, match="leads from 'ty' into 'tw', not from 'tw'") as refused:
            call()
        assert (refused.value.reason, refused.value.field) == ("WRONG_SPACE", "source")
    with pytest.raises(consilience.InvalidArgumentError) as within:
        spaces.match(Y[:2], space="ty", source="ty")
    assert within.value.field == "source"
    spaces.delete_bridge(bridge)
    spaces.fit_bridge("tw", "ty", name="t-flat", method="procrustes")
    for call in (lambda: spaces.match(Y[:2], bridge=bridge), lambda: spaces.translate(bridge, Y[:2])):
        with pytest.raises(consilience.FailedPreconditionError, match="deleted and made anew") as stale:
            call()
        assert (stale.value.reason, stale.value.field) == ("VERSION_EXPIRED", "bridge")
    assert len(spaces.match(Y[:2], bridge=bridge.name, source="tw"))


def test_a_bad_batch_ends_the_stream_after_the_good_ones(spaces):
    blocks = spaces.translate("t-ridge", iter([X[:10], Y[:10]]))
    assert len(next(blocks)) == 10
    with pytest.raises(consilience.InvalidArgumentError, match=r"9 columns.*dim 12"):
        next(blocks)


def test_what_the_callers_iterator_raises_reaches_the_caller(spaces):
    def broken():
        yield X[:10]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        list(spaces.translate("t-ridge", broken()))
    with pytest.raises(consilience.InvalidArgumentError, match="shape"):
        list(spaces.translate("t-ridge", iter([X[None]])))


@pytest.mark.parametrize("client", ["server"], indirect=True)
def test_asynchronous_batches(spaces, client):
    async def batches():
        for start in range(0, 300, 100):
            await asyncio.sleep(0)
            yield X[start : start + 100]

    async def both():
        async with AsyncClient(client.settings.address) as other:
            whole = await other.translate("t-ridge", X)
            parts = [part async for part in await other.translate("t-ridge", batches())]
            plain = [part async for part in await other.translate("t-ridge", iter([X[:7], X[7:]]))]
            with pytest.raises(consilience.InvalidArgumentError):
                [part async for part in await other.translate("t-cca", batches())]
            return whole, parts, plain

    whole, parts, plain = asyncio.run(both())
    assert np.array_equal(whole, spaces.translate("t-ridge", X))
    assert np.array_equal(np.concatenate(parts), whole)
    assert [len(part) for part in plain] == [7, 293]


@pytest.mark.parametrize("client", ["server"], indirect=True)
def test_the_command_line(spaces, client, tmp_path):
    given, out = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(given, X)
    address = ("--address", client.settings.address)
    told = CliRunner().invoke(app, ["translate", "t-ridge", str(given), str(out), "--json", *address])
    assert (told.exit_code, json.loads(told.stdout)["columns"]) == (0, 9)
    assert np.array_equal(np.load(out), spaces.translate("t-ridge", X))
    placed = CliRunner().invoke(app, ["translate", "t-ridge", str(given), str(out), "--uncentred", "--source", "tx", *address])
    assert placed.exit_code == 0
    assert np.array_equal(np.load(out), spaces.translate("t-ridge", X, centred=False))
    assert CliRunner().invoke(app, ["translate", "t-ridge", str(given), str(out), "--source", "ty", *address]).exit_code
    assert CliRunner().invoke(app, ["match", "--bridge", "t-ridge", "--source", "ty", "--vectors", str(given), *address]).exit_code
    assert CliRunner().invoke(app, ["translate", "t-cca", str(given), str(tmp_path / "z.npy"), *address]).exit_code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy"]
