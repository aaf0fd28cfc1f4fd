import threading

import pytest

from consilience_server.engine.row_blocks import for_row_blocks


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("rows", "step"), [(0, 5), (1, 5), (5, 5), (6, 5), (50, 7), (3, 0)])
def test_every_row_is_worked_on_once(rows, step, threads):
    seen, lock = [], threading.Lock()

    def work(block):
        with lock:
            seen.extend(range(block.start, block.stop))

    for_row_blocks(rows, step, threads, work)
    assert sorted(seen) == list(range(rows))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_reaches_the_caller(threads):
    def work(block):
        if block.start == 10:
            raise ValueError("block 10")

    with pytest.raises(ValueError, match="block 10"):
        for_row_blocks(50, 5, threads, work)
