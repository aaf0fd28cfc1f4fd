import numpy as np
import pytest
import scipy.sparse

import consilience
from consilience._codec.pmi import pmi_requests, to_cells, to_ids
from consilience.commands.pmi import read_counts
from consilience.cooccurrence import Cooccurrence
from consilience.v1 import pmi_pb2

DENSE = np.array([[0, 2, 0], [1, 0, 3]])


@pytest.mark.parametrize(
    "given",
    [DENSE, DENSE.tolist(), scipy.sparse.coo_matrix(DENSE), scipy.sparse.csr_array(DENSE), (np.array([0, 1, 1]), [1, 0, 2], [2.0, 1, 3])],
)
def test_counts_become_cells(given):
    cells = to_cells(given, 2)
    assert (cells.rows.tolist(), cells.columns.tolist(), cells.counts.tolist(), cells.contexts) == ([0, 1, 1], [1, 0, 2], [2, 1, 3], 3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (DENSE.T, "3 rows for 2 ids"),
        (np.ones(3), "shape"),
        (([0], [1]), "tuple of 2"),
        (([0, 1], [1], [1.0]), "parallel"),
        (([0.5], [1], [1.0]), "positions"),
        (([-1], [1], [1.0]), "positions"),
        (([0], [1], ["x"]), "numbers"),
        (([0], [1], [np.inf]), "finite"),
        (-DENSE, "below 0"),
        ("counts", "shape"),
    ],
)
def test_what_are_no_counts_is_refused(given, says):
    with pytest.raises(consilience.InvalidArgumentError, match=says) as refused:
        to_cells(given, 2)
    assert refused.value.field == "counts"


def test_ids_are_those_of_the_counts_or_text():
    counts = Cooccurrence(["a", "b"], np.array([0]), np.array([1]), np.array([1.0]))
    assert to_ids(None, counts) == ["a", "b"]
    assert to_ids(("x", "y"), counts) == ["x", "y"]
    for bad in (None, "ab", [1, 2]):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            to_ids(bad, DENSE)
        assert refused.value.field == "ids"


def test_cells_travel_in_blocks(monkeypatch):
    monkeypatch.setattr("consilience._codec.pmi._BLOCK_BYTES", 32)
    first, *blocks = [
        pmi_pb2.CreatePmiSpaceRequest.FromString(each) for each, _ in pmi_requests(pmi_pb2.PmiHeader(space_id="x"), to_cells(DENSE, 2))
    ]
    assert first.header.space_id == "x"
    assert [len(block.counts.rows) for block in blocks] == [8, 4]
    assert np.frombuffer(b"".join(block.counts.counts for block in blocks), "<f8").tolist() == [2, 1, 3]


def test_a_file_of_counts_is_symmetric(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("one,other,count\na,b,2\nb,b,1.5\n")
    found = read_counts(path)
    np.testing.assert_array_equal(found.to_dense(), [[0, 2], [2, 1.5]])
    path.write_text("a,b,2\na,b\n")
    with pytest.raises(consilience.InvalidArgumentError, match="line 2"):
        read_counts(path)
