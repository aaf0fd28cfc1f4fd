"""Which known pairs belong together, so that a split must not tear them apart."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from consilience_server.app.call import Call
from consilience_server.app.snapshots import Snapshots
from consilience_server.engine.snapshot import Snapshot

GROUP_ATTRIBUTE = "group_id"


async def pair_groups(
    snapshots: Snapshots, call: Call, source: Snapshot, source_rows: NDArray[np.int64], target: Snapshot, target_rows: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """(n,) the group of each pair, numbered from 0: pairs whose items have an equal `group_id` in either space, or a chain of such.

    An item without a value is alone. None where no item of either space has the attribute.
    """
    n = len(source_rows)
    links: list[tuple[int, int]] = []
    found = False
    for snapshot, rows in ((source, source_rows), (target, target_rows)):
        column = (await snapshots.attributes(call, snapshot, rows)).get(GROUP_ATTRIBUTE)
        if column is None:
            continue
        first: dict[tuple[type, object], int] = {}
        for at, value in enumerate(column.values):
            if value is not None:
                found = True
                links.append((at, first.setdefault((type(value), value), at)))
    if not found:
        return None
    ends = np.array(links)
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(n, n))
    groups: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups
