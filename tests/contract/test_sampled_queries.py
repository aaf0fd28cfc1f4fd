"""Sampled queries over a server and in-process: n, gallery and rule in the answer, and what is refused."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience


@pytest.fixture
def pair(client, name):
    random = np.random.default_rng(3)
    x = random.standard_normal((90, 8), dtype=np.float32)
    y = (x[:, :6] + 0.5 * random.standard_normal((90, 6))).astype(np.float32)
    return fill(client, f"{name}-x", x), fill(client, f"{name}-y", y)


def overlap(x, y, k):
    lists = []
    for side in (x, y):
        unit = side.astype(float) / np.linalg.norm(side.astype(float), axis=1, keepdims=True)
        similarity = unit @ unit.T
        np.fill_diagonal(similarity, -np.inf)
        lists.append(np.argsort(-similarity, axis=1)[:, :k])
    return np.array([len(set(a) & set(b)) / k for a, b in zip(*lists, strict=True)])


def test_named_queries_score_by_their_own_lists(client, pair):
    x, y = pair
    report = client.align(x.name, y.name, k=5, query_ids=x.ids[10:30], permutations=99)
    expected = overlap(x.vectors, y.vectors, 5)[10:30]
    assert report.score == pytest.approx(expected.mean(), rel=1e-12)
    assert (report.n, report.gallery, report.query_sampling, report.interval_kind) == (20, 90, "given", "queries")
    mean, t = expected.mean(), 2.093024054  # 19 degrees of freedom
    effective = mean * (1 - mean) / (expected.var(ddof=1) * (1 - 20 / 90) / 20)
    ends = np.roots([1 + t**2 / effective, -2 * mean - t**2 / effective, mean**2])
    assert report.interval == pytest.approx(sorted(ends), rel=1e-8)
    assert repr(report).endswith("n = 20 queries of 90 items")


def test_a_hash_sample_is_nested_and_becomes_all(client, pair):
    x, y = pair
    whole = client.align(x.name, y.name, k=5, permutations=9)
    assert (whole.n, whole.gallery, whole.query_sampling) == (90, 90, "all")
    few = client.align(x.name, y.name, k=5, permutations=9, sample_queries=30)
    assert (few.n, few.gallery, few.query_sampling) == (30, 90, "hash")
    assert few == client.align(x.name, y.name, k=5, permutations=9, sample_queries=30)
    every = client.align(x.name, y.name, k=5, permutations=9, sample_queries=5000)
    assert (every.n, every.score, every.interval) == (90, whole.score, (whole.score, whole.score))


def test_a_matrix_of_sampled_queries(client, pair):
    x, y = pair
    matrix = client.align_matrix([x.name, y.name], k=5, permutations=9, sample_queries=30)
    assert (matrix.n == 30).all()
    assert (matrix.gallery == 90).all()
    assert matrix.scores[0, 1] == client.align(x.name, y.name, k=5, permutations=9, sample_queries=30).score
    assert "n = 30 queries of 90 items" in repr(matrix)


@pytest.mark.parametrize(
    ("arguments", "kind", "field"),
    [
        ({"query_ids": ["nobody"]}, consilience.NotFoundError, "query_ids"),
        ({"query_ids": []}, consilience.InvalidArgumentError, "query_ids"),
        ({"query_ids": "item-0"}, consilience.InvalidArgumentError, "query_ids"),
        ({"sample_queries": -1}, consilience.InvalidArgumentError, "sample_queries"),
        ({"sample_queries": 5, "interval_kind": "items"}, consilience.InvalidArgumentError, "interval_kind"),
        ({"sample_queries": 5, "metric": "unbiased_cka"}, consilience.InvalidArgumentError, "sample_queries"),
        ({"sample_queries": 5, "metric": "cycle_knn"}, consilience.InvalidArgumentError, "sample_queries"),
        ({"sample_queries": 5, "k": 90}, consilience.InvalidArgumentError, "k"),
    ],
)
def test_what_cannot_be_asked_is_refused(client, pair, arguments, kind, field):
    with pytest.raises(kind) as refused:
        client.align(pair[0].name, pair[1].name, **arguments)
    assert refused.value.field == field


def test_arrays_take_a_sample_but_no_ids(client, pair):
    x, y = (side.vectors for side in pair)
    report = client.align_arrays(x, y, k=5, sample_queries=30)
    assert (report.n, report.gallery) == (30, 90)
    with pytest.raises(consilience.InvalidArgumentError, match="no ids"):
        client.align_arrays(x, y, k=5, query_ids=["0"])


@pytest.mark.parametrize("metric", ["lcs_knn", "edit_distance_knn"])
def test_ordered_lists_are_sampled_too(client, pair, metric):
    x, y = (side.name for side in pair)
    whole = client.align(x, y, k=5, metric=metric, permutations=99)
    some = client.align(x, y, k=5, metric=metric, sample_queries=45, permutations=99)
    assert (some.n, some.gallery, some.query_sampling, some.p_value) == (45, 90, "hash", 0.01)
    assert abs(some.score - whole.score) < 0.2
    assert some.interval.low < some.score < some.interval.high
    matrix = client.align_matrix([x, y], k=5, metric=metric, sample_queries=45, permutations=99)
    assert matrix.scores[0, 1] == some.score
    assert client.align(x, y, k=5, metric=metric, sample_queries=90, permutations=99).score == whole.score
    with pytest.raises(consilience.InvalidArgumentError, match="strata are of mutual_knn"):
        client.align(x, y, k=5, metric=metric, sample_queries=45, strata="label")
