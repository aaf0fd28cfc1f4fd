"""Alignments item by item: requests of the contract to those of the use cases, and answers as blocks of a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from consilience.v1 import alignment_pb2, items_pb2
from consilience_server.app.item_query import ItemLists, ItemQuery, ItemReport, VersionReport
from consilience_server.core.score import Interval
from consilience_server.engine.item_scores import SliceScore
from consilience_server.rpc.convert.alignment import preprocess_number, read_spec, sampling_number, write_at_k, write_interval
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.names import space_use
from consilience_server.rpc.convert.spaces import write_similarity

_BLOCK_BYTES = 1 << 20
_ITEM_BYTES = 16
_EXTREMES = 10


def read_item_query(request: items_pb2.AlignItemsRequest | items_pb2.CompareVersionsRequest) -> ItemQuery:
    """What a request wants of the items, the contract's defaults filled in.

    Raises:
        What `read_spec` refuses.
    """
    spec = alignment_pb2.AlignmentSpec()
    spec.CopyFrom(request.spec)
    spec.metric = spec.metric or alignment_pb2.METRIC_MUTUAL_KNN
    return ItemQuery(
        spec=read_spec(spec),
        show_ids=tuple(dict.fromkeys(request.show_ids)),
        extremes=request.extremes if request.HasField("extremes") else _EXTREMES,
        slice_by=request.slice_by,
        slice_prefix=request.slice_prefix,
    )


def write_items(report: ItemReport) -> Iterator[items_pb2.AlignItemsResponse]:
    """The summary, then the items in blocks of about a mebibyte."""
    yield items_pb2.AlignItemsResponse(alignment=_write_alignment(report))
    for start, stop in _blocks(report.ids.tolist()):
        yield items_pb2.AlignItemsResponse(ids=report.ids[start:stop].tolist(), overlaps=write_matrix(report.overlaps[start:stop]))


def write_versions(report: VersionReport) -> Iterator[items_pb2.CompareVersionsResponse]:
    """The summary, then the items, those that came and those that went, in blocks of about a mebibyte."""
    counts = items_pb2.VersionCounts(
        added=len(report.added_ids),
        removed=len(report.removed_ids),
        replaced=report.replaced_items,
        unchanged=report.unchanged_items,
    )
    items = report.items
    yield items_pb2.CompareVersionsResponse(alignment=_write_alignment(items), counts=counts)
    for start, stop in _blocks(items.ids.tolist()):
        yield items_pb2.CompareVersionsResponse(
            ids=items.ids[start:stop].tolist(),
            overlaps=write_matrix(items.overlaps[start:stop]),
            replaced=report.replaced[start:stop].tolist(),
        )
    for start, stop in _blocks(report.added_ids):
        yield items_pb2.CompareVersionsResponse(added_ids=report.added_ids[start:stop])
    for start, stop in _blocks(report.removed_ids):
        yield items_pb2.CompareVersionsResponse(removed_ids=report.removed_ids[start:stop])


def _write_alignment(report: ItemReport) -> items_pb2.ItemAlignment:
    spec = report.query.spec
    return items_pb2.ItemAlignment(
        x=space_use(report.x),
        y=space_use(report.y),
        headline=write_at_k(replace(report.headline, null=None)),
        n=len(report.ids),
        gallery=report.gallery,
        query_sampling=sampling_number(report.query_sampling),
        dropped_x=report.dropped_x,
        dropped_y=report.dropped_y,
        preprocess=preprocess_number(report.preprocess),
        permutations=spec.permutations,
        seed=spec.seed,
        alpha=spec.alpha,
        engine=report.engine,
        slice_by=report.query.slice_by,
        slice_prefix=report.query.slice_prefix,
        group_by=spec.group_by,
        groups=report.groups,
        similarity_x=None if report.similarities[0] is None else write_similarity(report.similarities[0]),
        similarity_y=None if report.similarities[1] is None else write_similarity(report.similarities[1]),
        slices=[_write_slice(part, spec.confidence) for part in report.slices],
        least=_write_lists(report.least),
        most=_write_lists(report.most),
        shown=_write_lists(report.shown),
    )


def _write_slice(part: SliceScore, confidence: float) -> items_pb2.ItemSlice:
    return items_pb2.ItemSlice(
        value=part.value,
        n=part.n,
        score=part.score,
        chance=part.chance,
        excess=part.excess,
        interval=write_interval(Interval(part.low, part.high, confidence, "queries")),
        p_value=part.p_value,
        adjusted_p_value=part.adjusted_p_value,
    )


def _write_lists(lists: Sequence[ItemLists]) -> list[items_pb2.ItemLists]:
    return [
        items_pb2.ItemLists(
            id=one.id,
            overlap=one.overlap,
            x_ids=one.x_ids,
            x_similarities=one.x_similarities,
            y_ids=one.y_ids,
            y_similarities=one.y_similarities,
        )
        for one in lists
    ]


def _blocks(ids: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Parts of the ids of about a mebibyte; none where there are no ids."""
    start = size = 0
    for at, item in enumerate(ids):
        # Four bytes a character at most in UTF-8.
        cost = _ITEM_BYTES + 4 * len(item)
        if size and size + cost > _BLOCK_BYTES:
            yield start, at
            start, size = at, 0
        size += cost
    if ids:
        yield start, len(ids)
