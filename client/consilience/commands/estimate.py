"""`consilience estimate`: what an alignment would cost."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer
from consilience.commands.options import (
    ConfidenceOption,
    IntervalOption,
    KOption,
    MetricOption,
    PermutationsOption,
    PreprocessOption,
    QueriesOption,
    SampleOption,
    parse_ks,
    sampling_options,
)


def estimate(
    client: Client,
    spaces: Annotated[list[str], typer.Argument(help="Two spaces, or more for a matrix.")],
    *,
    k: KOption = "10",
    metric: MetricOption = "mutual_knn",
    items: Annotated[str | None, typer.Option(help="common or pairwise: asks about a matrix of two spaces too.")] = None,
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
    sample_queries: SampleOption = 0,
    query_ids: QueriesOption = None,
) -> Answer:
    """What `align` or `matrix` would cost, and whether it would be refused; nothing is computed."""
    result = client.estimate_alignment(
        *spaces,
        k=parse_ks(k),
        metric=metric,
        items=items,
        preprocess=preprocess,
        permutations=permutations,
        confidence=confidence,
        **sampling_options(interval, sample_queries, query_ids),
    )
    return answer(result)
