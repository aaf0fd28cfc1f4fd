"""Items in groups, many to many, over a server and in-process."""

import numpy as np
import pytest

import consilience
from consilience_server.core.group_overlap import group_overlaps


@pytest.fixture
def pair(client, name):
    """30 things with three items each, and five with two: near each other in both spaces, of which the things agree."""
    random = np.random.default_rng(4)
    group = np.concatenate([np.repeat(np.arange(30), 3), np.repeat(np.arange(30, 35), 2)])
    things = random.standard_normal((35, 6))
    x = (things[group] + 0.3 * random.standard_normal((100, 6))).astype(np.float32)
    y = (things[group] @ random.standard_normal((6, 5)) + 0.6 * random.standard_normal((100, 5))).astype(np.float32)
    ids = [f"item-{row:04d}" for row in range(100)]
    for side, vectors in (("x", x), ("y", y)):
        client.create_space(f"{name}-{side}", dim=vectors.shape[1])
        attributes = {"group_id": [f"thing {each}" for each in group], "size": [min(each, 1) for each in group]} if side == "x" else {}
        client.upsert(f"{name}-{side}", ids, vectors, attributes=attributes)
    return f"{name}-x", f"{name}-y", x, y, group


def order(vectors):
    unit = vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :-1].tolist()


def test_neighbours_count_by_their_group_and_the_own_group_does_not(client, pair):
    x, y, left, right, group = pair
    report = client.align(x, y, k=[5, 2], group_by="group_id", permutations=199)
    for k, entry in report.by_k.items():
        expected = group_overlaps(order(left), order(right), group.tolist(), k).mean()
        assert entry.score == pytest.approx(expected, rel=1e-12)
        assert entry.interval.low < entry.score < entry.interval.high
        assert entry.p_value == 1 / 200
    assert (report.n, report.gallery, report.groups, report.group_by) == (100, 100, 35, "group_id")
    assert report.chance == pytest.approx(report.headline.null_mean)
    plain = client.align(x, y, k=5, permutations=0)
    assert (plain.groups, plain.group_by) == (0, "")
    assert 5 / 99 < report.chance < report.score


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"group_by": "nothing"}, "group_by"),
        ({"group_by": "size"}, "group_by"),
        ({"group_by": ""}, "group_by"),
        ({"group_by": "group_id", "k": 98}, "k"),
        ({"group_by": "group_id", "metric": "cka"}, "group_by"),
    ],
)
def test_what_cannot_be_grouped_is_refused(client, pair, arguments, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align(pair[0], pair[1], **{"k": 5, "permutations": 9, **arguments})
    assert refused.value.field == field


@pytest.mark.parametrize("more", [{"sample_queries": 20}, {"query_ids": ["item-0001"]}, {"within": "size"}])
def test_what_is_not_served_of_groups_says_why(client, pair, more):
    with pytest.raises(consilience.UnimplementedError, match="exchanges whole groups") as refused:
        client.align(pair[0], pair[1], k=5, group_by="group_id", permutations=9, **more)
    assert (refused.value.reason, refused.value.field) == ("NOT_SERVED", "group_by")


def test_exchanges_of_groups_may_stop_early(client, pair, name):
    x, y, _, _, _ = pair
    found = client.align(x, y, k=5, group_by="group_id", permutations=199, stop_after=10)
    assert (found.p_value, found.calibrated) == (1 / 200, None)
    noise = f"{name}-noise"
    client.create_space(noise, dim=4)
    client.upsert(noise, client.get_embeddings(x).ids, np.random.default_rng(9).standard_normal((100, 4)))
    null = client.align(noise, x, k=5, group_by="group_id", permutations=999)
    stopped = client.align(noise, x, k=5, group_by="group_id", permutations=999, stop_after=10)
    drawn = stopped.headline.permutations
    assert drawn < 999
    assert np.count_nonzero(null.null[:drawn] >= null.score) == 10
    assert stopped.p_value == pytest.approx(10 / drawn)


def test_where_groups_are_not_compared_they_are_refused(client, pair):
    x, _, left, right, _ = pair
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align_arrays(left, right, k=5, group_by="group_id")
    assert refused.value.field == "group_by"
    with pytest.raises(consilience.UnimplementedError, match="not by groups") as unserved:
        client.compare_versions(x, 1, 1, k=5, group_by="group_id")
    assert unserved.value.field == "group_by"


def test_items_count_neighbours_by_their_group(client, pair):
    x, y, left, right, group = pair
    asked = {"k": 5, "group_by": "group_id", "permutations": 199}
    report = client.align_items(x, y, slices="size", extremes=3, **asked)
    whole = client.align(x, y, **asked)
    expected = group_overlaps(order(left), order(right), group.tolist(), 5)
    np.testing.assert_allclose(report.overlaps, expected, atol=1e-12)
    assert report.headline.score == whole.score
    assert (report.group_by, report.groups) == ("group_id", 35)
    assert sum(part.n * part.score for part in report.slices) == pytest.approx(100 * whole.score)
    assert sum(part.n * part.chance for part in report.slices) == pytest.approx(100 * whole.chance)
    small = next(part for part in report.slices if part.n == 3)  # the items of the first thing
    assert small.score == pytest.approx(expected[:3].mean())
    assert small.interval.low <= small.score <= small.interval.high
    assert next(part for part in report.slices if part.n == 97).p_value == 1 / 200
    numbers = {f"item-{row:04d}": row for row in range(100)}
    for lists in (*report.least, *report.most):
        of = {group[numbers[each]] for each in (*lists.x_ids, *lists.y_ids)}
        assert (len(lists.x_ids), len(lists.y_ids), group[numbers[lists.id]] in of) == (5, 5, False)
    assert "items of equal group_id compared as one thing, 35 of them" in report.cite()
    assert client.align_items(x, y, k=5, permutations=0).groups == 0


def test_a_matrix_compares_groups_under_shared_pairings(client, pair, name):
    x, y, _, _, _ = pair
    noise = f"{name}-noise"
    client.create_space(noise, dim=4)
    client.upsert(noise, client.get_embeddings(x).ids, np.random.default_rng(9).standard_normal((100, 4)))
    spaces, asked = [noise, y, x], {"k": 5, "group_by": "group_id", "permutations": 99}
    matrix = client.align_matrix(spaces, **asked)
    assert (matrix.group_by, matrix.groups, int(matrix.n[0, 1])) == ("group_id", 35, 100)
    pair_report = client.align(y, x, **asked)
    assert matrix.scores[1, 2] == pair_report.score
    assert matrix.p_values[1, 2] == pair_report.p_value == 0.01
    assert matrix.chance[1, 2] == pytest.approx(pair_report.chance)
    assert np.diag(matrix.scores) == pytest.approx([1.0] * 3)
    assert matrix.p_adjusted[1, 2] <= 0.05 < matrix.p_adjusted[0, 1]
    assert "items of equal group_id compared as one thing, 35 of them" in matrix.cite()
    assert (client.align_matrix(spaces, k=5, permutations=0).scores != matrix.scores).any()
    trend = client.trend(spaces, {noise: 1, y: 2, x: 3}, **{**asked, "permutations": 0})
    assert (trend.measurement.group_by, trend.measurement.groups) == ("group_id", 35)
    assert "items of equal group_id compared as one thing, 35 of them" in trend.cite()
    assert trend.pair_scores[1, 2] == matrix.scores[1, 2]
    with pytest.raises(consilience.UnimplementedError, match="own items") as refused:
        client.align_matrix(spaces, items="pairwise", **asked)
    assert refused.value.field == "group_by"


def test_groups_of_items_are_not_compared_layer_by_layer(client, pair, name):
    x, y, left, _, _ = pair
    for at in range(2):
        client.create_space(f"{name}-layer-{at}", dim=6, group=name, layer=str(at))
        client.upsert(f"{name}-layer-{at}", client.get_embeddings(x).ids, left)
    with pytest.raises(consilience.UnimplementedError, match="layer by layer") as refused:
        client.align(f"groups/{name}", y, k=5, group_by="group_id")
    assert refused.value.field == "group_by"
