"""`within`: random pairings that keep items in the groups of an attribute, over a server and in-process alike."""

import numpy as np
import pytest

import consilience

N = 60


@pytest.fixture
def classed(client, name):
    """Two spaces that share a class and nothing else; the second has the attribute `label`, the first `split` for half of its items."""
    draw = np.random.default_rng(1)
    labels = np.arange(N) % 4
    ids = [f"i{row:02d}" for row in range(N)]
    spaces = []
    for side in ("x", "y"):
        vectors = draw.normal(size=(4, 8))[labels] + 0.5 * draw.normal(size=(N, 8))
        client.create_space(f"{name}-{side}", dim=8)
        known = {"label": labels.tolist()} if side == "y" else {"split": ["odd" if row % 2 else None for row in range(N)]}
        client.upsert(f"{name}-{side}", ids, vectors, attributes=known)
        spaces.append((f"{name}-{side}", vectors))
    return spaces[0], spaces[1], labels


def test_a_shared_class_is_chance_within_it(client, classed):
    (x, _), (y, _), _ = classed
    plain, within = client.align(x, y, k=5), client.align(x, y, k=5, within="label")
    assert within.score == plain.score
    assert plain.p_value <= 0.001
    assert within.p_value > 0.05
    assert (within.within.attribute, within.within.groups, within.within.fixed_items) == ("label", 4, 0)
    assert "999 permutations within 4 groups of label" in repr(within)
    assert within.to_dict()["within"] == {"attribute": "label", "groups": 4, "fixed_items": 0}
    assert plain.within is None


def test_arrays_take_labels(client, classed):
    (x, left), (y, right), labels = classed
    arrays = client.align_arrays(left, right, k=5, within=labels.astype(str), permutations=99)
    local = consilience.align_arrays(left, right, k=5, within=labels, permutations=99)
    assert arrays.by_k == local.by_k
    assert arrays.chance == pytest.approx(client.align(x, y, k=5, within="label").chance, rel=1e-6)


def test_a_matrix_permutes_within_groups_too(client, classed):
    (x, _), (y, _), _ = classed
    matrix = client.align_matrix([x, y], k=5, within="label", permutations=99)
    report = client.align(x, y, k=5, within="label", permutations=99)
    assert matrix.p_values[0, 1] == report.p_value
    assert matrix.chance[0, 1] == report.chance
    assert matrix.within == report.within
    with pytest.raises(consilience.InvalidArgumentError, match="over common items"):
        client.align_matrix([x, y], k=5, within="label", items="pairwise")


def test_items_alone_in_their_group_are_told(client, classed):
    (_, left), (_, right), labels = classed
    labels = np.where(np.arange(N) < 3, 100 + np.arange(N), labels)
    report = client.align_arrays(left, right, k=5, within=labels, permutations=19)
    assert report.within.fixed_items == 3
    assert any("3 of 60 items are alone in their group" in warning for warning in report.warnings)
    pairs = client.align_arrays(left, right, k=5, within=[0, 0, *range(1, N - 1)], permutations=19)
    assert any("only 2 pairings" in warning for warning in pairs.warnings)


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("lable", "no attribute 'lable' for these items; there are label, split"),
        ("split", "30 of 60 common items have no value of 'split'"),
    ],
)
def test_an_attribute_that_does_not_cover_the_items_is_refused(client, classed, attribute, told):
    (x, _), (y, _), _ = classed
    with pytest.raises(consilience.InvalidArgumentError, match=told) as refused:
        client.align(x, y, k=5, within=attribute)
    assert (refused.value.reason, refused.value.field) == ("INVALID_ATTRIBUTE", "within")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["a"] * (N - 1), "59 labels for 60 rows"),
        ([None, *["a"] * (N - 1)], "1 of 60 rows have no label in within, row 0"),
        ([float("nan"), *[1.0] * (N - 1)], "have no label"),
        ("label", "give one label a row"),
        (list(range(N)), "every item is a group of its own"),
        ([["a"]] * N, "no plain values"),
    ],
)
def test_labels_that_do_not_group_the_rows_are_refused(client, classed, labels, told):
    (_, left), (_, right), _ = classed
    with pytest.raises(consilience.InvalidArgumentError, match=told):
        client.align_arrays(left, right, k=5, within=labels)


def test_some_queries_are_paired_within_their_groups_too(client, name):
    """Both spaces see the class and nothing else: of a sample of queries too, that is no alignment within the classes."""
    draw, n = np.random.default_rng(8), 160
    labels = [f"class {value}" for value in draw.integers(0, 4, n)]
    kinds = draw.normal(size=(2, 4, 6))
    ids = [f"i{row:03d}" for row in range(n)]
    spaces = [f"{name}-{side}" for side in "xyz"]
    for at, space in enumerate(spaces):
        own = 3.0 * kinds[at % 2][[int(label[-1]) for label in labels]]
        client.create_space(space, dim=6)
        client.upsert(space, ids, own + draw.normal(size=(n, 6)), attributes={"label": labels})
    asked = {"k": 5, "permutations": 199, "sample_queries": 60}
    for metric in ("mutual_knn", "lcs_knn"):
        free = client.align(*spaces[:2], metric=metric, **asked)
        within = client.align(*spaces[:2], metric=metric, within="label", **asked)
        assert within.score == free.score
        assert free.p_value < 0.05 < within.p_value
        assert within.chance > 1.5 * free.chance
        assert (within.n, within.within.groups, within.within.attribute) == (60, 4, "label")
    matrix = client.align_matrix(spaces, within="label", **asked)
    pair = client.align(*spaces[:2], within="label", **asked)
    assert matrix.scores[0, 1] == pair.score
    assert matrix.chance[0, 1] == pytest.approx(pair.chance)
    named = client.align(*spaces[:2], k=5, within="label", query_ids=ids[:3] + ids[1:3], permutations=19)
    assert (named.n, named.duplicate_queries) == (3, 2)
    assert any("2 of 5 query_ids stand twice" in text for text in named.warnings)
    assert any("queries are alone among those of their group" in text for text in named.warnings)
    assert client.align(*spaces[:2], k=5, query_ids=ids[:3], permutations=19).duplicate_queries == 0
