# Generated from _async/upload.py by client/unasync.py; edit that file.
"""One upload: a stream of batches, gone on with where it broke."""

import itertools
import time

from consilience import _names, _wire
from consilience._sync.base import Calls
from consilience._sync.concurrency import sleep
from consilience._batches import RowSource, encoded, upload_seconds
from consilience._codec.spaces import decode_upsert
from consilience._methods import GET_UPLOAD, UPSERT_EMBEDDINGS
from consilience._numbers import seconds
from consilience._progress import Progress, Report, reporting
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.space import UpsertResult
from consilience._retry import UPLOADS
from consilience.errors import ConsilienceError, NotFoundError
from consilience.v1 import space_pb2


class UploadCalls(Calls):
    """What upsert, ingest and the streaming writer share."""

    def _send(
        self,
        space: str,
        source: RowSource,
        request_id: str | None,
        timeout: float | None,
        progress: Progress,
        expected_rows: int = 0,
    ) -> UpsertResult:
        """Upload a source as one version; after a broken stream the rows that the server has staged are not sent again.

        Args:
            space: `spaces/{space}`.
            source: the rows.
            request_id: names the upload; with that of an earlier, unfinished one it goes on with that.
            timeout: seconds for all of it; None is that of a call and what the bytes take over a slow line.
            progress: told (rows sent, rows in all).
            expected_rows: what is told as rows in all where the source does not know them.
        """
        deadline = time.monotonic() + (upload_seconds(self._settings.timeout, source.nbytes) if timeout is None else seconds(timeout))
        resumed = request_id is not None
        request_id = _names.request_id(request_id)
        limits = self._limits()
        first_row, failures, earlier = 0, 0, False
        with reporting(progress, f"upload to {space.removeprefix('spaces/')}") as report:
            while True:
                try:
                    if resumed:
                        state, details = self._upload_state(space, request_id, deadline)
                        committed = state.HasField("committed")
                        # Of this call's own rows the answer was lost; the rows of an earlier call the server has to compare with these.
                        earlier = earlier or (committed and not failures)
                        if committed and not earlier:
                            return decode_upsert(state.committed, details)
                        failures = 0 if state.staged_rows > first_row else failures
                        first_row = 0 if committed else state.staged_rows
                    sent = _Sent(first_row, source.rows or expected_rows, report)
                    header = _wire.upload_header(space, request_id, source.rows, first_row)
                    requests = itertools.chain([(header, 0)], encoded(source, first_row, limits))
                    remaining = max(deadline - time.monotonic(), 0.001)
                    message, details = self._transport.upload(UPSERT_EMBEDDINGS, requests, remaining, request_id, sent.add)
                    return decode_upsert(message, details)
                except ConsilienceError as error:
                    failures += 1
                    wait = UPLOADS.delay(error, failures, deadline - time.monotonic())
                    if wait is None or (error.reason == "UPLOAD_CONFLICT" and error.field == "request_id"):
                        raise
                sleep(wait)
                resumed = True

    def _upload_state(self, space: str, request_id: str, deadline: float) -> tuple[space_pb2.GetUploadResponse, CallDetails]:
        """How far an upload has come; nothing staged where the server does not know it."""
        remaining = min(self._settings.timeout, max(deadline - time.monotonic(), 0.001))
        try:
            return self._call(GET_UPLOAD, space_pb2.GetUploadRequest(space=space, request_id=request_id), remaining)
        except NotFoundError as error:
            if error.reason != "UPLOAD_NOT_FOUND":
                raise
            return space_pb2.GetUploadResponse(), NO_DETAILS


class _Sent:
    """Counts the rows on their way."""

    def __init__(self, rows: int, total: int, report: Report) -> None:
        self._rows = rows
        self._total = total
        self._report = report
        report(rows, total)

    def add(self, rows: int) -> None:
        """More rows were sent."""
        self._rows += rows
        self._report(self._rows, self._total)
