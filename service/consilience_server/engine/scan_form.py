"""What a float32 scan reads, and the proven bound that makes its answer a certificate.

**The scan.** For all three similarities a scan is one float32 inner product of width D = d + 2, whose value is an *upper bound* of the
exact rank value of the pair. So whatever a scan does not propose is known to be no better than the last value it proposes.

For query q and item x let s be the exact score and v what ranks: v = s, or v = 2 s - b(x) where a bias b is given; f = 1 or 2 is the factor
of s. Real numbers alpha > 0 and beta of the query turn v into T = alpha v + beta, which splits into query and item, T = <q', y> - w h:

| similarity    | q'            | w    | y             | h                       | alpha         | beta            |
|---------------|---------------|------|---------------|-------------------------|---------------|-----------------|
| cosine        | q             | |q|  | x / |x| - c   | b / 2                   | |q| / f       | -<q, c>         |
| inner product | q / 2^E       | 1    | (x - c) / 2^E | b / (2 4^E)             | 1 / (f 4^E)   | -<q', c> / 2^E  |
| squared L2    | (q - c) / 2^E | 1    | (x - c) / 2^E | |y|^2 / 2 + b / (4 4^E) | 1 / (2 f 4^E) | |q'|^2 / 2      |

(without a bias h has no b, and where h = 0 for all items w is 0 as well). c is the centre of the gallery, on which no ranking depends and
without which a common mean would eat the float32 digits; 2^E is about the median length of the items (E = 0 for cosine), so that nothing
overflows. Each query is scaled once more by a power of two 2^-F such that |(q', w)| 2^-F < 1, and alpha and beta with it.

**The bound.** Item columns are (y, h, e), query columns (q', -w, 1), all rounded to float32 (u = 2^-24). Let gamma = D u / (1 - D u): it
bounds an inner product of D terms in any order of summation, with or without fused multiply-add (Higham, Accuracy and Stability of
Numerical Algorithms, 2nd ed., section 3.1). Since |(q', w)| 2^-F < 1, the computed value differs from T + e by at most

    (gamma + 3 u) (|y| + |h|)                           the sum of products; the rounding of q', y, w and h
    + gamma e                                           the sum with e
    + D 2^-50 (|y| + |h| + |y|^2 + |c| / 2^E + 1)       the float64 roundings of the exact score itself and of what is computed here;
                                                        it covers D 2^-124 (|y| + |h| + 1), what is too small for float32, flushed or not

e is the sum of these but for gamma e, over 1 - 2 gamma, rounded up: the computed value is never below T, and never above T + 2 e. What
depends on the query alone, the float64 roundings of alpha v + beta, is its `slack`.

An item that float32 cannot hold beside the others (beyond 2^60 median lengths) gets y = h = 0 and 2^100 for e, which no other value comes
near: it is proposed to every query, and a query that was not shown all such items is never certified. Its allowance is infinite.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.exact_score import exact_norms
from consilience_server.core.similarity import Similarity
from consilience_server.engine.row_blocks import for_row_blocks

EXTRA_COLUMNS = 2
"""Columns beside the d of the vectors: h and e."""

_U = 2.0**-24
_U64 = 2.0**-50
"""Four times the unit roundoff of float64; times the width it covers sums in any order and the few operations around them."""
_RANGE = 2.0**60
_OUTSIDE = 2.0**100
_BLOCK_BYTES = 1 << 22
_SAMPLE_ROWS = 4096
_OUTLIER = 2.0**10


@dataclass(frozen=True)
class GalleryForm:
    """A gallery as a scan reads it.

    Attributes:
        columns: (n, d + 2) float32, C-contiguous: (y, h, e).
        similarity: how nearness is measured.
        allowance: (n,) float32, e of each item.
        norms: (n,) float64, exact norms of the raw vectors.
        centre: (d,) float64, c.
        exponent: E.
        factor: f.
    """

    columns: NDArray[np.float32]
    similarity: Similarity
    allowance: NDArray[np.float32]
    norms: NDArray[np.float64]
    centre: NDArray[np.float64]
    exponent: int
    factor: float

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.columns.nbytes + self.allowance.nbytes + self.norms.nbytes + self.centre.nbytes


@dataclass(frozen=True)
class QueryForm:
    """Queries as a scan reads them, and how their exact values compare with scanned ones.

    Attributes:
        columns: (m, d + 2) float32: (q', -w, 1), scaled.
        norms: (m,) float64, exact norms of the raw queries.
        alpha: (m,) float64, already scaled by 2^-F.
        beta: (m,) float64, likewise.
        slack: (m,) float64, relative to |alpha v| + |beta| + 1.
    """

    columns: NDArray[np.float32]
    norms: NDArray[np.float64]
    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]
    slack: NDArray[np.float64]

    def least(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """A proven lower bound of T for exact rank values (m,) of these queries: what scans below it is strictly worse."""
        scaled = self.alpha * values
        return scaled + self.beta - self.slack * (np.abs(scaled) + np.abs(self.beta) + 1.0)


def gallery_form(
    vectors: NDArray[np.float32], similarity: Similarity, bias: NDArray[np.float64] | None = None, *, threads: int = 1
) -> GalleryForm:
    """Prepare a gallery for scans; reads the vectors twice.

    Args:
        vectors: (n, d) float32, finite, no zero rows under cosine.
        similarity: how nearness is measured.
        bias: (n,) float64, finite, or None.
        threads: threads to share the rows.
    """
    n, d = vectors.shape
    cosine, squared_l2 = similarity is Similarity.COSINE, similarity is Similarity.SQUARED_L2
    norms = np.empty(n)
    columns = np.empty((n, d + EXTRA_COLUMNS), dtype=np.float32)
    allowance = np.empty(n, dtype=np.float32)
    centre, exponent = centre_and_exponent(vectors, cosine=cosine)
    centre_length = float(np.linalg.norm(np.ldexp(centre, -exponent)))

    def prepare(rows: slice) -> None:
        raw = vectors[rows]
        norms[rows] = exact_norms(raw)
        shifted = raw / norms[rows, None] if cosine else raw.astype(np.float64)
        shifted -= centre
        shifted *= 2.0**-exponent
        squares = _squared_lengths(shifted)
        lengths = np.sqrt(squares)
        offsets = squares / 2 if squared_l2 else np.zeros(len(raw))
        if bias is not None:
            offsets += np.ldexp(bias[rows] / (4 if squared_l2 else 2), -2 * exponent)
        outside = (lengths > _RANGE) | (np.abs(offsets) > _RANGE)
        shifted[outside] = 0.0
        columns[rows, :d] = shifted
        columns[rows, d] = np.where(outside, 0.0, offsets)
        bound = np.where(outside, np.inf, _bound(d, lengths, offsets, centre_length))
        with np.errstate(over="ignore"):
            allowance[rows] = np.nextafter(bound.astype(np.float32), np.float32(np.inf))
        columns[rows, d + 1] = np.where(outside, _OUTSIDE, allowance[rows])

    for_row_blocks(n, _BLOCK_BYTES // (8 * d), threads, prepare)
    return GalleryForm(columns, similarity, allowance, norms, centre, exponent, 1.0 if bias is None else 2.0)


def query_form(queries: NDArray[np.float32], gallery: GalleryForm, norms: NDArray[np.float64] | None = None) -> QueryForm:
    """Prepare queries for scans of a gallery.

    Args:
        queries: (m, d) float32.
        gallery: the gallery in scan form.
        norms: (m,) `exact_norms(queries)` where they are known already.
    """
    m, d = queries.shape
    if norms is None:
        norms = exact_norms(queries)
    wide = queries.astype(np.float64)
    similarity, exponent, biased = gallery.similarity, gallery.exponent, gallery.factor != 1.0
    if similarity is Similarity.COSINE:
        moved, w, alpha = wide, norms if biased else np.zeros(m), norms / gallery.factor
        beta = -(wide @ gallery.centre)
        reach = norms * np.linalg.norm(gallery.centre)
    else:
        squared_l2 = similarity is Similarity.SQUARED_L2
        moved = (wide - gallery.centre if squared_l2 else wide) * 2.0**-exponent
        w = np.ones(m) if biased or squared_l2 else np.zeros(m)
        alpha = np.full(m, np.ldexp(1.0 / (gallery.factor * (2.0 if squared_l2 else 1.0)), -2 * exponent))
        if squared_l2:
            beta = reach = _squared_lengths(moved) / 2
        else:
            scaled_centre = np.ldexp(gallery.centre, -exponent)
            beta = -(moved @ scaled_centre)
            reach = np.sqrt(_squared_lengths(moved)) * np.linalg.norm(scaled_centre)
    lengths = np.sqrt(_squared_lengths(moved) + w * w)
    shrink = -np.frexp(lengths * (1 + 2.0**-20))[1]
    columns = np.empty((m, d + EXTRA_COLUMNS), dtype=np.float32)
    # Powers of two: exact, and many times faster than ldexp on whole arrays.
    columns[:, :d] = moved * np.ldexp(1.0, shrink)[:, None]
    columns[:, d] = -np.ldexp(w, shrink)
    columns[:, d + 1] = 1.0
    slack = _U64 * (d + EXTRA_COLUMNS) * (1.0 + np.ldexp(reach, shrink))
    return QueryForm(columns, norms, np.ldexp(alpha, shrink), np.ldexp(beta, shrink), slack)


def proven(scanned: NDArray[np.float32]) -> NDArray[np.float64]:
    """Upper bounds that scanned values prove: themselves, but infinity for items beyond range and for anything unordered."""
    return np.where(scanned < _OUTSIDE / 2, scanned.astype(np.float64), np.inf)


def accumulation_bound(terms: int) -> float:
    """Gamma of `terms` float32 terms: the relative error of their sum of products in any order, against the sum of magnitudes."""
    return terms * _U / (1.0 - terms * _U)


def _bound(d: int, lengths: NDArray[np.float64], offsets: NDArray[np.float64], centre_length: float) -> NDArray[np.float64]:
    """The allowance e of items with |y| = `lengths` and h = `offsets`, before it is rounded up to float32."""
    width = d + EXTRA_COLUMNS
    gamma = accumulation_bound(width + 1)
    sizes = lengths + np.abs(offsets)
    bound = (gamma + 3 * _U) * (1 + 2.0**-10) * sizes
    bound += width * _U64 * (sizes + lengths * lengths + centre_length + 1.0)
    return bound * (1 + 2.0**-20) / (1.0 - 2 * gamma)


def _squared_lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", rows, rows)
    return squares


def centre_and_exponent(vectors: NDArray[np.float32], *, cosine: bool) -> tuple[NDArray[np.float64], int]:
    """C and E from a spread of the rows: every choice is valid, a good one gives a tight bound.

    Rows far longer than the middle one are left out of the mean, which they would carry away.
    """
    n = len(vectors)
    sample = vectors[:: max(1, n // _SAMPLE_ROWS)].astype(np.float64)
    if cosine:
        sample /= np.sqrt(_squared_lengths(sample))[:, None]
        return sample.mean(axis=0), 0
    lengths = np.sqrt(_squared_lengths(sample))
    sample = sample[lengths <= _OUTLIER * np.median(lengths)]
    centre: NDArray[np.float64] = sample.mean(axis=0)
    sample -= centre
    spread = np.sqrt(_squared_lengths(sample))
    spread = spread[spread > 0]
    return centre, int(np.frexp(np.median(spread))[1]) if len(spread) else 0
