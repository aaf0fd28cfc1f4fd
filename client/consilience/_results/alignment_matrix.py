"""How far each two of many spaces agree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_conditions import SampledItems, Within
from consilience._results.alignment_text import cautions
from consilience._results.base import Result, asked, import_pandas, number
from consilience._results.matrix_citation import PairTests, cite_matrix
from consilience._results.space import SpaceUse
from consilience._results.space_geometry import SpaceGeometry


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentMatrix(Result):
    """All pairs of M spaces; every array is (M, M), symmetric but for metrics with a direction (row x, column y).

    Those are `cycle_knn`, `cknna`, `procrustes` and `linear_predictivity`.

    Attributes:
        metric: for example `mutual_knn`.
        k: 0 for metrics without neighbours.
        spaces: the M names, the order of rows and columns.
        versions: the version of each that was used.
        scores: float64; the diagonal is each space's score with itself.
        chance, excess, calibrated: float64, as in AlignmentReport.
        p_values: float64, NaN on the diagonal; each pair by itself.
        p_adjusted: float64, NaN on the diagonal: adjusted for all pairs at once by the maximum over them under shared random pairings
            (Westfall-Young max-T on standardised scores, single step). Exact for two spaces. Of three or more it is an approximation,
            which holds its level in simulations: a pairing moves the second space of each pair, and no pairing moves the three pairs of a
            triple as their common items would. None without permutations, and under `items="pairwise"`, where no pairings are shared.
        q_values: float64, NaN on the diagonal: Benjamini-Hochberg, the expected share of false ones among pairs with as small a value. None
            without permutations.
        coordinates: (M, 2) float64: a map of the spaces, classical scaling of 1 - score, both directions averaged; None from older servers.
        explained, stress: the share of the variance that the map shows, and Kruskal's stress 1; 1 and 0 are a perfect map.
        order: positions of the spaces in the order of the leaves of the average-linkage tree of 1 - score: what agrees stands together.
        interval_low, interval_high: float64.
        interval_kind, confidence: what the intervals mean.
        n: int64, items that each pair's score is over; all equal under `items="common"`.
        gallery: int64, items that they were asked against.
        query_sampling, strata, duplicates, deduplicate: as in AlignmentReport.
        items: `common` or `pairwise`; pairwise scores of different n do not compare.
        bandwidths: one sigma a space, for `rbf_cka` under `items="common"`; else empty.
        sampled_items: as in AlignmentReport; None under `items="pairwise"`, where `n` tells the size of each pair's sample.
        components: that `svcca` was asked to compare; 0 for other metrics.
        target_score, aggregate, folds, folds_by, penalties: what `linear_predictivity` was asked; empty for other metrics.
        similarities: how nearness is measured in each space, after preprocessing; empty strings for kernels.
        kernel_rules: of each space, what the metric compared of an entry of a kernel: `s`, `-d` or `-d^2/2`; empty strings for vectors.
        clips, constant_columns: what preprocessing clipped each space at (NaN for kernels), and the columns that it left out; empty where
            it does neither, and under `items="pairwise"`.
        contexts: with `context=True` hubness, intrinsic dimension and effective rank of each space over the common items; else empty.
        permutations, seed, alpha, preprocess, engine, within, rdm_distance, rdm_comparison, duplicate_queries, group_by, groups, warnings:
            as in AlignmentReport.
    """

    metric: str
    k: int
    spaces: tuple[str, ...]
    versions: tuple[SpaceUse, ...]
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    p_values: NDArray[np.float64]
    interval_low: NDArray[np.float64]
    interval_high: NDArray[np.float64]
    interval_kind: str
    confidence: float
    n: NDArray[np.int64]
    items: str
    permutations: int
    seed: int
    alpha: float
    preprocess: str
    engine: str
    gallery: NDArray[np.int64]
    query_sampling: str = "all"
    strata: str = ""
    duplicates: int = 0
    deduplicate: float = 0.0
    within: Within | None = None
    sampled_items: SampledItems | None = None
    bandwidths: tuple[float, ...] = ()
    rdm_distance: str | None = None
    rdm_comparison: str | None = None
    components: int = 0
    target_score: str = ""
    aggregate: str = ""
    folds: int = 0
    folds_by: str = ""
    penalties: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()
    p_adjusted: NDArray[np.float64] | None = None
    q_values: NDArray[np.float64] | None = None
    coordinates: NDArray[np.float64] | None = None
    explained: float = 1.0
    stress: float = 0.0
    order: tuple[int, ...] = ()
    similarities: tuple[str, ...] = ()
    kernel_rules: tuple[str, ...] = ()
    clips: tuple[float, ...] = ()
    constant_columns: tuple[int, ...] = ()
    contexts: tuple[SpaceGeometry, ...] = ()
    group_by: str = ""
    groups: int = 0
    duplicate_queries: int = 0

    def cite(self) -> str:
        """Sentences for a methods section: the metric with its source, every parameter, and what the tests of all pairs found."""
        return cite_matrix(self, self._tests())

    def to_pandas(self, values: str = "scores") -> Any:
        """One of the arrays as a DataFrame with the names on both axes. Needs `consilience[report]`."""
        return import_pandas().DataFrame(getattr(self, values), index=list(self.spaces), columns=list(self.spaces))

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`heatmap` in the order of the tree, with stars where a score is above chance; `map`, the spaces as points."""
        drawings: dict[str, Callable[[], Any]] = {"heatmap": self._draw_heatmap}
        if self.coordinates is not None:
            drawings["map"] = self._draw_map
        return drawings

    def _draw_heatmap(self) -> Any:
        from consilience._figures.heatmap import heatmap

        adjusted = self.p_adjusted is not None
        p_values = self.p_adjusted if self.p_adjusted is not None else self.p_values
        return heatmap(
            self.spaces,
            self.scores,
            title=f"{self._name()} of {len(self.spaces)} spaces",
            p_values=p_values if np.isfinite(p_values).any() else None,
            p_name="p adjusted for all pairs" if adjusted else "p",
            order=self.order or None,
            label=self._name(),
        )

    def _draw_map(self) -> Any:
        from consilience._figures.model_map import model_map

        note = f"distances: 1 - {self._name()}; {self.explained:.0%} of their variance, stress {number(self.stress)}"
        return model_map(self.spaces, np.asarray(self.coordinates), title=f"a map of {len(self.spaces)} spaces", note=note)

    def _name(self) -> str:
        name = f"{self.metric}@{self.k}" if self.k else self.metric
        return name + (f" ({self.rdm_comparison} of {self.rdm_distance})" if self.rdm_distance else "")

    def __repr__(self) -> str:
        alike = self.n.size and (self.n == self.n.flat[0]).all() and (self.gallery == self.gallery.flat[0]).all()
        common = asked(int(self.n.flat[0]), int(self.gallery.flat[0])) if alike else "n differs by pair"
        common += f" ({self.sampled_items})" if self.sampled_items else ""
        title = f"{self._name()} of {len(self.spaces)} spaces · items={self.items} · {common} · {self.permutations:,} permutations"
        title += f" {self.within}" if self.within else ""
        return "\n".join([title, _table(self.spaces, self.scores), *self._significance(), *cautions(self.warnings)])

    def text(self) -> str:
        """What `repr` shows, with the adjusted p-values of all pairs: the answer of the command line."""
        values, name = (self.p_adjusted, "p adjusted for all pairs (max-T)") if self.p_adjusted is not None else (self.q_values, "q (FDR)")
        shown = [] if values is None else [f"{name}:", _table(self.spaces, values)]
        return "\n".join([repr(self), *shown])

    def _tests(self) -> PairTests:
        """How many pairs are above chance once all are tested together."""
        # A metric that is not symmetric tests both directions.
        apart = np.triu(np.ones(self.scores.shape, dtype=bool), 1)
        if not np.array_equal(self.scores, self.scores.T):
            apart |= apart.T
        adjusted, q_values = (
            None if values is None else int(np.count_nonzero(values[apart] <= self.alpha)) for values in (self.p_adjusted, self.q_values)
        )
        return PairTests(apart, adjusted, q_values)

    def _significance(self) -> list[str]:
        """The same in words."""
        found = self._tests()
        levels = [("adjusted p", "max-T", found.adjusted), ("q", "Benjamini-Hochberg", found.q_values)]
        told = [f"{count:,} at {name} <= {self.alpha:g} ({method})" for name, method, count in levels if count is not None]
        return [f"above chance of {found.count:,} pair{'s' if found.count > 1 else ''}: {', '.join(told)}"] if told else []


def _table(names: Sequence[str], values: NDArray[np.float64]) -> str:
    cells = [["-" if np.isnan(value) else number(float(value)) for value in row] for row in values]
    width = max((len(text) for text in (*names, *(cell for row in cells for cell in row))), default=0)
    head = " ".join([" " * width, *(name.rjust(width) for name in names)])
    lines = [" ".join([name.ljust(width), *(cell.rjust(width) for cell in row)]) for name, row in zip(names, cells, strict=True)]
    return "\n".join([head, *lines])
