"""`consilience classify`: items of one space by class prototypes of another."""

from pathlib import Path
from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, read_lines, shows_progress
from consilience.commands.options import CorrectionOption


def classify(
    client: Client,
    prototypes: Annotated[str, typer.Argument(help="The space of the prototypes (`texts`, `texts@7`).")],
    items: Annotated[str, typer.Argument(help="The space to classify.")],
    *,
    bridge: Annotated[str | None, typer.Option(help="Between the two, in either direction; none in one space.")] = None,
    labels: Annotated[str | None, typer.Option(help="Attribute of the items that has the true classes.")] = None,
    classes: Annotated[
        str | None, typer.Option(help="Attribute of the prototypes that has their classes; without it each is a class of its own.")
    ] = None,
    item_ids: Annotated[Path | None, typer.Option(help="Classify the items of this file alone, one id a line.")] = None,
    correction: CorrectionOption = "none",
    permutations: Annotated[int, typer.Option(help="Of the p-value; 0 skips it.")] = 999,
    seed: Annotated[int, typer.Option(help="Of the permutations.")] = 0,
    predictions: Annotated[bool, typer.Option("--predictions", help="Print each item with its class and score as well.")] = False,
) -> Answer:
    """Zero-shot classification: each item gets the class whose prototype is nearest through a bridge."""
    result = client.classify(
        prototypes,
        items,
        bridge=bridge,
        labels=labels,
        classes=classes,
        item_ids=None if item_ids is None else read_lines(item_ids, "item_ids"),
        correction=correction,
        permutations=permutations,
        seed=seed,
        progress=shows_progress(),
    )
    told = answer(result)
    if not predictions:
        return told
    rows = zip(result.item_ids, result.predictions[:, 0], result.scores[:, 0], strict=True)
    return Answer("\n".join([told.text, *(f"{item}\t{name}\t{score:.6f}" for item, name, score in rows)]), told.data)
