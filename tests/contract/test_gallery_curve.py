"""Gallery curves over a server and in-process: against recomputation, and the shape that the literature reports."""

import numpy as np
import pytest
from support.filled_space import fill

import consilience
from consilience_server.core.query_sample import hash_sample, sampling_keys


@pytest.fixture(scope="module")
def coarse(client):
    """Two spaces that share where an item's cluster of clusters lies, and nothing finer."""
    random, n = np.random.default_rng(5), 3000
    shared = random.standard_normal((n, 2))
    sides = []
    for name in ("coarse-x", "coarse-y"):
        private = 0.15 * random.standard_normal((n, 6))
        sides.append(fill(client, name, np.hstack([shared, private]).astype(np.float32), similarity="squared_l2"))
    return sides


def overlap(x, y, k):
    lists = []
    for side in (x, y):
        distance = ((side[:, None] - side[None]) ** 2).sum(axis=2)
        np.fill_diagonal(distance, np.inf)
        lists.append(np.argsort(distance, axis=1)[:, :k])
    return np.array([len(set(a) & set(b)) / k for a, b in zip(*lists, strict=True)])


def test_galleries_are_nested_and_each_is_what_its_items_alone_would_score(client, coarse):
    x, y = coarse
    curve = client.gallery_curve(x.name, y.name, ks=[1, 5, "n/50"], sizes=[400, 100, 200], permutations=19)
    assert curve.sizes.tolist() == curve.n.tolist() == [100, 200, 400]
    assert [line.name for line in curve.lines] == ["k = 1", "k = 5", "k = n/50"]
    assert curve.lines[2].ks.tolist() == [2, 4, 8]
    keys = sampling_keys(x.ids)
    for at, size in enumerate(curve.sizes):
        rows = hash_sample(keys, int(size))
        for line in curve.lines:
            k = int(line.ks[at])
            assert line.scores[at] == pytest.approx(overlap(x.vectors[rows], y.vectors[rows], k).mean(), rel=1e-12)
            assert line.chance[at] == k / (size - 1)
            assert line.interval_low[at] < line.scores[at] < line.interval_high[at]
            assert line.p_values[at] == 1 / 20
    frame = curve.to_pandas()
    assert frame.query("line == 'k = 5'")["score"].tolist() == curve.lines[1].scores.tolist()
    assert len(frame) == 9
    assert "do not compare" in curve.warnings[0]
    assert "caution: scores at a fixed k (1, 5) in galleries of 100 to 400 items" in repr(curve)


def test_coarse_agreement_falls_at_a_fixed_k_and_lasts_at_a_share_of_the_items(client, coarse):
    x, y = coarse
    curve = client.gallery_curve(x.name, y.name, ks=[10, "n/100"], sizes=[300, 1000, 3000], permutations=0, interval_kind="queries")
    fixed, share = (line.scores for line in curve.lines)
    assert fixed[0] > 1.5 * fixed[1] > 2.25 * fixed[2]
    assert np.ptp(share) < 0.2 * share.mean()
    assert np.isnan(curve.lines[0].p_values).all()


def test_sampled_queries_are_the_same_in_every_gallery(client, coarse):
    x, y = coarse
    curve = client.gallery_curve(x.name, y.name, ks=5, sizes=[100, 400, 3000], sample_queries=150, permutations=9)
    assert curve.n.tolist() == [100, 150, 150]
    whole = client.align(x.name, y.name, k=5, sample_queries=150, permutations=9)
    assert curve.lines[0].scores[2] == whole.score
    assert (curve.lines[0].interval_low[0], curve.lines[0].interval_high[0]) == (curve.lines[0].scores[0], curve.lines[0].scores[0])
    assert "n = 150 queries of 3,000 items in the largest" in repr(curve)


def test_metrics_without_neighbours_have_one_line(client, coarse):
    x, y = coarse
    curve = client.gallery_curve(x.name, y.name, metric="cka", sizes=[100, 200], permutations=0)
    assert [line.name for line in curve.lines] == [""]
    assert curve.warnings == ()


def test_metrics_of_a_sample_have_no_gallery_beyond_it(client, coarse):
    x, y = coarse
    asked = {"metric": "rsa", "rdm_comparison": "kendall_tau_b", "permutations": 0, "interval_kind": "items"}
    curve = client.gallery_curve(x.name, y.name, sample_items=128, **asked)
    assert curve.sizes.tolist() == curve.n.tolist() == [64, 128]
    assert curve.lines[0].scores[-1] == client.align(x.name, y.name, sample_items=128, **asked).score
    with pytest.raises(consilience.InvalidArgumentError, match=r"sample of 60 items .* ask sizes up to 60, or sample_items='all'") as no:
        client.gallery_curve(x.name, y.name, sizes=[40, 80, 120], sample_items=60, **asked)
    assert no.value.field == "sizes"
    every = client.gallery_curve(x.name, y.name, sizes=[40, 80, 120], sample_items="all", **asked)
    assert every.n.tolist() == [40, 80, 120]


def test_an_operation_ends_with_the_same_curve(client, coarse):
    x, y = coarse
    asked = {"ks": 3, "sizes": [64, 128], "permutations": 9}
    operation = client.gallery_curve(x.name, y.name, wait=False, **asked)
    assert operation.kind == "gallery_curve"
    assert client.wait_operation(operation) == client.gallery_curve(x.name, y.name, **asked)


@pytest.mark.parametrize(
    ("arguments", "kind", "field"),
    [
        ({"sizes": [5000]}, consilience.InvalidArgumentError, "sizes"),
        ({"sizes": [10, 100], "ks": 10}, consilience.InvalidArgumentError, "sizes"),
        ({"sizes": [100, 100]}, consilience.InvalidArgumentError, "sizes"),
        ({"sizes": []}, consilience.InvalidArgumentError, "sizes"),
        ({"sizes": [1]}, consilience.InvalidArgumentError, "sizes"),
        ({"sizes": "100"}, consilience.InvalidArgumentError, "sizes"),
        ({"query_ids": ["item-0001"]}, consilience.InvalidArgumentError, "query_ids"),
        ({"ks": []}, consilience.InvalidArgumentError, "ks"),
    ],
)
def test_what_no_curve_has_is_refused(client, coarse, arguments, kind, field):
    with pytest.raises(kind) as refused:
        client.gallery_curve(coarse[0].name, coarse[1].name, **{"permutations": 0, **arguments})
    assert refused.value.field == field


def test_the_figure_is_drawn(client, coarse, tmp_path):
    pytest.importorskip("matplotlib")
    curve = client.gallery_curve(coarse[0].name, coarse[1].name, sizes=[100, 200], permutations=0)
    curve.plot(tmp_path / "curve.svg")
    assert "k = n/100" in (tmp_path / "curve.svg").read_text()
