"""Calls on the embeddings of a space."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from consilience import _names
from consilience._async.concurrency import run_blocking
from consilience._async.spaces import AsyncSpaceCalls
from consilience._async.upload import AsyncUploadCalls
from consilience._async.writer import AsyncWriter
from consilience._batches import ArraySource, to_block
from consilience._codec.spaces import decode_delete, decode_embeddings
from consilience._convert import to_ids
from consilience._embedding_pages import join_embeddings, without_items
from consilience._fields import creation_told
from consilience._kernels import may_be_kernel, to_kernel_block
from consilience._methods import DELETE_EMBEDDINGS, GET_EMBEDDINGS
from consilience._numbers import INT32, whole
from consilience._progress import Progress
from consilience._results.space import DeleteResult, Embeddings, Space, SpaceUse, UpsertResult
from consilience.errors import InvalidArgumentError, NotFoundError
from consilience.ingest.files import open_file, open_kernel
from consilience.ingest.store_url import is_store_url
from consilience.ingest.stores import open_store, refuse_for_store
from consilience.v1 import space_pb2


class AsyncEmbeddingCalls(AsyncSpaceCalls, AsyncUploadCalls):
    """Write, read and delete embeddings."""

    async def upsert(
        self,
        space: str | Space,
        ids: Any,
        vectors: Any,
        attributes: Any = None,
        *,
        symmetrize: bool = False,
        request_id: str | None = None,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> UpsertResult:
        """Insert or replace embeddings, or write a kernel whole: one call, of any size, is one new version, or none at all.

        Args:
            space: its name.
            ids: n strings, each once.
            vectors: (n, dim): NumPy, torch, lists, Arrow or pandas. float32, float16 and bfloat16 are kept exactly; float64 is rounded.
                Of a kernel space the matrix of all its items, (n, n) in the order of `ids`, or of dissimilarities the condensed upper
                triangle in SciPy's order; with R repeats one for each, (R, n, n), NaN where a repeat lacks an entry. It replaces what is
                there. Entries and mirror images that differ by rounding (1e-5 of the largest entry) are averaged.
            attributes: n values by attribute name, of one type a column (a mapping, a DataFrame, an Arrow table); None and NaN are missing.
                `group_id` joins many-to-many pairs.
            symmetrize: for a kernel: keep the mean of each entry and its mirror image where they differ by more than rounding;
                `result.asymmetry` tells the largest difference.
            request_id: names the upload. Pass one, and again after a crash, to go on with what the server has staged.
            progress: True for a bar, or a function told (rows sent, rows in all), in another thread.
            timeout: seconds for all of it; None is that of a call and what the bytes take at 2 MB/s.

        Raises:
            InvalidArgumentError: what is wrong with which rows; nothing was changed.
            NotFoundError: no such space.
        """
        name = _names.space_name(space)
        items = to_ids(ids)
        if symmetrize or may_be_kernel(vectors, len(items)):
            # What can be refused without the server is.
            request_id = _names.request_id(request_id) if request_id else None
            known = await self.get_space(name, timeout=timeout)
            if known.kind == "kernel":
                block, asymmetry = await run_blocking(
                    lambda: to_kernel_block(
                        items,
                        vectors,
                        attributes,
                        dissimilarity=known.dissimilarity,
                        symmetrize=symmetrize,
                        repeats=known.repeats,
                    )
                )
                result = await self._send(name, ArraySource(block), request_id, timeout, progress)
                return replace(result, asymmetry=asymmetry)
            if symmetrize:
                raise InvalidArgumentError(f"space {known.name!r} holds vectors; symmetrize is for kernels", field="symmetrize")
        block = await run_blocking(lambda: to_block(items, vectors, attributes))
        return await self._send(name, ArraySource(block), request_id, timeout, progress)

    async def ingest(
        self,
        space: str | Space,
        path: str | Path,
        ids: str | Path | Sequence[str] | None = None,
        *,
        id_column: str = "id",
        vector_column: str = "vector",
        attribute_columns: Sequence[str] | None = None,
        create: bool = False,
        similarity: str | None = None,
        kind: str = "vectors",
        dissimilarity: bool = False,
        dissimilarity_kind: str | None = None,
        repeats: Sequence[str] | None = None,
        symmetrize: bool = False,
        request_id: str | None = None,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> UpsertResult:
        """Upsert a file, or a collection of another store, as one version; what is larger than memory is read as it is sent.

        No store tells which of its points changed: each run reads all of them, or those of a filter, and the server keeps what is new or
        differs; where nothing does, there is no new version. Points that the store no longer has stay in the space. An upload that breaks
        goes on with the page where it stopped.

        Args:
            space: its name.
            path: `.npy` (with `ids`), `.npz`, `.parquet`, `.arrow`, `.feather` or `.ipc` (need pyarrow), `.pt` (needs torch; weights only);
                or `qdrant://host:6333/collection?vector=name` (needs `consilience[qdrant]`, key in QDRANT_API_KEY) or
                `milvus://host:19530/collection?field=name` (`consilience[milvus]`, MILVUS_TOKEN), with `tls=true`, with `filter=` in the
                store's own language, and with a folder or file for the host: `milvus:///data/milvus.db/collection`.
            ids: for `.npy`, and for `.pt` holding a single tensor: a text file with one id a line, or the ids.
            id_column: the array or column of ids; of a store the payload key or field, `id` for its own ids.
            vector_column: the array or column of vectors; `vectors` is found too.
            attribute_columns: columns, payload keys or fields to keep as attributes; None is all others, of a store those of texts, numbers
                or booleans. Of a store `price:real` also says the type (string, integer, real, boolean).
            create: make the space where it is missing, with the width that is found and this `similarity`.
            similarity: of a space that is made; None is that of the store, and `cosine` for files.
            kind: `kernel` for a file that holds a matrix over its items (`.npy` or `.npz`, full or condensed), as `upsert` takes it.
            dissimilarity: of a kernel space that is made.
            dissimilarity_kind: likewise.
            repeats: likewise; the file then holds a matrix for each.
            symmetrize: as in `upsert`.
            request_id: as in `upsert`.
            progress: as in `upsert`.
            timeout: as in `upsert`.

        Raises:
            InvalidArgumentError: the file or the collection does not hold what it should.
            MissingExtraError: the package that reads it is not installed.
            Unavailable: the store does not answer.
        """
        name = _names.space_name(space)
        if is_store_url(path):
            options = {"ids": ids, "dissimilarity": dissimilarity, "dissimilarity_kind": dissimilarity_kind, "repeats": repeats}
            refuse_for_store({**options, "symmetrize": symmetrize, "kind": kind if kind != "vectors" else None})
            store = await run_blocking(lambda: open_store(str(path), id_column, attribute_columns))
            try:
                await self._check_or_create(name, store.dim, similarity or store.similarity, create=create)
                return await self._send(name, store, request_id, timeout, progress, store.expected_rows)
            finally:
                await run_blocking(store.close)
        is_kernel = _names.SPACE_KINDS.to_number(kind) == space_pb2.SPACE_KIND_KERNEL
        if not is_kernel and (dissimilarity or dissimilarity_kind or repeats or symmetrize):
            raise InvalidArgumentError("dissimilarity, repeats and symmetrize are of kernels; give kind='kernel'", field="kind")
        if is_kernel:
            names, matrix, columns = await run_blocking(lambda: open_kernel(Path(path), ids, id_column, vector_column, attribute_columns))
            if create:
                try:
                    await self.get_space(name)
                except NotFoundError:
                    await self.create_space(
                        name, kind=kind, dissimilarity=dissimilarity, dissimilarity_kind=dissimilarity_kind, repeats=repeats
                    )
            with creation_told():
                return await self.upsert(
                    name, names, matrix, columns, symmetrize=symmetrize, request_id=request_id, progress=progress, timeout=timeout
                )
        source = await run_blocking(lambda: open_file(Path(path), ids, id_column, vector_column, attribute_columns))
        if create:
            try:
                await self.get_space(name)
            except NotFoundError:
                await self.create_space(name, source.dim, similarity=similarity or "cosine")
        with creation_told():
            return await self._send(name, source, request_id, timeout, progress)

    async def _check_or_create(self, name: str, dim: int, similarity: str, *, create: bool) -> None:
        """The space has the width of the store's vectors; made where it is missing and `create` says so."""
        try:
            with creation_told():
                known = await self.get_space(name)
        except NotFoundError:
            if not create:
                raise
            if not similarity:
                raise InvalidArgumentError(
                    "the store compares its vectors in a way that no space does; choose a similarity", field="similarity"
                ) from None
            await self.create_space(name, dim, similarity=similarity)
            return
        if known.kind != "vectors" or known.dim != dim:
            what = f"vectors of dim {known.dim}" if known.kind == "vectors" else "a kernel"
            raise InvalidArgumentError(
                f"space {known.name!r} holds {what}, the store's vectors have dim {dim}; choose another vector, or another space",
                reason="DIMENSION_MISMATCH",
                field="path",
                metadata={"space_dim": str(known.dim), "store_dim": str(dim)},
            )

    def writer(self, space: str | Space, *, publish_seconds: float = 5.0, publish_rows: int = 100_000) -> AsyncWriter:
        """A context for a stream of small batches, published as versions every few seconds; see `Writer`."""
        return AsyncWriter(self._send, _names.space_name(space), publish_seconds, whole(publish_rows, "publish_rows", least=1))

    async def get_embeddings(self, space: str | Space | SpaceUse, ids: Any = None, *, timeout: float | None = None) -> Embeddings:
        """Items of a space with vectors and attributes, whole in memory.

        Args:
            space: its name; `name@7` pins version 7, so does a SpaceUse.
            ids: which, in this order; None is all, in row order (ids in byte order), an empty list is none.
            timeout: seconds a page.

        Raises:
            NotFoundError: no such space, or ids that are not in it.
            FailedPreconditionError: the pinned version was cleaned up.
        """
        return join_embeddings([page async for page in self.iterate_embeddings(space, ids, timeout=timeout)])

    async def iterate_embeddings(
        self, space: str | Space | SpaceUse, ids: Any = None, *, page_size: int = 0, timeout: float | None = None
    ) -> AsyncIterator[Embeddings]:
        """The same page by page, all of one version.

        Args:
            space: as in `get_embeddings`.
            ids: as in `get_embeddings`.
            page_size: items a page; 0 is as many as fit a message.
            timeout: seconds a page.
        """
        ref = _names.space_ref(space)
        wanted = None if ids is None else to_ids(ids)
        size = whole(page_size, "page_size", most=INT32)
        if wanted is not None and not wanted:
            # To the contract no ids are all: one item tells the version and the width.
            message, details = await self._call(GET_EMBEDDINGS, space_pb2.GetEmbeddingsRequest(space=ref, page_size=1), timeout)
            yield without_items(decode_embeddings(message, details))
            return
        token = ""
        while True:
            request = space_pb2.GetEmbeddingsRequest(space=ref, ids=wanted, page_size=size, page_token=token)
            message, details = await self._call(GET_EMBEDDINGS, request, timeout)
            yield decode_embeddings(message, details)
            token = message.next_page_token
            if not token:
                return

    async def delete_embeddings(
        self, space: str | Space, ids: Any, *, request_id: str | None = None, timeout: float | None = None
    ) -> DeleteResult:
        """Delete items as one new version; ids that are absent are counted, not refused."""
        request = space_pb2.DeleteEmbeddingsRequest(
            space=_names.space_name(space), ids=to_ids(ids), request_id=_names.request_id(request_id)
        )
        message, details = await self._call(DELETE_EMBEDDINGS, request, timeout)
        return decode_delete(message, details)
