"""`consilience ingest`: a file, or a collection of another store, into a space."""

from pathlib import Path
from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.connected import Answer, answer, shows_progress


def ingest(
    client: Client,
    space: Annotated[str, typer.Argument(help="The space.")],
    path: Annotated[
        str,
        typer.Argument(
            help=".npy, .npz, .parquet, .arrow, .feather, .ipc or .pt; qdrant://host/collection?vector=x or milvus://host/collection?field=x."
        ),
    ],
    *,
    ids: Annotated[Path | None, typer.Option(help="Text file with one id a line, for files that hold none.")] = None,
    id_column: Annotated[str, typer.Option(help="Column of ids; of a store a payload key or field.")] = "id",
    vector_column: Annotated[str, typer.Option(help="Column of vectors.")] = "vector",
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="Column to keep as an attribute (of a store also name:type); repeat for several. All by default."),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the space where it is missing.")] = False,
    similarity: Annotated[
        str | None,
        typer.Option(help="Of a space that is made: cosine, inner_product or squared_l2.", show_default="the store's; cosine for files"),
    ] = None,
    kind: Annotated[str, typer.Option(help="vectors, or kernel: the file holds a matrix over its items.")] = "vectors",
    dissimilarity: Annotated[bool, typer.Option("--dissimilarity", help="Of a kernel that is made: smaller is nearer.")] = False,
    dissimilarity_kind: Annotated[
        str | None, typer.Option(help="Of a kernel that is made: euclidean or squared_euclidean distances, where they are.")
    ] = None,
    repeat: Annotated[
        list[str] | None, typer.Option(help="Of a kernel that is made: a subject, session or rater, one a matrix of the file.")
    ] = None,
    symmetrize: Annotated[bool, typer.Option("--symmetrize", help="Of a kernel: average it with its transpose.")] = False,
    request_id: Annotated[str | None, typer.Option(help="Names the upload: with the same id again it goes on where it broke.")] = None,
    upload_timeout: Annotated[float | None, typer.Option(help="Seconds for the whole upload; by default what its bytes take.")] = None,
) -> Answer:
    """Upsert a file, or a collection of another store, as one new version; where nothing differs there is none."""
    result = client.ingest(
        space,
        path,
        ids,
        id_column=id_column,
        vector_column=vector_column,
        attribute_columns=attribute or None,
        create=create,
        similarity=similarity,
        kind=kind,
        dissimilarity=dissimilarity,
        dissimilarity_kind=dissimilarity_kind,
        repeats=repeat or None,
        symmetrize=symmetrize,
        request_id=request_id,
        progress=shows_progress(),
        timeout=upload_timeout,
    )
    return answer(result)
