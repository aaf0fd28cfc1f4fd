import asyncio

import numpy as np
import pytest
from support.bridge_bench import BridgeBench, paired_clouds

from consilience_server.app import derived_vectors
from consilience_server.app.call import Call
from consilience_server.bridges import apply
from consilience_server.core import errors

CALL = Call("match")


@pytest.fixture
async def bench():
    bench = BridgeBench()
    x, y = paired_clouds()
    bench.space("x", x)
    bench.space("y", y)
    await bench.bridging.fit(CALL, bench.query())
    return bench


async def both(bench):
    artefact = bench.bridges.get("b")
    async with bench.snapshots.hold(CALL, "x") as source, bench.snapshots.hold(CALL, "y") as target:
        return await bench.derived.bank(CALL, artefact, source), await bench.derived.gallery(CALL, artefact, target)


async def test_each_is_made_once_however_many_ask(bench, monkeypatch):
    made = []
    monkeypatch.setattr(derived_vectors, "map_vectors", counted(made, derived_vectors.map_vectors))
    monkeypatch.setattr(derived_vectors, "centre_gallery", counted(made, derived_vectors.centre_gallery))
    monkeypatch.setattr(apply, "make_ready", counted(made, apply.make_ready))
    found = await asyncio.gather(*(both(bench) for _ in range(5)))
    assert sorted(made) == ["centre_gallery", "make_ready", "map_vectors"]
    assert len({id(bank) for bank, _ in found}) == len({id(gallery) for _, gallery in found}) == 1


def counted(made, function):
    def wrapper(*arguments):
        made.append(function.__name__)
        return function(*arguments)

    return wrapper


async def test_a_bridge_is_read_once_and_its_name_followed(bench, monkeypatch):
    reads = []
    monkeypatch.setattr(bench.bridges, "get", lambda name: reads.append(name) or bench.bridges.artefacts[name])
    first = await bench.derived.bridge(CALL, "b")
    assert await bench.derived.bridge(CALL, "b") is first
    assert reads == ["b"]
    await bench.bridging.delete(CALL, "b")
    with pytest.raises(errors.BridgeNotFound):
        await bench.derived.bridge(CALL, "b")
    await bench.bridging.fit(CALL, bench.query(seed=1))
    assert (await bench.derived.bridge(CALL, "b")).uid != first.uid


async def test_a_bridge_made_anew_between_name_and_map_is_told(bench, monkeypatch):
    monkeypatch.setattr(bench.bridges, "uid", lambda _: "of-the-one-before")
    for _ in range(2):
        with pytest.raises(errors.BridgeNotFound, match="made anew meanwhile"):
            await bench.derived.bridge(CALL, "b")


async def test_what_is_shared_cannot_be_changed(bench):
    for array in await both(bench):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


async def test_versions_are_told_apart(bench):
    _, before = await both(bench)
    bench.store.put("y", ["i9999"], np.ones((1, 9)))
    _, after = await both(bench)
    assert (len(before), len(after)) == (200, 201)
    assert np.array_equal(before, after[:200])


async def test_what_is_kept_counts_and_is_given_back_when_room_is_needed(bench):
    bank, gallery = await both(bench)
    assert bench.account.used > bank.nbytes + gallery.nbytes
    bench.account.take("requests", bench.account.budget, "everything")
    assert bench.metrics.bytes["snapshots"] == 0
    assert bench.metrics.bytes["tables"] == 0
    bench.account.give("requests", bench.account.budget)
    again, _ = await both(bench)
    assert again is not bank
    assert np.array_equal(again, bank)


async def test_a_failure_is_not_kept(bench):
    call = Call("match")
    call.control.cancel()
    artefact = bench.bridges.get("b")
    async with bench.snapshots.hold(CALL, "y") as target:
        with pytest.raises(errors.Cancelled):
            await bench.derived.gallery(call, artefact, target)
        assert len(await bench.derived.gallery(CALL, artefact, target)) == 200
