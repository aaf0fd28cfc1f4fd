"""One setting for all the thread pools that numerical libraries bring along."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from consilience_server.core.errors import InvalidArgument


def size_thread_pools(threads: int) -> None:
    """Size the BLAS, OpenMP, FAISS and (where loaded) torch pools of this process to `threads` each.

    OpenMP keeps its number for each calling thread: a thread that calls FAISS says it once more with `size_openmp_team`.

    Raises:
        InvalidArgument: if `threads` is below 1.
    """
    if threads < 1:
        raise InvalidArgument(f"threads = {threads}, but at least 1 is needed", field="threads", threads=threads)
    threadpool_limits(limits=threads)
    size_openmp_team(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


class _OneThread:
    """How many are in `one_blas_thread` now, and what gives the pools their threads back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.limits: threadpool_limits | None = None


_ONE_THREAD = _OneThread()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS runs on the calling thread alone, in the whole process, until the last who asked for it leaves.

    For long rows of small decompositions, where handing each to a team costs more than it does.
    """
    with _ONE_THREAD.lock:
        _ONE_THREAD.inside += 1
        if _ONE_THREAD.inside == 1:
            _ONE_THREAD.limits = threadpool_limits(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _ONE_THREAD.lock:
            _ONE_THREAD.inside -= 1
            if _ONE_THREAD.inside == 0 and _ONE_THREAD.limits is not None:
                _ONE_THREAD.limits.restore_original_limits()
                _ONE_THREAD.limits = None


def size_openmp_team(threads: int) -> None:
    """Size the team that FAISS gets when this very thread calls it; does nothing where FAISS is not loaded."""
    if "faiss" in sys.modules:
        sys.modules["faiss"].omp_set_num_threads(threads)
