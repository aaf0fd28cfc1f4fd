"""PMI of sparse counts, and its embedding: the fast path of `core/pmi.py`."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from consilience_server.core.pmi import PmiOptions, pmi

_DENSE_BELOW = 1000
_START = 0x504D49


@dataclass(frozen=True)
class Embedding:
    """Items as vectors whose inner products with the contexts' are the values.

    Attributes:
        vectors: (n, r) float32, U sqrt(S) of the truncated decomposition U S V' (SVD); the largest entry of each column is positive.
        singular_values: (r,) float64, descending.
        kept: share of the matrix's squared Frobenius norm that r axes hold.
    """

    vectors: NDArray[np.float32]
    singular_values: NDArray[np.float64]
    kept: float


def pmi_values(counts: scipy.sparse.csr_array, options: PmiOptions) -> scipy.sparse.csr_array | NDArray[np.float64]:
    """`core/pmi.py: pmi` of sparse counts: sparse itself where pairs that never occur count 0, dense else.

    Args:
        counts: (n, m) float64 without explicit zeros or duplicates.
        options: checked.
    """
    if not options.is_sparse:
        return pmi(counts.toarray(), options)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    weighted = np.asarray(columns) ** options.context_smoothing
    pairs = counts.tocoo()
    value = np.log(pairs.data) - np.log(np.asarray(rows)[pairs.coords[0]]) - options.shift
    value -= np.log(weighted[pairs.coords[1]]) - np.log(weighted.sum())
    chosen = value > 0.0
    found: scipy.sparse.csr_array = scipy.sparse.coo_array(
        (value[chosen], (pairs.coords[0][chosen], pairs.coords[1][chosen])), shape=counts.shape
    ).tocsr()
    return found


def embed(matrix: scipy.sparse.csr_array | NDArray[np.float64], rank: int) -> Embedding:
    """The leading axes of a matrix.

    Small matrices, and ranks near the full one, are decomposed whole; else ARPACK (implicitly restarted Lanczos) finds the leading axes to
    machine precision from a fixed start, so that the same counts give the same vectors.

    Args:
        matrix: (n, m), finite.
        rank: 1 <= rank; axes beyond the matrix's own rank are left out.
    """
    squared = float((matrix.data**2).sum() if scipy.sparse.issparse(matrix) else (matrix**2).sum())
    least = min(matrix.shape)
    if least <= _DENSE_BELOW or 3 * rank >= least:
        dense = matrix.toarray() if scipy.sparse.issparse(matrix) else matrix
        left, values, _ = scipy.linalg.svd(dense, full_matrices=False, check_finite=False)
    else:
        start = np.random.Generator(np.random.Philox(_START)).standard_normal(least)
        found, ascending, _ = scipy.sparse.linalg.svds(matrix, k=rank, v0=start, solver="arpack")
        left, values = found[:, ::-1].astype(np.float64), ascending[::-1].astype(np.float64)
    count = min(rank, int(np.count_nonzero(values > 1e-12 * values[0])))
    left, leading = left[:, :count], np.array(values[:count])
    largest = np.abs(left).argmax(axis=0)
    vectors = left * np.sign(left[largest, np.arange(count)]) * np.sqrt(leading)
    return Embedding(vectors.astype(np.float32), leading, min(1.0, float((leading**2).sum() / squared)) if squared else 0.0)


def pmi_bytes(n: int, contexts: int, pairs: int, rank: int, options: PmiOptions) -> int:
    """Peak bytes of both beyond the counts: an upper estimate."""
    least = min(n, contexts)
    whole = not options.is_sparse or least <= _DENSE_BELOW or 3 * rank >= least
    dense = 8 * n * contexts * 4 if whole else 0
    return dense + 80 * pairs + 8 * 4 * rank * (n + contexts)
