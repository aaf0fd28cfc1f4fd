"""Estimates of bridges: answers as results."""

from consilience import _names
from consilience._codec.bridges import decode_learning_point
from consilience._codec.spaces import decode_space_use
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.bridge_estimate import BridgeEstimate, MethodSupport, PairAlignment
from consilience.v1 import bridge_estimate_pb2


def decode_bridge_estimate(message: bridge_estimate_pb2.EstimateBridgeResponse, details: CallDetails = NO_DETAILS) -> BridgeEstimate:
    """A BridgeEstimate."""
    found = message.alignment

    def if_any(field: str) -> int | None:
        return getattr(message, field) if message.HasField(field) else None

    return BridgeEstimate(
        source=decode_space_use(message.source),
        target=decode_space_use(message.target),
        pairs=message.pairs,
        alignment=PairAlignment(found.mutual_knn, found.chance, found.p_value, found.cka if found.HasField("cka") else None, found.items)
        if message.HasField("alignment")
        else None,
        methods=tuple(MethodSupport(_names.BRIDGE_METHODS.to_name(one.method), one.needed_pairs, one.supported) for one in message.methods),
        method=_names.BRIDGE_METHODS.to_name(message.method) if message.method else None,
        measured=tuple(decode_learning_point(point) for point in message.measured),
        foreseen=tuple(decode_learning_point(point) for point in message.foreseen),
        plateaus={plateau.k: plateau.recall for plateau in message.plateaus},
        needed_pairs=if_any("needed_pairs"),
        needed_pairs_interval=(if_any("needed_pairs_low"), if_any("needed_pairs_high")),
        queries=message.queries,
        gallery=message.gallery,
        seconds=message.seconds,
        peak_bytes=message.peak_bytes,
        notes=tuple(message.notes),
        details=details,
    )
