import sys

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import torch

import consilience
from consilience.ingest import arrow, npy
from consilience.ingest.files import open_file

IDS = [f"item-{row:03d}" for row in range(50)]
VECTORS = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
LABELS = [row % 3 if row % 7 else None for row in range(50)]


def write_npy(folder):
    np.save(folder / "a.npy", VECTORS)
    (folder / "ids.txt").write_text("\n".join(IDS) + "\n")
    return folder / "a.npy", folder / "ids.txt"


def write_npz(folder):
    np.savez(
        folder / "a.npz", ids=np.array(IDS), vectors=VECTORS, label=np.array([label if label is not None else np.nan for label in LABELS])
    )
    return folder / "a.npz", None


def table(ids="id", vectors="vector"):
    flat = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 6)
    return pa.table({"label": pa.array(LABELS), ids: IDS, vectors: flat})


def write_parquet(folder):
    pyarrow.parquet.write_table(table(), folder / "a.parquet", row_group_size=8)
    return folder / "a.parquet", None


def write_parquet_of_lists(folder):
    pyarrow.parquet.write_table(pa.table({"item_id": IDS, "embedding": VECTORS.tolist(), "label": LABELS}), folder / "b.parquet")
    return folder / "b.parquet", None


def write_arrow(folder):
    with pa.OSFile(str(folder / "a.arrow"), "wb") as out, pa.ipc.new_file(out, table().schema) as writer:
        writer.write_table(table(), max_chunksize=9)
    return folder / "a.arrow", None


def write_feather(folder):
    pyarrow.feather.write_feather(table("ids", "vectors"), folder / "a.feather")
    return folder / "a.feather", None


def write_torch(folder):
    torch.save({"ids": IDS, "vectors": torch.tensor(VECTORS), "label": LABELS}, folder / "a.pt")
    return folder / "a.pt", None


def write_tensor(folder):
    torch.save(torch.tensor(VECTORS), folder / "b.pt")
    return folder / "b.pt", IDS


WRITERS = (write_npy, write_npz, write_parquet, write_parquet_of_lists, write_arrow, write_feather, write_torch, write_tensor)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("first_row", [0, 1, 23, 50])
def test_every_kind_of_file_gives_its_rows_from_any_row_on(tmp_path, monkeypatch, write, first_row):
    for module in (npy, arrow):
        monkeypatch.setattr(module, "_BLOCK_BYTES", 11 * 24)
    path, ids = write(tmp_path)
    source = open_file(path, ids)
    assert (source.rows, source.dim) == (50, 6)
    assert source.nbytes == VECTORS.nbytes
    blocks = list(source.blocks(first_row))
    assert [item for block in blocks for item in block.ids] == IDS[first_row:]
    rows = [block.vectors.to_float32() for block in blocks] or [np.empty((0, 6))]
    np.testing.assert_array_equal(np.concatenate(rows), VECTORS[first_row:])
    if write not in {write_npy, write_tensor} and first_row < 50:
        columns = [column for block in blocks for column in block.columns]
        assert {column.name for column in columns} == {"label"}
        told = [value if row not in column.missing else None for column in columns for row, value in enumerate(column.values)]
        assert told == LABELS[first_row:]


def test_a_file_larger_than_a_block_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "_BLOCK_BYTES", 11 * 24)
    path, ids = write_npy(tmp_path)
    assert [len(block) for block in open_file(path, ids).blocks(0)] == [11, 11, 11, 11, 6]


@pytest.mark.parametrize("write", [write_npy, write_parquet])
def test_ingest_makes_the_space_and_uploads(client, script, tmp_path, write):
    script.limits["upload_batch_bytes"] = 300
    path, ids = write(tmp_path)
    script.break_after = [3]
    result = client.ingest("a", path, ids, create=True, similarity="inner_product")
    assert result.inserted == 50
    (rows,) = script.staged.values()
    assert [item for item, _ in rows] == IDS
    made = script.spaces["spaces/a"]
    assert (made.dim, made.similarity) == (6, 2)
    client.ingest("a", path, ids, create=True)
    assert len(script.seen("CreateSpace")) == 1


def test_columns_can_be_named_and_chosen(tmp_path):
    np.savez(tmp_path / "a.npz", key=np.array(IDS), clip=VECTORS, label=np.arange(50), other=np.arange(50))
    source = open_file(tmp_path / "a.npz", id_column="key", vector_column="clip", attribute_columns=["label"])
    (block,) = source.blocks(0)
    assert [column.name for column in block.columns] == ["label"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: open_file(folder / "nothing.npy", IDS), "no file"),
        (lambda folder: open_file(written(folder / "a.csv", b"x"), IDS), "ending"),
        (lambda folder: open_file(written(folder / "a.npy", b"x"), IDS), "no readable .npy"),
        (lambda folder: open_file(written(folder / "a.npz", b"PK\x03\x04"), None), "no readable .npz"),
        (lambda folder: open_file(written(folder / "a.parquet", b"x"), None), "no readable parquet"),
        (lambda folder: open_file(written(folder / "a.arrow", b"x"), None), "no readable ipc"),
        (lambda folder: open_file(written(folder / "a.pt", b"x"), IDS), "weights_only"),
        (lambda folder: open_file(write_npy(folder)[0]), "holds no ids"),
        (lambda folder: open_file(write_npy(folder)[0], IDS[:49]), "50 rows, 49 ids"),
        (lambda folder: open_file(write_npy(folder)[0], folder / "nothing.txt"), "cannot be read"),
        (lambda folder: open_file(write_parquet(folder)[0], id_column="nothing"), "'nothing'.*label, vector"),
        (lambda folder: open_file(write_parquet(folder)[0], vector_column="label"), "FixedSizeList"),
        (lambda folder: open_file(write_parquet(folder)[0], attribute_columns=["nothing"]), "'nothing'"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, make, told):
    with pytest.raises(consilience.InvalidArgumentError, match=told):
        make(tmp_path)


def written(path, content):
    path.write_bytes(content)
    return path


class Evil:
    def __reduce__(self):
        return (print, ("code in a file ran",))


@pytest.mark.parametrize("ending", ["npy", "npz", "pt"])
def test_code_in_a_file_does_not_run(tmp_path, capfd, ending):
    path = tmp_path / f"a.{ending}"
    objects = np.array([Evil()], dtype=object)
    {"npy": lambda: np.save(path, objects), "npz": lambda: np.savez(path, vectors=objects), "pt": lambda: torch.save(Evil(), path)}[
        ending
    ]()
    with pytest.raises(consilience.InvalidArgumentError):
        open_file(path, ["x"])
    assert "ran" not in capfd.readouterr().out


@pytest.mark.parametrize(("package", "write", "extra"), [("pyarrow", write_parquet, "report"), ("torch", write_torch, "torch")])
def test_a_missing_reader_names_the_extra(tmp_path, monkeypatch, package, write, extra):
    path, _ = write(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(consilience.MissingExtraError, match=rf"consilience\[{extra}\]"):
        open_file(path)


def test_a_broken_upload_from_a_store_goes_on_where_it_stopped(client, script, tmp_path, monkeypatch):
    qdrant_client = pytest.importorskip("qdrant_client")
    monkeypatch.setattr("consilience.ingest.store_pages.MOST_ROWS", 8)
    store = qdrant_client.QdrantClient(path=str(tmp_path / "store"))
    described = qdrant_client.models.VectorParams(size=6, distance=qdrant_client.models.Distance.DOT)
    store.create_collection("docs", vectors_config=described)
    ids = list(range(50))
    store.upsert("docs", [qdrant_client.models.PointStruct(id=row, vector=VECTORS[row].tolist()) for row in ids])
    store.close()
    scrolled = []
    real = qdrant_client.QdrantClient.scroll

    def scroll(self, *arguments, **options):
        scrolled.append(options["offset"])
        return real(self, *arguments, **options)

    monkeypatch.setattr(qdrant_client.QdrantClient, "scroll", scroll)
    client.create_space("docs", dim=6, similarity="inner_product")
    script.spaces["spaces/docs"].kind = 1
    script.break_after = [2, 1, None]
    made = client.ingest("docs", f"qdrant://{tmp_path / 'store'}/docs")
    assert made.inserted == 50
    (rows,) = script.staged.values()
    assert [item for item, _ in rows] == [str(row) for row in ids]
    # Pages that were staged are not read again.
    assert scrolled.count(None) == 1
    assert max(scrolled.count(offset) for offset in range(8, 16)) <= 2
