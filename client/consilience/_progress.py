"""Telling how far work is: to a function of the caller, to a bar on the terminal, or to nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[float, float], None]
"""Told (done, total): rows of an upload, or the fraction of an operation and 1. A total of 0 is unknown."""

Progress = bool | Report
"""What callers pass: True draws a bar where `rich` is installed."""


@contextmanager
def reporting(progress: Progress, title: str) -> Iterator[Report]:
    """The function to tell, for the time of the block."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield _nobody
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
    except ImportError:
        yield _nobody
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bars(*columns, transient=True, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total or None)


def _nobody(done: float, total: float) -> None:
    del done, total
