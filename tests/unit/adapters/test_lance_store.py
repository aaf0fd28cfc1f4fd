import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from support.store_content import DIM, batch, content, expected, spec, upload, vectors

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.app.ports import AttributeColumn, DeleteOutcome, UploadState, UpsertOutcome
from consilience_server.app.upload_digest import UploadDigest
from consilience_server.core.errors import (
    DimensionMismatch,
    DuplicateId,
    InvalidAttribute,
    InvalidName,
    ItemNotFound,
    SpaceExists,
    SpaceNotFound,
    StoreLocked,
    StoreReadOnly,
    UploadConflict,
    UploadNotFound,
    VersionExpired,
)


@pytest.fixture
def store(tmp_path):
    opened = LanceStore(tmp_path / "store")
    opened.create(spec())
    yield opened
    opened.close()


def names(store, after="", limit=100):
    return [record.spec.name for record in store.list(after, limit)]


class TestSpaces:
    def test_a_new_space_is_empty_at_version_zero(self, store):
        record = store.get("a")
        assert (record.version, record.item_count, record.attributes) == (0, 0, {})
        assert record.create_time == record.update_time
        assert content(store, "a") == {}
        assert store.attributes("a", 0, []) == {}

    def test_names_are_unique_and_listed_in_byte_order(self, store):
        for name in ("b", "a-b", "a1"):
            store.create(spec(name))
        with pytest.raises(SpaceExists, match="'b'"):
            store.create(spec("b"))
        assert names(store) == ["a", "a-b", "a1", "b"]
        assert names(store, "a", 2) == ["a-b", "a1"]

    @pytest.mark.parametrize("name", ["", "A", "1a", "../x", "a" * 64, "a/b", "a\n"])
    def test_malformed_names_are_refused(self, store, name):
        with pytest.raises(InvalidName):
            store.create(spec(name))

    def test_create_repeats_by_request_id(self, store):
        first = store.create(spec("b"), "r")
        assert store.create(spec("b"), "r") == first
        with pytest.raises(UploadConflict, match="other properties"):
            store.create(replace(spec("b"), dim=5), "r")
        with pytest.raises(SpaceExists):
            store.create(spec("b"), "other")

    def test_a_space_made_anew_has_another_uid_and_nothing_of_the_old(self, store):
        upload(store, "a", "r", batch(["x"], vectors(0, 1)))
        old = store.get("a").uid
        store.delete("a")
        with pytest.raises(SpaceNotFound):
            store.get("a")
        assert store.create(spec()).uid != old
        assert content(store, "a") == {}
        with pytest.raises(UploadNotFound):
            store.upload_state("a", "r")

    def test_a_removal_repeats_by_request_id_even_after_a_restart(self, store, tmp_path):
        store.delete("a", "gone")
        store.delete("a", "gone")
        for request_id in ("other", ""):
            with pytest.raises(SpaceNotFound):
                store.delete("a", request_id)
        made_anew, other = store.create(spec()), store.create(spec("b"))
        store.close()
        again = LanceStore(tmp_path / "store")
        again.delete("a", "gone")
        with pytest.raises(UploadConflict, match="'a' before, not 'b'") as refusal:
            again.delete("b", "gone")
        assert refusal.value.field == "request_id"
        assert (again.get("a"), again.get("b")) == (made_anew, other), "the repetition is of the earlier removal"
        again.maintain(0, 0)
        again.delete("a", "gone")
        with pytest.raises(SpaceNotFound):
            again.get("a")
        again.close()

    def test_two_removals_of_one_request_at_once_both_succeed(self, store):
        for attempt in range(10):
            store.create(spec("b"))
            with ThreadPoolExecutor(4) as pool:
                for done in [pool.submit(store.delete, "b", f"gone-{attempt}") for _ in range(4)]:
                    done.result()

    def test_all_of_the_spec_is_kept(self, store):
        full = replace(spec("full"), modality="image", model="clip", layer="3", group="clip-layers")
        store.create(full)
        assert store.get("full").spec == full


class TestUploads:
    def test_one_upload_of_many_batches_is_one_version_in_byte_order(self, store):
        # Byte order of UTF-8 is code point order, where UTF-16 would put the last before "\ue000".
        ids = ["b", "a", "Ä", "B", "\ue000", "a0", "\U0001f600"]
        matrix = vectors(1, len(ids))
        outcome = upload(store, "a", "r", batch(ids[:3], matrix[:3]), batch(ids[3:], matrix[3:]))
        assert outcome == UpsertOutcome(1, len(ids), 0, 0)
        assert content(store, "a") == expected(ids, matrix)
        assert list(store.load("a").ids) == sorted(ids, key=str.encode)
        assert store.get("a").item_count == len(ids)

    def test_every_version_is_counted_without_reading_it(self, store):
        upload(store, "a", "r", batch(["p", "q"], vectors(1, 2)))
        store.delete_items("a", ["p", "q"])
        assert [store.count("a", version) for version in (1, 2)] == [2, 0]
        with pytest.raises(VersionExpired):
            store.count("a", 3)

    def test_vectors_come_back_bit_for_bit(self, store):
        odd = np.array([[-0.0, 1e-45, 3.4e38, 1.0]], dtype=np.float32)
        upload(store, "a", "r", batch(["x"], odd))
        assert content(store, "a")["x"] == odd.tobytes()

    def test_counts_and_versions_of_a_mixed_upload(self, store):
        matrix = vectors(2, 4)
        upload(store, "a", "1", batch(["w", "x", "y"], matrix[:3]))
        changed = matrix.copy()
        changed[1] += 1
        outcome = upload(store, "a", "2", batch(["z", "y"], changed[[3, 2]]), batch(["x"], changed[[1]]))
        assert outcome == UpsertOutcome(2, inserted=1, replaced=1, unchanged=1)
        assert content(store, "a") == expected(["w", "x", "y", "z"], changed)
        assert content(store, "a", 1) == expected(["w", "x", "y"], matrix[:3])

    def test_an_upload_that_changes_nothing_makes_no_version(self, store):
        part = batch(["x", "y"], vectors(3, 2), n=("integer", [1, None]), r=("real", [0.0, None]))
        upload(store, "a", "1", part)
        assert upload(store, "a", "2", part) == UpsertOutcome(1, 0, 0, 2)
        assert upload(store, "a", "3", batch(["x"], part.vectors[:1])) == UpsertOutcome(1, 0, 0, 1)
        assert store.get("a").version == 1

    @pytest.mark.parametrize(("before", "after"), [(0.0, -0.0), (1.0, None), (None, 1.0)])
    def test_a_real_attribute_is_compared_by_its_bits(self, store, before, after):
        upload(store, "a", "1", batch(["x"], vectors(3, 1), r=("real", [before])))
        assert upload(store, "a", "2", batch(["x"], vectors(3, 1), r=("real", [after]))).replaced == 1
        assert str(store.attributes("a", 0, ["x"])["r"].values[0]) == str(after)

    def test_minus_zero_in_a_vector_is_a_change(self, store):
        upload(store, "a", "1", batch(["x"], [[0.0, 1, 1, 1]]))
        assert upload(store, "a", "2", batch(["x"], [[-0.0, 1, 1, 1]])).replaced == 1

    def test_an_empty_upload_commits_to_nothing(self, store):
        assert upload(store, "a", "1") == UpsertOutcome(0, 0, 0, 0)
        assert upload(store, "a", "2", batch([], np.empty((0, DIM)))) == UpsertOutcome(0, 0, 0, 0)

    def test_nothing_is_visible_before_the_commit(self, store):
        store.open_upload("a", "r")
        store.stage("a", "r", 0, batch(["x"], vectors(0, 1)))
        assert content(store, "a") == {}
        assert store.get("a").version == 0
        assert store.upload_state("a", "r") == UploadState(1, None)

    def test_rows_must_continue_what_is_staged(self, store):
        store.open_upload("a", "r")
        store.stage("a", "r", 0, batch(["x"], vectors(0, 1)))
        for row in (0, 2):
            with pytest.raises(UploadConflict) as refusal:
                store.stage("a", "r", row, batch(["y"], vectors(0, 1)))
            assert refusal.value.metadata["staged_rows"] == "1"

    @pytest.mark.parametrize("ids", [["y", "x"], ["y", "z", "y"]])
    def test_a_repeated_id_is_named_and_nothing_of_its_batch_stays(self, store, ids):
        store.open_upload("a", "r")
        store.stage("a", "r", 0, batch(["x"], vectors(0, 1)))
        with pytest.raises(DuplicateId, match=f"'{ids[-1]}'"):
            store.stage("a", "r", 1, batch(ids, vectors(0, len(ids))))
        assert store.stage("a", "r", 1, batch(["y"], vectors(0, 1))) == 2

    def test_a_commit_repeats_its_answer_and_takes_no_more_rows(self, store):
        outcome = upload(store, "a", "r", batch(["x"], vectors(0, 1)))
        upload(store, "a", "later", batch(["x"], vectors(9, 1)))
        assert store.commit("a", "r") == outcome
        assert (
            store.open_upload("a", "r")
            == store.upload_state("a", "r")
            == replace(UploadState(1, outcome), digest=store.upload_state("a", "r").digest)
        )
        with pytest.raises(UploadConflict, match="committed as version 1"):
            store.stage("a", "r", 1, batch(["y"], vectors(0, 1)))
        store.discard_upload("a", "r")
        assert store.commit("a", "r") == outcome
        assert store.get("a").version == 2

    def test_an_unknown_upload(self, store):
        for call in (
            lambda: store.commit("a", "r"),
            lambda: store.upload_state("a", "r"),
            lambda: store.stage("a", "r", 0, batch(["x"], vectors(0, 1))),
        ):
            with pytest.raises(UploadNotFound):
                call()

    def test_a_discarded_upload_is_gone_from_the_disk_too(self, store, tmp_path):
        store.open_upload("a", "r")
        store.stage("a", "r", 0, batch(["x"], vectors(0, 1)))
        assert list(tmp_path.rglob("*.batch"))
        store.discard_upload("a", "r")
        assert not list(tmp_path.rglob("*.batch"))
        with pytest.raises(UploadNotFound):
            store.upload_state("a", "r")
        assert store.open_upload("a", "r") == UploadState(0, None)

    def test_vectors_of_another_width(self, store):
        store.open_upload("a", "r")
        with pytest.raises(DimensionMismatch):
            store.stage("a", "r", 0, batch(["x"], vectors(0, 1, DIM + 1)))

    def test_reopened_a_store_goes_on_with_an_upload(self, store, tmp_path):
        store.open_upload("a", "r")
        store.stage("a", "r", 0, batch(["x", "y"], vectors(0, 2), n=("integer", [1, 2])))
        store.close()
        again = LanceStore(tmp_path / "store")
        assert again.open_upload("a", "r") == UploadState(2, None)
        with pytest.raises(DuplicateId, match="'y'"):
            again.stage("a", "r", 2, batch(["y"], vectors(0, 1)))
        with pytest.raises(InvalidAttribute, match="integer"):
            again.stage("a", "r", 2, batch(["z"], vectors(0, 1), n=("string", ["1"])))
        again.stage("a", "r", 2, batch(["z"], vectors(1, 1)))
        outcome = again.commit("a", "r")
        assert outcome == UpsertOutcome(1, 3, 0, 0)
        again.close()
        third = LanceStore(tmp_path / "store")
        assert third.commit("a", "r") == outcome
        # The rows were staged by two processes; their digest is that of all of them, cut anyhow.
        digest = UploadDigest()
        digest.add(batch(["x"], vectors(0, 2)[:1], n=("integer", [1])))
        digest.add(batch(["y"], vectors(0, 2)[1:], n=("integer", [2])))
        digest.add(batch(["z"], vectors(1, 1)))
        assert third.upload_state("a", "r").digest == digest.hexdigest()
        assert content(third, "a") == expected(["x", "y", "z"], [*vectors(0, 2), *vectors(1, 1)])
        third.close()

    def test_two_uploads_at_once_into_one_space_are_two_versions(self, store):
        for request in ("1", "2"):
            store.open_upload("a", request)
        store.stage("a", "1", 0, batch(["x"], vectors(1, 1)))
        store.stage("a", "2", 0, batch(["x"], vectors(2, 1)))
        assert store.commit("a", "2").inserted == 1
        assert store.commit("a", "1") == UpsertOutcome(2, 0, 1, 0)
        assert content(store, "a") == expected(["x"], vectors(1, 1))


class TestAttributes:
    def test_types_nulls_and_order(self, store):
        columns = {
            "label": ("string", ["p", None, ""]),
            "n": ("integer", [-(2**63), 2**63 - 1, None]),
            "r": ("real", [None, 0.1, float("nan")]),
            "flag": ("boolean", [True, False, None]),
        }
        upload(store, "a", "1", batch(["x", "y", "z"], vectors(0, 3), **columns))
        assert dict(store.get("a").attributes) == {name: kind for name, (kind, _) in columns.items()}
        assert list(store.get("a").attributes) == sorted(columns)
        read = store.attributes("a", 1, ["z", "x", "z", "y"])
        for name, (kind, values) in columns.items():
            assert read[name].type == kind
            assert repr(list(read[name].values)) == repr([values[row] for row in (2, 0, 2, 1)])

    def test_a_column_appears_when_first_uploaded_and_only_in_later_versions(self, store):
        upload(store, "a", "1", batch(["x"], vectors(0, 1)))
        upload(store, "a", "2", batch(["y"], vectors(1, 1), label=("string", ["l"])), batch(["z"], vectors(2, 1)))
        assert store.attributes("a", 1, ["x"]) == {}
        assert store.attributes("a", 2, ["x", "y", "z"]) == {"label": AttributeColumn("string", [None, "l", None])}

    def test_columns_that_an_upload_does_not_carry_keep_their_values(self, store):
        upload(store, "a", "1", batch(["x", "y"], vectors(0, 2), label=("string", ["l", "m"]), n=("integer", [1, 2])))
        outcome = upload(store, "a", "2", batch(["y", "x"], vectors(5, 2), n=("integer", [3, 1])))
        assert outcome.replaced == 2
        assert store.attributes("a", 0, ["x", "y"]) == {
            "label": AttributeColumn("string", ["l", "m"]),
            "n": AttributeColumn("integer", [1, 3]),
        }

    def test_a_change_of_an_attribute_alone_is_a_version(self, store):
        upload(store, "a", "1", batch(["x"], vectors(0, 1), n=("integer", [1])))
        assert upload(store, "a", "2", batch(["x"], vectors(0, 1), n=("integer", [None]))) == UpsertOutcome(2, 0, 1, 0)
        assert store.attributes("a", 1, ["x"])["n"].values == [1]
        assert store.attributes("a", 2, ["x"])["n"].values == [None]

    def test_a_new_column_of_nulls_alone_changes_nothing(self, store):
        upload(store, "a", "1", batch(["x"], vectors(0, 1)))
        assert upload(store, "a", "2", batch(["x"], vectors(0, 1), n=("integer", [None]))) == UpsertOutcome(1, 0, 0, 1)
        assert store.get("a").attributes == {}

    def test_a_change_of_type_is_refused_at_the_commit_too(self, store):
        store.open_upload("a", "1")
        store.stage("a", "1", 0, batch(["x"], vectors(0, 1), n=("integer", [1])))
        upload(store, "a", "2", batch(["x"], vectors(0, 1), n=("string", ["1"])))
        with pytest.raises(InvalidAttribute, match="'n' is of type string in this space, not integer"):
            store.commit("a", "1")
        assert store.get("a").version == 1

    @pytest.mark.parametrize(("kind", "value"), [("integer", "1"), ("integer", 2**63), ("string", 1), ("boolean", 1), ("real", "1")])
    def test_values_that_are_not_of_the_type(self, store, kind, value):
        store.open_upload("a", "1")
        with pytest.raises(InvalidAttribute, match="'n'"):
            store.stage("a", "1", 0, batch(["x"], vectors(0, 1), n=(kind, [value])))
        assert store.upload_state("a", "1").staged_rows == 0

    def test_names_that_mean_something_to_a_query_language(self, store):
        columns = {name: ("integer", [row]) for row, name in enumerate(["select", "a.b", "x y", "id", "vector", '"'])}
        upload(store, "a", "1", batch(["x"], vectors(0, 1), **columns))
        assert {name: column.values for name, column in store.attributes("a", 0, ["x"]).items()} == {
            name: values for name, (_, values) in columns.items()
        }

    def test_absent_items_are_named(self, store):
        upload(store, "a", "1", batch(["x"], vectors(0, 1)))
        with pytest.raises(ItemNotFound, match="'nope'"):
            store.attributes("a", 0, ["x", "nope"])


class TestDeletes:
    def test_items_go_as_one_version_and_absent_ones_are_counted_once(self, store):
        upload(store, "a", "1", batch(["x", "y", "it's"], vectors(0, 3)))
        assert store.delete_items("a", ["it's", "x", "nope", "nope", "x"]) == DeleteOutcome(2, 2, 1)
        assert content(store, "a") == expected(["y"], vectors(0, 3)[1:2])
        assert len(content(store, "a", 1)) == 3

    def test_nothing_to_delete_makes_no_version(self, store):
        assert store.delete_items("a", ["x"]) == DeleteOutcome(0, 0, 1)
        upload(store, "a", "1", batch(["x"], vectors(0, 1)))
        assert store.delete_items("a", []) == DeleteOutcome(1, 0, 0)
        assert store.delete_items("a", ["y"], "r") == DeleteOutcome(1, 0, 1)

    def test_a_space_may_be_emptied_and_filled_again(self, store):
        upload(store, "a", "1", batch(["x"], vectors(0, 1), n=("integer", [1])))
        store.delete_items("a", ["x"])
        assert content(store, "a") == {}
        assert upload(store, "a", "2", batch(["x"], vectors(0, 1))) == UpsertOutcome(3, 1, 0, 0)
        assert store.attributes("a", 0, ["x"])["n"].values == [None]

    def test_a_request_id_answers_the_same_for_the_same_ids_only(self, store):
        upload(store, "a", "1", batch(["x", "y"], vectors(0, 2)))
        first = store.delete_items("a", ["x", "z"], "r")
        upload(store, "a", "2", batch(["x"], vectors(0, 1)))
        assert store.delete_items("a", ["z", "x"], "r") == first
        assert "x" in content(store, "a")
        with pytest.raises(UploadConflict):
            store.delete_items("a", ["y"], "r")


class TestVersions:
    def test_versions_that_never_were(self, store):
        upload(store, "a", "1", batch(["x"], vectors(0, 1)))
        for call in (lambda: store.load("a", 2), lambda: store.attributes("a", 7, ["x"])):
            with pytest.raises(VersionExpired):
                call()
        with pytest.raises(VersionExpired, match="version 2 of space 'a'"), store.pin(store.get("a").uid, 2):
            pass
        uid = store.get("a").uid
        store.delete("a")
        with pytest.raises(VersionExpired, match="version 1 of a space that was deleted"), store.pin(uid, 1):
            pass

    def test_an_old_version_reads_the_same_bytes_while_pinned_and_is_expired_after(self, store):
        upload(store, "a", "1", batch(["x", "y", "kept"], vectors(0, 3), n=("integer", [1, 2, 0])))
        first = content(store, "a")
        uid = store.get("a").uid
        with store.pin(uid, 1), store.pin(uid, 1):
            upload(store, "a", "2", batch(["x"], vectors(1, 1), n=("integer", [3])))
            upload(store, "a", "3", batch(["z"], vectors(2, 1)))
            store.delete_items("a", ["y"])
            newest = content(store, "a")
            report = store.maintain(0, 1e6)
            assert report.removed_versions == 2
            assert report.compacted_spaces == 1
            store.maintain(0, 1e6)
            assert content(store, "a", 1) == first
            assert store.attributes("a", 1, ["x", "y"])["n"].values == [1, 2]
            with pytest.raises(VersionExpired):
                store.load("a", 2)
        report = store.maintain(0, 1e6)
        assert report.removed_versions == 1
        assert report.removed_bytes > 0
        with pytest.raises(VersionExpired):
            store.load("a", 1)
        assert content(store, "a") == newest
        assert store.get("a").version == 4

    def test_versions_younger_than_the_limit_stay(self, store):
        for request in range(3):
            upload(store, "a", str(request), batch(["x"], vectors(request, 1)))
        assert store.maintain(3600, 3600).removed_versions == 0
        assert content(store, "a", 1) == expected(["x"], vectors(0, 1))

    def test_many_small_uploads_are_compacted_without_a_new_version(self, store):
        for row in range(66):
            upload(store, "a", str(row), batch([f"i{row:02d}"], vectors(row, 1)))
        before = content(store, "a")
        record = store.get("a")
        report = store.maintain(0, 0)
        assert (report.compacted_spaces, report.removed_versions) == (1, 65)
        assert store.get("a") == record
        assert content(store, "a") == before
        assert len(list(store._commits.directory(record.uid).glob("data/*"))) == 1
        assert store.maintain(0, 0).compacted_spaces == 0
        upload(store, "a", "more", batch(["zz"], vectors(99, 1)))
        assert store.get("a").version == 67

    def test_idle_uploads_and_old_receipts_expire(self, store, tmp_path):
        upload(store, "a", "done", batch(["x"], vectors(0, 1)))
        store.open_upload("a", "r")
        store.stage("a", "r", 0, batch(["y"], vectors(0, 1)))
        assert store.maintain(3600, 3600).expired_uploads == 0
        assert store.upload_state("a", "r").staged_rows == 1
        report = store.maintain(0, 0)
        assert report.expired_uploads == 1
        assert report.removed_bytes > 0
        assert not list(tmp_path.rglob("*.batch"))
        for request in ("r", "done"):
            with pytest.raises(UploadNotFound):
                store.upload_state("a", request)

    def test_sizes(self, store):
        store.create(spec("b"))
        for request in ("1", "2"):
            upload(store, "a", request, batch(["x"], vectors(int(request), 1)))
        sizes = store.sizes()
        assert (sizes["spaces"], sizes["versions"]) == (2, 2)
        on_disk = sum(path.stat().st_size for path in store._root.rglob("*") if path.is_file())
        assert sizes["bytes"] == on_disk


class TestReadOnly:
    def test_a_reader_sees_the_writers_commits_and_keeps_its_versions(self, store, tmp_path):
        reader = LanceStore(tmp_path / "store", read_only=True)
        assert reader.read_only
        assert not store.read_only
        upload(store, "a", "1", batch(["x"], vectors(0, 1)))
        assert content(reader, "a") == expected(["x"], vectors(0, 1))
        with reader.pin(reader.get("a").uid, 1):
            upload(store, "a", "2", batch(["x"], vectors(1, 1)))
            store.maintain(0, 0)
            assert content(reader, "a", 1) == expected(["x"], vectors(0, 1))
        store.maintain(0, 0)
        with pytest.raises(VersionExpired):
            reader.load("a", 1)
        reader.close()

    def test_every_write_is_refused(self, store, tmp_path):
        reader = LanceStore(tmp_path / "store", read_only=True)
        for call in (
            lambda: reader.create(spec("b")),
            lambda: reader.delete("a"),
            lambda: reader.open_upload("a", "r"),
            lambda: reader.stage("a", "r", 0, batch(["x"], vectors(0, 1))),
            lambda: reader.commit("a", "r"),
            lambda: reader.discard_upload("a", "r"),
            lambda: reader.delete_items("a", ["x"]),
            lambda: reader.maintain(0, 0),
        ):
            with pytest.raises(StoreReadOnly):
                call()
        reader.close()

    def test_there_must_be_a_store(self, tmp_path):
        with pytest.raises(StoreReadOnly, match="no store"):
            LanceStore(tmp_path / "none", read_only=True)
        assert not (tmp_path / "none").exists()


def test_a_closed_store_refuses_and_the_next_opener_may(store, tmp_path):
    store.close()
    store.close()
    with pytest.raises(StoreLocked, match="closed"):
        store.get("a")
    LanceStore(tmp_path / "store").close()


def test_another_process_id_is_refused(store, monkeypatch):
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    for call in (lambda: store.get("a"), lambda: store.load("a"), lambda: store.create(spec("b"))):
        with pytest.raises(StoreLocked, match=f"process {real}"):
            call()


def test_threads_read_whole_versions_while_others_write(store):
    """Each version has all vectors equal to its number, so a mixture would show."""
    stop = threading.Event()

    def write():
        for version in range(1, 13):
            upload(store, "a", str(version), batch([f"i{row}" for row in range(8)], np.full((8, DIM), version)))
            if version % 4 == 0:
                store.maintain(0, 3600)
        stop.set()

    def read():
        seen = 0
        while not stop.is_set():
            data = store.load("a")
            assert (data.vectors == data.version).all()
            assert data.version >= seen
            seen = data.version
        return seen

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        pool.submit(write).result()
        stop.set()
        for reader in readers:
            reader.result()
    assert store.get("a").version == 12
