"""Names for the items of arrays that were never stored."""

import hashlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray


def content_ids(x: NDArray[np.float32], y: NDArray[np.float32], *, kernels: tuple[bool, bool] = (False, False)) -> NDArray[np.object_]:
    """(n,) ids that name the items of paired arrays by their content, equal contents numbered.

    Whatever is ordered by a hash of these ids (ties, permutations, jackknife groups) does not move when the rows do. The row of a kernel
    moves its columns with the items, so it counts as the multiset of its entries; of two kernels, of pairs of entries.
    """
    seen: Counter[str] = Counter()
    ids = np.empty(len(x), dtype=object)
    for row, (left, right) in enumerate(zip(x, y, strict=True)):
        order = np.lexsort([side for side, is_kernel in ((left, kernels[0]), (right, kernels[1])) if is_kernel]) if any(kernels) else None
        content = [side[order] if is_kernel else side for side, is_kernel in zip((left, right), kernels, strict=True)]
        name = hashlib.blake2b(content[0].tobytes() + content[1].tobytes(), digest_size=12).hexdigest()
        ids[row] = f"{name}-{seen[name]}"
        seen[name] += 1
    return ids
