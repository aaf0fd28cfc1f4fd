"""Bridges as files: what other people's runtimes make of them is what the server makes of them."""

import asyncio
import json

import numpy as np
import onnxruntime
import pytest
from safetensors import numpy as safetensors
from support.filled_space import fill

from consilience import AsyncClient, FailedPreconditionError, InvalidArgumentError, NotFoundError


@pytest.fixture
def sides(client, name):
    """Two spaces of unequal width with 80 common items."""
    random = np.random.default_rng(5)
    x = (random.standard_normal((80, 6)) @ random.standard_normal((6, 9)) + 1).astype(np.float32)
    y = (x @ random.standard_normal((9, 7)) + 0.1 * random.standard_normal((80, 7))).astype(np.float32)
    ids = fill(client, f"{name}-source", x).ids
    fill(client, f"{name}-target", y)
    return ids, x, y


def run(model, rows):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})[0]


@pytest.mark.parametrize("method", ["ridge", "csa", "relative"])
def test_the_models_of_both_sides_meet_as_matches_do(client, name, sides, method, tmp_path):
    ids, x, y = sides
    bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-bridge", method=method)
    path = client.export_bridge(bridge, tmp_path / "source.onnx")
    assert path.read_bytes() == client.export_bridge(bridge.name)
    mapped, gallery = run(str(path), x), run(client.export_bridge(bridge, side="target"), y)
    found = client.match(queries=x[:20], bridge=bridge.name, k=80)
    cosines = mapped.astype(np.float64)[:20] @ gallery.T.astype(np.float64)
    rows = {item: row for row, item in enumerate(ids)}
    expected = np.array([[cosines[query, rows[item]] for item in found.ids[query]] for query in range(20)])
    np.testing.assert_allclose(found.similarities, expected, atol=1e-5)


def test_a_downloaded_bridge_has_it_all(client, name, sides, tmp_path):
    _, x, _ = sides
    bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-bridge", method="ridge", seed=3)
    path = client.download_bridge(bridge, tmp_path / "bridge.safetensors")
    content = path.read_bytes()
    assert client.download_bridge(bridge) == content
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    told = json.loads(header["__metadata__"]["bridge"])
    assert (told["uid"], told["method"], told["seed"], told["code_version"]) == (bridge.uid, "ridge", 3, bridge.code_version)
    assert (told["source_uid"], told["source_version"]) == (bridge.source.uid, bridge.source.version)
    assert (told["target_uid"], told["target_version"]) == (bridge.target.uid, bridge.target.version)
    assert told["map"] == {"kind": "closed_form", "source_dim": 9, "target_dim": 7, "leads_into_target": True}
    assert dict(told["held_out"]["recalls"])[1] == bridge.held_out.recalls[1].recall
    tensors = safetensors.load(content)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True) - tensors["source_mean"]
    mapped = unit / np.linalg.norm(unit, axis=1, keepdims=True) @ tensors["weights"]
    mapped /= np.linalg.norm(mapped, axis=1, keepdims=True)
    np.testing.assert_allclose(run(client.export_bridge(bridge), x), mapped, atol=1e-6)
    assert len(tensors["fit_keys"]) == bridge.fit_pairs


def test_bad_input(client, name, sides, tmp_path):
    with pytest.raises(NotFoundError):
        client.export_bridge("nobody")
    bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-bridge", method="ridge")
    with pytest.raises(InvalidArgumentError, match="one of source, target"):
        client.export_bridge(bridge, side="both")
    with pytest.raises(InvalidArgumentError, match="cannot be written"):
        client.export_bridge(bridge, tmp_path / "no" / "folder.onnx")


def test_a_bridge_of_spaces_that_are_gone_can_still_be_exported(client, name, sides):
    bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-bridge", method="ridge")
    client.delete_space(f"{name}-target")
    assert client.get_bridge(bridge).notes[0].startswith(f"the target space '{name}-target' was deleted")
    assert client.export_bridge(bridge)
    with pytest.raises((NotFoundError, FailedPreconditionError)):
        client.match(query_ids=sides[0][:1], bridge=bridge.name, k=1)


async def test_the_asynchronous_client_exports_too(tmp_path):
    async with AsyncClient.local(tmp_path / "data") as client:
        random = np.random.default_rng(1)
        for space in ("a", "b"):
            await client.create_space(space, dim=4)
            await client.upsert(space, [f"i{row}" for row in range(40)], random.standard_normal((40, 4), dtype=np.float32))
        await client.fit_bridge("a", "b", "a-to-b", method="ridge")
        first, second = await asyncio.gather(client.export_bridge("a-to-b"), client.export_bridge("a-to-b"))
        assert first == second
