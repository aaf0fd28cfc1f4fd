import pyarrow as pa
import pyarrow.parquet as pq

from consilience import _resumable_parquet
from consilience._resumable_parquet import ResumableParquet


def test_parts_that_do_not_join_are_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(_resumable_parquet, "ROW_GROUP", 2)
    path = tmp_path / "x.parquet"

    def begin():
        return ResumableParquet(path, {"space": "a"})

    first = begin()
    first.append(pa.table({"x": [1, 2]}), {}, "2")
    first.append(pa.table({"x": [3, 4]}), {}, "")
    going_on = begin()
    assert (going_on.rows, going_on.is_complete) == (4, True)
    # A removal of the folder that was interrupted after its first part.
    min((tmp_path / "x.parquet.partial").glob("*.parquet")).unlink()
    anew = begin()
    assert (anew.rows, anew.is_complete, anew.next_token) == (0, False, "")
    anew.append(pa.table({"x": [1, 2]}), {}, "2")
    anew.append(pa.table({"x": [3, 4]}), {}, "")
    anew.finish()
    assert pq.read_table(path).column("x").to_pylist() == [1, 2, 3, 4]
