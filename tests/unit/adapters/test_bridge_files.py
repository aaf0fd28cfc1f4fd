import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from consilience_server.adapters.bridge_documents import FORMAT, _canonical, _digest
from consilience_server.adapters.bridge_files import BridgeFiles
from consilience_server.bridges.artefact import BridgeArtefact, LearningPoint, Parent, RetrievalReport
from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.stitching_map import StitchingMap
from consilience_server.bridges.stitching_options import StitchingReport
from consilience_server.core.errors import (
    BridgeExists,
    BridgeNotFound,
    CorruptData,
    InvalidName,
    StoreReadOnly,
    StoreTooNew,
    UploadConflict,
)
from consilience_server.core.estimate import Estimate
from consilience_server.core.similarity import Similarity


def report(method="ridge"):
    return RetrievalReport(
        method=method,
        recalls={1: 0.1 + 0.2, 5: 1 / 3, 10: 1.0},
        intervals={1: (0.25, 0.35), 5: (0.3, 0.4), 10: (0.99, 1.0)},
        mean_reciprocal_rank=0.4,
        median_rank=2.5,
        queries=100,
        gallery=1000,
        penalty=1e-3,
        foscttm=Estimate(0.1, 0.1 / 3, 0.2),
    )


def artefact(name="text-to-image", seed=0):
    rng = np.random.default_rng(seed)
    return BridgeArtefact(
        name=name,
        uid="u" * 32,
        method="ridge",
        map=BridgeMap(rng.standard_normal((3, 5)), rng.standard_normal(3), rng.standard_normal(5)),
        source_name="text",
        source_uid="s" * 32,
        source_version=3,
        target_name="Bildräume"[:4],
        target_uid="t" * 32,
        target_version=4,
        target_similarity=Similarity.INNER_PRODUCT,
        fit_pairs=2000,
        fit_ids_digest="d" * 64,
        held_out=report(),
        candidates=[report("procrustes"), report()],
        seed=7,
        code_version="1.0",
        create_time=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        learning_curve=[LearningPoint(100, {1: 0.1, 5: 1 / 3}, {1: (0.0, 0.2), 5: (0.3, 0.4)})],
    )


def assert_same(left, right):
    for name in ("weights", "source_mean", "target_mean"):
        mine, other = getattr(left.map, name), getattr(right.map, name)
        assert mine.dtype == np.float64
        assert mine.tobytes() == np.ascontiguousarray(other).tobytes()
        assert mine.shape == other.shape
    assert replace(left, map=right.map) == right


@pytest.fixture
def bridges(tmp_path):
    return BridgeFiles(tmp_path / "bridges")


def test_what_is_put_comes_back_whole_and_read_only(bridges):
    kept = replace(artefact(), map=replace(artefact().map, weights=np.asfortranarray(artefact().map.weights)))
    bridges.put(kept)
    read = bridges.get("text-to-image")
    assert_same(read, kept)
    assert not read.map.weights.flags.writeable
    assert bridges.exists("text-to-image")


def test_a_bridge_never_changes(bridges):
    bridges.put(artefact())
    with pytest.raises(BridgeExists, match="text-to-image"):
        bridges.put(artefact(seed=1))
    assert_same(bridges.get("text-to-image"), artefact())
    assert [path.name for path in bridges._root.iterdir()] == ["text-to-image"]


def test_listing_goes_by_name(bridges):
    for name in ("c", "a", "a-b"):
        bridges.put(artefact(name))
    assert [found.name for found in bridges.list("", 10)] == ["a", "a-b", "c"]
    assert [found.name for found in bridges.list("a", 1)] == ["a-b"]
    assert bridges.list("c", 1) == []


def test_a_deleted_bridge_is_gone_and_its_name_free(bridges):
    bridges.put(artefact())
    bridges.delete("text-to-image")
    assert not bridges.exists("text-to-image")
    assert list(bridges._root.iterdir()) == []
    for call in (bridges.get, bridges.delete):
        with pytest.raises(BridgeNotFound):
            call("text-to-image")
    bridges.put(artefact(seed=1))


def test_a_removal_repeats_by_request_id_and_leaves_what_got_the_name_since(bridges):
    bridges.put(artefact())
    bridges.delete("text-to-image", "gone")
    bridges.delete("text-to-image", "gone")
    with pytest.raises(BridgeNotFound):
        bridges.delete("text-to-image", "other")
    bridges.put(replace(artefact(), uid="v" * 32))
    bridges.put(artefact("b"))
    again = BridgeFiles(bridges._root)
    again.delete("text-to-image", "gone")
    with pytest.raises(UploadConflict, match="'text-to-image' before, not 'b'") as refusal:
        again.delete("b", "gone")
    assert refusal.value.field == "request_id"
    assert [found.name for found in again.list("", 10)] == ["b", "text-to-image"]


def test_a_removal_that_was_interrupted_is_finished_when_repeated(bridges, monkeypatch):
    bridges.put(artefact())

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("consilience_server.adapters.bridge_files.os.rename", crash)
        with pytest.raises(KeyboardInterrupt):
            bridges.delete("text-to-image", "gone")
    assert bridges.exists("text-to-image")
    bridges.delete("text-to-image", "gone")
    assert not bridges.exists("text-to-image")


def test_receipts_of_removals_expire_and_a_damaged_bridge_can_be_removed(bridges):
    bridges.put(artefact())
    (bridges._root / "text-to-image" / "bridge.json").write_bytes(b"{")
    bridges.delete("text-to-image", "gone")
    receipt = next(bridges._root.rglob("*.json"))
    os.utime(receipt, (0, 0))
    bridges.put(artefact())
    bridges.delete("text-to-image", "later")
    with pytest.raises(BridgeNotFound):
        bridges.delete("text-to-image", "gone")


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a/b", ".hidden", "a" * 64])
def test_names_never_lead_elsewhere(bridges, name):
    with pytest.raises(InvalidName):
        bridges.put(artefact(name))
    assert not bridges.exists(name)
    with pytest.raises(BridgeNotFound):
        bridges.get(name)
    with pytest.raises(BridgeNotFound):
        bridges.delete(name)


@pytest.mark.parametrize("file", ["map.safetensors", "bridge.json"])
def test_every_flipped_byte_is_noticed(bridges, file):
    bridges.put(artefact())
    path = bridges._root / "text-to-image" / file
    good = path.read_bytes()
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises((CorruptData, StoreTooNew)):
            bridges.get("text-to-image")
    for length in (0, 1, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(CorruptData):
            bridges.get("text-to-image")
    path.unlink()
    with pytest.raises(CorruptData):
        bridges.get("text-to-image")


def test_files_of_two_bridges_cannot_be_exchanged(bridges):
    bridges.put(artefact("a"))
    bridges.put(artefact("b", seed=1))
    root = bridges._root
    (root / "a" / "map.safetensors").write_bytes((root / "b" / "map.safetensors").read_bytes())
    with pytest.raises(CorruptData):
        bridges.get("a")
    (root / "b").rename(root / "c")
    with pytest.raises(CorruptData):
        bridges.get("c")


def test_maps_of_both_sides_come_back_whole(bridges):
    rng = np.random.default_rng(5)
    both = replace(artefact().map, target_weights=rng.standard_normal((5, 5)), correlations=np.linspace(1, 0, 5))
    bridges.put(replace(artefact(), method="csa", map=both))
    read = bridges.get("text-to-image").map
    assert np.array_equal(read.target_weights, both.target_weights)
    assert np.array_equal(read.correlations, both.correlations)
    assert not read.leads_into_target
    assert read.width == 7


def test_the_first_format_is_still_read(bridges):
    """It had no components in its reports and no weights of the target."""
    bridges.put(artefact())
    folder = bridges._root / "text-to-image"
    document = json.loads((folder / "bridge.json").read_bytes())
    facts = document["bridge"]
    for later in ("near_copies", "split_by", "learning_curve", "derivation", "parents", "notes", "map"):
        del facts[later]
    for told in (facts["held_out"], *facts["candidates"]):
        for key in set(told) - FIRST_FORMAT:
            del told[key]
    old = {"format": 1, "digest": _digest(facts, hashlib.sha256((folder / "map.safetensors").read_bytes()).hexdigest()), "bridge": facts}
    (folder / "bridge.json").write_bytes(_canonical(old))
    plain = replace(report(), foscttm=None)
    assert_same(
        bridges.get("text-to-image"),
        replace(artefact(), held_out=plain, candidates=[replace(plain, method="procrustes"), plain], learning_curve=[]),
    )
    listed = bridges.list("", 10)[0]
    assert (listed.source_dim, listed.target_dim, listed.leads_into_target) == (3, 5, True)


FIRST_FORMAT = {"method", "recalls", "intervals", "mean_reciprocal_rank", "median_rank", "queries", "gallery", "penalty"}


def test_a_newer_format_is_refused(bridges):
    bridges.put(artefact())
    path = bridges._root / "text-to-image" / "bridge.json"
    path.write_text(path.read_text().replace(f'"format":{FORMAT}', f'"format":{FORMAT + 1}'))
    with pytest.raises(StoreTooNew, match=f"format {FORMAT + 1}"):
        bridges.get("text-to-image")


def test_opening_removes_what_a_crash_left(bridges):
    bridges.put(artefact())
    debris = bridges._root / ".half-written"
    debris.mkdir()
    (debris / "map.safetensors").write_bytes(b"x")
    assert [found.name for found in bridges.list("", 10)] == ["text-to-image"]
    BridgeFiles(bridges._root)
    assert not debris.exists()


def test_read_only(bridges, tmp_path):
    bridges.put(artefact())
    reader = BridgeFiles(bridges._root, read_only=True)
    assert_same(reader.get("text-to-image"), artefact())
    for call in (lambda: reader.put(artefact("b")), lambda: reader.delete("text-to-image")):
        with pytest.raises(StoreReadOnly):
            call()
    assert BridgeFiles(tmp_path / "none", read_only=True).list("", 10) == []


def test_a_uid_is_read_without_the_map(tmp_path):
    bridges = BridgeFiles(tmp_path)
    bridges.put(artefact())
    (tmp_path / "text-to-image" / "map.safetensors").unlink()
    assert bridges.uid("text-to-image") == "u" * 32
    with pytest.raises(BridgeNotFound, match="no bridge 'other'"):
        bridges.uid("other")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"bridge": {}}', b'{"bridge": {"uid": 1}}'])
def test_a_uid_that_cannot_be_read_is_corrupt(tmp_path, content):
    bridges = BridgeFiles(tmp_path)
    bridges.put(artefact())
    (tmp_path / "text-to-image" / "bridge.json").write_bytes(content)
    with pytest.raises(CorruptData, match="text-to-image"):
        bridges.uid("text-to-image")


def test_a_list_reads_no_map(bridges):
    kept = replace(artefact("b"), derivation="inverted", parents=(Parent("a", "v" * 32, "ridge"),), notes=("Läuft.",), held_out=None)
    for each in (artefact("a"), kept):
        bridges.put(each)
        (bridges._root / each.name / "map.safetensors").unlink()
    first, second = bridges.list("", 10)
    assert (first.source_dim, first.target_dim, first.leads_into_target) == (3, 5, True)
    whole = {name: value for name, value in vars(second).items() if name not in {"source_dim", "target_dim", "leads_into_target"}}
    assert BridgeArtefact(**whole, map=kept.map) == kept


def test_the_small_file_is_checked_alone(bridges):
    bridges.put(artefact())
    path = bridges._root / "text-to-image" / "bridge.json"
    path.write_bytes(path.read_bytes().replace(b'"fit_pairs":2000', b'"fit_pairs":9000'))
    with pytest.raises(CorruptData):
        bridges.list("", 10)


def test_a_chain_comes_back_part_by_part(bridges):
    rng = np.random.default_rng(6)
    first = BridgeMap(rng.standard_normal((4, 3)), rng.standard_normal(4), rng.standard_normal(3))
    last = replace(artefact().map, target_weights=rng.standard_normal((5, 5)))
    kept = ChainMap((first, last))
    bridges.put(replace(artefact(), method="composed", map=kept, fit_target_keys=np.array([3, 1], dtype=np.uint64)))
    read = bridges.get("text-to-image")
    assert isinstance(read.map, ChainMap)
    assert {name: tensor.tobytes() for name, tensor in read.map.tensors().items()} == {
        name: np.ascontiguousarray(tensor).tobytes() for name, tensor in kept.tensors().items()
    }
    assert (read.source_dim, read.target_dim, read.map.width, read.leads_into_target) == (4, 5, 5, False)
    assert read.fit_keys is None
    assert read.fit_target_keys.tolist() == [3, 1]
    assert read.map.nbytes == kept.nbytes


def test_a_stitching_layer_comes_back_with_its_training(bridges):
    rng = np.random.default_rng(0)
    shapes = dict(weights=(3, 5), bias=(5,), source_mean=(3,), target_mean=(5,))
    shapes |= dict(hidden_weights=(3, 4), hidden_bias=(4,), output_weights=(4, 5))
    layer = StitchingMap(**{name: rng.standard_normal(shape) for name, shape in shapes.items()})
    trained = StitchingReport("residual_mlp", "infonce", 4, 0.0, 0.05, 12, 2, 30, 0.25, 1 / 3, 0.1, "cpu", Estimate(1.5, 1 / 3, 2.0), 40)
    linear = replace(layer, hidden_weights=None, hidden_bias=None, output_weights=None)
    for name, told, report_of in (("mlp", layer, trained), ("linear", linear, replace(trained, information=None))):
        bridges.put(replace(artefact(name), method="stitching_layer", map=told, stitching=report_of))
        read = bridges.get(name)
        assert read.stitching == report_of == bridges.listing(name).stitching
        assert (type(read.map), read.leads_into_target) == (StitchingMap, True)
        for tensor, array in told.tensors().items():
            assert read.map.tensors()[tensor].tobytes() == array.tobytes()
        assert set(read.map.tensors()) == set(told.tensors())
