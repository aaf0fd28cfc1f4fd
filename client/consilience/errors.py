"""The error tree of the SDK: branch = what a caller would catch, leaf = what happened.

```
ConsilienceError
├── RequestError           the request cannot succeed as it is; waiting does not help
│   ├── InvalidArgumentError
│   ├── NotFoundError
│   ├── AlreadyExistsError
│   ├── FailedPreconditionError
│   ├── AbortedError           the work was given up on the server; begin it again
│   ├── UnauthenticatedError
│   ├── PermissionDeniedError
│   ├── UnimplementedError
│   └── MissingExtraError      a package of an optional extra is not installed here
├── TransportError         the server was not reached, or did not answer in time
│   ├── Timeout
│   └── Unavailable
├── OverloadedError        the server is busy or full; `retry_after` says when to come back
├── CancelledError         the call was cancelled
└── ServerError            the server failed; `error_id` finds the failure in its log
```

`_status.py` maps failed calls to this tree, in one table. `reason` is a name of `consilience.v1.ErrorReason` without its prefix; it stays
the same over versions, messages may change.
"""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "ConsilienceError",
    "FailedPreconditionError",
    "InvalidArgumentError",
    "MissingExtraError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "RequestError",
    "ServerError",
    "Timeout",
    "TransportError",
    "UnauthenticatedError",
    "Unavailable",
    "UnimplementedError",
]


class ConsilienceError(Exception):
    """What every error of the SDK derives from.

    Attributes:
        message: what is wrong, with the values, and the remedy.
        reason: the stable name of what happened, for example `SPACE_NOT_FOUND`; empty where the server told none.
        field: the argument at fault, as the call spells it (`k`); None where there is none.
        metadata: the message's values once more, for programs.
        request_id: names the call in the server's log; empty where the call never reached it.
        retry_after: seconds after which a repetition makes sense; None where the server told none.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        field: str | None = None,
        metadata: Mapping[str, str] | None = None,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field = field
        self.metadata = dict(metadata or {})
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        told = [f"field {self.field}"] if self.field else []
        told += [self.reason] if self.reason else []
        return f"{self.message} ({', '.join(told)})" if told else self.message


class RequestError(ConsilienceError):
    """The request cannot succeed as it is."""


class InvalidArgumentError(RequestError):
    """An argument is wrong; `field` names it. Where the SDK refuses before it sends, the reason is that of the contract too."""

    def __init__(self, message: str, *, reason: str = "INVALID_ARGUMENT", **told: Any) -> None:
        super().__init__(message, reason=reason, **told)


class NotFoundError(RequestError):
    """Something named does not exist."""


class AlreadyExistsError(RequestError):
    """Something of this name is there already."""


class FailedPreconditionError(RequestError):
    """The state of the server, or of this client, does not allow it."""


class AbortedError(RequestError):
    """The work was given up on the server, by a restart or by a conflicting upload; begin it again."""


class UnauthenticatedError(RequestError):
    """No API key was sent, or one that the server does not know."""


class PermissionDeniedError(RequestError):
    """The key does not allow this call."""


class UnimplementedError(RequestError):
    """Part of the contract that the server, or this SDK, does not serve yet."""


class MissingExtraError(RequestError, ImportError):
    """A package of an optional extra is not installed; the message says which to install."""


class TransportError(ConsilienceError):
    """The server was not reached, or did not answer in time."""


class Timeout(TransportError):  # noqa: N818 - the name callers know from every other client
    """The deadline passed; the work may or may not have been done."""


class Unavailable(TransportError):  # noqa: N818 - likewise
    """No server answered at this address, or it is shutting down."""


class OverloadedError(ConsilienceError):
    """Too much work is waiting, or a budget of the server is used up; `retry_after` is None where waiting does not help."""


class CancelledError(ConsilienceError):
    """The call or the operation was cancelled."""


class ServerError(ConsilienceError):
    """The server failed.

    Attributes:
        error_id: finds the failure in the server's log; empty where it told none.
    """

    def __init__(self, message: str, *, error_id: str = "", **told: object) -> None:
        super().__init__(message, **told)  # type: ignore[arg-type]  # the keywords of ConsilienceError, passed through
        self.error_id = error_id
