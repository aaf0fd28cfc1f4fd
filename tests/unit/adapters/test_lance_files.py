import pytest
from support.store_content import batch, content, spec, upload, vectors

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.core.errors import CorruptData


@pytest.fixture
def store(tmp_path):
    opened = LanceStore(tmp_path / "store")
    opened.create(spec())
    upload(opened, "a", "1", batch(["x", "y"], vectors(0, 2), n=("integer", [1, 2])))
    opened.delete_items("a", ["y"])
    yield opened
    opened.close()


def listed(store):
    record = store.get("a")
    files = store._catalog.files(store._catalog.layout(record.uid, record.version))
    return [store._commits.directory(record.uid) / file.path for file in files]


def test_the_catalog_lists_every_kind_of_file(store):
    assert {path.parent.name for path in listed(store)} == {"data", "_versions", "_deletions", "_transactions"}


@pytest.mark.parametrize("kind", ["data", "_versions", "_deletions"])
def test_every_flipped_byte_is_noticed_and_never_an_answer(store, kind):
    path = next(path for path in listed(store) if path.parent.name == kind)
    good = path.read_bytes()
    for position in range(0, len(good), max(1, len(good) // 25)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 4]) + good[position + 1 :])
        for call in (lambda: store.load("a"), lambda: store.attributes("a", 0, ["x"]), lambda: store.delete_items("a", ["x"])):
            with pytest.raises(CorruptData):
                call()
    path.write_bytes(good[:-1])
    with pytest.raises(CorruptData):
        store.load("a")
    path.unlink()
    with pytest.raises(CorruptData):
        store.load("a")
    path.write_bytes(good)
    assert list(content(store, "a")) == ["x"]
    assert store.attributes("a", 0, ["x"])["n"].values == [1]


def test_damage_is_not_compacted_into_new_files(store):
    path = next(path for path in listed(store) if path.parent.name == "data")
    store.load("a")
    status = path.stat()
    good = path.read_bytes()
    path.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    with pytest.raises(CorruptData):
        store.maintain(3600, 3600)
    assert path.stat().st_size == status.st_size
    assert store.get("a").version == 2


def test_files_that_no_version_needs_are_swept_when_opened(store, tmp_path):
    directory = store._commits.directory(store.get("a").uid)
    before = content(store, "a")
    store.close()
    debris = [directory / "data" / "stray.lance", directory / "_versions" / f"{2**64 - 1 - 99:020d}.manifest"]
    for path in debris:
        path.write_bytes(b"torn")
    unknown = [tmp_path / "store" / "spaces" / ("f" * 32 + ".lance"), tmp_path / "store" / "uploads" / ("e" * 32)]
    for path in unknown:
        path.mkdir(parents=True)
    again = LanceStore(tmp_path / "store")
    assert not any(path.exists() for path in [*debris, *unknown])
    assert content(again, "a") == before
    assert upload(again, "a", "3", batch(["z"], vectors(3, 1))).version == 3
    again.close()
