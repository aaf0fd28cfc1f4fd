"""Bridges: answers as results."""

from consilience import _names
from consilience._codec.alignment import decode_interval
from consilience._codec.spaces import decode_space_use
from consilience._codec.times import to_datetime
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.bridge import Bridge, Recall, RetrievalReport
from consilience.v1 import bridge_pb2


def decode_bridge(message: bridge_pb2.Bridge, details: CallDetails = NO_DETAILS) -> Bridge:
    """A Bridge."""
    return Bridge(
        name=_names.bare(message.name),
        uid=message.uid,
        version=message.version,
        source=decode_space_use(message.source),
        target=decode_space_use(message.target),
        method=_names.BRIDGE_METHODS.to_name(message.method),
        source_dim=message.source_dim,
        target_dim=message.target_dim,
        fit_pairs=message.fit_pairs,
        fit_ids_digest=message.fit_ids_digest,
        held_out=_decode_retrieval(message.held_out) if message.HasField("held_out") else None,
        candidates=tuple(_decode_retrieval(candidate) for candidate in message.candidates),
        seed=message.seed,
        code_version=message.code_version,
        create_time=to_datetime(message, "create_time"),
        target_similarity=_names.SIMILARITIES.to_name(message.target_similarity),
        details=details,
    )


def _decode_retrieval(message: bridge_pb2.RetrievalReport) -> RetrievalReport:
    recalls = [
        Recall(entry.k, entry.recall, decode_interval(entry.interval) if entry.HasField("interval") else None) for entry in message.recalls
    ]
    return RetrievalReport(
        method=_names.BRIDGE_METHODS.to_name(message.method),
        recalls={recall.k: recall for recall in recalls},
        mean_reciprocal_rank=message.mean_reciprocal_rank,
        median_rank=message.median_rank,
        queries=message.queries,
        gallery=message.gallery,
        penalty=message.penalty,
    )
