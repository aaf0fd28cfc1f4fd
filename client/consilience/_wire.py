"""Messages with a large matrix inside, written straight from the array: one copy of its bytes instead of three.

protobuf's Python runtime takes nothing but `bytes`, so a message object costs one copy to make the bytes, one to put them into the message
and one to encode it. The encoding itself is simple: a field is a tag (number << 3 | 2), a length, and the content.
"""

from collections.abc import Sequence

from consilience._attributes import Column
from consilience._convert import Vectors
from consilience.v1 import alignment_pb2, matrix_pb2, space_pb2

_LENGTH_DELIMITED = 2


def upload_header(space: str, request_id: str, total_rows: int, first_row: int) -> bytes:
    """The first message of an upload."""
    header = space_pb2.UploadHeader(space=space, request_id=request_id, total_rows=total_rows, first_row=first_row)
    return space_pb2.UpsertEmbeddingsRequest(header=header).SerializeToString()


def upload_batch(ids: Sequence[str], vectors: Vectors, columns: Sequence[Column], start: int, stop: int) -> bytes:
    """Rows [start, stop) as an encoded UpsertEmbeddingsRequest."""
    rest = space_pb2.UploadBatch(ids=ids[start:stop], attributes=[column.rows(start, stop).to_message() for column in columns])
    batch = _with_matrix(rest.SerializeToString(), space_pb2.UploadBatch.VECTORS_FIELD_NUMBER, vectors.rows(start, stop))
    return b"".join([_prefix(space_pb2.UpsertEmbeddingsRequest.BATCH_FIELD_NUMBER, _size(batch)), *batch])


def arrays_header(header: alignment_pb2.AlignArraysHeader) -> bytes:
    """The first message of `AlignArrays`."""
    return alignment_pb2.AlignArraysRequest(header=header).SerializeToString()


def arrays_block(side: str, vectors: Vectors) -> bytes:
    """A block of rows of `x`, `y` or `given` as an encoded AlignArraysRequest."""
    fields = {
        "x": alignment_pb2.AlignArraysRequest.X_FIELD_NUMBER,
        "y": alignment_pb2.AlignArraysRequest.Y_FIELD_NUMBER,
        "given": alignment_pb2.AlignArraysRequest.GIVEN_FIELD_NUMBER,
    }
    return b"".join(_with_matrix(b"", fields[side], vectors))


def control_block(number: int, vectors: Vectors) -> bytes:
    """A block of rows of a control as an encoded AlignArraysRequest."""
    rest = alignment_pb2.ArrayControlBlock(number=number).SerializeToString()
    block = _with_matrix(rest, alignment_pb2.ArrayControlBlock.ROWS_FIELD_NUMBER, vectors)
    return b"".join([_prefix(alignment_pb2.AlignArraysRequest.CONTROL_FIELD_NUMBER, _size(block)), *block])


def _with_matrix(rest: bytes, field: int, vectors: Vectors) -> list[bytes | memoryview]:
    """The content of a message: its other fields, and a Matrix in `field`."""
    rows, columns = vectors.data.shape
    shape = matrix_pb2.Matrix(dtype=vectors.dtype, rows=rows, columns=columns).SerializeToString()  # type: ignore[arg-type]  # enums are ints
    data = vectors.data.data.cast("B") if vectors.data.size else memoryview(b"")
    matrix: list[bytes | memoryview] = [shape, _prefix(matrix_pb2.Matrix.DATA_FIELD_NUMBER, data.nbytes), data]
    return [rest, _prefix(field, _size(matrix)), *matrix]


def _size(parts: Sequence[bytes | memoryview]) -> int:
    return sum(len(part) for part in parts)


def _prefix(field: int, length: int) -> bytes:
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(length)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
