"""SVCCA: mean canonical correlation of the strongest principal components. The definition, plainly, without the randomness of the code."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cca import check_undetermined
from consilience_server.core.column_space import ColumnSpace, column_space, rounding_noise, standardized
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.paired_features import check_paired

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "positive_scale", "shift"),
}
"""What the property tests hold this metric to; each column may also be scaled by itself, as columns are standardised first."""

COMPONENTS = 10
"""Components where none are asked: those of platonic-rep."""


def svcca(x: NDArray[np.floating], y: NDArray[np.floating], components: int = COMPONENTS) -> float:
    """The mean canonical correlation of the `components` strongest principal components of either space, columns standardised first.

    ```
    Z_X = (X - mean) / sd,   Z_X = U_X S_X V_X',   s = |U_X[:, :c]' U_Y[:, :c]|_* / c
    ```
    In [0, 1], larger is more alike. By an exact singular value decomposition, so the same answer every time. A space of lower rank gives
    all its directions, and components that tie with the c-th are taken too: then c is the smaller number of the two sides.

    Args:
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item. Constant columns of either side are left out.
        components: c >= 1.

    Raises:
        InvalidArgument: components < 1.
        ShapeMismatch, TooFewItems, ConstantFeatures: as `cca.mean_cca`.

    Source:
        Raghu et al. 2017 (arXiv 1706.05806); the standardisation and c = 10: platonic-rep, metrics.py `svcca`, which takes a randomised
        decomposition and an iterative CCA instead.
    """
    check_paired(x, y, "SVCCA", 4)
    left, right = (strongest(side, components) for side in (x, y))
    check_undetermined(len(x), left.rank, right.rank, "SVCCA")
    correlations = np.linalg.svd(left.basis.T @ right.basis, compute_uv=False)
    return float(min(correlations.sum() / min(left.rank, right.rank), 1.0))


def strongest(x: NDArray[np.floating], components: int) -> ColumnSpace:
    """The strongest principal components of one space, its columns standardised."""
    if components < 1:
        raise InvalidArgument(f"components is {components}; SVCCA needs at least 1", field="spec.components")
    columns = standardized(x)
    return column_space(columns, rounding_noise(columns, x.dtype)).first(components)
