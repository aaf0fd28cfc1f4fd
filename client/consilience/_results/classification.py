"""Items put into classes, and how right that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.base import Result, import_pandas, number, probability
from consilience._results.measured import Measured
from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class ClassRecall:
    """Of the items of a class the share that was put into it; None for a class without items."""

    items: int
    recall: Measured | None


@dataclass(frozen=True, eq=False)
class ClassificationAccuracy:
    """What the predictions are worth.

    Attributes:
        accuracy: share of items whose first class is theirs.
        balanced_accuracy: mean recall of the classes that have items.
        top_k: by k, share of items whose class is among the first k.
        majority: the share of the most frequent label: what a constant answer reaches.
        chance: expected accuracy of these predictions if they were paired with these labels at random.
        p_value: how often random pairings are as accurate; None without permutations.
        recalls: by class.
        confusion: (C, C) int64, items of the class of the row that were put into the class of the column, in the order of `classes`.
    """

    accuracy: Measured
    balanced_accuracy: Measured
    top_k: Mapping[int, Measured]
    majority: float
    chance: float
    p_value: float | None
    recalls: Mapping[str, ClassRecall]
    confusion: NDArray[np.int64]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClassificationAccuracy):
            return NotImplemented
        mine, theirs = ({name: value for name, value in vars(each).items() if name != "confusion"} for each in (self, other))
        return mine == theirs and np.array_equal(self.confusion, other.confusion)

    __hash__ = None  # type: ignore[assignment]  # holds an array


@dataclass(frozen=True, eq=False, repr=False)
class Classification(Result):
    """Items of one space by class prototypes of another.

    Attributes:
        classes: ascending.
        item_ids: (n,) classified, ascending.
        predictions: (n, k) names of the best classes, best first.
        scores: (n, k) what ranked them: cosines, or with CSLS twice the cosine less the mean cosine of the class with its nearest items.
        similarities: (n, k) cosines where both spaces meet.
        accuracy: against the labels; None without.
        items, prototypes: the versions read; the latter None where vectors were given.
        bridge: bare name, or empty.
        fitted_items: left out because the bridge was fitted on them.
        clustered_by: the attribute whose equal values count as one draw in intervals and permutations; empty for none.
        correction: `none` or `csls`.
        permutations: of the p-value.
        notes: what weakens the answer, in plain sentences.
    """

    classes: tuple[str, ...]
    item_ids: tuple[str, ...]
    predictions: NDArray[np.object_]
    scores: NDArray[np.float64]
    similarities: NDArray[np.float64]
    accuracy: ClassificationAccuracy | None
    items: SpaceUse
    prototypes: SpaceUse | None
    bridge: str
    fitted_items: int
    clustered_by: str
    correction: str
    permutations: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.item_ids)

    def to_pandas(self) -> Any:
        """A DataFrame with one row an item: its class, score and cosine. Needs `consilience[report]`."""
        columns = {
            "item_id": self.item_ids,
            "predicted": self.predictions[:, 0],
            "score": self.scores[:, 0],
            "similarity": self.similarities[:, 0],
        }
        return import_pandas().DataFrame(columns)

    def __repr__(self) -> str:
        told = [f"{len(self):,} items of {self.items} in {len(self.classes):,} classes{f' by bridge {self.bridge}' if self.bridge else ''}"]
        if self.accuracy is not None:
            found = self.accuracy
            told.append(f"accuracy {found.accuracy}, balanced {found.balanced_accuracy}")
            told += [f"top-{k} {each}" for k, each in found.top_k.items() if k > 1]
            told.append(f"chance {number(found.chance)}, most frequent class {number(found.majority)}")
            if found.p_value is not None:
                told.append(f"{probability(found.p_value, self.permutations)} ({self.permutations:,} permutations)")
        return " · ".join([*told, *self.notes])
