# Generated from _async/operations.py by client/unasync.py; edit that file.
"""Calls on work that outlasts its call."""

import contextlib
import time
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import duration_pb2

from consilience import _names
from consilience._sync.base import Calls
from consilience._sync.concurrency import finished, sleep
from consilience._codec.operations import decode_operation, decode_outcome
from consilience._methods import CANCEL_OPERATION, DELETE_OPERATION, GET_OPERATION, LIST_OPERATIONS, WAIT_OPERATION
from consilience._progress import Progress, reporting
from consilience._results.base import CallDetails, Result
from consilience._results.operation import Operation
from consilience.errors import ConsilienceError, Timeout

_PAGE = 1000
_HOLD_SECONDS = 10.0
_HOLD_SECONDS_SHOWN = 0.5
_PAUSE_SECONDS = 0.05
_ABANDON_SECONDS = 2.0


class OperationCalls(Calls):
    """List, watch, wait for, cancel and forget operations."""

    def list_operations(self, *, timeout: float | None = None) -> list[Operation]:
        """All operations that the server keeps, by name; asks page by page."""
        operations: list[Operation] = []
        token = ""
        while True:
            request = operations_pb2.ListOperationsRequest(name="operations", page_size=_PAGE, page_token=token)
            message, details = self._call(LIST_OPERATIONS, request, timeout)
            operations += [decode_operation(entry, details) for entry in message.operations]
            token = message.next_page_token
            if not token:
                return operations

    def get_operation(self, operation: str | Operation, *, timeout: float | None = None) -> Operation:
        """An operation as it stands; NotFoundError."""
        request = operations_pb2.GetOperationRequest(name=_names.operation_name(operation))
        message, details = self._call(GET_OPERATION, request, timeout)
        return decode_operation(message, details)

    def wait_operation(self, operation: str | Operation, *, timeout: float | None = None, progress: Progress = False) -> Any:
        """What the call that started it would have answered, once it is there.

        Args:
            operation: the operation or its name.
            timeout: seconds; None waits until it ends.
            progress: True for a bar, or a function told (fraction done, 1).

        Raises:
            Timeout: it goes on; wait again.
            CancelledError: it was cancelled.
            AbortedError: the server restarted meanwhile.
            ConsilienceError: what else it failed with.
        """
        request = operations_pb2.GetOperationRequest(name=_names.operation_name(operation))
        message, _ = self._call(GET_OPERATION, request, timeout)
        return self._outcome(message, timeout, progress, owned=False)

    def cancel_operation(self, operation: str | Operation, *, timeout: float | None = None) -> None:
        """Ask it to stop; no effect on one that has ended. NotFoundError."""
        self._call(CANCEL_OPERATION, operations_pb2.CancelOperationRequest(name=_names.operation_name(operation)), timeout)

    def delete_operation(self, operation: str | Operation, *, timeout: float | None = None) -> None:
        """Forget it and its answer; one that runs is cancelled first. NotFoundError."""
        self._call(DELETE_OPERATION, operations_pb2.DeleteOperationRequest(name=_names.operation_name(operation)), timeout)

    def _outcome(self, message: Any, timeout: float | None, progress: Progress, *, owned: bool) -> Result:
        """Wait for an operation and decode its answer.

        Args:
            message: the operation as it was answered.
            timeout: seconds; None waits until it ends.
            progress: as in `wait_operation`.
            owned: nobody but this caller knows of it: where the wait ends before the operation does, it is cancelled.
        """
        try:
            message, details = self._ended(message, timeout, progress, fate="is being cancelled" if owned else "goes on")
        except BaseException as ended:
            # Whatever interrupts the wait (a cancelled task, Ctrl-C, the caller's progress function); a server's refusal does not.
            if owned and (isinstance(ended, Timeout) or not isinstance(ended, ConsilienceError)):
                finished(lambda: self._abandon(message.name))
            raise
        return decode_outcome(message, details)

    def _abandon(self, name: str) -> None:
        """Ask an operation to stop that nobody waits for any more; one try, its failure is nobody's to hear."""
        request = operations_pb2.CancelOperationRequest(name=name)
        with contextlib.suppress(ConsilienceError):
            self._transport.unary(CANCEL_OPERATION, request, _ABANDON_SECONDS, _names.new_request_id())

    def _ended(self, message: Any, timeout: float | None, progress: Progress, fate: str) -> tuple[Any, CallDetails]:
        """The operation once it is done; Timeout tells its `fate`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        most = _HOLD_SECONDS_SHOWN if progress else _HOLD_SECONDS
        details = decode_operation(message).details
        with reporting(progress, decode_operation(message).kind) as report:
            while not message.done:
                report(decode_operation(message).progress, 1.0)
                remaining = most if deadline is None else deadline - time.monotonic()
                if remaining <= 0:
                    raise Timeout(
                        f"{message.name} did not end within {timeout:g} s and {fate}; wait=False with wait_operation waits longer",
                        reason="DEADLINE_EXCEEDED",
                    )
                hold = duration_pb2.Duration()
                hold.FromMilliseconds(int(1000 * min(most, remaining)))
                request = operations_pb2.WaitOperationRequest(name=message.name, timeout=hold)
                message, details = self._call(WAIT_OPERATION, request, most + self._settings.timeout)
                if not message.done:
                    sleep(_PAUSE_SECONDS)
            report(1.0, 1.0)
        return message, details
