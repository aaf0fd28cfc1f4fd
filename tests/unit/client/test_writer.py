import time

import grpc
import numpy as np
import pytest
from support.scripted_server import Failure

import consilience
from consilience._batches import to_block
from consilience._write_buffer import WriteBuffer


def published(script):
    return [[item for item, _ in rows] for rows in script.staged.values()]


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_rows_are_published_every_few_seconds_and_at_the_end(client, script):
    with client.writer("a", publish_seconds=0.1) as writer:
        writer.append(["x"], [[1.0, 2.0]])
        writer.append(["y", "z"], [[1.0, 2.0], [3.0, 4.0]])
        wait_for(lambda: len(script.committed) == 1)
        assert published(script) == [["x", "y", "z"]]
        wait_for(lambda: writer.pending == 0)
        writer.append(["w"], [[1.0, 2.0]])
    assert published(script) == [["x", "y", "z"], ["w"]]
    assert [result.version for result in writer.published] == [1, 2]


def test_many_rows_are_published_without_waiting(client, script):
    with client.writer("a", publish_seconds=1000, publish_rows=3) as writer:
        for row in range(7):
            writer.append([f"item-{row}"], [[float(row)]])
        assert [len(rows) for rows in published(script)] == [3, 3]
        writer.flush()
        assert [len(rows) for rows in published(script)] == [3, 3, 1]
        writer.flush()
    assert len(script.committed) == 3


def test_an_item_that_comes_again_replaces_itself(client, script):
    with client.writer("a", publish_seconds=1000) as writer:
        writer.append(["x", "y"], [[1.0], [2.0]])
        writer.append(["x"], [[3.0]])
        assert writer.pending == 2
    (rows,) = script.staged.values()
    assert dict(rows) == {"x": [3.0], "y": [2.0]}


def test_arrays_may_be_used_again_after_they_were_appended(client, script):
    row = np.ones((1, 2), np.float32)
    with client.writer("a", publish_seconds=1000) as writer:
        writer.append(["x"], row)
        row[:] = 9
    assert list(script.staged.values()) == [[("x", [1.0, 1.0])]]


def test_a_publication_that_fails_is_told_and_its_rows_stay(client, script):
    with client.writer("a", publish_seconds=0.05) as writer:
        script.failures["UpsertEmbeddings"] = [Failure(grpc.StatusCode.INTERNAL, "INTERNAL")]
        writer.append(["x"], [[1.0]])
        wait_for(lambda: not script.failures["UpsertEmbeddings"])
        time.sleep(0.2)
        assert writer.pending == 1
        with pytest.raises(consilience.ServerError):
            writer.append(["y"], [[2.0]])
        writer.append(["y"], [[2.0]])
        wait_for(lambda: writer.pending == 0)
    assert published(script) == [["x"], ["y"]]


def test_the_end_of_the_block_tells_what_could_not_be_published(client, script):
    script.failures["UpsertEmbeddings"] = [Failure(grpc.StatusCode.INTERNAL)]
    with pytest.raises(consilience.ServerError), client.writer("a", publish_seconds=1000) as writer:
        writer.append(["x"], [[1.0]])
    assert writer.pending == 1
    writer.flush()
    assert published(script) == [["x"]]


def test_refused_rows_can_be_given_up(client, script):
    with client.writer("a", publish_seconds=1000) as writer:
        writer.append(["x"], [[float("nan")]])
        with pytest.raises(consilience.InvalidArgumentError):
            writer.flush()
        writer.append(["y"], [[1.0]])
        assert writer.discard() == ["x", "y"]
        assert writer.pending == 0
    assert script.committed == {}


def test_what_was_appended_before_the_callers_own_error_is_published(client, script):
    with pytest.raises(KeyError), client.writer("a", publish_seconds=1000) as writer:
        writer.append(["x"], [[1.0]])
        raise KeyError
    assert published(script) == [["x"]]


def test_a_writer_is_used_in_a_block_and_once(client):
    writer = client.writer("a")
    with pytest.raises(consilience.FailedPreconditionError):
        writer.append(["x"], [[1.0]])
    with writer:
        pass
    with pytest.raises(consilience.FailedPreconditionError):
        writer.append(["x"], [[1.0]])
    with pytest.raises(consilience.FailedPreconditionError):
        writer.__enter__()


def test_a_buffer_keeps_attributes_and_precision_apart():
    buffer = WriteBuffer()
    buffer.add(to_block(["x", "y"], np.array([[0.5], [1.5]], np.float16), {"label": [1, None]}), 10.0)
    buffer.add(to_block(["z", "x"], [[2.5], [3.5]], {"name": ["n", "m"]}), 11.0)
    assert buffer.age(12.0) == 2.0
    block = buffer.take()
    assert block.ids == ["y", "z", "x"]
    assert block.vectors.data.ravel().tolist() == [1.5, 2.5, 3.5]
    assert {column.name: (column.values, column.missing) for column in block.columns} == {"name": (["", "n", "m"], [0])}
    assert buffer.is_empty
    assert buffer.age(12.0) is None


def test_a_buffer_refuses_another_width():
    buffer = WriteBuffer()
    buffer.add(to_block(["x"], [[1.0]]), 0.0)
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        buffer.add(to_block(["y"], [[1.0, 2.0]]), 0.0)
    assert refused.value.reason == "DIMENSION_MISMATCH"
