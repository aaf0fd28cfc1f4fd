"""NoiseCeilingService: how well spaces could score against repeats, and how well they do."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import noise_ceiling_pb2, noise_ceiling_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.noise_ceiling import NoiseCeilings
from consilience_server.app.reliability import Reliabilities
from consilience_server.rpc.convert.names import space_query
from consilience_server.rpc.convert.noise_ceiling import encode_ceiling, encode_reliability, read_ceiling_query
from consilience_server.rpc.current_call import current_call
from consilience_server.rpc.execution import Execution


class NoiseCeilingService(noise_ceiling_pb2_grpc.NoiseCeilingServiceServicer):
    """Converts, calls, converts.

    Args:
        ceilings: of spaces with repeats.
        reliabilities: of recordings.
        execution: decides between answer and operation.
    """

    def __init__(self, ceilings: NoiseCeilings, reliabilities: Reliabilities, execution: Execution) -> None:
        self._ceilings = ceilings
        self._execution = execution
        self._reliabilities = reliabilities

    async def MeasureNoiseCeiling(
        self, request: noise_ceiling_pb2.MeasureNoiseCeilingRequest, _context: Any
    ) -> bytes | noise_ceiling_pb2.MeasureNoiseCeilingResponse:
        """The ceiling of a space with repeats, and other spaces against it."""
        query = read_ceiling_query(request)

        async def work(call: Call) -> bytes:
            return await self._ceilings.measure(call, query, encode_ceiling)

        return await self._execution.answer(
            request, noise_ceiling_pb2.MeasureNoiseCeilingResponse, lambda: self._ceilings.estimate_seconds(query), work
        )

    async def MeasureReliability(self, request: noise_ceiling_pb2.MeasureReliabilityRequest, _context: Any) -> bytes:
        """How far the columns of recordings agree."""
        spaces = [space_query(reference, f"spaces[{position}]") for position, reference in enumerate(request.spaces)]
        return await self._reliabilities.measure(current_call(), spaces, encode_reliability)
