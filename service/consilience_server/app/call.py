"""One request as it travels through the use cases."""

import time
from dataclasses import dataclass, field, replace

from consilience_server.app.ports import Stage
from consilience_server.core.control import Control
from consilience_server.core.errors import DeadlineExceeded


@dataclass
class Call:
    """What a use case knows of its caller, and what the caller will be told beside the answer.

    Attributes:
        operation: a name from a closed set (`align`, `match`, ...): the label of metrics.
        request_id: for logs and trailing metadata.
        deadline: `time.monotonic()` value after which nobody waits; None is never.
        control: cancellation and progress of the work.
        timings: seconds by stage, summed on the way.
        cache_tier: `memory`, `redis` or `joined` where the answer was not computed for this call, else empty.
    """

    operation: str
    request_id: str = ""
    deadline: float | None = None
    control: Control = field(default_factory=Control)
    timings: dict[Stage, float] = field(default_factory=dict)
    cache_tier: str = ""

    def remaining(self) -> float | None:
        """Seconds to the deadline, None without one; DeadlineExceeded once it passed."""
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"the deadline of this {self.operation} passed; give it more time, or ask for an operation")
        return left

    def spent(self, stage: Stage, seconds: float) -> None:
        """Add to a stage's time."""
        self.timings[stage] = self.timings.get(stage, 0.0) + seconds

    def part(self, start: float, stop: float) -> "Call":
        """The same call with its progress scaled into the part of the work that goes from `start` to `stop`."""
        return replace(self, control=self.control.part(start, stop))
