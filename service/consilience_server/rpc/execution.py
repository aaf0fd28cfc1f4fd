"""Within the call, or as an operation: what can outlast a deadline is answered either way."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.longrunning import operations_pb2

from consilience.v1 import alignment_pb2
from consilience_server.app.begun_work import BegunWork
from consilience_server.app.call import Call
from consilience_server.app.operations import Operations
from consilience_server.core.errors import InvalidArgument
from consilience_server.rpc.convert.operations import write_operation
from consilience_server.rpc.current_call import current_call

R = TypeVar("R")

_SURELY_SHORT = 0.1
"""Seconds of estimated work below which it is not watched: a match is not worth a task of its own."""

_SHARE_OF_DEADLINE = 0.8
"""Of what is left of a caller's deadline, how much its work may take before it goes on as an operation."""


@dataclass(frozen=True)
class Execution:
    """Decides where work runs.

    Attributes:
        operations: runs what outlasts its call.
        inline_seconds: the longest estimate that is still answered within the call where the caller leaves it open.
        read_only: no operation can be kept, so what the caller leaves open is answered within the call.
    """

    operations: Operations
    inline_seconds: float
    read_only: bool = False

    def is_inline(self, seconds: float) -> bool:
        """Whether work of so many seconds is answered within the call where caller and deadline leave it open."""
        return self.read_only or seconds <= self.inline_seconds

    async def run(
        self,
        call: Call,
        mode: int,
        estimate: Callable[[], Awaitable[float]],
        work: Callable[[Call], Awaitable[bytes]],
        *,
        request_id: str,
        request: bytes,
    ) -> bytes | operations_pb2.Operation:
        """The encoded response, or the operation that will have it.

        What was estimated to be short and, on a busy machine, is not done when most of the caller's time has passed goes on as an
        operation: the caller waits for it instead of losing what was computed.

        Args:
            call: the caller's.
            mode: the request's ExecutionMode.
            estimate: seconds that the work will take; asked only where the caller leaves the mode open.
            work: computes the encoded response for the Call it is given.
            request_id: the same id and request again answers the same operation.
            request: the encoded request.
        """
        if mode not in alignment_pb2.ExecutionMode.values():
            raise InvalidArgument(f"the execution mode {mode} is unknown", field="mode")
        if mode == alignment_pb2.EXECUTION_MODE_INLINE or (mode == alignment_pb2.EXECUTION_MODE_UNSPECIFIED and self.read_only):
            return await work(call)
        if mode == alignment_pb2.EXECUTION_MODE_UNSPECIFIED:
            seconds = await estimate()
            if seconds <= self._patience(call):
                if seconds < _SURELY_SHORT or call.deadline is None:
                    return await work(call)
                patience = _SHARE_OF_DEADLINE * self._left(call)
                begun = BegunWork(call, work)
                answer = await begun.within(patience)
                return await self._take_over(call, begun, request_id, request) if answer is None else answer
        return write_operation(await self.operations.start(call.operation, request_id, request, work))

    async def _take_over(self, call: Call, begun: BegunWork, request_id: str, request: bytes) -> operations_pb2.Operation:
        """The operation that follows the work, or an earlier one of the same request, for which it is stopped."""
        try:
            record = await self.operations.start(call.operation, request_id, request, begun.follow)
        except BaseException:
            begun.stop()
            raise
        if not begun.is_followed:
            begun.stop()
        return write_operation(record)

    def _patience(self, call: Call) -> float:
        return min(self.inline_seconds, self._left(call))

    @staticmethod
    def _left(call: Call) -> float:
        remaining = call.remaining()
        return math.inf if remaining is None else remaining

    async def answer(
        self, request: Any, response: Callable[..., R], estimate: Callable[[], Awaitable[float]], work: Callable[[Call], Awaitable[bytes]]
    ) -> bytes | R:
        """`run` for a request with a mode and a request id: the encoded response, or one that holds the operation.

        Args:
            request: the caller's message.
            response: makes the response's message from `operation=`.
            estimate: as in `run`.
            work: as in `run`.
        """
        encoded = request.SerializeToString(deterministic=True)
        found = await self.run(current_call(), request.mode, estimate, work, request_id=request.request_id, request=encoded)
        return response(operation=found) if isinstance(found, operations_pb2.Operation) else found
