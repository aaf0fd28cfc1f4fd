"""Tiles of queries, shared out to workers and sized by how long they take."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

_TILE_SECONDS = 0.6
_LEAST_SHARED_ROWS = 64


class Tiles:
    """Consecutive slices of `rows` rows. Each worker iterates `share()`; together they get every row once.

    A tile is as large as fits into a fraction of a second at the speed of the tiles before it, so that cancellation is heard in time, and
    towards the end small enough that the workers finish together.

    Args:
        rows: rows in all.
        workers: workers that will share them.
        first: rows of the first tiles.
        limit: rows of a tile at most.
        fixed: rows of every tile; None sizes them by time.
    """

    def __init__(self, rows: int, workers: int, *, first: int, limit: int, fixed: int | None = None) -> None:
        self._rows = rows
        self._workers = workers
        self._limit = limit
        self._fixed = fixed
        self._size = max(1, min(first, limit))
        self._start = 0
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End every `share` after the tile under way."""
        self._stopped = True

    def share(self) -> Iterator[slice]:
        """The tiles of one worker."""
        while (tile := self._take()) is not None:
            begun = time.monotonic()
            yield tile
            self._learn(time.monotonic() - begun, tile.stop - tile.start)

    def _take(self) -> slice | None:
        with self._lock:
            left = self._rows - self._start
            if self._stopped or left <= 0:
                return None
            if self._fixed is not None:
                size = self._fixed
            else:
                size = min(self._size, max(_LEAST_SHARED_ROWS, left // (2 * self._workers)) if self._workers > 1 else left)
            tile = slice(self._start, self._start + min(size, left))
            self._start = tile.stop
            return tile

    def _learn(self, seconds: float, rows: int) -> None:
        with self._lock:
            fitting = rows * _TILE_SECONDS / max(seconds, 1e-6)
            self._size = int(max(1.0, self._size / 4, min(self._size * 4, fitting, self._limit)))


def run_workers(tiles: Tiles, workers: int, work: Callable[[slice], None]) -> None:
    """Do `work` on every tile, in `workers` threads. The first error stops the others after their tile and is raised."""

    def run() -> None:
        try:
            for tile in tiles.share():
                work(tile)
        except BaseException:
            tiles.stop()
            raise

    if workers == 1:
        run()
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="consilience-tiles") as pool:
        for done in [pool.submit(run) for _ in range(workers)]:
            done.result()
