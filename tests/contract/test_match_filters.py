"""Filters by attribute over the real store, with the SDK and the command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import consilience
from consilience.commands.app import app

VECTORS = np.random.default_rng(0).standard_normal((90, 6), dtype=np.float32)
IDS = [f"i{row:02d}" for row in range(90)]
LABELS = [["cat", "dog", None][row % 3] for row in range(90)]


@pytest.fixture(scope="module")
def gallery(client):
    client.create_space("filtered", dim=6)
    client.upsert("filtered", IDS, VECTORS, attributes={"label": LABELS, "year": [2000 + row for row in range(90)]})
    return "filtered"


def test_a_filter_is_the_ranking_without_the_rest(client, gallery):
    kept = [item for item, label, row in zip(IDS, LABELS, range(90), strict=True) if label == "cat" and row >= 30]
    for correction in ("none", "csls"):
        by_filter = client.match(VECTORS[:5], space=gallery, k=4, correction=correction, filter="label == 'cat' and year >= 2030")
        by_ids = client.match(VECTORS[:5], space=gallery, k=4, correction=correction, gallery_ids=kept)
        assert by_filter.ids.tolist() == by_ids.ids.tolist()
        assert np.array_equal(by_filter.scores, by_ids.scores)
        assert by_filter.gallery_items == len(kept)
    assert client.match(VECTORS[:1], space=gallery, k=1, filter="label is null").gallery_items == 30


def test_a_new_version_is_filtered_anew(client, gallery):
    client.upsert(gallery, ["later"], VECTORS[:1] + 9, attributes={"label": ["bird"], "year": [1]})
    assert client.match(VECTORS[:1], space=gallery, k=1, filter="label = 'bird'").ids.tolist() == [["later"]]
    client.delete_embeddings(gallery, ["later"])
    with pytest.raises(consilience.InvalidArgumentError, match="true for none"):
        client.match(VECTORS[:1], space=gallery, k=1, filter="label = 'bird'")


def test_refusals(client, gallery):
    for text, reason in {"label == ": "INVALID_ARGUMENT", "colour = 1": "INVALID_ATTRIBUTE", "year = 'x'": "INVALID_ATTRIBUTE"}.items():
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client.match(VECTORS[:1], space=gallery, k=1, filter=text)
        assert (refused.value.reason, refused.value.field) == (reason, "filter")
    with pytest.raises(consilience.InvalidArgumentError, match="searched exactly"):
        client.match(VECTORS[:1], space=gallery, k=1, filter="label = 'cat'", index="hnsw")


@pytest.mark.parametrize("client", ["server"], indirect=True)
def test_the_command_line(client, gallery):
    asked = ["match", "i00", "--space", gallery, "-k", "2", "--filter", "label = 'dog'", "--json", "--address", client.settings.address]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0
    assert json.loads(told.stdout)["gallery_items"] == 30
