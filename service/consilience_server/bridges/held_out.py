"""Which known pairs a fit never sees: decided by each item's name and the seed, not by where its row stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.tie_order import tie_keys


@dataclass(frozen=True)
class Split:
    """Positions of the pairs.

    Attributes:
        fit: (f,) int64, ascending by hash: a random order that the seed decides.
        held_out: (h,) int64, ascending by hash.
    """

    fit: NDArray[np.int64]
    held_out: NDArray[np.int64]


def split_pairs(source_ids: Sequence[str], fraction: float, seed: int) -> Split:
    """Keep out the `round(fraction * n)` pairs (at least one) whose source ids have the smallest hashes under the seed.

    The same pairs in another order are split alike; pairs added later move few others across.

    Args:
        source_ids: (n,) different ids, one a pair.
        fraction: share to keep out, in (0, 1).
        seed: another one, another split.
    """
    keys = tie_keys(f"held-out:{seed}", source_ids)
    order = np.lexsort((np.asarray(source_ids, dtype=object).astype(str), keys)).astype(np.int64)
    count = max(1, round(fraction * len(order)))
    return Split(order[count:], order[:count])
