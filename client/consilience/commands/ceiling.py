"""`consilience ceiling`: how well spaces could score against repeats, and how well they do."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, shows_progress


def ceiling(
    client: Client,
    space: Annotated[str, typer.Argument(help="A kernel space with repeats (subjects, sessions, raters).")],
    against: Annotated[list[str] | None, typer.Argument(help="Spaces to compare with its repeats.")] = None,
    *,
    comparison: Annotated[str, typer.Option(help="spearman, pearson, kendall_tau_a, kendall_tau_b or cosine.")] = "spearman",
    rdm_distance: Annotated[
        str, typer.Option(help="Between vectors: correlation, cosine, euclidean or squared_euclidean.")
    ] = "correlation",
    draws: Annotated[int, typer.Option(help="Of the bootstrap over subjects and items; 0 leaves intervals out.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    confidence: Annotated[float, typer.Option(help="Coverage of the intervals.")] = 0.95,
) -> Answer:
    """The noise ceiling of a space with repeats, and the scores of others as a share of it."""
    result = client.noise_ceiling(
        space,
        against or (),
        comparison=comparison,
        rdm_distance=rdm_distance,
        draws=draws,
        seed=seed,
        confidence=confidence,
        progress=shows_progress(),
    )
    return answer(result)
