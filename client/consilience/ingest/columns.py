"""Which of a file's named columns holds what."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from consilience._batches import ArraySource, to_block
from consilience._convert import to_ids
from consilience.errors import InvalidArgumentError

_IDS = ("id", "ids", "item_id", "item_ids")
_VECTORS = ("vector", "vectors", "embedding", "embeddings", "matrix", "kernel", "rdm")


def find_columns(
    names: Collection[str], id_column: str, vector_column: str, attribute_columns: Sequence[str] | None, *, ids_given: bool = False
) -> tuple[str | None, str, list[str]]:
    """The columns of ids, of vectors, and of attributes.

    A default name that is missing may stand under its usual others (`ids`, `item_id`; `vectors`, `embedding`).

    Raises:
        InvalidArgumentError: a column is missing; the message lists those that are there.
    """
    ids = None if ids_given else _find(names, id_column, _IDS, "ids", "id_column")
    vectors = _find(names, vector_column, _VECTORS, "vectors", "vector_column")
    if isinstance(attribute_columns, str):
        raise InvalidArgumentError(
            f"attribute_columns is the single string {attribute_columns!r}; give a list of columns", field="attribute_columns"
        )
    if attribute_columns is None:
        return ids, vectors, [name for name in names if name not in {ids, vectors}]
    for name in attribute_columns:
        _find(names, name, (), "the attribute", "attribute_columns")
    return ids, vectors, list(attribute_columns)


def source_of_arrays(
    arrays: Mapping[str, Any], ids: Any, id_column: str, vector_column: str, attribute_columns: Sequence[str] | None
) -> ArraySource:
    """Named arrays in memory as rows to upload."""
    id_name, vector_name, attributes = find_columns(list(arrays), id_column, vector_column, attribute_columns, ids_given=ids is not None)
    given = read_ids(ids) if id_name is None else to_ids(arrays[id_name], id_name)
    return ArraySource(to_block(given, arrays[vector_name], {name: arrays[name] for name in attributes}))


def read_ids(ids: Any) -> list[str]:
    """Ids as given, or from a text file with one a line.

    Raises:
        InvalidArgumentError: none were given, or the file cannot be read.
    """
    if ids is None:
        raise InvalidArgumentError(
            "this file holds no ids: pass a text file with one id a line, or the ids", reason="INVALID_ID", field="ids"
        )
    if not isinstance(ids, str | Path):
        return to_ids(ids)
    try:
        return Path(ids).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"the file of ids cannot be read: {error}", field="ids") from error


def _find(names: Collection[str], wanted: str, others: Sequence[str], what: str, field: str) -> str:
    if wanted in names:
        return wanted
    found = [name for name in others if name in names] if wanted in others[:1] else []
    if not found:
        listed = ", ".join(sorted(names)) or "none"
        raise InvalidArgumentError(f"there is no column {wanted!r} for {what}; there are: {listed}", field=field)
    return found[0]
