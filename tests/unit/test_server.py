import asyncio
import logging

import pytest

from consilience_server.server import BackgroundTask, Readiness


async def test_background_work_survives_a_round_that_failed(caplog):
    rounds = asyncio.Queue()

    async def work():
        rounds.put_nowait(None)
        if rounds.qsize() == 1:
            raise OSError("disk gone")

    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(BackgroundTask("measuring", 0.01, work).run())
        async with asyncio.timeout(5):
            while rounds.qsize() < 3:
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (record,) = caplog.records
    assert "measuring failed" in record.getMessage()
    assert "disk gone" in str(record.exc_info[1])


def test_ready_is_started_and_not_draining():
    readiness = Readiness()
    assert not readiness.is_ready
    for condition in tuple(readiness.conditions):
        assert not readiness.is_ready
        readiness.conditions[condition] = True
    assert readiness.is_ready
    readiness.draining = True
    assert not readiness.is_ready
    assert all(readiness.started().values())
    assert [name for name, holds in readiness.ready().items() if not holds] == ["not draining"]
