"""Arrays that arrive in blocks."""

import numpy as np
import pytest
from support.silent_metrics import SilentMetrics

from consilience.v1.alignment_pb2 import AlignArraysHeader, AlignArraysRequest
from consilience_server.app.memory_budget import Account
from consilience_server.core.errors import InvalidArgument, MemoryBudget, ShapeMismatch
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.received_arrays import ReceivedArrays, memory_for, read_header, receive

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.arange(8, dtype=np.float32).reshape(4, 2)
HEADER = AlignArraysHeader(rows=4, x_columns=3, y_columns=2)


def block(**array):
    ((name, values),) = array.items()
    return AlignArraysRequest(**{name: write_matrix(values)})


async def stream(*parts):
    for part in parts:
        yield part


async def received(*parts, header=HEADER):
    arrays = ReceivedArrays(header)
    await receive(stream(*parts), arrays)
    return arrays.finish()


async def test_blocks_of_any_size_in_any_mixture():
    x, y = await received(block(y=Y[:1]), block(x=X[:3]), block(y=Y[1:]), block(x=X[3:]))
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([block(x=X), block(y=Y[:3])], "y"),
        ([block(x=X), block(y=Y), block(y=Y[:1])], "y"),
        ([block(x=X[:, :2]), block(y=Y)], "x"),
        ([], "x"),
    ],
)
async def test_what_does_not_fit_the_header(parts, field):
    with pytest.raises(ShapeMismatch) as caught:
        await received(*parts)
    assert caught.value.field == field


@pytest.mark.parametrize("header", [AlignArraysHeader(rows=0, x_columns=1, y_columns=1), AlignArraysHeader(rows=1, x_columns=1)])
def test_empty_shapes(header):
    with pytest.raises(ShapeMismatch):
        ReceivedArrays(header)


async def test_nothing_but_blocks_after_the_header():
    for part in (AlignArraysRequest(), AlignArraysRequest(header=HEADER)):
        with pytest.raises(InvalidArgument):
            await received(part)


async def test_the_header_comes_first_and_within_the_limits():
    assert await read_header(stream(AlignArraysRequest(header=HEADER)), 3) == HEADER
    for parts, most in (([], 3), ([block(x=X)], 3), ([AlignArraysRequest(header=HEADER)], 2)):
        with pytest.raises(InvalidArgument):
            await read_header(stream(*parts), most)


def test_memory_is_promised_before_it_is_taken():
    account = Account(100, SilentMetrics())
    with memory_for(HEADER, account):
        assert account.used == 4 * 4 * 5
    assert account.used == 0
    huge = AlignArraysHeader(rows=2**32 - 1, x_columns=65_536, y_columns=65_536)
    with pytest.raises(MemoryBudget), memory_for(huge, account):
        raise AssertionError
