"""What is particular to `rsa` and `rbf_cka` in specs and answers, to and from the contract."""

from dataclasses import replace

from consilience.v1 import alignment_pb2
from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.measurement import Measurement
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import AlignmentMatrix, AlignmentReport, RdmOptions, SampledItems
from consilience_server.core.rdm import RdmDistance
from consilience_server.core.rsa import RdmComparison
from consilience_server.rpc.convert.enums import served

_DISTANCES: dict[alignment_pb2.RdmDistance, RdmDistance] = {
    alignment_pb2.RDM_DISTANCE_UNSPECIFIED: "correlation",
    alignment_pb2.RDM_DISTANCE_CORRELATION: "correlation",
    alignment_pb2.RDM_DISTANCE_EUCLIDEAN: "euclidean",
    alignment_pb2.RDM_DISTANCE_SQUARED_EUCLIDEAN: "squared_euclidean",
    alignment_pb2.RDM_DISTANCE_COSINE: "cosine",
}
_COMPARISONS: dict[alignment_pb2.RdmComparison, RdmComparison] = {
    alignment_pb2.RDM_COMPARISON_UNSPECIFIED: "spearman",
    alignment_pb2.RDM_COMPARISON_SPEARMAN: "spearman",
    alignment_pb2.RDM_COMPARISON_PEARSON: "pearson",
    alignment_pb2.RDM_COMPARISON_KENDALL_TAU_B: "kendall_tau_b",
    alignment_pb2.RDM_COMPARISON_KENDALL_TAU_A: "kendall_tau_a",
    alignment_pb2.RDM_COMPARISON_COSINE: "cosine",
}
_DISTANCE_VALUES = {name: value for value, name in _DISTANCES.items() if value}
_COMPARISON_VALUES = {name: value for value, name in _COMPARISONS.items() if value}


def read_distance(value: int, field: str) -> RdmDistance:
    """Correlation where unspecified; InvalidArgument."""
    return served(alignment_pb2.RdmDistance, value, _DISTANCES, field, what="distance")


def read_comparison(value: int, field: str) -> RdmComparison:
    """Spearman where unspecified; InvalidArgument."""
    return served(alignment_pb2.RdmComparison, value, _COMPARISONS, field, what="comparison")


def distance_number(distance: RdmDistance) -> alignment_pb2.RdmDistance:
    """The contract's value."""
    return _DISTANCE_VALUES[distance]


def comparison_number(comparison: RdmComparison) -> alignment_pb2.RdmComparison:
    """The contract's value."""
    return _COMPARISON_VALUES[comparison]


def read_pairwise(spec: alignment_pb2.AlignmentSpec, read: AlignmentSpec) -> AlignmentSpec:
    """The spec with its options of pairwise metrics; what the metric ignores keeps its default, so that equal questions stay equal."""
    if read.metric == "rsa":
        distance = read_distance(spec.rdm_distance, "spec.rdm_distance")
        comparison = read_comparison(spec.rdm_comparison, "spec.rdm_comparison")
        read = replace(read, rdm_distance=distance, rdm_comparison=comparison)
    if read.metric == "rbf_cka":
        read = replace(read, bandwidth=spec.bandwidth or None, bandwidth_factor=spec.bandwidth_factor or 1.0)
    if FAMILY_OF[read.metric].most_items is not None:
        read = replace(read, sample_items=spec.sample_items, all_items=spec.all_items)
    return read


def write_pairwise(
    message: alignment_pb2.AlignmentReport | alignment_pb2.AlignmentMatrix | alignment_pb2.Measurement,
    answer: AlignmentReport | AlignmentMatrix | Measurement,
) -> None:
    """Fill in what the answer tells of a sample of items, of dissimilarities and of bandwidths."""
    if answer.sampled_items is not None:
        message.sampled_items.CopyFrom(_sampled(answer.sampled_items))
    if answer.rdm is not None:
        message.rdm_distance, message.rdm_comparison = _numbers(answer.rdm)
    message.bandwidths.extend(answer.bandwidths)


def _sampled(sample: SampledItems) -> alignment_pb2.SampledItems:
    return alignment_pb2.SampledItems(count=sample.count, common=sample.common, ids=sample.ids, rows=sample.rows)


def _numbers(rdm: RdmOptions) -> tuple[alignment_pb2.RdmDistance, alignment_pb2.RdmComparison]:
    return _DISTANCE_VALUES[rdm.distance], _COMPARISON_VALUES[rdm.comparison]
