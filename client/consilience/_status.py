"""From failed calls to the error tree of `errors.py`: the one table, and how details are read."""

from typing import Any, Protocol

import grpc
from google.rpc import error_details_pb2, status_pb2

from consilience import errors
from consilience._fields import argument_of

ERRORS: dict[grpc.StatusCode, type[errors.ConsilienceError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgumentError,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPreconditionError,
    grpc.StatusCode.ABORTED: errors.AbortedError,
    grpc.StatusCode.UNAUTHENTICATED: errors.UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDeniedError,
    grpc.StatusCode.UNIMPLEMENTED: errors.UnimplementedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.Timeout,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.OverloadedError,
    grpc.StatusCode.CANCELLED: errors.CancelledError,
    grpc.StatusCode.UNKNOWN: errors.ServerError,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.DATA_LOSS: errors.ServerError,
}
"""Every code but OK, which is no error."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_DETAILS_KEY = "grpc-status-details-bin"
_REQUEST_ID_KEY = "x-request-id"
_TOO_LARGE = "message larger than max"
_REASONS_OF_GRPC = {
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.UNIMPLEMENTED: "NOT_SERVED",
    grpc.StatusCode.CANCELLED: "CANCELLED",
}
"""What gRPC says by itself, without the server's details, under the contract's names."""


class FailedCall(Protocol):
    """What `grpc.RpcError` of a finished call has, synchronous or asynchronous, and the embedded server's errors likewise."""

    def code(self) -> grpc.StatusCode:
        """The status."""
        ...

    def details(self) -> str | None:
        """The message."""
        ...

    def trailing_metadata(self) -> Any:
        """Pairs of key and value, or None."""
        ...


def error_of_call(call: FailedCall, address: str = "") -> errors.ConsilienceError:
    """The error of a failed call.

    Args:
        call: the exception that gRPC raised.
        address: where the call went, for the message of an unreachable server.
    """
    metadata: tuple[tuple[str, str | bytes], ...] = tuple(call.trailing_metadata() or ())
    request_id = next((str(value) for key, value in metadata if key == _REQUEST_ID_KEY), "")
    for key, value in metadata:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            status = status_pb2.Status.FromString(value)
            if status.code == call.code().value[0]:
                return error_of_status(status, request_id)
    message = call.details() or call.code().name
    if call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in message.lower():
        # gRPC itself refuses what exceeds its limit, before the server sees it.
        return errors.InvalidArgumentError(
            f"{message}; send it in parts of at most the server's `limits.max_message_bytes`",
            reason="MESSAGE_TOO_LARGE",
            request_id=request_id,
        )
    if call.code() is grpc.StatusCode.UNAVAILABLE and address:
        message = f"no server answers at {address}: {message}"
    return ERRORS[call.code()](message, reason=_REASONS_OF_GRPC.get(call.code(), ""), request_id=request_id)


def error_of_status(status: Any, request_id: str = "") -> errors.ConsilienceError:
    """The error that a `google.rpc.Status` tells: that of a call, or of an operation that failed."""
    info, violations, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    has_retry = False
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(violations)
        has_retry = detail.Unpack(retry) or has_retry
    kind = ERRORS[_CODES.get(status.code, grpc.StatusCode.UNKNOWN)]
    told: dict[str, Any] = {
        "reason": info.reason,
        "field": argument_of(violations.field_violations[0].field) if violations.field_violations else None,
        "metadata": dict(info.metadata),
        "request_id": request_id,
        "retry_after": retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
    }
    if kind is errors.ServerError:
        told["error_id"] = info.metadata.get("error_id", "")
    return kind(status.message, **told)
