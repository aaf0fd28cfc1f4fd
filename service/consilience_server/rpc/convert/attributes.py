"""Attribute columns of the contract to and from those of the use cases."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from consilience.v1 import attribute_pb2, space_pb2
from consilience_server.app.ports import AttributeColumn, ValueType
from consilience_server.core.errors import InvalidAttribute

_TYPES: dict[str, ValueType] = {"strings": "string", "integers": "integer", "reals": "real", "booleans": "boolean"}
_MESSAGES = {
    "string": ("strings", attribute_pb2.StringValues, ""),
    "integer": ("integers", attribute_pb2.IntegerValues, 0),
    "real": ("reals", attribute_pb2.RealValues, 0.0),
    "boolean": ("booleans", attribute_pb2.BooleanValues, False),
}
_VALUE_TYPES = {
    "string": space_pb2.VALUE_TYPE_STRING,
    "integer": space_pb2.VALUE_TYPE_INTEGER,
    "real": space_pb2.VALUE_TYPE_REAL,
    "boolean": space_pb2.VALUE_TYPE_BOOLEAN,
}


def read_attributes(columns: Iterable[attribute_pb2.AttributeColumn], field: str) -> dict[str, AttributeColumn]:
    """Columns by name, None where a value is missing.

    Raises:
        InvalidAttribute: a name twice, no values at all, positions of missing values that do not ascend or lie outside.
    """
    found: dict[str, AttributeColumn] = {}
    for column in columns:
        where = f"{field}[{column.name}]"
        kind = column.WhichOneof("values")
        if kind is None:
            message = f"attribute {column.name!r} has no values; give one an item, marking those that are missing, or leave the column out"
            raise InvalidAttribute(message, field=where)
        if column.name in found:
            raise InvalidAttribute(f"attribute {column.name!r} stands twice in one batch; send each column once", field=where)
        values: list[str | int | float | bool | None] = list(getattr(column, kind).values)
        missing = list(column.missing)
        if any(later <= earlier for earlier, later in pairwise(missing)) or (missing and missing[-1] >= len(values)):
            raise InvalidAttribute(
                f"attribute {column.name!r}: positions of missing values must ascend and stay below {len(values)}", field=where
            )
        for position in missing:
            values[position] = None
        found[column.name] = AttributeColumn(_TYPES[kind], values)
    return found


def write_attributes(columns: Mapping[str, AttributeColumn]) -> list[attribute_pb2.AttributeColumn]:
    """Columns of an answer, in byte order of their names."""
    written = []
    for name, column in sorted(columns.items(), key=lambda entry: entry[0].encode()):
        slot, message, filler = _MESSAGES[column.type]
        values: Sequence[object] = [filler if value is None else value for value in column.values]
        missing = [position for position, value in enumerate(column.values) if value is None]
        written.append(attribute_pb2.AttributeColumn(name=name, missing=missing, **{slot: message(values=values)}))
    return written


def write_attribute_types(types: Mapping[str, ValueType]) -> list[space_pb2.AttributeType]:
    """Names and types, in byte order of the names."""
    names = sorted(types, key=str.encode)
    return [space_pb2.AttributeType(name=name, type=_VALUE_TYPES[types[name]]) for name in names]
