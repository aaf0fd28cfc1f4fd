"""When a failed call is made again, and after how long: decisions only, no clock and no waiting."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from consilience.errors import ConsilienceError, OverloadedError, Unavailable


@dataclass(frozen=True)
class RetryPolicy:
    """Full jitter: the wait before attempt i + 1 is uniform between 0 and min(cap, base * 2^i), so that clients do not return in step.

    Attributes:
        attempts: calls in all, the first one counted.
        base: seconds, the ceiling of the first wait.
        cap: seconds, the ceiling of every wait.
        reasons: error reasons that are retried beside those of `delay`.
    """

    attempts: int = 5
    base: float = 0.1
    cap: float = 5.0
    reasons: frozenset[str] = frozenset()

    def delay(
        self,
        error: ConsilienceError,
        failures: int,
        remaining: float,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> float | None:
        """Seconds to wait before the next attempt, or None to give up.

        Only two failures are retried: Unavailable, and OverloadedError where the server says when to return (then never sooner than it
        says). The caller has made sure that repeating is safe: it reads, or carries a request id.

        Args:
            error: why the last attempt failed.
            failures: attempts that failed so far, at least 1.
            remaining: seconds until the caller's deadline; a wait that would outlast it is not begun.
            uniform: draws from [low, high].
        """
        if failures >= self.attempts:
            return None
        if isinstance(error, OverloadedError) and error.retry_after is not None:
            least = error.retry_after
        elif isinstance(error, Unavailable) or error.reason in self.reasons:
            least = error.retry_after or 0.0
        else:
            return None
        wait = least + uniform(0.0, min(self.cap, self.base * 2 ** (failures - 1)))
        return wait if wait < remaining else None


CALLS = RetryPolicy()
"""For single calls: gives up after about a second where nobody listens."""

UPLOADS = RetryPolicy(attempts=12, reasons=frozenset({"UPLOAD_CONFLICT"}))
"""For attempts in a row that move an upload no further: outlasts the restart of a server, and a broken stream that is still staging."""
