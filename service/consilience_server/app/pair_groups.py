"""Which known pairs belong together, so that a split must not tear them apart."""

import asyncio
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from consilience_server.app.call import Call
from consilience_server.app.snapshots import Snapshots
from consilience_server.engine.snapshot import Snapshot

GROUP_ATTRIBUTE = "group_id"


async def pair_groups(
    snapshots: Snapshots,
    call: Call,
    source: Snapshot,
    source_rows: NDArray[np.int64],
    target: Snapshot,
    target_rows: NDArray[np.int64],
    values: NDArray[np.int64] | None = None,
) -> NDArray[np.int64] | None:
    """(n,) the group of each pair, numbered from 0: pairs whose items have an equal `group_id` in either space, or a chain of such.

    An item without a value is alone. None where no item of either space has the attribute, and pairs have no `values`.

    Args:
        snapshots: of the attributes.
        call: the caller.
        source: one side.
        source_rows: (n,) of the pairs.
        target: the other.
        target_rows: (n,) of the pairs.
        values: (n,) of pairs joined by an attribute: those of one value belong together too.
    """
    columns: list[tuple[Sequence[Hashable], NDArray[np.int64]]] = []
    for snapshot, rows in ((source, source_rows), (target, target_rows)):
        # An item may stand in many pairs, and is read once.
        items, of_pair = np.unique(rows, return_inverse=True)
        column = (await snapshots.attributes(call, snapshot, items)).get(GROUP_ATTRIBUTE)
        if column is not None:
            columns.append((column.values, of_pair))
    return await asyncio.to_thread(_groups, len(source_rows), columns, values)


def _groups(
    n: int, columns: Sequence[tuple[Sequence[Hashable], NDArray[np.int64]]], values: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    links: list[tuple[int, int]] = []
    for of_items, of_pair in columns:
        links += _links(of_items[item] for item in of_pair)
    if values is not None:
        links += _links(values.tolist())
    if not links:
        return None
    ends = np.array(links)
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(n, n))
    groups: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def _links(values: Iterable[Hashable]) -> list[tuple[int, int]]:
    """Every pair with a value, linked to the first of that value."""
    first: dict[tuple[type, Hashable], int] = {}
    return [(at, first.setdefault((type(value), value), at)) for at, value in enumerate(values) if value is not None]
