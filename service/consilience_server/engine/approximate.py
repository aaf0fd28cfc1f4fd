"""Approximate indexes: what they are, what they may be asked, and those that FAISS builds on the CPU.

An index finds candidates and proves nothing. So it is only used where a caller names it; its candidates are scored and ranked by the
definition (`approximate_ranking.py`), and its recall is measured (`core/index_recall.py`).

| name | what | built with | asked with |
|---|---|---|---|
| `hnsw` | navigable graph, Malkov and Yashunin 2018 | 32 links a node, 80 candidates an insertion | `ef_search` candidates kept |
| `ivf` | cells of k-means, their items scanned | min(4 sqrt(n), n / 32) cells, 10 rounds on a sample of 32 items a cell | `nprobe` cells |
| `cagra` | graph on a GPU, Ootomo et al. 2024 | graph degree 64 of 128 | `itopk_size` candidates kept |
| `gpu_flat` | float32 scan on a GPU | nothing | nothing |

The same gallery always gives the same CPU index: the graph is built by one thread, because with several the order of insertions would be
that of their race, and the graph with it; cells come from a fixed seed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate_form import ApproximateForm, form_gallery, form_width
from consilience_server.engine.blas import load_faiss
from consilience_server.engine.threads import size_openmp_team

ApproximateName = Literal["hnsw", "ivf", "cagra", "gpu_flat"]


@dataclass(frozen=True)
class Effort:
    """The one number that trades a search's time for recall: its name in requests, its default and its limit."""

    name: str
    default: int
    limit: int


EFFORTS: dict[ApproximateName, Effort] = {
    "hnsw": Effort("ef_search", 128, 4096),
    "ivf": Effort("nprobe", 32, 4096),
    "cagra": Effort("itopk_size", 128, 512),
}
"""An index that is not here takes no parameter."""


@dataclass(frozen=True)
class IndexChoice:
    """The index that a caller named, and how hard it is to look.

    Attributes:
        name: which.
        effort: the value of its `Effort`; 0 where it has none.
    """

    name: ApproximateName
    effort: int


BACKENDS: dict[ApproximateName, str] = {"hnsw": "faiss-hnsw", "ivf": "faiss-ivf", "cagra": "faiss-cagra", "gpu_flat": "faiss-gpu-flat"}
"""Names in metrics."""

CPU_INDEXES: tuple[ApproximateName, ...] = ("hnsw", "ivf")

_LINKS = 32
_EF_CONSTRUCTION = 80
_ROUNDS = 10
_SAMPLE_PER_CELL = 32
_LEAST_PER_CELL = 32
_BUILD_ROWS = 512
_TRAIN_PRODUCTS = 1 << 32
_QUERY_BLOCK = 64
_SEED = 0


class ApproximateIndex(Protocol):
    """An immutable index of one gallery. Thread-safe."""

    @property
    def name(self) -> ApproximateName:
        """What kind it is."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...

    def search(self, queries: NDArray[np.float32], count: int, effort: int, control: Control) -> NDArray[np.int64]:
        """Candidates of each query.

        Args:
            queries: (m, d) float32, raw.
            count: 1 <= count <= n rows to find; more may be answered.
            effort: the index's `Effort`; raised to `count` where it counts candidates.
            control: cancellation within a second.

        Returns:
            (m, >= count) gallery rows in no particular order, -1 where nothing was found.
        """
        ...


def index_bytes(name: ApproximateName, n: int, d: int, similarity: Similarity) -> int:
    """Bytes that an index holds: the items in its form (cells grow by doubling), and links or rows. On a GPU they lie in its memory."""
    columns = 4 * n * form_width(d, similarity)
    if name == "hnsw":
        # Twice as many links on the ground level; one node in 32 stands on a higher one; offsets, levels and locks.
        return columns + n * (8 * _LINKS + 4 * _LINKS // 16 + 20)
    if name == "ivf":
        return 2 * (columns + 8 * n)
    return columns + (4 * 64 * n if name == "cagra" else 0)


def build_bytes(name: ApproximateName, n: int, d: int, similarity: Similarity) -> int:
    """Peak bytes of the host while an index is built: a copy of its items, and the items in its form, beside what it holds."""
    return index_bytes(name, n, d, similarity) + 4 * n * (d + form_width(d, similarity)) + (64 << 20)


def build_seconds(name: ApproximateName, n: int, d: int, flops_per_second: float) -> float:
    """A rough estimate of a build, measured on one x86 core (`hnsw`: distances of scattered items run at a sixteenth of a product's)."""
    if name == "hnsw":
        return 16.0 * 2.0 * d * n * _EF_CONSTRUCTION * math.log2(max(2, n)) / flops_per_second
    if name == "ivf":
        cells = cell_count(n)
        return 2.0 * d * cells * (n + _ROUNDS * min(n, _SAMPLE_PER_CELL * cells)) / flops_per_second
    return 200.0 * d * n / flops_per_second


def cell_count(n: int) -> int:
    """Cells of `ivf` over n items."""
    return max(1, min(int(4 * math.sqrt(n)), n // _LEAST_PER_CELL))


class CpuIndex:
    """FAISS's HNSW or IVF on the CPU.

    Args:
        name: which.
        form: how queries are written.
        index: FAISS's index.
        parameters: FAISS's search parameters of (count, effort).
        nbytes: bytes held.
        threads: threads of one search.
    """

    def __init__(
        self, name: ApproximateName, form: ApproximateForm, index: Any, parameters: Callable[[int, int], Any], nbytes: int, threads: int
    ) -> None:
        self._name = name
        self._form = form
        self._index = index
        self._parameters = parameters
        self._nbytes = nbytes
        self._threads = threads

    @property
    def name(self) -> ApproximateName:
        """What kind it is."""
        return self._name

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._nbytes

    def search(self, queries: NDArray[np.float32], count: int, effort: int, control: Control) -> NDArray[np.int64]:
        """As in `ApproximateIndex`."""
        size_openmp_team(self._threads)
        columns, parameters = self._form.of_queries(queries), self._parameters(count, effort)
        rows = np.empty((len(queries), count), dtype=np.int64)
        for start in range(0, len(queries), _QUERY_BLOCK):
            control.check()
            block = slice(start, start + _QUERY_BLOCK)
            rows[block] = self._index.search(columns[block], count, params=parameters)[1]
            control.progress(min(1.0, (start + _QUERY_BLOCK) / len(queries)))
        return rows


def build_cpu_index(
    name: ApproximateName, gallery: NDArray[np.float32], similarity: Similarity, threads: int, control: Control
) -> CpuIndex:
    """Build `hnsw` or `ivf`.

    Args:
        name: one of `CPU_INDEXES`.
        gallery: (n, d) float32, finite, no zero rows under cosine; n >= 1. Not kept: the index has its own copy.
        similarity: how nearness is measured.
        threads: threads of the k-means and of searches.
        control: cancellation within a second or so, and progress.
    """
    form, columns = form_gallery(gallery, similarity, control)
    nbytes = index_bytes(name, len(gallery), gallery.shape[1], similarity)
    faiss = load_faiss()
    if name == "hnsw":
        graph = _build_graph(faiss, columns, control)
        return CpuIndex(name, form, graph, lambda count, effort: faiss.SearchParametersHNSW(efSearch=max(count, effort)), nbytes, threads)
    cells = _build_cells(faiss, columns, threads, control)
    return CpuIndex(name, form, cells, lambda _, effort: faiss.SearchParametersIVF(nprobe=min(effort, cells.nlist)), nbytes, threads)


def _build_graph(faiss: Any, columns: NDArray[np.float32], control: Control) -> Any:
    n, width = columns.shape
    index = faiss.IndexHNSWFlat(width, _LINKS, faiss.METRIC_L2)
    index.hnsw.efConstruction = _EF_CONSTRUCTION
    size_openmp_team(1)
    for start in range(0, n, _BUILD_ROWS):
        control.check()
        index.add(columns[start : start + _BUILD_ROWS])
        control.progress(min(1.0, (start + _BUILD_ROWS) / n))
    return index


def _build_cells(faiss: Any, columns: NDArray[np.float32], threads: int, control: Control) -> Any:
    n, width = columns.shape
    size_openmp_team(threads)
    centres = _kmeans(faiss, columns, cell_count(n), control.part(0.0, 0.6))
    quantiser = faiss.IndexFlatL2(width)
    quantiser.add(centres)
    index = faiss.IndexIVFFlat(quantiser, width, len(centres), faiss.METRIC_L2)
    index.is_trained = True
    step = _block_rows(width, len(centres))
    rest = control.part(0.6, 1.0)
    for start in range(0, n, step):
        control.check()
        index.add(columns[start : start + step])
        rest.progress(min(1.0, (start + step) / n))
    return index


def _kmeans(faiss: Any, columns: NDArray[np.float32], cells: int, control: Control) -> NDArray[np.float32]:
    """Centres of Lloyd's k-means on a sample, (cells, width) float32. Empty cells keep their centre."""
    n, width = columns.shape
    random = np.random.default_rng(_SEED)
    sample = columns[np.sort(random.choice(n, min(n, _SAMPLE_PER_CELL * cells), replace=False))]
    centres: NDArray[np.float32] = sample[np.sort(random.choice(len(sample), cells, replace=False))]
    step = _block_rows(width, cells)
    cell_of = np.empty(len(sample), dtype=np.int64)
    for done in range(_ROUNDS):
        for start in range(0, len(sample), step):
            control.check()
            cell_of[start : start + step] = faiss.knn(sample[start : start + step], centres, 1)[1][:, 0]
        by_cell = np.argsort(cell_of, kind="stable")
        filled, starts = np.unique(cell_of[by_cell], return_index=True)
        sizes = np.diff(np.append(starts, len(sample)))
        centres = centres.copy()
        centres[filled] = np.add.reduceat(sample[by_cell], starts, axis=0, dtype=np.float32) / sizes[:, None]
        control.progress((done + 1) / _ROUNDS)
    return centres


def _block_rows(width: int, cells: int) -> int:
    """Rows whose distances to all centres take a fraction of a second."""
    return max(64, _TRAIN_PRODUCTS // (width * cells))
