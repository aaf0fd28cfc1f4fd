"""How alignments behind a result were measured."""

from collections.abc import Sequence

from consilience import _names
from consilience._codec.pairwise import decode_pairwise
from consilience._codec.predictivity import decode_predictivity
from consilience._results.measurement import Measurement
from consilience.v1 import alignment_pb2


def decode_measurement(
    message: alignment_pb2.TrendReport | alignment_pb2.ConsensusReport, reports: Sequence[alignment_pb2.AlignmentReport] = ()
) -> Measurement | None:
    """Of a trend or a consensus; None from older servers. Where it rests on reports, they tell of the groups that were compared."""
    if not message.HasField("measurement"):
        return None
    told = message.measurement
    return Measurement(
        gallery=told.gallery,
        query_sampling=_names.QUERY_SAMPLING.to_name(told.query_sampling),
        duplicates=told.duplicates,
        deduplicate=told.deduplicate,
        kernel_rules=tuple(told.kernel_rules),
        strata=told.strata,
        # Older servers tell of groups in the reports alone.
        group_by=told.group_by or (reports[0].group_by if reports else ""),
        groups=told.groups or (reports[0].groups if reports else 0),
        **decode_pairwise(told),
        **decode_predictivity(told),
    )
