import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import Batch, SpaceSpec
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import SpaceLimits, Spaces
from consilience_server.core import errors
from consilience_server.core.similarity import Similarity

CALL = Call("test")
SPEC = SpaceSpec("a", 2, Similarity.COSINE)


class Bridges:
    def exists(self, name):
        return name == "bridge"


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def spaces(store):
    metrics = SilentMetrics()
    account = Account(1_000_000, metrics)
    snapshots = Snapshots(store, ComputePool(1, 8, account, metrics), account)
    # Pages of three: a row is counted as 8 bytes of vector and 16 of id.
    return Spaces(store, Bridges(), snapshots, account, SpaceLimits(8, 16, 5, 72))


def batch(ids, vectors=None):
    rows = [(1.0, float(i)) for i in range(len(ids))] if vectors is None else vectors
    return Batch(ids, np.asarray(rows, dtype=np.float32))


async def upload(spaces, ids, request_id="r"):
    await spaces.open_upload(CALL, "a", request_id)
    await spaces.stage(CALL, "a", request_id, 0, batch(ids))
    return await spaces.commit(CALL, "a", request_id, len(ids))


async def test_a_space_and_a_bridge_never_share_an_id(spaces):
    with pytest.raises(errors.InvalidName, match="id of a bridge"):
        await spaces.create(CALL, SpaceSpec("bridge", 2, Similarity.COSINE), "")


async def test_an_upload_becomes_one_version(spaces):
    await spaces.create(CALL, SPEC, "")
    outcome, record = await upload(spaces, ["p", "q"])
    assert (outcome.version, outcome.inserted, record.item_count) == (1, 2, 2)
    again, _ = await spaces.commit(CALL, "a", "r", 2)
    assert again == outcome


async def test_a_refused_batch_leaves_nothing(spaces, store):
    await spaces.create(CALL, SPEC, "")
    await spaces.open_upload(CALL, "a", "r")
    await spaces.stage(CALL, "a", "r", 0, batch(["p"]))
    with pytest.raises(errors.NotFinite):
        await spaces.stage(CALL, "a", "r", 1, batch(["q"], [(np.nan, 1)]))
    assert store.uploads == {}
    with pytest.raises(errors.UploadNotFound):
        await spaces.commit(CALL, "a", "r", 0)


async def test_messages_number_the_rows_of_the_whole_upload(spaces):
    await spaces.create(CALL, SPEC, "")
    await spaces.open_upload(CALL, "a", "r")
    await spaces.stage(CALL, "a", "r", 0, batch(["p", "q"]))
    with pytest.raises(errors.NotFinite, match=r"rows 3 \(ids 's'\)"):
        await spaces.stage(CALL, "a", "r", 2, batch(["r", "s"], [(1, 1), (np.nan, 1)]))


async def test_ids_asked_for_twice(spaces):
    await spaces.create(CALL, SPEC, "")
    await upload(spaces, ["p"])
    with pytest.raises(errors.DuplicateId, match="'p'; ask for each item once"):
        await spaces.read(CALL, "a", 0, ["p", "p"], 0, "")
    with pytest.raises(errors.DuplicateId, match="'p'; name each item once"):
        await spaces.delete_items(CALL, "a", ["p", "p"], "")


async def test_a_batch_beyond_the_limit_or_out_of_order(spaces, store):
    await spaces.create(CALL, SPEC, "")
    await spaces.open_upload(CALL, "a", "r")
    await spaces.stage(CALL, "a", "r", 0, batch(["p"]))
    with pytest.raises(errors.UploadConflict):
        await spaces.stage(CALL, "a", "r", 0, batch(["q"]))
    assert store.upload_state("a", "r").staged_rows == 1, "a conflict must not lose what is staged"
    with pytest.raises(errors.InvalidArgument, match="at most 5"):
        await spaces.stage(CALL, "a", "r", 1, batch(list("uvwxyz")))


async def test_announced_rows_must_arrive(spaces):
    await spaces.create(CALL, SPEC, "")
    await spaces.open_upload(CALL, "a", "r")
    await spaces.stage(CALL, "a", "r", 0, batch(["p"]))
    with pytest.raises(errors.ShapeMismatch, match="2 rows were announced, 1 arrived"):
        await spaces.commit(CALL, "a", "r", 2)


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a\nb"])
async def test_uploads_need_a_request_id(spaces, request_id):
    with pytest.raises(errors.InvalidArgument):
        await spaces.open_upload(CALL, "a", request_id)


async def test_pages_are_of_one_version_even_when_the_space_grows(spaces):
    await spaces.create(CALL, SPEC, "")
    await upload(spaces, list("bdfhj"))
    first = await spaces.read(CALL, "a", 0, [], 0, "")
    assert first.ids == ["b", "d", "f"]
    await upload(spaces, ["g"], "r2")
    second = await spaces.read(CALL, "a", 0, [], 0, first.next_page_token)
    assert (second.ids, second.use.version, second.next_page_token) == (["h", "j"], 1, "")
    with pytest.raises(errors.InvalidPageToken):
        await spaces.read(CALL, "a", 1, [], 0, first.next_page_token)


async def test_read_by_id_keeps_the_order_asked_and_names_what_is_missing(spaces):
    await spaces.create(CALL, SPEC, "")
    await upload(spaces, ["p", "q", "r"])
    page = await spaces.read(CALL, "a", 0, ["r", "p"], 0, "")
    assert page.ids == ["r", "p"]
    assert page.vectors.tolist() == [[1, 2], [1, 0]]
    with pytest.raises(errors.ItemNotFound, match="'zz'"):
        await spaces.read(CALL, "a", 0, ["p", "zz"], 0, "")


async def test_more_ids_than_fit_a_message_come_in_pages_of_one_version(spaces):
    await spaces.create(CALL, SPEC, "")
    await upload(spaces, list("bdfhj"))
    asked = list("jbhfd")
    first = await spaces.read(CALL, "a", 0, asked, 0, "")
    assert first.ids == ["j", "b", "h"]
    await upload(spaces, ["g"], "r2")
    second = await spaces.read(CALL, "a", 0, asked, 0, first.next_page_token)
    assert (second.ids, second.use.version, second.next_page_token) == (["f", "d"], 1, "")
    for other in (list("jbhf"), [], ["j"]):
        with pytest.raises(errors.InvalidPageToken):
            await spaces.read(CALL, "a", 0, other, 0, first.next_page_token)
    with pytest.raises(errors.ItemNotFound, match="'zz'"):
        await spaces.read(CALL, "a", 0, [*asked, "zz"], 0, "")


async def test_an_empty_space_reads_empty(spaces):
    await spaces.create(CALL, SPEC, "")
    page = await spaces.read(CALL, "a", 0, [], 0, "")
    assert (page.ids, page.vectors.shape, page.next_page_token) == ([], (0, 2), "")
    with pytest.raises(errors.ItemNotFound, match="empty"):
        await spaces.read(CALL, "a", 0, ["p"], 0, "")


async def test_listing_pages(spaces):
    for name in ("c", "a", "b"):
        await spaces.create(CALL, SpaceSpec(name, 2, Similarity.COSINE), "")
    first, token = await spaces.list(CALL, 2, "")
    rest, end = await spaces.list(CALL, 2, token)
    assert [record.spec.name for record in (*first, *rest)] == ["a", "b", "c"]
    assert end == ""
