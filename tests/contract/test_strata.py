"""Queries sampled from strata, over a server and in-process."""

import numpy as np
import pytest
from support.filled_space import FilledSpace

import consilience
from consilience_server.core.query_sample import sampling_keys


@pytest.fixture
def pair(client, name):
    """120 items in three kinds; they agree in the first, less in the second, not in the third."""
    random, sizes = np.random.default_rng(3), (60, 40, 20)
    kind = np.repeat([0, 1, 2], sizes)
    x = random.standard_normal((120, 8), dtype=np.float32)
    y = (x[:, :6] + np.array([0.1, 0.7, 9.0])[kind][:, None] * random.standard_normal((120, 6))).astype(np.float32)
    ids = [f"item-{row:04d}" for row in range(120)]
    for side, vectors in (("x", x), ("y", y)):
        client.create_space(f"{name}-{side}", dim=vectors.shape[1])
        attributes = {"kind": [f"kind {each}" for each in kind], "own": [str(row) for row in range(120)]} if side == "y" else {}
        client.upsert(f"{name}-{side}", ids, vectors, attributes=attributes)
    return FilledSpace(f"{name}-x", ids, x), FilledSpace(f"{name}-y", ids, y), kind


def overlap(x, y, k):
    lists = []
    for side in (x, y):
        unit = side.astype(float) / np.linalg.norm(side.astype(float), axis=1, keepdims=True)
        similarity = unit @ unit.T
        np.fill_diagonal(similarity, -np.inf)
        lists.append(np.argsort(-similarity, axis=1)[:, :k])
    return np.array([len(set(a) & set(b)) / k for a, b in zip(*lists, strict=True)])


def test_each_stratum_is_sampled_by_hash_and_weighted_by_its_items(client, pair):
    x, y, kind = pair
    report = client.align(x.name, y.name, k=5, sample_queries=31, strata="kind", permutations=99)
    assert (report.n, report.gallery, report.query_sampling, report.strata, report.interval_kind) == (
        31,
        120,
        "stratified",
        "kind",
        "queries",
    )
    keys, every = sampling_keys(x.ids), overlap(x.vectors, y.vectors, 5)
    mean = 0.0
    for stratum, (size, asked) in enumerate(((60, 16), (40, 10), (20, 5))):
        rows = np.flatnonzero(kind == stratum)
        mean += size / 120 * every[rows[np.argsort(keys[rows])[:asked]]].mean()
    assert report.score == pytest.approx(mean, rel=1e-12)
    assert report.p_value == 1 / 100
    plain = client.align(x.name, y.name, k=5, sample_queries=31, permutations=0)
    assert np.ptp(report.interval) < np.ptp(plain.interval)
    matrix = client.align_matrix([x.name, y.name], k=5, sample_queries=31, strata="kind", permutations=99)
    assert (matrix.scores[0, 1], matrix.strata) == (report.score, "kind")


def test_a_sample_of_all_needs_no_strata(client, pair):
    x, y, _ = pair
    report = client.align(x.name, y.name, k=5, sample_queries=120, strata="kind", permutations=0)
    assert (report.query_sampling, report.strata, np.ptp(report.interval)) == ("all", "", 0.0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"strata": "kind"}, "strata"),
        ({"strata": "nothing", "sample_queries": 30}, "strata"),
        ({"strata": "own", "sample_queries": 30}, "sample_queries"),
        ({"strata": "kind", "sample_queries": 5}, "sample_queries"),
        ({"strata": "", "sample_queries": 30}, "strata"),
    ],
)
def test_what_cannot_be_sampled_is_refused(client, pair, arguments, field):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.align(pair[0].name, pair[1].name, k=5, permutations=0, **arguments)
    assert refused.value.field == field


def test_where_nobody_reads_the_attribute_it_is_refused(client, pair):
    x, y, _ = pair
    with pytest.raises(consilience.InvalidArgumentError, match="no attributes"):
        client.align_arrays(x.vectors, y.vectors, k=5, sample_queries=30, strata="kind")
    for call in (
        lambda: client.align_items(x.name, y.name, k=5, sample_queries=30, strata="kind"),
        lambda: client.align_matrix([x.name, y.name], k=5, items="pairwise", sample_queries=30, strata="kind"),
    ):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            call()
        assert refused.value.field == "strata"
