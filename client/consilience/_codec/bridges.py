"""Bridges: known pairs as a selection, answers as results."""

import math
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from consilience import _names
from consilience._codec.alignment import decode_interval
from consilience._codec.spaces import decode_space_use
from consilience._codec.stitching import decode_stitching
from consilience._codec.times import to_datetime
from consilience._convert import as_list, to_ids
from consilience._results.alignment_at_k import Interval
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.bridge import Bridge, Convergence, LearningPoint, ParentBridge, Recall, RetrievalReport
from consilience._results.measured import Measured
from consilience.errors import InvalidArgumentError
from consilience.v1 import bridge_convergence_pb2, bridge_pb2

_MISSING = ("NAType", "NaTType")
"""What pandas has for a missing value."""


def encode_pairs(pair_ids: Any, target_ids: Any, attribute: str | None = None) -> bridge_pb2.PairSelection:
    """Known pairs; None is all common items, or those that the attribute joins.

    Raises:
        InvalidArgumentError: an empty list, which the contract would read as "all", lists that do not belong together, an attribute too.
    """
    if attribute is not None:
        if pair_ids is not None or target_ids is not None:
            raise InvalidArgumentError(
                f"pair_attribute {attribute!r} joins pairs, and so do pair_ids; give one or the other", field="pair_attribute"
            )
        if not attribute:
            raise InvalidArgumentError("pair_attribute is empty; give the name of an attribute, or None", field="pair_attribute")
        return bridge_pb2.PairSelection(attribute=_names.text(attribute, "pair_attribute"))
    items = None if pair_ids is None else to_ids(pair_ids, "pair_ids")
    targets = None if target_ids is None else to_ids(target_ids, "target_ids")
    if items is not None and not items:
        raise InvalidArgumentError(
            "pair_ids is empty; give the ids of known pairs, or None for all common items", reason="TOO_FEW_PAIRS", field="pair_ids"
        )
    if targets is not None and len(targets) != len(items or ()):
        raise InvalidArgumentError(
            f"{len(items or ()):,} pair_ids came with {len(targets):,} target_ids; pair i is (pair_ids[i], target_ids[i])",
            reason="SHAPE_MISMATCH",
            field="target_ids",
        )
    return bridge_pb2.PairSelection(item_ids=items, target_ids=targets)


def encode_labels(labels: Any, pairs: int) -> list[str]:
    """One class a pair, as text (`encode_classes`); InvalidArgumentError where there are not as many as pairs."""
    told = encode_classes(labels, "labels")
    if len(told) != pairs:
        raise InvalidArgumentError(
            f"{len(told):,} labels came with {pairs:,} pair_ids; label i is that of pair_ids[i]", reason="SHAPE_MISMATCH", field="labels"
        )
    return told


def encode_classes(classes: Any, field: str) -> list[str]:
    """Classes as text, so that equal ones are spelled alike: 1, 1.0 and True are all `1`.

    Raises:
        InvalidArgumentError: no list, or a missing value in it (None, NaN, NaT), which would become a class of its own.
    """
    if isinstance(classes, str | bytes | Mapping) or not isinstance(classes, Iterable):
        raise InvalidArgumentError(f"{field} is of type {type(classes).__name__}; give a list of classes", field=field)
    return [_spelled(value, f"{field}[{position}]", field) for position, value in enumerate(as_list(classes))]


def _spelled(value: Any, place: str, field: str) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or type(plain).__name__ in _MISSING or (isinstance(plain, float) and math.isnan(plain)):
        raise InvalidArgumentError(
            f"{place} is {value!r}, which is no class; leave its pair out, or name a class for it", reason="INVALID_ATTRIBUTE", field=field
        )
    if isinstance(plain, bool) or (isinstance(plain, float) and plain.is_integer()):
        plain = int(plain)
    return _names.text(str(plain), place)


def read_head(head: Any) -> bytes:
    """An ONNX model as bytes, from bytes of any kind or from a file; InvalidArgumentError where it is neither, or cannot be read."""
    if isinstance(head, bytes | bytearray | memoryview):
        return bytes(head)
    if not isinstance(head, str | PathLike):
        raise InvalidArgumentError(f"head is of type {type(head).__name__}; give an ONNX model as bytes, or its path", field="head")
    try:
        return Path(head).read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{head} cannot be read: {error}", field="head") from error


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
        held_out=decode_retrieval(message.held_out) if message.HasField("held_out") else None,
        candidates=tuple(decode_retrieval(candidate) for candidate in message.candidates),
        seed=message.seed,
        code_version=message.code_version,
        create_time=to_datetime(message, "create_time"),
        target_similarity=_names.SIMILARITIES.to_name(message.target_similarity),
        near_copies=message.near_copies,
        split_by=message.split_by,
        leads_into_target=message.leads_into_target,
        learning_curve=tuple(decode_learning_point(point) for point in message.learning_curve),
        derivation=_names.BRIDGE_DERIVATIONS.to_name(message.derivation) if message.derivation else "fitted",
        parents=tuple(
            ParentBridge(_names.bare(parent.name), parent.uid, _names.BRIDGE_METHODS.to_name(parent.method)) for parent in message.parents
        ),
        notes=tuple(message.notes),
        convergence=_convergence(message.convergence) if message.HasField("convergence") else None,
        pair_attribute=message.pair_attribute,
        pairs_left_out=message.pairs_left_out,
        stitching=decode_stitching(message.stitching) if message.HasField("stitching") else None,
        details=details,
    )


def decode_learning_point(message: bridge_pb2.LearningPoint) -> LearningPoint:
    """A point of a learning curve."""
    return LearningPoint(message.pairs, _recalls(message.recalls))


def _convergence(message: bridge_convergence_pb2.BridgeConvergence) -> Convergence:
    agreement = Measured(message.agreement, decode_interval(message.interval))
    return Convergence(message.converged, agreement, message.chance, message.queries, message.fits)


def decode_retrieval(message: bridge_pb2.RetrievalReport) -> RetrievalReport:
    return RetrievalReport(
        method=_names.BRIDGE_METHODS.to_name(message.method),
        recalls=_recalls(message.recalls),
        mean_reciprocal_rank=message.mean_reciprocal_rank,
        median_rank=message.median_rank,
        queries=message.queries,
        gallery=message.gallery,
        penalty=message.penalty,
        components=message.components,
        mean_reciprocal_rank_interval=_interval_if_any(message, "mean_reciprocal_rank_interval"),
        median_rank_interval=_interval_if_any(message, "median_rank_interval"),
        foscttm=measured_if_any(message, "foscttm"),
        neighbour_retention=measured_if_any(message, "neighbour_retention"),
        hubness=measured_if_any(message, "hubness"),
        hubness_csls=measured_if_any(message, "hubness_csls"),
        values=message.values,
    )


def _recalls(entries: Iterable[bridge_pb2.RecallAtK]) -> dict[int, Recall]:
    return {
        entry.k: Recall(entry.k, entry.recall, decode_interval(entry.interval) if entry.HasField("interval") else None) for entry in entries
    }


def _interval_if_any(message: bridge_pb2.RetrievalReport | bridge_pb2.Measured, field: str) -> Interval | None:
    return decode_interval(getattr(message, field)) if message.HasField(field) else None


def measured_if_any(message: bridge_pb2.RetrievalReport, field: str) -> Measured | None:
    if not message.HasField(field):
        return None
    told: bridge_pb2.Measured = getattr(message, field)
    return Measured(told.value, _interval_if_any(told, "interval"))
