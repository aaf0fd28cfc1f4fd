"""Files as rows to upload: which reader takes which ending."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consilience._batches import RowSource
from consilience._convert import to_ids
from consilience.errors import InvalidArgumentError

_ARROW = {".parquet", ".pq", ".arrow", ".feather", ".ipc", ".arrows"}


def open_file(
    path: Path,
    ids: str | Path | Sequence[str] | None = None,
    id_column: str = "id",
    vector_column: str = "vector",
    attribute_columns: Sequence[str] | None = None,
) -> RowSource:
    """The rows of a file, read as they are sent.

    Args:
        path: `.npy`, `.npz`, `.parquet`, `.arrow`, `.feather`, `.ipc`, `.pt` or `.pth`.
        ids: a text file with one id a line, or the ids: for files that hold none.
        id_column: the array or column of ids.
        vector_column: the array or column of vectors; where the default is missing, `vectors` and `embedding` are tried.
        attribute_columns: columns to keep as attributes; None is all others.

    Raises:
        InvalidArgumentError: no such file, an ending that is not read, or not what the file should hold.
        MissingExtraError: the package that reads it is not installed.
    """
    if not path.is_file():
        raise InvalidArgumentError(f"there is no file {path}", field="path")
    ending = path.suffix.lower()
    if ending == ".npy":
        from consilience.ingest.npy import open_npy

        return open_npy(path, ids)
    if ending == ".npz":
        from consilience.ingest.npz import open_npz

        return open_npz(path, ids, id_column, vector_column, attribute_columns)
    if ending in _ARROW:
        from consilience.ingest.arrow import open_arrow

        return open_arrow(path, id_column, vector_column, attribute_columns)
    if ending in {".pt", ".pth"}:
        from consilience.ingest.torch_file import open_torch

        return open_torch(path, ids, id_column, vector_column, attribute_columns)
    raise InvalidArgumentError(
        f"{path.name} has an ending that is not read; give .npy, .npz, .parquet, .arrow, .feather, .ipc or .pt", field="path"
    )


def open_kernel(
    path: Path,
    ids: str | Path | Sequence[str] | None = None,
    id_column: str = "id",
    vector_column: str = "vector",
    attribute_columns: Sequence[str] | None = None,
) -> tuple[list[str], Any, dict[str, Any]]:
    """A matrix over items from a file, whole in memory: its ids, the matrix as it stands, and attributes.

    Args:
        path: `.npy` (with `ids`) or `.npz`.
        ids: as in `open_file`.
        id_column: as in `open_file`.
        vector_column: the array of the matrix; where the default is missing, `vectors`, `matrix`, `kernel` and `rdm` are tried too.
        attribute_columns: as in `open_file`.

    Raises:
        InvalidArgumentError: another ending, or as `open_file`.
    """
    from consilience.ingest.columns import find_columns, read_ids

    if not path.is_file():
        raise InvalidArgumentError(f"there is no file {path}", field="path")
    ending = path.suffix.lower()
    if ending == ".npy":
        from consilience.ingest.npy import load_npy

        return read_ids(ids), load_npy(path), {}
    if ending == ".npz":
        from consilience.ingest.npz import load_npz

        arrays = load_npz(path)
        id_name, matrix, attributes = find_columns(list(arrays), id_column, vector_column, attribute_columns, ids_given=ids is not None)
        names = read_ids(ids) if id_name is None else to_ids(arrays[id_name], id_name)
        return names, arrays[matrix], {name: arrays[name] for name in attributes}
    raise InvalidArgumentError(f"{path.name} has an ending that no kernel is read from; give .npy or .npz", field="path")
