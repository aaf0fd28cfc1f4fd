import threading
import time

import pytest

from consilience_server.engine import tiles as tiles_module
from consilience_server.engine.tiles import Tiles, run_workers


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize(("rows", "fixed"), [(1, None), (63, None), (1000, None), (1000, 7), (0, None)])
def test_every_row_is_worked_on_once(rows, fixed, workers):
    seen, lock = [], threading.Lock()

    def work(tile):
        with lock:
            seen.extend(range(tile.start, tile.stop))

    run_workers(Tiles(rows, workers, first=100, limit=150, fixed=fixed), workers, work)
    assert sorted(seen) == list(range(rows))


def test_tiles_are_sized_by_the_time_they_take(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(tiles_module.time, "monotonic", lambda: clock[0])
    sizes = []
    for tile in Tiles(100_000, 1, first=1000, limit=20_000).share():
        sizes.append(tile.stop - tile.start)
        # 10,000 rows a second: 6,000 rows take the 0.6 s that a tile may take.
        clock[0] += (tile.stop - tile.start) / 10_000
    assert sizes[:4] == pytest.approx([1000, 4000, 6000, 6000], abs=1)
    assert sum(sizes) == 100_000


def test_tiles_stay_within_their_limit_and_shrink_towards_the_end():
    sizes = [tile.stop - tile.start for tile in Tiles(10_000, 4, first=10**6, limit=500).share()]
    assert max(sizes) == 500
    assert sizes[-1] <= 64
    assert sorted(sizes, reverse=True) == sizes


def test_fixed_tiles_are_what_was_asked():
    assert [(tile.start, tile.stop) for tile in Tiles(10, 2, first=1, limit=1, fixed=4).share()] == [(0, 4), (4, 8), (8, 10)]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_error_stops_all_and_is_raised(workers):
    done = []

    def work(tile):
        if tile.start == 40:
            raise ValueError("tile 40")
        time.sleep(0.002)
        done.append(tile.start)

    with pytest.raises(ValueError, match="tile 40"):
        run_workers(Tiles(100_000, workers, first=10, limit=10, fixed=10), workers, work)
    assert len(done) < 1000
