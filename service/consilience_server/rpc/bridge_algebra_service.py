"""BridgeAlgebraService: bridges made of others."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import bridge_algebra_pb2, bridge_algebra_pb2_grpc
from consilience_server.app.bridge_derivation import BridgeDerivations
from consilience_server.app.call import Call
from consilience_server.rpc.convert.bridge import write_bridge
from consilience_server.rpc.convert.bridge_algebra import read_compose, read_invert
from consilience_server.rpc.current_call import current_call
from consilience_server.rpc.execution import Execution


class BridgeAlgebraService(bridge_algebra_pb2_grpc.BridgeAlgebraServiceServicer):
    """Converts, calls, converts.

    Args:
        derivations: the use cases.
        execution: decides between answer and operation.
    """

    def __init__(self, derivations: BridgeDerivations, execution: Execution) -> None:
        self._derivations = derivations
        self._execution = execution

    async def ComposeBridges(
        self, request: bridge_algebra_pb2.ComposeBridgesRequest, _context: Any
    ) -> bytes | bridge_algebra_pb2.ComposeBridgesResponse:
        """Bridges one after the other."""
        query = read_compose(request)

        async def work(call: Call) -> bytes:
            made = write_bridge(await self._derivations.derive(call, query))
            return bridge_algebra_pb2.ComposeBridgesResponse(bridge=made).SerializeToString(deterministic=True)

        call = current_call()
        return await self._execution.answer(
            request, bridge_algebra_pb2.ComposeBridgesResponse, lambda: self._derivations.estimate_seconds(call, query), work
        )

    async def InvertBridge(
        self, request: bridge_algebra_pb2.InvertBridgeRequest, _context: Any
    ) -> bytes | bridge_algebra_pb2.InvertBridgeResponse:
        """The way back through a bridge."""
        query = read_invert(request)

        async def work(call: Call) -> bytes:
            made = write_bridge(await self._derivations.derive(call, query))
            return bridge_algebra_pb2.InvertBridgeResponse(bridge=made).SerializeToString(deterministic=True)

        call = current_call()
        return await self._execution.answer(
            request, bridge_algebra_pb2.InvertBridgeResponse, lambda: self._derivations.estimate_seconds(call, query), work
        )
