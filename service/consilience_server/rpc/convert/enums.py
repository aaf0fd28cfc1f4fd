"""Values of the contract's enums to the names of the use cases: served, known but not served, or unknown."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from consilience_server.core.errors import InvalidArgument, NotServed

K = TypeVar("K", bound=int)
V = TypeVar("V")


class EnumType(Protocol):
    """What generated enums offer."""

    def values(self) -> list[int]:
        """All numbers."""
        ...

    def Name(self, number: int) -> str:  # noqa: N802 - protobuf's spelling
        """The name of a number."""
        ...


def served(
    kind: EnumType, value: int, table: Mapping[K, V], field: str, *, what: str, unknown: type[InvalidArgument] = InvalidArgument
) -> V:
    """What `table` has for `value`; a default stands in the table under 0.

    Raises:
        unknown: unspecified where the table has no default, or a number that the contract does not have.
        NotServed: of the contract, but not in the table.
    """
    for number, meaning in table.items():
        if number == value:
            return meaning
    offered = ", ".join(_plain(kind, number) for number in table if number)
    if value == 0 or value not in kind.values():
        given = "is unspecified" if value == 0 else f"{value} is unknown"
        raise unknown(f"the {what} {given}; served are {offered}", field=field)
    raise NotServed(
        f"the {what} {_plain(kind, value)} is not served by this version; served are {offered}", field=field, missing=kind.Name(value)
    )


def _plain(kind: EnumType, number: int) -> str:
    """As callers of the SDK write it: `BRIDGE_METHOD_MEAN_SHIFT` is `mean_shift`."""
    return kind.Name(number).removeprefix(kind.Name(0).removesuffix("UNSPECIFIED")).lower()
