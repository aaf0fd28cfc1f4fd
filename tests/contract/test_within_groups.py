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
    assert (refused.value.reason, refused.value.field) == ("INVALID_ATTRIBUTE", "spec.within")


def test_a_sample_of_queries_is_not_permuted_within_groups(client, classed):
    (x, _), (y, _), _ = classed
    with pytest.raises(consilience.UnimplementedError, match="ask all of them"):
        client.align(x, y, k=5, within="label", sample_queries=10)


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
