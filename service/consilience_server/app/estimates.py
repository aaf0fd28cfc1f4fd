"""What an alignment would cost, before it is asked: from the records of the spaces alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from consilience_server.app.alignment_query import at_size, check_size, check_spec, estimated_seconds, in_numbers
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, SpaceQuery
from consilience_server.app.item_sample import check_sample, compared_items
from consilience_server.app.memory_budget import Account
from consilience_server.app.metric_families.family import Compared, Side
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.planned_table import PlannedTable
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.reports import ItemPolicy
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables, TableSubject
from consilience_server.core.errors import DomainError, InvalidArgument, InvalidK, MemoryBudget
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.neighbour_scores import table_depth

_ID_BYTES = 72


@dataclass(frozen=True)
class Cost:
    """What the contract's EstimateAlignmentResponse tells but the mode; `refusals` are the errors that the call would end with."""

    items_at_most: int
    queries: int
    searches: int
    seconds: float
    vector_bytes: int
    table_bytes: int
    scratch_bytes: int
    free_bytes: int
    budget_bytes: int
    refusals: Sequence[DomainError]

    @property
    def peak_bytes(self) -> int:
        """All that is held at once."""
        return self.vector_bytes + self.table_bytes + self.scratch_bytes


class Estimates:
    """Prices alignments. Reads records, holds nothing."""

    def __init__(self, snapshots: Snapshots, tables: Tables, account: Account, limits: AlignmentLimits) -> None:
        self._snapshots = snapshots
        self._tables = tables
        self._account = account
        self._limits = limits

    async def alignment(self, spaces: Sequence[SpaceQuery], spec: AlignmentSpec, items: ItemPolicy | None) -> Cost:
        """The cost of two spaces, or where `items` is given of a matrix.

        A version that is pinned is taken to be as large as the newest.

        Raises:
            SpaceNotFound; InvalidArgument for fewer than two spaces.
        """
        if len(spaces) < 2:
            raise InvalidArgument(f"{len(spaces)} spaces; an alignment is of two or more", field="spaces")
        records = [await self._snapshots.record(space.name, field=f"spaces[{at}]") for at, space in enumerate(spaces)]
        n = min(record.item_count for record in records)
        refusals = _refusals(spaces, records, n, spec, items, self._limits)
        if refusals:
            return Cost(n, spec.queries(n), 0, 0.0, 0, 0, 0, self._account.free, self._account.budget, refusals)
        spec, n = in_numbers(spec, n), compared_items(n, spec)
        cost = self._of(records, n, spec, items)
        if cost.peak_bytes > cost.free_bytes:
            return replace(cost, refusals=[_beyond(cost)])
        return cost

    def _of(self, records: Sequence[SpaceRecord], n: int, spec: AlignmentSpec, items: ItemPolicy | None) -> Cost:
        family, widths = FAMILY_OF[spec.metric], [_width(record, n) for record in records]
        # Of pairs over their own items, each has two tables at a time, and all of them are searched.
        at_once = 2 if items == "pairwise" else len(records)
        pairs = len(records) * (len(records) - 1) // 2
        seconds = estimated_seconds([n] * len(records), widths, spec, self._limits)
        vectors = sum(record.item_count * (4 * record.width + _ID_BYTES) for record in records)
        copied = sorted((4 * n * width for record, width in zip(records, widths, strict=True) if _copies(record, n, spec)), reverse=True)
        tables: list[PlannedTable] = []
        searched = 0
        if family.reads == "tables":
            asked, depth = spec.queries(n), table_depth(spec.ks, n, spec.interval_kind)
            tables = [PlannedTable.of(asked, n, depth) for _ in range(at_once)]
            searched = max(
                self._tables.search_bytes(asked, n, width, depth, record.spec.kernel) for record, width in zip(records, widths, strict=True)
            )
        planned = _planned(records[:at_once], widths[:at_once], n, spec, tables, self._limits)
        return Cost(
            items_at_most=n,
            queries=spec.queries(n),
            searches=0 if not tables else (len(records) + 2 * pairs if items == "pairwise" else len(records)),
            seconds=seconds,
            vector_bytes=vectors + sum(copied[:at_once]),
            table_bytes=sum(table.nbytes for table in tables),
            scratch_bytes=max(searched, family.nbytes(planned)),
            free_bytes=self._account.free,
            budget_bytes=self._account.budget,
            refusals=(),
        )


def _refusals(
    spaces: Sequence[SpaceQuery],
    records: Sequence[SpaceRecord],
    n: int,
    spec: AlignmentSpec,
    items: ItemPolicy | None,
    limits: AlignmentLimits,
) -> list[DomainError]:
    """What the records show; the first thing that is wrong."""
    try:
        check_spec(spec, limits)
        if items is not None and len({space.name for space in spaces}) != len(spaces):
            raise InvalidArgument("a matrix needs two or more spaces, each named once", field="spaces")
        if items is not None and len(spec.ks) + len(spec.k_fractions) != 1:
            raise InvalidArgument(f"a matrix has one k, not {len(spec.ks) + len(spec.k_fractions)}; ask once for each", field="spec.ks")
        if items == "pairwise" and spec.k_fractions:
            raise InvalidK("a share of each pair's own items is another k for each pair; ask a number", field="spec.k_fractions")
        check_size(n, at_size(spec, n, limits))
        check_sample(n, spec)
        family = FAMILY_OF[spec.metric]
        for at, record in enumerate(records):
            if record.spec.kernel is None:
                family.check(record.spec.similarity, f"spaces[{at}]")
    except DomainError as refusal:
        return [refusal]
    return []


def _beyond(cost: Cost) -> MemoryBudget:
    return MemoryBudget(
        f"this needs about {cost.peak_bytes:,} bytes at once; {cost.free_bytes:,} of the budget of {cost.budget_bytes:,} are free. "
        "Ask a sample or a smaller k, wait for running work, or raise memory_budget_bytes",
        needed_bytes=cost.peak_bytes,
        free_bytes=cost.free_bytes,
        budget_bytes=cost.budget_bytes,
    )


def _width(record: SpaceRecord, n: int) -> int:
    return record.width if record.spec.kernel is None else n


def _copies(record: SpaceRecord, n: int, spec: AlignmentSpec) -> bool:
    """Whether the common items of a space are copied: they are not all of it, or they are preprocessed."""
    return record.item_count != n or (spec.preprocess != "none" and record.spec.kernel is None)


def _planned(
    records: Sequence[SpaceRecord],
    widths: Sequence[int],
    n: int,
    spec: AlignmentSpec,
    tables: Sequence[PlannedTable],
    limits: AlignmentLimits,
) -> Compared:
    """What a family would be given, in shape alone: no array holds more than one value."""
    sides = [
        Side(
            np.broadcast_to(np.float32(0), (n, width)),
            record.spec.similarity,
            None,
            TableSubject(record.uid, 0, "", spec.preprocess),
            kernel=record.spec.kernel,
        )
        for record, width in zip(records, widths, strict=True)
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
    return Compared(spec, np.broadcast_to(np.array("", dtype=object), n), sides, tables, options, queries=queries)
