"""Galleries that hold vectors of several sources, translated and native ones, whose scores do not compare."""

from collections import Counter

import numpy as np

from consilience_server.app.call import Call
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidAttribute
from consilience_server.core.exact_score import exact_norms
from consilience_server.core.mixed_norms import mixed_norms
from consilience_server.engine.snapshot import Snapshot

SOURCE_ATTRIBUTE = "embedding_source"
_SHOWN = 5


async def refuse_marked(snapshots: Snapshots, call: Call, space: Snapshot, field: str) -> None:
    """InvalidAttribute where the space's `embedding_source` has more than one value; an item without one is of another source."""
    name = space.name.removeprefix("spaces/")
    if SOURCE_ATTRIBUTE not in (await snapshots.record(name, field=field)).attributes:
        return
    column = (await snapshots.attributes(call, space, np.arange(space.n))).get(SOURCE_ATTRIBUTE)
    counts = Counter(() if column is None else column.values)
    if len(counts) < 2:
        return
    told = ", ".join(f"{'none' if value is None else repr(value)} ({count:,})" for value, count in counts.most_common(_SHOWN))
    raise InvalidAttribute(
        f"space {name!r} mixes vectors of {len(counts)} sources by its attribute {SOURCE_ATTRIBUTE!r}: {told}; their scores do not "
        "compare: keep each source as a space of its own",
        field=field,
    )


def suspect_mixture(space: Snapshot) -> str:
    """A sentence where the lengths of rows speak for two sources (`core/mixed_norms.py`); empty where they do not."""
    found = mixed_norms(exact_norms(space.vectors))
    if found is None:
        return ""
    name = space.name.removeprefix("spaces/")
    told = f"{found.unit_rows:,} of {found.rows:,} vectors of {name!r} are of unit length and the others are not (p {found.p_value:.1g})"
    return f"{told}: where these were translated, keep them apart, or mark them by {SOURCE_ATTRIBUTE!r}"
