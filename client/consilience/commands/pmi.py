"""`consilience pmi`: a space of what occurs together."""

import csv
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, read_lines, shows_progress
from consilience.cooccurrence import Cooccurrence
from consilience.errors import InvalidArgumentError


def pmi(
    client: Client,
    name: Annotated[str, typer.Argument(help="Of the new space.")],
    counts: Annotated[Path, typer.Argument(help="CSV of id,id,count; each pair once, in either order.")],
    *,
    form: Annotated[str, typer.Option(help="embedding or kernel.")] = "embedding",
    rank: Annotated[int, typer.Option(help="Axes of the embedding.")] = 200,
    negative: Annotated[bool, typer.Option("--negative", help="Keep values below 0.")] = False,
    context_smoothing: Annotated[float, typer.Option(help="Exponent on the contexts' frequencies, 1 is plain.")] = 1.0,
    shift: Annotated[float, typer.Option(help="Subtracted from each value.")] = 0.0,
    smoothing: Annotated[float, typer.Option(help="Added to each count.")] = 0.0,
    similarity: Annotated[str, typer.Option(help="cosine, inner_product or squared_l2.")] = "cosine",
) -> Answer:
    """Make a space of the pointwise mutual information of symmetric counts."""
    found = read_counts(counts)
    return answer(
        client.pmi_space(
            name,
            None,
            found,
            form=form,
            rank=rank,
            positive=not negative,
            context_smoothing=context_smoothing,
            shift=shift,
            smoothing=smoothing,
            similarity=similarity,
            progress=shows_progress(),
        )
    )


def read_counts(path: Path) -> Cooccurrence:
    """The symmetric counts of a CSV file; InvalidArgumentError for a line that is none."""
    known: dict[str, int] = {}
    cells: list[tuple[int, int, float]] = []
    for line, row in enumerate(csv.reader(read_lines(path, "counts")), 1):
        try:
            one, other, count = row
            number = float(count)
        except ValueError:
            if line == 1:
                continue
            raise InvalidArgumentError(f"line {line} of {path} is {','.join(row)!r}; give id,id,count", field="counts") from None
        pair = [known.setdefault(item, len(known)) for item in (one, other)]
        cells.append((pair[0], pair[1], number))
        if pair[0] != pair[1]:
            cells.append((pair[1], pair[0], number))
    rows, columns, counts = (np.array(part) for part in zip(*cells, strict=True)) if cells else (np.empty(0, int),) * 3
    return Cooccurrence(list(known), rows, columns, counts)
