"""Calls that write embeddings into files."""

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from consilience import _names
from consilience._async.concurrency import run_blocking
from consilience._async.spaces import AsyncSpaceCalls
from consilience._codec.spaces import decode_embeddings
from consilience._convert import to_ids
from consilience._embedding_tables import embedding_schema, embedding_table
from consilience._methods import GET_EMBEDDINGS
from consilience._progress import Progress, reporting
from consilience._results.base import plain
from consilience._results.space import Embeddings, ExportResult, Space, SpaceUse
from consilience._resumable_parquet import ResumableParquet
from consilience.errors import InvalidArgumentError
from consilience.v1 import space_pb2


class AsyncExportCalls(AsyncSpaceCalls):
    """Embeddings into files."""

    async def export_embeddings(
        self,
        space: str | Space | SpaceUse,
        path: str | Path,
        ids: Any = None,
        *,
        id_column: str = "id",
        vector_column: str = "vector",
        resume: bool = True,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> ExportResult:
        """Embeddings of one version with their attributes as a Parquet file, page by page; `ingest` takes it again, bit for bit.

        Columns of ids (text) and vectors (lists of float32), then the attributes with their types, null where an item has no value. The
        schema's metadata tells under `consilience` the space and its version. A run that was interrupted goes on where it stopped, over the
        version that it began with: until the file is whole, its parts lie in a folder `<name>.partial` beside it. Needs pyarrow.

        Args:
            space: its name; `name@7` pins version 7, so does a SpaceUse.
            path: the file; replaced where it is there.
            ids: which items, in this order; None is all, in row order (ids in byte order).
            id_column: name of the column of ids.
            vector_column: name of the column of vectors.
            resume: False begins anew.
            progress: True for a bar, or a function told (items written, items in all).
            timeout: seconds a page.

        Raises:
            InvalidArgumentError: a kernel space, no ids, an attribute with the name of a column, a path that cannot be written, or a folder
                beside it with the beginning of another export.
            NotFoundError: no such space, or ids that are not in it.
            FailedPreconditionError: the version was cleaned up; begin anew with `resume=False`.
            MissingExtraError: pyarrow is not installed.
        """
        ref = _names.space_ref(space)
        wanted = None if ids is None else to_ids(ids)
        if wanted is not None and not wanted:
            raise InvalidArgumentError("ids is empty; name items, or leave it out for all", field="ids")
        known = await self.get_space(ref.name, timeout=timeout)
        await run_blocking(partial(embedding_schema, known, id_column, vector_column))
        digest = "" if wanted is None else hashlib.blake2b(json.dumps(wanted).encode(), digest_size=16).hexdigest()
        asked = {"space": known.uid, "version": ref.version, "columns": [id_column, vector_column], "ids": digest}
        file = await run_blocking(partial(ResumableParquet, Path(path), asked, resume=resume))
        # Version and attributes of the beginning: since an interrupted run the space may have got more of either.
        begun = file.told or {"space": {"version": known.version}, "attributes": dict(known.attributes)}
        ref.version = ref.version or begun["space"]["version"]
        known = replace(known, attributes=begun["attributes"])
        schema = await run_blocking(partial(embedding_schema, known, id_column, vector_column))
        total = known.item_count if wanted is None else len(wanted)
        with reporting(progress, f"export of {known.name}") as told:
            while not file.is_complete:
                request = space_pb2.GetEmbeddingsRequest(space=ref, ids=wanted, page_token=file.next_token)
                message, details = await self._call(GET_EMBEDDINGS, request, timeout)
                page = decode_embeddings(message, details)
                await run_blocking(partial(_append, file, page, known, schema, message.next_page_token))
                told(file.rows_taken, max(total, file.rows_taken))
        await run_blocking(file.finish)
        return ExportResult(space=SpaceUse(**file.told["space"]), rows=file.rows, dim=known.dim, path=str(path))


def _append(file: ResumableParquet, page: Embeddings, known: Space, schema: Any, token: str) -> None:
    told = {
        "kind": "embeddings",
        "space": plain(page.space),
        "dim": known.dim,
        "similarity": known.similarity,
        "attributes": dict(known.attributes),
    }
    file.append(embedding_table(page, schema), told, token)
