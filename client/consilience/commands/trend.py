"""`consilience trend`: alignment against a number that each space has."""

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, read_lines, shows_progress
from consilience.commands.options import (
    AlphaOption,
    ConfidenceOption,
    GroupByOption,
    IntervalOption,
    MetricOption,
    PermutationsOption,
    PreprocessOption,
    SeedOption,
    parse_one_k,
)
from consilience.errors import InvalidArgumentError


def trend(
    client: Client,
    against: Annotated[
        Path,
        typer.Argument(help="CSV of name,number (a third column: the family), or JSON object; a number may be a date like 2024-05-31."),
    ],
    *,
    reference: Annotated[str | None, typer.Option(help="Align each space with this one; else with the others.")] = None,
    k: Annotated[str, typer.Option("-k", "--k", help="Neighbours, or a share of the items (n/100).")] = "10",
    metric: MetricOption = "mutual_knn",
    scale: Annotated[str, typer.Option(help="linear, or log10 of the numbers.")] = "linear",
    buckets: Annotated[int | None, typer.Option(help="Buckets of about equally many spaces.")] = None,
    against_name: Annotated[
        str | None, typer.Option(help="What the numbers are, such as parameters; by default the column's header in the file.")
    ] = None,
    group_by: GroupByOption = None,
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    alpha: AlphaOption = 0.05,
    interval: IntervalOption = None,
    confidence: ConfidenceOption = 0.95,
) -> Answer:
    """Whether alignment grows with a number that each space has. The spaces are those that the file names."""
    numbers = read_numbers(against)
    result = client.trend(
        list(numbers.values),
        numbers.values,
        reference=reference,
        k=parse_one_k(k),
        metric=metric,
        families=numbers.families,
        against_name=numbers.name if against_name is None else against_name,
        scale=scale,
        buckets=buckets,
        group_by=group_by,
        preprocess=preprocess,
        permutations=permutations,
        seed=seed,
        alpha=alpha,
        interval_kind=interval or "items",
        confidence=confidence,
        progress=shows_progress(),
    )
    return answer(result)


class Numbers(NamedTuple):
    """What a file tells: the number of each space in its order, the families where it has them, and what the numbers are."""

    values: dict[str, Any]
    families: dict[str, str] | None = None
    name: str = ""


def read_numbers(path: Path) -> Numbers:
    """The number of each space, in the order of the file; its family, and the name of the numbers, where the file has them.

    Raises:
        InvalidArgumentError: the file cannot be read, names a space twice, or has no number for one.
    """
    lines = read_lines(path, "against")
    if path.suffix == ".json":
        try:
            told = json.loads("\n".join(lines))
        except ValueError as error:
            raise InvalidArgumentError(f"{path} is no JSON: {error}", field="against") from error
        if not isinstance(told, dict):
            raise InvalidArgumentError(f"{path} holds no JSON object; give an object from names to numbers", field="against")
        return Numbers({name: _number(value, path, name) for name, value in told.items()})
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    title = rows.pop(0)[1] if rows and len(rows[0]) > 1 and not _is_number(rows[0][1]) else ""
    numbers: dict[str, Any] = {}
    for row in rows:
        if len(row) not in {2, 3} or row[0] in numbers:
            why = "is named twice" if row[0] in numbers else f"has {len(row)} columns; give name,number or name,number,family"
            raise InvalidArgumentError(f"{row[0]!r} in {path} {why}", field="against")
        numbers[row[0]] = _number(row[1], path, row[0])
    families = {row[0]: row[2] for row in rows if len(row) == 3}
    if families and len(families) < len(rows):
        raise InvalidArgumentError(
            f"{path} has a family for {len(families)} of {len(rows)} spaces; give each one, or none", field="against"
        )
    return Numbers(numbers, families or None, title)


def _is_number(text: str) -> bool:
    try:
        _number(text, Path(), "")
    except InvalidArgumentError:
        return False
    return True


def _number(value: Any, path: Path, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        raise InvalidArgumentError(f"{name!r} in {path} has {value!r}; give a number or a date like 2024-05-31", field="against") from None
