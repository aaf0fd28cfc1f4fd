"""`consilience bridge estimate`: what a bridge would be worth."""

from pathlib import Path
from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.bridge import parse_pairs
from consilience.commands.connected import Answer, answer, read_lines


def estimate(
    client: Client,
    source: Annotated[str, typer.Argument(help="The space mapped from.")],
    target: Annotated[str, typer.Argument(help="The space mapped into.")],
    *,
    pairs: Annotated[
        Path | None, typer.Option(help="Text file of known pairs: an id a line, or source and target ids with a tab between.")
    ] = None,
    method: Annotated[str, typer.Option(help="As in `bridge fit`.")] = "auto",
    recall: Annotated[float, typer.Option(help="Recall wished: how many pairs does it take?")] = 0.9,
    k: Annotated[int, typer.Option(help="Of that recall: 1 or 10.")] = 1,
    seed: Annotated[int, typer.Option(help="Chooses the held-out pairs.")] = 0,
) -> Answer:
    """What a bridge would find, and how many pairs a wished recall takes; nothing is kept."""
    pair_ids, target_ids = (None, None) if pairs is None else parse_pairs(read_lines(pairs, "pairs"))
    return answer(client.estimate_bridge(source, target, pair_ids, target_ids, method=method, recall=recall, k=k, seed=seed))
