import json

import pytest
from support.store_content import batch, spec, upload, vectors

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.adapters.store_format import FORMAT, check_format, write_format
from consilience_server.core.errors import CorruptData, StoreTooNew


def test_what_is_written_is_read(tmp_path):
    assert not check_format(tmp_path)
    write_format(tmp_path)
    assert check_format(tmp_path)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_store_is_refused_and_left_alone(tmp_path, read_only):
    LanceStore(tmp_path).close()
    (tmp_path / "format.json").write_text(json.dumps({"format": FORMAT + 1}))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(StoreTooNew, match=f"format {FORMAT + 1}"):
        LanceStore(tmp_path, read_only=read_only)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("text", ["", "{", "{}", '{"format": "1"}', '{"format": 0}', '{"format": true}', "[]"])
def test_a_damaged_format_file(tmp_path, text):
    (tmp_path / "format.json").write_text(text)
    with pytest.raises(CorruptData):
        check_format(tmp_path)


@pytest.mark.parametrize("missing", ["catalog.sqlite", "format.json"])
def test_a_store_that_lost_a_part_is_refused_and_its_vectors_stay(tmp_path, missing):
    store = LanceStore(tmp_path)
    store.create(spec())
    upload(store, "a", "r", batch(["x"], vectors(0, 1)))
    store.close()
    (tmp_path / missing).unlink()
    files = sorted(tmp_path.rglob("*.lance"))
    with pytest.raises(CorruptData, match=missing):
        LanceStore(tmp_path)
    assert sorted(tmp_path.rglob("*.lance")) == files
