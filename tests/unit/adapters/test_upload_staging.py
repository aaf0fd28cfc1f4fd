import errno

import pytest
from support.store_content import DIM, batch, vectors

from consilience_server.adapters import durable_files
from consilience_server.adapters.upload_staging import StagedUpload, upload_directory
from consilience_server.core.errors import CorruptData


@pytest.fixture
def staged(tmp_path):
    upload = StagedUpload(tmp_path / "up", DIM)
    for part in range(3):
        upload.append(2 * part, batch([f"{part}a", f"{part}b"], vectors(part, 2), n=("integer", [part, None])))
    return upload


def resumed(staged):
    return StagedUpload.resume(staged.directory, DIM)


def test_an_upload_is_resumed_with_rows_ids_and_types(staged):
    again = resumed(staged)
    assert (again.rows, again.types, again.files) == (6, {"n": "integer"}, staged.files)
    read = again.read()
    assert [item for rows in read for item in rows.ids.to_pylist()] == ["0a", "0b", "1a", "1b", "2a", "2b"]
    assert read[1].vectors.to_pylist() == vectors(1, 2).tolist()
    assert read[1].attributes["n"].to_pylist() == [1, None]


def test_every_flipped_byte_drops_its_batch_and_those_after(staged):
    path = staged.files[1]
    good, last = path.read_bytes(), staged.files[2].read_bytes()
    for position in range(0, len(good), 13):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x80]) + good[position + 1 :])
        assert resumed(staged).rows == 2
        assert not path.exists()
        path.write_bytes(good)
        staged.files[2].write_bytes(last)
    assert resumed(staged).rows == 6


@pytest.mark.parametrize("length", [0, 10, 64, 200, -1])
def test_a_torn_batch_is_dropped_when_resumed(staged, length):
    path = staged.files[2]
    path.write_bytes(path.read_bytes()[:length])
    again = resumed(staged)
    assert again.rows == 4
    assert again.append(4, batch(["2a"], vectors(9, 1))) == 5
    assert resumed(again).rows == 5


def test_a_gap_ends_the_upload_there(staged):
    staged.files[1].unlink()
    assert resumed(staged).rows == 2
    assert not staged.files[2].exists()


def test_damage_after_the_acknowledgement_is_an_error_not_a_loss(staged):
    path = staged.files[1]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptData):
        staged.read()
    staged.files[1].write_bytes(staged.files[0].read_bytes())
    with pytest.raises(CorruptData):
        staged.read()


def test_trouble_of_the_machine_drops_nothing(staged, monkeypatch):
    def refuse(path):
        raise OSError(errno.EMFILE, "Too many open files", path)

    with monkeypatch.context() as patched:
        patched.setattr("pyarrow.memory_map", refuse)
        with pytest.raises(OSError, match="Too many"):
            resumed(staged)
    assert resumed(staged).rows == 6


def test_a_batch_that_could_not_be_written_leaves_nothing(staged, monkeypatch):
    def refuse(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(durable_files.os, "fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            staged.append(6, batch(["z"], vectors(0, 1)))
    assert sorted(path.name for path in staged.directory.iterdir()) == sorted(path.name for path in staged.files)
    assert staged.append(6, batch(["z"], vectors(0, 1))) == 7


def test_request_ids_never_lead_elsewhere(tmp_path):
    directories = {upload_directory(tmp_path, "u" * 32, text) for text in ("../../x", "/etc", "", "a\0b", "ä" * 128)}
    assert len(directories) == 5
    assert all(path.parent == tmp_path / ("u" * 32) and path.name.isalnum() for path in directories)
