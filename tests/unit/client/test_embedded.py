"""The engine in this process, as the SDK sees it: through an entry point, here a scripted one."""

import asyncio
import os
from dataclasses import dataclass

import grpc
import numpy as np
import pytest
from support.scripted_server import report, status

import consilience
from consilience import AsyncClient, Client, _embedded
from consilience.v1 import alignment_pb2


class Handle:
    def __init__(self, target):
        self.target = target
        self.closed = 0

    def close(self):
        self.closed += 1


class Refused(grpc.RpcError):
    def code(self):
        return grpc.StatusCode.FAILED_PRECONDITION

    def details(self):
        return "process 7 holds it"

    def trailing_metadata(self):
        refused = status(self.code(), self.details(), "STORE_LOCKED")
        return (("grpc-status-details-bin", refused.SerializeToString()),)


@dataclass
class Entry:
    loaded: object

    def load(self):
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


@pytest.fixture
def provide(monkeypatch):
    """Puts what an entry point loads in place of the installed ones."""

    def put(**entries):
        _embedded._load.cache_clear()
        monkeypatch.setattr(_embedded, "entry_points", lambda group, name: [Entry(entries[name])] if name in entries else [])

    yield put
    _embedded._load.cache_clear()


@pytest.fixture
def handle(address):
    return Handle(address)


def test_a_local_client_opens_uses_and_closes_its_server(provide, handle, tmp_path):
    opened = []
    provide(server=lambda path: opened.append(path) or handle)
    with Client.local(tmp_path / "data") as client:
        assert client.server_info().version == "9"
        assert opened == [str(tmp_path / "data")]
        assert handle.closed == 0
    assert handle.closed == 1
    client.close()
    assert handle.closed == 1


async def test_an_async_local_client_works_inside_a_running_loop(provide, handle):
    opened = []
    provide(server=lambda path: opened.append(path) or handle)
    async with AsyncClient.local("data") as client:
        answers = await asyncio.gather(client.server_info(), client.server_info())
        assert {answer.version for answer in answers} == {"9"}
    assert (opened, handle.closed) == (["data"], 1)
    with Client.local("data") as inner:
        assert inner.server_info().version == "9"


async def test_an_async_local_client_that_failed_to_open_can_try_again(provide, handle):
    provide(server=fail_with(Refused()))
    client = AsyncClient.local("data")
    with pytest.raises(consilience.FailedPreconditionError):
        await client.server_info()
    provide(server=lambda path: handle)
    assert (await client.server_info()).version == "9"
    await client.close()
    assert handle.closed == 1


def fail_with(error):
    def work(*arguments):
        raise error

    return work


def test_a_held_folder_names_its_holder(provide):
    provide(server=fail_with(Refused()))
    with pytest.raises(consilience.FailedPreconditionError, match="process 7 holds it") as refused:
        Client.local("data")
    assert refused.value.reason == "STORE_LOCKED"


@pytest.mark.parametrize("entries", [{}, {"server": ModuleNotFoundError("No module named 'faiss'", name="faiss")}])
def test_a_missing_engine_names_the_extra(provide, entries):
    provide(**entries)
    with pytest.raises(consilience.MissingExtraError, match=r"pip install 'consilience\[server\]'"):
        Client.local("data")
    with pytest.raises(consilience.MissingExtraError):
        consilience.align_arrays(np.eye(3), np.eye(3), k=1)


def test_after_a_fork_the_child_is_refused_and_the_parent_goes_on(provide, handle, monkeypatch):
    provide(server=lambda path: handle)
    with Client.local("data") as client:
        parent = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: parent + 1)
        with pytest.raises(consilience.FailedPreconditionError, match="fork"):
            client.server_info()
        client.close()
        assert handle.closed == 0
        monkeypatch.undo()
        assert client.server_info().version == "9"


def test_arrays_reach_the_engine_as_float32(provide):
    seen = []

    def align(header, x, y, _beside):
        seen.append((header, x, y))
        return alignment_pb2.AlignArraysResponse(report=report(0.25))

    provide(align_arrays=align)
    told = consilience.align_arrays([[1, 2], [3, 4], [5, 6]], np.ones((3, 1), np.float16), k=2, similarity="inner_product", permutations=99)
    ((header, x, y),) = seen
    assert told.score == 0.25
    assert (x.dtype, y.dtype, x.shape, y.shape) == (np.float32, np.float32, (3, 2), (3, 1))
    assert (header.similarity, list(header.spec.ks), header.spec.permutations, header.rows) == (2, [2], 99, 3)


def test_the_engines_refusals_are_the_sdks_errors(provide):
    provide(align_arrays=fail_with(Refused()))
    with pytest.raises(consilience.FailedPreconditionError):
        consilience.align_arrays(np.eye(3), np.eye(3), k=1)
    provide(align_arrays=fail_with(grpc.RpcError("odd")))
    with pytest.raises(consilience.ServerError, match="odd"):
        consilience.align_arrays(np.eye(3), np.eye(3), k=1)


def test_layers_of_a_model_need_no_server():
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(40, 3, 6)), [draw.normal(size=(40, d)) for d in (4, 9)]
    report = consilience.align_arrays(x, y, k=5, permutations=19)
    assert report.layer_scores.shape == report.layer_p_values.shape == report.layer_calibrated.shape == (3, 2)
    assert (report.n, report.selection_n, report.layers_n, report.layer_selection) == (20, 20, 40, "split_half")
    assert "chosen of 6 on 20 other items" in repr(report)
    assert "max of 6 = " in repr(report)
    largest = consilience.align_arrays(x, y, k=5, permutations=19, layer_selection="max")
    assert repr(largest).startswith("max of 6 mutual_knn@5 = ")
    assert largest.best_layers == largest.maximum_layers == report.maximum_layers
    assert largest.score == report.maximum.score
    with pytest.raises(consilience.InvalidArgumentError, match="layer_selection is 'best'"):
        consilience.align_arrays(x, y, layer_selection="best")
