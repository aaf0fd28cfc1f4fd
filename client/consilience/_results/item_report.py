"""Where two spaces agree, item by item, and what a new version of a space changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_at_k import AlignmentAtK, Interval
from consilience._results.base import Result, asked, import_pandas, number, plain, probability
from consilience._results.item_citation import cite_items
from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class ItemLists:
    """One item with its k nearest in both spaces, best first; equal similarities by id.

    Attributes:
        id: the item.
        overlap: share of its k nearest that both lists have, in [0, 1].
        x_ids, y_ids: the nearest in x and in y; of two versions x is the old one.
        x_similarities, y_similarities: how near they are.
    """

    id: str
    overlap: float
    x_ids: tuple[str, ...]
    x_similarities: tuple[float, ...]
    y_ids: tuple[str, ...]
    y_similarities: tuple[float, ...]

    @property
    def shared(self) -> tuple[str, ...]:
        """The ids that both lists have, in the order of x."""
        of_y = set(self.y_ids)
        return tuple(item for item in self.x_ids if item in of_y)


@dataclass(frozen=True)
class ItemSlice:
    """Items with one value of an attribute, or one beginning of the id, asked against the full gallery.

    Attributes:
        value: what they have in common.
        n: number of items.
        score: their mean overlap.
        chance: what unrelated spaces would score, the same for every slice but of groups of items.
        excess: (score - chance) / (1 - chance).
        interval: where the mean overlap of other such items in this gallery would lie.
        p_value: share of the random pairings of all items in which the slice scores as high; None without permutations.
        adjusted_p_value: the same adjusted for the number of slices (Benjamini-Hochberg).
    """

    value: str
    n: int
    score: float
    chance: float
    excess: float
    interval: Interval
    p_value: float | None = None
    adjusted_p_value: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class ItemReport(Result):
    """The overlap of every asked item's two lists, and what the items say together.

    Attributes:
        k: neighbours a list.
        ids: (n,) array of str, ascending in byte order.
        overlaps: (n,) float64, in [0, 1]; a tie at the k-th place counts by its chance to be in the list.
        headline: the mean of all, as `align` answers it.
        least, most: the items that agree least and most, the extreme first; of equal overlap the lower id first.
        shown: the items asked for, by id.
        slices: by ascending value; empty where none were asked.
        slice_by, slice_prefix: what made them.
        n: items that were asked.
        gallery: items that they were asked against.
        query_sampling, group_by, groups: as in AlignmentReport.
        x, y: the versions used.
        dropped_x, dropped_y: items of either side without a partner.
        preprocess, permutations, seed, alpha, confidence, interval_kind, engine, similarity_x, similarity_y: as in AlignmentReport.
    """

    k: int
    ids: NDArray[np.object_]
    overlaps: NDArray[np.float64]
    headline: AlignmentAtK
    least: Sequence[ItemLists]
    most: Sequence[ItemLists]
    shown: Mapping[str, ItemLists]
    slices: Sequence[ItemSlice]
    n: int
    gallery: int
    x: SpaceUse
    y: SpaceUse
    slice_by: str = ""
    slice_prefix: str = ""
    query_sampling: str = "all"
    group_by: str = ""
    groups: int = 0
    dropped_x: int = 0
    dropped_y: int = 0
    preprocess: str = "none"
    permutations: int = 0
    seed: int = 0
    alpha: float = 0.05
    confidence: float = 0.95
    interval_kind: str = "items"
    engine: str = ""
    similarity_x: str = ""
    similarity_y: str = ""

    @property
    def score(self) -> float:
        """The mean overlap: mutual k-NN."""
        return self.headline.score

    @property
    def chance(self) -> float:
        """What unrelated spaces would score."""
        return self.headline.chance

    def cite(self) -> str:
        """Sentences for a methods section: what was compared, every parameter, the mean and the slices."""
        return cite_items(self)

    def to_pandas(self) -> Any:
        """A DataFrame with one row an item. Needs `consilience[report]`."""
        return import_pandas().DataFrame({"item_id": self.ids, **self._columns()})

    def slices_to_pandas(self) -> Any:
        """A DataFrame with one row a slice. Needs `consilience[report]`."""
        rows = [{**plain(part), "interval_low": part.interval.low, "interval_high": part.interval.high} for part in self.slices]
        frame = import_pandas().DataFrame(rows)
        return frame.drop(columns="interval") if rows else frame

    def subject(self) -> str:
        """`clip@3 and bge@1`."""
        return f"{self.x} and {self.y}"

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {"overlap": self.overlaps}

    def __repr__(self) -> str:
        top = self.headline
        parts = [f"mutual_knn@{self.k} item by item: {number(top.score)}", f"chance {number(top.chance)}", asked(self.n, self.gallery)]
        return "\n".join([" · ".join(parts), *self._lines()])

    def _lines(self) -> list[str]:
        lines = []
        for name, lists in (("least", self.least), ("most", self.most)):
            if lists:
                lines.append(f"agree {name}: " + ", ".join(f"{one.id} ({number(one.overlap)})" for one in lists[:5]))
        lines += [f"{part.value}: {_slice_text(part, self.permutations)}" for part in self.slices[:20]]
        if len(self.slices) > 20:
            lines.append(f"and {len(self.slices) - 20:,} slices more")
        return lines


@dataclass(frozen=True, eq=False, repr=False)
class VersionChanges(ItemReport):
    """What became of each item's neighbours between two versions of a space: x is the old one, y the new one.

    Beside what ItemReport has:

    Attributes:
        replaced: (n,) bool, whether the item's own vector is another; a neighbourhood can change without it.
        added_ids, removed_ids: arrays of str, the items of only the new and only the old version.
        replaced_items, unchanged_items: how many of the items of both versions have another, or the same vector.
    """

    replaced: NDArray[np.bool_] = field(kw_only=True)
    added_ids: NDArray[np.object_] = field(kw_only=True)
    removed_ids: NDArray[np.object_] = field(kw_only=True)
    replaced_items: int = field(kw_only=True)
    unchanged_items: int = field(kw_only=True)

    def subject(self) -> str:
        """Empty: the first line names the space."""
        return ""

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {"overlap": self.overlaps, "replaced": self.replaced}

    def __repr__(self) -> str:
        counts = [
            f"{len(self.added_ids):,} added",
            f"{len(self.removed_ids):,} removed",
            f"{self.replaced_items:,} replaced",
            f"{self.unchanged_items:,} unchanged",
        ]
        kept = f"{number(self.headline.score)} of the {self.k} nearest kept"
        title = (
            f"{self.x.name}: version {self.x.version} to {self.y.version} · {', '.join(counts)} · {kept} · {asked(self.n, self.gallery)}"
        )
        return "\n".join([title, *self._lines()])


def _slice_text(part: ItemSlice, permutations: int) -> str:
    low, high = (number(end) for end in part.interval)
    p_value = "" if part.adjusted_p_value is None else f" · adjusted {probability(part.adjusted_p_value, permutations)}"
    return f"{number(part.score)} [{low}, {high}] · excess {number(part.excess)}{p_value} · n = {part.n:,}"
