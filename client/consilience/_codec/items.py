"""Alignment item by item: what a caller asks, and results from the blocks of a stream."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from consilience import _names
from consilience._codec.alignment import decode_at_k, decode_interval
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix, is_sendable, to_ids
from consilience._numbers import whole
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.item_report import ItemLists, ItemReport, ItemSlice, VersionChanges
from consilience.errors import InvalidArgumentError, ServerError
from consilience.v1 import items_pb2


def encode_wanted(show_ids: Any, extremes: Any, slices: Any, prefix: Any) -> dict[str, Any]:
    """The fields that both requests have.

    Raises:
        InvalidArgumentError: no list of ids, a negative number, no text, or slices in two ways.
    """
    return {
        "show_ids": to_ids(show_ids, "show_ids"),
        "extremes": whole(extremes, "extremes"),
        **encode_slices(slices, prefix),
    }


def encode_slices(slices: Any, prefix: Any) -> dict[str, str]:
    """The fields that choose slices; InvalidArgumentError where they are no text, or both are given."""
    for name, text in (("slices", slices), ("prefix", prefix)):
        if text is not None and (not isinstance(text, str) or not text or not is_sendable(text)):
            raise InvalidArgumentError(f"{name} is {text!r}; give a text, or leave it out", field=name)
    if slices is not None and prefix is not None:
        raise InvalidArgumentError("slices by an attribute and by a prefix of the id; choose one", field="prefix")
    return {"slice_by": slices or "", "slice_prefix": prefix or ""}


def check_item_metric(metric: Any) -> str:
    """The one metric of single items; InvalidArgumentError for another."""
    if metric != "mutual_knn":
        raise InvalidArgumentError(
            f"{metric!r} has no overlap of single items to tell; ask mutual_knn here, and {metric!r} of align",
            reason="UNKNOWN_METRIC",
            field="metric",
        )
    return "mutual_knn"


def join_items(blocks: Sequence[items_pb2.AlignItemsResponse], details: CallDetails = NO_DETAILS) -> ItemReport:
    """An ItemReport from the blocks of a stream; ServerError where it broke off."""
    return ItemReport(**_told(blocks), details=details)


def join_versions(blocks: Sequence[items_pb2.CompareVersionsResponse], details: CallDetails = NO_DETAILS) -> VersionChanges:
    """VersionChanges from the blocks of a stream; ServerError where it broke off."""
    told = _told(blocks)
    counts = blocks[0].counts
    changes = VersionChanges(
        **told,
        replaced=np.array([flag for block in blocks for flag in block.replaced], dtype=np.bool_),
        added_ids=_ids(item for block in blocks for item in block.added_ids),
        removed_ids=_ids(item for block in blocks for item in block.removed_ids),
        replaced_items=counts.replaced,
        unchanged_items=counts.unchanged,
        details=details,
    )
    if (len(changes.added_ids), len(changes.removed_ids)) != (counts.added, counts.removed):
        raise ServerError("the stream of a version's changes broke off", reason="INTERNAL")
    return changes


def _told(blocks: Sequence[Any]) -> dict[str, Any]:
    """The fields of an ItemReport."""
    if not blocks or not blocks[0].HasField("alignment"):
        raise ServerError("the stream of items brought no summary", reason="INTERNAL")
    summary = cast("items_pb2.ItemAlignment", blocks[0].alignment)
    ids = _ids(item for block in blocks for item in block.ids)
    if len(ids) != summary.n:
        raise ServerError(f"the stream told {summary.n:,} items and brought {len(ids):,}", reason="INTERNAL")
    overlaps = [from_matrix(block.overlaps).ravel() for block in blocks if block.ids]
    return {
        "k": summary.headline.k,
        "ids": ids,
        "overlaps": np.concatenate(overlaps) if overlaps else np.empty(0, dtype=np.float64),
        "headline": decode_at_k(summary.headline),
        "least": _lists(summary.least),
        "most": _lists(summary.most),
        "shown": {one.id: one for one in _lists(summary.shown)},
        "slices": tuple(_slice(part) for part in summary.slices),
        "n": summary.n,
        "gallery": summary.gallery,
        "x": decode_space_use(summary.x),
        "y": decode_space_use(summary.y),
        "slice_by": summary.slice_by,
        "slice_prefix": summary.slice_prefix,
        "group_by": summary.group_by,
        "groups": summary.groups,
        "query_sampling": _names.QUERY_SAMPLING.to_name(summary.query_sampling),
        "dropped_x": summary.dropped_x,
        "dropped_y": summary.dropped_y,
        "preprocess": _names.PREPROCESS.to_name(summary.preprocess),
        "permutations": summary.permutations,
        "seed": summary.seed,
        "alpha": summary.alpha,
        "confidence": summary.headline.interval.confidence,
        "interval_kind": _names.INTERVAL_KINDS.to_name(summary.headline.interval.kind) if summary.headline.interval.kind else "items",
        "engine": summary.engine,
        "similarity_x": _names.SIMILARITIES.to_name(summary.similarity_x) if summary.similarity_x else "",
        "similarity_y": _names.SIMILARITIES.to_name(summary.similarity_y) if summary.similarity_y else "",
    }


def _ids(ids: Any) -> Any:
    return np.array(list(ids), dtype=object)


def _lists(messages: Sequence[items_pb2.ItemLists]) -> tuple[ItemLists, ...]:
    return tuple(
        ItemLists(
            id=message.id,
            overlap=message.overlap,
            x_ids=tuple(message.x_ids),
            x_similarities=tuple(message.x_similarities),
            y_ids=tuple(message.y_ids),
            y_similarities=tuple(message.y_similarities),
        )
        for message in messages
    )


def _slice(message: items_pb2.ItemSlice) -> ItemSlice:
    return ItemSlice(
        value=message.value,
        n=message.n,
        score=message.score,
        chance=message.chance,
        excess=message.excess,
        interval=decode_interval(message.interval),
        p_value=message.p_value if message.HasField("p_value") else None,
        adjusted_p_value=message.adjusted_p_value if message.HasField("adjusted_p_value") else None,
    )
