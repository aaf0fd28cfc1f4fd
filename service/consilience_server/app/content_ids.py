"""Names for the items of arrays that were never stored."""

import hashlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray


def content_ids(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.object_]:
    """(n,) ids that name the items of paired arrays by their content, equal contents numbered.

    Whatever is ordered by a hash of these ids (ties, permutations, jackknife groups) does not move when the rows do.
    """
    seen: Counter[str] = Counter()
    ids = np.empty(len(x), dtype=object)
    for row, (left, right) in enumerate(zip(x, y, strict=True)):
        name = hashlib.blake2b(left.tobytes() + right.tobytes(), digest_size=12).hexdigest()
        ids[row] = f"{name}-{seen[name]}"
        seen[name] += 1
    return ids
