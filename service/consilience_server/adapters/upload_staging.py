"""Uploads in progress: batches kept durably, invisible to readers, until their commit.

Each batch is one file `<first row>.batch` in the upload's folder: a 64-byte head (magic, first row, rows, payload bytes, SHA-256 of these
and the payload) and an Arrow IPC stream of one record batch. A file that is torn, altered or out of sequence fails its head; after a
restart the upload goes on from the rows before it.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from consilience_server.adapters.durable_files import make_directory, remove_tree, write_durably
from consilience_server.adapters.space_columns import (
    ID,
    VECTOR,
    attribute_array,
    attribute_column,
    attribute_field,
    check_types,
    id_and_vector_schema,
    value_type,
    vector_array,
    vector_matrix,
)
from consilience_server.adapters.storage_errors import reading
from consilience_server.app.ports import Batch, ValueType
from consilience_server.app.upload_digest import UploadDigest
from consilience_server.core.errors import CorruptData, DimensionMismatch, DuplicateId, UploadConflict

_MAGIC = b"CNSLBAT1"
_HEAD = struct.Struct("<8sQQQ32s")
_PREFIX = "attribute:"
_SHOWN = 10


def upload_directory(uploads: Path, uid: str, request_id: str) -> Path:
    """The folder of an upload; request ids are free text, so their digest names it."""
    return uploads / uid / hashlib.sha256(request_id.encode()).hexdigest()[:40]


@dataclass(frozen=True)
class StagedRows:
    """One staged batch, mapped into memory.

    Attributes:
        ids: Arrow strings.
        vectors: Arrow fixed-size lists of float32.
        attributes: Arrow arrays by attribute name, of those columns that this batch carried.
    """

    ids: Any
    vectors: Any
    attributes: dict[str, Any]


@dataclass
class StagedUpload:
    """What is staged of one upload. Not thread-safe: its users hold the upload's lock.

    Attributes:
        directory: where the files are.
        dim: width of the rows; 0 in a kernel space until the first batch decides it.
        files: in order of their rows.
        digest: of the rows staged.
        types: type of each attribute column seen.
    """

    directory: Path
    dim: int
    files: list[Path] = field(default_factory=list)
    digest: UploadDigest = field(default_factory=UploadDigest)
    types: dict[str, ValueType] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Rows staged."""
        return self.digest.rows

    @classmethod
    def resume(cls, directory: Path, dim: int) -> "StagedUpload":
        """What a folder holds; drops files from the first one that is torn or does not continue the rows before it."""
        upload = cls(directory, dim)
        candidates = sorted(directory.glob("*.batch")) if directory.is_dir() else []
        for position, path in enumerate(candidates):
            try:
                first_row, staged = _read(path, upload.dim)
                if first_row != upload.rows:
                    raise CorruptData(f"{path} begins with row {first_row}, not {upload.rows}")
                upload._accept(path, staged)
            except (CorruptData, DuplicateId):
                for useless in candidates[position:]:
                    useless.unlink()
                break
        return upload

    def append(self, first_row: int, batch: Batch) -> int:
        """Keep a batch durably; returns the rows staged so far.

        Raises:
            UploadConflict: `first_row` is not the number of staged rows.
            DuplicateId: ids that this upload has staged before, or that stand twice in the batch.
            DimensionMismatch: vectors that don't fit the ids or the space.
            InvalidAttribute: a column of another type than before in this upload, or values not of its type.
        """
        if first_row != self.rows:
            message = f"the batch begins with row {first_row:,}, but {self.rows:,} rows are staged; resume there"
            raise UploadConflict(message, field="header.first_row", staged_rows=self.rows)
        width = self.dim or int(batch.vectors.shape[1])
        if batch.vectors.shape != (len(batch.ids), width):
            message = (
                f"{len(batch.ids)} ids came with vectors of shape {batch.vectors.shape}; rows of this upload have {width} columns: "
                "give a row of that width an id"
            )
            raise DimensionMismatch(message, field="batch.vectors")
        self._refuse_duplicates(batch.ids)
        types = {name: column.type for name, column in batch.attributes.items()}
        check_types(types, self.types)
        if not batch.ids:
            return self.rows
        table = _table(batch)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_batch(table)
        payload = memoryview(sink.getvalue())
        head = _HEAD.pack(_MAGIC, first_row, len(batch.ids), payload.nbytes, _digest(first_row, len(batch.ids), payload))
        path = self.directory / f"{first_row:012d}.batch"
        make_directory(self.directory)
        write_durably(path, [head, payload])
        self.files.append(path)
        self.dim = width
        self.digest.add(batch)
        self.types.update(types)
        self._ids.update(batch.ids)
        return self.rows

    def read(self) -> list[StagedRows]:
        """Every batch, checked against its digest; the bytes stay in the files and are paged in when used. CorruptData."""
        return list(self._read_all())

    def _read_all(self) -> Iterator[StagedRows]:
        row = 0
        for path in self.files:
            first_row, staged = _read(path, self.dim)
            if first_row != row:
                raise CorruptData(f"{path} begins with row {first_row}, not {row}; discard the upload and begin again")
            row += len(staged.ids)
            yield staged

    def _accept(self, path: Path, staged: StagedRows) -> None:
        ids = staged.ids.to_pylist()
        self._refuse_duplicates(ids)
        types = {name: value_type(array) for name, array in staged.attributes.items()}
        self.files.append(path)
        self.dim = staged.vectors.type.list_size
        columns = {name: attribute_column(types[name], array) for name, array in staged.attributes.items()}
        self.digest.add(Batch(ids, vector_matrix(staged.vectors), columns))
        self.types.update(types)
        self._ids.update(ids)

    def _refuse_duplicates(self, ids: Any) -> None:
        seen: set[str] = set()
        twice = [item for item in ids if item in self._ids or item in seen or seen.add(item)]  # type: ignore[func-returns-value]  # set.add is None
        if twice:
            listed = ", ".join(repr(item) for item in twice[:_SHOWN])
            more = f" and {len(twice) - _SHOWN:,} more" if len(twice) > _SHOWN else ""
            message = f"item ids stand twice in one upload: {listed}{more}; send each item once"
            raise DuplicateId(message, field="batch.ids", ids=twice[:_SHOWN])

    def discard(self) -> int:
        """Remove all files; returns the bytes freed."""
        self.files.clear()
        self._ids.clear()
        self.digest = UploadDigest()
        return remove_tree(self.directory)


def _table(batch: Batch) -> Any:
    schema = id_and_vector_schema(batch.vectors.shape[1])
    arrays = [pa.array(batch.ids, type=pa.string()), vector_array(batch.vectors)]
    for name, column in batch.attributes.items():
        schema = schema.append(attribute_field(_PREFIX + name, column.type))
        arrays.append(attribute_array(name, column))
    return pa.record_batch(arrays, schema=schema)


def _digest(first_row: int, rows: int, payload: memoryview) -> bytes:
    digest = hashlib.sha256(struct.pack("<QQQ", first_row, rows, payload.nbytes))
    digest.update(payload)
    return digest.digest()


def _read(path: Path, dim: int) -> tuple[int, StagedRows]:
    with reading(f"the staged batch {path.name}"):
        with pa.memory_map(str(path)) as file:
            buffer = file.read_buffer()
        magic, first_row, rows, nbytes, digest = _HEAD.unpack_from(buffer)
        payload = buffer.slice(_HEAD.size)
        if magic != _MAGIC or nbytes != payload.size or _digest(first_row, rows, memoryview(payload)) != digest:
            raise CorruptData(f"{path} fails its digest; discard the upload and begin again")
        batch = pa.ipc.open_stream(payload).read_next_batch()
        if batch.num_rows != rows or dim not in {0, batch.schema.field(VECTOR).type.list_size}:
            raise CorruptData(f"{path} does not hold what its head says; discard the upload and begin again")
        attributes = {name.removeprefix(_PREFIX): batch.column(name) for name in batch.schema.names if name.startswith(_PREFIX)}
        return first_row, StagedRows(batch.column(ID), batch.column(VECTOR), attributes)
