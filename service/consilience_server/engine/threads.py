"""One setting for all the thread pools that numerical libraries bring along."""

import sys

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


def size_openmp_team(threads: int) -> None:
    """Size the team that FAISS gets when this very thread calls it; does nothing where FAISS is not loaded."""
    if "faiss" in sys.modules:
        sys.modules["faiss"].omp_set_num_threads(threads)
