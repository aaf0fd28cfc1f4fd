"""How alignment goes with a number of each space."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_at_k import Interval
from consilience._results.alignment_report import AlignmentReport
from consilience._results.base import Result, import_pandas, number, plain, probability
from consilience._results.measurement import Measurement
from consilience._results.space import SpaceUse
from consilience._results.trend_citation import cite_trend


@dataclass(frozen=True)
class TrendBucket:
    """Spaces whose number lies in [low, high], and the mean alignment among them or with the reference.

    Attributes:
        spaces: their names.
        mean: NaN for a bucket of one where there is no reference.
        standard_error: over spaces; NaN where there are too few (two of them among each other, one with a reference).
        count: alignments that the mean is over.
    """

    low: float
    high: float
    spaces: tuple[str, ...]
    mean: float
    standard_error: float
    count: int


@dataclass(frozen=True)
class FamilyTrend:
    """The trend within one family; NaN where its numbers do not differ."""

    name: str
    count: int
    spearman: float
    slope: float
    intercept: float


@dataclass(frozen=True, eq=False, repr=False)
class TrendReport(Result):
    """How the alignment of M spaces goes with a number that each has, over the items common to all.

    Intervals speak of sampling other spaces of the same kind and take the spaces as independent; the p-values need no such assumption:
    they only ask whether the numbers, dealt out anew, would go with the scores as strongly, in either direction.

    Attributes:
        metric, k: what was measured; k is 0 for metrics without neighbours.
        spaces: the M names.
        versions: the version of each that was used.
        reference: what each was aligned with; None: the mean alignment with the other M - 1.
        against: (M,) float64, the numbers; a date is days since 1970-01-01.
        against_name: what the numbers are, such as `parameters`; empty where nobody said.
        against_kind: `number`, or `date`.
        scale: `linear`, or `log10` (slope and Pearson's r are of the logarithms).
        scores, chance, excess: (M,) float64.
        spearman: rank correlation of scores and numbers; NaN where all scores are equal.
        interval: of `spearman` (Bonett and Wright 2000).
        p_value: of `spearman`, two-sided, by pairings; None without permutations.
        pearson, pearson_interval, pearson_p_value: likewise of the linear correlation (Fisher's z).
        confidence: coverage of the intervals.
        pairings: how many the p-values are over; `exact`: all of them (up to 8 spaces).
        slope, intercept: the least-squares line of the score on the number, or on its logarithm.
        buckets: by ascending number.
        across, across_standard_errors: (B, B) float64, mean alignment of the spaces of two buckets; None with a reference.
        families: (M,) labels, or empty.
        family_trends: one line a family, by name.
        pair_scores: (M, M) float64, NaN on the diagonal; None with a reference.
        reports: the alignment of each space (x) with the reference (y); empty without.
        n: items compared, the same for every score.
        permutations, seed, preprocess, engine: as in AlignmentReport.
        measurement: how the alignments were measured beside that; None from older servers.
        warnings: what a reader must know, in plain words.
    """

    metric: str
    k: int
    spaces: tuple[str, ...]
    versions: tuple[SpaceUse, ...]
    reference: SpaceUse | None
    against: NDArray[np.float64]
    scale: str
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    spearman: float
    interval: Interval
    p_value: float | None
    pearson: float
    pearson_interval: Interval
    pearson_p_value: float | None
    confidence: float
    pairings: int
    exact: bool
    slope: float
    intercept: float
    buckets: tuple[TrendBucket, ...]
    n: int
    across: NDArray[np.float64] | None = None
    across_standard_errors: NDArray[np.float64] | None = None
    families: tuple[str, ...] = ()
    family_trends: tuple[FamilyTrend, ...] = ()
    pair_scores: NDArray[np.float64] | None = None
    reports: tuple[AlignmentReport, ...] = ()
    permutations: int = 0
    seed: int = 0
    preprocess: str = "none"
    engine: str = ""
    warnings: tuple[str, ...] = ()
    measurement: Measurement | None = None
    against_name: str = ""
    against_kind: str = "number"

    @property
    def against_dates(self) -> NDArray[np.datetime64] | None:
        """(M,) datetime64[s], UTC, where the numbers are dates; else None."""
        return None if self.against_kind != "date" else np.array([self.date_of(value) for value in self.against.tolist()])

    @staticmethod
    def date_of(days: float) -> np.datetime64:
        """Days since 1970-01-01 as a date, or as a time to the second where it is not midnight."""
        seconds = np.datetime64(round(days * 86_400), "s")
        return seconds.astype("datetime64[D]") if float(days).is_integer() else seconds

    def cite(self) -> str:
        """Sentences for a methods section: metric, spaces with their numbers, every parameter, and what was found."""
        return cite_trend(self)

    def to_pandas(self) -> Any:
        """A DataFrame with one row a space. Needs `consilience[report]`."""
        bucket = {name: at for at, each in enumerate(self.buckets) for name in each.spaces}
        columns: dict[str, Any] = {
            "space": list(self.spaces),
            "against": self.against,
            "score": self.scores,
            "chance": self.chance,
            "excess": self.excess,
            "bucket": [bucket[name] for name in self.spaces],
        }
        if self.families:
            columns["family"] = list(self.families)
        if self.reports:
            columns |= {
                "interval_low": [report.interval.low for report in self.reports],
                "interval_high": [report.interval.high for report in self.reports],
                "p_value": [report.p_value for report in self.reports],
            }
        return import_pandas().DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can carry it."""
        return {**super().to_dict(), "buckets": [plain(bucket) for bucket in self.buckets]}

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`trend`: the scatter and the buckets."""
        return {"trend": self._draw_trend}

    def _draw_trend(self) -> Any:
        from consilience._figures.trend import Bucket, trend

        name = f"{self.metric}@{self.k}" if self.k else self.metric
        what = f"{name} with {self.reference.name}" if self.reference else f"mean {name} with the others"
        return trend(
            self.spaces,
            self.against,
            self.scores,
            title=f"Spearman {number(self.spearman)} {_shown(self.interval)} · {len(self.spaces)} spaces",
            x=self.against_name or ("date" if self.against_kind == "date" else "number of each space"),
            y=what,
            logarithmic=self.scale == "log10",
            dated=self.against_kind == "date",
            line=(self.slope, self.intercept),
            families=self.families,
            lines=[(each.slope, each.intercept) for each in self.family_trends],
            buckets=[Bucket(each.low, each.high, each.mean, each.standard_error, each.count) for each in self.buckets],
        )

    def __repr__(self) -> str:
        name = f"{self.metric}@{self.k}" if self.k else self.metric
        what = f"with {self.reference.name}" if self.reference else "with the others"
        parts = [f"trend of {name} {what}", f"{len(self.spaces)} spaces"]
        parts.append(f"spearman {number(self.spearman)} {_shown(self.interval)} (spaces, {self.confidence * 100:g}%)")
        if self.p_value is not None:
            pairings = f"all {self.pairings:,} pairings" if self.exact else f"{self.pairings:,} pairings"
            parts.append(f"{probability(self.p_value, 0 if self.exact else self.pairings)} ({pairings})")
        parts.append(f"pearson {number(self.pearson)} {_shown(self.pearson_interval)}")
        unit = "a tenfold" if self.scale == "log10" else "a unit"
        told = " · ".join([*parts, f"slope {number(self.slope)} {unit}", f"n = {self.n:,}"])
        return "\n".join([told, *(f"note: {warning}" for warning in self.warnings)])


def _shown(interval: Interval) -> str:
    return f"[{number(interval.low)}, {number(interval.high)}]"
