"""Stops asking something that does not answer, and finds out cheaply when it does again."""

import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half-open"]


class CircuitBreaker:
    """Lets calls pass while they are answered, and one probe at a time after they were not.

    Closed: every call may pass. After `failures` in a row it opens: none may for `open_seconds`. Then it is half-open: one probe may
    pass; its success closes the breaker, its failure opens it again. A probe that tells nothing for `open_seconds` is given up and
    another may pass.

    Not thread-safe: the event loop owns it.

    Args:
        failures: in a row, that open it.
        open_seconds: from opening to the next probe.
        clock: monotonic seconds.
    """

    def __init__(self, failures: int, open_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        if failures < 1 or open_seconds <= 0:
            raise ValueError(f"failures must be at least 1 and open_seconds positive, not {failures} and {open_seconds}")
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._failures = 0
        self._state: BreakerState = "closed"
        self._since = clock()

    @property
    def state(self) -> BreakerState:
        """As the last call left it; an open breaker whose time is up says `open` until somebody asks `allow`."""
        return self._state

    def allow(self) -> bool:
        """Whether a call may pass now; it must then report `succeeded` or `failed`."""
        if self._state == "closed":
            return True
        if self._clock() - self._since < self._open_seconds:
            return False
        self._enter("half-open")
        return True

    def succeeded(self) -> None:
        """A call that passed was answered."""
        if self._state == "open":
            # A straggler from before the opening: the probe decides.
            return
        self._failures = 0
        if self._state == "half-open":
            self._enter("closed")

    def failed(self) -> None:
        """A call that passed was not answered."""
        self._failures += 1
        if self._state == "half-open" or (self._state == "closed" and self._failures >= self._limit):
            self._enter("open")

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._since = self._clock()
