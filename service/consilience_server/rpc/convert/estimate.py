"""Dry runs of the contract to and from those of the use case."""

from consilience.v1 import alignment_pb2, estimate_pb2
from consilience_server.app.consensus_query import DEFAULT_RANK
from consilience_server.app.estimate_query import EstimatedCall, EstimateQuery
from consilience_server.app.estimates import Cost
from consilience_server.core.errors import DomainError
from consilience_server.rpc.convert.alignment import read_controls, read_policy, read_spec
from consilience_server.rpc.convert.consensus import read_method
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.names import side_query, space_query
from consilience_server.rpc.errors import code_of

_CALLS: dict[estimate_pb2.EstimatedCall, EstimatedCall] = {
    estimate_pb2.ESTIMATED_CALL_UNSPECIFIED: "align",
    estimate_pb2.ESTIMATED_CALL_ALIGN: "align",
    estimate_pb2.ESTIMATED_CALL_ALIGN_MATRIX: "align_matrix",
    estimate_pb2.ESTIMATED_CALL_TREND: "trend",
    estimate_pb2.ESTIMATED_CALL_CONSENSUS: "consensus",
    estimate_pb2.ESTIMATED_CALL_GALLERY_CURVE: "gallery_curve",
    estimate_pb2.ESTIMATED_CALL_COMPARE_ALIGNMENTS: "compare_alignments",
}
_PAIR = 2


def read_estimate(request: estimate_pb2.EstimateAlignmentRequest) -> EstimateQuery:
    """What a request asks, defaults filled in.

    Raises:
        InvalidArgument: another number of spaces than the call takes.
        InvalidName, UnknownMetric, NotServed.
    """
    call = served(estimate_pb2.EstimatedCall, request.call, _CALLS, "call", what="call")
    if not request.call and (request.items or len(request.spaces) > _PAIR):
        call = "align_matrix"
    return EstimateQuery(
        call=call,
        spaces=[side_query(reference, f"spaces[{at}]") for at, reference in enumerate(request.spaces)],
        spec=read_spec(request.spec),
        items=read_policy(request.items),
        controls=read_controls(request.controls),
        given=space_query(request.given, "given") if request.HasField("given") else None,
        reference=space_query(request.reference, "reference") if request.HasField("reference") else None,
        sizes=tuple(request.gallery_sizes),
        method=read_method(request.method),
        rank=request.rank or DEFAULT_RANK,
    )


def write_cost(cost: Cost, *, is_inline: bool) -> estimate_pb2.EstimateAlignmentResponse:
    """The answer."""
    return estimate_pb2.EstimateAlignmentResponse(
        items_at_most=cost.items_at_most,
        queries=cost.queries,
        searches=cost.searches,
        seconds=cost.seconds,
        mode=alignment_pb2.EXECUTION_MODE_INLINE if is_inline else alignment_pb2.EXECUTION_MODE_OPERATION,
        peak_bytes=cost.peak_bytes,
        vector_bytes=cost.vector_bytes,
        table_bytes=cost.table_bytes,
        scratch_bytes=cost.scratch_bytes,
        free_bytes=max(cost.free_bytes, 0),
        budget_bytes=cost.budget_bytes,
        refusals=[_write_refusal(refusal) for refusal in cost.refusals],
    )


def _write_refusal(refusal: DomainError) -> estimate_pb2.Refusal:
    code: int = code_of(type(refusal)).value[0]
    return estimate_pb2.Refusal(reason=refusal.reason, field=refusal.field or "", message=refusal.message, code=code)
