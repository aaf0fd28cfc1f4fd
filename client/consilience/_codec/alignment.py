"""Alignment: what a caller asks as a spec, answers as results."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Unpack, cast

import numpy as np

from consilience import _names
from consilience._alignment_options import AlignmentOptions, check_options
from consilience._codec.geometry import decode_geometry
from consilience._codec.pairwise import decode_pairwise, encode_pairwise
from consilience._codec.predictivity import decode_linear_fit, decode_predictivity, encode_predictivity
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix, to_ids
from consilience._numbers import UINT64, share, whole
from consilience._results.alignment_at_k import AlignmentAtK, Interval
from consilience._results.alignment_conditions import Given, Within
from consilience._results.alignment_control import Control, Difference
from consilience._results.alignment_matrix import AlignmentMatrix
from consilience._results.alignment_report import AlignmentReport
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.certificate import Certificate
from consilience._results.space import Space, SpaceUse
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2

Controls = Sequence[str | Space | SpaceUse] | Mapping[str, str]
"""Control spaces and groups; as a mapping, each with the side whose place it takes."""

Neighbours = int | float | str
"""A number of neighbours, or a share of the items: `.01` or `n/100`."""


def encode_spec(*, k: Neighbours | Sequence[Neighbours], metric: str, **options: Unpack[AlignmentOptions]) -> alignment_pb2.AlignmentSpec:
    """The spec of an alignment; the contract's `Align` says what each field means.

    Raises:
        TypeError: an unknown option.
        InvalidArgumentError: an unknown name, k < 1, a negative or broken number, or alpha or confidence outside (0, 1).
    """
    check_options(options)
    within = options.get("within") or ""
    if not isinstance(within, str):
        raise InvalidArgumentError("within is the name of an attribute; only align_arrays takes labels", field="within")
    ks, shares = check_ks(k)
    count = whole(options.get("permutations", 999), "permutations")
    sampled = whole(options.get("sample_queries", 0), "sample_queries")
    query_ids = _query_ids(options.get("query_ids"))
    return alignment_pb2.AlignmentSpec(
        metric=_names.METRICS.to_number(metric),
        ks=ks,
        k_fractions=shares,
        preprocess=_names.PREPROCESS.to_number(options.get("preprocess", "none")),
        permutations=count,
        skip_permutations=count == 0,
        seed=whole(options.get("seed", 0), "seed", most=UINT64),
        alpha=share(options.get("alpha", 0.05), "alpha"),
        interval_kind=_names.INTERVAL_KINDS.to_number(options.get("interval_kind", "queries" if sampled or query_ids else "items")),
        confidence=share(options.get("confidence", 0.95), "confidence"),
        components=whole(options.get("components", 10), "components", least=1),
        sample_queries=sampled,
        query_ids=query_ids,
        strata=_attribute(options.get("strata"), "strata"),
        group_by=_attribute(options.get("group_by"), "group_by"),
        deduplicate=_cosine(options.get("deduplicate", 0.0)),
        within=within,
        predictivity=encode_predictivity(metric, options),
        context=bool(options.get("context", False)),
        layer_selection=_names.LAYER_SELECTIONS.to_number(options.get("layer_selection", "split_half")),
        stop_after=whole(options.get("stop_after", 0), "stop_after"),
        **encode_pairwise(options),
    )


def _cosine(value: Any) -> float:
    """0 for none, or a cosine above it."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer) or not 0.0 <= value <= 1.0:
        raise InvalidArgumentError(
            f"deduplicate is {value!r}; give a cosine above 0 and at most 1, such as .999, or 0 to keep all", field="deduplicate"
        )
    return float(value)


def _attribute(name: Any, field: str) -> str:
    """An attribute's name; empty for none."""
    if name is None:
        return ""
    if not isinstance(name, str) or not name:
        raise InvalidArgumentError(f"{field} is {name!r}; give the name of an attribute, or leave it out", field=field)
    return name


def _query_ids(ids: Any) -> list[str]:
    """The queries named; none where all are asked."""
    found = [] if ids is None else to_ids(ids, "query_ids")
    if ids is not None and not found:
        raise InvalidArgumentError("query_ids is an empty list; name the queries, or leave it out to ask all", field="query_ids")
    return found


def check_ks(k: Neighbours | Sequence[Neighbours]) -> tuple[list[int], list[float]]:
    """One k or several, each at least 1, and those that are shares of the items.

    Raises:
        InvalidArgumentError: one is neither, or a number follows a share: the headline is the first k asked, and the contract has numbers
            first.
    """
    is_list = isinstance(k, Sequence | np.ndarray) and not isinstance(k, str | bytes) and np.ndim(cast("Any", k)) > 0
    ks: list[int] = []
    shares: list[float] = []
    for entry in cast("Sequence[Neighbours]", k) if is_list else [k]:
        of_items = _share_of_items(entry)
        if of_items is not None:
            shares.append(of_items)
        elif shares:
            raise InvalidArgumentError(f"k is {k!r}; give numbers before shares of n", reason="INVALID_K", field="k")
        else:
            ks.append(check_k(entry))
    if not ks and not shares:
        raise InvalidArgumentError("k is an empty list; give 1 or more neighbours", reason="INVALID_K", field="k")
    return ks, shares


def check_one(k: Neighbours) -> Neighbours:
    """One k, or one share of the items."""
    return k if _share_of_items(k) is not None else check_k(k)


def _share_of_items(k: Any) -> float | None:
    """The share that `.01` or `n/100` says; None for what is no share."""
    if isinstance(k, str):
        left, slash, right = k.partition("/")
        if slash and left.strip() == "n" and right.strip().isdecimal() and int(right) > 1:
            return 1.0 / int(right)
        return None
    return float(k) if isinstance(k, float | np.floating) and 0.0 < k < 1.0 else None


def check_k(k: Any) -> int:
    """One k, at least 1."""
    return whole(k, "k", least=1, reason="INVALID_K")


def decode_report(message: alignment_pb2.AlignmentReport, details: CallDetails = NO_DETAILS) -> AlignmentReport:
    """An AlignmentReport."""
    entries = list(message.by_k) or [message.headline]
    interval = message.headline.interval
    return AlignmentReport(
        metric=_names.METRICS.to_name(message.metric),
        by_k={entry.k: decode_at_k(entry) for entry in (message.headline, *entries)},
        interval_kind=_names.INTERVAL_KINDS.to_name(interval.kind),
        confidence=interval.confidence,
        n=message.n,
        gallery=message.gallery,
        dropped_x=message.dropped_x,
        dropped_y=message.dropped_y,
        preprocess=_names.PREPROCESS.to_name(message.preprocess),
        clips=tuple(message.clips),
        constant_columns=tuple(message.constant_columns),
        permutations=message.permutations,
        seed=message.seed,
        alpha=message.alpha,
        x=decode_space_use(message.x) if message.x.name else None,
        y=decode_space_use(message.y) if message.y.name else None,
        engine=message.engine,
        certificate_x=decode_certificate(message, "certificate_x"),
        certificate_y=decode_certificate(message, "certificate_y"),
        context_x=decode_geometry(message.context_x) if message.HasField("context_x") else None,
        context_y=decode_geometry(message.context_y) if message.HasField("context_y") else None,
        kernel_rule_x=message.kernel_rule_x,
        kernel_rule_y=message.kernel_rule_y,
        layer_scores=from_matrix(message.layer_scores) if message.HasField("layer_scores") else None,
        best_layers=_decode_layers(message.best_layers),
        **_decode_comparison(message),
        query_sampling=_names.QUERY_SAMPLING.to_name(message.query_sampling),
        duplicate_queries=message.duplicate_queries,
        layer_contexts_x=tuple(decode_geometry(each) for each in message.layer_contexts_x),
        layer_contexts_y=tuple(decode_geometry(each) for each in message.layer_contexts_y),
        group_by=message.group_by,
        groups=message.groups,
        strata=message.strata,
        duplicates=message.duplicates,
        deduplicate=message.deduplicate,
        **decode_pairwise(message),
        within=_decode_within(message),
        similarity_x=_names.SIMILARITIES.to_name(message.similarity_x) if message.similarity_x else "",
        similarity_y=_names.SIMILARITIES.to_name(message.similarity_y) if message.similarity_y else "",
        stop_after=message.stop_after,
        given=_decode_given(message.given) if message.HasField("given") else None,
        controls=decode_controls(message.controls),
        warnings=tuple(message.warnings),
        details=details,
    )


def _decode_layers(pair: Sequence[int]) -> tuple[int, int] | None:
    return (pair[0], pair[1]) if len(pair) == 2 else None


def _decode_comparison(message: alignment_pb2.AlignmentReport | alignment_pb2.ControlReport) -> dict[str, Any]:
    """What a report, or one of a control, tells of layers beside their scores."""
    if not message.HasField("layers"):
        return {}
    told = message.layers
    return {
        "layer_selection": _names.LAYER_SELECTIONS.to_name(told.selection),
        "layer_p_values": from_matrix(told.p_values) if told.HasField("p_values") else None,
        "layer_calibrated": from_matrix(told.calibrated) if told.HasField("calibrated") else None,
        "maximum": decode_at_k(told.maximum) if told.HasField("maximum") else None,
        "maximum_layers": _decode_layers(told.maximum_layers),
        "layers_n": told.n,
        "selection_n": told.selection_n,
        "x_layers": tuple(decode_space_use(use) for use in told.x_layers),
        "y_layers": tuple(decode_space_use(use) for use in told.y_layers),
    }


def decode_matrix(message: alignment_pb2.AlignmentMatrix, details: CallDetails = NO_DETAILS) -> AlignmentMatrix:
    """An AlignmentMatrix."""
    versions = tuple(decode_space_use(use) for use in message.spaces)
    return AlignmentMatrix(
        metric=_names.METRICS.to_name(message.metric),
        k=message.k,
        spaces=tuple(use.name for use in versions),
        versions=versions,
        scores=from_matrix(message.scores),
        chance=from_matrix(message.chance),
        excess=from_matrix(message.excess),
        calibrated=from_matrix(message.calibrated),
        p_values=from_matrix(message.p_values),
        interval_low=from_matrix(message.interval_low),
        interval_high=from_matrix(message.interval_high),
        interval_kind=_names.INTERVAL_KINDS.to_name(message.interval_kind),
        confidence=message.confidence,
        n=np.array(message.n, dtype=np.int64).reshape(len(versions), len(versions)),
        items=_names.ITEM_POLICIES.to_name(message.items),
        permutations=message.permutations,
        seed=message.seed,
        alpha=message.alpha,
        preprocess=_names.PREPROCESS.to_name(message.preprocess),
        engine=message.engine,
        p_adjusted=from_matrix(message.p_adjusted) if message.HasField("p_adjusted") else None,
        q_values=from_matrix(message.q_values) if message.HasField("q_values") else None,
        coordinates=from_matrix(message.coordinates) if message.HasField("coordinates") else None,
        explained=message.explained,
        stress=message.stress,
        order=tuple(message.order),
        duplicate_queries=message.duplicate_queries,
        group_by=message.group_by,
        groups=message.groups,
        **_decode_compared(message.compared),
        gallery=np.array(message.gallery or message.n, dtype=np.int64).reshape(len(versions), len(versions)),
        query_sampling=_names.QUERY_SAMPLING.to_name(message.query_sampling),
        strata=message.strata,
        duplicates=message.duplicates,
        deduplicate=message.deduplicate,
        **decode_pairwise(message),
        **decode_predictivity(message),
        within=_decode_within(message),
        warnings=tuple(message.warnings),
        details=details,
    )


def _decode_compared(spaces: Sequence[alignment_pb2.ComparedSpace]) -> dict[str, Any]:
    """How each space of a matrix entered, a tuple for each attribute."""
    clips = tuple(space.clip if space.HasField("clip") else math.nan for space in spaces)
    constant = tuple(space.constant_columns if space.HasField("constant_columns") else 0 for space in spaces)
    return {
        "similarities": tuple(_names.SIMILARITIES.to_name(space.similarity) if space.similarity else "" for space in spaces),
        "kernel_rules": tuple(space.kernel_rule for space in spaces),
        "clips": clips if any(space.HasField("clip") for space in spaces) else (),
        "constant_columns": constant if any(space.HasField("constant_columns") for space in spaces) else (),
        "contexts": tuple(decode_geometry(space.context) for space in spaces if space.HasField("context")),
    }


def decode_certificate(message: Any, field: str) -> Certificate | None:
    """The certificate in a field of a report, None where it is not set."""
    if not message.HasField(field):
        return None
    told: alignment_pb2.Certificate = getattr(message, field)
    return Certificate(
        scan_dtype=told.scan_dtype,
        error_bound=told.error_bound,
        certified_rows=told.certified_rows,
        refined_rows=told.refined_rows,
        exact_dots=told.exact_dots,
        backend=told.backend,
    )


def decode_interval(message: alignment_pb2.Interval) -> Interval:
    """(low, high)."""
    return Interval(message.low, message.high)


def encode_controls(controls: Controls) -> list[alignment_pb2.Control]:
    """The controls of a call: names, which take x's place, or a mapping of each to the side whose place it takes.

    Raises:
        InvalidArgumentError: a single name instead of a list, a name that is none, or a side that is neither `x` nor `y`.
    """
    if isinstance(controls, Mapping):
        sides = list(controls.values())
        spaces = _names.side_refs(list(controls), "controls")
    else:
        spaces = _names.side_refs(controls, "controls")
        sides = ["x"] * len(spaces)
    return [alignment_pb2.Control(space=ref, in_place_of=_names.SIDES.to_number(side)) for ref, side in zip(spaces, sides, strict=True)]


def decode_controls(messages: Sequence[alignment_pb2.ControlReport]) -> dict[str, Control]:
    """Controls by name: the space's, with the version, or the side where two of one name would collide."""
    found: dict[str, Control] = {}
    for message in messages:
        use = decode_space_use(message.space)
        entries = {entry.k: decode_at_k(entry) for entry in message.by_k}
        differences = dict(zip(entries, map(decode_difference, message.differences), strict=True))
        control = Control(
            use,
            _names.SIDES.to_name(message.in_place_of),
            entries,
            differences,
            message.dropped,
            layer_scores=from_matrix(message.layer_scores) if message.HasField("layer_scores") else None,
            best_layers=_decode_layers(message.best_layers),
            **_decode_comparison(message),
        )
        name = use.name if use.name not in found else f"{use} for {control.in_place_of}"
        found[name] = control
    return found


def decode_difference(message: alignment_pb2.Difference) -> Difference:
    """A Difference."""
    interval = decode_interval(message.interval) if message.HasField("interval") else None
    return Difference(message.value, interval, message.p_value if message.HasField("p_value") else None)


def _decode_given(message: alignment_pb2.Given) -> Given:
    layers = tuple(message.layers_explained_x), tuple(message.layers_explained_y)
    return Given(decode_space_use(message.space), message.rank, message.items, message.explained_x, message.explained_y, layers)


def _decode_within(message: alignment_pb2.AlignmentReport | alignment_pb2.AlignmentMatrix) -> Within | None:
    if not message.HasField("within"):
        return None
    return Within(message.within.attribute, message.within.groups, message.within.fixed_items)


def decode_at_k(message: alignment_pb2.AlignmentAtK) -> AlignmentAtK:
    """One k."""

    def told(field: str) -> float | None:
        return getattr(message, field) if message.HasField(field) else None

    return AlignmentAtK(
        k=message.k,
        score=message.score,
        chance=message.chance,
        excess=message.excess,
        interval=decode_interval(message.interval),
        p_value=told("p_value"),
        calibrated=told("calibrated"),
        threshold=told("threshold"),
        null_mean=told("null_mean"),
        null_sd=told("null_sd"),
        tie_fraction_x=message.tie_fraction_x,
        tie_fraction_y=message.tie_fraction_y,
        self_score_x=message.self_score_x,
        self_score_y=message.self_score_y,
        permutations=message.permutations if message.HasField("permutations") else None,
        fit=decode_linear_fit(message.linear_fit) if message.HasField("linear_fit") else None,
        null=np.array(message.null, dtype=np.float64) if message.null else None,
        components_x=message.components_x,
        components_y=message.components_y,
    )
