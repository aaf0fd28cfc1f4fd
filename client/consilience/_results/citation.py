"""A methods sentence of an alignment: every parameter that it takes to repeat the number, for a paper."""

from collections.abc import Sequence
from typing import Any

from consilience._results import sources
from consilience._results.alignment_text import span
from consilience._results.base import number, probability


def cite(report: Any) -> str:
    """The sentences of an `AlignmentReport` (which imports this file, so that its type cannot stand here)."""
    parts = [measured(report), _given(report), _layers(report), _scores(report), null(report), _controls(report), _computed(report)]
    return " ".join(part for part in parts if part)


def measured(report: Any) -> str:
    """What was measured, by which metric, over which items."""
    source = metric_source(report.metric)
    ks = f" with k = {listed([f'{k:,}' for k in report.by_k])}" if report.k else form(report)
    sides = [side(use, label) for use, label in ((report.x, "the first array"), (report.y, "the second array"))]
    every = "all layers" if report.selection_n else "all spaces" if report.controls else "both"
    common = f"items common to {every}" if report.given is None else f"residuals of the {report.given.items:,} items common to all (below)"
    asked = f"{report.gallery:,} {common}"
    if report.selection_n:
        asked = f"{report.n:,} of the {report.layers_n:,} {common}"
    if report.n != report.gallery:
        asked = f"{report.n:,} queries {chosen(report)} among the {asked}"
    dropped = [
        f"{count:,} items of {side} had no partner"
        for side, count in zip(sides, (report.dropped_x, report.dropped_y), strict=True)
        if count
    ]
    if report.sampled_items is not None:
        dropped.append(f"a sample of {report.sampled_items.common:,} by a hash of their ids")
    if report.group_by:
        dropped.append(f"items of equal {report.group_by} compared as one thing, {report.groups:,} of them")
    if report.deduplicate:
        dropped.append(f"{report.duplicates:,} near-duplicates, of cosine {report.deduplicate:g} or more, were left out")
    tail = f" ({'; '.join(dropped)})" if dropped else ""
    return (
        f"The alignment of {sides[0]} and {sides[1]} was measured by {source}{ks} over the {asked}{tail}, "
        f"from {read(report, sides)}{nearness(report)}."
    )


def chosen(asked: Any) -> str:
    """How queries were chosen from the items: of a report, a matrix or a measurement."""
    strata = f" in strata of {asked.strata}" if asked.strata else ""
    return f"{'given' if asked.query_sampling == 'given' else 'chosen by a hash of their ids'}{strata}"


def metric_source(metric: str) -> sources.Source:
    """A metric as a paper would name it."""
    return sources.METRICS.get(metric, sources.Source(metric, "as documented by Consilience"))


def read(report: Any, sides: list[str]) -> str:
    """What was compared: vectors as they were prepared, and entries of stored matrices by their rule."""
    kernels = [f"{side} as {rule}" for side, rule in zip(sides, (report.kernel_rule_x, report.kernel_rule_y), strict=True) if rule]
    vectors = sources.PREPROCESSING.get(report.preprocess, report.preprocess)
    if not kernels:
        return str(vectors)
    entries = f"entries of the stored matri{'x' if len(kernels) == 1 else 'ces'} of {listed(kernels)}"
    return entries if len(kernels) == 2 else f"{vectors} and {entries}"


def form(report: Any) -> str:
    """What a metric of vectors was told beside them: directions, components, or how columns were predicted."""
    top = report.headline
    x, y = top.components_x, top.components_y
    if report.metric == "svcca":
        return f" of the {x:,} strongest components" if x == y else f" of the {x:,} and {y:,} strongest components"
    if x:
        return f" of {x:,} and {y:,} directions"
    fit = top.fit
    if fit is None:
        return distances(report)
    of = f" of {fit.folds_by!r}" if fit.folds_by else ""
    return regression(fit, f", {fit.fold_groups:,} groups{of} in one fold each" if fit.fold_groups else "")


def regression(asked: Any, kept: str) -> str:
    """How columns were predicted; `kept` tells what stayed in one fold."""
    penalties = listed([f"{penalty:g}" for penalty in asked.penalties])
    chosen = "a penalty of" if len(asked.penalties) == 1 else "each column's penalty chosen by generalised cross-validation from"
    score = "R^2" if asked.target_score == "r2" else "Pearson r"
    return (
        f" ({asked.aggregate} {score} of the second space's columns, ridge regression, {asked.folds:,} folds{kept}, {chosen} {penalties} "
        "times the mean eigenvalue)"
    )


def distances(report: Any) -> str:
    """The kernels or distances of metrics that compare all pairs of items."""
    if report.bandwidths:
        return f" of sigma {listed([number(sigma) for sigma in report.bandwidths])}"
    if report.rdm_comparison:
        compared = sources.RDM_COMPARISONS.get(report.rdm_comparison, report.rdm_comparison)
        distance = (report.rdm_distance or "").replace("_", " ")
        return f", {compared} of {f'{distance} distances' if distance else 'stored dissimilarities'},"
    return ""


def nearness(report: Any) -> str:
    """How near items are, where neighbours count."""
    told = [kind.replace("_", " ") for kind in (report.similarity_x, report.similarity_y) if kind]
    if not told or not report.k:
        return ""
    return f", nearness by {told[0] if len(set(told)) == 1 else ' and '.join(told)}"


def side(use: Any, label: str) -> str:
    """A space with its version, the layers of a group, or `label` of an array."""
    if use is None:
        return label
    if use.name.startswith("groups/"):
        return f"the layers of {use.name.removeprefix('groups/')}"
    return f"{use.name} (version {use.version})" if use.version else f"the array {use.name}"


def _given(report: Any) -> str:
    """What was regressed out of both."""
    if report.given is None:
        return ""
    given = report.given
    share = f"{given.explained_x:.1%} and {given.explained_y:.1%} of their variance"
    return (
        f"Both were regressed linearly on {side(given.space, 'a third')}, which spans {given.rank:,} dimensions and explains {share}; "
        f"{sources.RESIDUALS} were aligned."
    )


def _layers(report: Any) -> str:
    """How the layers were chosen, where a side has several."""
    if report.layer_scores is None or report.best_layers is None or report.layer_scores.size == 1:
        return ""
    best = _chosen_layers(report)
    count = f"{report.layer_scores.size:,} pairs"
    if len(best) > 1:
        pair, was, has = f"Layers {best[0][0]} and {best[1][0]}", "were", "have"
    else:
        pair, was, has = f"Layer {best[0][0]} of the {best[0][1]} space", "was", "has"
    if report.selection_n:
        return f"{pair} {was} chosen among {count} on {report.selection_n:,} other items (split half)."
    calibrated = "is calibrated as a maximum by permutations that all pairs share" if report.permutations else "is not calibrated"
    return f"{pair} {has} the maximum of {count}, which {calibrated}; its interval takes the choice of the pair as given."


def _chosen_layers(scored: Any) -> list[tuple[str, str]]:
    """Of an alignment or a control: the chosen layer of each side and which side that is; a side of one layer leaves nothing to choose."""
    layers = zip(scored.best_layers, (scored.x_layers, scored.y_layers), scored.layer_scores.shape, ("first", "second"), strict=True)
    return [(side(spaces[at], "") if spaces else f"{at}", which) for at, spaces, count, which in layers if count > 1]


def _scores(report: Any) -> str:
    told = [_score(entry) for entry in report.by_k.values()]
    return f"The score was {'; '.join(told)} ({intervals(report)})."


def _score(entry: Any) -> str:
    at = f" at k = {entry.k:,}" if entry.k else ""
    return f"{ranged(entry.score, entry.interval)}{at}, chance {number(entry.chance)}, excess {number(entry.excess)}"


def ranged(value: float, interval: tuple[float, float] | None) -> str:
    """A number with its interval, where it has one: `0.135 [0.128, 0.142]`."""
    return number(value) if interval is None else f"{number(value)} {span(interval)}"


def intervals(report: Any) -> str:
    """What the intervals of alignments mean."""
    return f"{report.confidence * 100:g}% intervals: {sources.INTERVALS.get(report.interval_kind, report.interval_kind)}"


def null(report: Any) -> str:
    """What the random pairings say, and how many there were."""
    if all(entry.p_value is None for entry in report.by_k.values()):
        return ""
    named = [_p_value(report, entry) for entry in report.by_k.values()]
    text = f"{null_of(report.permutations, report.seed, report.within)}: {'; '.join(named)}."
    text += stopped([report])
    calibrated = [entry for entry in report.by_k.values() if entry.calibrated is not None]
    if calibrated:
        values = ", ".join(number(entry.calibrated or 0.0) for entry in calibrated)
        text += f" Calibrated at alpha = {report.alpha:g} ({sources.CALIBRATION}), the score was {values}."
    return text


def stopped(reports: Sequence[Any]) -> str:
    """The rule that ended the pairings of alignments tested alike, and how many were drawn for each score; empty where all were drawn."""
    drawn = [f"{entry.permutations:,}" for report in reports for entry in report.by_k.values() if entry.permutations is not None]
    if not reports[0].stop_after or not drawn:
        return ""
    return (
        f" Pairings were drawn until {reports[0].stop_after:,} of them scored as high ({sources.SEQUENTIAL_TEST}), {listed(drawn)} of them."
    )


def null_of(permutations: int, seed: int, within: Any = None) -> str:
    """Against what significance was assessed, without the full stop."""
    restricted = f" {within}" if within else ""
    return (
        f"Significance was assessed against {permutations:,} random pairings of the items{restricted} "
        f"(seed {seed}; permutation test with the observed pairing counted, {sources.PERMUTATION_TEST})"
    )


def _p_value(report: Any, entry: Any) -> str:
    at = f" at k = {entry.k:,}" if entry.k and len(report.by_k) > 1 else ""
    return f"{probability(entry.p_value, report.permutations)}{at}" if entry.p_value is not None else f"no p{at}"


def _controls(report: Any) -> str:
    if not report.controls:
        return ""
    told = []
    for name, control in report.controls.items():
        place = side(report.x if control.in_place_of == "x" else report.y, "an array")
        score = f"{number(control.score)}, difference {control.difference}"
        version = f" (version {control.space.version})" if control.space.version else ""
        told.append(f"{name}{version} in the place of {place}{_control_layers(control)}: {score}")
    paired = any(control.difference.interval is not None for control in report.controls.values())
    maxima = any(control.layer_selection == "max" for control in report.controls.values())
    differences = "paired over the items" if paired else f"differences{' of maxima' if maxima else ''}, without interval"
    return f"Controls over the same items scored {'; '.join(told)} ({differences})."


def _control_layers(control: Any) -> str:
    """Which pair of layers a control's score is of, and how it chose among them."""
    if control.layer_scores is None or control.best_layers is None or control.layer_scores.size == 1:
        return ""
    best = [layer for layer, _ in _chosen_layers(control)]
    rule = "chosen on the same half" if control.selection_n else "its maximum"
    return f" (layer{'s' if len(best) > 1 else ''} {listed(best)}, of {control.layer_scores.size:,} pairs, {rule})"


def _computed(report: Any) -> str:
    return computed(report.engine, exact=report.certificate_x is not None)


def computed(engine: str, *, exact: bool = False) -> str:
    """By what program."""
    return f"Computed by Consilience ({'exact nearest neighbours, ' if exact else ''}engine {engine})."


def listed(values: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}"
