"""Collections of Qdrant (its local mode) and Milvus (Milvus Lite), the stores' own code in this process, into spaces."""

import os
import sys
from urllib.parse import quote

import numpy as np
import pytest

import consilience
from consilience.ingest import milvus, qdrant, store_pages
from consilience.ingest.store_url import parse_store_url

qdrant_client = pytest.importorskip("qdrant_client")
pymilvus = pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")

N, DIM = 50, 6
VECTORS = np.random.default_rng(5).standard_normal((N, DIM)).astype(np.float32)
OTHER = np.random.default_rng(6).standard_normal((N, 3)).astype(np.float32)
LANGUAGES = ["en" if row % 3 else None for row in range(N)]


def payload(row):
    return {"lang": LANGUAGES[row], "number": row, "share": row / 2, "flag": row % 2 == 0, "tags": ["x"], "doc": f"doc-{row}"}


def points(rows=range(N)):
    """Of every point the vector `text`, of the first 20 `image` too."""
    models = qdrant_client.models
    vectors = [{"text": VECTORS[row].tolist(), **({"image": OTHER[row].tolist()} if row < 20 else {})} for row in range(N)]
    return [models.PointStruct(id=row, vector=vectors[row], payload=payload(row)) for row in rows]


def make_qdrant(client):
    models = qdrant_client.models
    sizes = {"text": (DIM, models.Distance.DOT), "image": (3, models.Distance.EUCLID)}
    described = {name: models.VectorParams(size=size, distance=distance) for name, (size, distance) in sizes.items()}
    client.create_collection("docs", vectors_config=described)
    client.upsert("docs", points())
    client.create_collection("plain", vectors_config=models.VectorParams(size=2, distance=models.Distance.MANHATTAN))
    client.upsert("plain", [models.PointStruct(id="5f8b2c1e-3a57-4c39-9a53-0d1f3b8a1a11", vector=[1.0, 2.0])])
    return client


@pytest.fixture(scope="module")
def qdrant_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qdrant") / "store"
    make_qdrant(qdrant_client.QdrantClient(path=str(folder))).close()
    return f"qdrant://{folder}"


@pytest.fixture(scope="module")
def milvus_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("milvus") / "store.db"
    client = pymilvus.MilvusClient(uri=str(file))
    kinds = pymilvus.DataType
    schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("key", kinds.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("text", kinds.FLOAT_VECTOR, dim=DIM)
    schema.add_field("image", kinds.FLOAT_VECTOR, dim=3)
    schema.add_field("lang", kinds.VARCHAR, max_length=8, nullable=True)
    schema.add_field("number", kinds.INT64)
    schema.add_field("share", kinds.DOUBLE)
    schema.add_field("flag", kinds.BOOL)
    schema.add_field("about", kinds.JSON)
    indexes = client.prepare_index_params()
    indexes.add_index("text", index_type="FLAT", metric_type="IP")
    indexes.add_index("image", index_type="FLAT", metric_type="L2")
    client.create_collection("docs", schema=schema, index_params=indexes)
    rows = [
        {"key": f"k{row:03d}", "text": VECTORS[row].tolist(), "image": OTHER[row].tolist(), "about": {"a": 1}}
        | {name: value for name, value in payload(row).items() if name in {"lang", "number", "share", "flag"}}
        for row in np.random.default_rng(0).permutation(N).tolist()
    ]
    client.insert("docs", rows)
    client.close()
    return f"milvus://{file}"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(store_pages, "MOST_ROWS", 7)


ADDRESSES = ["qdrant_folder", "milvus_file"]
NAMED = {"qdrant_folder": "vector=text", "milvus_file": "field=text"}


@pytest.fixture(params=ADDRESSES)
def docs(request):
    return f"{request.getfixturevalue(request.param)}/docs?{NAMED[request.param]}"


def item_ids(docs):
    return [str(row) for row in range(N)] if docs.startswith("qdrant") else [f"k{row:03d}" for row in range(N)]


def test_vectors_and_typed_attributes_arrive(client, name, docs):
    told = []
    made = client.ingest(name, docs, create=True, progress=lambda done, total: told.append((done, total)))
    assert (made.version, made.inserted) == (1, N)
    assert told[-1] == (N, N)
    space = client.get_space(name)
    assert (space.dim, space.similarity) == (DIM, "inner_product")
    assert dict(space.attributes).items() >= {"lang": "string", "number": "integer", "share": "real", "flag": "boolean"}.items()
    ids = item_ids(docs)
    kept = client.get_embeddings(name, ids)
    np.testing.assert_array_equal(kept.vectors, VECTORS)
    assert kept.attributes["lang"] == LANGUAGES
    assert kept.attributes["number"] == list(range(N))
    assert kept.attributes["flag"] == [row % 2 == 0 for row in range(N)]
    assert "tags" not in kept.attributes


def test_a_later_run_makes_a_version_of_what_changed_only(client, name, tmp_path):
    memory = make_qdrant(qdrant_client.QdrantClient(path=str(tmp_path / "store")))
    memory.close()
    docs = f"qdrant://{tmp_path / 'store'}/docs?vector=text"
    client.ingest(name, docs, create=True)
    again = client.ingest(name, docs)
    assert (again.version, again.inserted, again.replaced, again.unchanged) == (1, 0, 0, N)
    store = qdrant_client.QdrantClient(path=str(tmp_path / "store"))
    changed = points([3])[0]
    changed.vector["text"] = [1.0] * DIM
    store.upsert("docs", [changed])
    store.upsert("docs", [qdrant_client.models.PointStruct(id=99, vector={"text": [2.0] * DIM}, payload={"number": 99})])
    store.close()
    later = client.ingest(name, docs)
    assert (later.version, later.inserted, later.replaced, later.unchanged) == (2, 1, 1, N - 1)


def test_chosen_columns_filters_and_other_ids(client, name, docs):
    language = '{"must": [{"key": "number", "range": {"gte": 40}}]}' if docs.startswith("qdrant") else "number >= 40"
    made = client.ingest(name, f"{docs}&filter={quote(language)}", create=True, attribute_columns=["share:real"], id_column="number")
    assert made.inserted == 10
    kept = client.get_embeddings(name)
    assert kept.ids == [str(row) for row in range(40, 50)]
    assert dict(kept.attributes) == {"share": [row / 2 for row in range(40, 50)]}


def test_points_without_the_vector_are_left_out(client, name, qdrant_folder):
    assert client.ingest(name, f"{qdrant_folder}/docs?vector=image", create=True).inserted == 20
    assert (client.get_space(name).similarity, client.get_space(name).dim) == ("squared_l2", 3)


REFUSED = [
    ("{0}/none?{1}", {}, "no such collection", "path"),
    ("{0}/docs?{2}=none", {}, "none", "path"),
    ("{0}/docs", {}, "several", "path"),
    ("{0}/docs?{1}&filter=bad%20bad", {}, "filter", "path"),
    ("{0}x/docs?{1}", {}, "there is no", "path"),
    ("{0}/docs?{1}", {"attribute_columns": ["nowhere"]}, "nowhere", "attribute_columns"),
    ("{0}/docs?{1}", {"ids": ["a"]}, "ids is of files", "ids"),
    ("{0}/docs?{1}", {"kind": "kernel"}, "kind is of files", "kind"),
]


@pytest.mark.parametrize("store", ADDRESSES)
@pytest.mark.parametrize(("address", "options", "told", "field"), REFUSED)
def test_what_cannot_be_read_is_refused(request, client, name, store, address, options, told, field):
    root, option = request.getfixturevalue(store), NAMED[store]
    with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
        client.ingest(name, address.format(root, option, option.partition("=")[0]), create=True, **options)
    assert refused.value.field == field


def test_a_space_of_another_width_is_refused(client, space, docs):
    with pytest.raises(consilience.InvalidArgumentError, match=f"dim 8, the store's vectors have dim {DIM}") as refused:
        client.ingest(space.name, docs)
    assert refused.value.reason == "DIMENSION_MISMATCH"
    with pytest.raises(consilience.NotFoundError):
        client.ingest("nowhere", docs)


def test_a_similarity_that_no_space_has_must_be_chosen(client, name, qdrant_folder):
    with pytest.raises(consilience.InvalidArgumentError, match="choose a similarity"):
        client.ingest(name, f"{qdrant_folder}/plain", create=True)
    assert client.ingest(name, f"{qdrant_folder}/plain", create=True, similarity="cosine").inserted == 1
    assert client.get_embeddings(name).ids == ["5f8b2c1e-3a57-4c39-9a53-0d1f3b8a1a11"]


def opened(docs):
    url = parse_store_url(docs)
    return (qdrant.open_qdrant if url.scheme == "qdrant" else milvus.open_milvus)(url, "id", None)


def test_reading_goes_on_from_any_row(docs):
    source = opened(docs)
    try:
        whole = [item for block in source.blocks(0) for item in block.ids]
        assert whole == item_ids(docs)
        for first in (0, 1, 6, 7, 8, 33, N - 1, N):
            assert [item for block in source.blocks(first) for item in block.ids] == whole[first:]
    finally:
        source.close()
    # Anew, without knowing where pages begin: another process goes on.
    for first in (8, 33, N):
        source = opened(docs)
        assert [item for block in source.blocks(first) for item in block.ids] == whole[first:]
        source.close()


def test_only_a_page_is_in_memory(docs):
    source = opened(docs)
    assert {len(block) for block in source.blocks(0)} == {7, 1}
    source.close()


def test_qdrant_in_memory():
    memory = make_qdrant(qdrant_client.QdrantClient(":memory:"))
    source = qdrant.QdrantSource(memory, parse_store_url("qdrant://memory/docs?vector=text"), "doc", ["number:integer"])
    block = next(source.blocks(0))
    assert (source.expected_rows, block.ids[:2], [column.name for column in block.columns]) == (N, ["doc-0", "doc-1"], ["number"])
    bad = qdrant.QdrantSource(memory, parse_store_url("qdrant://memory/docs?vector=text"), "tags", None)
    with pytest.raises(consilience.InvalidArgumentError, match="no text or number under 'tags'"):
        next(bad.blocks(0))


@pytest.mark.parametrize(("module", "address", "extra"), [("qdrant_client", "qdrant", "qdrant"), ("pymilvus", "milvus", "milvus")])
def test_a_missing_client_names_its_extra(client, name, monkeypatch, module, address, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(consilience.MissingExtraError, match=rf"consilience\[{extra}\]"):
        client.ingest(name, f"{address}://host/docs")


def test_a_store_that_does_not_answer_is_unavailable(client, name):
    with pytest.raises(consilience.Unavailable, match=r"127\.0\.0\.1:1/docs does not answer"):
        client.ingest(name, "qdrant://127.0.0.1:1/docs")


@pytest.mark.parametrize(("kind", "dtype"), [("FLOAT16_VECTOR", np.float16), ("BFLOAT16_VECTOR", None)])
def test_sixteen_bit_vectors(kind, dtype):
    values = np.array([[1.5, -2.0], [0.25, 3.0]], dtype=np.float32)
    sent = values.astype(dtype) if dtype else (values.view("<u4") >> 16).astype("<u2")
    np.testing.assert_array_equal(milvus._to_array([row.tobytes() for row in sent], kind), values)


async def test_the_asynchronous_client_takes_them_too(tmp_path, docs):
    async with consilience.AsyncClient.local(tmp_path / "store") as client:
        assert (await client.ingest("docs", docs, create=True)).inserted == N
    assert os.listdir(tmp_path) == ["store"]
