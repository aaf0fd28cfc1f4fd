"""What an item looks like in Arrow: its id, its vector, and typed attributes that may be missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from consilience_server.app.ports import AttributeColumn, ValueType
from consilience_server.core.errors import InvalidAttribute

ID = "id"
VECTOR = "vector"

_ARROW_TYPES: dict[ValueType, Any] = {"string": pa.string(), "integer": pa.int64(), "real": pa.float64(), "boolean": pa.bool_()}


@dataclass(frozen=True)
class StoredColumn:
    """An attribute of a space and the column that keeps it; `column` is free of whatever a name could mean to a query language."""

    name: str
    type: ValueType
    column: str
    since_version: int


def column_name(position: int) -> str:
    """The column of the attribute that was uploaded as the `position`-th of its space."""
    return f"attribute_{position:04d}"


def id_and_vector_schema(dim: int) -> Any:
    """Arrow schema of items without attributes: `id` string, `vector` (dim,) float32, neither ever null."""
    width = pa.list_(pa.field("item", pa.float32(), nullable=False), dim)
    return pa.schema([pa.field(ID, pa.string(), nullable=False), pa.field(VECTOR, width, nullable=False)])


def space_schema(dim: int, columns: Sequence[StoredColumn]) -> Any:
    """Arrow schema of a space's rows."""
    schema = id_and_vector_schema(dim)
    for column in columns:
        schema = schema.append(attribute_field(column.column, column.type))
    return schema


def attribute_field(name: str, value_type: ValueType) -> Any:
    """A nullable Arrow field of an attribute's type."""
    return pa.field(name, _ARROW_TYPES[value_type], nullable=True)


def value_type(field: Any) -> ValueType:
    """The attribute type of an Arrow field."""
    return next(name for name, arrow in _ARROW_TYPES.items() if arrow == field.type)


def attribute_array(name: str, column: AttributeColumn) -> Any:
    """An attribute's values as Arrow; None is null. InvalidAttribute where a value is not of the type."""
    try:
        return pa.array(column.values, type=_ARROW_TYPES[column.type], from_pandas=False)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        message = f"attribute {name!r} holds a value that is no {column.type} ({error}); convert the column"
        raise InvalidAttribute(message, field=f"batch.attributes[{name}]") from error


def attribute_column(value_type: ValueType, array: Any) -> AttributeColumn:
    """The reverse of `attribute_array`."""
    return AttributeColumn(type=value_type, values=array.to_pylist())


def vector_array(vectors: NDArray[np.float32]) -> Any:
    """(n, d) float32 as a fixed-size list, without a copy where C-contiguous."""
    contiguous = np.ascontiguousarray(vectors, dtype=np.float32)
    width = id_and_vector_schema(contiguous.shape[1]).field(VECTOR).type
    return pa.FixedSizeListArray.from_arrays(pa.array(contiguous.reshape(-1)), type=width)


def vector_matrix(array: Any) -> NDArray[np.float32]:
    """The reverse of `vector_array`; a read-only view where the array is in one piece."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    matrix: NDArray[np.float32] = (
        array.flatten().to_numpy(zero_copy_only=True).reshape(len(array), -1 if len(array) else array.type.list_size)
    )
    return matrix


def same_bits(left: Any, right: Any) -> NDArray[np.bool_]:
    """Where two attribute arrays of one type hold the same value, reals compared by their bits and null equal to null; (n,) bool."""
    if left.type == pa.float64():
        left, right = left.view(pa.int64()), right.view(pa.int64())
    both_missing = pc.and_(pc.is_null(left), pc.is_null(right))
    equal = pc.or_(pc.fill_null(pc.equal(left, right), fill_value=False), both_missing)
    result: NDArray[np.bool_] = equal.to_numpy(zero_copy_only=False)
    return result


def check_types(uploaded: Mapping[str, ValueType], known: Mapping[str, ValueType]) -> None:
    """InvalidAttribute where an uploaded column has another type than the space gave this name."""
    for name, found in uploaded.items():
        if known.get(name, found) != found:
            raise InvalidAttribute(
                f"attribute {name!r} is of type {known[name]} in this space, not {found}; convert it or choose another name",
                field=f"batch.attributes[{name}]",
            )
