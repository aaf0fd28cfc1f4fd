"""Files that outlive a crash: the one place that calls fsync.

The discipline, everywhere in the store: a file's bytes are fsynced before anything refers to it; a name becomes visible by a rename
(or by a row of the catalog) only after that; the folder that holds the name is fsynced next; only then is the caller told. Deleting needs
none of this: what is left over after a crash is swept when the store is next opened for writing.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(path: Path) -> None:
    """Make a folder, with its parents, and make its name durable."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def write_durably(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Write a file whole or not at all: into a temporary name, fsynced, renamed over `path`, the folder fsynced.

    Leaves no temporary file behind when it fails.
    """
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("xb", buffering=0) as file:
            for part in parts:
                _write_all(file.fileno(), memoryview(part).cast("B"))
            os.fsync(file.fileno())
        # The call by its plain name, beside fsync: both are what a fault test makes fail.
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _write_all(handle: int, view: memoryview) -> None:
    while view.nbytes:
        view = view[os.write(handle, view) :]


def sync_and_digest(path: Path) -> tuple[int, str]:
    """Fsync a file that another library wrote; returns its size and the hex SHA-256 of its bytes."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def file_digest(path: Path) -> tuple[int, str]:
    """Size and hex SHA-256 of a file; about 1.4 GB/s."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def remove_tree(path: Path) -> int:
    """Remove a folder with all it holds, if it is there; returns the bytes freed. Names left behind by a failure are for the next sweep."""
    freed = tree_bytes(path)
    shutil.rmtree(path, ignore_errors=True)
    return freed


def tree_bytes(path: Path) -> int:
    """Bytes of all files below a folder; those that vanish meanwhile count nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
