"""How the alignments behind a trend or a consensus were measured."""

from dataclasses import dataclass

from consilience._results.alignment_conditions import SampledItems


@dataclass(frozen=True)
class Measurement:
    """What it takes to repeat the alignments that a result sums up, beside what the result tells itself.

    Attributes:
        gallery: items that queries were asked against.
        query_sampling, strata, duplicates, deduplicate, sampled_items, rdm_distance, rdm_comparison, group_by, groups: as in
            AlignmentReport.
        bandwidths: sigma of each space, where `rbf_cka` compared each with the others; else empty.
        components, target_score, aggregate, folds, folds_by, penalties: as in AlignmentMatrix.
        kernel_rules: of each space, what the metric compared of an entry of a kernel: `s`, `-d` or `-d^2/2`; empty for vectors.
    """

    gallery: int
    query_sampling: str = "all"
    duplicates: int = 0
    deduplicate: float = 0.0
    sampled_items: SampledItems | None = None
    rdm_distance: str | None = None
    rdm_comparison: str | None = None
    bandwidths: tuple[float, ...] = ()
    components: int = 0
    target_score: str = ""
    aggregate: str = ""
    folds: int = 0
    folds_by: str = ""
    penalties: tuple[float, ...] = ()
    kernel_rules: tuple[str, ...] = ()
    strata: str = ""
    group_by: str = ""
    groups: int = 0
