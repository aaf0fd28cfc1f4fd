"""`compare_alignments`: is one pair more aligned than another, over a server and in-process alike."""

import numpy as np
import pytest

import consilience

N = 80


@pytest.fixture
def spaces(client, name):
    """y sees more of x than w does; each space has an item that the others lack."""
    draw = np.random.default_rng(3)
    latent = draw.normal(size=(N + 3, 4))
    names = []
    for number, (side, noise) in enumerate((("x", 0.3), ("y", 0.5), ("w", 8.0))):
        vectors = latent @ draw.normal(size=(4, 8)) + noise * draw.normal(size=(N + 3, 8))
        rows = [row for row in range(N + 3) if row < N or row == N + number]
        client.create_space(f"{name}-{side}", dim=8)
        client.upsert(f"{name}-{side}", [f"i{row:03d}" for row in rows], vectors[rows])
        names.append(f"{name}-{side}")
    return names


@pytest.mark.parametrize("metric", ["mutual_knn", "cka"])
def test_the_difference_is_that_of_the_controls_of_align(client, spaces, metric):
    x, y, w = spaces
    found = client.compare_alignments((x, y), (x, w), k=[5, 9], metric=metric, permutations=99)
    report = client.align(x, y, k=[5, 9], metric=metric, permutations=99, controls={w: "y"})
    assert found.first.by_k == report.by_k
    assert found.second.by_k == report.controls[w].by_k
    assert dict(found.differences) == dict(report.controls[w].differences)
    assert found.difference == found.first.score - found.second.score > 0
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.p_value < 0.01
    assert f"difference +{found.difference:.3f}" in repr(found)
    some = client.compare_alignments((x, y), (x, w), k=5, sample_queries=20, permutations=9)
    assert f"n = 20 queries of {found.first.n:,} items" in repr(some)
    assert found.to_dict()["p_value"] == found.p_value


def test_exchanged_pairs_differ_the_other_way(client, spaces):
    x, y, w = spaces
    one, other = (client.compare_alignments(a, b, k=5, permutations=0) for a, b in (((x, y), (x, w)), ((x, w), (x, y))))
    assert (one.difference, one.p_value) == (-other.difference, other.p_value)
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))


def test_with_all_queries_asked_of_a_fixed_gallery_nothing_is_uncertain(client, spaces):
    x, y, w = spaces
    found = client.compare_alignments((x, y), (x, w), k=5, permutations=0, interval_kind="queries")
    assert found.interval == (found.difference, found.difference)
    assert found.p_value is None
    sampled = client.compare_alignments((x, y), (x, w), k=5, permutations=0, sample_queries=40)
    assert sampled.first.n == 40
    assert sampled.interval[0] < sampled.difference < sampled.interval[1]
    assert 0 < sampled.p_value < 1


def test_an_operation_answers_the_same(client, spaces):
    x, y, w = spaces
    operation = client.compare_alignments((x, y), (x, w), k=5, permutations=19, wait=False)
    assert client.wait_operation(operation) == client.compare_alignments((x, y), (x, w), k=5, permutations=19)


def test_what_cannot_be_compared_is_refused(client, spaces, name):
    x, y, w = spaces
    for pairs, told in ((((x, y), (x, y)), "both pairs are the same"), (((x, y, w), (x, w)), "give two spaces")):
        with pytest.raises(consilience.InvalidArgumentError, match=told):
            client.compare_alignments(*pairs)
    with pytest.raises(consilience.InvalidArgumentError, match="give two spaces"):
        client.compare_alignments("xy", (x, w))
    with pytest.raises(consilience.NotFoundError) as missing:
        client.compare_alignments((x, y), (x, f"{name}-nobody"), k=5)
    assert missing.value.field == "second.y"


def test_near_duplicates_in_any_space_leave_both_pairs(client, spaces):
    """Copies that only w has leave the first pair too, or the difference would be of other items."""
    x, y, w = spaces
    ids = [f"i{row:03d}" for row in range(12)]
    client.upsert(w, ids, np.tile(np.random.default_rng(6).normal(size=(6, 8)), (2, 1)))
    found = client.compare_alignments((x, y), (x, w), k=3, permutations=9, deduplicate=0.999999)
    assert (found.first.n, found.second.n) == (N - 6, N - 6)
    assert [(each.duplicates, each.deduplicate) for each in (found.first, found.second)] == [(6, 0.999999)] * 2
    assert (found.first.dropped_x, found.first.dropped_y) == (1, 1)
    assert found.interval[0] < found.difference < found.interval[1]


@pytest.mark.parametrize("argument", ["group_by", "within", "strata"])
def test_any_of_the_spaces_may_have_the_attribute(client, spaces, name, argument):
    x, y, _ = spaces
    draw = np.random.default_rng(4)
    ids = [f"i{row:03d}" for row in range(N)]
    values = [f"g{row % 3 if argument == 'strata' else row // 2}" for row in range(N)]
    client.create_space(f"{name}-v", dim=8)
    client.upsert(f"{name}-v", ids, draw.normal(size=(N, 8)), attributes={"gid": values})
    asked = {argument: "gid", **({"sample_queries": 60} if argument == "strata" else {})}
    found = client.compare_alignments((x, y), (x, f"{name}-v"), k=3, permutations=19, **asked)
    alone = client.align(x, f"{name}-v", k=3, permutations=19, **asked)
    assert found.second.by_k == alone.by_k
    assert (found.first.group_by, found.first.strata, found.first.n) == (alone.group_by, alone.strata, alone.n)
