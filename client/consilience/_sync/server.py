# Generated from _async/server.py by client/unasync.py; edit that file.
"""Calls on the server itself."""

import time

from consilience._sync.base import Calls
from consilience._sync.concurrency import sleep
from consilience._codec.server_info import decode_server_info
from consilience._methods import GET_SERVER_INFO, HEALTH_CHECK, is_serving
from consilience._names import new_request_id
from consilience._results.server_info import ServerInfo
from consilience.errors import Timeout, TransportError
from consilience.v1 import server_pb2

_PAUSE_SECONDS = 0.1
_PROBE_SECONDS = 5.0


class ServerCalls(Calls):
    """What the server is, and whether it is ready."""

    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Version, limits, engine, what is served."""
        message, details = self._call(GET_SERVER_INFO, server_pb2.GetServerInfoRequest(), timeout)
        return decode_server_info(message, details)

    def is_ready(self, *, timeout: float = _PROBE_SECONDS) -> bool:
        """Whether the server answers within `timeout` and takes work; never raises for a server that does not."""
        try:
            response, _ = self._transport.unary(HEALTH_CHECK, b"", timeout, new_request_id())
        except TransportError:
            return False
        return is_serving(response)

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Return once the server takes work.

        Raises:
            Timeout: it does not within `timeout` seconds; the message tells what it answered last.
        """
        deadline = time.monotonic() + timeout
        last = "it is starting, or draining"
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                response, _ = self._transport.unary(HEALTH_CHECK, b"", min(remaining, _PROBE_SECONDS), new_request_id())
                if is_serving(response):
                    return
                last = "it is starting, or draining"
            except TransportError as error:
                last = error.message
            sleep(min(_PAUSE_SECONDS, max(remaining, 0.0)))
        raise Timeout(f"the server at {self._settings.address} was not ready within {timeout:g} s: {last}", reason="DEADLINE_EXCEEDED")
