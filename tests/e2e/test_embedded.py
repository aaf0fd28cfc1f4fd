"""The server inside another process: private, orderly, and gone with it."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from consilience.v1 import alignment_pb2, server_pb2, server_pb2_grpc, space_pb2
from consilience_server.bootstrap import align_arrays, open_embedded

SPEC = alignment_pb2.AlignmentSpec(metric=alignment_pb2.METRIC_MUTUAL_KNN, ks=[5], permutations=99)
HEADER = alignment_pb2.AlignArraysHeader(spec=SPEC, similarity=space_pb2.SIMILARITY_COSINE)
X = np.random.default_rng(0).standard_normal((60, 8), dtype=np.float32)


def reason(error):
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(error).details[0].Unpack(info)
    return info.reason


def version(handle):
    with grpc.insecure_channel(handle.target) as channel:
        return server_pb2_grpc.ServerServiceStub(channel).GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=10).version


def test_it_serves_on_a_socket_that_only_this_user_reaches(tmp_path):
    handle = open_embedded(str(tmp_path / "data"))
    try:
        socket = Path(handle.target.removeprefix("unix:"))
        assert socket.is_socket()
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert handle.pid == os.getpid()
        assert version(handle)
    finally:
        handle.close()
    assert not socket.parent.exists()
    handle.close()


def test_one_writer_a_folder_until_it_closes(tmp_path):
    first = open_embedded(str(tmp_path / "data"))
    try:
        with pytest.raises(grpc.RpcError) as caught:
            open_embedded(str(tmp_path / "data"))
        assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.FAILED_PRECONDITION, "STORE_LOCKED")
        assert str(os.getpid()) in caught.value.details()
        other = open_embedded(str(tmp_path / "other"))
        assert version(first) == version(other)
        other.close()
    finally:
        first.close()
    open_embedded(str(tmp_path / "data")).close()


def test_the_settings_of_a_public_server_do_not_make_it_public(tmp_path, monkeypatch):
    for name, value in (("HOST", "0.0.0.0"), ("METRICS_PORT", "1"), ("API_KEYS", "/does/not/exist"), ("REFLECTION", "true")):
        monkeypatch.setenv(f"CONSILIENCE_{name}", value)
    handle = open_embedded(str(tmp_path / "data"))
    try:
        assert version(handle)
    finally:
        handle.close()


@pytest.mark.parametrize("ending", ["pass", "handle.close()", "import os; os.kill(os.getpid(), 9)"])
def test_a_process_that_ends_leaves_no_lease_and_no_noise(tmp_path, ending):
    code = f"from consilience_server.bootstrap import open_embedded; handle = open_embedded({str(tmp_path / 'data')!r}); {ending}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    is_killed = "kill" in ending
    assert done.returncode == (-9 if is_killed else 0)
    assert done.stderr == ""
    assert is_killed or not list(tmp_path.glob("consilience-*"))
    open_embedded(str(tmp_path / "data")).close()


def test_arrays_need_no_server():
    report = align_arrays(HEADER, X, X[:, :4].copy()).report
    assert (report.n, report.headline.k) == (60, 5)
    assert 0 < report.headline.score < 1
    assert align_arrays(HEADER, X, X).report.headline.score == 1.0


async def test_arrays_inside_a_running_loop():
    one, two = await asyncio.gather(asyncio.to_thread(align_arrays, HEADER, X, X), asyncio.to_thread(align_arrays, HEADER, X, X))
    assert one == two == align_arrays(HEADER, X, X)


@pytest.mark.parametrize(
    ("header", "x", "expected"),
    [
        (HEADER, X[:5], "SHAPE_MISMATCH"),
        (HEADER, np.where(np.arange(60)[:, None] == 3, np.nan, X).astype(np.float32), "NOT_FINITE"),
        (HEADER, np.zeros_like(X), "ZERO_VECTOR"),
        (alignment_pb2.AlignArraysHeader(similarity=space_pb2.SIMILARITY_COSINE), X, "UNKNOWN_METRIC"),
        (alignment_pb2.AlignArraysHeader(spec=SPEC), X, "INVALID_ARGUMENT"),
    ],
)
def test_refusals_of_arrays_look_like_failed_calls(header, x, expected):
    with pytest.raises(grpc.RpcError) as caught:
        align_arrays(header, x, X)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, expected)
