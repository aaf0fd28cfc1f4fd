import errno

import pytest

from consilience_server.adapters.storage_errors import reading, writing
from consilience_server.core.errors import CorruptData, SpaceNotFound, StorageFull


class PanicException(BaseException):
    """The name under which a panic of Lance surfaces."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "x"),
        OSError(errno.EDQUOT, "x"),
        OSError(errno.EFBIG, "x"),
        OSError("LanceError(IO): Generic LocalFileSystem error: Unable to copy data: No space left on device (os error 28)"),
        RuntimeError("write failed: Disk quota exceeded (os error 122)"),
    ],
)
def test_a_full_disk_however_it_is_told(error):
    with pytest.raises(StorageFull, match="the upload was not written"), writing("the upload"):
        raise error


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), ValueError("28"), SpaceNotFound("x"), MemoryError()])
def test_other_trouble_in_writing_passes(error):
    with pytest.raises(type(error)) as caught, writing("the upload"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "x"), OSError(errno.EIO, "x"), ValueError("bad magic"), PanicException("boom")]
)
def test_what_a_reader_chokes_on_is_corruption(error):
    with pytest.raises(CorruptData, match="the file"), reading("the file"):
        raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "x"), OSError("Too many open files (os error 24)"), MemoryError(), KeyboardInterrupt()]
)
def test_trouble_of_the_machine_is_not(error):
    with pytest.raises(type(error)) as caught, reading("the file"):
        raise error
    assert caught.value is error
