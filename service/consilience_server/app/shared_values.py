"""Items of two spaces by the values of an attribute: equal values are partners, many-to-many."""

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidAttribute, NoCommonItems
from consilience_server.engine.snapshot import Snapshot

Values = tuple[NDArray[np.int64], NDArray[np.int64]]


async def shared_values(snapshots: Snapshots, call: Call, attribute: str, source: Snapshot, target: Snapshot, field: str) -> Values:
    """(m,) and (n,) int64, the number of each item's value, -1 for items without one; NaN is none, and True is not 1.

    Args:
        snapshots: of the attributes.
        call: the caller.
        attribute: its name.
        source: one space.
        target: the other.
        field: of the request that names the attribute, for refusals.

    Raises:
        InvalidAttribute: a space without the attribute.
        NoCommonItems: no value is in both.
    """
    columns = []
    for snapshot, side in ((source, "source"), (target, "target")):
        column = (await snapshots.attributes(call, snapshot, np.arange(snapshot.n))).get(attribute)
        if column is None:
            name = snapshot.name.removeprefix("spaces/")
            raise InvalidAttribute(
                f"no item of the {side} space {name!r} has the attribute {attribute!r}; upsert it, or give known pairs by id", field=field
            )
        columns.append(column.values)
    found = await asyncio.to_thread(_numbered, columns[0], columns[1])
    if not (np.intersect1d(*found) >= 0).any():
        raise NoCommonItems(f"no value of {attribute!r} is in both spaces, so no pair is known", field=field)
    return found


def _numbered(source: Sequence[object], target: Sequence[object]) -> Values:
    numbers: dict[object, int] = {}

    def number(value: object) -> int:
        if value is None or value != value:  # noqa: PLR0124 - NaN is no value
            return -1
        return numbers.setdefault((type(value), value), len(numbers))

    one, other = (np.fromiter(map(number, values), dtype=np.int64, count=len(values)) for values in (source, target))
    return one, other
