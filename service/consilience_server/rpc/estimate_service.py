"""EstimateService: what an alignment would cost."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import alignment_pb2, estimate_pb2, estimate_pb2_grpc
from consilience_server.app.estimates import Estimates
from consilience_server.rpc.convert.alignment import read_policy, read_spec
from consilience_server.rpc.convert.names import space_query
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
        """What Align or AlignMatrix would cost."""
        spaces = [space_query(reference, f"spaces[{at}]") for at, reference in enumerate(request.spaces)]
        is_matrix = bool(request.items) or len(spaces) > 2
        cost = await self._estimates.alignment(spaces, read_spec(request.spec), read_policy(request.items) if is_matrix else None)
        inline = self._execution.is_inline(cost.seconds)
        return estimate_pb2.EstimateAlignmentResponse(
            items_at_most=cost.items_at_most,
            queries=cost.queries,
            searches=cost.searches,
            seconds=cost.seconds,
            mode=alignment_pb2.EXECUTION_MODE_INLINE if inline else alignment_pb2.EXECUTION_MODE_OPERATION,
            peak_bytes=cost.peak_bytes,
            vector_bytes=cost.vector_bytes,
            table_bytes=cost.table_bytes,
            scratch_bytes=cost.scratch_bytes,
            free_bytes=max(cost.free_bytes, 0),
            budget_bytes=cost.budget_bytes,
            refusals=[
                estimate_pb2.Refusal(reason=refusal.reason, field=refusal.field or "", message=refusal.message) for refusal in cost.refusals
            ],
        )
