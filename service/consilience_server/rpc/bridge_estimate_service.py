"""BridgeEstimateService: what a bridge would be worth."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import bridge_estimate_pb2, bridge_estimate_pb2_grpc
from consilience_server.app.bridge_estimates import BridgeEstimates
from consilience_server.rpc.convert.bridge_estimate import read_estimate, write_estimate
from consilience_server.rpc.current_call import current_call


class BridgeEstimateService(bridge_estimate_pb2_grpc.BridgeEstimateServiceServicer):
    """Converts, calls, converts.

    Args:
        estimates: the use case.
    """

    def __init__(self, estimates: BridgeEstimates) -> None:
        self._estimates = estimates

    async def EstimateBridge(
        self, request: bridge_estimate_pb2.EstimateBridgeRequest, _context: Any
    ) -> bridge_estimate_pb2.EstimateBridgeResponse:
        """Alignment of the pairs, what they support, and what more would bring."""
        return write_estimate(await self._estimates.estimate(current_call(), read_estimate(request)))
