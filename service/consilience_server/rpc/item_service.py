"""ItemService: where spaces agree, item by item."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from collections.abc import AsyncIterator
from typing import Any

from consilience.v1 import items_pb2, items_pb2_grpc
from consilience_server.app.items import Items
from consilience_server.core.errors import InvalidArgument
from consilience_server.rpc.convert.items import read_item_query, write_items, write_versions
from consilience_server.rpc.convert.names import space_id, space_query, version_number
from consilience_server.rpc.current_call import current_call


class ItemService(items_pb2_grpc.ItemServiceServicer):
    """Converts, calls, converts.

    Args:
        items: the use cases.
    """

    def __init__(self, items: Items) -> None:
        self._items = items

    async def AlignItems(self, request: items_pb2.AlignItemsRequest, _context: Any) -> AsyncIterator[items_pb2.AlignItemsResponse]:
        """The overlap of every item, in blocks."""
        x, y = space_query(request.x, "x"), space_query(request.y, "y")
        report = await self._items.align_items(current_call(), x, y, read_item_query(request))
        for block in write_items(report):
            yield block

    async def CompareVersions(
        self, request: items_pb2.CompareVersionsRequest, _context: Any
    ) -> AsyncIterator[items_pb2.CompareVersionsResponse]:
        """What became of every item's neighbours, in blocks."""
        old = version_number(request.old_version, "old_version")
        if old == 0:
            raise InvalidArgument("old_version is 0; name the version to compare with", field="old_version")
        new = version_number(request.new_version, "new_version")
        report = await self._items.compare_versions(current_call(), space_id(request.space, "space"), old, new, read_item_query(request))
        for block in write_versions(report):
            yield block
