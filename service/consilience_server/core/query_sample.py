"""Which items are asked when not all are: the same probes in every space and over time."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.tie_order import tie_keys

_LABEL = "queries"


def sampling_keys(ids: Iterable[str]) -> NDArray[np.uint64]:
    """(n,) a hash of each item id, the same in every space: BLAKE2b keyed with the word `queries` (`core/tie_order.py`)."""
    return tie_keys(_LABEL, ids)


def hash_sample(keys: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    """The rows of the `size` items with the smallest keys: a simple random sample of the items, drawn once for all.

    The keys are those of `sampling_keys`, which know nothing of vectors, versions or rows. So every space that has the items asks the same
    ones, and a smaller sample is part of a larger one. Where items are added, only those enter whose keys are below the largest that was
    in, about size / n of them, each in the place of one that leaves; where items are removed, the next by key take the places left.

    Args:
        keys: (n,) uint64.
        size: how many, 1 <= size; n or more takes all.

    Returns:
        (min(size, n),) int64, ascending.

    Raises:
        InvalidArgument: size is below 1.

    Source:
        Broder 1997, "On the resemblance and containment of documents" (bottom-m sketches); Ohlsson 1995 (permanent random numbers).
    """
    if size < 1:
        raise InvalidArgument(f"a sample of {size} items; ask at least 1", size=size)
    # Of items with the same key, about n^2 / 2^65 pairs, the first by row.
    return np.sort(np.argsort(keys, kind="stable")[:size]).astype(np.int64)
