"""The bytes of one step of an alignment, before anything of it is there: from the shapes of the spaces alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.metric_families.family import Compared, Side
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.planned_table import PlannedTable
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.tables import Tables, TableSubject
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.engine.alignment_scores import Pair, ScoreOptions
from consilience_server.engine.neighbour_scores import table_depth

_ID_BYTES = 72


@dataclass(frozen=True)
class PricedSpace:
    """What the cost of a space depends on: its items, the width of a vector, and how it is compared; `kernel` where it is a matrix."""

    items: int
    dim: int
    similarity: Similarity
    kernel: KernelKind | None = None

    @staticmethod
    def of(record: SpaceRecord) -> "PricedSpace":
        """Of a stored space."""
        return PricedSpace(record.item_count, record.spec.dim, record.spec.similarity, record.spec.kernel)

    def width(self, n: int) -> int:
        """Columns of a row where n items are compared."""
        return self.dim if self.kernel is None else n

    @property
    def nbytes(self) -> int:
        """Held as a snapshot."""
        return self.items * (4 * self.width(self.items) + _ID_BYTES)

    def copied(self, n: int, spec: AlignmentSpec) -> int:
        """Of the copy of n items that is compared, none where it is the whole space as it is."""
        changed = spec.preprocess != "none" and self.kernel is None
        return 4 * n * self.width(n) if changed or self.items != n else 0


@dataclass(frozen=True)
class Held:
    """What a step holds at once beyond the spaces: copies of them, neighbour tables, scratch."""

    copied: int
    tables: int
    scratch: int

    @property
    def nbytes(self) -> int:
        """All of it."""
        return self.copied + self.tables + self.scratch


def held_by(
    spaces: Sequence[PricedSpace],
    n: int,
    spec: AlignmentSpec,
    tables: Tables,
    limits: AlignmentLimits,
    *,
    pairs: Sequence[Pair] | None = None,
    copied: int | None = None,
) -> Held:
    """What it takes to compare spaces over n items.

    Args:
        spaces: those that are compared together.
        n: items.
        spec: already checked, every k a number.
        tables: knows what a search takes.
        limits: threads.
        pairs: those that are compared, all where None.
        copied: bytes of what is compared where it is no copy of the spaces.
    """
    family, widths = FAMILY_OF[spec.metric], [space.width(n) for space in spaces]
    planned: list[PlannedTable] = []
    searched = 0
    if family.reads == "tables":
        asked, depth = spec.queries(n), table_depth(spec.ks, n, spec.interval_kind)
        planned = [PlannedTable.of(asked, n, depth) for _ in spaces]
        searched = max(tables.search_bytes(asked, n, width, depth, space.kernel) for space, width in zip(spaces, widths, strict=True))
    compared = _planned(spaces, n, spec, planned, limits, pairs)
    return Held(
        sum(space.copied(n, spec) for space in spaces) if copied is None else copied,
        sum(table.nbytes for table in planned),
        max(searched, family.nbytes(compared)),
    )


def _planned(
    spaces: Sequence[PricedSpace],
    n: int,
    spec: AlignmentSpec,
    tables: Sequence[PlannedTable],
    limits: AlignmentLimits,
    pairs: Sequence[Pair] | None,
) -> Compared:
    """What a family would be given, in shape alone: no array holds more than one value."""
    sides = [
        Side(
            np.broadcast_to(np.float32(0), (n, space.width(n))),
            space.similarity,
            None,
            TableSubject("", 0, "", spec.preprocess),
            kernel=space.kernel,
        )
        for space in spaces
    ]
    options = ScoreOptions(
        permutations=spec.permutations,
        seed=spec.seed,
        alpha=spec.alpha,
        interval_kind=spec.interval_kind,
        confidence=spec.confidence,
        item_order=np.broadcast_to(np.uint64(0), n),
        threads=limits.threads,
    )
    asked = spec.queries(n)
    queries = None if asked == n else np.broadcast_to(np.int64(0), asked)
    return Compared(spec, np.broadcast_to(np.array("", dtype=object), n), sides, tables, options, pairs=pairs, queries=queries)
