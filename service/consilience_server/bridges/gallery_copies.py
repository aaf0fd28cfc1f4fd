"""Partners that the gallery holds more than once: what rank they have is a matter of order."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.engine.identical_rows import group_identical_rows


def copied_partners(gallery: NDArray[np.float32], partners: NDArray[np.int64]) -> int:
    """How many of the partners have an equal vector elsewhere in the gallery.

    Args:
        gallery: (n, d) float32.
        partners: (m,) int64, rows of it.
    """
    groups = group_identical_rows(gallery)
    return int((groups.sizes[groups.group[partners]] > 1).sum())


def gallery_notes(gallery: NDArray[np.float32], partners: NDArray[np.int64]) -> tuple[str, ...]:
    """A word on these, where there are any."""
    copied = copied_partners(gallery, partners)
    if not copied:
        return ()
    found = f"{copied:,} of {len(partners):,} partners have an equal vector under another id in the target space"
    return (f"{found}: which of these comes first is decided by their ids, and so are ranks and recall",)
