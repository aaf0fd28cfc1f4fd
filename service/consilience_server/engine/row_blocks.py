"""Rows shared out to a few threads, block by block."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def for_row_blocks(rows: int, step: int, threads: int, work: Callable[[slice], None]) -> None:
    """Call `work` once for every block of at most `step` (at least 1) of `rows` rows, in up to `threads` threads.

    Pays where `work` spends its time inside NumPy, outside the interpreter's lock. An error is raised once the other blocks have ended.
    """
    step = max(1, step)
    blocks = [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
    if threads == 1 or len(blocks) <= 1:
        for block in blocks:
            work(block)
        return
    with ThreadPoolExecutor(min(threads, len(blocks)), thread_name_prefix="consilience-rows") as pool:
        for done in [pool.submit(work, block) for block in blocks]:
            done.result()
