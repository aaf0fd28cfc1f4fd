"""What many spaces agree on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_report import AlignmentReport
from consilience._results.base import Result, import_pandas, number, probability
from consilience._results.consensus_citation import cite_consensus
from consilience._results.measurement import Measurement
from consilience._results.space import Space, SpaceUse


class ItemAgreement(NamedTuple):
    """An item, and the mean overlap of its neighbour lists over all pairs of spaces."""

    id: str
    agreement: float


@dataclass(frozen=True, eq=False, repr=False)
class ConsensusReport(Result):
    """What M spaces agree on, over the items common to all.

    Attributes:
        method: `mean_kernel` or `procrustes`.
        spaces: the M names.
        versions: the version of each that was used.
        weights: of each, summing to 1.
        n: items common to all.
        dim: axes of the consensus.
        kept: share of its variance that they hold; `exact`: nothing but rounding was left out.
        ratio: squared norm of the mean of M things of norm 1: 1 where all spaces are one. By `mean_kernel` 1/M where no two kernels have an
            inner product, and more by chance; by `procrustes`, which rotates to fit, more than that for unrelated spaces too.
        iterations, converged: rounds of generalised Procrustes, and whether they came to rest.
        leave_one_out: of each space (x) its alignment with the consensus of the others.
        k: neighbours of the items' agreement.
        ids: the common items, up to 100,000; beyond, empty like `agreement`.
        agreement: (n,) float64, of each item the mean overlap of its k nearest over all pairs of spaces, in [0, 1].
        mean_agreement: over the items: the mean `mutual_knn` of the pairs.
        chance: what random pairings agree by, k / (n - 1).
        most, least: the items agreed on most, best first, and least, worst first: (id, agreement).
        space: the space that keeps the consensus, None without a name.
        preprocess, engine: as in AlignmentReport.
        rank: most axes, as asked; 0 from older servers.
        kernel_rules: of each space, how a kernel's matrix became what was averaged, `s`, `-d` or `-d^2/2`, centred; empty for vectors.
        measurement: how the alignments were measured; None from older servers.
        warnings: what a reader must know, in plain words; a space that agrees with the others no better than chance among it.
    """

    method: str
    spaces: tuple[str, ...]
    versions: tuple[SpaceUse, ...]
    weights: tuple[float, ...]
    n: int
    dim: int
    kept: float
    exact: bool
    ratio: float
    leave_one_out: tuple[AlignmentReport, ...]
    k: int
    mean_agreement: float
    chance: float
    most: tuple[ItemAgreement, ...]
    least: tuple[ItemAgreement, ...]
    ids: list[str] = field(default_factory=list)
    agreement: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    iterations: int = 0
    converged: bool = True
    space: Space | None = None
    preprocess: str = "none"
    engine: str = ""
    warnings: tuple[str, ...] = ()
    rank: int = 0
    kernel_rules: tuple[str, ...] = ()
    measurement: Measurement | None = None

    def cite(self) -> str:
        """Sentences for a methods section: method, spaces, every parameter, and each space's alignment with the others' consensus."""
        return cite_consensus(self)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(M,) each space's alignment with the consensus of the others."""
        return np.array([report.score for report in self.leave_one_out])

    def to_pandas(self) -> Any:
        """A DataFrame with one row a space. Needs `consilience[report]`."""
        rows = [
            {
                "space": name,
                "score": report.score,
                "chance": report.chance,
                "excess": report.excess,
                "p_value": report.p_value,
                "calibrated": report.calibrated,
                "interval_low": report.interval.low,
                "interval_high": report.interval.high,
            }
            for name, report in zip(self.spaces, self.leave_one_out, strict=True)
        ]
        return import_pandas().DataFrame(rows)

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`consensus`: each space with the consensus of the others, and the items."""
        return {"consensus": self._draw}

    def _draw(self) -> Any:
        from consilience._figures.consensus import consensus

        first = self.leave_one_out[0]
        return consensus(
            self.spaces,
            self.scores,
            np.array([report.interval.low for report in self.leave_one_out]),
            np.array([report.interval.high for report in self.leave_one_out]),
            np.array([report.chance for report in self.leave_one_out]),
            agreement=self.agreement,
            item_chance=self.chance,
            title=f"consensus of {len(self.spaces)} spaces ({self.method}) · n = {self.n:,}",
            label=f"{first.metric}@{first.k}" if first.k else first.metric,
            item_label=f"mean overlap of an item's {self.k} nearest over all pairs",
        )

    def __repr__(self) -> str:
        kept = "exact" if self.exact else f"{self.kept:.1%} of the variance"
        parts = [f"consensus ({self.method}) of {len(self.spaces)} spaces", f"n = {self.n:,}", f"{self.dim} axes, {kept}"]
        parts.append(f"ratio {number(self.ratio)}")
        parts.append(f"items agree {number(self.mean_agreement)} at k = {self.k}, chance {number(self.chance)}")
        width = max(len(name) for name in self.spaces)
        lines = [f"  {name.ljust(width)}  {_shown(report)}" for name, report in zip(self.spaces, self.leave_one_out, strict=True)]
        return "\n".join(
            [" · ".join(parts), "each with the consensus of the others:", *lines, *(f"note: {told}" for told in self.warnings)]
        )


def _shown(report: AlignmentReport) -> str:
    name = f"{report.metric}@{report.k}" if report.k else report.metric
    low, high = report.interval
    told = f"{name} = {number(report.score)} [{number(low)}, {number(high)}] · chance {number(report.chance)}"
    return told if report.p_value is None else f"{told} · {probability(report.p_value, report.permutations)}"
