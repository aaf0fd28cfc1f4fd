import numpy as np
import pytest
from support.memory_bridges import MemoryBridges
from support.memory_store import MemoryStore
from support.silent_metrics import SilentMetrics

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_space import DerivedSpaces
from consilience_server.app.memory_budget import Account
from consilience_server.app.pmi import Counts, PmiQuery, PmiSpaces, make
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import SpaceLimits, Spaces
from consilience_server.core import errors
from consilience_server.core.pmi import PmiOptions, pmi
from consilience_server.core.similarity import Similarity

IDS = ["d", "a", "c", "b"]
DENSE = np.array([[2.0, 4, 0, 1], [4, 0, 6, 0], [0, 6, 1, 3], [1, 0, 3, 8]])


def cells(dense=DENSE):
    rows, columns = np.nonzero(dense)
    return Counts(rows.astype(np.uint32), columns.astype(np.uint32), dense[rows, columns])


def query(**more):
    return PmiQuery(**{"name": "words", "ids": IDS, "contexts": 4, "rank": 3, **more})


@pytest.fixture
def house():
    metrics = SilentMetrics()
    store, account = MemoryStore(), Account(1 << 30, metrics)
    pool = ComputePool(1, 8, account, metrics)
    spaces = Spaces(store, MemoryBridges(), Snapshots(store, pool, account), account, SpaceLimits(4096, 512, 100_000, 1 << 20))
    made = PmiSpaces(DerivedSpaces(spaces), pool, 4096, 512)
    made.store = store
    return made


async def create(house, asked, counts=None, request_id="request"):
    seen = []
    await house.check(Call("pmi"), asked, request_id)
    await house.create(Call("pmi"), asked, counts or cells(), request_id, lambda report: seen.append(report) or b"")
    return seen[0]


async def test_the_space_holds_the_embedding_in_order_of_the_ids(house):
    told = await create(house, query(model="counts", modality="text"))
    kept = house.store.load("words", 1)
    assert kept.ids.tolist() == ["a", "b", "c", "d"]
    left, values, _ = np.linalg.svd(pmi(DENSE, PmiOptions()))
    order = [IDS.index(item) for item in "abcd"]
    expected = (left[:, :3] * np.sqrt(values[:3]))[order]
    np.testing.assert_allclose(np.abs(kept.vectors), np.abs(expected), atol=1e-6)
    np.testing.assert_allclose(told.singular_values, values[:3])
    assert (told.cells, told.total, told.dropped) == (11, 39.0, ())
    assert (told.record.spec.dim, told.record.spec.model, told.record.spec.similarity) == (3, "counts", Similarity.COSINE)


def test_neither_the_order_of_cells_nor_of_items_matters_and_doubles_add_up():
    one = make(query(), cells())
    order = np.random.default_rng(0).permutation(len(cells().values))
    shuffled = Counts(cells().rows[order], cells().columns[order], cells().values[order])
    np.testing.assert_array_equal(make(query(), shuffled).rows, one.rows)
    items = np.array([2, 0, 3, 1])
    turned = make(query(ids=[IDS[at] for at in items]), cells(DENSE[np.ix_(items, items)]))
    np.testing.assert_allclose(turned.rows, one.rows, atol=1e-6)
    halves = Counts(*(np.concatenate([part, part]) for part in (cells().rows, cells().columns, cells().values / 2)))
    np.testing.assert_array_equal(make(query(), halves).rows, one.rows)


def test_what_has_no_place_is_dropped_and_told():
    dense = np.pad(DENSE, ((0, 1), (0, 1)))
    made = make(query(ids=[*IDS, "never"], contexts=5), cells(dense))
    assert (made.ids, made.dropped) == (["a", "b", "c", "d"], ("never",))
    np.testing.assert_allclose(np.abs(made.rows), np.abs(make(query(), cells()).rows), atol=1e-6)


def test_a_kernel_is_the_largest_value_less_each():
    made = make(query(form="kernel", options=PmiOptions(positive=False, smoothing=1.0)), cells())
    values = pmi(DENSE, PmiOptions(positive=False, smoothing=1.0))
    order = [IDS.index(item) for item in "abcd"]
    values = values[np.ix_(order, order)]
    apart = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(made.rows, np.where(apart, values[apart].max() - values, 0), atol=1e-6)
    assert made.ids == ["a", "b", "c", "d"]


async def test_a_repetition_finds_the_space_and_another_request_is_refused(house):
    first = await create(house, query())
    assert (await create(house, query())).record == first.record
    with pytest.raises(errors.SpaceExists):
        await create(house, query(), request_id="another")


@pytest.mark.parametrize(
    ("asked", "counts", "kind", "field"),
    [
        (dict(name="No"), None, errors.InvalidName, "header.space_id"),
        (dict(ids=[], contexts=0), None, errors.InvalidArgument, "header.ids"),
        (dict(ids=["a", "a", "b", "c"]), None, errors.DuplicateId, "header.ids"),
        (dict(rank=5000), None, errors.InvalidArgument, "header.rank"),
        (dict(options=PmiOptions(context_smoothing=2)), None, errors.InvalidArgument, "header.context_smoothing"),
        (dict(form="kernel", contexts=5), None, errors.InvalidArgument, "header.contexts"),
        (dict(form="kernel"), cells(np.triu(DENSE)), errors.InvalidArgument, "counts"),
        (dict(options=PmiOptions(positive=False)), None, errors.InvalidArgument, "header.keep_negative"),
        (dict(), Counts(*(np.empty(0, t) for t in ("u4", "u4", "f8"))), errors.InvalidArgument, "counts"),
        (dict(), cells(0 * DENSE + 1), errors.InvalidArgument, "counts"),
        (dict(), Counts(np.uint32([0]), np.uint32([0]), np.array([0.0])), errors.InvalidArgument, "counts"),
        (dict(), Counts(np.uint32([0]), np.uint32([1]), np.array([-1.0])), errors.NotFinite, "counts.counts"),
        (dict(), Counts(np.uint32([0]), np.uint32([1]), np.array([np.nan])), errors.NotFinite, "counts.counts"),
        (dict(), Counts(np.uint32([4]), np.uint32([1]), np.array([1.0])), errors.ShapeMismatch, "counts.rows"),
        (dict(), Counts(np.uint32([1]), np.uint32([4]), np.array([1.0])), errors.ShapeMismatch, "counts.columns"),
    ],
)
async def test_what_cannot_be_is_refused_and_makes_no_space(house, asked, counts, kind, field):
    with pytest.raises(kind) as refused:
        await create(house, query(**asked), counts)
    assert refused.value.field == field
    assert house.store.records == {}
