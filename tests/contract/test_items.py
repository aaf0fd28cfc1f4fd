"""Alignment item by item and between versions, over a server and in-process."""

import numpy as np
import pytest
from support.filled_space import FilledSpace, fill

import consilience


def lists(vectors, k):
    unit = vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :k], similarity


def overlaps(x, y, k):
    return np.array([len(set(a) & set(b)) / k for a, b in zip(lists(x, k)[0], lists(y, k)[0], strict=True)])


@pytest.fixture
def pair(client, name):
    """Two spaces of 90 items; the first third of the second is noise. x carries an attribute, and ids a prefix."""
    random = np.random.default_rng(3)
    x = random.standard_normal((90, 8), dtype=np.float32)
    y = (x[:, :6] + 0.3 * random.standard_normal((90, 6))).astype(np.float32)
    y[:30] = random.standard_normal((30, 6))
    ids = [f"{'abc'[row // 30]}/{row:03d}" for row in range(90)]
    for side, vectors in (("x", x), ("y", y)):
        client.create_space(f"{name}-{side}", dim=vectors.shape[1])
        attributes = {"part": [row // 30 for row in range(90)], "partly": [None, *["v"] * 89]} if side == "x" else {}
        client.upsert(f"{name}-{side}", ids, vectors, attributes=attributes)
    return FilledSpace(f"{name}-x", ids, x), FilledSpace(f"{name}-y", ids, y)


def test_every_item_with_its_overlap_and_the_extremes_with_their_lists(client, pair):
    x, y = pair
    report = client.align_items(x.name, y.name, k=5, extremes=3, show_ids=["b/040", "a/001"], permutations=99)
    expected = overlaps(x.vectors, y.vectors, 5)
    assert report.ids.tolist() == x.ids
    np.testing.assert_allclose(report.overlaps, expected, atol=1e-12)
    whole = client.align(x.name, y.name, k=5, permutations=99)
    assert (report.score, report.headline.p_value, report.headline.interval) == (whole.score, whole.p_value, whole.interval)
    least = np.argsort(expected, kind="stable")[:3]
    assert [one.id for one in report.least] == [x.ids[at] for at in least]
    assert [one.id for one in report.most] == [x.ids[at] for at in np.argsort(-expected, kind="stable")[:3]]
    assert list(report.shown) == ["b/040", "a/001"]
    shown, (near, similarity) = report.shown["b/040"], lists(x.vectors, 5)
    assert shown.x_ids == tuple(x.ids[at] for at in near[40])
    assert shown.x_similarities == pytest.approx(similarity[40, near[40]], rel=1e-6)
    assert shown.y_ids == tuple(x.ids[at] for at in lists(y.vectors, 5)[0][40])
    assert len(shown.shared) == pytest.approx(5 * shown.overlap)
    assert repr(report).startswith(f"mutual_knn@5 item by item: {report.score:.3f} · chance {5 / 89:.3f} · n = 90\nagree least: ")


@pytest.mark.parametrize(("choice", "values"), [({"slices": "part"}, ["0", "1", "2"]), ({"prefix": "/"}, ["a", "b", "c"])])
def test_slices_have_their_own_scores(client, pair, choice, values):
    x, y = pair
    report = client.align_items(x.name, y.name, k=5, permutations=199, **choice)
    expected = overlaps(x.vectors, y.vectors, 5)
    assert [part.value for part in report.slices] == values
    for at, part in enumerate(report.slices):
        assert part.score == pytest.approx(expected[30 * at : 30 * at + 30].mean())
        assert (part.n, part.chance) == (30, 5 / 89)
        assert part.interval.low < part.score < part.interval.high
    assert report.slices[0].adjusted_p_value > 0.05 >= report.slices[1].adjusted_p_value
    assert report.slices[1].p_value == 1 / 200
    assert (report.slice_by, report.slice_prefix) == (choice.get("slices", ""), choice.get("prefix", ""))
    assert f"{values[1]}: {report.slices[1].score:.3f} [" in repr(report)
    frame = pytest.importorskip("pandas") and report.slices_to_pandas()
    assert frame["interval_low"].tolist() == [part.interval.low for part in report.slices]
    assert report.to_pandas()["overlap"].tolist() == report.overlaps.tolist()


def test_only_the_queries_are_reported_where_some_are_asked(client, pair):
    x, y = pair
    report = client.align_items(x.name, y.name, k=5, query_ids=x.ids[20:40], prefix="/", permutations=19)
    np.testing.assert_allclose(report.overlaps, overlaps(x.vectors, y.vectors, 5)[20:40], atol=1e-12)
    assert (report.n, report.gallery, report.query_sampling) == (20, 90, "given")
    assert [(part.value, part.n) for part in report.slices] == [("a", 10), ("b", 10)]


@pytest.mark.parametrize(
    ("arguments", "kind", "field"),
    [
        ({"slices": "nothing"}, consilience.InvalidArgumentError, "slices"),
        ({"slices": "partly"}, consilience.InvalidArgumentError, "slices"),
        ({"slices": ""}, consilience.InvalidArgumentError, "slices"),
        ({"slices": "part", "prefix": "/"}, consilience.InvalidArgumentError, "prefix"),
        ({"prefix": "#"}, consilience.InvalidArgumentError, "prefix"),
        ({"show_ids": ["nobody"]}, consilience.NotFoundError, "show_ids"),
        ({"show_ids": ["c/080"], "query_ids": ["a/001"]}, consilience.NotFoundError, "show_ids"),
        ({"extremes": -1}, consilience.InvalidArgumentError, "extremes"),
        ({"extremes": 10**6}, consilience.InvalidArgumentError, "extremes"),
        ({"within": "part"}, consilience.InvalidArgumentError, "within"),
        ({"k": 90}, consilience.InvalidArgumentError, "k"),
    ],
)
def test_what_cannot_be_asked_of_items_is_refused(client, pair, arguments, kind, field):
    with pytest.raises(kind) as refused:
        client.align_items(pair[0].name, pair[1].name, **{"k": 5, "permutations": 9, **arguments})
    assert refused.value.field == field


class TestVersions:
    @pytest.fixture
    def space(self, client, name):
        """Version 2 adds ten items, replaces five and removes (as version 3) four."""
        random = np.random.default_rng(8)
        before = fill(client, name, random.standard_normal((60, 8), dtype=np.float32))
        added = [f"new-{row}" for row in range(10)]
        vectors = random.standard_normal((15, 8), dtype=np.float32)
        client.upsert(name, [*added, *before.ids[:5]], vectors)
        client.delete_embeddings(name, before.ids[50:54])
        after = before.vectors.copy()
        after[:5] = vectors[10:]
        kept = [row for row in range(60) if not 50 <= row < 54]
        return before, after, kept, added

    def test_what_came_went_and_moved(self, client, space):
        before, after, kept, added = space
        changes = client.compare_versions(before.name, 1, k=5, extremes=4)
        assert (changes.x.version, changes.y.version) == (1, 3)
        assert changes.ids.tolist() == [before.ids[row] for row in kept]
        np.testing.assert_allclose(changes.overlaps, overlaps(before.vectors[kept], after[kept], 5), atol=1e-12)
        assert changes.replaced.tolist() == [row < 5 for row in kept]
        assert changes.added_ids.tolist() == sorted(added)
        assert changes.removed_ids.tolist() == before.ids[50:54]
        assert (changes.replaced_items, changes.unchanged_items) == (5, 51)
        assert changes.least[0].overlap == changes.overlaps.min()
        assert changes.headline.p_value is None
        assert changes.to_pandas()["replaced"].sum() == 5
        told = repr(changes)
        assert told.startswith(f"{before.name}: version 1 to 3 · 10 added, 4 removed, 5 replaced, 51 unchanged · ")

    def test_a_version_with_itself_has_not_changed(self, client, space):
        changes = client.compare_versions(space[0].name, 2, 2, k=5)
        assert (changes.overlaps == 1.0).all()
        assert (len(changes.added_ids), len(changes.removed_ids), changes.replaced_items) == (0, 0, 0)

    def test_an_addition_alone_moves_nobody(self, client, name):
        random = np.random.default_rng(1)
        before = fill(client, name, random.standard_normal((40, 8), dtype=np.float32))
        client.upsert(name, ["z-1", "z-2"], random.standard_normal((2, 8), dtype=np.float32))
        changes = client.compare_versions(before.name, 1, 2, k=5)
        assert (changes.overlaps == 1.0).all()
        assert len(changes.added_ids) == 2

    @pytest.mark.parametrize(
        ("old", "new", "kind", "field"),
        [
            (0, 0, consilience.InvalidArgumentError, "old"),
            (9, 0, consilience.FailedPreconditionError, "old"),
            (1, 9, consilience.FailedPreconditionError, "new"),
        ],
    )
    def test_versions_that_are_not_there_are_refused(self, client, space, old, new, kind, field):
        with pytest.raises(kind) as refused:
            client.compare_versions(space[0].name, old, new, k=5)
        assert refused.value.field == field

    def test_the_name_has_no_version(self, client, space):
        with pytest.raises(consilience.InvalidArgumentError, match="without a version"):
            client.compare_versions(f"{space[0].name}@2", 1, 2)
