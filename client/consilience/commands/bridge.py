"""`consilience bridge`: fit, evaluate, list, get, delete."""

from pathlib import Path
from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, read_lines, shows_progress
from consilience.commands.options import parse_penalties

NameArgument = Annotated[str, typer.Argument(help="The bridge.")]
PairAttribute = Annotated[
    str | None, typer.Option(help="Join items of equal value of this attribute instead, many-to-many: group_id, say. A value counts once.")
]


def fit(
    client: Client,
    source: Annotated[str, typer.Argument(help="The space mapped from.")],
    target: Annotated[str, typer.Argument(help="The space mapped into.")],
    name: Annotated[str, typer.Argument(help="Name of the new bridge.")],
    *,
    method: Annotated[
        str,
        typer.Option(
            help="auto, or one by name: identity, mean_shift, procrustes, scaled_procrustes, ridge, affine, relative, whitened, cca, csa; "
            "stitching_layer, which is trained; unsupervised, which needs no pairs."
        ),
    ] = "auto",
    pairs: Annotated[
        Path | None, typer.Option(help="Text file of known pairs: an id a line, or source and target ids with a tab between.")
    ] = None,
    pair_attribute: PairAttribute = None,
    held_out_fraction: Annotated[float, typer.Option(help="Share of the pairs kept out of the fit for the report.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Chooses the held-out pairs.")] = 0,
    penalties: Annotated[
        str | None,
        typer.Option(
            help="Of ridge and affine, in units of the mean eigenvalue, commas between several.", show_default="the server's grid"
        ),
    ] = None,
    keep_unconverged: Annotated[bool, typer.Option(help="Keep an unsupervised bridge even where it did not converge.")] = False,
    architecture: Annotated[str | None, typer.Option(help="Of a stitching layer: linear or residual_mlp.")] = None,
    loss: Annotated[str | None, typer.Option(help="Of a stitching layer: cosine_relational or infonce.")] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the hidden layer of residual_mlp.")] = None,
    relational_weight: Annotated[float | None, typer.Option(help="Of the cosines among rows in cosine_relational.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Of infonce.")] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Most passes over the pairs.")] = None,
) -> Answer:
    """Fit a map on known pairs (all common items by default) and keep it."""
    pair_ids, target_ids = (None, None) if pairs is None else parse_pairs(read_lines(pairs, "pairs"))
    bridge = client.fit_bridge(
        source,
        target,
        name,
        method=method,
        pair_ids=pair_ids,
        target_ids=target_ids,
        pair_attribute=pair_attribute,
        held_out_fraction=held_out_fraction,
        seed=seed,
        penalties=() if penalties is None else parse_penalties(penalties),
        keep_unconverged=keep_unconverged,
        architecture=architecture,
        loss=loss,
        hidden=hidden,
        relational_weight=relational_weight,
        temperature=temperature,
        max_epochs=max_epochs,
        progress=shows_progress(),
    )
    return answer(bridge)


def parse_pairs(lines: list[str]) -> tuple[list[str], list[str] | None]:
    """Source ids and, where any line has two columns, target ids; a line with one column pairs an id with itself."""
    columns = [line.split("\t", 1) for line in lines if line]
    sources, targets = [column[0] for column in columns], [column[-1] for column in columns]
    return sources, None if sources == targets else targets


def evaluate(
    client: Client,
    name: NameArgument,
    *,
    pairs: Annotated[
        Path | None,
        typer.Option(help="Text file of new pairs: an id a line, or source and target ids with a tab between."),
    ] = None,
    pair_attribute: PairAttribute = None,
    labels: Annotated[str | None, typer.Option(help="Attribute whose values are classes: tells the stitching penalty.")] = None,
    head: Annotated[Path | None, typer.Option(help="ONNX classifier of the target space, in place of a linear probe.")] = None,
    head_classes: Annotated[Path | None, typer.Option(help="Text file of the classes of its outputs, one a line.")] = None,
) -> Answer:
    """Measure a bridge on new pairs (by default all common items that it was not fitted on)."""
    pair_ids, target_ids = (None, None) if pairs is None else parse_pairs(read_lines(pairs, "pairs"))
    classes = None if head_classes is None else read_lines(head_classes, "head_classes")
    found = client.evaluate_bridge(
        name,
        pair_ids,
        target_ids,
        pair_attribute=pair_attribute,
        labels=labels,
        head=head,
        head_classes=classes,
        progress=shows_progress(),
    )
    return answer(found)


def list_bridges(client: Client) -> Answer:
    """All bridges."""
    return answer(client.list_bridges())


def get(client: Client, name: NameArgument) -> Answer:
    """One bridge."""
    return answer(client.get_bridge(name))


def delete(client: Client, name: NameArgument) -> Answer:
    """Remove a bridge."""
    client.delete_bridge(name)
    return Answer(f"bridge {name} is deleted", {"deleted": name})
