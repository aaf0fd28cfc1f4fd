"""How alignments behind a result were measured."""

from consilience import _names
from consilience._codec.pairwise import decode_pairwise
from consilience._codec.predictivity import decode_predictivity
from consilience._results.measurement import Measurement
from consilience.v1 import alignment_pb2


def decode_measurement(message: alignment_pb2.TrendReport | alignment_pb2.ConsensusReport) -> Measurement | None:
    """Of a trend or a consensus; None from older servers."""
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
        **decode_pairwise(told),
        **decode_predictivity(told),
    )
