"""google.longrunning.Operations: work that outlasted its call."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.empty_pb2 import Empty

from consilience_server.app.operations import Operations
from consilience_server.core.errors import NotServed
from consilience_server.rpc.convert.operations import write_operation
from consilience_server.rpc.current_call import current_call

_LONGEST_WAIT_SECONDS = 60.0


class OperationsService(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]  # the package has no types
    """Converts, calls, converts."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def ListOperations(self, request: operations_pb2.ListOperationsRequest, _context: Any) -> operations_pb2.ListOperationsResponse:
        """A page of operations by name."""
        if request.filter:
            raise NotServed("a filter of operations is not served by this version; leave it empty", field="filter")
        records, token = await self._operations.list(request.page_size, request.page_token)
        return operations_pb2.ListOperationsResponse(operations=[write_operation(record) for record in records], next_page_token=token)

    async def GetOperation(self, request: operations_pb2.GetOperationRequest, _context: Any) -> operations_pb2.Operation:
        """How an operation stands."""
        return write_operation(await self._operations.get(request.name))

    async def WaitOperation(self, request: operations_pb2.WaitOperationRequest, _context: Any) -> operations_pb2.Operation:
        """The operation once it has ended, or as it stands after the timeout, a minute, or nearly the call's deadline."""
        limits = [_LONGEST_WAIT_SECONDS]
        if request.HasField("timeout"):
            limits.append(max(0.0, request.timeout.ToTimedelta().total_seconds()))
        remaining = current_call().remaining()
        if remaining is not None:
            limits.append(0.9 * remaining)
        return write_operation(await self._operations.wait(request.name, min(limits)))

    async def CancelOperation(self, request: operations_pb2.CancelOperationRequest, _context: Any) -> Empty:
        """Asks it to stop."""
        await self._operations.cancel(request.name)
        return Empty()

    async def DeleteOperation(self, request: operations_pb2.DeleteOperationRequest, _context: Any) -> Empty:
        """Cancels it where it runs, then forgets it."""
        await self._operations.delete(request.name)
        return Empty()
