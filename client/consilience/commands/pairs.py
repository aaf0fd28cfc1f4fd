"""`consilience pairs`: mutual pairs of two spaces."""

from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer


def pairs(
    client: Client,
    source: Annotated[str, typer.Argument(help="A space.")],
    target: Annotated[str, typer.Argument(help="The other.")],
    *,
    bridge: Annotated[str | None, typer.Option(help="Maps the source into the target.")] = None,
    correction: Annotated[str, typer.Option(help="none or csls.")] = "none",
    correction_k: Annotated[int, typer.Option(help="Neighbourhood of the correction.")] = 10,
    limit: Annotated[int, typer.Option(help="At most this many; 0 is all.")] = 0,
) -> Answer:
    """The pairs that are each other's nearest, best first: a line a pair, with both ids and the score between tabs."""
    result = client.mutual_pairs(source, target, bridge=bridge, correction=correction, correction_k=correction_k, limit=limit)
    rows = zip(result.source_ids, result.target_ids, result.scores.tolist(), strict=True)
    return Answer("\n".join(f"{left}\t{right}\t{score:.6f}" for left, right, score in rows), result.to_dict())
