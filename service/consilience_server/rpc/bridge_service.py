"""BridgeService: directed maps between spaces."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from google.longrunning import operations_pb2

from consilience.v1 import bridge_pb2, bridge_pb2_grpc
from consilience_server.app.bridge_evaluation import BridgeEvaluations
from consilience_server.app.bridge_export import BridgeExports
from consilience_server.app.bridging import Bridging
from consilience_server.app.call import Call
from consilience_server.rpc.convert.bridge import read_fit, write_bridge
from consilience_server.rpc.convert.bridge_evaluation import read_evaluation, write_evaluation
from consilience_server.rpc.convert.bridge_export import read_export, write_export
from consilience_server.rpc.convert.names import bridge_id
from consilience_server.rpc.current_call import current_call
from consilience_server.rpc.execution import Execution


class BridgeService(bridge_pb2_grpc.BridgeServiceServicer):
    """Converts, calls, converts.

    Args:
        bridging: the use cases.
        evaluations: of bridges on new pairs.
        exports: bridges as files.
        execution: decides between answer and operation.
    """

    def __init__(self, bridging: Bridging, evaluations: BridgeEvaluations, exports: BridgeExports, execution: Execution) -> None:
        self._bridging = bridging
        self._evaluations = evaluations
        self._exports = exports
        self._execution = execution

    async def FitBridge(self, request: bridge_pb2.FitBridgeRequest, _context: Any) -> bytes | bridge_pb2.FitBridgeResponse:
        """Fits, measures and keeps a bridge."""
        query = read_fit(request)

        async def work(call: Call) -> bytes:
            artefact = await self._bridging.fit(call, query)
            return bridge_pb2.FitBridgeResponse(bridge=write_bridge(artefact)).SerializeToString(deterministic=True)

        call = current_call()
        answer = await self._execution.run(
            call,
            request.mode,
            lambda: self._bridging.estimate_seconds(call, query),
            work,
            request_id=request.request_id,
            request=request.SerializeToString(deterministic=True),
        )
        return bridge_pb2.FitBridgeResponse(operation=answer) if isinstance(answer, operations_pb2.Operation) else answer

    async def GetBridge(self, request: bridge_pb2.GetBridgeRequest, _context: Any) -> bridge_pb2.GetBridgeResponse:
        """A bridge and where it came from."""
        artefact = await self._bridging.get(current_call(), bridge_id(request.name, "name"))
        return bridge_pb2.GetBridgeResponse(bridge=write_bridge(artefact))

    async def ListBridges(self, request: bridge_pb2.ListBridgesRequest, _context: Any) -> bridge_pb2.ListBridgesResponse:
        """A page of bridges by name."""
        artefacts, token = await self._bridging.list(current_call(), request.page_size, request.page_token)
        return bridge_pb2.ListBridgesResponse(bridges=[write_bridge(artefact) for artefact in artefacts], next_page_token=token)

    async def DeleteBridge(self, request: bridge_pb2.DeleteBridgeRequest, _context: Any) -> bridge_pb2.DeleteBridgeResponse:
        """Removes a bridge."""
        await self._bridging.delete(current_call(), bridge_id(request.name, "name"), request.request_id)
        return bridge_pb2.DeleteBridgeResponse()

    async def EvaluateBridge(self, request: bridge_pb2.EvaluateBridgeRequest, _context: Any) -> bytes | bridge_pb2.EvaluateBridgeResponse:
        """What a bridge finds on new pairs, and the stitching penalty."""
        query = read_evaluation(request)

        async def work(call: Call) -> bytes:
            return write_evaluation(await self._evaluations.evaluate(call, query)).SerializeToString(deterministic=True)

        call = current_call()
        return await self._execution.answer(
            request, bridge_pb2.EvaluateBridgeResponse, lambda: self._evaluations.estimate_seconds(call, query), work
        )

    async def ExportBridge(self, request: bridge_pb2.ExportBridgeRequest, _context: Any) -> bridge_pb2.ExportBridgeResponse:
        """A part of a bridge as a file."""
        query = read_export(request)
        return write_export(await self._exports.export(current_call(), query), query)
