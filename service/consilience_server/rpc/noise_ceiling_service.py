"""NoiseCeilingService: how well spaces could score against repeats, and how well they do."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import noise_ceiling_pb2, noise_ceiling_pb2_grpc
from consilience_server.app.noise_ceiling import NoiseCeilings
from consilience_server.app.reliability import Reliabilities
from consilience_server.rpc.convert.names import space_query
from consilience_server.rpc.convert.noise_ceiling import encode_ceiling, encode_reliability, read_ceiling_query
from consilience_server.rpc.current_call import current_call


class NoiseCeilingService(noise_ceiling_pb2_grpc.NoiseCeilingServiceServicer):
    """Converts, calls, converts.

    Args:
        ceilings: of spaces with repeats.
        reliabilities: of recordings.
    """

    def __init__(self, ceilings: NoiseCeilings, reliabilities: Reliabilities) -> None:
        self._ceilings = ceilings
        self._reliabilities = reliabilities

    async def MeasureNoiseCeiling(self, request: noise_ceiling_pb2.MeasureNoiseCeilingRequest, _context: Any) -> bytes:
        """The ceiling of a space with repeats, and other spaces against it."""
        return await self._ceilings.measure(current_call(), read_ceiling_query(request), encode_ceiling)

    async def MeasureReliability(self, request: noise_ceiling_pb2.MeasureReliabilityRequest, _context: Any) -> bytes:
        """How far the columns of recordings agree."""
        spaces = [space_query(reference, f"spaces[{position}]") for position, reference in enumerate(request.spaces)]
        return await self._reliabilities.measure(current_call(), spaces, encode_reliability)
