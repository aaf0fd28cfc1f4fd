"""NoiseCeilingService: how well spaces could score against repeats, and how well they do."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import noise_ceiling_pb2, noise_ceiling_pb2_grpc
from consilience_server.app.noise_ceiling import NoiseCeilings
from consilience_server.rpc.convert.noise_ceiling import encode_ceiling, read_ceiling_query
from consilience_server.rpc.current_call import current_call


class NoiseCeilingService(noise_ceiling_pb2_grpc.NoiseCeilingServiceServicer):
    """Converts, calls, converts.

    Args:
        ceilings: the use case.
    """

    def __init__(self, ceilings: NoiseCeilings) -> None:
        self._ceilings = ceilings

    async def MeasureNoiseCeiling(self, request: noise_ceiling_pb2.MeasureNoiseCeilingRequest, _context: Any) -> bytes:
        """The ceiling of a space with repeats, and other spaces against it."""
        return await self._ceilings.measure(current_call(), read_ceiling_query(request), encode_ceiling)
