"""`consilience spaces`: list, create, get, describe, export, delete."""

from pathlib import Path
from typing import Annotated, Any

import typer

from consilience._results.base import plain
from consilience._results.space import Space
from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, read_lines, shows_progress
from consilience.commands.options import PreprocessOption

NameArgument = Annotated[str, typer.Argument(help="The space.")]


def list_spaces(client: Client) -> Answer:
    """All spaces: name, version, items, dim and similarity between tabs."""
    spaces = client.list_spaces()
    return Answer("\n".join(_line(space) for space in spaces), plain(spaces))


def create(
    client: Client,
    name: NameArgument,
    dim: Annotated[int | None, typer.Argument(help="Width of its vectors; none for a kernel.")] = None,
    *,
    kind: Annotated[str, typer.Option(help="vectors, or kernel: a matrix over its items.")] = "vectors",
    dissimilarity: Annotated[bool, typer.Option("--dissimilarity", help="Of a kernel: smaller is nearer.")] = False,
    dissimilarity_kind: Annotated[
        str | None, typer.Option(help="Of a kernel: euclidean or squared_euclidean distances, where they are.")
    ] = None,
    similarity: Annotated[str, typer.Option(help="cosine, inner_product or squared_l2.")] = "cosine",
    repeat: Annotated[list[str] | None, typer.Option(help="Of a kernel: a subject, session or rater; may be repeated.")] = None,
    modality: Annotated[str | None, typer.Option(help="Kind of input, for readers.")] = None,
    model: Annotated[str | None, typer.Option(help="The encoder, for readers.")] = None,
    layer: Annotated[str | None, typer.Option(help="The encoder's layer, for readers.")] = None,
) -> Answer:
    """Make an empty space."""
    space = client.create_space(
        name,
        dim,
        kind=kind,
        similarity=similarity,
        modality=modality,
        model=model,
        layer=layer,
        dissimilarity=dissimilarity,
        dissimilarity_kind=dissimilarity_kind,
        repeats=repeat or None,
    )
    return Answer(_line(space), space.to_dict())


def get(client: Client, name: NameArgument) -> Answer:
    """One space."""
    space = client.get_space(name)
    told = space.to_dict()
    return Answer("\n".join(f"{key}\t{value}" for key, value in told.items() if value not in ("", None)), told)


def describe(
    client: Client,
    name: Annotated[str, typer.Argument(help="The space (`clip`, `clip@7`).")],
    *,
    k: Annotated[int, typer.Option("-k", "--k", help="Of the neighbour lists behind hubness.")] = 10,
    preprocess: PreprocessOption = "none",
) -> Answer:
    """Hubness, intrinsic dimension and effective rank of one space."""
    told = client.describe_space(name, k=k, preprocess=preprocess)
    return Answer(repr(told), told.to_dict())


def export(
    client: Client,
    name: Annotated[str, typer.Argument(help="The space (`clip`, `clip@7`).")],
    path: Annotated[Path, typer.Argument(help="Parquet file to write; what was interrupted goes on.")],
    *,
    ids: Annotated[Path | None, typer.Option(help="Text file with an id a line: these items, in this order.")] = None,
    id_column: Annotated[str, typer.Option(help="Column of ids.")] = "id",
    vector_column: Annotated[str, typer.Option(help="Column of vectors.")] = "vector",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew.")] = False,
) -> Answer:
    """Embeddings with their attributes into a Parquet file, which `consilience ingest` takes again."""
    wanted = None if ids is None else read_lines(ids, "ids")
    options: dict[str, Any] = {"ids": wanted, "id_column": id_column, "vector_column": vector_column}
    return answer(client.export_embeddings(name, path, resume=not restart, progress=shows_progress(), **options))


def delete(client: Client, name: NameArgument) -> Answer:
    """Remove a space with all its versions."""
    client.delete_space(name)
    return Answer(f"space {name} is deleted", {"deleted": name})


def _line(space: Space) -> str:
    return f"{space.name}\t{space.version}\t{space.item_count}\t{space.dim}\t{space.nearness}"
