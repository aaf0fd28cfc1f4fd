"""What an alignment would cost."""

from dataclasses import dataclass

from consilience._results.base import Result


@dataclass(frozen=True)
class Refusal:
    """An error that the call would end with.

    Attributes:
        reason: stable name, as `error.reason`.
        field: the argument at fault, as `error.field`; empty where there is none.
        message: what is wrong, and the remedy.
        code: name of the gRPC status, such as `INVALID_ARGUMENT`, which decides the class of the error.
    """

    reason: str
    field: str
    message: str
    code: str = "UNKNOWN"


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentEstimate(Result):
    """The cost of an alignment from scratch, told from the records of the spaces alone.

    Attributes:
        items_at_most: the common items cannot be more: the items of the smallest space.
        queries: how many of them are asked.
        searches: of a space for its neighbours; fewer where tables are kept from earlier calls.
        seconds: a rough estimate, at the rate that the server is set to.
        runs: `inline` (answered within the call) or `operation`, where the caller leaves it open.
        peak_bytes: the most that is held at once, an upper estimate: vectors, tables and scratch.
        vector_bytes, table_bytes, scratch_bytes: what it is made of.
        free_bytes: of the server's memory budget now.
        budget_bytes: the memory budget.
        refusals: what would be refused, and why; empty where the records show nothing.
    """

    items_at_most: int
    queries: int
    searches: int
    seconds: float
    runs: str
    peak_bytes: int
    vector_bytes: int
    table_bytes: int
    scratch_bytes: int
    free_bytes: int
    budget_bytes: int
    refusals: tuple[Refusal, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the peak fits the memory that is free now."""
        return self.peak_bytes <= self.free_bytes

    @property
    def is_accepted(self) -> bool:
        """Whether nothing is known that would be refused."""
        return not self.refusals

    def __repr__(self) -> str:
        if self.refusals:
            return "\n".join(f"would be refused: {each.message} ({each.reason})" for each in self.refusals)
        asked = "" if self.queries == self.items_at_most else f"{self.queries:,} queries of "
        return " · ".join(
            [
                f"about {_seconds(self.seconds)}, {'within the call' if self.runs == 'inline' else 'as an operation'}",
                f"at most {_bytes(self.peak_bytes)} of {_bytes(self.free_bytes)} free",
                f"{self.searches} searches",
                f"{asked}at most {self.items_at_most:,} items",
            ]
        )


def _seconds(value: float) -> str:
    if value < 60:
        return f"{value:.2g} s"
    return f"{value / 60:.2g} min" if value < 3600 else f"{value / 3600:.2g} h"


def _bytes(value: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:,} bytes"
