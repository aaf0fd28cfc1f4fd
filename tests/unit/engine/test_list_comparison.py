"""Many lists compared at once, held to the plain programmes, over the edges of machine words."""

import numpy as np
import pytest

from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.ordered_lists import OrderedLists
from consilience_server.engine.list_comparison import common_lengths, saved_edits


@pytest.mark.parametrize(("k", "pool"), [(1, 3), (3, 5), (10, 10), (10, 14), (63, 80), (64, 70), (65, 66), (130, 150)])
def test_counts_agree_with_the_definitions(k, pool):
    draw, count = np.random.default_rng(k), 40
    a, b = (np.array([draw.permutation(pool)[:k] for _ in range(count)]) for _ in range(2))
    # Nearly equal lists as well: long runs carry from word to word.
    b[: count // 2] = a[: count // 2]
    b[: count // 4, k // 2] = pool
    b[count // 4 : count // 2] = np.roll(b[count // 4 : count // 2], 1, axis=1)
    which, place_a, place_b = np.nonzero(a[:, :, None] == b[:, None, :])
    ks = sorted({1, max(1, k // 2), k})
    lengths, saved = (compare(which, place_a, place_b, count, ks) for compare in (common_lengths, saved_edits))
    for column, part in enumerate(ks):
        for i in range(count):
            x, y = (OrderedLists(side[i : i + 1, :part].astype(np.int32)) for side in (a, b))
            assert lengths[column, i] == round(part * lcs_knn(x, y))
            assert saved[column, i] == round(part * edit_distance_knn(x, y))


def test_lists_without_a_common_item_count_nothing():
    nothing = np.empty(0, dtype=np.int64)
    for compare in (common_lengths, saved_edits):
        assert compare(nothing, nothing, nothing, 3, [2, 70]).tolist() == [[0, 0, 0], [0, 0, 0]]
        assert compare(nothing, nothing, nothing, 0, [2]).shape == (1, 0)
