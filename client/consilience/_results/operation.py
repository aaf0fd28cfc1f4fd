"""Work that outlasts its call, as answers tell it."""

from dataclasses import dataclass
from datetime import datetime

from consilience._results.base import Result


@dataclass(frozen=True, eq=False, repr=False)
class Operation(Result):
    """A piece of work on the server.

    Attributes:
        name: `operations/{operation}`.
        kind: the call that started it: `align`, `align_matrix`, `trend`, `consensus`, `create_pmi_space`, `gallery_curve`, `fit_bridge`,
            `match`.
        done: whether it has ended, well or not.
        progress: 0 to 1.
        error: why it failed, was cancelled or aborted; None else.
        create_time, update_time: UTC.
    """

    name: str
    kind: str
    done: bool
    progress: float
    error: str | None = None
    create_time: datetime | None = None
    update_time: datetime | None = None

    def __repr__(self) -> str:
        state = f"failed: {self.error}" if self.error else "done" if self.done else f"{self.progress:.0%}"
        return f"{self.name} ({self.kind}) {state}"
