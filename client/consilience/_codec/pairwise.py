"""What is particular to `rsa` and `rbf_cka`: options of a spec, and what answers tell of them."""

from typing import Any

from consilience import _names
from consilience._alignment_options import AlignmentOptions
from consilience._numbers import positive, whole
from consilience._results.alignment_conditions import SampledItems
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2


def encode_pairwise(options: AlignmentOptions) -> dict[str, Any]:
    """The fields of a spec.

    Raises:
        InvalidArgumentError: an unknown name, a bandwidth or factor not above 0, both of them, or a sample that is no number of items.
    """
    bandwidth, factor, sample = options.get("bandwidth"), options.get("bandwidth_factor", 1.0), options.get("sample_items")
    if bandwidth is not None and factor != 1.0:
        raise InvalidArgumentError("give a bandwidth or a bandwidth_factor of the median, not both", field="bandwidth_factor")
    if isinstance(sample, str) and sample != "all":
        raise InvalidArgumentError(f"sample_items is {sample!r}; give a number of items, or 'all'", field="sample_items")
    return {
        "rdm_distance": _names.RDM_DISTANCES.to_number(options.get("rdm_distance", "correlation")),
        "rdm_comparison": _names.RDM_COMPARISONS.to_number(options.get("rdm_comparison", "spearman")),
        "bandwidth": 0.0 if bandwidth is None else positive(bandwidth, "bandwidth"),
        "bandwidth_factor": positive(factor, "bandwidth_factor"),
        "sample_items": 0 if sample is None or sample == "all" else whole(sample, "sample_items", least=1),
        "all_items": sample == "all",
    }


def decode_pairwise(
    message: alignment_pb2.AlignmentReport | alignment_pb2.AlignmentMatrix | alignment_pb2.Measurement,
) -> dict[str, Any]:
    """The fields of a report, a matrix or a measurement."""
    return {
        "sampled_items": _decode_sample(message.sampled_items) if message.HasField("sampled_items") else None,
        "bandwidths": tuple(message.bandwidths),
        "rdm_distance": _names.RDM_DISTANCES.to_name(message.rdm_distance) if message.rdm_distance else None,
        "rdm_comparison": _names.RDM_COMPARISONS.to_name(message.rdm_comparison) if message.rdm_comparison else None,
    }


def _decode_sample(sample: alignment_pb2.SampledItems) -> SampledItems:
    return SampledItems(sample.count, sample.common, tuple(sample.ids), tuple(sample.rows))
