"""SpaceService over the real use cases and a store of dictionaries: uploads above all."""

import asyncio

import grpc
import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience.v1 import space_pb2, space_pb2_grpc
from consilience.v1.matrix_pb2 import DATA_TYPE_FLOAT64
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import AttributeColumn, UploadState
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import SpaceLimits, Spaces
from consilience_server.rpc.convert.attributes import write_attributes
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.current_call import enter_call
from consilience_server.rpc.space_service import SpaceService


class NoBridges:
    def exists(self, name):
        return name == "a-bridge"


@pytest.fixture
async def stub(serve):
    store = MemoryStore()
    account = Account(1 << 30, SilentMetrics())
    snapshots = Snapshots(store, ComputePool(2, 10, account, SilentMetrics()), account)
    spaces = Spaces(store, NoBridges(), snapshots, account, SpaceLimits(100, 20, 1000, 1 << 20))
    async with serve(lambda server: space_pb2_grpc.add_SpaceServiceServicer_to_server(SpaceService(spaces), server)) as (channel, _):
        yield space_pb2_grpc.SpaceServiceStub(channel)


async def create(stub, name="a", dim=3):
    space = space_pb2.Space(kind=space_pb2.SPACE_KIND_VECTORS, dim=dim, similarity=space_pb2.SIMILARITY_COSINE)
    return (await stub.CreateSpace(space_pb2.CreateSpaceRequest(space_id=name, space=space))).space


def header(space="spaces/a", request_id="r1", **fields):
    return space_pb2.UpsertEmbeddingsRequest(header=space_pb2.UploadHeader(space=space, request_id=request_id, **fields))


def batch(ids, vectors=None, **integers):
    vectors = np.arange(1, 1 + 3 * len(ids), dtype=np.float32).reshape(-1, 3) if vectors is None else vectors
    attributes = write_attributes({name: AttributeColumn("integer", values) for name, values in integers.items()})
    part = space_pb2.UploadBatch(ids=ids, vectors=write_matrix(np.asarray(vectors, np.float32)), attributes=attributes)
    return space_pb2.UpsertEmbeddingsRequest(batch=part)


async def staged(stub, request_id="r1"):
    return (await stub.GetUpload(space_pb2.GetUploadRequest(space="spaces/a", request_id=request_id))).staged_rows


async def refused(awaitable, details_of):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    return details_of(caught.value)[:3]


async def test_make_list_get_remove(stub, details_of):
    made = await create(stub)
    assert (made.name, made.version, made.item_count) == ("spaces/a", 0, 0)
    assert (await stub.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"))).space == made
    await create(stub, "b")
    page = await stub.ListSpaces(space_pb2.ListSpacesRequest(page_size=1))
    rest = await stub.ListSpaces(space_pb2.ListSpacesRequest(page_size=1, page_token=page.next_page_token))
    assert [space.name for space in (*page.spaces, *rest.spaces)] == ["spaces/a", "spaces/b"]
    assert rest.next_page_token == ""
    for _ in range(2):
        await stub.DeleteSpace(space_pb2.DeleteSpaceRequest(name="spaces/a", request_id="gone"))
    unknown = stub.DeleteSpace(space_pb2.DeleteSpaceRequest(name="spaces/a", request_id="other"))
    assert (await refused(unknown, details_of))[1] == "SPACE_NOT_FOUND"
    assert await refused(stub.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a")), details_of) == ("NOT_FOUND", "SPACE_NOT_FOUND", "name")
    bad_token = stub.ListSpaces(space_pb2.ListSpacesRequest(page_token="nonsense"))
    assert await refused(bad_token, details_of) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN", "page_token")


async def test_names_of_bridges_are_taken(stub, details_of):
    assert await refused(create(stub, "a-bridge"), details_of) == ("INVALID_ARGUMENT", "INVALID_NAME", "space_id")


async def test_one_stream_is_one_version(stub):
    await create(stub)
    answer = await stub.UpsertEmbeddings([header(total_rows=3), batch(["a", "b"]), batch(["c"])])
    assert (answer.version, answer.inserted, answer.space.item_count) == (1, 3, 3)
    page = await stub.GetEmbeddings(space_pb2.GetEmbeddingsRequest(space=space_pb2.SpaceRef(name="spaces/a")))
    assert list(page.ids) == ["a", "b", "c"]
    assert page.space.version == 1
    by_id = await stub.GetEmbeddings(space_pb2.GetEmbeddingsRequest(space=space_pb2.SpaceRef(name="spaces/a"), ids=["c", "a"]))
    assert list(by_id.ids) == ["c", "a"]
    gone = await stub.DeleteEmbeddings(space_pb2.DeleteEmbeddingsRequest(space="spaces/a", ids=["a", "zz"]))
    assert (gone.version, gone.deleted, gone.absent) == (2, 1, 1)


async def test_repeating_a_committed_upload_answers_the_same_however_it_is_cut(stub):
    await create(stub)
    rows = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    first = await stub.UpsertEmbeddings([header(), batch(["a", "b"], rows[:2]), batch(["c"], rows[2:])])
    for total in (0, 3):
        again = await stub.UpsertEmbeddings([header(total_rows=total), batch(["a"], rows[:1]), batch(["b", "c"], rows[1:])])
        assert (again.version, again.inserted) == (first.version, first.inserted) == (1, 3)
    resumed = await stub.UpsertEmbeddings([header(first_row=2), batch(["c"], rows[2:])])
    nothing_left = await stub.UpsertEmbeddings([header(first_row=3)])
    assert resumed.version == nothing_left.version == 1
    state = await stub.GetUpload(space_pb2.GetUploadRequest(space="spaces/a", request_id="r1"))
    assert state.committed.version == 1


OTHER_ROWS = {
    "other ids": [header(), batch(["a", "x"])],
    "another order": [header(), batch(["b", "a"])],
    "other vectors": [header(), batch(["a", "b"], [[1, 2, 3], [4, 5, 7]])],
    "fewer": [header(), batch(["a"])],
    "none": [header()],
    "more": [header(), batch(["a", "b"]), batch(["c"])],
    "others announced": [header(total_rows=3)],
    "an attribute": [header(), batch(["a", "b"], n=[1, 2])],
    "beyond": [header(first_row=3)],
    "more after a resume": [header(first_row=1), batch(["b", "c"])],
}


@pytest.mark.parametrize("case", OTHER_ROWS)
async def test_a_request_id_used_again_for_other_rows_is_refused_and_changes_nothing(stub, details_of, case):
    await create(stub)
    await stub.UpsertEmbeddings([header(), batch(["a", "b"])])
    refusal = await refused(stub.UpsertEmbeddings(OTHER_ROWS[case]), details_of)
    assert refusal == ("ABORTED", "UPLOAD_CONFLICT", "header.request_id")
    assert (await stub.UpsertEmbeddings([header(), batch(["a", "b"])])).inserted == 2
    space = (await stub.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"))).space
    assert (space.version, space.item_count) == (1, 2)


BAD_BATCHES = {
    "NaN": (batch(["b"], [[1, np.nan, 1]]), "NOT_FINITE", "batch.vectors"),
    "zero under cosine": (batch(["b"], [[0, 0, 0]]), "ZERO_VECTOR", "batch.vectors"),
    "width": (batch(["b"], [[1, 1]]), "DIMENSION_MISMATCH", "batch.vectors"),
    "too few ids": (batch(["b"], [[1, 1, 1], [2, 2, 2]]), "SHAPE_MISMATCH", "batch.vectors"),
    "empty id": (batch([""]), "INVALID_ID", "batch.ids"),
    "long id": (batch(["x" * 21]), "INVALID_ID", "batch.ids"),
    "an id twice": (batch(["b", "b"]), "DUPLICATE_ID", "batch.ids"),
    "nothing": (space_pb2.UpsertEmbeddingsRequest(), "SHAPE_MISMATCH", "batch"),
    "a second header": (header(), "SHAPE_MISMATCH", "batch"),
    "no rows": (space_pb2.UpsertEmbeddingsRequest(batch=space_pb2.UploadBatch()), "DTYPE_NOT_ACCEPTED", "batch.vectors.dtype"),
}


@pytest.mark.parametrize("case", BAD_BATCHES)
async def test_a_refused_batch_takes_the_upload_with_it(stub, details_of, case):
    bad, reason, field = BAD_BATCHES[case]
    await create(stub)
    assert await refused(stub.UpsertEmbeddings([header(), batch(["a"]), bad]), details_of) == ("INVALID_ARGUMENT", reason, field)
    state = stub.GetUpload(space_pb2.GetUploadRequest(space="spaces/a", request_id="r1"))
    assert (await refused(state, details_of))[1] == "UPLOAD_NOT_FOUND"
    assert (await stub.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"))).space.version == 0


async def test_wrong_bytes_and_float64_take_the_upload_with_them(stub, details_of):
    await create(stub)
    for spoil, reason in (
        (lambda m: setattr(m, "data", m.data[:-1]), "SHAPE_MISMATCH"),
        (lambda m: setattr(m, "dtype", DATA_TYPE_FLOAT64), "DTYPE_NOT_ACCEPTED"),
    ):
        bad = batch(["b"])
        spoil(bad.batch.vectors)
        assert (await refused(stub.UpsertEmbeddings([header(), batch(["a"]), bad]), details_of))[1] == reason
        state = stub.GetUpload(space_pb2.GetUploadRequest(space="spaces/a", request_id="r1"))
        assert (await refused(state, details_of))[1] == "UPLOAD_NOT_FOUND"


@pytest.mark.parametrize(
    ("messages", "reason", "field"),
    [
        ([], "INVALID_ARGUMENT", "header"),
        ([batch(["a"])], "INVALID_ARGUMENT", "header"),
        ([header(space="a")], "INVALID_NAME", "header.space"),
        ([header(space="spaces/a/layers/1")], "NOT_SERVED", "header.space"),
        ([header(request_id="")], "INVALID_ARGUMENT", "header.request_id"),
        ([header(space="spaces/none")], "SPACE_NOT_FOUND", "header.space"),
        ([header(first_row=1)], "UPLOAD_CONFLICT", "header.first_row"),
        ([header(total_rows=2), batch(["a"])], "SHAPE_MISMATCH", "header.total_rows"),
    ],
)
async def test_bad_beginnings_and_ends(stub, details_of, messages, reason, field):
    await create(stub)
    assert (await refused(stub.UpsertEmbeddings(messages), details_of))[1:] == (reason, field)
    assert (await stub.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"))).space.version == 0


async def test_a_broken_stream_keeps_what_is_staged_and_goes_on(stub, details_of):
    await create(stub)
    call = stub.UpsertEmbeddings()
    await call.write(header())
    await call.write(batch(["a", "b"]))
    async with asyncio.timeout(5):
        while True:
            try:
                if await staged(stub) == 2:
                    break
            except grpc.aio.AioRpcError:
                pass
            await asyncio.sleep(0.01)
    call.cancel()
    # Ours to finish: a new stream that begins elsewhere is refused, one that goes on is not.
    await asyncio.sleep(0.1)
    assert await staged(stub) == 2
    assert (await refused(stub.UpsertEmbeddings([header(), batch(["c"])]), details_of))[:2] == ("ABORTED", "UPLOAD_CONFLICT")
    answer = await stub.UpsertEmbeddings([header(first_row=2, total_rows=3), batch(["c"])])
    assert (answer.version, answer.inserted) == (1, 3)


async def test_a_stream_of_unknown_length_is_never_committed_by_breaking(stub):
    await create(stub)
    for attempt in range(20):
        call = stub.UpsertEmbeddings()
        await call.write(header(request_id=f"r{attempt}"))
        await call.write(batch([f"a{attempt}"]))
        call.cancel()
    await asyncio.sleep(0.3)
    assert (await stub.GetSpace(space_pb2.GetSpaceRequest(name="spaces/a"))).space.version == 0


async def test_the_end_of_a_stream_is_believed_only_while_its_connection_lives():
    """grpc.aio ends the iterator of a broken stream like that of a finished one, and cancels the task a little later."""
    committed = []

    class StagedSpaces:
        async def open_upload(self, call, space, request_id):
            return UploadState(0, None)

        async def stage(self, call, space, request_id, row, batch):
            return row + len(batch.ids)

        async def commit(self, *arguments):
            committed.append(arguments)
            raise AssertionError

    class BrokenContext:
        async def send_initial_metadata(self, metadata):
            raise asyncio.CancelledError

    async def parts():
        yield header()
        yield batch(["a"])

    enter_call(Call("upsert_embeddings"))
    with pytest.raises(asyncio.CancelledError):
        await SpaceService(StagedSpaces()).UpsertEmbeddings(parts(), BrokenContext())
    assert committed == []


async def test_the_first_page_decides_the_version(stub):
    await create(stub)
    await stub.UpsertEmbeddings([header(), batch(["a", "b", "c"])])
    reference = space_pb2.SpaceRef(name="spaces/a")
    page = await stub.GetEmbeddings(space_pb2.GetEmbeddingsRequest(space=reference, page_size=2))
    await stub.UpsertEmbeddings([header(request_id="r2"), batch(["b2"])])
    rest = await stub.GetEmbeddings(space_pb2.GetEmbeddingsRequest(space=reference, page_size=2, page_token=page.next_page_token))
    assert (list(page.ids), list(rest.ids), rest.space.version) == (["a", "b"], ["c"], 1)
