"""SpaceService: spaces, uploads, embeddings."""

# ruff: noqa: N802 - gRPC finds methods by the contract's names

from collections.abc import AsyncIterator
from typing import Any

from consilience.v1 import space_pb2, space_pb2_grpc
from consilience_server.app.call import Call
from consilience_server.app.ports import Batch
from consilience_server.app.spaces import Spaces
from consilience_server.core.errors import InvalidArgument, ShapeMismatch, UploadConflict
from consilience_server.rpc.convert.names import space_id, version_number
from consilience_server.rpc.convert.spaces import read_batch, read_spec, write_page, write_space, write_upsert
from consilience_server.rpc.current_call import current_call


class SpaceService(space_pb2_grpc.SpaceServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces

    async def CreateSpace(self, request: space_pb2.CreateSpaceRequest, _context: Any) -> space_pb2.CreateSpaceResponse:
        """Makes an empty space."""
        record = await self._spaces.create(current_call(), read_spec(request), request.request_id)
        return space_pb2.CreateSpaceResponse(space=write_space(record))

    async def GetSpace(self, request: space_pb2.GetSpaceRequest, _context: Any) -> space_pb2.GetSpaceResponse:
        """The space as it is now."""
        record = await self._spaces.get(current_call(), space_id(request.name, "name"))
        return space_pb2.GetSpaceResponse(space=write_space(record))

    async def ListSpaces(self, request: space_pb2.ListSpacesRequest, _context: Any) -> space_pb2.ListSpacesResponse:
        """A page of spaces by name."""
        records, token = await self._spaces.list(current_call(), request.page_size, request.page_token)
        return space_pb2.ListSpacesResponse(spaces=[write_space(record) for record in records], next_page_token=token)

    async def DeleteSpace(self, request: space_pb2.DeleteSpaceRequest, _context: Any) -> space_pb2.DeleteSpaceResponse:
        """Removes a space with all versions."""
        await self._spaces.delete(current_call(), space_id(request.name, "name"), request.request_id)
        return space_pb2.DeleteSpaceResponse()

    async def UpsertEmbeddings(
        self, requests: AsyncIterator[space_pb2.UpsertEmbeddingsRequest], context: Any
    ) -> space_pb2.UpsertEmbeddingsResponse:
        """One stream is one upload: staged batch by batch, visible as one version when the stream ends, or not at all."""
        call = current_call()
        header = await self._header(requests)
        space = space_id(header.space, "header.space")
        state = await self._spaces.open_upload(call, space, header.request_id)
        if state.committed is not None:
            batches = (_batch(request) async for request in requests)
            await self._spaces.check_repeated(header.request_id, state, header.first_row, header.total_rows, batches)
            _, record = await self._spaces.upload_state(call, space, header.request_id)
            return write_upsert(state.committed, record)
        if header.first_row != state.staged_rows:
            raise UploadConflict(
                f"the stream begins at row {header.first_row:,}, but {state.staged_rows:,} are staged; ask GetUpload, go on from there",
                field="header.first_row",
                staged_rows=state.staged_rows,
            )
        row = state.staged_rows
        async for request in requests:
            row = await self._stage(call, space, header.request_id, row, request)
        # For a moment a broken connection looks like the end of the stream. Sending something fails on it, so that half an upload of
        # unknown length is never committed; what is staged stays for the next stream.
        await context.send_initial_metadata(())
        outcome, record = await self._spaces.commit(call, space, header.request_id, header.total_rows)
        return write_upsert(outcome, record)

    @staticmethod
    async def _header(requests: AsyncIterator[space_pb2.UpsertEmbeddingsRequest]) -> space_pb2.UploadHeader:
        first = await anext(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument("the first message of an upload is its header", field="header")
        return first.header

    async def _stage(self, call: Call, space: str, request_id: str, row: int, request: space_pb2.UpsertEmbeddingsRequest) -> int:
        """Convert and stage one batch; a refused one takes the whole upload with it."""
        try:
            batch = _batch(request)
        except InvalidArgument:
            await self._spaces.discard_upload(space, request_id)
            raise
        return await self._spaces.stage(call, space, request_id, row, batch)

    async def GetUpload(self, request: space_pb2.GetUploadRequest, _context: Any) -> space_pb2.GetUploadResponse:
        """How far an upload has come."""
        state, record = await self._spaces.upload_state(current_call(), space_id(request.space, "space"), request.request_id)
        committed = None if state.committed is None else write_upsert(state.committed, record)
        return space_pb2.GetUploadResponse(staged_rows=state.staged_rows, committed=committed)

    async def GetEmbeddings(self, request: space_pb2.GetEmbeddingsRequest, _context: Any) -> space_pb2.GetEmbeddingsResponse:
        """Embeddings by id, or page by page."""
        name = space_id(request.space.name, "space.name")
        version = version_number(request.space.version, "space.version")
        page = await self._spaces.read(current_call(), name, version, list(request.ids), request.page_size, request.page_token)
        return write_page(page)

    async def DeleteEmbeddings(self, request: space_pb2.DeleteEmbeddingsRequest, _context: Any) -> space_pb2.DeleteEmbeddingsResponse:
        """Removes items as one version."""
        name = space_id(request.space, "space")
        outcome = await self._spaces.delete_items(current_call(), name, list(request.ids), request.request_id)
        return space_pb2.DeleteEmbeddingsResponse(version=outcome.version, deleted=outcome.deleted, absent=outcome.absent)


def _batch(request: space_pb2.UpsertEmbeddingsRequest) -> Batch:
    if request.WhichOneof("part") != "batch":
        raise ShapeMismatch("after the header every message is a batch; send one header, then batches", field="batch")
    return read_batch(request.batch)
