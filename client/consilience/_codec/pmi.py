"""PMI spaces: counts as a stream of requests, answers as a result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience import _names
from consilience._codec.spaces import decode_space
from consilience._convert import is_sendable
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.pmi_report import PmiReport
from consilience.cooccurrence import Cooccurrence
from consilience.errors import InvalidArgumentError
from consilience.v1 import pmi_pb2

_CELL_BYTES = 16
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True)
class Cells:
    """Counts as the contract has them: parallel arrays, and the number of columns."""

    rows: NDArray[np.uint32]
    columns: NDArray[np.uint32]
    counts: NDArray[np.float64]
    contexts: int


def to_cells(counts: Any, items: int) -> Cells:
    """The cells above 0.

    Args:
        counts: a `Cooccurrence`, a SciPy sparse matrix, a tuple (rows, columns, counts) of parallel arrays, or a dense (n, m) matrix.
        items: n.

    Raises:
        InvalidArgumentError: it is none of these, or does not fit.
    """
    if isinstance(counts, Cooccurrence):
        shape: Sequence[int] = (len(counts.ids), len(counts.ids))
        triples: Sequence[Any] = (counts.rows, counts.columns, counts.counts)
    elif hasattr(counts, "tocoo"):
        coo = counts.tocoo()
        shape, triples = coo.shape, (coo.row, coo.col, coo.data)
    elif isinstance(counts, tuple):
        if len(counts) != 3:
            raise InvalidArgumentError(f"counts is a tuple of {len(counts)}; give (rows, columns, counts)", field="counts")
        triples = tuple(np.asarray(part) for part in counts)
        shape = (items, max(items, 1 + int(triples[1].max())) if triples[1].size and triples[1].dtype.kind in "iu" else items)
    else:
        dense = np.asarray(counts)
        if dense.ndim != 2 or dense.dtype.kind not in "iufb":
            raise InvalidArgumentError(
                f"counts is {dense.dtype} of shape {dense.shape}; give an (items, contexts) matrix of counts, sparse or dense",
                field="counts",
            )
        found = np.nonzero(dense)
        shape, triples = dense.shape, (*found, dense[found])
    return _checked(shape, triples, items)


def _checked(shape: Sequence[int], triples: Sequence[Any], items: int) -> Cells:
    rows, columns, values = (np.asarray(part) for part in triples)
    if shape[0] != items:
        raise InvalidArgumentError(
            f"counts has {shape[0]:,} rows for {items:,} ids; row i is the i-th item", reason="SHAPE_MISMATCH", field="counts"
        )
    if not (rows.ndim == 1 and rows.shape == columns.shape == values.shape):
        raise InvalidArgumentError("rows, columns and counts must be parallel", reason="SHAPE_MISMATCH", field="counts")
    for name, positions in (("rows", rows), ("columns", columns)):
        if positions.size and (positions.dtype.kind not in "iu" or positions.min() < 0 or positions.max() >= 2**32):
            raise InvalidArgumentError(f"{name} of counts must be positions, whole numbers from 0", reason="SHAPE_MISMATCH", field="counts")
    if values.dtype.kind not in "iufb":
        raise InvalidArgumentError(f"counts are {values.dtype}; give numbers", reason="DTYPE_NOT_ACCEPTED", field="counts")
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all() or (wide < 0).any():
        raise InvalidArgumentError("counts must be finite and not below 0", reason="NOT_FINITE", field="counts")
    return Cells(rows.astype("<u4"), columns.astype("<u4"), wide.astype("<f8"), int(shape[1]))


def to_ids(ids: Any, counts: Any) -> list[str]:
    """The item ids, those of a `Cooccurrence` where none are given; InvalidArgumentError for what is no list of text."""
    if ids is None and isinstance(counts, Cooccurrence):
        ids = counts.ids
    if isinstance(ids, str | bytes) or not hasattr(ids, "__iter__"):
        raise InvalidArgumentError(f"ids is {ids!r}; give one id a row of the counts", reason="INVALID_ID", field="ids")
    listed = list(ids)
    for row, item in enumerate(listed):
        if not isinstance(item, str) or not is_sendable(item):
            raise InvalidArgumentError(f"id {row} is {item!r}; ids are text", reason="INVALID_ID", field="ids")
    return [str(item) for item in listed]


def pmi_requests(header: pmi_pb2.PmiHeader, cells: Cells) -> Iterator[tuple[bytes, int]]:
    """The stream: the header, then blocks of cells."""
    yield pmi_pb2.CreatePmiSpaceRequest(header=header).SerializeToString(), 0
    step = _BLOCK_BYTES // _CELL_BYTES
    for start in range(0, len(cells.counts), step):
        part = slice(start, start + step)
        block = pmi_pb2.PmiCounts(
            rows=cells.rows[part].tobytes(), columns=cells.columns[part].tobytes(), counts=cells.counts[part].tobytes()
        )
        yield pmi_pb2.CreatePmiSpaceRequest(counts=block).SerializeToString(), len(cells.counts[part])


def decode_pmi(message: pmi_pb2.PmiReport, details: CallDetails = NO_DETAILS) -> PmiReport:
    """A PmiReport."""
    return PmiReport(
        space=decode_space(message.space),
        form=_names.PMI_FORMS.to_name(message.form),
        items=message.items,
        contexts=message.contexts,
        cells=message.cells,
        total=message.total,
        singular_values=np.array(message.singular_values),
        kept=message.kept,
        dropped=message.dropped,
        dropped_ids=tuple(message.dropped_ids),
        positive=not message.keep_negative,
        context_smoothing=message.context_smoothing,
        shift=message.shift,
        smoothing=message.smoothing,
        details=details,
    )
