"""The requests of an upload as gRPC takes them, in a thread of its own."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Request = TypeVar("Request")


class Feed(Generic[Request]):
    """Iterates over requests, tells after each that it is on its way, and remembers what went wrong, which gRPC would only log.

    Args:
        requests: each with the count that `sent` is told.
        sent: told once gRPC asks for the next request.
    """

    def __init__(self, requests: Iterator[tuple[Request, int]], sent: Callable[[int], None]) -> None:
        self._requests = requests
        self._sent = sent
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[Request]:
        try:
            for request, count in self._requests:
                yield request
                self._sent(count)
        except Exception as error:
            # Raised on: ending the stream here would commit half an upload.
            self.error = error
            raise
