"""Which format a store folder has, and the refusal of those from the future."""

import json
from pathlib import Path

from consilience_server.adapters.durable_files import write_durably
from consilience_server.adapters.storage_errors import reading
from consilience_server.core.errors import CorruptData, StoreReadOnly, StoreTooNew

FORMAT = 1
"""Raised by one whenever an older program could misread what this one writes."""

_FILE = "format.json"


def check_format(root: Path) -> bool:
    """Whether `root` holds a store of a format that this program reads; False where none was made yet.

    Raises:
        StoreTooNew: written by a newer program.
        CorruptData: the format file is damaged.
    """
    path = root / _FILE
    if not path.is_file():
        return False
    with reading(str(path)):
        found = json.loads(path.read_text(encoding="utf-8"))["format"]
    if type(found) is not int or found < 1:
        raise CorruptData(f"{path} names no format; restore it from a backup")
    if found > FORMAT:
        raise StoreTooNew(
            f"the store in {root} has format {found}, this program reads up to {FORMAT}; upgrade consilience", found=found, known=FORMAT
        )
    return True


def write_format(root: Path) -> None:
    """Mark `root` as a finished store of this program's format; the last step of making one."""
    write_durably(root / _FILE, [json.dumps({"format": FORMAT}).encode()])


def no_store(root: Path) -> StoreReadOnly:
    """The refusal to read where nothing was ever written."""
    return StoreReadOnly(f"there is no store in {root}, and opened for reading only none is made; open it for writing once")
