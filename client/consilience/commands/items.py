"""`consilience items` and `consilience changes`: where spaces agree item by item, and what a new version changed."""

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from consilience._results.item_report import ItemReport, VersionChanges
from consilience._sync.client import Client
from consilience.commands.connected import Answer, read_lines
from consilience.commands.options import (
    ConfidenceOption,
    GroupByOption,
    PermutationsOption,
    PreprocessOption,
    QueriesOption,
    SampleOption,
    SeedOption,
    parse_one_k,
    sampling_options,
)

OneKOption = Annotated[str, typer.Option("-k", "--k", help="Neighbours, or a share of the items (n/100).")]
ShowOption = Annotated[Path | None, typer.Option("--show-ids", help="File of ids, one a line, whose lists are wanted (with --json).")]
ExtremesOption = Annotated[int, typer.Option(help="How many of those that agree least, and most.")]
SlicesOption = Annotated[str | None, typer.Option(help="Attribute by whose values the items are grouped.")]
PrefixOption = Annotated[str | None, typer.Option(help="Text that ends the part of the id by which items are grouped.")]
TableOption = Annotated[bool, typer.Option("--table", help="Print every item: id and overlap as CSV.")]


def items(
    client: Client,
    x: Annotated[str, typer.Argument(help="A space (`clip`, `clip@7`).")],
    y: Annotated[str, typer.Argument(help="The other.")],
    *,
    k: OneKOption = "10",
    slices: SlicesOption = None,
    prefix: PrefixOption = None,
    extremes: ExtremesOption = 10,
    show_ids: ShowOption = None,
    preprocess: PreprocessOption = "none",
    permutations: PermutationsOption = 999,
    seed: SeedOption = 0,
    confidence: ConfidenceOption = 0.95,
    sample_queries: SampleOption = 0,
    query_ids: QueriesOption = None,
    group_by: GroupByOption = None,
    table: TableOption = False,
) -> Answer:
    """Where two spaces agree: the overlap of every item's neighbours, the extremes, and slices."""
    report = client.align_items(
        x,
        y,
        k=parse_one_k(k),
        show_ids=[] if show_ids is None else read_lines(show_ids, "show_ids"),
        extremes=extremes,
        slices=slices,
        prefix=prefix,
        preprocess=preprocess,
        permutations=permutations,
        seed=seed,
        confidence=confidence,
        group_by=group_by,
        **sampling_options(None, sample_queries, query_ids),
    )
    return _answer(report, table=table)


def changes(
    client: Client,
    space: Annotated[str, typer.Argument(help="A space.")],
    old: Annotated[int, typer.Argument(help="The version to compare with.")],
    new: Annotated[int, typer.Argument(help="The version to be compared; 0 is the newest.")] = 0,
    *,
    k: OneKOption = "10",
    slices: SlicesOption = None,
    prefix: PrefixOption = None,
    extremes: ExtremesOption = 10,
    show_ids: ShowOption = None,
    preprocess: PreprocessOption = "none",
    sample_queries: SampleOption = 0,
    query_ids: QueriesOption = None,
    table: TableOption = False,
) -> Answer:
    """What changed between two versions of a space: items, vectors, neighbours."""
    report = client.compare_versions(
        space,
        old,
        new,
        k=parse_one_k(k),
        show_ids=[] if show_ids is None else read_lines(show_ids, "show_ids"),
        extremes=extremes,
        slices=slices,
        prefix=prefix,
        preprocess=preprocess,
        **sampling_options(None, sample_queries, query_ids),
    )
    return _answer(report, table=table)


def _answer(report: ItemReport, *, table: bool) -> Answer:
    """The report, or the table of its items, which has no figures and no sentences."""
    return Answer(_table(report), report.to_dict()) if table else Answer(repr(report), report.to_dict(), results=[report])


def _table(report: ItemReport) -> str:
    """CSV with a header: the items by ascending id."""
    columns = {"item_id": report.ids.tolist(), "overlap": report.overlaps.tolist()}
    if isinstance(report, VersionChanges):
        columns["replaced"] = report.replaced.astype(int).tolist()
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return written.getvalue().rstrip("\n")
