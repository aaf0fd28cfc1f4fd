"""The call that the running task serves: set by the interceptor, read by servicers and by the log."""

from contextvars import ContextVar

from consilience_server.app.call import Call

_CURRENT: ContextVar[Call | None] = ContextVar("consilience_call", default=None)


def enter_call(call: Call) -> None:
    """Make `call` the current one of this task and of the tasks that it starts."""
    _CURRENT.set(call)


def current_call() -> Call:
    """The call being served."""
    call = _CURRENT.get()
    if call is None:
        raise RuntimeError("no call is being served by this task")
    return call


def current_request_id() -> str:
    """The request id of the call being served; empty outside of one."""
    call = _CURRENT.get()
    return "" if call is None else call.request_id
