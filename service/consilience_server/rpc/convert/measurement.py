"""How alignments were measured, as the contract tells it."""

from consilience.v1 import alignment_pb2
from consilience_server.app.measurement import Measurement
from consilience_server.rpc.convert.alignment import sampling_number
from consilience_server.rpc.convert.pairwise import write_pairwise
from consilience_server.rpc.convert.predictivity import write_predictivity


def write_measurement(how: Measurement) -> alignment_pb2.Measurement:
    """What it takes to repeat the alignments behind a trend or a consensus."""
    message = alignment_pb2.Measurement(
        gallery=how.gallery,
        query_sampling=sampling_number(how.query_sampling),
        duplicates=how.duplicates,
        deduplicate=how.deduplicate,
        components=how.components,
        predictivity=None if how.predictivity is None else write_predictivity(how.predictivity),
        kernel_rules=how.kernel_rules,
        strata=how.strata,
        group_by=how.group_by,
        groups=how.groups,
    )
    write_pairwise(message, how)
    return message
