"""What a classification asks, checked before anything is read, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.reports import SpaceUse
from consilience_server.core.classification import Accuracy
from consilience_server.core.errors import DuplicateId, InvalidArgument, InvalidK

MOST_ITEMS = 100_000
MOST_CLASSES = 10_000
_MOST_TOP_K = 100
_MOST_PERMUTATIONS = 100_000
_MAX_SEED = 2**64 - 1


@dataclass(frozen=True)
class Prototypes:
    """What stands for the classes: exactly one of a space and vectors.

    Attributes:
        space: of the prototypes, or None.
        class_attribute: of that space; empty with no `class_items`: every item is a class of its own.
        class_items: class to the ids of its prototypes.
        vectors: (p, d) float32, or None.
        vector_classes: (p,) the class of each row.
    """

    space: SpaceQuery | None = None
    class_attribute: str = ""
    class_items: Mapping[str, Sequence[str]] = field(default_factory=dict)
    vectors: NDArray[np.float32] | None = None
    vector_classes: Sequence[str] = ()


@dataclass(frozen=True)
class ClassifyQuery:
    """What to classify.

    Attributes:
        prototypes: of the classes.
        items: the space to classify.
        bridge: bare id of one between the two spaces; empty: there is one space.
        labels_attribute: of `items`; empty for predictions alone.
        item_ids: some of them; empty: all.
        csls: whether similarities are corrected by CSLS.
        correction_k: of CSLS.
        top_ks: ascending; empty: 1, and 5 where there are more classes.
        permutations: of the labels.
        seed: of the permutations.
    """

    prototypes: Prototypes
    items: SpaceQuery
    bridge: str = ""
    labels_attribute: str = ""
    item_ids: Sequence[str] = ()
    csls: bool = False
    correction_k: int = 10
    top_ks: Sequence[int] = ()
    permutations: int = 999
    seed: int = 0


@dataclass(frozen=True)
class Classification:
    """What was predicted, and how right it is.

    Attributes:
        classes: ascending.
        item_ids: (n,) classified, ascending.
        predictions: (n, k) int32 positions in `classes`, best first.
        scores: (n, k) float64, what ranked.
        similarities: (n, k) float64, raw cosines.
        accuracy: None without labels.
        items, prototypes: versions read; the latter None where vectors were given.
        bridge: bare id, or empty.
        fitted_items: left out because the bridge was fitted on them.
        clustered_by: the attribute whose equal values count as one draw; empty for none.
        csls: whether similarities were corrected.
        permutations: of the labels.
        notes: what weakens the answer, in plain sentences.
    """

    classes: Sequence[str]
    item_ids: NDArray[np.object_]
    predictions: NDArray[np.int32]
    scores: NDArray[np.float64]
    similarities: NDArray[np.float64]
    accuracy: Accuracy | None
    items: SpaceUse
    prototypes: SpaceUse | None
    bridge: str
    fitted_items: int
    clustered_by: str
    csls: bool
    permutations: int
    notes: Sequence[str]


def check_classify(query: ClassifyQuery) -> None:
    """What can be refused before anything is read: InvalidArgument, DuplicateId, InvalidK."""
    told = query.prototypes
    if (told.space is None) == (told.vectors is None):
        raise InvalidArgument("give prototypes either as a space or as vectors", field="prototypes")
    if told.class_attribute and told.class_items:
        raise InvalidArgument("classes by an attribute and by items; give one of them", field="prototypes.class_attribute")
    if told.vectors is not None:
        if len(told.vector_classes) != len(told.vectors):
            raise InvalidArgument(
                f"{len(told.vectors):,} rows of vectors came with {len(told.vector_classes):,} classes; give one a row",
                field="prototypes.vector_classes",
            )
        if not all(told.vector_classes):
            raise InvalidArgument("a class has an empty name; name every class", field="prototypes.vector_classes")
    for name, ids in told.class_items.items():
        if not name or not ids:
            raise InvalidArgument(f"class {name!r} has no name or no prototype; give it both", field="prototypes.class_items")
    if len(set(query.item_ids)) != len(query.item_ids):
        raise DuplicateId("item ids stand twice; give each once", field="item_ids")
    if any(not 1 <= k <= _MOST_TOP_K for k in query.top_ks):
        raise InvalidK(f"top_ks are {list(query.top_ks)}; each must be 1 to {_MOST_TOP_K}", field="top_ks")
    if query.permutations > _MOST_PERMUTATIONS:
        raise InvalidArgument(f"{query.permutations:,} permutations; at most {_MOST_PERMUTATIONS:,} are drawn", field="permutations")
    if not 0 <= query.seed <= _MAX_SEED:
        raise InvalidArgument(f"the seed is {query.seed}; it must be 0 to 2^64 - 1", field="seed")


def check_classes(count: int, query: ClassifyQuery) -> tuple[int, ...]:
    """The top-k accuracies to tell; InvalidArgument for less than two classes or too many, InvalidK for k beyond their number."""
    if not 2 <= count <= MOST_CLASSES:
        raise InvalidArgument(f"there are {count:,} classes; give 2 to {MOST_CLASSES:,}", field="prototypes")
    if query.top_ks and max(query.top_ks) > count:
        raise InvalidK(f"top_ks are {list(query.top_ks)}, but there are {count} classes; ask less", field="top_ks")
    return tuple(sorted(set(query.top_ks))) or ((1, 5) if count > 5 else (1,))
