"""Rows that a streaming writer has taken and not published yet."""

from typing import Any

import numpy as np

from consilience._attributes import to_columns
from consilience._batches import Block
from consilience._convert import Vectors
from consilience.errors import InvalidArgumentError
from consilience.v1 import matrix_pb2


class WriteBuffer:
    """Batches in order of arrival; of an item that came twice the last one stays."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._rows: dict[str, tuple[int, int]] = {}
        self._since: float | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._rows

    def age(self, now: float) -> float | None:
        """Seconds that the oldest row has waited, None while nothing waits."""
        return None if self._since is None else now - self._since

    def add(self, block: Block, now: float) -> None:
        """Keep a copy of a batch; InvalidArgumentError where its width differs from the ones before."""
        if self._blocks and self._blocks[0].vectors.columns != block.vectors.columns:
            raise InvalidArgumentError(
                f"the batch has {block.vectors.columns} columns, the ones before {self._blocks[0].vectors.columns}",
                reason="DIMENSION_MISMATCH",
                field="vectors",
            )
        position = len(self._blocks)
        self._blocks.append(Block(list(block.ids), Vectors(block.vectors.data.copy(), block.vectors.dtype), block.columns))
        for row, item in enumerate(block.ids):
            self._rows.pop(item, None)
            self._rows[item] = (position, row)
        if block.ids and self._since is None:
            self._since = now

    def take(self) -> Block:
        """All rows as one batch; the buffer is empty after."""
        places = np.array(list(self._rows.values()), dtype=np.int64).reshape(-1, 2)
        offsets = np.cumsum([0, *(len(block) for block in self._blocks[:-1])])
        positions = offsets[places[:, 0]] + places[:, 1]
        vectors = np.concatenate([block.vectors.to_float32() for block in self._blocks])[positions]
        names = dict.fromkeys(column.name for block in self._blocks for column in block.columns)
        attributes = {name: self._column(name) for name in names}
        columns = to_columns({name: [values[position] for position in positions] for name, values in attributes.items()}, len(positions))
        taken = Block(list(self._rows), Vectors(vectors, matrix_pb2.DATA_TYPE_FLOAT32), columns)
        self._blocks, self._rows, self._since = [], {}, None
        return taken

    def _column(self, name: str) -> list[Any]:
        """One attribute over all batches, None where a batch or an item lacks it."""
        values: list[Any] = []
        for block in self._blocks:
            column = next((column for column in block.columns if column.name == name), None)
            part: list[Any] = [None] * len(block) if column is None else list(column.values)
            for position in column.missing if column else ():
                part[position] = None
            values += part
        return values
