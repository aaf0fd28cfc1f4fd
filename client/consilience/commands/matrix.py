"""`consilience matrix`: all pairs of many spaces."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, shows_progress
from consilience.commands.options import (
    AggregateOption,
    AlphaOption,
    BandwidthOption,
    ComponentsOption,
    ConfidenceOption,
    ContextOption,
    DeduplicateOption,
    FoldsByOption,
    FoldsOption,
    IntervalOption,
    MetricOption,
    PenaltiesOption,
    PermutationsOption,
    PreprocessOption,
    QueriesOption,
    RdmComparisonOption,
    RdmDistanceOption,
    SampleItemsOption,
    SampleOption,
    SeedOption,
    StrataOption,
    TargetScoreOption,
    WithinOption,
    pairwise_options,
    parse_one_k,
    predictivity_options,
    sampling_options,
)


def matrix(
    client: Client,
    spaces: Annotated[list[str], typer.Argument(help="Spaces (`clip`, `clip@7`), at least two.")],
    *,
    k: Annotated[str, typer.Option("-k", "--k", help="Neighbours, or a share of the items (n/100).")] = "10",
    metric: MetricOption = "mutual_knn",
    items: Annotated[str, typer.Option(help="common (scores compare) or pairwise.")] = "common",
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    alpha: AlphaOption = 0.05,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
    components: ComponentsOption = 10,
    target_score: TargetScoreOption = "r2",
    aggregate: AggregateOption = "mean",
    folds: FoldsOption = 5,
    folds_by: FoldsByOption = "",
    penalties: PenaltiesOption = None,
    rdm_distance: RdmDistanceOption = "correlation",
    rdm_comparison: RdmComparisonOption = "spearman",
    bandwidth: BandwidthOption = "median",
    sample_items: SampleItemsOption = None,
    sample_queries: SampleOption = 0,
    query_ids: QueriesOption = None,
    strata: StrataOption = None,
    deduplicate: DeduplicateOption = 0.0,
    within: WithinOption = "",
    context: ContextOption = False,
) -> Answer:
    """How far each two of many spaces agree."""
    result = client.align_matrix(
        spaces,
        k=parse_one_k(k),
        metric=metric,
        items=items,
        preprocess=preprocess,
        permutations=permutations,
        seed=seed,
        alpha=alpha,
        confidence=confidence,
        components=components,
        folds_by=folds_by,
        **predictivity_options(target_score, aggregate, folds, penalties),
        within=within,
        context=context,
        deduplicate=deduplicate,
        strata=strata,
        **pairwise_options(rdm_distance, rdm_comparison, bandwidth, sample_items),
        **sampling_options(interval, sample_queries, query_ids),
        progress=shows_progress(),
    )
    return Answer(result.text(), result.to_dict(), results=[result])
