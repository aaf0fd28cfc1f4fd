"""What an upload holds, in one number: so that a request id used again with other rows is told from an honest retry."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from consilience_server.app.ports import Batch

_DTYPES: dict[str, Any] = {"integer": np.int64, "real": np.float64, "boolean": np.bool_}


class UploadDigest:
    """A running SHA-256 of rows in their order: ids, float32 vectors bit for bit, attributes by name and type.

    It does not depend on how the rows are cut into batches. A column that a batch does not carry differs from one without values there,
    as it does in its effect. Not thread-safe.

    Attributes:
        rows: rows so far.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._vectors = hashlib.sha256()
        self._columns: dict[tuple[str, str], _ColumnDigest] = {}

    def add(self, batch: Batch) -> None:
        """The next rows."""
        if not batch.ids:
            return
        self._column("", "id").add(self.rows, "string", batch.ids)
        self._vectors.update(np.ascontiguousarray(batch.vectors, dtype="<f4").data)
        for name, column in batch.attributes.items():
            self._column(name, column.type).add(self.rows, column.type, column.values)
        self.rows += len(batch.ids)

    def hexdigest(self) -> str:
        """Of all rows so far; two uploads with one digest have the same content."""
        parts = [("", "vectors", self._vectors.hexdigest())]
        parts += [(name, kind, column.hexdigest()) for (name, kind), column in sorted(self._columns.items())]
        return hashlib.sha256(repr((self.rows, parts)).encode()).hexdigest()

    def _column(self, name: str, kind: str) -> "_ColumnDigest":
        return self._columns.setdefault((name, kind), _ColumnDigest())


class _ColumnDigest:
    """Values apart from where they stand: heads (row, bytes of the value; -1 where there is none), and the values one after the other."""

    def __init__(self) -> None:
        self._heads = hashlib.sha256()
        self._values = hashlib.sha256()

    def add(self, first_row: int, kind: str, values: Sequence[Any]) -> None:
        if kind == "string":
            encoded = [None if value is None else value.encode() for value in values]
            sizes = [-1 if value is None else len(value) for value in encoded]
            self._values.update(b"".join(value for value in encoded if value is not None))
        else:
            dtype = np.dtype(_DTYPES[kind])
            sizes = [-1 if value is None else dtype.itemsize for value in values]
            self._values.update(np.array([value for value in values if value is not None], dtype=dtype).data)
        rows = np.arange(first_row, first_row + len(sizes), dtype="<i8")
        self._heads.update(np.stack((rows, np.array(sizes, dtype="<i8")), axis=1).data)

    def hexdigest(self) -> str:
        return self._heads.hexdigest() + self._values.hexdigest()
