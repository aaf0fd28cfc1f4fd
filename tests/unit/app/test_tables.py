import asyncio

import numpy as np
import pytest
from support.silent_metrics import SilentMetrics

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.tables import Tables, TableSubject
from consilience_server.core.errors import MemoryBudget
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine

VECTORS = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
IDS = np.array([f"{i:02}" for i in range(50)], dtype=object)
SUBJECT = TableSubject("u", 1, "d", "none")


@pytest.fixture
def account():
    return Account(1 << 30, SilentMetrics())


@pytest.fixture
def tables(account):
    return Tables(make_engine(1, "cpu"), ComputePool(1, 8, account, SilentMetrics()), account, SilentMetrics())


def hold(tables, k_max, subject=SUBJECT):
    return tables.hold(Call("a"), subject, VECTORS, IDS, Similarity.COSINE, k_max)


async def test_one_table_serves_every_smaller_k_and_all_who_ask_at_once(tables):
    async def read(k):
        async with hold(tables, k) as table:
            return table

    first, *others = [await read(10), *await asyncio.gather(*(read(k) for k in (1, 5, 10)))]
    assert all(other is first for other in others)


async def test_a_table_in_use_is_never_evicted_and_one_that_nobody_uses_is(tables, account):
    async with hold(tables, 10) as table:
        with pytest.raises(MemoryBudget):
            account.take("requests", account.budget - table.nbytes + 1, "other work")
    account.take("requests", account.budget - table.nbytes + 1, "other work")
    assert account.used == account.budget - table.nbytes + 1


async def test_a_deeper_table_takes_the_place_of_one_in_use_without_losing_a_byte(tables, account):
    async with hold(tables, 3) as shallow:
        async with hold(tables, 20) as deep:
            assert deep.k_max == 20
            assert account.used == shallow.nbytes + deep.nbytes
        assert account.used == shallow.nbytes + deep.nbytes
    assert account.used == deep.nbytes
    async with hold(tables, 3) as again:
        assert again is deep
    async with hold(tables, 30) as deepest:
        assert account.used == deepest.nbytes


async def test_a_failed_scan_leaves_nothing(tables, account):
    call = Call("a")
    call.control.cancel()
    with pytest.raises(Exception, match="cancelled"):
        async with tables.hold(call, SUBJECT, VECTORS, IDS, Similarity.COSINE, 10):
            pass
    assert account.used == 0
