"""`consilience bridge compose` and `invert`: bridges made of bridges."""

from pathlib import Path
from typing import Annotated, Any

import typer

from consilience._sync.client import Client
from consilience.commands.bridge import NameArgument, parse_pairs
from consilience.commands.connected import Answer, answer, read_lines, shows_progress

PairsOption = Annotated[
    Path | None,
    typer.Option(help="Text file of pairs to measure on: an id a line, or source and target ids with a tab between."),
]


def compose(
    client: Client,
    bridges: Annotated[list[str], typer.Argument(help="Two or more bridges, in the order that a vector takes.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the new bridge.")],
    pairs: PairsOption = None,
) -> Answer:
    """Keep bridges one after the other as one, measured anew on pairs that none of them was fitted on."""
    return answer(client.compose_bridges(bridges, name, **_pairs(pairs), progress=shows_progress()))


def invert(
    client: Client,
    bridge: NameArgument,
    *,
    name: Annotated[str, typer.Option(help="Name of the new bridge.")],
    pairs: PairsOption = None,
) -> Answer:
    """Keep the way back through a bridge, where its method allows, measured anew on pairs that it was not fitted on."""
    return answer(client.invert_bridge(bridge, name, **_pairs(pairs), progress=shows_progress()))


def _pairs(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    pair_ids, target_ids = parse_pairs(read_lines(path, "pairs"))
    return {"pair_ids": pair_ids, "target_ids": target_ids}
