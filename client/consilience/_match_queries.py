"""Queries of `match`: vectors or ids, cut into parts that a message takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consilience import _names
from consilience._codec.alignment import check_k
from consilience._convert import Vectors, to_ids, to_vectors
from consilience._numbers import INT64, positive, whole
from consilience._results.server_info import Limits
from consilience._results.space import SpaceUse
from consilience.errors import InvalidArgumentError
from consilience.v1 import match_pb2

_DEFAULT_MESSAGE_BYTES = 4 << 20
_ANSWER_BYTES = 16 + 64
"""One match: two float64 and, on average, at most this much of an id."""


@dataclass(frozen=True)
class Queries:
    """What is asked with: exactly one of the two is set."""

    vectors: Vectors | None
    ids: list[str] | None

    def __len__(self) -> int:
        return len(self.vectors if self.vectors is not None else self.ids or [])

    def most(self, k: int, limits: Limits) -> int:
        """Queries of which request and answer fit a message."""
        room = _room(limits)
        query_bytes = self.vectors.columns * self.vectors.data.itemsize if self.vectors is not None else limits.max_id_bytes or 1024
        most = min(room // max(query_bytes, 1), room // (_ANSWER_BYTES * k))
        if limits.max_items_per_message:
            most = min(most, limits.max_items_per_message // k)
        return max(1, most)

    def parts(self, k: int, limits: Limits) -> Iterator[tuple[int, int]]:
        """Ranges [start, stop) whose request and answer fit a message; one empty range where nothing is asked."""
        step, count = self.most(k, limits), len(self)
        for start in range(0, max(count, 1), step):
            yield start, min(start + step, count)

    def fill(self, request: match_pb2.MatchRequest, start: int, stop: int) -> None:
        """Put queries [start, stop) into a request."""
        if self.vectors is not None:
            request.vectors.CopyFrom(self.vectors.rows(start, stop).to_matrix())
        else:
            request.ids.CopyFrom(match_pb2.IdQueries(ids=(self.ids or [])[start:stop]))


def encode_queries(queries: Any, query_ids: Any) -> Queries:
    """Vectors, or ids; InvalidArgumentError where both or none are given."""
    if (queries is None) == (query_ids is None):
        raise InvalidArgumentError("give either queries (vectors) or query_ids", field="queries")
    if queries is not None:
        return Queries(to_vectors(queries, "queries", single=True), None)
    return Queries(None, to_ids(query_ids, "query_ids"))


def match_request(
    *,
    bridge: Any,
    space: Any,
    source: Any,
    k: Any,
    correction: str,
    correction_k: Any,
    beta: Any,
    index: str,
    index_parameters: Mapping[str, Any],
    gallery_ids: Any,
    exclude_ids: Any,
    filter: str | None,  # noqa: A002 - what everybody calls it
    probability: bool,
    one_to_one: bool,
    gallery_version: Any,
    wait: bool,
) -> match_pb2.MatchRequest:
    """A request without its queries; InvalidArgumentError where not exactly one of bridge and space is given."""
    if (bridge is None) == (space is None):
        raise InvalidArgumentError("give either a bridge or a space to search in", field="bridge")
    request = match_pb2.MatchRequest(
        k=1 if one_to_one and k is None else check_k(10 if k is None else k),
        probability=bool(probability),
        one_to_one=bool(one_to_one),
        correction=_names.CORRECTIONS.to_number(correction),
        correction_k=whole(correction_k, "correction_k", least=1, reason="INVALID_K"),
        beta=positive(beta, "beta"),
        index=_names.INDEXES.to_number(index),
        filter="" if filter is None else _expression(filter),
        gallery_version=whole(gallery_version, "gallery_version", most=INT64),
        mode=_names.execution_mode(wait=wait),
        expected_bridge=_names.expected_bridge(bridge, source),
    )
    for field, value in index_parameters.items():
        if value is not None:
            setattr(request.index_parameters, field, whole(value, field, least=1))
    for field, ids in (("gallery_ids", gallery_ids), ("exclude_ids", exclude_ids)):
        if ids is not None:
            getattr(request, field).CopyFrom(match_pb2.ItemIds(ids=to_ids(ids, field)))
    if bridge is not None:
        request.bridge = _names.bridge_name(bridge)
    else:
        request.space.CopyFrom(_names.space_ref(space))
    return request


def _expression(text: str) -> str:
    """InvalidArgumentError for an empty filter, which on the wire would be none."""
    if not _names.text(text, "filter").strip():
        raise InvalidArgumentError("filter is empty; leave it out for all items", field="filter")
    return text


def check_assigned_whole(request: match_pb2.MatchRequest, queries: Queries, limits: Limits) -> None:
    """InvalidArgumentError where an assignment would be asked in parts, each blind to the others."""
    if request.one_to_one and (most := queries.most(request.k, limits)) < len(queries):
        raise InvalidArgumentError(
            f"{len(queries):,} queries do not fit one message, which takes {most:,}; for larger sets use mutual_pairs with mode='max'",
            reason="MESSAGE_TOO_LARGE",
            field="one_to_one",
        )


def check_filter_size(request: match_pb2.MatchRequest, limits: Limits) -> None:
    """InvalidArgumentError where the ids of a filter leave no room for queries in a message."""
    for field, other in (("gallery_ids", "exclude_ids"), ("exclude_ids", "gallery_ids")):
        held = getattr(request, field).ByteSize()
        if held > _room(limits) // 2:
            raise InvalidArgumentError(
                f"{field} takes {held:,} bytes of a message; {_room(limits) // 2:,} are free. Name fewer items, or the others in {other}",
                reason="MESSAGE_TOO_LARGE",
                field=field,
            )


def _room(limits: Limits) -> int:
    """Bytes of a message that queries may take; the rest is for whatever else is asked."""
    return (limits.max_message_bytes or _DEFAULT_MESSAGE_BYTES) // 2


def pin_gallery(request: match_pb2.MatchRequest, gallery: SpaceUse) -> None:
    """The parts that follow search the version that the first one did."""
    if request.WhichOneof("route") == "space":
        request.space.version = gallery.version
    else:
        request.gallery_version = gallery.version
