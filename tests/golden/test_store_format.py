"""A store written by each format so far, kept as files: whatever we change, these must open and read the same.

`python tests/golden/test_store_format.py <folder>` writes the one of today; commit it as `store_format_<n>`
whenever the format's number is raised.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.adapters.store_format import FORMAT
from consilience_server.app.ports import AttributeColumn, Batch, SpaceSpec, UploadState, UpsertOutcome
from consilience_server.core.similarity import Similarity

FOLDER = Path(__file__).parent
SPEC = SpaceSpec("clip-l14", 3, Similarity.INNER_PRODUCT, modality="image", model="clip", layer="7", group="clip")
FIRST = np.array([[1, 2, 3], [4, 5, 6], [-0.0, 1e-45, 3e38]], dtype=np.float32)


def write(folder):
    store = LanceStore(folder)
    store.create(SPEC, "made")
    store.open_upload("clip-l14", "first")
    store.stage("clip-l14", "first", 0, Batch(["b", "ä", "a"], FIRST, {"label": AttributeColumn("string", ["x", None, "ü"])}))
    store.commit("clip-l14", "first")
    store.open_upload("clip-l14", "second")
    columns = {
        "n": AttributeColumn("integer", [2**63 - 1]),
        "r": AttributeColumn("real", [0.1]),
        "flag": AttributeColumn("boolean", [True]),
    }
    store.stage("clip-l14", "second", 0, Batch(["a"], FIRST[:1], columns))
    store.commit("clip-l14", "second")
    store.delete_items("clip-l14", ["ä"], "third")
    store.open_upload("clip-l14", "open")
    store.stage("clip-l14", "open", 0, Batch(["c", "d"], FIRST[:2]))
    store.close()
    # Of the machine that wrote it, and made anew by whoever opens it.
    (folder / "writer.lock").unlink()
    (folder / "pins.lock").unlink()


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_a_store_of_every_format_opens_and_goes_on(number, tmp_path):
    shutil.copytree(FOLDER / f"store_format_{number}", tmp_path / "store")
    store = LanceStore(tmp_path / "store")
    record = store.create(SPEC, "made")
    assert (record.spec, record.version, record.item_count) == (SPEC, 3, 2)
    assert dict(record.attributes) == {"label": "string", "n": "integer", "r": "real", "flag": "boolean"}
    newest, first = store.load("clip-l14"), store.load("clip-l14", 1)
    assert list(newest.ids) == ["a", "b"]
    assert newest.vectors.tobytes() == FIRST[[0, 0]].tobytes()
    assert list(first.ids) == ["a", "b", "ä"]
    assert first.vectors.tobytes() == FIRST[[2, 0, 1]].tobytes()
    assert {name: list(column.values) for name, column in store.attributes("clip-l14", 3, ["b", "a"]).items()} == {
        "label": ["x", "ü"],
        "n": [None, 2**63 - 1],
        "r": [None, 0.1],
        "flag": [None, True],
    }
    assert store.commit("clip-l14", "second") == UpsertOutcome(2, 0, 1, 0)
    # Written before receipts had one: such an upload cannot be compared with its repetition.
    assert number > 1 or not store.upload_state("clip-l14", "second").digest
    assert store.open_upload("clip-l14", "open") == UploadState(2, None)
    assert store.commit("clip-l14", "open") == UpsertOutcome(4, 2, 0, 0)
    assert store.maintain(0, 0).removed_versions == 3
    assert list(store.load("clip-l14").ids) == ["a", "b", "c", "d"]
    store.close()


def test_todays_writer_is_what_the_newest_fixture_was_written_by(tmp_path):
    write(tmp_path / "store")
    store = LanceStore(tmp_path / "store")
    assert store.get("clip-l14").version == 3
    assert store.upload_state("clip-l14", "open") == UploadState(2, None)
    store.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
