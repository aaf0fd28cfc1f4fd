"""Mean canonical correlation: how far the subspaces spanned by two spaces coincide. The definition, plainly."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.column_space import centred, column_space, rounding_noise
from consilience_server.core.errors import TooFewItems
from consilience_server.core.paired_features import check_paired

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale", "shift"),
}
"""What the property tests hold this metric to; it is invariant to every invertible affine map of either side."""


def mean_cca(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """The mean of the canonical correlations of two spaces.

    ```
    X - mean = U_X S_X V_X',   s = |U_X' U_Y|_* / min(r_X, r_Y)
    ```
    with r the numerical ranks and |.|_* the sum of singular values, which are the canonical correlations: cosines of the principal angles
    between the two spans. In [0, 1], larger is more alike. All directions of a space weigh alike, weak ones too.

    With r_X + r_Y > n - 1 some correlations are 1 whatever the pairing, so the chance is high long before the score is meaningless: read
    it beside the chance. No regularisation is applied; `svcca` is the same on the strongest directions alone.

    Args:
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item.

    Raises:
        ShapeMismatch: different numbers of rows.
        TooFewItems: n < 4, or a side spans n - 1 directions: then every pairing scores 1.
        ConstantFeatures: all rows of a side are equal.

    Cost:
        O(n d min(n, d)) time.

    Source:
        Hotelling 1936; Björck and Golub 1973 (by orthonormal bases); Kornblith et al. 2019, section 4.
    """
    check_paired(x, y, "CCA", 4)
    left, right = (column_space(centred(side), rounding_noise(side, side.dtype)) for side in (x, y))
    check_undetermined(len(x), left.rank, right.rank, "CCA")
    correlations = np.linalg.svd(left.basis.T @ right.basis, compute_uv=False)
    return float(min(correlations.sum() / min(left.rank, right.rank), 1.0))


def check_undetermined(n: int, rank_x: int, rank_y: int, metric: str) -> None:
    """TooFewItems where a side spans all n - 1 directions that centred items have: the other side's span lies in it at any pairing."""
    name, rank = max(("x", rank_x), ("y", rank_y), key=lambda side: side[1])
    if rank >= n - 1:
        raise TooFewItems(
            f"{name} spans {rank:,} directions among {n:,} items, all that there are, so {metric} is 1 for any pairing; add items "
            f"(more than {rank + 1:,}), compare fewer directions (metric svcca with few components), or use cka or procrustes",
            field=name,
            n=n,
            least=rank + 2,
        )
