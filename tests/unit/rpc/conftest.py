"""A real gRPC server on a loopback port, with our interceptor in front of whatever a test serves."""

from contextlib import asynccontextmanager

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from support.recorded_metrics import RecordedMetrics

from consilience_server.rpc.interceptors import EdgeInterceptor


@pytest.fixture
def serve():
    """`async with serve(register, **options) as (channel, edge)`; `register(server)` adds servicers or handlers."""

    @asynccontextmanager
    async def serving(register, *, keys=None, max_calls=100, max_message_bytes=1 << 20, metrics=None):
        edge = EdgeInterceptor(keys, max_calls, max_message_bytes, metrics or RecordedMetrics())
        server = grpc.aio.server(interceptors=(edge,), options=(("grpc.max_receive_message_length", max_message_bytes),))
        register(server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.max_receive_message_length", -1),)) as channel:
                yield channel, edge
        finally:
            await server.stop(None)

    return serving


@pytest.fixture
def details_of():
    """What a failed call says: (code, reason, field or None, seconds to wait or None)."""

    def read(error):
        status = rpc_status.from_call(error)
        assert status is not None, f"no details: {error}"
        assert status.code == error.code().value[0]
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        found = {
            kind.DESCRIPTOR.name: detail.Unpack(kind)
            for detail in status.details
            for kind in (info, bad, retry)
            if detail.Is(kind.DESCRIPTOR)
        }
        assert found["ErrorInfo"]
        field = bad.field_violations[0].field if "BadRequest" in found else None
        delay = retry.retry_delay.ToTimedelta().total_seconds() if "RetryInfo" in found else None
        return error.code().name, info.reason, field, delay

    return read
