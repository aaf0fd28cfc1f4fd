"""The cost of an alignment as a result."""

import grpc

from consilience._fields import argument_of
from consilience._results.alignment_estimate import AlignmentEstimate, Refusal
from consilience._results.base import NO_DETAILS, CallDetails
from consilience.v1 import alignment_pb2, estimate_pb2

_STATUS = {code.value[0]: code.name for code in grpc.StatusCode}


def decode_estimate(message: estimate_pb2.EstimateAlignmentResponse, details: CallDetails = NO_DETAILS) -> AlignmentEstimate:
    """An AlignmentEstimate."""
    return AlignmentEstimate(
        items_at_most=message.items_at_most,
        queries=message.queries,
        searches=message.searches,
        seconds=message.seconds,
        runs="inline" if message.mode == alignment_pb2.EXECUTION_MODE_INLINE else "operation",
        peak_bytes=message.peak_bytes,
        vector_bytes=message.vector_bytes,
        table_bytes=message.table_bytes,
        scratch_bytes=message.scratch_bytes,
        free_bytes=message.free_bytes,
        budget_bytes=message.budget_bytes,
        refusals=tuple(
            Refusal(each.reason, argument_of(each.field), each.message, _STATUS.get(each.code, "UNKNOWN")) for each in message.refusals
        ),
        details=details,
    )
