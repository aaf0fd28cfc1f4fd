"""Matches, each sent alone. Written by hand; its twin `_async/match_batches.py` sends together what overlaps in time."""

from collections.abc import Callable

from consilience._results.match_result import MatchResult
from consilience.v1 import match_pb2

Lift = Callable[[], None]
Send = Callable[[match_pb2.MatchRequest, float | None, Lift], MatchResult]


class MatchBatches:
    """One request, one call: a caller that waits in its thread has nothing to share.

    Args:
        send: one request to its result.
        seconds: the deadline of a call that names none, which `send` knows itself.
    """

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds

    def match(self, request: match_pb2.MatchRequest, timeout: float | None, most: int) -> MatchResult:  # noqa: ARG002 - its twin makes batches of so many
        """The result of this request."""
        return self._send(request, timeout, _nothing)


def _nothing() -> None:
    """No deadline to lift."""
