"""The files behind a space: what a Lance version consists of, whether they are unharmed, and which are debris."""

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import stat_result
from pathlib import Path
from typing import Any, Final

import lance

from consilience_server.adapters.durable_files import file_digest, make_directory, sync_and_digest, sync_directory
from consilience_server.adapters.storage_errors import reading
from consilience_server.adapters.store_catalog import StoredFile
from consilience_server.core.errors import CorruptData

STORAGE_VERSION: Final = "2.2"
"""Lance's file format, named outright: the default moves with its releases."""

_HINT = "_versions/latest_version_hint.json"
_MANIFEST = re.compile(r"_versions/\d{20}\.manifest")
_DIGEST_THREADS = 2


def open_version(directory: Path, lance_version: int) -> Any:
    """A Lance dataset at one of its versions; CorruptData where it can't be opened."""
    with reading(f"Lance version {lance_version} in {directory}"):
        return lance.dataset(str(directory), version=lance_version)


def create_dataset(directory: Path, schema: Any) -> Any:
    """A Lance dataset without rows."""
    make_directory(directory.parent)
    return lance.write_dataset(schema.empty_table(), str(directory), mode="create", data_storage_version=STORAGE_VERSION)


def empty_dataset(directory: Path, schema: Any) -> Any:
    """The dataset with another schema and no row, as a Lance version of its own; earlier versions stay as they are."""
    return lance.write_dataset(schema.empty_table(), str(directory), mode="overwrite", data_storage_version=STORAGE_VERSION)


def secure_files(directory: Path, dataset: Any, known: Mapping[str, StoredFile]) -> list[StoredFile]:
    """Make the dataset's version durable and describe its files.

    Args:
        directory: the space's folder.
        dataset: open at the newest Lance version.
        known: files described before, by path; they are immutable and only listed again.

    Returns:
        Every file that this version needs. New ones are fsynced and digested, and the folders fsynced.
    """
    paths = _files_of(dataset)
    new = [path for path in paths if path not in known]
    with ThreadPoolExecutor(_DIGEST_THREADS) as pool:
        described = dict(zip(new, pool.map(lambda path: StoredFile(path, *sync_and_digest(directory / path)), new), strict=True))
    for folder in sorted({(directory / path).parent for path in new}):
        sync_directory(folder)
    sync_directory(directory)
    sync_directory(directory.parent)
    return [described.get(path) or known[path] for path in paths]


def _files_of(dataset: Any) -> list[str]:
    rows = dataset.tracked_files(min_version=dataset.version).read_all().to_pylist()
    return sorted({row["path"] for row in rows if row["version"] == dataset.version})


class FileChecks:
    """Compares files with their digests; remembers those that passed for as long as their size, inode and times stay."""

    def __init__(self) -> None:
        self._passed: dict[Path, tuple[int, int, int, int]] = {}

    def check(self, directory: Path, files: Sequence[StoredFile], *, trust_earlier: bool) -> None:
        """CorruptData unless every file is there with the digest of the catalog.

        Args:
            directory: the space's folder.
            files: of one layout.
            trust_earlier: skip those that passed before and were not touched since. Without it every byte is read (about 1.4 GB/s a core).
        """
        with ThreadPoolExecutor(_DIGEST_THREADS) as pool:
            for _ in pool.map(lambda file: self._check_one(directory / file.path, file, trust_earlier=trust_earlier), files):
                pass

    def _check_one(self, path: Path, file: StoredFile, *, trust_earlier: bool) -> None:
        with reading(str(path)):
            stamp = _stamp(path.stat())
            if trust_earlier and self._passed.get(path) == stamp:
                return
            if file_digest(path) != (file.size, file.digest):
                self._passed.pop(path, None)
                raise CorruptData(f"{path} is not as it was written (its SHA-256 differs); restore it from a backup")
            self._passed[path] = stamp

    def forget(self, directory: Path) -> None:
        """Drop what is remembered below a folder."""
        for path in [path for path in list(self._passed) if path.is_relative_to(directory)]:
            self._passed.pop(path, None)


def _stamp(status: stat_result) -> tuple[int, int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def sweep(directory: Path, keep: Collection[str]) -> int:
    """Remove every file of a space's folder that the catalog does not list: debris of crashed commits and of versions removed.

    This is the store's only clean-up, and its roll-back: a Lance version whose manifest is removed never was. Nobody may be writing
    to the space.

    Returns:
        Bytes freed.
    """
    freed = 0
    kept = set(keep)
    for path in sorted(directory.rglob("*"), reverse=True):
        name = path.relative_to(directory).as_posix()
        if path.is_dir() or name in kept or name == _HINT:
            continue
        freed += path.stat().st_size
        path.unlink()
        if _MANIFEST.fullmatch(name):
            # It may name the version that just went; Lance finds the newest without it.
            (directory / _HINT).unlink(missing_ok=True)
    return freed
