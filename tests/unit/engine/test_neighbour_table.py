"""Tables built by hand: columns, tails and ordered rows."""

import numpy as np
import pytest

from consilience_server.core.errors import InvalidK
from consilience_server.engine.neighbour_table import ExactNeighbourTable, RowTail, collect_tails, table_depth, tail_limit
from consilience_server.engine.protocol import Certificate

CERTIFICATE = Certificate("float32", 0.0, 0, 0, 0, "by hand")


def table(indices, scores, tails=(), k_max=3, gallery=100):
    return ExactNeighbourTable(
        np.array(indices, dtype=np.int32),
        np.array(scores, dtype=np.float64),
        collect_tails(len(indices), list(tails)),
        k_max,
        gallery,
        self_join=True,
        certificate=CERTIFICATE,
    )


def tail(row, items, beyond=None, *, ordered=False):
    return RowTail(row, np.array(items, dtype=np.int32), len(items) if beyond is None else beyond, ordered)


def row_of(sets, row):
    own = slice(sets.indptr[row], sets.indptr[row + 1])
    return dict(zip(sets.indices[own].tolist(), sets.weights[own].tolist(), strict=True))


def test_without_ties_a_set_is_the_list_in_ascending_order():
    sets = table([[7, 2, 9, 4], [1, 0, 3, 8]], [[4.0, 3.0, 2.0, 1.0]] * 2).sets(3)
    assert sets.indptr.tolist() == [0, 3, 6]
    assert sets.indices.tolist() == [2, 7, 9, 0, 1, 3]
    assert sets.weights.tolist() == [1.0] * 6
    assert sets.tie_fraction == 0.0


def test_a_tie_that_the_columns_show_is_shared():
    joined = table([[7, 2, 9, 4]], [[4.0, 3.0, 3.0, 3.0]])
    assert row_of(joined.sets(1), 0) == {7: 1.0}
    assert row_of(joined.sets(2), 0) == {7: 1.0, 2: 1 / 3, 9: 1 / 3, 4: 1 / 3}
    assert row_of(joined.sets(3), 0) == {7: 1.0, 2: 2 / 3, 9: 2 / 3, 4: 2 / 3}


def test_the_last_place_decides_a_tie_of_which_no_column_knows_more():
    # The 4th column only tells that the 3rd place is not tied.
    assert table([[7, 2, 9, 4]], [[4.0, 3.0, 2.0, 1.0]]).sets(3).tied.tolist() == [False]
    assert table([[7, 2, 9, 4]], [[4.0, 3.0, 2.0, 2.0]]).sets(3).tied.tolist() == [True]


def test_a_tail_shares_the_places_of_its_group():
    joined = table([[7, 2, 4, 9], [7, 2, 4, 9]], [[4.0, 3.0, 3.0, 3.0], [4.0, 3.0, 2.0, 1.0]], [tail(0, [11, 20])])
    assert row_of(joined.sets(2), 0) == {7: 1.0, **dict.fromkeys([2, 4, 9, 11, 20], 1 / 5)}
    assert row_of(joined.sets(1), 0) == {7: 1.0}
    assert row_of(joined.sets(3), 1) == {7: 1.0, 2: 1.0, 4: 1.0}
    places = joined.places(3)
    assert places.n_above.tolist() == [1, 2]
    assert places.n_tied.tolist() == [5, 1]
    assert joined.sets(3).tie_fraction == 0.5


def test_an_ordered_group_fills_its_places_one_by_one():
    # Above the group: 7. By key the group begins 50, 2: neither ascending nor only what the columns hold.
    joined = table([[7, 2, 4, 9]], [[4.0, 3.0, 3.0, 3.0]], [tail(0, [50, 2], beyond=900, ordered=True)])
    assert row_of(joined.sets(1), 0) == {7: 1.0}
    assert row_of(joined.sets(2), 0) == {7: 1.0, 50: 1.0}
    assert row_of(joined.sets(3), 0) == {2: 1.0, 7: 1.0, 50: 1.0}
    assert joined.sets(3).indices.tolist() == [2, 7, 50]
    places = joined.places(2)
    assert (places.n_above.tolist(), places.n_tied.tolist(), places.by_key.tolist()) == ([1], [903], [True])
    assert joined.sets(2).tied.tolist() == [True]


def test_tied_and_untied_rows_mix():
    joined = table(
        [[3, 1, 5, 6], [9, 8, 7, 6], [4, 2, 0, 1]],
        [[4.0, 3.0, 3.0, 1.0], [4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 1.0, 1.0]],
        [tail(2, [30, 31])],
    )
    sets = joined.sets(2)
    assert [row_of(sets, row) for row in range(3)] == [
        {3: 1.0, 1: 0.5, 5: 0.5},
        {9: 1.0, 8: 1.0},
        dict.fromkeys([0, 1, 2, 4, 30, 31], 2 / 6),
    ]
    for row in range(3):
        own = sets.indices[sets.indptr[row] : sets.indptr[row + 1]]
        assert (np.diff(own) > 0).all()
        assert sum(row_of(sets, row).values()) == pytest.approx(2)


@pytest.mark.parametrize("k", [0, 4])
def test_k_beyond_the_table_is_refused(k):
    joined = table([[7, 2, 9, 4]], [[4.0, 3.0, 2.0, 1.0]])
    for function in (joined.sets, joined.places):
        with pytest.raises(InvalidK, match=f"k = {k}, but this table serves k from 1 to 3"):
            function(k)


def test_depth_is_one_place_more_where_there_is_one():
    assert table_depth(10, 100) == 11
    assert table_depth(10, 10) == 10


def test_up_to_4096_items_every_tie_fits():
    assert tail_limit(4096) == 4096
    assert tail_limit(50_000) == 335
    assert tail_limit(10**9) == 64


def test_bytes_are_those_of_the_arrays():
    joined = table([[7, 2, 4, 9]], [[4.0, 3.0, 3.0, 3.0]], [tail(0, [11, 20])])
    assert joined.nbytes == 4 * 4 + 4 * 8 + 2 * 8 + 2 * 4 + 4 + 1
