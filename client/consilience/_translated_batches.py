"""Batches of `translate`: cut into messages on the way out, put together again on the way back."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience import _names
from consilience._batches import cuts_of_rows
from consilience._convert import Vectors, from_matrix, to_vectors
from consilience._results.server_info import Limits
from consilience.errors import InvalidArgumentError, ServerError
from consilience.v1 import match_pb2


def is_stream(vectors: object) -> bool:
    """Whether batches come one by one, rather than one array (a list of rows is an array)."""
    return isinstance(vectors, Iterator | AsyncIterator)


def some_rows(vectors: Any) -> Vectors:
    """One batch; InvalidArgumentError where it has no rows, or is no (n, d) array of numbers."""
    batch = vectors if isinstance(vectors, Vectors) else to_vectors(vectors, "vectors", single=True)
    if not len(batch) or not batch.columns:
        shape = (len(batch), batch.columns)
        raise InvalidArgumentError(f"vectors have shape {shape}; give one row at least", reason="SHAPE_MISMATCH", field="vectors")
    return batch


def first_message(bridge: object, side: str, source: object, *, centred: bool) -> match_pb2.TranslateRequest:
    """What the first message says of all batches; InvalidArgumentError."""
    return match_pb2.TranslateRequest(
        bridge=_names.bridge_name(bridge),
        side=_names.TRANSLATE_SIDES.to_number(side),
        expected_bridge=_names.expected_bridge(bridge, source),
        uncentred=not centred,
    )


class TranslatedBatches:
    """The two ends of one stream. `requests` runs in gRPC's thread, `add` in the caller's.

    Args:
        first: the first message, without vectors.
        limits: of the server, which messages are cut to.
    """

    def __init__(self, first: match_pb2.TranslateRequest, limits: Limits) -> None:
        self._first = match_pb2.TranslateRequest()
        self._first.CopyFrom(first)
        self._limits = limits
        self._sizes: deque[int] = deque()
        self._batch: NDArray[np.float32] | None = None
        self._filled = 0

    def requests(self, batches: Iterable[Any]) -> Iterator[match_pb2.TranslateRequest]:
        """Messages of all batches."""
        request = self._first
        for vectors in batches:
            batch = some_rows(vectors)
            self._sizes.append(len(batch))
            for start, stop in cuts_of_rows(batch, self._limits):
                request.vectors.CopyFrom(batch.rows(start, stop).to_matrix())
                yield request
                request = match_pb2.TranslateRequest()

    def add(self, response: match_pb2.TranslateResponse) -> NDArray[np.float32] | None:
        """The batch that an answer completes, (n, d) float32; None where more of it is to come.

        Raises:
            ServerError: rows of no batch, or of a message across two.
        """
        rows = from_matrix(response.vectors)
        if self._batch is None:
            size = self._sizes.popleft() if self._sizes else 0
            self._batch, self._filled = np.empty((size, rows.shape[1]), np.float32), 0
        stop = self._filled + len(rows)
        if stop > len(self._batch):
            raise ServerError(f"the stream brought {stop:,} rows for a batch of {len(self._batch):,}", reason="INTERNAL")
        self._batch[self._filled : stop] = rows
        self._filled = stop
        if stop < len(self._batch):
            return None
        whole, self._batch = self._batch, None
        return whole

    def finish(self) -> None:
        """ServerError where the stream ended before all rows were answered."""
        if self._batch is not None or self._sizes:
            raise ServerError("the stream ended before all vectors were translated", reason="INTERNAL")
