# Generated from _async/items.py by client/unasync.py; edit that file.
"""Calls on single items: where spaces agree, and what a new version changed."""

from collections.abc import Sequence
from typing import Unpack

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._sync.alignment import SpaceName
from consilience._sync.base import Calls
from consilience._codec.alignment import Neighbours, check_one, encode_spec
from consilience._codec.items import check_item_metric, encode_wanted, join_items, join_versions
from consilience._methods import ALIGN_ITEMS, COMPARE_VERSIONS
from consilience._numbers import INT64, whole
from consilience._results.item_report import ItemReport, VersionChanges
from consilience._results.space import Space
from consilience.errors import InvalidArgumentError
from consilience.v1 import items_pb2


class ItemCalls(Calls):
    """Alignment item by item."""

    def align_items(
        self,
        x: SpaceName,
        y: SpaceName,
        *,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        show_ids: Sequence[str] = (),
        extremes: int = 10,
        slices: str | None = None,
        prefix: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> ItemReport:
        """Where two spaces agree: the overlap of the two k-neighbour lists of every common item (`mutual_knn` is their mean).

        Args:
            x: a space; `name@7` pins version 7.
            y: the other.
            k: neighbours, or a share of the items as in `align`.
            metric: `mutual_knn`, the one that is a mean over items of overlaps.
            show_ids: items whose two lists are wanted, with similarities: `report.shown[id]`.
            extremes: how many of the items that agree least, and of those that agree most, come with their lists.
            slices: attribute of x or y by whose values the items are grouped, each group with score, chance, interval and adjusted p.
            prefix: text that ends the part of the id by which items are grouped instead: `prefix="/"` for ids like `cats/17`.
            timeout: seconds; None is ten times the client's, for it joins all items with all.
            **options: see `AlignmentOptions`; `permutations` and `seed` test the slices too, `sample_queries` and `query_ids` choose items;
                with `group_by` overlaps count neighbours by their groups, and lists leave the item's own group out.

        Raises:
            InvalidArgumentError: as `align`; an attribute that neither space has or that items lack, an id without the prefix's end.
            NotFoundError: no such space, or an item to show that was not asked.
        """
        request = items_pb2.AlignItemsRequest(
            x=_names.space_ref(x, "x"),
            y=_names.space_ref(y, "y"),
            spec=encode_spec(k=check_one(k), metric=check_item_metric(metric), **options),
            **encode_wanted(show_ids, extremes, slices, prefix),
        )
        seconds = 10 * self._settings.timeout if timeout is None else timeout
        blocks, details = self._download(ALIGN_ITEMS, request, seconds)
        return join_items(blocks, details)

    def compare_versions(
        self,
        space: str | Space,
        old: int,
        new: int = 0,
        *,
        k: Neighbours = 10,
        metric: str = "mutual_knn",
        show_ids: Sequence[str] = (),
        extremes: int = 10,
        slices: str | None = None,
        prefix: str | None = None,
        timeout: float | None = None,
        **options: Unpack[AlignmentOptions],
    ) -> VersionChanges:
        """What changed between two versions of a space: items that came, went or have another vector, and how far neighbours moved.

        Neighbours are compared among the items of both versions, so that an addition alone moves nobody; `least` are the worst movers.

        Args:
            space: its name.
            old: the version to compare with, 1 or later.
            new: the version to be compared; 0 is the newest.
            k: as in `align_items`, like all that follow.
            metric: as in `align_items`.
            show_ids: as in `align_items`.
            extremes: as in `align_items`.
            slices: as in `align_items`; the attribute is read from the new version.
            prefix: as in `align_items`.
            timeout: as in `align_items`.
            **options: as in `align_items`; no permutations are drawn, since two versions of a space are never unrelated.

        Raises:
            InvalidArgumentError: as `align_items`.
            NotFoundError: as `align_items`.
            FailedPreconditionError: a version that was cleaned up, or never was.
        """
        reference = _names.space_ref(space, "space")
        if reference.version:
            raise InvalidArgumentError(f"space is {space!r}; name it without a version, and the two as old and new", field="space")
        request = items_pb2.CompareVersionsRequest(
            space=reference.name,
            old_version=whole(old, "old", least=1, most=INT64),
            new_version=whole(new, "new", most=INT64),
            spec=encode_spec(k=check_one(k), metric=check_item_metric(metric), **options),
            **encode_wanted(show_ids, extremes, slices, prefix),
        )
        seconds = 10 * self._settings.timeout if timeout is None else timeout
        blocks, details = self._download(COMPARE_VERSIONS, request, seconds)
        return join_versions(blocks, details)
