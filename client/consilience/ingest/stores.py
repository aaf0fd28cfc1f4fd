"""Collections of other stores as rows to upload.

No store tells which of its points changed: every run reads all of them (or those of a filter), the server compares each with what it has,
and only what is new or differs makes a version; where nothing does, there is none. What a store no longer has stays in the space.
"""

from collections.abc import Sequence
from typing import Any

from consilience.errors import InvalidArgumentError
from consilience.ingest.store_pages import StoreSource
from consilience.ingest.store_url import parse_store_url


def open_store(address: str, id_column: str, attribute_columns: Sequence[str] | None) -> StoreSource:
    """The rows of a collection.

    Args:
        address: as in `store_url.py`.
        id_column: the payload key or field of ids; `id` is the store's own.
        attribute_columns: payload keys or fields to keep, `name` or `name:type`; None is all that hold strings, numbers or booleans.

    Raises:
        InvalidArgumentError: no such collection, vector, field or filter.
        MissingExtraError: the store's client is not installed.
        Unavailable: the store does not answer.
    """
    url = parse_store_url(address)
    if isinstance(attribute_columns, str):
        raise InvalidArgumentError(
            f"attribute_columns is the single string {attribute_columns!r}; give a list of columns", field="attribute_columns"
        )
    if url.scheme == "qdrant":
        from consilience.ingest.qdrant import open_qdrant

        return open_qdrant(url, id_column, attribute_columns)
    from consilience.ingest.milvus import open_milvus

    return open_milvus(url, id_column, attribute_columns)


def refuse_for_store(options: dict[str, Any]) -> None:
    """InvalidArgumentError for what is given and makes sense for files or kernels only."""
    for name, value in options.items():
        if value:
            raise InvalidArgumentError(f"{name} is of files and kernels; a store has its own ids, and vectors", field=name)
