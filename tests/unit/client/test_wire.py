import numpy as np
import pytest

from consilience import _wire
from consilience._attributes import to_columns
from consilience._convert import to_vectors
from consilience.v1 import alignment_pb2, space_pb2


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(("start", "stop"), [(0, 5), (2, 4), (4, 5)])
def test_a_batch_written_by_hand_is_the_message_that_protobuf_writes(dtype, start, stop):
    vectors = to_vectors(np.random.default_rng(0).standard_normal((5, 300)).astype(dtype))
    ids = [f"item-{row}" for row in range(5)]
    columns = to_columns({"label": [1, None, 3, 4, None], "name": list("abcde")}, 5)
    expected = space_pb2.UpsertEmbeddingsRequest(
        batch=space_pb2.UploadBatch(
            ids=ids[start:stop],
            vectors=vectors.rows(start, stop).to_matrix(),
            attributes=[column.rows(start, stop).to_message() for column in columns],
        )
    )
    assert space_pb2.UpsertEmbeddingsRequest.FromString(_wire.upload_batch(ids, vectors, columns, start, stop)) == expected


def test_an_empty_batch_is_a_message_too():
    vectors = to_vectors(np.empty((0, 3), np.float32))
    parsed = space_pb2.UpsertEmbeddingsRequest.FromString(_wire.upload_batch([], vectors, [], 0, 0))
    assert (parsed.batch.vectors.rows, parsed.batch.vectors.columns) == (0, 3)


@pytest.mark.parametrize("side", ["x", "y"])
def test_blocks_of_arrays_likewise(side):
    vectors = to_vectors(np.arange(12.0).reshape(4, 3))
    assert alignment_pb2.AlignArraysRequest.FromString(_wire.arrays_block(side, vectors)) == alignment_pb2.AlignArraysRequest(
        **{side: vectors.to_matrix()}
    )


def test_headers():
    parsed = space_pb2.UpsertEmbeddingsRequest.FromString(_wire.upload_header("spaces/a", "r", 10, 3))
    assert parsed.header == space_pb2.UploadHeader(space="spaces/a", request_id="r", total_rows=10, first_row=3)
