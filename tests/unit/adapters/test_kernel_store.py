"""Kernel spaces in the store: the matrix is one thing, each upload replaces it, earlier versions stay."""

import numpy as np
import pytest

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.app.ports import AttributeColumn, Batch, SpaceSpec, UpsertOutcome
from consilience_server.core.errors import DimensionMismatch, InvalidKernel
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity

SPEC = SpaceSpec("rdm", 0, Similarity.INNER_PRODUCT, modality="image", kernel=KernelKind.EUCLIDEAN)


@pytest.fixture
def store(tmp_path):
    opened = LanceStore(tmp_path / "store")
    opened.create(SPEC, "made")
    yield opened
    opened.close()


def matrix(n, seed=0):
    upper = np.triu(np.random.default_rng(seed).random((n, n), dtype=np.float32), 1)
    return upper + upper.T


def ids(n):
    return [f"{row:03d}" for row in range(n)]


def upload(store, request, names, values, attributes=None, cut=None):
    store.open_upload("rdm", request)
    for start in range(0, len(names), cut or len(names)):
        part = slice(start, start + (cut or len(names)))
        columns = {name: AttributeColumn(kind, column[part]) for name, (kind, column) in (attributes or {}).items()}
        store.stage("rdm", request, start, Batch(names[part], values[part], columns))
    return store.commit("rdm", request)


def test_what_a_kernel_is_survives_reopening(store, tmp_path):
    upload(store, "one", ids(4), matrix(4))
    store.close()
    again = LanceStore(tmp_path / "store")
    record = again.create(SPEC, "made")
    assert (record.spec, record.item_count, record.width) == (SPEC, 4, 4)
    assert again.load("rdm").vectors.tobytes() == matrix(4).tobytes()
    again.close()


def test_an_empty_kernel_reads_as_nothing(store):
    assert store.load("rdm").vectors.shape == (0, 0)
    assert store.get("rdm").width == 0


def test_an_upload_in_parts_is_one_version_and_can_be_read_back_before_its_commit(store):
    store.open_upload("rdm", "one")
    for start in range(0, 5, 2):
        store.stage("rdm", "one", start, Batch(ids(5)[start : start + 2], matrix(5)[start : start + 2]))
    staged = store.staged("rdm", "one")
    assert (list(staged.ids), staged.vectors.tobytes()) == (ids(5), matrix(5).tobytes())
    assert store.commit("rdm", "one") == UpsertOutcome(1, 5, 0, 0)


@pytest.mark.parametrize("n", [3, 6, 9])
def test_an_upload_replaces_the_matrix_whole(store, n):
    upload(store, "one", ids(6), matrix(6))
    names = ids(n + 1)[1:]
    outcome = upload(store, "two", names, matrix(n, 1), cut=2)
    known = len(set(names) & set(ids(6)))
    assert (outcome.version, outcome.inserted, outcome.replaced + outcome.unchanged) == (2, n - known, known)
    newest, first = store.load("rdm"), store.load("rdm", 1)
    assert (list(newest.ids), newest.vectors.tobytes()) == (names, matrix(n, 1).tobytes())
    assert (list(first.ids), first.vectors.tobytes()) == (ids(6), matrix(6).tobytes())
    assert (store.get("rdm").item_count, store.count("rdm", 1), store.count("rdm", 2)) == (n, 6, n)


def test_the_same_matrix_again_makes_no_version(store):
    upload(store, "one", ids(6), matrix(6), {"label": ("string", list("aabbcc"))})
    assert upload(store, "two", ids(6), matrix(6)) == UpsertOutcome(1, 0, 0, 6)
    assert upload(store, "three", ids(6), matrix(6), {"label": ("string", list("aabbcd"))}) == UpsertOutcome(2, 0, 1, 5)


def test_a_part_of_what_is_stored_is_another_matrix(store):
    upload(store, "one", ids(6), matrix(6))
    part = matrix(6)[:3, :3]
    assert upload(store, "two", ids(3), part).version == 2
    assert store.load("rdm").vectors.tobytes() == np.ascontiguousarray(part).tobytes()


def test_attributes_that_are_not_sent_are_carried_over(store):
    upload(store, "one", ids(4), matrix(4), {"label": ("string", ["a", None, "c", "d"])})
    upload(store, "two", ids(5)[1:], matrix(4, 1), {"n": ("integer", [1, 2, 3, 4])})
    told = {name: list(column.values) for name, column in store.attributes("rdm", 2, ids(5)[1:]).items()}
    assert told == {"label": [None, "c", "d", None], "n": [1, 2, 3, 4]}


def test_rows_of_one_upload_have_one_width(store):
    store.open_upload("rdm", "one")
    store.stage("rdm", "one", 0, Batch(ids(2), matrix(4)[:2]))
    with pytest.raises(DimensionMismatch, match="4 columns"):
        store.stage("rdm", "one", 2, Batch(ids(4)[2:], matrix(5)[:2]))


@pytest.mark.parametrize("rows", [3, 5])
def test_a_matrix_that_is_not_all_there_is_never_committed(store, rows):
    upload(store, "one", ids(4), matrix(4))
    with pytest.raises(InvalidKernel, match=f"{rows} rows of 4 entries of a kernel"):
        upload(store, "two", ids(rows), matrix(6)[:rows, :4])
    assert store.get("rdm").version == 1


def test_an_upload_goes_on_after_a_restart(store, tmp_path):
    store.open_upload("rdm", "one")
    store.stage("rdm", "one", 0, Batch(ids(2), matrix(4)[:2]))
    store.close()
    again = LanceStore(tmp_path / "store")
    assert again.open_upload("rdm", "one").staged_rows == 2
    again.stage("rdm", "one", 2, Batch(ids(4)[2:], matrix(4)[2:]))
    assert again.commit("rdm", "one").version == 1
    assert again.load("rdm").vectors.tobytes() == matrix(4).tobytes()
    again.close()


def test_maintenance_keeps_the_newest_matrix(store):
    for number in range(3):
        upload(store, f"upload {number}", ids(4 + number), matrix(4 + number, number))
    assert store.maintain(0, 0).removed_versions == 2
    assert store.load("rdm").vectors.tobytes() == matrix(6, 2).tobytes()
