"""`classify` and `consilience classify`, over a server and in-process alike."""

import contextlib
import json

import numpy as np
import pytest

import consilience
from consilience import AsyncClient
from consilience.commands import connected
from consilience.commands.app import run

N, COUNT = 200, 8
NAMES = [f"class-{number}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def spaces(client):
    """Images, texts, and captions: three to a class; a bridge from texts into images."""
    rng = np.random.default_rng(0)
    centres = 2.0 * rng.standard_normal((COUNT, 6))
    of = np.arange(N) % COUNT
    latent = centres[of] + rng.standard_normal((N, 6))
    turn, other = rng.standard_normal((6, 9)), rng.standard_normal((6, 7))
    ids = [f"i{row:03d}" for row in range(N)]
    for name, vectors in (("zs-images", latent @ turn), ("zs-texts", latent @ other)):
        client.create_space(name, dim=vectors.shape[1])
        client.upsert(name, ids, vectors, attributes={"class": [NAMES[at] for at in of], "half": [row % 2 == 0 for row in range(N)]})
    prototypes = (np.repeat(centres, 3, axis=0) + 0.1 * rng.standard_normal((3 * COUNT, 6))) @ other
    client.upsert("zs-texts", [f"{NAMES[row // 3]}/{row % 3}" for row in range(3 * COUNT)], prototypes)
    client.fit_bridge("zs-texts", "zs-images", "zs-bridge", method="ridge", pair_ids=ids[:100])
    return {name: prototypes[3 * at : 3 * at + 3] for at, name in enumerate(NAMES)}


def classify(client, prototypes, **options):
    return client.classify(prototypes, "zs-images", **{"bridge": "zs-bridge", "labels": "class", "permutations": 99, **options})


def test_vectors_of_each_class(client, spaces):
    found = classify(client, spaces)
    assert (found.classes, found.fitted_items, len(found)) == (tuple(NAMES), 80, 120)
    assert found.predictions.shape == found.scores.shape == found.similarities.shape == (120, 5)
    right = found.accuracy
    labels = [NAMES[int(item[1:]) % COUNT] for item in found.item_ids]
    assert right.accuracy.value == np.mean(found.predictions[:, 0] == labels)
    assert right.accuracy.interval.low > right.majority
    assert right.p_value == 0.01
    assert set(right.top_k) == {1, 5}
    assert right.confusion.sum() == 120
    assert [each.items for each in right.recalls.values()] == right.confusion.sum(axis=1).tolist()
    assert repr(found).startswith("120 items of zs-images@1 in 8 classes by bridge zs-bridge · accuracy ")
    assert "p <= .01 (99 permutations)" in repr(found)
    assert json.loads(json.dumps(found.to_dict()))["accuracy"]["chance"] == right.chance
    assert len(found.to_pandas()) == 120
    assert classify(client, spaces) == found


def test_ids_of_prototypes_are_their_vectors(client, spaces):
    by_ids = {name: [f"{name}/{at}" for at in range(3)] for name in NAMES}
    found = classify(client, by_ids, prototype_space="zs-texts", top_k=[1, 2, 8])
    np.testing.assert_allclose(found.scores[:, :5], classify(client, spaces).scores, atol=1e-6)
    assert found.accuracy.top_k[8].value == 1.0
    assert found.prototypes.name == "zs-texts"


@pytest.mark.usefixtures("spaces")
def test_a_space_of_prototypes_and_no_bridge(client, name):
    client.create_space(name, dim=7)
    client.upsert(name, ["a", "b", "c"], np.eye(3, 7), attributes={"kind": ["x", "y", "x"]})
    found = client.classify(name, "zs-texts", item_ids=["i000", "i001"], classes="kind")
    assert (found.classes, found.accuracy, found.bridge, found.permutations) == (("x", "y"), None, "", 0)
    assert client.classify(name, "zs-texts", item_ids=["i000"]).classes == ("a", "b", "c")
    corrected = client.classify(name, "zs-texts", item_ids=["i000", "i001"], classes="kind", correction="csls", correction_k=1)
    assert corrected.correction == "csls"


def test_as_an_operation(client, spaces):
    operation = classify(client, spaces, wait=False)
    assert operation.kind == "classify"
    assert client.wait_operation(operation) == classify(client, spaces)


TWO = {"a": np.ones(7), "b": np.eye(1, 7)[0]}
BAD = [
    (TWO, {"labels": "colour"}, "INVALID_ATTRIBUTE", "labels"),
    (TWO, {}, "INVALID_ARGUMENT", "labels"),
    ({}, {}, "INVALID_ARGUMENT", "prototypes"),
    ({"a": np.ones(7)}, {}, "INVALID_ARGUMENT", "prototypes"),
    ({"a": np.ones(7), "b": np.ones(6)}, {}, "SHAPE_MISMATCH", "prototypes"),
    ({"a": np.ones(9), "b": -np.ones(9)}, {}, "DIMENSION_MISMATCH", "prototypes"),
    ({"a": np.ones(7), "b": np.zeros(7), "c": np.ones((1, 7))[:0]}, {}, "INVALID_ARGUMENT", "prototypes"),
    ({"a": np.zeros(7), "b": np.ones(7)}, {}, "ZERO_VECTOR", "prototypes"),
    ({"a": ["i000"], "b": ["i001"]}, {}, "INVALID_ARGUMENT", "prototypes"),
    ({"a": ["i000"], "b": []}, {"prototype_space": "zs-texts"}, "INVALID_ARGUMENT", "prototypes"),
    ({"a": ["i000"], "b": ["nobody"]}, {"prototype_space": "zs-texts"}, "ITEM_NOT_FOUND", "prototypes"),
    ("zs-nothing", {}, "SPACE_NOT_FOUND", "prototypes"),
    ("zs-images", {}, "WRONG_SPACE", "bridge"),
    ("zs-texts", {"classes": "kind"}, "INVALID_ATTRIBUTE", "classes"),
    ("zs-texts", {"prototype_space": "zs-texts"}, "INVALID_ARGUMENT", "prototypes"),
    (TWO, {"classes": "kind"}, "INVALID_ARGUMENT", "classes"),
    (TWO, {"bridge": "zs-nothing"}, "BRIDGE_NOT_FOUND", "bridge"),
    (TWO, {"bridge": None}, "DIMENSION_MISMATCH", "prototypes"),
    (TWO, {"item_ids": []}, "INVALID_ARGUMENT", "item_ids"),
    (TWO, {"item_ids": ["nobody"]}, "ITEM_NOT_FOUND", "item_ids"),
    (TWO, {"correction": "margin_ratio"}, "INVALID_ARGUMENT", "correction"),
    (TWO, {"top_k": [3], "labels": None}, "INVALID_K", "top_k"),
    (TWO, {"top_k": [0]}, "INVALID_ARGUMENT", "top_k"),
    (TWO, {"permutations": 10**6}, "INVALID_ARGUMENT", "permutations"),
]


@pytest.mark.parametrize(("prototypes", "options", "reason", "field"), BAD)
@pytest.mark.usefixtures("spaces")
def test_bad_input(client, prototypes, options, reason, field):
    with pytest.raises(consilience.ConsilienceError) as refused:
        classify(client, prototypes, **options)
    assert (refused.value.reason, refused.value.field) == (reason, field)


@pytest.mark.usefixtures("spaces")
def test_the_command(client, name, capsys, monkeypatch, tmp_path):
    client.create_space(name, dim=9)
    client.upsert(name, NAMES, np.random.default_rng(1).standard_normal((COUNT, 9)))
    monkeypatch.setattr(connected, "open_client", lambda *_: contextlib.nullcontext(client))
    (tmp_path / "ids.txt").write_text("i000\ni001\n")
    arguments = ["classify", name, "zs-images", "--labels", "class", "--item-ids", str(tmp_path / "ids.txt")]
    assert run([*arguments, "--predictions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 items of zs-images@1 in 8 classes · accuracy ")
    assert [line.split("\t")[0] for line in lines[1:]] == ["i000", "i001"]
    assert run([*arguments, "--json", "--permutations", "9"]) == 0
    assert json.loads(capsys.readouterr().out)["permutations"] == 9
    assert run(["classify", "zs-nothing", "zs-images"]) == 3


async def test_asynchronously(client, spaces):
    if client.settings.address.startswith("local:"):
        return
    async with AsyncClient(client.settings.address) as other:
        found = await other.classify(spaces, "zs-images", bridge="zs-bridge", labels="class", permutations=99)
    assert found == classify(client, spaces)
