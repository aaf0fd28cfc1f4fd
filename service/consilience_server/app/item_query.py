"""What is asked of, and answered about, single items of an alignment."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.reports import PreprocessName, QuerySampling, SpaceUse
from consilience_server.core.errors import InvalidArgument, InvalidK, UnknownMetric
from consilience_server.core.score import Score
from consilience_server.core.similarity import Similarity
from consilience_server.engine.item_scores import SliceScore

MOST_SLICES = 10_000
MOST_SHOWN = 10_000


@dataclass(frozen=True)
class ItemQuery:
    """What is wanted of the items.

    Attributes:
        spec: of mutual_knn with one k; `sample_queries` and `query_ids` choose the items.
        show_ids: items whose lists are wanted, each once.
        extremes: how many of those that agree least, and of those that agree most, are shown.
        slice_by: attribute whose values make slices; empty for none.
        slice_prefix: text that ends the part of the id that makes slices; empty for none.
    """

    spec: AlignmentSpec = field(default_factory=AlignmentSpec)
    show_ids: tuple[str, ...] = ()
    extremes: int = 10
    slice_by: str = ""
    slice_prefix: str = ""


@dataclass(frozen=True)
class ItemLists:
    """One item with its k nearest in both spaces, best first, equal similarities by id."""

    id: str
    overlap: float
    x_ids: Sequence[str]
    x_similarities: Sequence[float]
    y_ids: Sequence[str]
    y_similarities: Sequence[float]


@dataclass(frozen=True)
class ItemReport:
    """Where two spaces agree: `ids` (ascending) and `overlaps` (m,) are of the asked items, the rest as in the contract."""

    x: SpaceUse
    y: SpaceUse
    query: ItemQuery
    headline: Score
    ids: NDArray[np.object_]
    overlaps: NDArray[np.float64]
    gallery: int
    query_sampling: QuerySampling
    dropped_x: int
    dropped_y: int
    preprocess: PreprocessName
    similarities: tuple[Similarity | None, Similarity | None]
    slices: Sequence[SliceScore]
    least: Sequence[ItemLists]
    most: Sequence[ItemLists]
    shown: Sequence[ItemLists]
    engine: str
    groups: int = 0


@dataclass(frozen=True)
class VersionReport:
    """What a new version changed: `items` compares the old (x) with the new (y); `replaced` (m,) tells whose own vector differs."""

    items: ItemReport
    replaced: NDArray[np.bool_]
    added_ids: Sequence[str]
    removed_ids: Sequence[str]
    replaced_items: int
    unchanged_items: int


def check_items(query: ItemQuery) -> None:
    """What can be refused before the spaces are looked at, beside what `check_spec` refuses: UnknownMetric, InvalidK, InvalidArgument."""
    spec = query.spec
    if spec.metric != "mutual_knn":
        raise UnknownMetric(f"{spec.metric} has no overlap of single items; ask mutual_knn", field="spec.metric")
    if len(spec.ks) + len(spec.k_fractions) != 1:
        raise InvalidK(f"items are compared at one k, not {len(spec.ks) + len(spec.k_fractions)}; ask once for each", field="spec.ks")
    if spec.context:
        raise InvalidArgument("items are compared without the context of their spaces; ask describe_space for it", field="spec.context")
    if spec.stop_after:
        raise InvalidArgument("items and slices are tested under all pairings; leave stop_after out", field="spec.stop_after")
    if spec.within:
        raise InvalidArgument("the pairings of single items are of all items; slice them by the attribute instead", field="spec.within")
    if query.slice_by and query.slice_prefix:
        raise InvalidArgument("slices by an attribute and by a prefix of the id; choose one", field="slice_prefix")
    for name, count in (("extremes", query.extremes), ("show_ids", len(query.show_ids))):
        if count > MOST_SHOWN:
            raise InvalidArgument(f"{name} asks for {count:,} items with their lists; at most {MOST_SHOWN:,} are shown", field=name)
