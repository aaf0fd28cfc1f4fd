"""What the calls that measure alignment would cost, before they are asked: from the records of the spaces alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_query import at_size, check_size, check_spec
from consilience_server.app.alignment_spec import GroupQuery, SpaceQuery
from consilience_server.app.comparing import Comparing
from consilience_server.app.consensus import Consensus
from consilience_server.app.consensus_query import ConsensusQuery
from consilience_server.app.controls import all_spaces, check_controls
from consilience_server.app.deduplication import check_vectors
from consilience_server.app.estimate_query import EstimateQuery
from consilience_server.app.gallery_curve_query import gallery_sizes
from consilience_server.app.gallery_curves import GalleryCurves
from consilience_server.app.given_space import check_given
from consilience_server.app.item_sample import check_sample, compared_items
from consilience_server.app.joined_scores import check_space
from consilience_server.app.layered_scores import check_halves, check_layered
from consilience_server.app.matrix_alignment import check_matrix
from consilience_server.app.memory_budget import Account
from consilience_server.app.priced_calls import PricedCall
from consilience_server.app.priced_steps import PricedSpace
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.app.trend import Trends
from consilience_server.core.errors import DomainError, MemoryBudget, NotFound


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


@dataclass(frozen=True)
class UseCases:
    """Those that are priced: each knows its own checks and seconds."""

    alignment: Alignment
    trends: Trends
    consensus: Consensus
    curves: GalleryCurves
    comparing: Comparing


class Estimates:
    """Prices calls. Reads records, holds nothing."""

    def __init__(self, snapshots: Snapshots, tables: Tables, account: Account, use_cases: UseCases) -> None:
        self._snapshots = snapshots
        self._tables = tables
        self._account = account
        self._calls = use_cases
        self._limits = use_cases.alignment.limits

    async def cost(self, query: EstimateQuery) -> Cost:
        """The cost of a call. A version that is pinned is taken to be as large as the newest.

        Raises:
            SpaceNotFound.
        """
        n = 0
        try:
            sides = [await self._side(space, field) for space, field in zip(query.asked, query.fields, strict=True)]
            n = min(space.items for side in sides for space in side)
            seconds = await self._checked(query, sides, n)
        except NotFound:
            raise
        except DomainError as refusal:
            return Cost(n, query.spec.queries(n), 0, 0.0, 0, 0, 0, self._account.free, self._account.budget, [refusal])
        numbers = at_size(query.spec, n, self._limits)
        n = compared_items(n, numbers)
        priced = PricedCall(query, numbers, sides, n, self._tables, self._limits)
        steps = priced.steps()
        worst = max(steps, key=lambda step: step.nbytes)
        cost = Cost(
            items_at_most=n,
            queries=numbers.queries(n),
            searches=priced.searches(),
            seconds=seconds,
            vector_bytes=sum(space.nbytes for side in sides for space in side) + worst.copied,
            table_bytes=worst.tables,
            scratch_bytes=worst.scratch,
            free_bytes=self._account.free,
            budget_bytes=self._account.budget,
            refusals=(),
        )
        return replace(cost, refusals=[_beyond(cost)]) if cost.peak_bytes > cost.free_bytes else cost

    async def _side(self, query: SpaceQuery | GroupQuery, field: str) -> list[PricedSpace]:
        layers = await self._calls.alignment.layers(query, field)
        return [PricedSpace.of(await self._snapshots.record(layer.name, field=field)) for layer in layers]

    async def _checked(self, query: EstimateQuery, sides: Sequence[Sequence[PricedSpace]], n: int) -> float:
        """The seconds; the first thing that the records show to be wrong."""
        check_spec(query.spec, self._limits)
        seconds = await self._seconds(query)
        check_size(n, at_size(query.spec, n, self._limits))
        check_sample(n, query.spec)
        measured = len(sides) - (query.given is not None)
        for side, field in zip(sides[:measured], query.fields, strict=False):
            for space in side:
                check_space(query.spec.metric, space.similarity, space.kernel, field, field)
        if query.spec.deduplicate:
            for side, asked in zip(sides, query.asked, strict=True):
                for space in side:
                    check_vectors(asked.name, space.kernel)
        choice = any(len(side) > 1 for side in sides)
        if not all_spaces(query.asked):
            check_layered(query.spec)
            if choice and query.spec.layer_selection == "split_half":
                check_halves(compared_items(n, query.spec), query.spec, self._limits)
        return seconds

    async def _seconds(self, query: EstimateQuery) -> float:
        """By the use case itself, which refuses what it would refuse."""
        calls, spec = self._calls, query.spec
        if query.call == "align":
            x, y = query.spaces
            check_controls(x, y, query.controls)
            if query.given is not None:
                check_given(x, y, query.given, spec)
            return await calls.alignment.estimate_align(x, y, spec, query.controls, query.given)
        spaces = query.alone
        if query.call == "trend":
            return await calls.trends.estimate_seconds(query.trend())
        if query.call == "consensus":
            return await calls.consensus.estimate_seconds(ConsensusQuery(spaces, spec, query.method, query.rank))
        if query.call == "gallery_curve":
            records = [await self._snapshots.record(space.name) for space in spaces]
            gallery_sizes(query.curve(), min(record.item_count for record in records))
            return await calls.curves.estimate_seconds(query.curve())
        if query.call == "compare_alignments":
            return await calls.comparing.estimate_seconds((spaces[0], spaces[1]), (spaces[2], spaces[3]), spec)
        check_matrix(spaces, query.items, spec)
        return await calls.alignment.estimate_seconds(spaces, spec)


def _beyond(cost: Cost) -> MemoryBudget:
    return MemoryBudget(
        f"this needs about {cost.peak_bytes:,} bytes at once; {cost.free_bytes:,} of the budget of {cost.budget_bytes:,} are free. "
        "Ask a sample or a smaller k, wait for running work, or raise memory_budget_bytes",
        needed_bytes=cost.peak_bytes,
        free_bytes=cost.free_bytes,
        budget_bytes=cost.budget_bytes,
    )
