"""CKA with Gaussian kernels. The definition, plainly."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cka import check_items, gram_hsic
from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.rdm import rdm, square

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale", "shift"),
}
"""What the property tests hold this metric to, with the bandwidth by the median."""


@dataclass(frozen=True)
class Bandwidth:
    """How sigma is chosen: `fixed`, or else `factor` times the median distance.

    Attributes:
        fixed: sigma itself, positive; None takes the median.
        factor: of the median, positive.
    """

    fixed: float | None = None
    factor: float = 1.0

    def sigma(self, distances: NDArray[np.float64], name: str) -> float:
        """Sigma for the condensed Euclidean distances of a space called `name`.

        The median is over the pairs i < j, of an even number of them the mean of the middle two (`np.median`).

        Raises:
            ConstantFeatures: the median is 0: half of all pairs are duplicates, and a kernel of width 0 tells nothing apart.
        """
        if self.fixed is not None:
            return self.fixed
        middle = float(np.median(distances))
        if not middle:
            raise ConstantFeatures(
                f"half or more of all pairs of items have the same vector in {name}, so the median distance is 0 and no bandwidth; "
                "remove duplicates or give a bandwidth",
                field=name,
            )
        return self.factor * middle


MEDIAN = Bandwidth()
"""The median distance itself."""


def rbf_cka(x: NDArray[np.floating], y: NDArray[np.floating], bandwidth: Bandwidth = MEDIAN) -> float:
    """CKA of Gaussian kernels, with the biased HSIC.

    ```
    tr(KHLH) / sqrt(tr(KHKH) tr(LHLH)),   K_ij = exp(-|x_i - x_j|^2 / (2 sigma^2)),   H = I - 11'/n
    ```
    In [0, 1], larger is more alike, 1 for spaces equal up to rotation and shift (and scale, with the bandwidth by the median). Small sigma
    sees near items only, large sigma tends to linear CKA. Its chance level is high wherever n is small against what the kernel resolves:
    never read it alone.

    Args:
        x: (n, d_x), finite, n >= 2.
        y: (n, d_y), row i the same item.
        bandwidth: sigma of both sides; by the median each side has its own.

    Raises:
        ShapeMismatch, TooFewItems, ConstantFeatures: as `core/cka.py`; or the kernel has only one value, see `gaussian_kernel`.

    Cost:
        O(n^2 d) time, O(n^2) memory.

    Source:
        Kornblith et al. 2019 (arXiv 1905.00414), sections 3 and 4, which takes a factor of the median; the median itself is from Gretton et
        al. 2012 (JMLR 13), section 8.
    """
    check_items(x, y, unbiased=False)
    kernels = []
    for name, side in (("x", x), ("y", y)):
        distances = rdm(side, "euclidean")
        kernels.append(square(gaussian_kernel(distances, bandwidth.sigma(distances, name), name), 1.0))
    return gram_hsic(*kernels, unbiased=False).cka


def gaussian_kernel(distances: NDArray[np.float64], sigma: float, name: str) -> NDArray[np.float64]:
    """exp(-d^2 / (2 sigma^2)) of condensed distances; the diagonal, which they leave out, is 1.

    Raises:
        ConstantFeatures: all values are equal to rounding: sigma is so small that all items are strangers, or so large that all are one.
    """
    scaled = distances / (math.sqrt(2.0) * sigma)
    kernel: NDArray[np.float64] = np.exp(-(scaled * scaled))
    if float(kernel.max()) <= 1e-13 or float(kernel.min()) >= 1.0 - 1e-13:
        told = "no two items near each other" if float(kernel.max()) <= 1e-13 else "all items the same"
        raise ConstantFeatures(
            f"with bandwidth {sigma:g} the Gaussian kernel sees {told} in {name}: distances there are {float(distances.min()):g} to "
            f"{float(distances.max()):g}; choose a bandwidth among them, or leave it to the median",
            field=name,
        )
    return kernel
