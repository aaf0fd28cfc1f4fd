"""`.npz`: named arrays of ids, vectors and attributes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from consilience._batches import RowSource
from consilience.errors import InvalidArgumentError
from consilience.ingest.columns import source_of_arrays


def open_npz(path: Path, ids: Any, id_column: str, vector_column: str, attribute_columns: Sequence[str] | None) -> RowSource:
    """The rows of a file, whole in memory; InvalidArgumentError where it lacks an array or holds pickled objects."""
    return source_of_arrays(load_npz(path), ids, id_column, vector_column, attribute_columns)


def load_npz(path: Path) -> dict[str, Any]:
    """A file's arrays by name; pickled objects are refused."""
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                raise InvalidArgumentError(f"{path.name} holds a single array: name it .npy", field="path")
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise InvalidArgumentError(f"{path.name} is no readable .npz file: {error}", field="path") from error
