"""How long computations hear that nobody waits any more, and tell how far they are."""

from collections.abc import Callable

from consilience_server.core.errors import Cancelled


class _Flag:
    """Raised once and never lowered; a plain attribute, which threads may read and write as they are."""

    __slots__ = ("raised",)

    def __init__(self) -> None:
        self.raised = False


class Control:
    """Cancellation and progress of one piece of work; safe to share between threads.

    Compute loops call `check` at least once a second and `progress` once a tile.
    """

    def __init__(self, on_progress: Callable[[float], None] | None = None) -> None:
        self._cancelled = _Flag()
        self._on_progress = on_progress

    def cancel(self) -> None:
        """Ask the work to stop at its next check."""
        self._cancelled.raised = True

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.raised

    def check(self) -> None:
        """Raise Cancelled once `cancel` was called."""
        if self._cancelled.raised:
            raise Cancelled("the work was cancelled because its last caller left")

    def part(self, start: float, stop: float) -> "Control":
        """A control for the part of the work that goes from `start` to `stop`: the same cancellation, progress scaled into that range."""
        part = Control(lambda fraction: self.progress(start + fraction * (stop - start)))
        part._cancelled = self._cancelled
        return part

    def silent(self) -> "Control":
        """A control for work that does not count as progress: the same cancellation, and nothing is told."""
        silent = Control()
        silent._cancelled = self._cancelled
        return silent

    def progress(self, fraction: float) -> None:
        """Tell that `fraction` (0 to 1) of the work is done."""
        if self._on_progress is not None:
            self._on_progress(fraction)
