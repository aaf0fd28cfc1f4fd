"""Relative representations: an item told by its similarities to anchors that both spaces know."""

import numpy as np
from numpy.typing import NDArray


def relative_maps(x: NDArray[np.float64], y: NDArray[np.float64], anchors: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The maps of both sides to similarities with the first `anchors` pairs, (d_x, a) and (d_y, a) float64.

    r(x) = (cos(x, x_1), ..., cos(x, x_a)) is linear in x once the rows have unit length: x [x_1 .. x_a]. Nothing is fitted; r_X(x) and
    r_Y(y) are then compared by cosine.

    Args:
        x: (n, d_x) float64 unit rows in random order, row i the partner of row i of y.
        y: (n, d_y) float64, likewise.
        anchors: 1 <= anchors <= n.

    Source: Moschella et al., "Relative representations enable zero-shot latent space communication", ICLR 2023, arXiv 2209.15430.
    """
    return np.ascontiguousarray(x[:anchors].T), np.ascontiguousarray(y[:anchors].T)
