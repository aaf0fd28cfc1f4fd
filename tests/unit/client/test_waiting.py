"""Whoever stops waiting for work that only they know of stops the work too."""

import asyncio
import re
import time

import pytest
from support.scripted_server import Failure, grpc

import consilience
from consilience import AsyncClient, Client

FOREVER = 10**6


@pytest.fixture(autouse=True)
def endless(script):
    script.operation_steps = FOREVER


def test_time_that_ran_out_cancels_what_the_sdk_began(client, script):
    with pytest.raises(consilience.Timeout, match=r"operations/align-1 did not end .* is being cancelled") as passed:
        client.align("a", "b", timeout=0.3)
    assert passed.value.reason == "DEADLINE_EXCEEDED"
    assert len(script.seen("CancelOperation")) == 1
    assert script.last.name == "operations/align-1"


def test_an_operation_that_others_may_find_goes_on(client, script):
    """By its request id, or by the name that `wait=False` answered."""
    with pytest.raises(consilience.Timeout, match="goes on"):
        client.align("a", "b", timeout=0.3, request_id="mine")
    started = client.align("a", "b", wait=False)
    with pytest.raises(consilience.Timeout, match=rf"{re.escape(started.name)} .* goes on"):
        client.wait_operation(started, timeout=0.3)
    assert not script.seen("CancelOperation")


def test_a_cancellation_that_fails_hides_nothing(client, script):
    script.failures["CancelOperation"] = [Failure(grpc.StatusCode.UNAVAILABLE)] * 9
    with pytest.raises(consilience.Timeout):
        client.align("a", "b", timeout=0.3)
    assert len(script.seen("CancelOperation")) == 1


def test_an_operation_that_failed_is_not_cancelled(client, script):
    script.operation_steps, script.operation_ends = 1, Failure(grpc.StatusCode.INTERNAL, "INTERNAL")
    with pytest.raises(consilience.ServerError):
        client.align("a", "b")
    assert not script.seen("CancelOperation")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_wait_cancels(address, script, interruption):
    def interrupt(done, total):
        raise interruption

    with Client(address) as client, pytest.raises(interruption):
        client.align("a", "b", progress=interrupt)
    assert len(script.seen("CancelOperation")) == 1


async def test_a_cancelled_task_cancels(address, script):
    async with AsyncClient(address) as client:
        task = asyncio.create_task(client.align("a", "b"))
        while not script.seen("WaitOperation"):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(script.seen("CancelOperation")) == 1


async def test_a_task_cancelled_twice_cancels_all_the_same(address, script):
    async with AsyncClient(address) as client:
        task = asyncio.create_task(client.align("a", "b"))
        while not script.seen("WaitOperation"):
            await asyncio.sleep(0.01)
        script.delay = 0.3
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        deadline = time.monotonic() + 5
        while not script.seen("CancelOperation") and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
    assert len(script.seen("CancelOperation")) == 1
