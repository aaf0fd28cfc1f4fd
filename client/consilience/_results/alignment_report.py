"""How far two spaces agree."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_at_k import AlignmentAtK, Interval
from consilience._results.alignment_conditions import Given, SampledItems, Within
from consilience._results.alignment_control import Control
from consilience._results.alignment_text import cautions, span
from consilience._results.base import Result, asked, import_pandas, number, plain, probability
from consilience._results.certificate import Certificate
from consilience._results.citation import cite
from consilience._results.linear_fit import LinearFit
from consilience._results.space import SpaceUse
from consilience._results.space_geometry import SpaceGeometry


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentReport(Result):
    """The alignment of two spaces over the items common to both.

    Score, chance, excess, p_value, calibrated, interval and k are those of the first k asked; `by_k` holds every k.

    Attributes:
        metric: for example `mutual_knn`.
        by_k: `AlignmentAtK` by k, in the order asked; a metric without neighbours stands under 0.
        interval_kind: what the interval speaks of: `items` (sampling of items) or `queries` (sampling of queries from the gallery).
        confidence: coverage of the intervals.
        n: items that the score is over: those that were asked.
        gallery: items that they were asked against: all common ones.
        duplicates, deduplicate: common items left out as near-duplicates of others, and the cosine that made them so; 0 for none.
        query_sampling: how those asked were chosen from the gallery: `all`, `hash` (the smallest hashes of their ids), `given`, or
            `stratified` by the attribute `strata`.
        duplicate_queries: how many of the `query_ids` stood twice; each was asked once.
        group_by, groups: the attribute whose groups of items were compared as the same thing, and their number; empty and 0 for none.
        dropped_x, dropped_y: items of either side without a partner.
        preprocess: what was done to the vectors before.
        clips: the clip that preprocessing used on x and on y; empty where none.
        constant_columns: columns of x and of y that `standardize` left out; empty for other preprocessing.
        permutations, seed, alpha: of the null.
        x, y: the versions used; None for arrays.
        engine: version of the engine that computed it.
        certificate_x, certificate_y: why the neighbours are exact; None for metrics without neighbours.
        kernel_rule_x, kernel_rule_y: of a kernel space, what the metric compared of an entry: `s`, `-d` or `-d^2/2`; empty for vectors.
        layer_scores: where a side has layers, (layers of x, layers of y) scores of each pair over all `layers_n` items, for the first k
            asked; else None.
        best_layers: the chosen pair of layers, from 0, whose score this is; else None.
        context_x, context_y: hubness and intrinsic dimension of either side by itself, where neighbour lists of all items were at hand;
            with `context=True` always, and effective rank too. Of layers, those of the chosen pair.
        layer_contexts_x, layer_contexts_y: with `context=True` of each layer, over all `layers_n` items; empty without layers.
        layer_selection: how it was chosen: `split_half` (on `selection_n` items, scored on the `n` others) or `max`,
            whose interval takes the choice of the pair as given, so that it may be too narrow; empty without layers.
        layer_p_values, layer_calibrated: of each pair by itself, not corrected for the choice among many.
        maximum: the largest score of all pairs over all items, calibrated as a maximum; None without permutations and with a single pair.
            Its p-value and calibration allow for the choice; its interval takes the pair as given.
        maximum_layers: the pair that has it.
        x_layers, y_layers: the spaces that are the layers of a group.
        within: the groups that restricted the random pairings, else None.
        stop_after: how many permutations as high as the score ended them; 0 where all were drawn.
        similarity_x, similarity_y: how nearness is measured in each space; empty for kernels.
        given: the third space beyond which these two were aligned, else None.
        controls: by name, what controls score in the place of one side over the same items; empty where none were asked.
        sampled_items: the items that the score was estimated from, None where it is over all of them; n and gallery are its size.
        bandwidths: sigma of `rbf_cka`'s kernels on x and y; empty for other metrics.
        rdm_distance, rdm_comparison: of `rsa`; None for other metrics.
        warnings: plain sentences: what makes these numbers say less than they seem to.
    """

    metric: str
    by_k: Mapping[int, AlignmentAtK]
    interval_kind: str
    n: int
    gallery: int
    confidence: float = 0.95
    dropped_x: int = 0
    dropped_y: int = 0
    preprocess: str = "none"
    clips: tuple[float, ...] = ()
    constant_columns: tuple[int, ...] = ()
    permutations: int = 0
    seed: int = 0
    alpha: float = 0.05
    x: SpaceUse | None = None
    y: SpaceUse | None = None
    engine: str = ""
    certificate_x: Certificate | None = None
    certificate_y: Certificate | None = None
    kernel_rule_x: str = ""
    kernel_rule_y: str = ""
    layer_scores: NDArray[np.float64] | None = field(default=None)
    best_layers: tuple[int, int] | None = None
    context_x: SpaceGeometry | None = None
    context_y: SpaceGeometry | None = None
    within: Within | None = None
    stop_after: int = 0
    given: Given | None = None
    similarity_x: str = ""
    similarity_y: str = ""
    controls: Mapping[str, Control] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    query_sampling: str = "all"
    group_by: str = ""
    groups: int = 0
    strata: str = ""
    duplicates: int = 0
    deduplicate: float = 0.0
    layer_selection: str = ""
    layer_p_values: NDArray[np.float64] | None = None
    layer_calibrated: NDArray[np.float64] | None = None
    maximum: AlignmentAtK | None = None
    maximum_layers: tuple[int, int] | None = None
    layers_n: int = 0
    selection_n: int = 0
    x_layers: tuple[SpaceUse, ...] = ()
    y_layers: tuple[SpaceUse, ...] = ()
    sampled_items: SampledItems | None = None
    bandwidths: tuple[float, ...] = ()
    rdm_distance: str | None = None
    rdm_comparison: str | None = None
    duplicate_queries: int = 0
    layer_contexts_x: tuple[SpaceGeometry, ...] = ()
    layer_contexts_y: tuple[SpaceGeometry, ...] = ()

    @property
    def headline(self) -> AlignmentAtK:
        """The score of the first k asked."""
        return next(iter(self.by_k.values()))

    @property
    def k(self) -> int:
        """The first k asked; 0 for metrics without neighbours."""
        return self.headline.k

    @property
    def score(self) -> float:
        """The metric's value."""
        return self.headline.score

    @property
    def chance(self) -> float:
        """What unrelated spaces would score."""
        return self.headline.chance

    @property
    def excess(self) -> float:
        """(score - chance) / (1 - chance)."""
        return self.headline.excess

    @property
    def p_value(self) -> float | None:
        """Share of permutations that score as high, the observed one counted; None without permutations."""
        return self.headline.p_value

    @property
    def calibrated(self) -> float | None:
        """The score above the permutation threshold, rescaled; 0 is "not above chance". None without permutations."""
        return self.headline.calibrated

    @property
    def null(self) -> NDArray[np.float64] | None:
        """(permutations,) the scores of the random pairings; `by_k[k].null` has those of each k. None where there are none."""
        return self.headline.null

    @property
    def fit(self) -> LinearFit | None:
        """Of `linear_predictivity`: how well each column of y is predicted; None for other metrics."""
        return self.headline.fit

    @property
    def angle(self) -> float | None:
        """The angle between the spaces in radians, (1 - score) pi / 2, for `angular_shape`; None for other metrics."""
        return (1.0 - self.score) * math.pi / 2.0 if self.metric == "angular_shape" else None

    @property
    def interval(self) -> Interval:
        """Where the score would fall again: (low, high)."""
        return self.headline.interval

    @property
    def excess_over_controls(self) -> float | None:
        """(score - best) / (1 - best), best the highest score of a control: 0 is "no more than a control". None without controls."""
        if not self.controls:
            return None
        best = max(control.score for control in self.controls.values())
        return (self.score - best) / (1.0 - best) if best < 1.0 else 0.0

    def cite(self) -> str:
        """Sentences for the methods section of a paper: the metric with its source, every parameter, the numbers, the controls."""
        return cite(self)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can carry it: the headline's numbers, with `angle` and `fit` where there are any, beside `by_k`, a list."""
        headline = plain(self.headline)
        told = {**super().to_dict(), "by_k": [plain(entry) for entry in self.by_k.values()]}
        angle = {} if self.angle is None else {"angle": self.angle}
        fit = {} if self.fit is None else {"fit": plain(self.fit)}
        return {"metric": told.pop("metric"), **headline, **angle, **fit, **told}

    def to_pandas(self) -> Any:
        """A DataFrame with one row a k. Needs `consilience[report]`."""
        rows = [{**plain(entry), **_interval_columns(entry.interval)} for entry in self.by_k.values()]
        shared = {"metric": self.metric, "n": self.n, "interval_kind": self.interval_kind, "permutations": self.permutations}
        frame = import_pandas().DataFrame([{**shared, **row} for row in rows])
        return frame.drop(columns="interval")

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`layers`, where a side has layers; `controls` beside the score; and `null`: the random pairings of each k."""
        drawings: dict[str, Callable[[], Any]] = {}
        if self.layer_scores is not None:
            drawings["layers"] = self._draw_layers
        if self.controls:
            drawings["controls"] = self._draw_controls
        if any(entry.null is not None for entry in self.by_k.values()):
            drawings["null"] = self._draw_null
        return drawings

    def _why_no_figure(self) -> str:
        return ", which has no null; leave stop_after out" if self.stop_after else ", which has no null; ask permutations"

    def _draw_null(self) -> Any:
        from consilience._figures.null_distribution import Null, null_distribution

        panels = [
            Null(
                name=self._name(entry),
                values=entry.null,
                score=entry.score,
                chance=entry.chance,
                threshold=entry.threshold,
                low=entry.interval.low,
                high=entry.interval.high,
                note="" if entry.p_value is None else probability(entry.p_value, len(entry.null)),
            )
            for entry in self.by_k.values()
            if entry.null is not None and entry.threshold is not None
        ]
        return null_distribution(panels, f"{self._sides()} · {asked(self.n, self.gallery)}", self.alpha)

    def _draw_controls(self) -> Any:
        from consilience._figures.scores_beside import Gap, Row, scores_beside

        x, y = self._side_names()
        stayed = {name: y if control.in_place_of == "x" else x for name, control in self.controls.items()}
        rows = [Row(f"{x} and {y}", self.score, *self.interval, self.chance, leads=True)]
        gaps = []
        for name, control in self.controls.items():
            rows.append(Row(f"{name} and {stayed[name]}", control.score, *control.interval, control.chance))
            gap = control.difference
            low, high = gap.interval or (None, None)
            gaps.append(Gap(f"over {name}", gap.value, low, high, "" if gap.p_value is None else probability(gap.p_value, 0)))
        name = self._name(self.headline)
        title = f"{x} and {y} beside {len(gaps):,} control{'s' if len(gaps) > 1 else ''} · {asked(self.n, self.gallery)}"
        return scores_beside(rows, gaps, title=title, label=name, gap_label=f"difference of {name}")

    def _draw_layers(self) -> Any:
        from consilience._figures.layer_grid import layer_grid

        name = self._name(self.headline)
        title, sides = f"{self._sides()}, layer by layer", self._side_names()
        return layer_grid(np.asarray(self.layer_scores), self.best_layers, title=title, x=sides[0], y=sides[1], label=name)

    def _name(self, entry: AlignmentAtK) -> str:
        name = f"{self.metric}@{entry.k}" if entry.k else self.metric
        if not self.rdm_distance:
            return name
        stored = [rule for rule in (self.kernel_rule_x, self.kernel_rule_y) if rule]
        made = {0: self.rdm_distance, 1: f"{self.rdm_distance} and a stored matrix", 2: "stored matrices"}[len(stored)]
        return f"{name} ({self.rdm_comparison} of {made})"

    def _side_names(self) -> tuple[str, str]:
        return (self.x.name if self.x else "x", self.y.name if self.y else "y")

    def _sides(self) -> str:
        return " and ".join(self._side_names())

    def subject(self) -> str:
        """`clip@3 and bge@1`; empty for arrays."""
        return f"{self.x} and {self.y}" if self.x and self.y else ""

    def __repr__(self) -> str:
        return "\n".join([self._headline_text(), *self._maximum_text(), *self._control_texts(), *cautions(self.warnings)])

    def text(self) -> str:
        """What `repr` shows, with a line for each further k: the answer of the command line."""
        beside = [*self._maximum_text(), *self._control_texts(), *cautions(self.warnings)]
        return "\n".join([self._headline_text(), *self._other_ks(), *beside])

    def _headline_text(self) -> str:
        top = self.headline
        name = self._name(top)
        if self.layer_selection == "max" and self.maximum is not None and self.layer_scores is not None:
            name = f"max of {self.layer_scores.size:,} {name}"
        kind = f"({self.interval_kind}, {self.confidence * 100:g}%)"
        parts = [
            f"{name} = {number(top.score)} {span(top.interval)} {kind}",
            f"chance {number(top.chance)}",
            f"excess {number(top.excess)}",
        ]
        if top.p_value is not None:
            within = f" {self.within}" if self.within else ""
            drawn = f"{self.permutations:,}" if top.permutations is None else f"{top.permutations:,} of {self.permutations:,}"
            parts.append(f"{probability(top.p_value, self.permutations)} ({drawn} permutations{within})")
        sample = f" ({self.sampled_items})" if self.sampled_items else ""
        return " · ".join([*parts, asked(self.n, self.gallery) + sample, *([str(self.given)] if self.given else []), *self._layers_text()])

    def _layers_text(self) -> list[str]:
        """The pair of layers whose score this is, and among how many it was chosen."""
        if self.layer_scores is None or self.best_layers is None:
            return []
        pair = f"layers {self.best_layers[0]} and {self.best_layers[1]}"
        # A single pair is scored on that half too where a control has a choice.
        is_chosen = self.selection_n and self.layer_scores.size > 1
        return [f"{pair}, chosen of {self.layer_scores.size:,} on {self.selection_n:,} other items" if is_chosen else pair]

    def _maximum_text(self) -> list[str]:
        """The maximum over all pairs of layers, where the headline is another."""
        if self.maximum is None or self.maximum_layers is None or self.layer_scores is None or self.layer_selection == "max":
            return []
        top = self.maximum
        parts = [f"max of {self.layer_scores.size:,} = {number(top.score)} {span(top.interval)}", f"chance {number(top.chance)}"]
        parts += [f"excess {number(top.excess)}"]
        parts += [] if top.p_value is None else [f"{probability(top.p_value, self.permutations)} as a maximum"]
        return [" · ".join([*parts, f"n = {self.layers_n:,}", f"layers {self.maximum_layers[0]} and {self.maximum_layers[1]}"])]

    def _control_texts(self) -> list[str]:
        return [control.text(name, self.permutations) for name, control in self.controls.items()]

    def _other_ks(self) -> list[str]:
        lines = []
        for entry in list(self.by_k.values())[1:]:
            parts = [f"@{entry.k} = {number(entry.score)} {span(entry.interval)}", f"chance {number(entry.chance)}"]
            parts.append(f"excess {number(entry.excess)}")
            if entry.p_value is not None:
                parts.append(probability(entry.p_value, self.permutations))
            lines.append(" · ".join(parts))
        return lines


def _interval_columns(interval: Interval) -> dict[str, float]:
    return {"interval_low": interval.low, "interval_high": interval.high}
