"""Spaces of pointwise mutual information, made from counts of what occurs together: the use case."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_space import DerivedSpaces
from consilience_server.app.ports import SpaceRecord, SpaceSpec
from consilience_server.app.validation import check_ids, check_name
from consilience_server.core.errors import InvalidArgument, NotFinite, ShapeMismatch
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.pmi import PmiOptions, check_pmi_options
from consilience_server.core.similarity import Similarity
from consilience_server.engine.pmi_embedding import embed, pmi_bytes, pmi_values

PmiForm = Literal["embedding", "kernel"]
DEFAULT_RANK = 200
_MOST_NAMED = 100


@dataclass(frozen=True)
class PmiQuery:
    """What space is made of which counts.

    Attributes:
        name: of the new space.
        ids: (n,) item ids, row i of the counts is the i-th.
        contexts: columns of the counts.
        options: how counts become PMI.
        form: what is kept.
        rank: most axes of the embedding.
        similarity: how its vectors are compared.
        modality, model: of the new space.
    """

    name: str
    ids: Sequence[str]
    contexts: int
    options: PmiOptions = field(default_factory=PmiOptions)
    form: PmiForm = "embedding"
    rank: int = DEFAULT_RANK
    similarity: Similarity = Similarity.COSINE
    modality: str = ""
    model: str = ""


@dataclass(frozen=True)
class Counts:
    """Cells of an (n, m) matrix of counts, in any order; those that stand twice are added up."""

    rows: NDArray[np.uint32]
    columns: NDArray[np.uint32]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class PmiReport:
    """The space that was made, and of what.

    Attributes:
        query: what was asked.
        record: the space.
        cells: of the counts, above 0.
        total: their sum.
        singular_values: of the embedding's axes, empty for a kernel.
        kept: share of the PMI matrix's squared Frobenius norm that they hold; 1 for a kernel.
        dropped: ids without a place, in byte order.
    """

    query: PmiQuery
    record: SpaceRecord
    cells: int
    total: float
    singular_values: NDArray[np.float64]
    kept: float
    dropped: Sequence[str] = field(default_factory=tuple)

    @property
    def named(self) -> Sequence[str]:
        """The first of the dropped."""
        return self.dropped[:_MOST_NAMED]


@dataclass(frozen=True)
class _Made:
    """Rows of the new space for the items that have a place; `rows` (n, r) or (n, n) float32."""

    ids: Sequence[str]
    rows: NDArray[np.float32]
    dropped: Sequence[str]
    cells: int
    total: float
    singular_values: NDArray[np.float64]
    kept: float


class PmiSpaces:
    """Makes spaces of counts."""

    def __init__(self, derived: DerivedSpaces, pool: ComputePool, max_dim: int, max_id_bytes: int) -> None:
        self._derived = derived
        self._pool = pool
        self._max_dim = max_dim
        self._max_id_bytes = max_id_bytes

    async def check(self, call: Call, query: PmiQuery, request_id: str) -> None:
        """All that can be refused before the counts arrive: InvalidArgument, InvalidName, InvalidId, DuplicateId, SpaceExists."""
        check_name(query.name, "header.space_id")
        check_pmi_options(query.options)
        if not query.ids:
            raise InvalidArgument("there are no items; name each row of the counts", field="header.ids")
        await asyncio.to_thread(check_ids, query.ids, self._max_id_bytes, "header.ids", remedy="name each item once")
        if query.rank > self._max_dim:
            raise InvalidArgument(f"rank is {query.rank:,}; at most {self._max_dim:,} axes are served", field="header.rank")
        if query.form == "kernel" and query.contexts != len(query.ids):
            raise InvalidArgument(
                f"a kernel needs the items as contexts: {len(query.ids):,} rows but {query.contexts:,} columns", field="header.contexts"
            )
        await self._derived.check_new(call, query.name, request_id)

    async def create(self, call: Call, query: PmiQuery, counts: Counts, request_id: str, encode: Callable[[PmiReport], bytes]) -> bytes:
        """The space, filled as one version; the report, encoded.

        Args:
            call: the caller.
            query: checked (`check`).
            counts: its cells.
            request_id: the same again finds the space that it made.
            encode: of the answer.

        Raises:
            ShapeMismatch, NotFinite, InvalidArgument: the counts. SpaceExists, StorageFull, MemoryBudget, Overloaded.
        """
        nbytes = pmi_bytes(len(query.ids), query.contexts, len(counts.values), query.rank, query.options)
        if query.form == "kernel":
            nbytes += 32 * len(query.ids) ** 2
        made = await self._pool.run(call, "statistics", lambda: make(query, counts), nbytes=nbytes)
        call.control.check()
        call.control.progress(0.8)
        if query.form == "kernel":
            spec = SpaceSpec(query.name, 0, query.similarity, query.modality, query.model, kernel=KernelKind.DISSIMILARITY)
        else:
            spec = SpaceSpec(query.name, made.rows.shape[1], query.similarity, query.modality, query.model)
        record = await self._derived.keep(call, spec, made.ids, made.rows, request_id)
        return encode(PmiReport(query, record, made.cells, made.total, made.singular_values, made.kept, made.dropped))


def make(query: PmiQuery, counts: Counts) -> _Made:
    """The rows of the new space; pure. Items stand in byte order of their ids, so that the order of the counts does not matter."""
    matrix, ids = _matrix(query, counts)
    options = query.options
    if not options.positive and options.smoothing == 0.0 and matrix.nnz < matrix.shape[0] * matrix.shape[1]:
        never = matrix.shape[0] * matrix.shape[1] - matrix.nnz
        raise InvalidArgument(
            f"{never:,} pairs never occur, whose PMI is minus infinity; add a count (smoothing), or cut at 0 (positive)",
            field="header.keep_negative",
        )
    cells, total = int(matrix.nnz), float(matrix.sum())
    occurs = np.asarray(matrix.sum(axis=1)).ravel() > 0
    if query.form == "kernel":
        return _kernel(matrix, ids, occurs, options, cells, total)
    values = pmi_values(matrix, options)
    placed = occurs & (_any_in_row(values))
    if not placed.any():
        raise InvalidArgument("every value is 0: the counts say nothing beyond how common things are", field="counts")
    found = embed(values[placed], query.rank)
    # An item may have a place in the matrix, and none along the axes that are kept.
    nonzero = (found.vectors != 0).any(axis=1)
    placed[np.flatnonzero(placed)[~nonzero]] = False
    kept, dropped = _split(ids, placed)
    return _Made(kept, found.vectors[nonzero], dropped, cells, total, found.singular_values, found.kept)


def _kernel(
    matrix: scipy.sparse.csr_array, ids: Sequence[str], occurs: NDArray[np.bool_], options: PmiOptions, cells: int, total: float
) -> _Made:
    """Max - PMI between different items, zero on the diagonal; smoothed contexts are averaged with their transpose."""
    if (abs(matrix - matrix.T) > 0).nnz:
        raise InvalidArgument("a kernel needs symmetric counts, each pair in both orders; add the transpose", field="counts")
    if np.count_nonzero(occurs) < 2:
        raise InvalidArgument("a kernel needs two items that occur", field="counts")
    values = pmi_values(matrix[occurs][:, occurs], options)
    dense = values.toarray() if scipy.sparse.issparse(values) else values
    dense = (0.5 * (dense + dense.T)).astype(np.float32)
    apart = ~np.eye(len(dense), dtype=bool)
    rows = np.where(apart, dense[apart].max() - dense, np.float32(0.0)).astype(np.float32)
    kept, dropped = _split(ids, occurs)
    return _Made(kept, rows, dropped, cells, total, np.empty(0), 1.0)


def _matrix(query: PmiQuery, counts: Counts) -> tuple[scipy.sparse.csr_array, list[str]]:
    """The counts with rows (and, where they are the items, columns) in byte order of the ids; cells of 0 left out."""
    n, m = len(query.ids), query.contexts
    if len(counts.values) == 0:
        raise InvalidArgument("there are no counts; send the cells above 0", field="counts")
    bad = ~np.isfinite(counts.values) | (counts.values < 0)
    if bad.any():
        at = int(np.argmax(bad))
        raise NotFinite(f"count {at:,} is {counts.values[at]:g}; counts are finite and not below 0", field="counts.counts")
    for name, positions, most in (("rows", counts.rows, n), ("columns", counts.columns, m)):
        if int(positions.max()) >= most:
            raise ShapeMismatch(f"{name} holds {int(positions.max()):,}; positions go from 0 to {most - 1:,}", field=f"counts.{name}")
    order = sorted(range(n), key=lambda row: query.ids[row].encode())
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    # Contexts as many as the items by chance are put in another order, which changes no inner product of items.
    columns = place[counts.columns] if m == n else counts.columns.astype(np.int64)
    matrix = scipy.sparse.coo_array((counts.values, (place[counts.rows], columns)), shape=(n, m)).tocsr()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if matrix.nnz == 0:
        raise InvalidArgument("every count is 0; there is nothing to compare", field="counts")
    return matrix, [query.ids[row] for row in order]


def _any_in_row(values: scipy.sparse.csr_array | NDArray[np.float64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.diff(values.indptr) > 0 if scipy.sparse.issparse(values) else (values != 0).any(axis=1)
    return found


def _split(ids: Sequence[str], placed: NDArray[np.bool_]) -> tuple[list[str], tuple[str, ...]]:
    pairs = list(zip(ids, placed.tolist(), strict=True))
    return [item for item, has in pairs if has], tuple(item for item, has in pairs if not has)
