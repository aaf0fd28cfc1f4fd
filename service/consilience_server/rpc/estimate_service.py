"""EstimateService: what an alignment would cost."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import estimate_pb2, estimate_pb2_grpc
from consilience_server.app.estimates import Estimates
from consilience_server.rpc.convert.estimate import read_estimate, write_cost
from consilience_server.rpc.execution import Execution


class EstimateService(estimate_pb2_grpc.EstimateServiceServicer):
    """Converts, calls, converts.

    Args:
        estimates: the use case.
        execution: knows what is answered within the call.
    """

    def __init__(self, estimates: Estimates, execution: Execution) -> None:
        self._estimates = estimates
        self._execution = execution

    async def EstimateAlignment(
        self, request: estimate_pb2.EstimateAlignmentRequest, _context: Any
    ) -> estimate_pb2.EstimateAlignmentResponse:
        """What a call that measures alignment would cost."""
        cost = await self._estimates.cost(read_estimate(request))
        return write_cost(cost, is_inline=self._execution.is_inline(cost.seconds))
