import re

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from consilience import errors
from consilience._status import ERRORS, error_of_call, error_of_status
from consilience.v1 import error_pb2

CODES_OF_REASONS = {
    grpc.StatusCode.INVALID_ARGUMENT: (
        "INVALID_ARGUMENT INVALID_NAME INVALID_ID DUPLICATE_ID INVALID_ATTRIBUTE DIMENSION_MISMATCH DTYPE_NOT_ACCEPTED SHAPE_MISMATCH "
        "NOT_FINITE ZERO_VECTOR CONSTANT_FEATURES INVALID_K TOO_FEW_ITEMS TOO_FEW_PAIRS NO_COMMON_ITEMS UNKNOWN_METRIC UNKNOWN_METHOD "
        "INVALID_PAGE_TOKEN MESSAGE_TOO_LARGE INVALID_KERNEL KERNEL_SPACE"
    ),
    grpc.StatusCode.NOT_FOUND: "SPACE_NOT_FOUND BRIDGE_NOT_FOUND ITEM_NOT_FOUND OPERATION_NOT_FOUND UPLOAD_NOT_FOUND WATCH_NOT_FOUND",
    grpc.StatusCode.ALREADY_EXISTS: "SPACE_EXISTS BRIDGE_EXISTS WATCH_EXISTS",
    grpc.StatusCode.FAILED_PRECONDITION: (
        "VERSION_EXPIRED WRONG_SPACE STORE_LOCKED STORE_READ_ONLY STORE_TOO_NEW EXTRA_MISSING DEVICE_MISSING BASELINE_LOST DID_NOT_CONVERGE"
    ),
    grpc.StatusCode.ABORTED: "UPLOAD_CONFLICT SERVER_RESTARTED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "MEMORY_BUDGET OVERLOADED STORAGE_FULL TOO_MANY_WATCHES",
    grpc.StatusCode.UNIMPLEMENTED: "NOT_SERVED",
    grpc.StatusCode.UNAVAILABLE: "SHUTTING_DOWN",
    grpc.StatusCode.CANCELLED: "CANCELLED",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.DATA_LOSS: "CORRUPT_DATA",
    grpc.StatusCode.INTERNAL: "INTERNAL",
    grpc.StatusCode.UNAUTHENTICATED: "UNAUTHENTICATED",
}
REASONS = {reason: code for code, reasons in CODES_OF_REASONS.items() for reason in reasons.split()}
BRANCHES = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPreconditionError,
    grpc.StatusCode.ABORTED: errors.AbortedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.OverloadedError,
    grpc.StatusCode.UNIMPLEMENTED: errors.UnimplementedError,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.CANCELLED: errors.CancelledError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.Timeout,
    grpc.StatusCode.DATA_LOSS: errors.ServerError,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.UNAUTHENTICATED: errors.UnauthenticatedError,
}


class Failed(grpc.RpcError):
    """A failed call as gRPC raises it."""

    def __init__(self, code, details="told", metadata=()):
        self._told = code, details, metadata

    def code(self):
        return self._told[0]

    def details(self):
        return self._told[1]

    def trailing_metadata(self):
        return self._told[2]


def status(code, message="told", *details):
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)


def failed(code, message, *details):
    encoded = status(code, message, *details).SerializeToString()
    return Failed(code, message, (("x-request-id", "r-1"), ("grpc-status-details-bin", encoded)))


def test_every_code_but_ok_has_an_error():
    assert set(ERRORS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_a_code_without_details_still_finds_its_branch(code):
    error = error_of_call(Failed(code, None, None))
    assert type(error) is ERRORS[code]
    told_by_grpc = {"DEADLINE_EXCEEDED": "DEADLINE_EXCEEDED", "UNIMPLEMENTED": "NOT_SERVED", "CANCELLED": "CANCELLED"}
    reason = told_by_grpc.get(code.name, "")
    assert (error.message, error.reason, error.field, error.retry_after) == (code.name, reason, None, None)


def test_every_reason_of_the_contract_is_known_here():
    names = {name.removeprefix("ERROR_REASON_") for name, number in error_pb2.ErrorReason.items() if number}
    assert names == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_arrives_in_its_branch_with_its_details(reason):
    code = REASONS[reason]
    info = error_details_pb2.ErrorInfo(reason=reason, domain="consilience", metadata={"limit": "5"})
    violation = error_details_pb2.BadRequest(field_violations=[{"field": "spec.ks"}])
    error = error_of_call(failed(code, "what and how", info, violation))
    assert type(error) is BRANCHES[code]
    assert (error.message, error.reason, error.field, error.metadata, error.request_id) == (
        "what and how",
        reason,
        "k",
        {"limit": "5"},
        "r-1",
    )
    assert str(error) == f"what and how (field k, {reason})"


def test_every_error_is_mapped_or_made_here():
    def leaves(kind):
        below = kind.__subclasses__()
        return {kind} if not below else {leaf for child in below for leaf in leaves(child)}

    assert leaves(errors.ConsilienceError) - set(ERRORS.values()) == {errors.MissingExtraError}


def test_the_drawn_tree_is_the_tree():
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    assert sorted([*drawn, "ConsilienceError"]) == errors.__all__
    assert {kind.__name__ for kind in errors.RequestError.__subclasses__()} == set(
        drawn[drawn.index("RequestError") + 1 : drawn.index("TransportError")]
    )


def test_the_server_says_when_to_return():
    error = error_of_call(
        failed(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "busy",
            error_details_pb2.ErrorInfo(reason="OVERLOADED"),
            error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1, nanos=500_000_000)),
        )
    )
    assert error.retry_after == 1.5
    without = error_of_call(failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", error_details_pb2.ErrorInfo(reason="MEMORY_BUDGET")))
    assert without.retry_after is None


def test_a_server_error_carries_its_id():
    error = error_of_call(
        failed(grpc.StatusCode.INTERNAL, "failed", error_details_pb2.ErrorInfo(reason="INTERNAL", metadata={"error_id": "ab12"}))
    )
    assert (type(error), error.error_id) == (errors.ServerError, "ab12")
    assert error_of_call(Failed(grpc.StatusCode.UNKNOWN)).error_id == ""


def test_grpcs_own_refusal_of_a_large_message_says_what_to_do():
    error = error_of_call(Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (9 vs. 4)"))
    assert isinstance(error, errors.InvalidArgumentError)
    assert error.reason == "MESSAGE_TOO_LARGE"
    assert "max_message_bytes" in error.message


def test_an_unreachable_server_is_named():
    assert error_of_call(Failed(grpc.StatusCode.UNAVAILABLE, "refused"), "here:1").message == "no server answers at here:1: refused"


def test_details_that_contradict_the_code_are_not_believed():
    call = Failed(grpc.StatusCode.NOT_FOUND, "gone", (("grpc-status-details-bin", status(grpc.StatusCode.INTERNAL).SerializeToString()),))
    assert type(error_of_call(call)) is errors.NotFoundError


def test_the_error_of_an_operation_is_read_alike():
    error = error_of_status(status(grpc.StatusCode.ABORTED, "restarted", error_details_pb2.ErrorInfo(reason="SERVER_RESTARTED")))
    assert (type(error), error.reason) == (errors.AbortedError, "SERVER_RESTARTED")
    assert type(error_of_status(status_pb2.Status(code=99, message="?"))) is errors.ServerError
