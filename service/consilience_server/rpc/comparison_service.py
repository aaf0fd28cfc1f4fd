"""ComparisonService: alignments compared with each other."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from typing import Any

from consilience.v1 import comparison_pb2, comparison_pb2_grpc
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.call import Call
from consilience_server.app.comparing import AlignmentComparison, Comparing
from consilience_server.rpc.convert.alignment import read_spec, write_difference, write_report
from consilience_server.rpc.convert.names import space_query
from consilience_server.rpc.execution import Execution


class ComparisonService(comparison_pb2_grpc.ComparisonServiceServicer):
    """Converts, calls, converts.

    Args:
        comparing: the use case.
        execution: decides between answer and operation.
    """

    def __init__(self, comparing: Comparing, execution: Execution) -> None:
        self._comparing = comparing
        self._execution = execution

    async def CompareAlignments(
        self, request: comparison_pb2.CompareAlignmentsRequest, _context: Any
    ) -> bytes | comparison_pb2.CompareAlignmentsResponse:
        """Whether one pair of spaces is more aligned than another."""
        first, second, spec = _pair(request.first, "first"), _pair(request.second, "second"), read_spec(request.spec)

        async def work(call: Call) -> bytes:
            return await self._comparing.compare(call, first, second, spec, _encode)

        return await self._execution.answer(
            request, comparison_pb2.CompareAlignmentsResponse, lambda: self._comparing.estimate_seconds(first, second, spec), work
        )


def _pair(pair: comparison_pb2.SpacePair, field: str) -> tuple[SpaceQuery, SpaceQuery]:
    return space_query(pair.x, f"{field}.x"), space_query(pair.y, f"{field}.y")


def _encode(comparison: AlignmentComparison) -> bytes:
    message = comparison_pb2.AlignmentComparison(
        first=write_report(comparison.first),
        second=write_report(comparison.second),
        differences=[write_difference(each) for each in comparison.differences],
    )
    return comparison_pb2.CompareAlignmentsResponse(comparison=message).SerializeToString(deterministic=True)
