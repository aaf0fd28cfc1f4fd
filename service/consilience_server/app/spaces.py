"""Spaces: make, fill, read and remove them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.memory_budget import Account
from consilience_server.app.pages import decode_token, encode_token, page_size
from consilience_server.app.ports import (
    AttributeColumn,
    Batch,
    BridgeStore,
    DeleteOutcome,
    SpaceRecord,
    SpaceSpec,
    SpaceStore,
    UploadState,
    UpsertOutcome,
)
from consilience_server.app.reports import SpaceUse
from consilience_server.app.request_fields import asked_by
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import item_digest
from consilience_server.app.upload_digest import UploadDigest
from consilience_server.app.validation import check_batch, check_ids, check_kernel_upload, check_spec, shown
from consilience_server.core.errors import (
    DomainError,
    InvalidArgument,
    InvalidName,
    ItemNotFound,
    KernelSpace,
    ShapeMismatch,
    UploadConflict,
)
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.engine.snapshot import Snapshot

T = TypeVar("T")
_MAX_REQUEST_ID = 128


@dataclass(frozen=True)
class SpaceLimits:
    """What a space and a message may hold; published by server info."""

    max_dim: int
    max_id_bytes: int
    max_items_per_message: int
    page_bytes: int


@dataclass(frozen=True)
class EmbeddingsPage:
    """Some items of one version: `vectors` (n, dim) float32 in the order of `ids`."""

    use: SpaceUse
    ids: Sequence[str]
    vectors: NDArray[np.float32]
    attributes: Mapping[str, AttributeColumn]
    next_page_token: str


class Spaces:
    """The use cases of SpaceService. Names are bare ids; spaces and bridges share one set of them."""

    def __init__(self, store: SpaceStore, bridges: BridgeStore, snapshots: Snapshots, account: Account, limits: SpaceLimits) -> None:
        self._store = store
        self._bridges = bridges
        self._snapshots = snapshots
        self._account = account
        self._limits = limits

    async def create(self, call: Call, spec: SpaceSpec, request_id: str) -> SpaceRecord:
        """Make an empty space. InvalidName where the id is malformed or a bridge's; SpaceExists; repeatable by request id."""
        check_spec(spec, self._limits.max_dim)
        if await self._do(call, lambda: self._bridges.exists(spec.name)):
            raise InvalidName(f"{spec.name!r} is the id of a bridge; spaces and bridges share one set of ids", field="space_id")
        return await self._do(call, lambda: self._store.create(spec, request_id))

    async def get(self, call: Call, name: str) -> SpaceRecord:
        """The space as it is now; SpaceNotFound."""
        with asked_by("name"):
            return await self._do(call, lambda: self._store.get(name))

    async def list(self, call: Call, size: int, token: str) -> tuple[Sequence[SpaceRecord], str]:
        """A page of spaces by name, and the next token (empty at the end)."""
        count = page_size(size, 100, 1000)
        after = decode_token("spaces", "", token)
        records = await self._do(call, lambda: self._store.list(after, count + 1))
        more = len(records) > count
        return records[:count], encode_token("spaces", "", records[count - 1].spec.name) if more else ""

    async def delete(self, call: Call, name: str, request_id: str = "") -> None:
        """Remove a space with all versions; running reads keep the snapshot they hold. Repeatable by request id."""
        with asked_by("name"):
            await self._do(call, lambda: self._store.delete(name, request_id))

    async def open_upload(self, call: Call, space: str, request_id: str) -> UploadState:
        """Begin an upload or find how far it is."""
        if not 1 <= len(request_id) <= _MAX_REQUEST_ID or not request_id.isprintable():
            raise InvalidArgument(f"an upload needs a printable request_id of 1 to {_MAX_REQUEST_ID} characters", field="header.request_id")
        with asked_by("header.space"):
            return await self._do(call, lambda: self._store.open_upload(space, request_id))

    async def check_repeated(
        self, request_id: str, state: UploadState, first_row: int, total_rows: int, batches: AsyncIterator[Batch]
    ) -> None:
        """That a stream is the repetition of a committed upload and not other rows under its request id; nothing is staged.

        From row 0 on the rows must be the committed ones, bit for bit, however cut. A stream that resumed further on answers for the rows
        before its first: of those after it the number must fit. An upload that an older program committed cannot be compared.

        Raises:
            UploadConflict: other rows.
        """
        if not state.digest:
            return
        reused = UploadConflict(
            f"upload {request_id!r} is committed with other rows; nothing was changed: send these with a new request_id",
            field="header.request_id",
        )
        if first_row > state.staged_rows or total_rows not in {0, state.staged_rows}:
            raise reused
        digest = UploadDigest()
        async for batch in batches:
            with self._account.borrowed(2 * batch.vectors.nbytes, "this batch"):
                await asyncio.to_thread(digest.add, batch)
            if first_row + digest.rows > state.staged_rows:
                raise reused
        if first_row + digest.rows != state.staged_rows or (first_row == 0 and digest.hexdigest() != state.digest):
            raise reused

    async def stage(self, call: Call, space: str, request_id: str, first_row: int, batch: Batch) -> int:
        """Validate one batch against the space and keep it durably, invisible to readers; returns the rows staged.

        A refused batch discards the whole upload: nothing half-written stays behind.
        """
        try:
            if len(batch.ids) > self._limits.max_items_per_message:
                most = self._limits.max_items_per_message
                raise InvalidArgument(f"a batch has {len(batch.ids):,} items; at most {most:,} fit one message", field="batch.ids")
            with asked_by("header.space"):
                record = await self._do(call, lambda: self._store.get(space))
            await asyncio.to_thread(check_batch, batch, record, self._limits.max_id_bytes, first_row)
            with asked_by("header.space"), self._account.borrowed(2 * batch.vectors.nbytes, "this batch"):
                return await self._do(call, lambda: self._store.stage(space, request_id, first_row, batch))
        except InvalidArgument:
            await self.discard_upload(space, request_id)
            raise

    async def discard_upload(self, space: str, request_id: str) -> None:
        """Forget what is staged, after a refusal: that is what the caller must hear, so a failure of this is not."""
        with contextlib.suppress(DomainError):
            await asyncio.to_thread(self._store.discard_upload, space, request_id)

    async def commit(self, call: Call, space: str, request_id: str, total_rows: int) -> tuple[UpsertOutcome, SpaceRecord]:
        """Make the upload visible as one version.

        Args:
            call: the caller.
            space: the bare id.
            request_id: the upload.
            total_rows: what the caller announced; 0 is unknown. ShapeMismatch where the staged rows differ.
        """
        with asked_by("header.space"):
            return await self._commit(call, space, request_id, total_rows)

    async def _commit(self, call: Call, space: str, request_id: str, total_rows: int) -> tuple[UpsertOutcome, SpaceRecord]:
        state = await self._do(call, lambda: self._store.upload_state(space, request_id))
        if state.committed is None and total_rows and state.staged_rows != total_rows:
            raise ShapeMismatch(
                f"{total_rows:,} rows were announced, {state.staged_rows:,} arrived; send the rest with this request_id",
                field="header.total_rows",
            )
        record = await self._do(call, lambda: self._store.get(space))
        nbytes = state.staged_rows * record.spec.row_width(state.staged_rows) * 4
        with self._account.borrowed(2 * nbytes, f"an upload of {state.staged_rows:,} rows"):
            kernel = record.spec.kernel
            if kernel is not None and state.committed is None:
                await self._check_kernel(call, space, request_id, kernel, record.spec.repeats)
            outcome = await self._do(call, lambda: self._store.commit(space, request_id))
        return outcome, await self._do(call, lambda: self._store.get(space))

    async def _check_kernel(self, call: Call, space: str, request_id: str, kernel: KernelKind, repeats: Sequence[str]) -> None:
        """What is staged is a whole kernel; if not, it is discarded and refused."""
        try:
            await self._do(call, lambda: check_kernel_upload(self._store.staged(space, request_id), kernel, repeats))
        except InvalidArgument:
            await self.discard_upload(space, request_id)
            raise

    async def upload_state(self, call: Call, space: str, request_id: str) -> tuple[UploadState, SpaceRecord]:
        """How far an upload is; UploadNotFound."""
        with asked_by("space"):
            state = await self._do(call, lambda: self._store.upload_state(space, request_id))
            return state, await self._do(call, lambda: self._store.get(space))

    async def read(self, call: Call, name: str, version: int, ids: Sequence[str], size: int, token: str) -> EmbeddingsPage:
        """Items by id in the order asked, or all of them in row order; page by page where they do not fit one message.

        Raises:
            ItemNotFound: ids that the version lacks, named.
            InvalidPageToken: a token of another listing.
        """
        # The first page decides the version; its token carries it, so that all pages are of one.
        listing = f"{name}@{version}:{await asyncio.to_thread(item_digest, ids)}"
        begun_at, _, start = decode_token("embeddings", listing, token).partition(":")
        async with self._snapshots.hold(call, name, int(begun_at or version), field="space", kernels=True) as snapshot:
            rows = await asyncio.to_thread(self._rows, snapshot, ids, name) if ids else np.arange(snapshot.n)
            most = max(1, self._limits.page_bytes // (4 * snapshot.stored.shape[1] + self._limits.max_id_bytes))
            first = int(start or 0)
            after = first + page_size(size, most, most)
            following = encode_token("embeddings", listing, f"{snapshot.version}:{after}") if after < len(rows) else ""
            rows = rows[first:after]
            found = [str(item) for item in snapshot.ids[rows]]
            with asked_by("space"):
                attributes = await self._do(call, lambda: self._store.attributes(name, snapshot.version, found))
            use = SpaceUse(snapshot.name, snapshot.uid, snapshot.version)
            return EmbeddingsPage(use, found, snapshot.stored[rows], attributes, following)

    def _rows(self, snapshot: Snapshot, ids: Sequence[str], name: str) -> NDArray[np.int64]:
        check_ids(ids, self._limits.max_id_bytes, "ids", remedy="ask for each item once")
        return rows_of(snapshot.ids, ids, name)

    async def delete_items(self, call: Call, name: str, ids: Sequence[str], request_id: str) -> DeleteOutcome:
        """Remove items as one version; absent ids are counted. KernelSpace: a kernel is written whole."""
        check_ids(ids, self._limits.max_id_bytes, "ids", remedy="name each item once")
        with asked_by("space"):
            record = await self._do(call, lambda: self._store.get(name))
        if record.spec.kernel is not None:
            raise KernelSpace(f"space {name!r} is a kernel, written whole: upload its matrix without these items instead", field="space")
        with asked_by("space"):
            return await self._do(call, lambda: self._store.delete_items(name, ids, request_id))

    @staticmethod
    async def _do(call: Call, function: Callable[[], T]) -> T:
        """A short store call, off the event loop."""
        call.remaining()
        return await asyncio.to_thread(function)


def rows_of(sorted_ids: NDArray[np.object_], ids: Sequence[str], space: str, field: str = "ids", *, among: str = "") -> NDArray[np.int64]:
    """Rows of these ids in an ascending id column, of a space or `among` items of several; ItemNotFound naming those it lacks."""
    wanted = np.asarray(ids, dtype=object)
    if len(sorted_ids) == 0:
        raise ItemNotFound(f"space {space!r} is empty; it lacks {shown(list(ids))}", field=field)
    rows = np.minimum(np.searchsorted(sorted_ids, wanted), len(sorted_ids) - 1).astype(np.int64)
    missing = sorted_ids[rows] != wanted
    if missing.any():
        lacking = [str(item) for item in wanted[missing]]
        where = f"among {among}" if among else f"in space {space!r}"
        raise ItemNotFound(f"{len(lacking):,} ids are not {where}: {shown(lacking)}", field=field, ids=lacking[:10])
    return rows
