"""Pairs found across two spaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_at_k import Interval
from consilience._results.arrow import arrow_table, facts, write_parquet
from consilience._results.base import Result, import_pandas, number
from consilience._results.space import SpaceUse


@dataclass(frozen=True)
class PairAgreement:
    """Pairs found, by known pairs. Intervals are Wilson's 95%, as if the trials were independent.

    Attributes:
        known_sources: sources that have a known partner.
        judged: pairs of which either item has a known partner; of the others nobody knows.
        right: judged pairs that are known.
        found: sources that are in a right pair.
        precision: right / judged; None where none is judged.
        precision_interval: of it.
        recall: found / known_sources.
        recall_interval: of it.
        best_threshold: the score from which on the pairs have the best F1; None where none is right. Chosen on these known pairs,
            so what it promises flatters: measure it on others.
        best_f1: harmonic mean of precision and recall there.
        fitted: sources with a known partner that were left out because the bridge was fitted on them.
    """

    known_sources: int
    judged: int
    right: int
    found: int
    precision: float | None
    precision_interval: Interval | None
    recall: float
    recall_interval: Interval
    best_threshold: float | None = None
    best_f1: float | None = None
    fitted: int = 0

    def __repr__(self) -> str:
        told = f"recall {_ranged(self.recall, self.recall_interval)} of {self.known_sources:,} known"
        if self.precision is None:
            return told
        return f"precision {_ranged(self.precision, self.precision_interval)} of {self.judged:,} judged · {told}"


@dataclass(frozen=True, eq=False, repr=False)
class PairsSummary(Result):
    """What the pairs of two spaces are, beside the pairs themselves: the answer of an operation that found them.

    Attributes:
        pairs: how many there are.
        source_items, target_items: items of either space.
        source, target: the versions used.
        bridge: the bridge used; empty where the spaces were compared as they are.
        bridge_uid: its uid.
        correction: `none`, `csls`, `margin_ratio` or `margin_distance`.
        correction_k: its neighbourhood, 0 for `none`.
        mode: `intersect`, `forward`, `backward` or `max`.
        threshold: the least score that was asked; None for any.
        agreement: precision and recall where known pairs were given.
        engine: version of the engine that computed it.
        resume_token: asks the server for the pairs from the first on.
    """

    pairs: int
    source_items: int
    target_items: int
    source: SpaceUse
    target: SpaceUse
    bridge: str = ""
    bridge_uid: str = ""
    correction: str = "none"
    correction_k: int = 0
    mode: str = "intersect"
    threshold: float | None = None
    agreement: PairAgreement | None = None
    engine: str = ""
    resume_token: str = field(default="", compare=False)

    @classmethod
    def of_facts(cls, told: Mapping[str, Any]) -> "PairsSummary":
        """From the metadata of a file of pairs."""
        spaces = {side: SpaceUse(**told[side]) for side in ("source", "target")}
        agreement = None
        if told["agreement"] is not None:
            intervals = {name: value and Interval(**value) for name, value in told["agreement"].items() if name.endswith("_interval")}
            agreement = PairAgreement(**{**told["agreement"], **intervals})
        own: dict[str, Any] = {item.name: told[item.name] for item in fields(cls) if item.compare}
        return cls(**{**own, **spaces, "agreement": agreement})

    def __repr__(self) -> str:
        return _told(self.pairs, self)


@dataclass(frozen=True, eq=False, repr=False)
class MutualPairs(Result):
    """Pairs across two spaces by descending score; equal scores by source id, then target id (in byte order).

    Attributes:
        source_ids, target_ids: pair i is (source_ids[i], target_ids[i]).
        scores: (pairs,) float64: the similarities, corrected.
        source_items, target_items: items of either space.
        source, target: the versions used.
        bridge: the bridge used; empty where the spaces were compared as they are.
        correction: `none`, `csls`, `margin_ratio` or `margin_distance`.
        engine: version of the engine that computed it.
        similarities: (pairs,) float64.
        mode: `intersect`, `forward`, `backward` or `max`.
        threshold: the least score that was asked; None for any.
        correction_k: neighbourhood of the correction, 0 for `none`.
        bridge_uid: the bridge's uid.
        agreement: precision and recall of all pairs where known pairs were given.
    """

    source_ids: list[str]
    target_ids: list[str]
    scores: NDArray[np.float64]
    source_items: int
    target_items: int
    source: SpaceUse
    target: SpaceUse
    bridge: str = ""
    correction: str = "none"
    engine: str = ""
    similarities: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    mode: str = "intersect"
    threshold: float | None = None
    correction_k: int = 0
    bridge_uid: str = ""
    agreement: PairAgreement | None = None

    def __len__(self) -> int:
        return len(self.source_ids)

    def to_pandas(self) -> Any:
        """A DataFrame with one row a pair: source_id, target_id, similarity, score. Needs `consilience[report]`."""
        return import_pandas().DataFrame(self._columns())

    def to_arrow(self) -> Any:
        """The same as a `pyarrow.Table`; its metadata tells under `consilience` versions, bridge, mode, correction, threshold."""
        return arrow_table(self._columns(), {**facts("mutual_pairs", self), "pairs": len(self)})

    def to_parquet(self, path: str | Path) -> None:
        """Write `to_arrow()` as a Parquet file; it appears whole or not at all. Needs pyarrow.

        `client.export_mutual_pairs` writes such a file without holding the pairs in memory, and goes on where it was interrupted.
        """
        write_parquet(self.to_arrow(), Path(path))

    def _columns(self) -> dict[str, Any]:
        told = {"source_id": self.source_ids, "target_id": self.target_ids}
        return {**told, **({"similarity": self.similarities} if len(self.similarities) == len(self) else {}), "score": self.scores}

    def __repr__(self) -> str:
        return _told(len(self), self)


def _told(pairs: int, told: MutualPairs | PairsSummary) -> str:
    kind = {"intersect": "mutual pairs", "max": "one-to-one pairs"}.get(told.mode, f"{told.mode} pairs")
    way = f" through {told.bridge}" if told.bridge else ""
    sizes = f"{told.source} ({told.source_items:,} items) and {told.target} ({told.target_items:,} items)"
    least = "" if told.threshold is None else f" · score from {told.threshold:g}"
    judged = "" if told.agreement is None else f" · {told.agreement!r}"
    return f"{pairs:,} {kind} of {sizes}{way} · correction {told.correction}{least}{judged}"


def _ranged(value: float, interval: Interval | None) -> str:
    return number(value) if interval is None else f"{number(value)} [{number(interval.low)}, {number(interval.high)}]"
