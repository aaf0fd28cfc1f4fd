from datetime import UTC, datetime

import grpc
import pytest
from google.rpc import error_details_pb2

from consilience.v1 import alignment_pb2, operation_pb2
from consilience_server.app.ports import OperationRecord
from consilience_server.rpc.convert.operations import RESPONSES, write_operation

BEGUN, CHANGED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def record(**changes):
    values = dict(name="operations/align-1", kind="align", state="running", progress=0.25, create_time=BEGUN, update_time=CHANGED)
    return OperationRecord(**(values | changes))


def test_a_running_one_tells_its_progress():
    operation = write_operation(record())
    assert (operation.name, operation.done, operation.WhichOneof("result")) == ("operations/align-1", False, None)
    metadata = operation_pb2.OperationMetadata()
    assert operation.metadata.Unpack(metadata)
    assert (metadata.kind, metadata.progress) == ("align", 0.25)
    assert metadata.create_time.ToDatetime(UTC) == BEGUN
    assert metadata.update_time.ToDatetime(UTC) == CHANGED


@pytest.mark.parametrize("kind", RESPONSES)
def test_a_finished_one_has_the_response_message_of_its_call(kind):
    operation = write_operation(record(kind=kind, state="done", response=RESPONSES[kind]().SerializeToString()))
    assert operation.done
    assert operation.response.Unpack(RESPONSES[kind]())


def test_the_response_travels_to_the_bit():
    response = alignment_pb2.AlignResponse(report=alignment_pb2.AlignmentReport(n=7))
    found = alignment_pb2.AlignResponse()
    write_operation(record(state="done", response=response.SerializeToString())).response.Unpack(found)
    assert found == response


@pytest.mark.parametrize(
    ("state", "error", "code", "reason"),
    [
        ("failed", ("INVALID_K", "k is 0"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_K"),
        ("failed", ("MEMORY_BUDGET", "too big"), grpc.StatusCode.RESOURCE_EXHAUSTED, "MEMORY_BUDGET"),
        ("failed", ("INTERNAL", "id 1"), grpc.StatusCode.INTERNAL, "INTERNAL"),
        ("failed", None, grpc.StatusCode.INTERNAL, "INTERNAL"),
        ("cancelled", ("CANCELLED", "gone"), grpc.StatusCode.CANCELLED, "CANCELLED"),
        ("cancelled", None, grpc.StatusCode.CANCELLED, "CANCELLED"),
        ("aborted", ("SERVER_RESTARTED", "again"), grpc.StatusCode.ABORTED, "SERVER_RESTARTED"),
        ("aborted", None, grpc.StatusCode.ABORTED, "SERVER_RESTARTED"),
    ],
)
def test_an_unfinished_one_has_a_status_like_a_failed_call(state, error, code, reason):
    operation = write_operation(record(state=state, error=error))
    assert operation.done
    assert operation.error.code == code.value[0]
    info = error_details_pb2.ErrorInfo()
    assert operation.error.details[0].Unpack(info)
    assert (info.reason, info.domain) == (reason, "consilience")
