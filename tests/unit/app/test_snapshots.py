import asyncio
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import SpaceSpec
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import MemoryBudget, SpaceNotFound, VersionExpired
from consilience_server.core.similarity import Similarity


@pytest.fixture
def house():
    return build(1_000_000)


def build(budget):
    store, metrics = MemoryStore(), SilentMetrics()
    account = Account(budget, metrics)
    pool = ComputePool(2, 8, account, metrics)
    store.create(SpaceSpec("a", 2, Similarity.COSINE))
    store.put("a", ["q", "p"], [(1, 0), (0, 1)])
    return store, account, Snapshots(store, pool, account)


async def test_rows_are_in_byte_order_and_read_only(house):
    _, _, snapshots = house
    async with snapshots.hold(Call("a"), "a") as snapshot:
        assert list(snapshot.ids) == ["p", "q"]
        assert snapshot.vectors.tolist() == [[0, 1], [1, 0]]
        with pytest.raises(ValueError, match="read-only"):
            snapshot.vectors[0, 0] = 5


async def test_many_readers_load_once(house):
    store, _, snapshots = house

    async def read():
        async with snapshots.hold(Call("a"), "a") as snapshot:
            await asyncio.sleep(0.01)
            return snapshot

    first, *others = await asyncio.gather(*(read() for _ in range(10)))
    assert all(other is first for other in others)
    assert store.loads["a", 1] == 1


async def test_a_reader_keeps_its_version_while_a_newer_one_is_read(house):
    store, _, snapshots = house
    async with snapshots.hold(Call("a"), "a") as old:
        store.put("a", ["r"], [(1, 1)])
        async with snapshots.hold(Call("a"), "a") as new, snapshots.hold(Call("a"), "a", 1) as pinned:
            assert (old.version, old.n, new.version, new.n) == (1, 2, 2, 3)
            assert pinned is old
    assert store.pins[old.uid, 1] == 1


async def test_unknown_spaces_and_versions(house):
    store, _, snapshots = house
    for name, version, error, field in (("b", 0, SpaceNotFound, "x"), ("a", 2, VersionExpired, "x.version")):
        with pytest.raises(error) as refusal:
            async with snapshots.hold(Call("a"), name, version, field="x"):
                pass
        assert refusal.value.field == field
    for name, version, error in (("b", 0, SpaceNotFound), ("a", 2, VersionExpired)):
        with pytest.raises(error):
            async with snapshots.hold(Call("a"), name, version):
                pass
    store.put("a", ["r"], [(1, 1)])
    del store.versions["uid-0"][1]
    with pytest.raises(VersionExpired):
        async with snapshots.hold(Call("a"), "a", 1):
            pass
    assert not any(store.pins.values())


async def test_what_nobody_holds_makes_room_and_is_unpinned():
    store, account, snapshots = build(700)
    store.create(SpaceSpec("b", 2, Similarity.COSINE))
    store.put("b", ["p", "q"], [(1, 0), (0, 1)])
    async with snapshots.hold(Call("a"), "a") as a:
        pass
    assert account.used == a.nbytes
    async with snapshots.hold(Call("a"), "b"), snapshots.hold(Call("a"), "b"):
        pass
    account.take("requests", 650, "other work")
    assert not any(store.pins.values())
    assert account.used == 650


async def test_what_does_not_fit_is_refused_and_leaves_nothing():
    store, account, snapshots = build(100)
    with pytest.raises(MemoryBudget):
        async with snapshots.hold(Call("a"), "a"):
            pass
    assert account.used == 0
    assert not any(store.pins.values())


async def test_a_space_made_anew_is_another(house):
    store, _, snapshots = house
    async with snapshots.hold(Call("a"), "a") as first:
        pass
    store.delete("a")
    store.create(SpaceSpec("a", 2, Similarity.COSINE))
    store.put("a", ["z"], [(3, 4)])
    async with snapshots.hold(Call("a"), "a") as second:
        assert second.uid != first.uid
        assert np.array_equal(second.vectors, [[3, 4]])


async def test_an_untouched_space_is_empty_even_when_something_is_written_meanwhile(house):
    store, _, snapshots = house
    store.create(SpaceSpec("fresh", 2, Similarity.COSINE))
    get = store.get

    def get_then_written(name):
        record = get(name)
        store.get = get
        store.put("fresh", ["p"], [(1, 0)])
        return record

    store.get = get_then_written
    async with snapshots.hold(Call("a"), "fresh") as empty, snapshots.hold(Call("a"), "fresh") as filled:
        assert (empty.version, empty.n, empty.vectors.shape) == (0, 0, (0, 2))
        assert (filled.version, filled.n) == (1, 1)


async def test_a_caller_cancelled_while_the_version_is_pinned_leaves_no_pin(house):
    store, _, snapshots = house
    pin, gate = store.pin, threading.Event()
    events = []

    @contextmanager
    def slow(uid, version):
        gate.wait()
        with pin(uid, version):
            events.append("pinned")
            yield
        events.append("given back")

    async def read():
        async with snapshots.hold(Call("a"), "a"):
            pytest.fail("held")

    store.pin = slow
    task = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    for _ in range(200):
        if events == ["pinned", "given back"]:
            break
        await asyncio.sleep(0.01)
    assert events == ["pinned", "given back"]
    assert not any(store.pins.values())


async def test_an_old_version_is_admitted_by_its_own_size():
    store, account, snapshots = build(1000)
    store.put("a", [f"{i}" for i in range(20)], np.ones((20, 2)))
    store.delete_items("a", [f"{i}" for i in range(20)])
    loaded = dict(store.loads)
    with pytest.raises(MemoryBudget, match="3,520"):
        async with snapshots.hold(Call("a"), "a", 2):
            pass
    assert store.loads == loaded, "what does not fit must not be read first"
    assert account.used == 0
