"""Attribute columns: from what a caller gives to the contract's typed columns, and back."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._convert import as_list, is_sendable
from consilience.errors import InvalidArgumentError
from consilience.v1 import attribute_pb2

_FILLERS: dict[str, Any] = {"strings": "", "integers": 0, "reals": 0.0, "booleans": False}
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Column:
    """One typed attribute.

    Attributes:
        name: lower snake case.
        kind: the contract's oneof: `strings`, `integers`, `reals` or `booleans`.
        values: one an item; a filler where there is none.
        missing: positions without a value, ascending.
    """

    name: str
    kind: str
    values: list[Any]
    missing: list[int]

    def rows(self, start: int, stop: int) -> "Column":
        """Items [start, stop)."""
        low, high = bisect_left(self.missing, start), bisect_left(self.missing, stop)
        return Column(self.name, self.kind, self.values[start:stop], [position - start for position in self.missing[low:high]])

    def to_message(self) -> attribute_pb2.AttributeColumn:
        """The column as the contract has it."""
        message = attribute_pb2.AttributeColumn(name=self.name, missing=self.missing)
        getattr(message, self.kind).values.extend(self.values)
        return message

    def value_bytes(self) -> NDArray[np.int64]:
        """An upper bound of the encoded size of each value."""
        if self.kind == "strings":
            return np.fromiter((len(value.encode()) + 5 for value in self.values), dtype=np.int64, count=len(self.values))
        return np.full(len(self.values), 10, dtype=np.int64)


def to_columns(attributes: Any, count: int) -> list[Column]:
    """A mapping of name to values (lists, NumPy, Arrow, pandas), a DataFrame, or an Arrow table or record batch, as typed columns.

    None, NaN and pandas' NA are missing. Integers beside reals become reals. A column without any value is left out.

    Raises:
        InvalidArgumentError: it is none of these; a column has another length than there are items, or mixed or other types.
    """
    if attributes is None:
        return []
    columns = [_column(str(name), values, count) for name, values in _named(attributes)]
    return [column for column in columns if column is not None]


def from_columns(columns: Iterable[attribute_pb2.AttributeColumn]) -> dict[str, list[Any]]:
    """Messages as lists by name, None where an item has no value."""
    told: dict[str, list[Any]] = {}
    for column in columns:
        kind = column.WhichOneof("values")
        values: list[Any] = list(getattr(column, kind).values) if kind else []
        for position in column.missing:
            values[position] = None
        told[column.name] = values
    return told


def _named(attributes: Any) -> list[tuple[Any, Any]]:
    """Name and values of each column."""
    if isinstance(attributes, Mapping) or (hasattr(attributes, "items") and hasattr(attributes, "columns")):
        return list(attributes.items())
    if hasattr(attributes, "column_names") and hasattr(attributes, "columns"):
        return list(zip(attributes.column_names, attributes.columns, strict=True))
    raise InvalidArgumentError(
        f"attributes are of type {type(attributes).__name__}; give a mapping of name to values, a DataFrame or an Arrow table",
        reason="INVALID_ATTRIBUTE",
        field="attributes",
    )


def _column(name: str, given: Any, count: int) -> Column | None:
    field = f"attributes[{name}]"
    if not is_sendable(name):
        raise InvalidArgumentError(f"the attribute name {name!a} is no valid text", reason="INVALID_ATTRIBUTE", field="attributes")
    if isinstance(given, str | bytes | Mapping | AbstractSet) or not isinstance(given, Iterable):
        raise InvalidArgumentError(
            f"attribute {name!r} is of type {type(given).__name__}; give a list with one value an item",
            reason="INVALID_ATTRIBUTE",
            field=field,
        )
    values = as_list(given)
    if len(values) != count:
        raise InvalidArgumentError(
            f"attribute {name!r} has {len(values)} values for {count} items", reason="INVALID_ATTRIBUTE", field=field
        )
    missing = [position for position, value in enumerate(values) if _is_missing(value)]
    absent = set(missing)
    kinds = {_kind(value, name, field) for position, value in enumerate(values) if position not in absent}
    if not kinds:
        return None
    if kinds == {"integers", "reals"}:
        kinds = {"reals"}
    if len(kinds) > 1:
        raise InvalidArgumentError(
            f"attribute {name!r} mixes {' and '.join(sorted(kinds))}; give one type", reason="INVALID_ATTRIBUTE", field=field
        )
    kind = kinds.pop()
    filler = _FILLERS[kind]
    filled = [filler if position in absent else value for position, value in enumerate(values)] if absent else values
    return Column(name, kind, filled, missing)


def _is_missing(value: Any) -> bool:
    # NaN and NaT differ from themselves; comparing pandas' NA gives NA, which has no truth.
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float | np.floating) and bool(value != value))  # noqa: PLR0124


def _kind(value: Any, name: str, field: str) -> str:
    if isinstance(value, str):
        if not is_sendable(value):
            raise InvalidArgumentError(
                f"attribute {name!r} holds {value!a}, which is no valid text", reason="INVALID_ATTRIBUTE", field=field
            )
        return "strings"
    if isinstance(value, bool | np.bool_):
        return "booleans"
    if isinstance(value, int | np.integer) and int(value) in _INT64:
        return "integers"
    if isinstance(value, float | np.floating):
        return "reals"
    raise InvalidArgumentError(
        f"attribute {name!r} holds {value!r}, of type {type(value).__name__}; give strings, booleans, 64-bit integers or reals",
        reason="INVALID_ATTRIBUTE",
        field=field,
    )
