"""Where errors become statuses: the one table from the branches of `core/errors.py` to gRPC codes, and the details that go with them."""

from collections.abc import Iterator, Mapping
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from consilience_server.core import errors

DOMAIN = "consilience"
_MESSAGE_BYTES = 1000
_VALUE_BYTES = 200
_METADATA_VALUES = 6
# gRPC drops calls with more than 8 KiB of metadata, where the message travels twice, once percent-encoded: these bounds leave 1 KiB free.

CODES: Mapping[type[errors.DomainError], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.NotServed: grpc.StatusCode.UNIMPLEMENTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Cancelled: grpc.StatusCode.CANCELLED,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.CorruptData: grpc.StatusCode.DATA_LOSS,
    errors.DomainError: grpc.StatusCode.INTERNAL,
}
"""Branch to code; a leaf takes its nearest branch's."""


def code_of(error: type[errors.DomainError]) -> grpc.StatusCode:
    """The code of an error type: that of the first of its ancestors (itself included) which stands in the table."""
    return next(CODES[ancestor] for ancestor in error.__mro__ if ancestor in CODES)


def error_types(root: type[errors.DomainError] = errors.DomainError) -> Iterator[type[errors.DomainError]]:
    """The error tree, root first."""
    yield root
    for child in root.__subclasses__():
        yield from error_types(child)


def code_of_reason(reason: str) -> grpc.StatusCode:
    """The code of a stored reason (a failed operation keeps reason and message only); INTERNAL for reasons of other versions."""
    return next((code_of(kind) for kind in error_types() if kind.reason == reason), grpc.StatusCode.INTERNAL)


def status_of(error: errors.DomainError) -> status_pb2.Status:
    """The google.rpc.Status of a refusal: exactly one ErrorInfo; BadRequest where a field is known; RetryInfo where waiting helps."""
    message = _cut(error.message, _MESSAGE_BYTES)
    status = status_pb2.Status(code=code_of(type(error)).value[0], message=message)
    metadata = {key: _cut(value, _VALUE_BYTES) for key, value in list(error.metadata.items())[:_METADATA_VALUES]}
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    if error.field is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_cut(error.field, _VALUE_BYTES), description=_cut(message, _VALUE_BYTES)
        )
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.retry_after is not None:
        nanoseconds = round(error.retry_after * 1e9)
        delay = Duration(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def unexpected(error_id: str) -> errors.DomainError:
    """What callers hear of a fault of ours: an id that the log has, and nothing else."""
    return errors.DomainError(f"unexpected failure; the server's log has it under error id {error_id}", error_id=error_id)


class StatusError(grpc.RpcError):
    """A refusal of an in-process call, in the shape of a failed remote one: `grpc_status.rpc_status.from_call` reads it."""

    def __init__(self, error: errors.DomainError) -> None:
        super().__init__(error.message)
        self._status = rpc_status.to_status(status_of(error))

    def code(self) -> grpc.StatusCode:
        """The status code."""
        code: grpc.StatusCode = self._status.code
        return code

    def details(self) -> str:
        """The message."""
        return str(self._status.details)

    def trailing_metadata(self) -> Any:
        """Pairs of key and value: the encoded google.rpc.Status."""
        return tuple(self._status.trailing_metadata)


def _cut(text: str, most: int) -> str:
    """At most `most` bytes of UTF-8; what was cut is marked."""
    encoded = text.encode("utf-8", "backslashreplace")
    return encoded.decode() if len(encoded) <= most else encoded[: most - 3].decode("utf-8", "ignore") + "..."
