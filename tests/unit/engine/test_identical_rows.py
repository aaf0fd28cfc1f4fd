import numpy as np

from consilience_server.engine import identical_rows
from consilience_server.engine.identical_rows import group_identical_rows


def literal_groups(rows):
    groups = {}
    for position, row in enumerate(rows):
        groups.setdefault(row.tobytes(), []).append(position)
    return list(groups.values())


def as_lists(groups):
    return [groups.members[a:b].tolist() for a, b in zip(groups.indptr[:-1], groups.indptr[1:], strict=True)]


def test_groups_are_those_of_a_dictionary():
    random = np.random.default_rng(0)
    vectors = random.integers(0, 3, (500, 5)).astype(np.float32)
    groups = group_identical_rows(vectors)
    assert as_lists(groups) == literal_groups(vectors)
    assert groups.first.tolist() == [members[0] for members in literal_groups(vectors)]
    assert np.array_equal(vectors[groups.first[groups.group]], vectors)
    assert groups.sizes.sum() == 500


def test_distinct_rows_keep_their_own_order():
    vectors = np.random.default_rng(1).standard_normal((300, 7)).astype(np.float32)
    assert group_identical_rows(vectors).first.tolist() == list(range(300))


def test_one_bit_apart_is_apart():
    vectors = np.ones((4, 100), dtype=np.float32)
    vectors[2, 99] = np.nextafter(np.float32(1), np.float32(2))
    assert as_lists(group_identical_rows(vectors)) == [[0, 1, 3], [2]]


def test_labels_part_equal_rows():
    vectors = np.ones((4, 3), dtype=np.float32)
    assert as_lists(group_identical_rows(vectors, np.array([0.5, 0.25, 0.5, 0.25]))) == [[0, 2], [1, 3]]


def test_a_hash_collision_never_merges_different_rows(monkeypatch):
    random = np.random.default_rng(2)
    vectors = random.integers(0, 3, (200, 3)).astype(np.float32)
    monkeypatch.setattr(identical_rows, "_hash_rows", lambda rows: np.zeros(len(rows), dtype=np.uint64))
    groups = group_identical_rows(vectors)
    assert as_lists(groups) == [[row] for row in range(200)]


def test_a_collision_leaves_other_groups_alone(monkeypatch):
    vectors = np.array([[1], [2], [3], [3], [1]], dtype=np.float32)
    monkeypatch.setattr(identical_rows, "_hash_rows", lambda rows: (rows[:, 0] > 2).astype(np.uint64))
    assert as_lists(group_identical_rows(vectors)) == [[0], [1], [2, 3], [4]]


def test_blocks_do_not_matter(monkeypatch):
    vectors = np.random.default_rng(3).integers(0, 2, (300, 6)).astype(np.float32)
    whole = as_lists(group_identical_rows(vectors))
    monkeypatch.setattr(identical_rows, "_BLOCK_BYTES", 100)
    assert as_lists(group_identical_rows(vectors)) == whole
