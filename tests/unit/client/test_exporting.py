"""Embeddings into a file, against a scripted server: both clients."""

import json
import sys

import pytest

import consilience

pq = pytest.importorskip("pyarrow.parquet")


def test_pages_become_a_file(client, tmp_path):
    client.create_space("docs", dim=1)
    told = []
    made = client.export_embeddings("docs@3", tmp_path / "a.parquet", progress=lambda done, total: told.append((done, total)))
    assert (made.rows, made.dim, made.space) == (5, 1, consilience.SpaceUse("docs", "", 3))
    assert [done for done, _ in told] == [2, 4, 5]
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.to_pydict() == {"id": [f"item-{row}" for row in range(5)], "vector": [[float(row)] for row in range(5)]}
    facts = json.loads(table.schema.metadata[b"consilience"])
    assert (facts["kind"], facts["space"]["name"], facts["space"]["version"], facts["dim"]) == ("embeddings", "docs", 3, 1)


def test_a_missing_pyarrow_names_the_extra(client, tmp_path, monkeypatch):
    client.create_space("docs", dim=1)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(consilience.MissingExtraError, match=r"consilience\[report\]"):
        client.export_embeddings("docs", tmp_path / "a.parquet")
