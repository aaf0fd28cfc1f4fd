"""A space as a symmetric matrix of unit length, so that a score is the product of two: what RSA and kernel CKA have in common."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.rbf_cka import Bandwidth, gaussian_kernel
from consilience_server.core.rdm import items_of, square, upper_triangle
from consilience_server.core.rsa import RdmComparison, codes_of, unit_pairs, unit_ranks


@dataclass(frozen=True)
class PairForm:
    """A symmetric (n, n) matrix with Frobenius norm 1.

    Attributes:
        upper: (n (n-1) / 2,) its pairs i < j.
        diagonal: (n,), or 0.0 where the diagonal is left out.
    """

    upper: NDArray[np.float64]
    diagonal: NDArray[np.float64] | float

    def times(self, other: "PairForm") -> float:
        """The Frobenius product, in [-1, 1]; NaN where a form is undefined."""
        product = 2.0 * float(self.upper @ other.upper) + float(np.sum(self.diagonal * other.diagonal))
        return min(max(product, -1.0), 1.0) if math.isfinite(product) else math.nan

    def square(self) -> NDArray[np.float64]:
        """The matrix itself, (n, n)."""
        return square(self.upper, self.diagonal)


@dataclass(frozen=True)
class Part:
    """Some of n items, with the pairs among them.

    Attributes:
        items: (n,) bool, those that are left.
    """

    items: NDArray[np.bool_]

    @cached_property
    def pairs(self) -> NDArray[np.bool_]:
        """(n (n-1) / 2,) the pairs of which both items are left."""
        return upper_triangle(self.items[:, None] & self.items)


class Source(Protocol):
    """What makes the form of a space, of all its items or of some: for the jackknife everything is made anew without the items left out."""

    @property
    def n(self) -> int:
        """Number of items."""
        ...

    def form(self, part: Part | None = None) -> PairForm:
        """The form of all items, or of some; ConstantFeatures where it is undefined."""
        ...


class RankSource:
    """Ranks of dissimilarities, for Spearman: ranks of a permuted matrix are the permuted ranks, and of some items they are counted anew.

    Args:
        rdm: (n (n-1) / 2,) in canonical order.
        name: of the space, for refusals.
    """

    def __init__(self, rdm: NDArray[np.float64], name: str) -> None:
        self.n = items_of(len(rdm))
        self._codes = codes_of(rdm, name)

    def form(self, part: Part | None = None) -> PairForm:
        """The centred average ranks."""
        ranks = unit_ranks(self._codes if part is None else self._codes[part.pairs])
        ranks *= math.sqrt(0.5)
        return PairForm(ranks, 0.0)


class ValueSource:
    """Dissimilarities themselves, for Pearson's r and cosine.

    Args:
        rdm: (n (n-1) / 2,) in canonical order.
        comparison: `pearson` or `cosine`.
        name: of the space, for refusals.
    """

    def __init__(self, rdm: NDArray[np.float64], comparison: RdmComparison, name: str) -> None:
        self.n = items_of(len(rdm))
        self._rdm = rdm
        self._comparison = comparison
        self._name = name

    def form(self, part: Part | None = None) -> PairForm:
        """The values, for Pearson's r centred."""
        values = unit_pairs(self._rdm if part is None else self._rdm[part.pairs], self._comparison, self._name)
        values *= math.sqrt(0.5)
        return PairForm(values, 0.0)


class GaussianSource:
    """Centred Gaussian kernels of distances, for RBF CKA; a bandwidth by the median is that of the items that are left.

    Args:
        distances: (n (n-1) / 2,) Euclidean, or a given dissimilarity in their place, in canonical order.
        bandwidth: how sigma is chosen.
        name: of the space, for refusals.
    """

    def __init__(self, distances: NDArray[np.float64], bandwidth: Bandwidth, name: str) -> None:
        self.n = items_of(len(distances))
        self.sigma = bandwidth.sigma(distances, name)
        self._distances = distances
        self._bandwidth = bandwidth
        self._name = name

    def form(self, part: Part | None = None) -> PairForm:
        """HKH over its norm."""
        distances = self._distances if part is None else self._distances[part.pairs]
        sigma = self.sigma if part is None else self._bandwidth.sigma(distances, self._name)
        return centred_form(square(gaussian_kernel(distances, sigma, self._name), 1.0), self._name)


class KernelSource:
    """A given similarity matrix as a kernel, for linear CKA of kernel spaces.

    Args:
        kernel: (n, n) symmetric float64 in canonical order, diagonal included.
        name: of the space, for refusals.
    """

    def __init__(self, kernel: NDArray[np.float64], name: str) -> None:
        self.n = len(kernel)
        self._kernel = kernel
        self._name = name

    def form(self, part: Part | None = None) -> PairForm:
        """HKH over its norm."""
        kernel = self._kernel if part is None else self._kernel[np.ix_(part.items, part.items)]
        return centred_form(kernel.copy(), self._name)


class UnbiasedKernelSource:
    """A given similarity matrix as a kernel, for unbiased CKA: HSIC_u of two kernels is the product of their U-centred matrices.

    ```
    U_ij = K_ij - (sum_l K_il + sum_l K_jl) / (n-2) + sum K / ((n-1)(n-2)),   i != j, sums without the diagonal;   U_ii = 0
    HSIC_u(K, L) = <U(K), U(L)> / (n (n-3))
    ```

    Args:
        kernel: (n, n) symmetric float64 in canonical order; its diagonal is not looked at.
        name: of the space, for refusals.

    Source:
        Szekely and Rizzo 2014 (Annals of Statistics 42), definition 2 and proposition 2; the same number as Song et al. 2012, equation 5.
    """

    def __init__(self, kernel: NDArray[np.float64], name: str) -> None:
        self.n = len(kernel)
        self._kernel = kernel
        self._name = name

    def form(self, part: Part | None = None) -> PairForm:
        """U over its norm; ConstantFeatures for fewer than four items too."""
        kernel = self._kernel.copy() if part is None else self._kernel[np.ix_(part.items, part.items)]
        n = len(kernel)
        if n < 4:
            raise ConstantFeatures(f"unbiased CKA of {self._name} needs four items", field=self._name)
        largest = float(np.abs(kernel).max())
        np.fill_diagonal(kernel, 0.0)
        sums = kernel.sum(axis=1) / (n - 2)
        kernel -= sums[:, None]
        kernel -= sums - sums.sum() / (n - 1)
        upper = upper_triangle(kernel)
        length = math.sqrt(2.0 * float(upper @ upper))
        if length <= 1e-13 * n * largest:
            raise ConstantFeatures(
                f"all items of {self._name} are equally far from each other, so unbiased CKA is undefined; "
                "use a space that tells near from far",
                field=self._name,
            )
        upper /= length
        return PairForm(upper, 0.0)


def centred_form(kernel: NDArray[np.float64], name: str) -> PairForm:
    """HKH over its norm, H = I - 11'/n, so that the product of two is CKA. Overwrites `kernel`.

    Raises:
        ConstantFeatures: HKH is 0, but for rounding.
    """
    largest = float(np.abs(kernel).max())
    means = kernel.mean(axis=1)
    kernel -= means[:, None]
    kernel -= means - means.mean()
    upper, diagonal = upper_triangle(kernel), np.diagonal(kernel).copy()
    length = math.sqrt(2.0 * float(upper @ upper) + float(diagonal @ diagonal))
    if length <= 1e-13 * len(kernel) * largest:
        raise ConstantFeatures(
            f"the kernel of {name} has the same value everywhere, so CKA is undefined; use a space that tells items apart", field=name
        )
    upper /= length
    diagonal /= length
    return PairForm(upper, diagonal)
