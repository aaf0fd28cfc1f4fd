"""Results as Arrow tables and Parquet files: columns, and in the schema's metadata what they are of."""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from consilience._results.base import Result, plain
from consilience.errors import InvalidArgumentError, MissingExtraError

ROW_GROUP = 1 << 17
"""Rows a group: what a reader has in memory at a time."""

METADATA_KEY = b"consilience"


def import_arrow() -> Any:
    """Pyarrow with its Parquet part, or which extra brings it."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Arrow and Parquet need pyarrow: pip install 'consilience[report]'", reason="EXTRA_MISSING") from error
    return pa


def facts(kind: str, result: Result) -> dict[str, Any]:
    """All that a result tells beside its columns, as JSON can carry it."""
    told = {item.name: getattr(result, item.name) for item in dataclasses.fields(result) if item.compare}
    return {"kind": kind, **{name: plain(value) for name, value in told.items() if not isinstance(value, list | np.ndarray)}}


def metadata(told: Mapping[str, Any]) -> dict[bytes, bytes]:
    """The metadata of a schema."""
    return {METADATA_KEY: json.dumps(told, ensure_ascii=False, sort_keys=True).encode()}


def arrow_table(columns: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
    """A `pyarrow.Table` of equally long columns with facts about them; strings are `string`, numbers keep their type."""
    pa = import_arrow()
    arrays = [_array(pa, values) for values in columns.values()]
    return pa.table(dict(zip(columns, arrays, strict=True))).replace_schema_metadata(metadata(told))


def _array(pa: Any, values: Any) -> Any:
    is_text = not isinstance(values, np.ndarray) or values.dtype == object
    return pa.array(values, type=pa.string()) if is_text else pa.array(values)


def write_parquet(table: Any, path: Path) -> None:
    """Write a table in row groups; the file appears whole or not at all. InvalidArgumentError where it cannot be written."""
    pa = import_arrow()
    beside = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        with refused_path(path):
            pa.parquet.write_table(table, beside, row_group_size=ROW_GROUP)
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class refused_path:  # noqa: N801 - reads as a function: `with refused_path(path):`
    """Within it, a failure of the file system is an InvalidArgumentError about the path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise InvalidArgumentError(f"{self._path} cannot be written: {error}", field="path") from error
