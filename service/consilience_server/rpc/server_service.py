"""ServerService: what a client must know to configure itself."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import server_pb2, server_pb2_grpc
from consilience_server.app.application import ServerInfo
from consilience_server.rpc.convert.server_info import write_server_info


class ServerService(server_pb2_grpc.ServerServiceServicer):
    """Answers with what was known at start-up."""

    def __init__(self, info: ServerInfo) -> None:
        self._info = info

    async def GetServerInfo(self, _request: server_pb2.GetServerInfoRequest, _context: Any) -> server_pb2.GetServerInfoResponse:
        """Limits, engine, and what is served."""
        return write_server_info(self._info)
