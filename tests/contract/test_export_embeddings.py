"""Embeddings into Parquet and back."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import consilience

N, DIM = 57, 5
IDS = [f"item-{row:03d}" for row in range(N)]
VECTORS = np.random.default_rng(2).standard_normal((N, DIM)).astype(np.float32)
VECTORS[3] = [1e-40, -0.0, 3e38, 1.0, -1e-45]
ATTRIBUTES = {
    "label": [f"l{row % 4}" if row % 3 else None for row in range(N)],
    "year": [2000 + row for row in range(N)],
    "price": [row / 3 if row % 2 else None for row in range(N)],
    "sold": [row % 2 == 0 for row in range(N)],
}


@pytest.fixture
def filled(client, name):
    client.create_space(name, dim=DIM)
    client.upsert(name, IDS[::-1], VECTORS[::-1], {key: values[::-1] for key, values in ATTRIBUTES.items()})
    return name


def test_a_file_comes_back_to_the_bit(client, filled, tmp_path):
    told = []
    made = client.export_embeddings(filled, tmp_path / "a.parquet", progress=lambda done, total: told.append((done, total)))
    assert (made.rows, made.dim, made.space.name, made.space.version) == (N, DIM, filled, 1)
    assert told[-1] == (N, N)
    table = pq.read_table(tmp_path / "a.parquet")
    assert [str(field.type) for field in table.schema] == [
        "string", "fixed_size_list<element: float>[5]", "string", "double", "bool", "int64"
    ]  # fmt: skip
    assert json.loads(table.schema.metadata[b"consilience"])["space"] == {"name": filled, "uid": made.space.uid, "version": 1}
    client.ingest(f"{filled}-again", tmp_path / "a.parquet", create=True)
    back = client.get_embeddings(f"{filled}-again")
    assert back.ids == IDS
    assert back.vectors.tobytes() == VECTORS.tobytes()
    assert dict(back.attributes) == ATTRIBUTES
    client.export_embeddings(f"{filled}-again", tmp_path / "b.parquet")
    assert pq.read_table(tmp_path / "b.parquet").equals(table)
    assert client.ingest(filled, tmp_path / "b.parquet").unchanged == N
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_some_items_and_an_older_version(client, filled, tmp_path):
    client.upsert(filled, ["item-000"], np.ones((1, DIM)))
    made = client.export_embeddings(f"{filled}@1", tmp_path / "a.parquet", ["item-009", "item-000"], id_column="key", vector_column="emb")
    table = pq.read_table(tmp_path / "a.parquet")
    assert (table["key"].to_pylist(), made.space.version) == (["item-009", "item-000"], 1)
    np.testing.assert_array_equal(np.array(table["emb"].to_pylist(), dtype=np.float32), VECTORS[[9, 0]])


def test_an_interrupted_export_goes_on_over_its_version(client, filled, tmp_path, monkeypatch):
    from consilience._sync import exporting

    monkeypatch.setattr("consilience._resumable_parquet.ROW_GROUP", 1)
    real, asked = exporting.space_pb2.GetEmbeddingsRequest, []
    monkeypatch.setattr(exporting.space_pb2, "GetEmbeddingsRequest", lambda **given: asked.append(given) or real(**given, page_size=10))
    whole, broken = tmp_path / "whole.parquet", tmp_path / "broken.parquet"
    client.export_embeddings(filled, whole)
    assert (len(asked), pq.ParquetFile(whole).num_row_groups) == (6, 6)

    def stop(done, total):
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.export_embeddings(filled, broken, progress=stop)
    assert not broken.exists()
    client.upsert(filled, ["new"], np.ones((1, DIM)), {"colour": ["red"]})
    asked.clear()
    made = client.export_embeddings(filled, broken)
    assert (made.rows, made.space.version, len(asked)) == (N, 1, 3)
    assert broken.read_bytes() == whole.read_bytes()


def test_an_empty_space_is_an_empty_file(client, name, tmp_path):
    client.create_space(name, dim=3)
    assert client.export_embeddings(name, tmp_path / "a.parquet").rows == 0
    assert pq.read_table(tmp_path / "a.parquet").column_names == ["id", "vector"]


def test_what_cannot_be_exported_is_refused(client, filled, name, tmp_path):
    client.create_space(f"{name}-kernel", kind="kernel")
    client.create_space(f"{name}-id", dim=2)
    client.upsert(f"{name}-id", ["a"], [[1.0, 2.0]], {"id": ["x"]})
    path = tmp_path / "a.parquet"
    refusals = [
        (lambda: client.export_embeddings(f"{name}-kernel", path), "holds a kernel", "space"),
        (lambda: client.export_embeddings(f"{name}-id", path), "give another id_column", "id_column"),
        (lambda: client.export_embeddings(filled, path, id_column="vector"), "cannot both be", "vector_column"),
        (lambda: client.export_embeddings(filled, path, []), "ids is empty", "ids"),
        (lambda: client.export_embeddings(filled, tmp_path / "none" / "a.parquet"), "cannot be written", "path"),
    ]
    for call, told, field in refusals:
        with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
            call()
        assert refused.value.field == field
    with pytest.raises(consilience.NotFoundError):
        client.export_embeddings(filled, path, ["nobody"])
    with pytest.raises(consilience.NotFoundError):
        client.export_embeddings("nowhere", path)
    assert list(tmp_path.iterdir()) == []
