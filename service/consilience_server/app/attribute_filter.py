"""Which items of a gallery fulfil an expression over their attributes, found once for a version and kept."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.filter_expression import read_filter
from consilience_server.engine.snapshot import Snapshot

_VALUE_BYTES = 160
"""Peak bytes of an item: its values as objects, and the masks of the conditions."""


class AttributeFilters:
    """Evaluates filters.

    Args:
        snapshots: reads attributes.
        derived: keeps answers within the memory budget.
    """

    def __init__(self, snapshots: Snapshots, derived: DerivedVectors) -> None:
        self._snapshots = snapshots
        self._derived = derived

    async def fulfilled(self, call: Call, gallery: Snapshot, text: str) -> NDArray[np.bool_]:
        """(n,) bool: the items for which the expression is true.

        Raises:
            InvalidArgument: an expression that cannot be read.
            InvalidAttribute: attributes that the space does not have, or of another type.
            MemoryBudget, Overloaded.
        """
        expression = read_filter(text)
        key = ("filter", gallery.uid, str(gallery.version), text)
        kept = self._derived.find(key)
        if isinstance(kept, np.ndarray):
            return kept
        columns = await self._snapshots.attributes(call, gallery, np.arange(gallery.n, dtype=np.int64))
        typed = {name: (column.type, column.values) for name, column in columns.items()}
        return await self._derived.kept(call, "load", key, lambda: expression.kept(typed), _VALUE_BYTES * gallery.n, "tables")
