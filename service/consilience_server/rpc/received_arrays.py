"""Two arrays that arrive in blocks: put together in place, refused before they take memory that is not there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from consilience.v1 import alignment_pb2, matrix_pb2
from consilience_server.app.memory_budget import Account
from consilience_server.core.errors import InvalidArgument, ShapeMismatch
from consilience_server.rpc.convert.matrix import read_vectors


class ReceivedArrays:
    """x and y of an AlignArrays stream, filled block by block.

    Args:
        header: the shapes announced.

    Raises:
        ShapeMismatch: an announced shape without rows or columns.
    """

    def __init__(self, header: alignment_pb2.AlignArraysHeader) -> None:
        shapes = {name: (header.rows, columns) for name, columns in _columns(header).items()}
        for name, shape in shapes.items():
            if 0 in shape:
                raise ShapeMismatch(f"{name} is announced as {shape[0]} x {shape[1]}; it needs rows and columns", field="header")
        self._arrays = {name: np.empty(shape, np.float32) for name, shape in shapes.items()}
        self._filled = dict.fromkeys(shapes, 0)

    def add(self, name: str, block: matrix_pb2.Matrix) -> None:
        """The next rows of one array; ShapeMismatch where they do not fit what was announced."""
        if name not in self._arrays:
            raise ShapeMismatch(f"the header announces no {name}", field=name)
        rows = read_vectors(block, name)
        array, start = self._arrays[name], self._filled[name]
        if rows.shape[1] != array.shape[1] or start + len(rows) > len(array):
            raise ShapeMismatch(
                f"a block of {rows.shape[0]:,} x {rows.shape[1]:,} after {start:,} rows does not fit {name}, announced as "
                f"{array.shape[0]:,} x {array.shape[1]:,}",
                field=name,
            )
        array[start : start + len(rows)] = rows
        self._filled[name] = start + len(rows)

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Both arrays; ShapeMismatch where rows are missing."""
        for name, array in self._arrays.items():
            if self._filled[name] != len(array):
                raise ShapeMismatch(f"{len(array):,} rows of {name} were announced, {self._filled[name]:,} came", field=name)
        return self._arrays["x"], self._arrays["y"]

    @property
    def beside(self) -> list[NDArray[np.float32]]:
        """The controls in the order of the header, then the given array where there is one."""
        return [array for name, array in self._arrays.items() if name not in {"x", "y"}]


async def read_header(parts: AsyncIterator[alignment_pb2.AlignArraysRequest], max_dim: int) -> alignment_pb2.AlignArraysHeader:
    """The first message.

    Raises:
        InvalidArgument: something else, or vectors (of a layer) wider than `max_dim`.
        ShapeMismatch: layers that do not add up to the columns.
    """
    first = await anext(parts, None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidArgument("the first message is the header", field="header")
    header = first.header
    sides = [("x", "x_", header.x_columns, header.x_layer_columns), ("y", "y_", header.y_columns, header.y_layer_columns)]
    controls = [(_control(number), f"{_control(number)}.", told.columns, told.layer_columns) for number, told in enumerate(header.controls)]
    for name, field, columns, widths in (*sides, *controls):
        if widths and sum(widths) != columns:
            raise ShapeMismatch(
                f"{name} has {columns:,} columns and layers of {sum(widths):,} together; give the width of each layer",
                field=f"header.{field}layer_columns",
            )
        if max(widths, default=columns) > max_dim:
            raise InvalidArgument(f"{name}: at most {max_dim:,} columns are served, in each layer", field=f"header.{field}columns")
    if header.given_columns > max_dim:
        raise InvalidArgument(f"at most {max_dim:,} columns are served; given has {header.given_columns:,}", field="header.given")
    return header


@contextmanager
def memory_for(header: alignment_pb2.AlignArraysHeader, account: Account) -> Iterator[None]:
    """The budget's promise for all arrays while the context is open; MemoryBudget."""
    columns = _columns(header)
    with account.borrowed(4 * header.rows * sum(columns.values()), f"{len(columns)} arrays of {header.rows:,} rows"):
        yield


async def receive(parts: AsyncIterator[alignment_pb2.AlignArraysRequest], arrays: ReceivedArrays) -> None:
    """All blocks of the stream."""
    async for part in parts:
        name = part.WhichOneof("part")
        if name in {"x", "y", "given"}:
            arrays.add(name, getattr(part, name))
        elif name == "control":
            arrays.add(_control(part.control.number), part.control.rows)
        else:
            raise InvalidArgument("after the header come blocks of x, of y and of what it announces beside them", field="header")


def _columns(header: alignment_pb2.AlignArraysHeader) -> dict[str, int]:
    """The width of every array that is announced, by the name of its blocks."""
    controls = {_control(number): control.columns for number, control in enumerate(header.controls)}
    given = {"given": header.given_columns} if header.given_columns else {}
    return {"x": header.x_columns, "y": header.y_columns, **controls, **given}


def _control(number: int) -> str:
    return f"controls[{number}]"
