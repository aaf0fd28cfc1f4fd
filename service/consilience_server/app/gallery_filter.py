"""Matches among part of a gallery: the exact answer of the part, whichever way it is searched.

A filter decides what may be answered and changes no score: the terms of a correction, the neighbourhood r_T(q) of a query among them, are
those of the full gallery. So a filtered answer is the unfiltered ranking without the items that were left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.gallery_search import Found, Search, find_bytes, near_means, part_of, ranked
from consilience_server.app.ports import Metrics
from consilience_server.app.spaces import rows_of
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidArgument, InvalidK
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_FEW = 128
"""Items left out up to here are searched with the rest and dropped; beyond, the rest is gathered."""


@dataclass(frozen=True)
class GalleryPart:
    """Rows of a gallery, ascending int64: those that may be matched with, and the others."""

    rows: NDArray[np.int64]
    left_out: NDArray[np.int64]

    @property
    def is_gathered(self) -> bool:
        """Whether the rows are copied to be searched, rather than the whole gallery searched deeper."""
        return len(self.left_out) > _FEW


def gallery_part(
    gallery: Snapshot, gallery_ids: Sequence[str] | None, exclude_ids: Sequence[str], fulfilled: NDArray[np.bool_] | None = None
) -> GalleryPart:
    """The rows that a filter leaves. An id given twice counts once; an id in both lists is left out.

    Args:
        gallery: what is filtered.
        gallery_ids: only these items; None is all.
        exclude_ids: not these.
        fulfilled: (n,) bool, the items that an expression keeps; None without one.

    Raises:
        ItemNotFound: ids that the gallery lacks.
        InvalidArgument: no item is left.
    """
    name = gallery.name.removeprefix("spaces/")
    left = np.full(gallery.n, gallery_ids is None)
    if gallery_ids is not None:
        left[rows_of(gallery.ids, gallery_ids, name, "gallery_ids.ids")] = True
    if exclude_ids:
        left[rows_of(gallery.ids, exclude_ids, name, "exclude_ids.ids")] = False
    if not left.any():
        raise InvalidArgument(
            f"exclude_ids leaves nothing of space {gallery.name.removeprefix('spaces/')!r} to match with; leave out fewer items",
            field="exclude_ids.ids",
        )
    if fulfilled is not None and not (left & fulfilled).any():
        raise InvalidArgument(
            f"the filter is true for none of the {int(left.sum()):,} items of {gallery.name}; ask for less", field="filter"
        )
    left &= True if fulfilled is None else fulfilled
    return GalleryPart(np.flatnonzero(left).astype(np.int64), np.flatnonzero(~left).astype(np.int64))


def check_part(part: GalleryPart, search: Search, k: int) -> None:
    """InvalidK for k above what every query can be matched with."""
    own = _own_places(part, search.exclude) is not None
    most = len(part.rows) - own
    if k > most:
        but = ", and an item is not its own match" if own else ""
        raise InvalidK(
            f"k is {k}, but gallery_ids, exclude_ids and filter leave {len(part.rows):,} items{but}, so it may be at most {most}",
            field="k",
            k=k,
            limit=most,
        )


def part_bytes(part: GalleryPart, search: Search, k: int, engine: NeighbourEngine) -> int:
    """Peak bytes of `find_in_part` beyond what is held."""
    if not part.is_gathered:
        return find_bytes(search, k + len(part.left_out), engine)
    m, n, d = len(search.queries), len(search.gallery), int(search.gallery.shape[1])
    searched = find_bytes(search, k, engine, len(part.rows))
    if search.neighbourhood:
        searched = max(searched, engine.query_bytes(m, n, d, search.neighbourhood))
    return 4 * d * len(part.rows) + searched


def find_in_part(search: Search, part: GalleryPart, k: int, engine: NeighbourEngine, metrics: Metrics, control: Control) -> Found:
    """The k best of each query among `part.rows`; ranks and scores as `gallery_search.find` has them for the full gallery."""
    metrics.batch(engine.backend, len(search.queries))
    near = near_means(search, engine, metrics, control)
    if part.is_gathered:
        # The rows ascend, so equal scores go by the gallery's rows.
        found = ranked(part_of(search, part.rows, _own_places(part, search.exclude)), k, near, engine, metrics, control)
        return replace(found, rows=part.rows[found.rows].astype(np.int32))
    return _deeper(search, part, k, near, engine, metrics, control)


def _deeper(
    search: Search,
    part: GalleryPart,
    k: int,
    near: NDArray[np.float64] | None,
    engine: NeighbourEngine,
    metrics: Metrics,
    control: Control,
) -> Found:
    """A search of the whole gallery for as many more as are left out: the k best of the rest are among them, in the same order."""
    # An item that is left out in any case need not be kept from matching itself, but may be all the same.
    found = ranked(search, min(k + len(part.left_out), search.candidates), near, engine, metrics, control)
    kept = np.argsort(np.isin(found.rows, part.left_out), axis=1, kind="stable")[:, :k]
    return replace(
        found,
        rows=np.take_along_axis(found.rows, kept, axis=1),
        similarities=np.take_along_axis(found.similarities, kept, axis=1),
        scores=np.take_along_axis(found.scores, kept, axis=1),
    )


def _own_places(part: GalleryPart, exclude: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """(m,) place among `part.rows` of the row that is each query itself, -1 where it is not among them; None where none is."""
    if exclude is None:
        return None
    places = np.minimum(np.searchsorted(part.rows, exclude), len(part.rows) - 1)
    own = np.where(part.rows[places] == exclude, places, -1).astype(np.int64)
    return own if (own >= 0).any() else None
