"""Groups of items and of the queries that ask them, by the same numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from consilience_server.app.call import Call
from consilience_server.app.pair_groups import GROUP_ATTRIBUTE
from consilience_server.app.snapshots import Snapshots
from consilience_server.engine.snapshot import Snapshot

Sides = tuple[tuple[Snapshot, NDArray[np.int64]], tuple[Snapshot, NDArray[np.int64]]]
"""The two spaces of a set of pairs, with the rows of its items in each."""


async def grouped_together(snapshots: Snapshots, call: Call, parts: Sequence[Sides]) -> list[NDArray[np.int64] | None]:
    """`pair_groups` of several sets of pairs: pairs of any set with an equal value in any of their spaces are of one group.

    A value means the same everywhere, so that whichever space names the group of a query, no item of it is fitted on. None for a set in
    which no item has the attribute.
    """
    links: list[tuple[int, int]] = []
    first: dict[tuple[type, object], int] = {}
    has = [False] * len(parts)
    starts = np.cumsum([0, *(len(sides[0][1]) for sides in parts)])
    for number, sides in enumerate(parts):
        for snapshot, rows in sides:
            column = (await snapshots.attributes(call, snapshot, rows)).get(GROUP_ATTRIBUTE)
            if column is None:
                continue
            for at, value in enumerate(column.values, int(starts[number])):
                if value is not None:
                    has[number] = True
                    links.append((at, first.setdefault((type(value), value), at)))
    if not links:
        return [None] * len(parts)
    ends, n = np.array(links), int(starts[-1])
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(n, n))
    groups: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return [groups[starts[number] : starts[number + 1]] if told else None for number, told in enumerate(has)]
