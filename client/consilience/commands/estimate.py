"""`consilience estimate`: what an alignment would cost."""

from typing import Annotated

import grpc
import typer

from consilience._status import ERRORS
from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer
from consilience.commands.curve import parse_sizes
from consilience.commands.exit_codes import exit_code_of
from consilience.commands.options import (
    ConfidenceOption,
    ControlOption,
    DeduplicateOption,
    GivenOption,
    IntervalOption,
    KOption,
    LayerSelectionOption,
    MetricOption,
    PermutationsOption,
    PreprocessOption,
    QueriesOption,
    SampleItemsOption,
    SampleOption,
    WithinOption,
    pairwise_options,
    parse_controls,
    parse_ks,
    sampling_options,
)


def estimate(
    client: Client,
    spaces: Annotated[list[str], typer.Argument(help="Two spaces or groups (`groups/llama`), or more spaces for a matrix.")],
    *,
    k: KOption = "10",
    metric: MetricOption = "mutual_knn",
    items: Annotated[str | None, typer.Option(help="common or pairwise: asks about a matrix of two spaces too.")] = None,
    call: Annotated[
        str | None, typer.Option(help="align, align_matrix, trend, consensus, gallery_curve, or compare_alignments (four spaces).")
    ] = None,
    control: ControlOption = None,
    given: GivenOption = None,
    reference: Annotated[str | None, typer.Option(help="Of a trend.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Of a gallery curve: numbers of items, commas between.")] = None,
    method: Annotated[str, typer.Option(help="Of a consensus: mean_kernel or procrustes.")] = "mean_kernel",
    rank: Annotated[int, typer.Option(help="Of a consensus: most axes.")] = 512,
    layer_selection: LayerSelectionOption = "split_half",
    within: WithinOption = "",
    deduplicate: DeduplicateOption = 0.0,
    sample_items: SampleItemsOption = None,
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
    sample_queries: SampleOption = 0,
    query_ids: QueriesOption = None,
) -> Answer:
    """What a call that measures alignment would cost; nothing is computed. The exit code is that of the call: of its refusal, else 0."""
    result = client.estimate_alignment(
        *spaces,
        k=parse_ks(k),
        metric=metric,
        items=items,
        call=call,
        controls=parse_controls(control),
        given=given,
        reference=reference,
        sizes=None if sizes is None else parse_sizes(sizes),
        method=method,
        rank=rank,
        layer_selection=layer_selection,
        within=within,
        deduplicate=deduplicate,
        **({} if sample_items is None else pairwise_options("correlation", "spearman", "median", sample_items)),
        preprocess=preprocess,
        permutations=permutations,
        confidence=confidence,
        **sampling_options(interval, sample_queries, query_ids),
    )
    told = answer(result)
    refused = [exit_code_of(ERRORS[grpc.StatusCode[refusal.code]]) for refusal in result.refusals]
    return Answer(told.text, told.data, refused[0] if refused else 0, told.results)
