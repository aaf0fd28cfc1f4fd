"""Waiting, locks and background work over threads. Written by hand, like its twin `_async/concurrency.py`."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeVar

Answer = TypeVar("Answer")
Item = TypeVar("Item")

Lock = threading.Lock

Attempt = Callable[[float, str], Answer]
"""One try of a call: (seconds, request id) to its answer."""

Stream = Generator[Answer, None, None]
"""Answers one after the other; closing it ends what makes them."""


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def finished(function: Callable[[], None]) -> None:
    """Run it to its end."""
    function()


def run_blocking(function: Callable[[], Answer]) -> Answer:
    """Run it here: this caller has nothing else to do."""
    return function()


def blocking(items: Iterable[Item]) -> Iterator[Item]:
    """The items, one at a time."""
    return iter(items)


class Signal:
    """Set once; can be waited for with a limit."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Wake all who wait."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Whether it was set within `seconds`."""
        return self._event.wait(seconds)


class Background:
    """A function that runs beside its caller; it must not raise."""

    def __init__(self, function: Callable[[], None], name: str) -> None:
        self._thread = threading.Thread(target=function, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()
