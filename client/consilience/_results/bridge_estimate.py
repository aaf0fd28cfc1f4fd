"""What a bridge would be worth, before it is fitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilience._results.base import Result, import_pandas, number, probability
from consilience._results.bridge import LearningPoint
from consilience._results.measured import Measured
from consilience._results.space import SpaceUse

_PERMUTATIONS = 199


@dataclass(frozen=True)
class PairAlignment:
    """How far two spaces agree on the items of the pairs (at most 2,000, by hash).

    Attributes:
        mutual_knn, chance: at k = 10, or one less than the items; and what it is for items paired at random.
        p_value: of 199 permutations of the pairing.
        cka: unbiased linear CKA, 0 by chance; None where all items of a side are equally far from each other.
        items: how many.
    """

    mutual_knn: float
    chance: float
    p_value: float
    cka: float | None
    items: int


@dataclass(frozen=True)
class MethodSupport:
    """Pairs of the fit that a method needs at the least, and whether there are as many."""

    method: str
    needed_pairs: int
    supported: bool


@dataclass(frozen=True, eq=False, repr=False)
class BridgeEstimate(Result):
    """What a fit on the pairs at hand would find, and what more pairs would bring.

    Attributes:
        source, target: the versions read.
        pairs: at hand; about four fifths of them would be fitted.
        alignment: on the pairs; None for fewer than a dozen.
        methods: what the pairs support.
        method: the one whose curve this is; None where the pairs are too few for three points of one, or it learns nothing from pairs.
        measured: recall@1 and recall@10 among all items of the target space, by number of pairs in the fit, at most 8,000.
        foreseen: the same for 2, 4, 8 and 16 times the pairs of the last measured point, with intervals of about 95%. On word vectors,
            digits and object concepts they were off by .03, .05, .07 and .08 on average, and 99%, 99%, 95% and 93% of the intervals
            held what was then measured.
        plateaus: by k, what a power law through the measured points tends to: an extrapolation without an interval.
        needed_pairs: in the fit, for the wished recall; None where up to 16 times the last measured point are not expected to reach it.
        needed_pairs_interval: about 95% of it; an end is None where it lies beyond.
        queries, gallery: held-out pairs asked, and the items that they were searched in.
        seconds, peak_bytes: of the fit itself, roughly; 0 where the method cannot be fitted on the pairs at hand.
        notes: what it comes to, in plain sentences.
    """

    source: SpaceUse
    target: SpaceUse
    pairs: int
    alignment: PairAlignment | None
    methods: tuple[MethodSupport, ...]
    method: str | None
    measured: tuple[LearningPoint, ...]
    foreseen: tuple[LearningPoint, ...]
    plateaus: Mapping[int, float]
    needed_pairs: int | None
    needed_pairs_interval: tuple[int | None, int | None]
    queries: int
    gallery: int
    seconds: float
    peak_bytes: int
    notes: tuple[str, ...]

    def to_pandas(self) -> Any:
        """A DataFrame with one row a number of pairs: measured or foreseen, recall@k with its interval. Needs `consilience[report]`."""
        rows = [
            {"pairs": point.pairs, "measured": measured} | _columns(point)
            for points, measured in ((self.measured, True), (self.foreseen, False))
            for point in points
        ]
        return import_pandas().DataFrame(rows)

    def __repr__(self) -> str:
        told = [f"{self.source} to {self.target} · {self.pairs:,} pairs"]
        if self.alignment is not None:
            found = self.alignment
            beside = f"chance {number(found.chance)}, {probability(found.p_value, _PERMUTATIONS)}"
            told.append(f"mutual_knn {number(found.mutual_knn)} ({beside})")
        if self.method is not None:
            told.append(f"{self.method}: {_told(self.measured[-1])}, foreseen {_told(self.foreseen[-1])}")
        return " · ".join([*told, *self.notes])


def _columns(point: LearningPoint) -> dict[str, float]:
    columns = {}
    for k, found in point.recalls.items():
        columns[f"recall@{k}"] = found.recall
        if found.interval is not None:
            columns |= {f"recall@{k}_low": found.interval.low, f"recall@{k}_high": found.interval.high}
    return columns


def _told(point: LearningPoint) -> str:
    recalls = ", ".join(f"recall@{k} {Measured(found.recall, found.interval)!r}" for k, found in point.recalls.items())
    return f"{recalls} with {point.pairs:,}"
