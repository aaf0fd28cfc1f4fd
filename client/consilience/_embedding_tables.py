"""Pages of embeddings as Arrow tables of one schema, so that a file of them is taken by `ingest` as it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from consilience._results.arrow import import_arrow
from consilience._results.space import Embeddings, Space
from consilience.errors import InvalidArgumentError


def embedding_schema(space: Space, id_column: str, vector_column: str) -> Any:
    """Ids as text, vectors as lists of `space.dim` float32, and all attributes that the space has seen, with their types.

    Raises:
        InvalidArgumentError: the space is a kernel, or an attribute has the name of a column.
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_arrow()
    if space.kind != "vectors":
        raise InvalidArgumentError(
            f"space {space.name!r} holds a kernel, which no column of vectors takes; get_embeddings reads its matrix", field="space"
        )
    if id_column == vector_column:
        raise InvalidArgumentError(f"ids and vectors cannot both be in column {id_column!r}", field="vector_column")
    for column, field in ((id_column, "id_column"), (vector_column, "vector_column")):
        if column in space.attributes:
            raise InvalidArgumentError(
                f"space {space.name!r} has an attribute {column!r}, the name of the column of {field.partition('_')[0]}s; give another "
                f"{field}, here and to ingest",
                field=field,
            )
    types = {"string": pa.string(), "integer": pa.int64(), "real": pa.float64(), "boolean": pa.bool_()}
    own = [(id_column, pa.string()), (vector_column, pa.list_(pa.float32(), space.dim))]
    return pa.schema([*own, *((name, types[kind]) for name, kind in sorted(space.attributes.items()))])


def embedding_table(page: Embeddings, schema: Any) -> Any:
    """A page in the schema; an attribute that no item of it has is all null."""
    pa = import_arrow()
    id_column, vector_column, *names = schema.names
    values = pa.array(np.ascontiguousarray(page.vectors).ravel())
    columns: dict[str, Any] = {
        id_column: pa.array(page.ids, type=pa.string()),
        vector_column: pa.FixedSizeListArray.from_arrays(values, schema.field(vector_column).type.list_size),
    }
    for name in names:
        columns[name] = pa.array(_values(page.attributes, name, len(page)), type=schema.field(name).type)
    return pa.table(columns, schema=schema)


def _values(attributes: Mapping[str, Any], name: str, count: int) -> Any:
    return attributes.get(name, [None] * count)
