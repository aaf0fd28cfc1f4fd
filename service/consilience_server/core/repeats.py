"""Repeats of a kernel: the same items measured several times, by subjects, sessions or raters, not every pair each time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidKernel
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.kernel_matrix import check_kernel_matrix

_ENTRIES = 1 << 22
"""Entries of all repeats converted at a time."""


def check_repeats(rows: NDArray[np.float32], ids: Sequence[str], kind: KernelKind, repeats: Sequence[str]) -> None:
    """Every repeat is a kernel of the items but for entries that it lacks (NaN), and every pair of items was measured at least once.

    Args:
        rows: (n, R n) float32, the row of an item in each repeat, one after the other.
        ids: n names for messages.
        kind: what the entries are.
        repeats: R names.

    Raises:
        InvalidKernel, NotFinite: see `core/kernel_matrix.py`; the message names the repeat. InvalidKernel for a pair that all lack.
    """
    n, count = len(ids), len(repeats)
    if rows.shape != (n, count * n):
        raise InvalidKernel(
            f"{n:,} items came with rows of {rows.shape[1]:,} entries; {count} repeats of a kernel have {count} x {n:,} = {count * n:,}",
            field="batch.vectors",
        )
    for at, name in enumerate(repeats):
        matrix = rows[:, at * n : (at + 1) * n]
        check_kernel_matrix(matrix, ids, kind, missing=True, of=f", repeat {name!r}")
    for start in range(0, n, step := max(1, _ENTRIES // rows.shape[1])):
        unseen = np.asarray(np.isnan(rows[start : start + step].reshape(-1, count, n)).all(axis=1))
        if kind.is_dissimilarity:
            unseen[np.arange(len(unseen)), np.arange(start, start + len(unseen))] = False
        if unseen.any():
            line, j = (int(place) for place in np.unravel_index(int(np.argmax(unseen)), unseen.shape))
            raise InvalidKernel(
                f"entry [{start + line}, {j}] ({ids[start + line]!r} with {ids[j]!r}) is NaN in all {count} repeats; leave out an item, so "
                "that every pair has a value",
                field="batch.vectors",
            )


def mean_of_repeats(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The mean of each entry over the repeats that have it, in float64, rounded to float32; zero where all lack a diagonal entry.

    Args:
        rows: (n, R n) float32 as in `check_repeats`.
        count: R.

    Returns:
        (n, n) float32, as symmetric as the repeats.
    """
    n = len(rows)
    mean = np.empty((n, n), dtype=np.float32)
    for start in range(0, n, step := max(1, _ENTRIES // max(1, rows.shape[1]))):
        entries = rows[start : start + step].reshape(-1, count, n).astype(np.float64)
        known = ~np.isnan(entries)
        mean[start : start + step] = np.where(known, entries, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean
