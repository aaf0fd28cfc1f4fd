"""`consilience consensus`: what spaces agree on."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, shows_progress
from consilience.commands.options import (
    AlphaOption,
    ConfidenceOption,
    IntervalOption,
    MetricOption,
    PermutationsOption,
    SeedOption,
    parse_one_k,
)


def consensus(
    client: Client,
    spaces: Annotated[list[str], typer.Argument(help="Spaces (`clip`, `clip@7`), at least two, better three or more.")],
    *,
    name: Annotated[str | None, typer.Option(help="Keep the consensus as a space of this name.")] = None,
    method: Annotated[str, typer.Option(help="mean_kernel or procrustes.")] = "mean_kernel",
    k: Annotated[str, typer.Option("-k", "--k", help="Neighbours, or a share of the items (n/100).")] = "10",
    metric: MetricOption = "mutual_knn",
    rank: Annotated[int, typer.Option(help="Most axes of the consensus.")] = 512,
    extremes: Annotated[int, typer.Option(help="Items agreed on most, and least, to be named.")] = 10,
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    alpha: AlphaOption = 0.05,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
) -> Answer:
    """What spaces agree on, each space's alignment with the others' consensus, and the items agreed on most and least."""
    result = client.consensus(
        spaces,
        name=name,
        method=method,
        k=parse_one_k(k),
        metric=metric,
        rank=rank,
        extremes=extremes,
        permutations=permutations,
        seed=seed,
        alpha=alpha,
        interval_kind=interval or "items",
        confidence=confidence,
        progress=shows_progress(),
    )
    ends = [
        f"agreed on {end}: " + ", ".join(f"{item.id} {item.agreement:.2f}" for item in items)
        for end, items in (("most", result.most), ("least", result.least))
    ]
    told = answer(result)
    return Answer("\n".join([told.text, *ends]), told.data, results=told.results)
