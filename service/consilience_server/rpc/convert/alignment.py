"""Alignments of the contract to and from those of the use cases."""

from collections.abc import Sequence

from consilience.v1 import alignment_pb2
from consilience_server.app.alignment_spec import AlignmentSpec, ControlQuery, Side
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import (
    AlignmentReport,
    ControlReport,
    Given,
    ItemPolicy,
    LayerComparison,
    MetricName,
    PreprocessName,
    QuerySampling,
    Within,
)
from consilience_server.core.differences import Difference
from consilience_server.core.errors import UnknownMetric
from consilience_server.core.layer_choice import LayerSelection
from consilience_server.core.linear_predictivity import PredictivityOptions
from consilience_server.core.score import Interval, IntervalKind, Score
from consilience_server.core.svcca import COMPONENTS
from consilience_server.engine.protocol import Certificate
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.names import side_query, space_use
from consilience_server.rpc.convert.pairwise import read_pairwise, write_pairwise
from consilience_server.rpc.convert.predictivity import read_predictivity, write_linear_fit
from consilience_server.rpc.convert.space_geometry import write_geometry
from consilience_server.rpc.convert.spaces import write_similarity

METRICS: dict[alignment_pb2.Metric, MetricName] = {
    alignment_pb2.METRIC_MUTUAL_KNN: "mutual_knn",
    alignment_pb2.METRIC_CKA: "cka",
    alignment_pb2.METRIC_UNBIASED_CKA: "unbiased_cka",
    alignment_pb2.METRIC_CYCLE_KNN: "cycle_knn",
    alignment_pb2.METRIC_LCS_KNN: "lcs_knn",
    alignment_pb2.METRIC_EDIT_DISTANCE_KNN: "edit_distance_knn",
    alignment_pb2.METRIC_CKNNA: "cknna",
    alignment_pb2.METRIC_CKNNA_PAPER: "cknna_paper",
    alignment_pb2.METRIC_CKNNA_CENTRED: "cknna_centred",
    alignment_pb2.METRIC_CCA: "cca",
    alignment_pb2.METRIC_SVCCA: "svcca",
    alignment_pb2.METRIC_PROCRUSTES: "procrustes",
    alignment_pb2.METRIC_ANGULAR_SHAPE: "angular_shape",
    alignment_pb2.METRIC_LINEAR_PREDICTIVITY: "linear_predictivity",
    alignment_pb2.METRIC_RSA: "rsa",
    alignment_pb2.METRIC_RBF_CKA: "rbf_cka",
}
_PREPROCESS: dict[alignment_pb2.Preprocess, PreprocessName] = {
    alignment_pb2.PREPROCESS_UNSPECIFIED: "none",
    alignment_pb2.PREPROCESS_NONE: "none",
    alignment_pb2.PREPROCESS_PLATONIC_REP: "platonic_rep",
    alignment_pb2.PREPROCESS_CENTRE: "centre",
    alignment_pb2.PREPROCESS_STANDARDIZE: "standardize",
    alignment_pb2.PREPROCESS_UNIT: "unit",
}
_INTERVALS: dict[alignment_pb2.IntervalKind, IntervalKind] = {
    alignment_pb2.INTERVAL_KIND_UNSPECIFIED: "items",
    alignment_pb2.INTERVAL_KIND_QUERIES: "queries",
    alignment_pb2.INTERVAL_KIND_ITEMS: "items",
}
SAMPLING_VALUES = {
    "all": alignment_pb2.QUERY_SAMPLING_ALL,
    "hash": alignment_pb2.QUERY_SAMPLING_HASH,
    "given": alignment_pb2.QUERY_SAMPLING_GIVEN,
    "stratified": alignment_pb2.QUERY_SAMPLING_STRATIFIED,
}
_SELECTIONS: dict[alignment_pb2.LayerSelection, LayerSelection] = {
    alignment_pb2.LAYER_SELECTION_UNSPECIFIED: "split_half",
    alignment_pb2.LAYER_SELECTION_SPLIT_HALF: "split_half",
    alignment_pb2.LAYER_SELECTION_MAX: "max",
}
_POLICIES: dict[alignment_pb2.ItemPolicy, ItemPolicy] = {
    alignment_pb2.ITEM_POLICY_UNSPECIFIED: "common",
    alignment_pb2.ITEM_POLICY_COMMON: "common",
    alignment_pb2.ITEM_POLICY_PAIRWISE: "pairwise",
}
METRIC_VALUES = {
    "mutual_knn": alignment_pb2.METRIC_MUTUAL_KNN,
    "cka": alignment_pb2.METRIC_CKA,
    "unbiased_cka": alignment_pb2.METRIC_UNBIASED_CKA,
    "cycle_knn": alignment_pb2.METRIC_CYCLE_KNN,
    "lcs_knn": alignment_pb2.METRIC_LCS_KNN,
    "edit_distance_knn": alignment_pb2.METRIC_EDIT_DISTANCE_KNN,
    "cknna": alignment_pb2.METRIC_CKNNA,
    "cknna_paper": alignment_pb2.METRIC_CKNNA_PAPER,
    "cknna_centred": alignment_pb2.METRIC_CKNNA_CENTRED,
    "cca": alignment_pb2.METRIC_CCA,
    "svcca": alignment_pb2.METRIC_SVCCA,
    "procrustes": alignment_pb2.METRIC_PROCRUSTES,
    "angular_shape": alignment_pb2.METRIC_ANGULAR_SHAPE,
    "linear_predictivity": alignment_pb2.METRIC_LINEAR_PREDICTIVITY,
    "rsa": alignment_pb2.METRIC_RSA,
    "rbf_cka": alignment_pb2.METRIC_RBF_CKA,
}
PREPROCESS_VALUES = {name: value for value, name in _PREPROCESS.items() if value}
INTERVAL_VALUES = {"queries": alignment_pb2.INTERVAL_KIND_QUERIES, "items": alignment_pb2.INTERVAL_KIND_ITEMS}
_SELECTION_VALUES = {"split_half": alignment_pb2.LAYER_SELECTION_SPLIT_HALF, "max": alignment_pb2.LAYER_SELECTION_MAX}
POLICY_VALUES = {"common": alignment_pb2.ITEM_POLICY_COMMON, "pairwise": alignment_pb2.ITEM_POLICY_PAIRWISE}

SIDES: dict[alignment_pb2.Side, Side] = {
    alignment_pb2.SIDE_UNSPECIFIED: "x",
    alignment_pb2.SIDE_X: "x",
    alignment_pb2.SIDE_Y: "y",
}
_SIDE_VALUES = {"x": alignment_pb2.SIDE_X, "y": alignment_pb2.SIDE_Y}

_DEFAULT_K = 10
_DEFAULT_PERMUTATIONS = 999
_DEFAULT_ALPHA = 0.05
_DEFAULT_CONFIDENCE = 0.95

_MOST_NULL_VALUES = 1 << 17
"""Of all k together, a megabyte."""


def read_spec(spec: alignment_pb2.AlignmentSpec) -> AlignmentSpec:
    """The contract's defaults filled in; the ranges of the numbers are the use case's to judge.

    Raises:
        UnknownMetric: unspecified, or none of the contract's.
        NotServed: a metric that this version lacks.
    """
    metric = served(alignment_pb2.Metric, spec.metric, METRICS, "spec.metric", what="metric", unknown=UnknownMetric)
    has_k = FAMILY_OF[metric].reads == "tables"
    read = AlignmentSpec(
        metric=metric,
        # Other metrics have no k: one value for all keeps equal questions equal.
        ks=(tuple(spec.ks) or (() if spec.k_fractions else (_DEFAULT_K,))) if has_k else (_DEFAULT_K,),
        k_fractions=tuple(spec.k_fractions) if has_k else (),
        preprocess=read_preprocess(spec.preprocess, "spec.preprocess"),
        permutations=0 if spec.skip_permutations else spec.permutations or _DEFAULT_PERMUTATIONS,
        seed=spec.seed,
        alpha=spec.alpha or _DEFAULT_ALPHA,
        interval_kind=_read_interval_kind(spec),
        confidence=spec.confidence or _DEFAULT_CONFIDENCE,
        sample_queries=spec.sample_queries,
        components=(spec.components or COMPONENTS) if metric == "svcca" else COMPONENTS,
        query_ids=tuple(dict.fromkeys(spec.query_ids)),
        duplicate_queries=len(spec.query_ids) - len(set(spec.query_ids)),
        deduplicate=spec.deduplicate,
        strata=spec.strata,
        group_by=spec.group_by,
        within=spec.within,
        predictivity=read_predictivity(spec.predictivity) if metric == "linear_predictivity" else PredictivityOptions(),
        context=spec.context,
        layer_selection=served(
            alignment_pb2.LayerSelection, spec.layer_selection, _SELECTIONS, "spec.layer_selection", what="choice of layers"
        ),
        stop_after=spec.stop_after,
    )
    return read_pairwise(spec, read)


def read_preprocess(value: int, field: str) -> PreprocessName:
    """The name of a preprocessing; none by default."""
    return served(alignment_pb2.Preprocess, value, _PREPROCESS, field, what="preprocessing")


def metric_number(name: MetricName) -> alignment_pb2.Metric:
    """The contract's number of a metric."""
    return METRIC_VALUES[name]


def preprocess_number(name: PreprocessName) -> alignment_pb2.Preprocess:
    """The contract's number of a preprocessing."""
    return PREPROCESS_VALUES[name]


def _read_interval_kind(spec: alignment_pb2.AlignmentSpec) -> IntervalKind:
    """`items` by default, `queries` where they are chosen."""
    if not spec.interval_kind and (spec.sample_queries or spec.query_ids):
        return "queries"
    return served(alignment_pb2.IntervalKind, spec.interval_kind, _INTERVALS, "spec.interval_kind", what="interval")


def sampling_number(name: QuerySampling) -> alignment_pb2.QuerySampling:
    """The contract's number of a way to choose queries."""
    return SAMPLING_VALUES[name]


def read_policy(value: int) -> ItemPolicy:
    """Which items a matrix is over; common by default."""
    return served(alignment_pb2.ItemPolicy, value, _POLICIES, "items", what="item policy")


def write_report(report: AlignmentReport) -> alignment_pb2.AlignmentReport:
    """The alignment of two spaces."""
    by_k = [write_at_k(score) for score in report.by_k]
    headline = write_at_k(report.headline)
    for entry, score in zip(by_k, report.by_k, strict=True):
        if score.fit is not None:
            entry.linear_fit.CopyFrom(write_linear_fit(score.fit))
    drawn = [score.null for score in report.by_k if score.null is not None]
    if sum(len(values) for values in drawn) <= _MOST_NULL_VALUES:
        for entry, score in zip(by_k, report.by_k, strict=True):
            entry.null.extend([] if score.null is None else score.null.tolist())
    message = alignment_pb2.AlignmentReport(
        metric=METRIC_VALUES[report.metric],
        headline=headline,
        by_k=by_k,
        n=report.n,
        gallery=report.gallery,
        dropped_x=report.dropped_x,
        dropped_y=report.dropped_y,
        preprocess=PREPROCESS_VALUES[report.preprocess],
        clips=report.clips,
        constant_columns=report.constant_columns,
        permutations=report.permutations,
        seed=report.seed,
        alpha=report.alpha,
        x=space_use(report.x),
        y=space_use(report.y),
        engine=report.engine,
        certificate_x=write_certificate(report.certificate_x),
        certificate_y=write_certificate(report.certificate_y),
        context_x=None if report.contexts[0] is None else write_geometry(report.contexts[0]),
        context_y=None if report.contexts[1] is None else write_geometry(report.contexts[1]),
        within=write_within(report.within),
        stop_after=report.stop_after,
        given=_write_given(report.given),
        controls=[_write_control(control) for control in report.controls],
        similarity_x=None if report.similarities[0] is None else write_similarity(report.similarities[0]),
        similarity_y=None if report.similarities[1] is None else write_similarity(report.similarities[1]),
        warnings=report.warnings,
        query_sampling=SAMPLING_VALUES[report.query_sampling],
        duplicate_queries=report.duplicate_queries,
        layer_contexts_x=[write_geometry(context) for context in report.layer_contexts[0]],
        layer_contexts_y=[write_geometry(context) for context in report.layer_contexts[1]],
        strata=report.strata,
        group_by=report.group_by,
        groups=report.groups,
        duplicates=report.duplicates,
        deduplicate=report.deduplicate,
        kernel_rule_x=report.kernel_rule_x,
        kernel_rule_y=report.kernel_rule_y,
        layer_scores=None if report.layers is None else write_matrix(report.layers.scores),
        best_layers=() if report.layers is None else report.layers.best,
        layers=None if report.layers is None else _write_layers(report.layers),
    )
    write_pairwise(message, report)
    return message


def _write_layers(layers: LayerComparison) -> alignment_pb2.LayerComparison:
    largest = None if layers.maximum is None else write_at_k(layers.maximum)
    if largest is not None and layers.maximum is not None and layers.maximum.null is not None:
        largest.null.extend(layers.maximum.null.tolist())
    return alignment_pb2.LayerComparison(
        selection=_SELECTION_VALUES[layers.selection],
        p_values=None if layers.p_values is None else write_matrix(layers.p_values),
        calibrated=None if layers.calibrated is None else write_matrix(layers.calibrated),
        maximum=largest,
        maximum_layers=() if largest is None else layers.maximum_at,
        n=layers.n,
        selection_n=layers.selection_n,
        x_layers=[space_use(use) for use in layers.x_layers],
        y_layers=[space_use(use) for use in layers.y_layers],
    )


def write_interval(interval: Interval) -> alignment_pb2.Interval:
    """An interval with its kind."""
    return alignment_pb2.Interval(low=interval.low, high=interval.high, confidence=interval.confidence, kind=INTERVAL_VALUES[interval.kind])


def write_certificate(certificate: Certificate | None) -> alignment_pb2.Certificate | None:
    """Why the neighbours are exact; None for metrics without neighbours."""
    if certificate is None:
        return None
    return alignment_pb2.Certificate(
        scan_dtype=certificate.scan_dtype,
        error_bound=certificate.error_bound,
        certified_rows=certificate.certified_rows,
        refined_rows=certificate.refined_rows,
        exact_dots=certificate.exact_dots,
        backend=certificate.backend,
    )


def read_controls(controls: Sequence[alignment_pb2.Control]) -> list[ControlQuery]:
    """The controls of a request, x's place by default."""
    found = []
    for number, control in enumerate(controls):
        side = served(alignment_pb2.Side, control.in_place_of, SIDES, f"controls[{number}].in_place_of", what="side")
        found.append(ControlQuery(side_query(control.space, f"controls[{number}].space"), side))
    return found


def write_difference(difference: Difference) -> alignment_pb2.Difference:
    """A difference with its interval."""
    interval = None if difference.interval is None else write_interval(difference.interval)
    return alignment_pb2.Difference(value=difference.value, interval=interval, p_value=difference.p_value)


def _write_control(control: ControlReport) -> alignment_pb2.ControlReport:
    return alignment_pb2.ControlReport(
        space=space_use(control.space),
        in_place_of=_SIDE_VALUES[control.in_place_of],
        by_k=[write_at_k(score) for score in control.by_k],
        differences=[write_difference(each) for each in control.differences],
        dropped=control.dropped,
        layer_scores=None if control.layers is None else write_matrix(control.layers.scores),
        best_layers=() if control.layers is None else control.layers.best,
        layers=None if control.layers is None else _write_layers(control.layers),
    )


def _write_given(given: Given | None) -> alignment_pb2.Given | None:
    if given is None:
        return None
    return alignment_pb2.Given(
        space=space_use(given.space),
        rank=given.rank,
        items=given.items,
        explained_x=given.explained_x,
        explained_y=given.explained_y,
        layers_explained_x=given.layers_explained[0],
        layers_explained_y=given.layers_explained[1],
    )


def write_within(within: Within | None) -> alignment_pb2.Within | None:
    """Groups that random pairings kept to."""
    if within is None:
        return None
    return alignment_pb2.Within(attribute=within.attribute, groups=within.groups, fixed_items=within.fixed)


def write_at_k(score: Score) -> alignment_pb2.AlignmentAtK:
    """One k."""
    return alignment_pb2.AlignmentAtK(
        k=score.k,
        score=score.score,
        chance=score.chance,
        excess=score.excess,
        p_value=score.p_value,
        calibrated=score.calibrated,
        interval=write_interval(score.interval),
        tie_fraction_x=score.tie_fraction_x,
        tie_fraction_y=score.tie_fraction_y,
        self_score_x=score.self_score_x,
        self_score_y=score.self_score_y,
        components_x=score.components_x,
        components_y=score.components_y,
        null_mean=score.null_mean,
        null_sd=score.null_sd,
        threshold=score.threshold,
        permutations=score.permutations,
    )
