"""`consilience compare`: whether one pair of spaces is more aligned than another."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, shows_progress
from consilience.commands.options import (
    ConfidenceOption,
    GroupByOption,
    KOption,
    MetricOption,
    PermutationsOption,
    PreprocessOption,
    SeedOption,
    WithinOption,
    parse_ks,
)


def compare(
    client: Client,
    x: Annotated[str, typer.Argument(help="A space (`clip`, `clip@7`) of the first pair.")],
    y: Annotated[str, typer.Argument(help="The other of the first pair.")],
    second_x: Annotated[str, typer.Argument(help="A space of the second pair.")],
    second_y: Annotated[str, typer.Argument(help="The other of the second pair.")],
    *,
    k: KOption = "10",
    metric: MetricOption = "mutual_knn",
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    confidence: ConfidenceOption = 0.95,
    within: WithinOption = "",
    group_by: GroupByOption = None,
) -> Answer:
    """Whether one pair of spaces is more aligned than another, over the items common to all of them."""
    result = client.compare_alignments(
        (x, y),
        (second_x, second_y),
        k=parse_ks(k),
        metric=metric,
        preprocess=preprocess,
        permutations=permutations,
        seed=seed,
        confidence=confidence,
        within=within,
        group_by=group_by,
        progress=shows_progress(),
    )
    return answer(result)
