import numpy as np
import pytest

from consilience_server.app.ports import AttributeColumn, Batch
from consilience_server.app.upload_digest import UploadDigest

IDS = ["a", "bc", "d"]
ROWS = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], dtype=np.float32)
COLUMNS = {
    "s": AttributeColumn("string", ["x", None, ""]),
    "n": AttributeColumn("integer", [0, None, -1]),
    "r": AttributeColumn("real", [0.0, 0.5, None]),
    "f": AttributeColumn("boolean", [False, None, True]),
}


def part(start, stop, ids=IDS, rows=ROWS, columns=COLUMNS):
    cut = {name: AttributeColumn(column.type, column.values[start:stop]) for name, column in columns.items()}
    return Batch(ids[start:stop], rows[start:stop], cut)


def digest(*batches):
    running = UploadDigest()
    for batch in batches:
        running.add(batch)
    return running.rows, running.hexdigest()


def test_cuts_do_not_matter():
    whole = digest(part(0, 3))
    assert whole[0] == 3
    assert digest(part(0, 1), part(1, 1), part(1, 3)) == digest(part(0, 2), part(2, 3)) == whole
    assert digest(part(0, 3, rows=np.asfortranarray(ROWS), columns=dict(reversed(COLUMNS.items())))) == whole


@pytest.mark.parametrize(
    "other",
    [
        part(0, 2),
        part(0, 3, ids=["ab", "c", "d"]),
        part(0, 3, ids=["bc", "a", "d"]),
        part(0, 3, rows=ROWS[[1, 0, 2]]),
        part(0, 3, rows=np.where(ROWS == 0, np.float32(-0.0), ROWS)),
        part(0, 3, columns={}),
        part(0, 3, columns={**COLUMNS, "s": AttributeColumn("string", ["x", "", ""])}),
        part(0, 3, columns={**COLUMNS, "s": AttributeColumn("string", ["x", "", None])}),
        part(0, 3, columns={**COLUMNS, "n": AttributeColumn("integer", [0, -1, None])}),
        part(0, 3, columns={**COLUMNS, "n": AttributeColumn("real", [0, None, -1])}),
        part(0, 3, columns={**COLUMNS, "r": AttributeColumn("real", [-0.0, 0.5, None])}),
        part(0, 3, columns={**COLUMNS, "f": AttributeColumn("boolean", [True, None, False])}),
        part(0, 3, columns={**{name: column for name, column in COLUMNS.items() if name != "s"}, "t": COLUMNS["s"]}),
    ],
)
def test_any_change_shows(other):
    assert digest(other) != digest(part(0, 3))


def test_a_column_not_carried_is_not_one_without_values():
    carried = part(1, 3, columns={"n": AttributeColumn("integer", [None, None, None])})
    assert digest(part(0, 1, columns={}), carried) != digest(part(0, 1, columns={}), part(1, 3, columns={}))
