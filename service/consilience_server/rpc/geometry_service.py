"""GeometryService: one space by itself."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import geometry_pb2, geometry_pb2_grpc
from consilience_server.app.geometry import Geometry
from consilience_server.rpc.convert.geometry import read_description_query, write_description
from consilience_server.rpc.convert.names import space_query
from consilience_server.rpc.current_call import current_call


class GeometryService(geometry_pb2_grpc.GeometryServiceServicer):
    """Converts, calls, converts.

    Args:
        geometry: the use case.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry

    async def DescribeSpace(self, request: geometry_pb2.DescribeSpaceRequest, _context: Any) -> bytes:
        """Hubness, intrinsic dimension and effective rank of one space, encoded."""
        k, preprocess = read_description_query(request)
        space = space_query(request.space, "space")
        return await self._geometry.describe_space(
            current_call(), space, k, preprocess, lambda told: write_description(told).SerializeToString()
        )
