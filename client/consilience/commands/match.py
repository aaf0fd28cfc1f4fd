"""`consilience match`: the nearest items of queries."""

from pathlib import Path
from typing import Annotated, Any

import typer

from consilience._results.match_result import MatchResult
from consilience._sync.client import Client
from consilience.commands.connected import Answer, read_lines, shows_progress
from consilience.commands.options import CorrectionOption
from consilience.ingest.npy import load_npy


def match(
    client: Client,
    query_ids: Annotated[list[str] | None, typer.Argument(help="Ids of the queries.")] = None,
    *,
    bridge: Annotated[str | None, typer.Option(help="Through this bridge, into its target space.")] = None,
    space: Annotated[str | None, typer.Option(help="Within this space.")] = None,
    source: Annotated[str | None, typer.Option(help="The space that the queries are of: another bridge is refused.")] = None,
    ids_file: Annotated[Path | None, typer.Option("--ids", help="Text file with an id of a query a line.")] = None,
    vectors_file: Annotated[Path | None, typer.Option("--vectors", help=".npy file of query vectors.")] = None,
    k: Annotated[int | None, typer.Option("-k", "--k", help="Matches a query.", show_default="10, one_to_one: 1")] = None,
    correction: CorrectionOption = "none",
    correction_k: Annotated[int, typer.Option(help="Neighbourhood of the correction.")] = 10,
    beta: Annotated[float, typer.Option(help="Inverse temperature of inverted_softmax.")] = 30.0,
    index: Annotated[str, typer.Option(help="exact; or approximate: hnsw, ivf, and on a GPU cagra, gpu_flat.")] = "exact",
    ef_search: Annotated[int | None, typer.Option(help="Of hnsw: candidates kept.")] = None,
    nprobe: Annotated[int | None, typer.Option(help="Of ivf: cells scanned.")] = None,
    itopk_size: Annotated[int | None, typer.Option(help="Of cagra: candidates kept.")] = None,
    gallery_ids: Annotated[Path | None, typer.Option(help="Text file with an id a line: match with these items only.")] = None,
    exclude_ids: Annotated[Path | None, typer.Option(help="Text file with an id a line: match with none of these items.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file to write instead: query, rank, id, similarity, score.")] = None,
    where: Annotated[str | None, typer.Option("--filter", help="Match with items that fulfil this: label = 'cat'.")] = None,
    probability: Annotated[bool, typer.Option("--probability", help="Tell how probable each match is; through a bridge.")] = False,
    one_to_one: Annotated[bool, typer.Option("--one-to-one", help="Give no item twice; for small sets.")] = False,
) -> Answer:
    """The nearest items of each query: a line a match, with query, rank, id, similarity, score and any probability between tabs.

    What weakens the answer, what a probability is calibrated on and the recall of an approximate index are told on standard error.
    """
    given: list[str] | None = query_ids or (read_lines(ids_file, "ids") if ids_file is not None else None)
    vectors: Any = None if vectors_file is None else load_npy(vectors_file)
    result = client.match(
        vectors,
        query_ids=given,
        bridge=bridge,
        space=space,
        source=source,
        k=k,
        correction=correction,
        correction_k=correction_k,
        beta=beta,
        index=index,
        ef_search=ef_search,
        nprobe=nprobe,
        itopk_size=itopk_size,
        gallery_ids=None if gallery_ids is None else read_lines(gallery_ids, "gallery_ids"),
        exclude_ids=None if exclude_ids is None else read_lines(exclude_ids, "exclude_ids"),
        filter=where,
        probability=probability,
        one_to_one=one_to_one,
        progress=shows_progress(),
    )
    if result.recall is not None:
        typer.echo(f"{result.index}: {result.recall}", err=True)
    for said in ([] if result.calibration is None else [str(result.calibration)]) + list(result.warnings):
        typer.echo(said, err=True)
    if out is not None:
        result.to_parquet(out)
        return Answer(repr(result), {"path": str(out), "queries": len(result), "k": result.k})
    names = given if given is not None else [str(row) for row in range(len(result))]
    return Answer(_lines(names, result), {"queries": names, **result.to_dict()})


def _lines(names: list[str], result: MatchResult) -> str:
    def line(name: str, row: int, rank: int) -> str:
        told = f"{name}\t{rank + 1}\t{result.ids[row, rank]}\t{result.similarities[row, rank]:.6f}\t{result.scores[row, rank]:.6f}"
        return told if result.probability is None else f"{told}\t{result.probability[row, rank]:.4f}"

    return "\n".join(line(name, row, rank) for row, name in enumerate(names) for rank in range(result.k))
