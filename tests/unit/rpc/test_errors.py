"""The table of errors is complete, and every status has the details that the contract promises."""

import asyncio
import inspect

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from consilience.v1 import error_pb2
from consilience_server.core import errors
from consilience_server.rpc.errors import CODES, StatusError, code_of, code_of_reason, error_types, status_of, unexpected

LEAVES_AND_BRANCHES = list(error_types())
CODE_BY_BRANCH_COMMENT = {
    "InvalidArgument": "INVALID_ARGUMENT",
    "NotFound": "NOT_FOUND",
    "AlreadyExists": "ALREADY_EXISTS",
    "FailedPrecondition": "FAILED_PRECONDITION",
    "Aborted": "ABORTED",
    "ResourceExhausted": "RESOURCE_EXHAUSTED",
    "Unauthenticated": "UNAUTHENTICATED",
    "NotServed": "UNIMPLEMENTED",
    "Unavailable": "UNAVAILABLE",
    "Cancelled": "CANCELLED",
    "DeadlineExceeded": "DEADLINE_EXCEEDED",
    "CorruptData": "DATA_LOSS",
}


def details(status, kind):
    found = []
    for detail in status.details:
        if detail.Is(kind.DESCRIPTOR):
            message = kind()
            detail.Unpack(message)
            found.append(message)
    return found


def test_every_class_of_the_module_is_in_the_tree_walked():
    declared = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.DomainError)}
    assert declared == set(LEAVES_AND_BRANCHES)


@pytest.mark.parametrize("kind", LEAVES_AND_BRANCHES, ids=lambda kind: kind.__name__)
def test_every_error_has_its_branchs_code(kind):
    branch = next((ancestor.__name__ for ancestor in kind.__mro__ if errors.DomainError in ancestor.__bases__), None)
    expected = CODE_BY_BRANCH_COMMENT[branch] if branch else "INTERNAL"
    assert code_of(kind).name == expected


def test_the_table_names_branches_only():
    assert all(errors.DomainError in kind.__bases__ or kind is errors.DomainError for kind in CODES)


def test_reasons_and_the_contract_agree_both_ways():
    contract = {name.removeprefix("ERROR_REASON_") for name in dict(error_pb2.ErrorReason.items())} - {"UNSPECIFIED"}
    ours = {kind.reason for kind in LEAVES_AND_BRANCHES}
    assert ours == contract


@pytest.mark.parametrize("kind", LEAVES_AND_BRANCHES, ids=lambda kind: kind.__name__)
def test_stored_reasons_find_their_code_again(kind):
    assert code_of_reason(kind.reason) is code_of(kind)


def test_reasons_of_other_versions_are_internal():
    assert code_of_reason("INVENTED_LATER") is grpc.StatusCode.INTERNAL


def test_a_full_status():
    error = errors.MemoryBudget("too big", field="spec", retry_after=1.25, needed_bytes=10)
    status = status_of(error)
    assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert status.message == "too big"
    (info,) = details(status, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain, dict(info.metadata)) == ("MEMORY_BUDGET", "consilience", {"needed_bytes": "10"})
    (bad,) = details(status, error_details_pb2.BadRequest)
    assert [violation.field for violation in bad.field_violations] == ["spec"]
    (retry,) = details(status, error_details_pb2.RetryInfo)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 250_000_000)


def test_details_are_only_those_that_apply():
    status = status_of(errors.SpaceNotFound("no space 'a'"))
    assert len(status.details) == 1


def test_status_error_reads_like_a_failed_call():
    error = StatusError(errors.InvalidK("k is 0", field="spec.ks"))
    status = rpc_status.from_call(error)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert status.message == error.details() == "k is 0"
    assert details(status, error_details_pb2.ErrorInfo)[0].reason == "INVALID_K"


def test_faults_of_ours_say_nothing_but_the_id():
    status = status_of(unexpected("abc123"))
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    (info,) = details(status, error_details_pb2.ErrorInfo)
    assert (info.reason, dict(info.metadata)) == ("INTERNAL", {"error_id": "abc123"})


async def test_the_longest_status_still_travels():
    """Message and details go through a real channel however long the values are."""
    worst = errors.InvalidArgument("é" * 100_000, field="f" * 5000, retry_after=1.0, **{f"key{i}": "ü" * 5000 for i in range(50)})

    async def refuse(_, context):
        status = rpc_status.to_status(status_of(worst))
        await context.abort(status.code, status.details, status.trailing_metadata)

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(refuse)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {"Refuse": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(channel.unary_unary("/test.Service/Refuse")(b""), 10)
    await server.stop(None)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().endswith("...")
    # Beyond 8 KiB gRPC drops metadata at random. Percent-encoded, a byte of the message takes three.
    size = 3 * len(caught.value.details().encode()) + sum(32 + len(key) + len(value) for key, value in caught.value.trailing_metadata())
    assert size < 7000
    assert details(rpc_status.from_call(caught.value), error_details_pb2.ErrorInfo)[0].reason == "INVALID_ARGUMENT"
