"""The server as operators meet it: a process that starts, answers probes, drains, and refuses what it must."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from support.free_port import free_port
from support.server_process import running_server, start_server

from consilience.v1 import (
    alignment_pb2,
    alignment_pb2_grpc,
    match_pb2,
    server_pb2,
    server_pb2_grpc,
    space_pb2,
    space_pb2_grpc,
    watch_pb2,
    watch_pb2_grpc,
)
from consilience.v1.matrix_pb2 import DATA_TYPE_FLOAT32, Matrix

CERTIFICATE = Path(__file__).parent / "certificate"
"""Self-signed, for localhost: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 ..."""
FOREVER = alignment_pb2.AlignmentSpec(metric=alignment_pb2.METRIC_MUTUAL_KNN, ks=[50], permutations=99_999)


def run(*arguments, timeout=60, **environment):
    """The server's command to its end: (exit status, what it printed)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIENCE_")}
    command = [sys.executable, "-m", "consilience_server", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=inherited | environment, check=False)
    return done.returncode, done.stdout + done.stderr


def http(server, path):
    try:
        with urllib.request.urlopen(server.http(path), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def reason(error):
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(error).details[0].Unpack(info)
    return info.reason


def matrix(array):
    return Matrix(data=array.astype("<f4").tobytes(), dtype=DATA_TYPE_FLOAT32, rows=array.shape[0], columns=array.shape[1])


def fill(channel, name, n=50, dim=8, seed=0):
    spaces = space_pb2_grpc.SpaceServiceStub(channel)
    space = space_pb2.Space(kind=space_pb2.SPACE_KIND_VECTORS, dim=dim, similarity=space_pb2.SIMILARITY_COSINE)
    spaces.CreateSpace(space_pb2.CreateSpaceRequest(space_id=name, space=space), timeout=30)
    vectors = np.random.default_rng(seed).standard_normal((n, dim), dtype=np.float32)
    header = space_pb2.UploadHeader(space=f"spaces/{name}", request_id="fill", total_rows=n)
    batch = space_pb2.UploadBatch(ids=[f"{i:06}" for i in range(n)], vectors=matrix(vectors))
    parts = [space_pb2.UpsertEmbeddingsRequest(header=header), space_pb2.UpsertEmbeddingsRequest(batch=batch)]
    return spaces.UpsertEmbeddings(iter(parts), timeout=60)


def align_request(spec, **fields):
    """An alignment of the spaces a and b."""
    return alignment_pb2.AlignRequest(x=space_pb2.SpaceRef(name="spaces/a"), y=space_pb2.SpaceRef(name="spaces/b"), spec=spec, **fields)


def long_operation(channel):
    """An alignment that takes minutes, as an operation."""
    request = align_request(FOREVER, mode=alignment_pb2.EXECUTION_MODE_OPERATION)
    return alignment_pb2_grpc.AlignmentServiceStub(channel).Align(request, timeout=30).operation.name


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the tests that leave it as it was; with spaces a and b of 3,000 items."""
    with running_server(tmp_path_factory.mktemp("server") / "data", "--log-format", "json", "--reflection") as found:
        with grpc.insecure_channel(found.address) as channel:
            fill(channel, "a", 3000, seed=1)
            fill(channel, "b", 3000, seed=2)
        yield found


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(server.address) as found:
        yield found


class TestRunning:
    def test_every_probe_says_yes(self, server, channel):
        for path in ("livez", "readyz", "startupz"):
            status, body = http(server, path)
            assert status == 200, body
        assert "store: ok" in http(server, "readyz")[1]
        assert http(server, "elsewhere")[0] == 404
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "consilience.v1.SpaceService", "consilience.v1.MatchService", "google.longrunning.Operations"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING

    def test_info_tells_limits_and_what_is_served(self, server, channel):
        info = server_pb2_grpc.ServerServiceStub(channel).GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=10)
        assert info.limits.max_message_bytes == 64 << 20
        assert info.limits.memory_budget_bytes > 0
        assert info.engine.backend in {"native", "faiss-cpu", "faiss-gpu"}
        assert info.engine.threads >= 1
        assert alignment_pb2.METRIC_MUTUAL_KNN in info.metrics
        assert match_pb2.CORRECTION_CSLS in info.corrections
        assert info.metrics_url == server.metrics_url
        assert list(info.cache_tiers) == ["memory"]

    def test_metrics_count_calls_by_the_standard_names(self, server, channel):
        server_pb2_grpc.ServerServiceStub(channel).GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=10)
        body = http(server, "metrics")[1]
        assert 'grpc_server_handled_total{grpc_code="OK",grpc_method="GetServerInfo"' in body
        assert "consilience_ready 1.0" in body
        assert "consilience_build_info" in body
        assert "consilience_engine_info" in body

    def test_a_second_answer_comes_from_the_cache_and_says_so(self, channel):
        spec = alignment_pb2.AlignmentSpec(metric=alignment_pb2.METRIC_MUTUAL_KNN, permutations=9)
        request = align_request(spec)
        align = alignment_pb2_grpc.AlignmentServiceStub(channel).Align
        first, first_call = align.with_call(request, timeout=60)
        second, second_call = align.with_call(request, timeout=60, metadata=(("x-request-id", "again"),))
        assert first == second
        told_first, told_second = dict(first_call.trailing_metadata()), dict(second_call.trailing_metadata())
        assert float(told_first["consilience-stage-scan-seconds"]) > 0
        assert "consilience-cache-tier" not in told_first
        assert (told_second["consilience-cache-tier"], told_second["x-request-id"]) == ("memory", "again")
        assert "consilience-stage-scan-seconds" not in told_second

    def test_what_is_not_served_says_what(self, channel):
        spec = watch_pb2.WatchSpec(x="spaces/a", y="spaces/b", metric=alignment_pb2.METRIC_CKA)
        request = watch_pb2.CreateWatchRequest(watch_id="watched", spec=spec)
        with pytest.raises(grpc.RpcError) as caught:
            watch_pb2_grpc.WatchServiceStub(channel).CreateWatch(request, timeout=10)
        assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.UNIMPLEMENTED, "NOT_SERVED")

    def test_operations_progress_and_cancel(self, channel):
        operations = operations_pb2_grpc.OperationsStub(channel)
        name = long_operation(channel)
        assert not operations.GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=10).done
        assert name in [found.name for found in operations.ListOperations(operations_pb2.ListOperationsRequest(), timeout=10).operations]
        operations.CancelOperation(operations_pb2.CancelOperationRequest(name=name), timeout=10)
        ended = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=name), timeout=30)
        assert ended.done
        assert ended.error.code == grpc.StatusCode.CANCELLED.value[0]
        operations.DeleteOperation(operations_pb2.DeleteOperationRequest(name=name), timeout=10)
        with pytest.raises(grpc.RpcError) as caught:
            operations.GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=10)
        assert reason(caught.value) == "OPERATION_NOT_FOUND"

    def test_a_short_operation_ends_with_the_response_of_its_call(self, channel):
        spec = alignment_pb2.AlignmentSpec(metric=alignment_pb2.METRIC_CKA, permutations=9)
        request = align_request(spec, mode=alignment_pb2.EXECUTION_MODE_OPERATION, request_id="once")
        align = alignment_pb2_grpc.AlignmentServiceStub(channel).Align
        name = align(request, timeout=30).operation.name
        assert align(request, timeout=30).operation.name == name
        operations = operations_pb2_grpc.OperationsStub(channel)
        ended = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=name), timeout=60)
        response = alignment_pb2.AlignResponse()
        assert ended.response.Unpack(response)
        assert response.report.n == 3000

    def test_reflection_lists_the_services(self, channel):
        from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        (answer,) = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=10)
        assert "consilience.v1.AlignmentService" in [service.name for service in answer.list_services_response.service]

    def test_a_passed_deadline_frees_the_server(self, channel):
        request = align_request(FOREVER, mode=alignment_pb2.EXECUTION_MODE_INLINE)
        alignment = alignment_pb2_grpc.AlignmentServiceStub(channel)
        for _ in range(4):
            with pytest.raises(grpc.RpcError) as caught:
                alignment.Align(request, timeout=0.2)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        # All workers would be taken for minutes had they gone on.
        spec = alignment_pb2.AlignmentSpec(metric=alignment_pb2.METRIC_MUTUAL_KNN, ks=[3], permutations=9, seed=5)
        request = align_request(spec)
        assert alignment.Align(request, timeout=30).report.n == 3000

    def test_the_log_is_json_with_request_ids(self, server, channel):
        with pytest.raises(grpc.RpcError):
            space_pb2_grpc.SpaceServiceStub(channel).GetSpace(
                space_pb2.GetSpaceRequest(name="spaces/none"), timeout=10, metadata=(("x-request-id", "find-me"),)
            )
        events = [json.loads(line) for line in server.log.read_text().splitlines()]
        (event,) = [event for event in events if event.get("request_id") == "find-me"]
        assert "SPACE_NOT_FOUND" in event["message"]

    def test_a_second_writer_is_told_who_holds_the_store(self, server):
        status, output = run("--data", server.data, "--port", 0, "--metrics-port", 0)
        assert status == 3
        assert str(server.process.pid) in output
        assert "Traceback" not in output

    def test_a_taken_port_is_an_answer_not_a_traceback(self, server, tmp_path):
        for flags in (("--port", server.port, "--metrics-port", 0), ("--port", 0, "--metrics-port", server.metrics_port)):
            status, output = run("--data", tmp_path, *flags)
            assert status == 1
            assert str(flags[1] or flags[3]) in output
            assert "Traceback" not in output

    def test_a_reader_beside_the_writer(self, server):
        reader = start_server(server.data, "--read-only")
        try:
            with grpc.insecure_channel(reader.address) as channel:
                spaces = space_pb2_grpc.SpaceServiceStub(channel)
                assert spaces.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"), timeout=10).space.item_count == 3000
                with pytest.raises(grpc.RpcError) as caught:
                    fill(channel, "c")
                assert reason(caught.value) == "STORE_READ_ONLY"
        finally:
            assert reader.stop() == 0


def upload_and_die(address, number):
    """A client that dies in the middle of an upload of unknown length."""
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import grpc, numpy as np
from consilience.v1 import space_pb2, space_pb2_grpc
from consilience.v1.matrix_pb2 import DATA_TYPE_FLOAT32, Matrix

def parts():
    yield space_pb2.UpsertEmbeddingsRequest(header=space_pb2.UploadHeader(space="spaces/c", request_id="dying-{number}"))
    for row in range(1000):
        data = np.full((1, 8), row + 1, "<f4").tobytes()
        vectors = Matrix(data=data, dtype=DATA_TYPE_FLOAT32, rows=1, columns=8)
        yield space_pb2.UpsertEmbeddingsRequest(batch=space_pb2.UploadBatch(ids=[str(row)], vectors=vectors))
        if row == {number}:
            os._exit(9)

space_pb2_grpc.SpaceServiceStub(grpc.insecure_channel({address!r})).UpsertEmbeddings(parts())
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 9


def test_a_client_that_dies_leaves_no_half_upload(server):
    with grpc.insecure_channel(server.address) as channel:
        spaces = space_pb2_grpc.SpaceServiceStub(channel)
        space = space_pb2.Space(kind=space_pb2.SPACE_KIND_VECTORS, dim=8, similarity=space_pb2.SIMILARITY_COSINE)
        spaces.CreateSpace(space_pb2.CreateSpaceRequest(space_id="c", space=space), timeout=30)
        for number in (1, 7, 30):
            upload_and_die(server.address, number)
        time.sleep(1)
        assert spaces.GetSpace(space_pb2.GetSpaceRequest(name="spaces/c"), timeout=10).space.version == 0
        spaces.DeleteSpace(space_pb2.DeleteSpaceRequest(name="spaces/c"), timeout=10)


def test_connections_that_break_leave_no_half_upload(server):
    """The wire cut between two messages of an upload of unknown length, which for a moment looks like its end."""
    with grpc.insecure_channel(server.address) as direct:
        spaces = space_pb2_grpc.SpaceServiceStub(direct)
        space = space_pb2.Space(kind=space_pb2.SPACE_KIND_VECTORS, dim=8, similarity=space_pb2.SIMILARITY_COSINE)
        spaces.CreateSpace(space_pb2.CreateSpaceRequest(space_id="d", space=space), timeout=30)
        with ThreadPoolExecutor(25) as threads:
            assert all(threads.map(lambda number: upload_until_cut(server.port, number), range(25)))
        time.sleep(1)
        assert spaces.GetSpace(space_pb2.GetSpaceRequest(name="spaces/d"), timeout=10).space.version == 0
        spaces.DeleteSpace(space_pb2.DeleteSpaceRequest(name="spaces/d"), timeout=10)


def upload_until_cut(port, number):
    """Upload through a wire that is cut once the last batch has passed; whether the client heard of it."""

    def parts():
        yield space_pb2.UpsertEmbeddingsRequest(header=space_pb2.UploadHeader(space="spaces/d", request_id=f"cut-{number}"))
        yield space_pb2.UpsertEmbeddingsRequest(batch=space_pb2.UploadBatch(ids=["the-last-one"], vectors=matrix(np.ones((1, 8)))))
        time.sleep(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = threading.Thread(target=forward_until, args=(listener, port, b"the-last-one"))
        wire.start()
        with grpc.insecure_channel(f"127.0.0.1:{listener.getsockname()[1]}") as channel:
            failure = space_pb2_grpc.SpaceServiceStub(channel).UpsertEmbeddings.future(parts(), timeout=20).exception()
        wire.join(20)
    return isinstance(failure, grpc.RpcError)


def forward_until(listener, port, mark):
    """Forward one connection until the client sends `mark`, pass that on, then cut the wire."""
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as upstream:
        back = threading.Thread(target=copy, args=(upstream, client))
        back.start()
        while chunk := client.recv(65536):
            upstream.sendall(chunk)
            if mark in chunk:
                break
        # The batch is staged by now and the server waits for the next one.
        time.sleep(0.3)
        for end in (upstream, client):
            end.shutdown(socket.SHUT_RDWR)
        back.join(5)


def copy(source, sink):
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    except OSError:
        return


class TestEnding:
    def test_sigterm_lets_running_calls_finish_and_exits_zero(self, tmp_path):
        server = start_server(tmp_path / "data")
        with grpc.insecure_channel(server.address) as channel:
            fill(channel, "a")
            health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=""))
            assert next(health).status == health_pb2.HealthCheckResponse.SERVING
            released = threading.Event()

            def parts():
                yield space_pb2.UpsertEmbeddingsRequest(header=space_pb2.UploadHeader(space="spaces/a", request_id="slow"))
                released.wait(20)
                yield space_pb2.UpsertEmbeddingsRequest(batch=space_pb2.UploadBatch(ids=["late"], vectors=matrix(np.ones((1, 8)))))

            upload = space_pb2_grpc.SpaceServiceStub(channel).UpsertEmbeddings.future(parts(), timeout=30)
            self.wait_for_upload(channel)
            server.process.send_signal(signal.SIGTERM)
            assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
            health.cancel()
            status, body = http(server, "readyz")
            assert (status, "not draining: failed" in body) == (503, True)
            assert http(server, "livez")[0] == 200
            with grpc.insecure_channel(server.address) as late, pytest.raises(grpc.RpcError) as caught:
                server_pb2_grpc.ServerServiceStub(late).GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            released.set()
            assert upload.result(20).inserted == 1
        assert server.process.wait(20) == 0
        assert "stopped" in server.log.read_text()
        with running_server(tmp_path / "data") as again, grpc.insecure_channel(again.address) as channel:
            found = space_pb2_grpc.SpaceServiceStub(channel).GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"), timeout=10)
            assert found.space.item_count == 51

    @staticmethod
    def wait_for_upload(channel):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                space_pb2_grpc.SpaceServiceStub(channel).GetUpload(
                    space_pb2.GetUploadRequest(space="spaces/a", request_id="slow"), timeout=5
                )
            except grpc.RpcError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the upload never began")

    def test_a_call_that_never_ends_is_cut_after_the_drain(self, tmp_path):
        server = start_server(tmp_path / "data", "--drain-seconds", "1")
        with grpc.insecure_channel(server.address) as channel:
            fill(channel, "a", 3000, seed=1)
            fill(channel, "b", 3000, seed=2)
            request = align_request(FOREVER, mode=alignment_pb2.EXECUTION_MODE_INLINE)
            call = alignment_pb2_grpc.AlignmentServiceStub(channel).Align.future(request, timeout=120)
            name = long_operation(channel)
            time.sleep(0.5)
            began = time.monotonic()
            assert server.stop(20) == 0
            assert time.monotonic() - began < 10
            assert call.exception(10) is not None
        with running_server(tmp_path / "data") as again, grpc.insecure_channel(again.address) as channel:
            found = operations_pb2_grpc.OperationsStub(channel).GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=10)
            assert found.done
            assert found.error.code in {grpc.StatusCode.CANCELLED.value[0], grpc.StatusCode.ABORTED.value[0]}

    def test_after_a_crash_the_store_opens_and_operations_are_aborted(self, tmp_path):
        server = start_server(tmp_path / "data")
        with grpc.insecure_channel(server.address) as channel:
            fill(channel, "a", 3000, seed=1)
            fill(channel, "b", 3000, seed=2)
            name = long_operation(channel)
        server.kill()
        with running_server(tmp_path / "data") as again, grpc.insecure_channel(again.address) as channel:
            found = operations_pb2_grpc.OperationsStub(channel).GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=10)
            assert found.done
            assert found.error.code == grpc.StatusCode.ABORTED.value[0]
            info = error_details_pb2.ErrorInfo()
            assert found.error.details[0].Unpack(info)
            assert info.reason == "SERVER_RESTARTED"


class TestRefusingToStart:
    def test_beyond_loopback_needs_protection(self, tmp_path):
        status, output = run("--data", tmp_path, "--host", "0.0.0.0")
        assert status == 2
        assert "--insecure" in output

    def test_insecure_warns(self, tmp_path):
        with running_server(tmp_path / "data", "--host", "0.0.0.0", "--insecure") as server:
            assert "INSECURE" in server.log.read_text()
            assert "metrics and health on" not in server.log.read_text()

    def test_metrics_beyond_loopback_warn(self, tmp_path):
        with running_server(tmp_path / "data", "--metrics-host", "0.0.0.0") as server:
            assert "metrics and health on 0.0.0.0 are open to everybody" in server.log.read_text()

    def test_settings_are_printed_with_secrets_masked(self):
        status, output = run("--print-settings", "--max-k", "7", CONSILIENCE_REDIS="redis://user:hunter2@host")
        assert status == 0
        assert "max_k = 7" in output
        assert "hunter2" not in output

    @pytest.mark.parametrize("package", ["pydantic_settings", "lance"])
    def test_a_missing_package_says_which_extra(self, package, tmp_path):
        code = f"import sys; sys.modules[{package!r}] = None; from consilience_server.__main__ import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "--data", str(tmp_path), "--port", "0", "--metrics-port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "consilience[server]" in done.stderr
        assert package in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_file_of_keys_without_keys(self, tmp_path):
        keys = tmp_path / "keys"
        keys.write_text("# none yet\n")
        status, output = run("--data", tmp_path / "data", "--api-keys", keys, "--port", free_port(), "--metrics-port", 0)
        assert status == 1
        assert "no keys" in output


class TestProtected:
    KEY = "a-key-of-enough-length"

    def test_tls_and_keys(self, tmp_path):
        keys = tmp_path / "keys"
        keys.write_text(self.KEY)
        certificate, private_key = CERTIFICATE / "cert.pem", CERTIFICATE / "key.pem"
        flags = ["--tls-cert", str(certificate), "--tls-key", str(private_key), "--api-keys", str(keys), "--host", "0.0.0.0"]
        with running_server(tmp_path / "data", *flags) as server:
            assert "INSECURE" not in server.log.read_text()
            trusted = grpc.ssl_channel_credentials(certificate.read_bytes())
            with grpc.secure_channel(f"localhost:{server.port}", trusted) as channel:
                info = server_pb2_grpc.ServerServiceStub(channel)
                request = server_pb2.GetServerInfoRequest()
                assert info.GetServerInfo(request, timeout=10, metadata=(("authorization", f"Bearer {self.KEY}"),)).version
                with pytest.raises(grpc.RpcError) as caught:
                    info.GetServerInfo(request, timeout=10)
                assert reason(caught.value) == "UNAUTHENTICATED"
                probe = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
                assert probe.status == health_pb2.HealthCheckResponse.SERVING
            with grpc.insecure_channel(f"localhost:{server.port}") as channel, pytest.raises(grpc.RpcError) as caught:
                server_pb2_grpc.ServerServiceStub(channel).GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
