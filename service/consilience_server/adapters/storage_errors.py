"""How what the disk, Lance and Arrow raise becomes the errors of the domain."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from consilience_server.core.errors import CorruptData, DomainError, StorageFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TEXT_OF_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large", re.IGNORECASE)
_TEXT_OF_NUMBER = re.compile(r"os error (\d+)")
# Trouble of the machine or its rights, which says nothing about the bytes on disk.
_NOT_CORRUPT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EAGAIN, errno.EINTR, errno.EROFS})


def error_number(error: BaseException) -> int | None:
    """The errno of an error, also where Lance only wrote it into its text (`os error 28`)."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _TEXT_OF_NUMBER.search(str(error))
    return int(found.group(1)) if found else None


def is_full(error: BaseException) -> bool:
    """Whether the disk, the quota or the file-size limit is used up."""
    return error_number(error) in _FULL or _TEXT_OF_FULL.search(str(error)) is not None


def storage_full(what: str) -> StorageFull:
    """The refusal of a write for want of room."""
    return StorageFull(f"the disk is full: {what} was not written and nothing was changed; free space, then repeat the call")


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turn a full disk into StorageFull; everything else passes.

    Args:
        what: what is being written, for the message.
    """
    try:
        yield
    except (DomainError, MemoryError):
        raise
    except Exception as error:
        if is_full(error):
            raise storage_full(what) from error
        raise


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever a reader of stored bytes chokes on into CorruptData; trouble of the machine (too many files, no right) passes.

    Args:
        what: what is being read, for the message.
    """
    try:
        yield
    except (DomainError, MemoryError):
        raise
    except Exception as error:
        if error_number(error) in _NOT_CORRUPT:
            raise
        raise CorruptData(f"{what} cannot be read ({type(error).__name__}: {_first_line(error)}); restore it from a backup") from error
    except BaseException as error:
        # A panic inside Lance's Rust code surfaces as a BaseException of this name.
        if type(error).__name__ != "PanicException":
            raise
        raise CorruptData(f"{what} cannot be read ({_first_line(error)}); restore it from a backup") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200]
