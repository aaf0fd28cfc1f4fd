import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience import InvalidArgumentError
from consilience._batches import ArraySource, cuts, encoded, to_block, upload_seconds
from consilience.results import Limits
from consilience.v1 import space_pb2


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 120), st.integers(1, 9))
def test_cuts_cover_all_rows_once_and_are_as_long_as_the_limits_allow(sizes, most_bytes, most_rows):
    ranges = list(cuts(np.array(sizes, dtype=np.int64), most_bytes, most_rows))
    assert [row for start, stop in ranges for row in range(start, stop)] == list(range(len(sizes)))
    for start, stop in ranges:
        assert 1 <= stop - start <= most_rows
        assert sum(sizes[start:stop]) <= most_bytes or stop - start == 1
        if stop < len(sizes) and stop - start < most_rows:
            assert sum(sizes[start : stop + 1]) > most_bytes


def batches(source, first_row, limits):
    for request, count in encoded(source, first_row, limits):
        assert len(request) <= limits.upload_batch_bytes or count == 1
        batch = space_pb2.UpsertEmbeddingsRequest.FromString(request).batch
        assert len(batch.ids) == batch.vectors.rows == count
        yield batch


@pytest.mark.parametrize("first_row", [0, 1, 77, 199, 200])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_requests_stay_below_the_servers_batch_size_and_go_on_from_any_row(first_row, dtype):
    random = np.random.default_rng(0)
    vectors = random.standard_normal((200, 16)).astype(dtype)
    ids = [f"é-{'x' * int(random.integers(1, 60))}-{row}" for row in range(200)]
    notes = ["n" * int(random.integers(0, 300)) if row % 3 else None for row in range(200)]
    source = ArraySource(to_block(ids, vectors, {"note": notes, "label": list(range(200))}))
    sent = list(batches(source, first_row, Limits(upload_batch_bytes=2000, max_items_per_message=11)))
    assert [item for batch in sent for item in batch.ids] == ids[first_row:]
    assert b"".join(batch.vectors.data for batch in sent) == vectors[first_row:].tobytes()
    assert [value for batch in sent for value in batch.attributes[-1].integers.values] == list(range(first_row, 200))
    assert all(batch.vectors.rows <= 11 for batch in sent)


def test_a_row_that_is_too_large_alone_is_sent_for_the_server_to_refuse():
    source = ArraySource(to_block(["a", "b"], np.ones((2, 1000), np.float32)))
    assert [batch.vectors.rows for batch in batches(source, 0, Limits(upload_batch_bytes=100))] == [1, 1]


def test_ids_and_vectors_must_be_as_many():
    with pytest.raises(InvalidArgumentError, match="3 ids came with 2 vectors") as refused:
        to_block(["a", "b", "c"], np.ones((2, 2)))
    assert refused.value.reason == "SHAPE_MISMATCH"


def test_the_time_of_an_upload_grows_with_its_bytes():
    assert upload_seconds(30, 0) == 30
    assert upload_seconds(30, 2_000_000_000) == 1030
