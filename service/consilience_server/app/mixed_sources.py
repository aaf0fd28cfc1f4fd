"""Galleries that hold vectors of several sources, translated and native ones, whose scores do not compare."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidAttribute
from consilience_server.core.exact_score import exact_norms
from consilience_server.core.mixed_norms import mixed_norms
from consilience_server.engine.snapshot import Snapshot

SOURCE_ATTRIBUTE = "embedding_source"
_SHOWN = 5


async def refuse_marked(snapshots: Snapshots, call: Call, space: Snapshot, field: str, rows: NDArray[np.int64] | None = None) -> None:
    """InvalidAttribute where `embedding_source` has more than one value among rows (None: all); items without one are of another source."""
    name = space.name.removeprefix("spaces/")
    if SOURCE_ATTRIBUTE not in (await snapshots.record(name, field=field)).attributes:
        return
    column = (await snapshots.attributes(call, space, np.arange(space.n) if rows is None else rows)).get(SOURCE_ATTRIBUTE)
    counts = Counter(() if column is None else column.values)
    if len(counts) < 2:
        return
    told = ", ".join(f"{'none' if value is None else repr(value)} ({count:,})" for value, count in counts.most_common(_SHOWN))
    raise InvalidAttribute(
        f"space {name!r} mixes vectors of {len(counts)} sources by its attribute {SOURCE_ATTRIBUTE!r}: {told}; their scores do not "
        "compare: keep each source as a space of its own, or search one at a time by a filter",
        field=field,
    )


class SourceMarks:
    """Refuses searches among items of several sources; the sources of a version are read once.

    Args:
        snapshots: reads attributes.
        derived: keeps what was read within the memory budget.
    """

    def __init__(self, snapshots: Snapshots, derived: DerivedVectors) -> None:
        self._snapshots = snapshots
        self._derived = derived

    async def refuse(self, call: Call, space: Snapshot, rows: NDArray[np.int64] | None, field: str) -> None:
        """`refuse_marked`, of rows that are searched together; None: all."""
        name = space.name.removeprefix("spaces/")
        if SOURCE_ATTRIBUTE not in (await self._snapshots.record(name, field=field)).attributes:
            return
        sources = await self._sources(call, space)
        if len(np.unique(sources if rows is None else sources[rows])) > 1:
            await refuse_marked(self._snapshots, call, space, field, rows)

    async def _sources(self, call: Call, space: Snapshot) -> NDArray[np.int64]:
        """(n,) numbers, equal for items of one source."""
        key = ("sources", space.uid, str(space.version))
        kept = self._derived.find(key)
        if isinstance(kept, np.ndarray):
            return kept
        column = (await self._snapshots.attributes(call, space, np.arange(space.n))).get(SOURCE_ATTRIBUTE)
        values = (None,) * space.n if column is None else column.values
        return await self._derived.kept(call, "load", key, lambda: _numbered(values), 8 * space.n, "tables")


def _numbered(values: Sequence[object]) -> NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def suspect_mixture(space: Snapshot) -> str:
    """A sentence where the lengths of rows speak for two sources (`core/mixed_norms.py`); empty where they do not."""
    found = mixed_norms(exact_norms(space.vectors))
    if found is None:
        return ""
    name = space.name.removeprefix("spaces/")
    told = f"{found.unit_rows:,} of {found.rows:,} vectors of {name!r} are of unit length and the others are not (p {found.p_value:.1g})"
    return f"{told}: where these were translated, keep them apart, or mark them by {SOURCE_ATTRIBUTE!r}"
