"""What the SDK promises, over a server and in-process alike. The expected numbers come from a few lines of NumPy in this file."""

import re

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import kendalltau, spearmanr
from support.filled_space import fill
from support.onnx_heads import label_head, linear_head

import consilience

METRICS = (
    "mutual_knn",
    "cycle_knn",
    "lcs_knn",
    "edit_distance_knn",
    "cknna",
    "cknna_paper",
    "cknna_centred",
    "cka",
    "unbiased_cka",
    "cca",
    "svcca",
    "procrustes",
    "angular_shape",
    "rsa",
    "rbf_cka",
    "linear_predictivity",
)


def cosines(queries, gallery):
    queries, gallery = queries.astype(float), gallery.astype(float)
    return (queries @ gallery.T) / np.linalg.norm(queries, axis=1)[:, None] / np.linalg.norm(gallery, axis=1)


def neighbours(vectors, k):
    similarity = cosines(vectors, vectors)
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


def mutual_knn(x, y, k):
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(neighbours(x, k), neighbours(y, k), strict=True)])


@pytest.fixture
def pair(client, name):
    """Two spaces of the same 80 items, the second a noisy map of the first."""
    random = np.random.default_rng(7)
    x = random.standard_normal((80, 12), dtype=np.float32)
    y = (x @ random.standard_normal((12, 6)) + 0.5 * random.standard_normal((80, 6))).astype(np.float32)
    ids = fill(client, f"{name}-x", x).ids
    fill(client, f"{name}-y", y)
    return f"{name}-x", f"{name}-y", ids, x, y


class TestRequestIds:
    def test_an_upload_repeated_answers_the_same_and_other_rows_under_its_id_are_refused(self, client, name):
        client.create_space(name, dim=4)
        first = client.upsert(name, ["a", "b"], np.eye(2, 4), request_id=f"{name}-u")
        again = client.upsert(name, ["a", "b"], np.eye(2, 4), request_id=f"{name}-u")
        assert (again.version, again.inserted) == (first.version, 2)
        for ids in (["c", "d", "e"], ["a", "c"]):
            with pytest.raises(consilience.ConsilienceError) as refused:
                client.upsert(name, ids, np.eye(len(ids), 4), request_id=f"{name}-u")
            assert (refused.value.reason, refused.value.field) == ("UPLOAD_CONFLICT", "request_id")
        assert client.get_space(name).item_count == 2


class TestSpaces:
    def test_a_space_is_what_it_was_created_as(self, client, name):
        made = client.create_space(name, dim=768, kind="vectors", similarity="inner_product", modality="image", model="clip-vit-l14")
        assert (made.name, made.dim, made.kind, made.similarity) == (name, 768, "vectors", "inner_product")
        assert (made.modality, made.model, made.version, made.item_count) == ("image", "clip-vit-l14", 0, 0)
        assert client.get_space(name) == made

    def test_spaces_are_listed_by_name_and_gone_once_deleted(self, client, name):
        for suffix in ("b", "a"):
            client.create_space(f"{name}-{suffix}", dim=2)
        listed = [each.name for each in client.list_spaces()]
        assert listed == sorted(listed)
        assert {f"{name}-a", f"{name}-b"} <= set(listed)
        client.delete_space(f"{name}-a")
        assert f"{name}-a" not in [each.name for each in client.list_spaces()]
        with pytest.raises(consilience.NotFoundError):
            client.get_space(f"{name}-a")

    def test_a_space_made_anew_under_its_name_has_another_uid(self, client, name):
        first = client.create_space(name, dim=2)
        client.delete_space(name)
        assert client.create_space(name, dim=2).uid != first.uid


class TestEmbeddings:
    def test_rows_come_back_in_byte_order_of_their_ids(self, client, name):
        client.create_space(name, dim=2, similarity="squared_l2")
        client.upsert(name, ["b", "é", "B", "a"], np.arange(8).reshape(4, 2))
        found = client.get_embeddings(name)
        assert found.ids == ["B", "a", "b", "é"]
        np.testing.assert_array_equal(found.vectors, np.float32([[4, 5], [6, 7], [0, 1], [2, 3]]))
        assert found.vectors.dtype == np.float32

    def test_one_call_is_one_version_however_large(self, client, name):
        """4 MB: several batches."""
        client.create_space(name, dim=256)
        vectors = np.random.default_rng(0).standard_normal((4000, 256), dtype=np.float32)
        ids = [f"item-{row:05d}" for row in range(4000)]
        outcome = client.upsert(name, ids, vectors)
        assert (outcome.version, outcome.inserted, outcome.replaced, outcome.unchanged) == (1, 4000, 0, 0)
        np.testing.assert_array_equal(client.get_embeddings(name).vectors, vectors)

    def test_an_upsert_tells_what_it_changed_and_makes_no_version_where_nothing_did(self, client, space):
        assert client.upsert(space.name, space.ids, space.vectors).version == 1
        changed = space.vectors.copy()
        changed[3] += 1
        outcome = client.upsert(space.name, [*space.ids, "new"], np.vstack([changed, np.ones(8)]))
        assert (outcome.version, outcome.inserted, outcome.replaced, outcome.unchanged) == (2, 1, 1, 59)
        assert client.get_space(space.name).item_count == 61

    def test_a_pinned_version_stays_what_it_was(self, client, space):
        client.upsert(space.name, space.ids[:1], np.ones((1, 8)))
        np.testing.assert_array_equal(client.get_embeddings(f"{space.name}@1").vectors, space.vectors)
        np.testing.assert_array_equal(client.get_embeddings(space.name).vectors[0], np.ones(8))

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, "lists"])
    def test_what_float32_holds_comes_back_to_the_bit(self, client, name, dtype):
        values = np.float16([[1.5, -2.25], [0.0999755859375, 6e4]])
        client.create_space(name, dim=2)
        client.upsert(name, ["a", "b"], values.tolist() if dtype == "lists" else values.astype(dtype))
        np.testing.assert_array_equal(client.get_embeddings(name).vectors, values.astype(np.float32))

    def test_attributes_come_back_typed_with_their_gaps(self, client, name):
        client.create_space(name, dim=1)
        columns = {"label": ["x", None, "z"], "group_id": [1, 2, 3], "weight": [0.5, None, 1.5], "is_kept": [True, False, True]}
        client.upsert(name, ["a", "b", "c"], np.ones((3, 1)), attributes=columns)
        found = client.get_embeddings(name, ["c", "b"])
        assert {key: list(values) for key, values in found.attributes.items()} == {
            "label": ["z", None],
            "group_id": [3, 2],
            "weight": [1.5, None],
            "is_kept": [True, False],
        }
        types = {"label": "string", "group_id": "integer", "weight": "real", "is_kept": "boolean"}
        assert dict(client.get_space(name).attributes) == types

    def test_deleting_items_counts_those_that_were_absent(self, client, space):
        outcome = client.delete_embeddings(space.name, [*space.ids[:2], "nobody"])
        assert (outcome.version, outcome.deleted, outcome.absent) == (2, 2, 1)
        assert client.get_embeddings(space.name).ids == space.ids[2:]


class TestAlignment:
    def test_the_score_is_that_of_the_definition(self, client, pair):
        x_name, y_name, _, x, y = pair
        report = client.align(x_name, y_name, k=[5, 20])
        assert report.score == pytest.approx(mutual_knn(x, y, 5), abs=1e-12)
        assert report.by_k[20].score == pytest.approx(mutual_knn(x, y, 20), abs=1e-12)
        assert report.chance == pytest.approx(5 / 79)
        assert report.excess == pytest.approx((report.score - report.chance) / (1 - report.chance))
        assert report.p_value == pytest.approx(1 / 1000)
        assert 0 < report.calibrated < report.score
        assert report.interval.low <= report.score <= report.interval.high
        assert (report.n, report.k, report.interval_kind, report.permutations, report.metric) == (80, 5, "items", 999, "mutual_knn")
        assert (report.x.name, report.x.version, report.y.name) == (x_name, 1, y_name)

    def test_its_repr_tells_the_whole_story(self, client, pair):
        told = repr(client.align(pair[0], pair[1], k=10))
        number = r"\d\.\d+"
        shape = (
            rf"mutual_knn@10 = {number} \[{number}, {number}\] \(items, 95%\) · chance {number} · excess {number}"
            r" · p <= \.001 \(999 permutations\) · n = 80"
        )
        assert re.fullmatch(shape, told), told

    def test_a_space_agrees_with_itself_wholly(self, client, space):
        assert client.align(space.name, space.name, k=5).score == 1.0

    def test_unrelated_spaces_score_chance(self, client, name):
        random = np.random.default_rng(3)
        for side in "xy":
            fill(client, f"{name}-{side}", random.standard_normal((300, 16), dtype=np.float32))
        report = client.align(f"{name}-x", f"{name}-y", k=10)
        assert abs(report.excess) < 0.02
        assert report.p_value > 0.01

    def test_items_are_joined_by_id_whatever_their_order(self, client, name):
        random = np.random.default_rng(5)
        x, y = random.standard_normal((50, 4), dtype=np.float32), random.standard_normal((50, 4), dtype=np.float32)
        ids = [f"item-{row:02d}" for row in range(50)]
        for suffix, vectors in (("x", x), ("y", y)):
            client.create_space(f"{name}-{suffix}", dim=4)
            order = random.permutation(50)
            client.upsert(f"{name}-{suffix}", [*(ids[row] for row in order), f"only-{suffix}"], np.vstack([vectors[order], np.ones(4)]))
        report = client.align(f"{name}-x", f"{name}-y", k=5)
        assert report.score == pytest.approx(mutual_knn(x, y, 5), abs=1e-12)
        assert (report.n, report.dropped_x, report.dropped_y) == (50, 1, 1)

    def test_a_matrix_holds_what_the_pairs_say(self, client, pair, space, name):
        fill(client, f"{name}-z", np.random.default_rng(9).standard_normal((80, 3), dtype=np.float32))
        names = [pair[0], pair[1], f"{name}-z"]
        matrix = client.align_matrix(names, k=10, items="common")
        assert list(matrix.spaces) == names
        np.testing.assert_array_equal(matrix.scores, matrix.scores.T)
        np.testing.assert_array_equal(np.diag(matrix.scores), 1)
        assert matrix.scores[0, 1] == client.align(pair[0], pair[1], k=10).score
        assert matrix.p_values[0, 1] == pytest.approx(0.001)
        assert np.isnan(np.diag(matrix.p_values)).all()

    def test_a_matrix_is_judged_as_a_whole(self, client, pair, space, name):
        matrix = client.align_matrix([pair[0], pair[1], space.name], k=5, permutations=199)
        apart = ~np.eye(3, dtype=bool)
        assert (matrix.p_adjusted[apart] >= matrix.p_values[apart]).all()
        assert (matrix.q_values[apart] >= matrix.p_values[apart]).all()
        assert np.isnan(np.diag(matrix.p_adjusted)).all()
        assert matrix.coordinates.shape == (3, 2)
        assert sorted(matrix.order) == [0, 1, 2]
        assert 0 < matrix.explained <= 1
        pairwise = client.align_matrix([pair[0], pair[1], space.name], k=5, permutations=199, items="pairwise")
        assert pairwise.p_adjusted is None
        assert (pairwise.q_values[apart] >= pairwise.p_values[apart]).all()
        assert any("share no pairings" in warning for warning in pairwise.warnings)

    def test_groups_are_compared_layer_by_layer(self, client, name):
        draw = np.random.default_rng(3)
        stacks = {side: [draw.standard_normal((60, width), dtype=np.float32) for width in (6, 9)] for side in "ab"}
        ids = [f"i{row:02}" for row in range(60)]
        for side, layers in stacks.items():
            for at, vectors in enumerate(layers):
                client.create_space(f"{name}-{side}{at}", dim=vectors.shape[1], layer=str(at), group=f"{name}-{side}")
                client.upsert(f"{name}-{side}{at}", ids, vectors)
        report = client.align(f"groups/{name}-a", f"groups/{name}-b", k=5, permutations=19)
        assert [use.name for use in report.x_layers] == [f"{name}-a0", f"{name}-a1"]
        assert report.layer_scores[1, 0] == client.align(f"{name}-a1", f"{name}-b0", k=5, permutations=0).score
        assert (report.n, report.selection_n, report.layers_n) == (30, 30, 60)
        arrays = client.align_arrays(stacks["a"], stacks["b"], k=5, permutations=19, layer_selection="max")
        assert np.array_equal(arrays.layer_scores, report.layer_scores)
        assert arrays.score == report.maximum.score == report.layer_scores.max()
        with pytest.raises(consilience.NotFoundError, match="no space belongs to the group"):
            client.align(f"groups/{name}-c", f"groups/{name}-b")

    def test_shares_of_the_items_stand_beside_numbers(self, client, pair):
        x_name, y_name, _, x, y = pair
        report = client.align(x_name, y_name, k=[5, 10, "n/20"], permutations=0)
        assert list(report.by_k) == [5, 10, 4]
        assert report.by_k[4].score == pytest.approx(mutual_knn(x, y, 4), abs=1e-12)
        assert client.align_matrix([x_name, y_name], k=0.05, permutations=0).k == 4
        assert consilience.align_arrays(x, y, k="n/20", permutations=0).k == 4

    # Arrays have no ids, so other folds.
    @pytest.mark.parametrize("metric", [metric for metric in METRICS if metric != "linear_predictivity"])
    def test_arrays_score_as_the_spaces_that_hold_them(self, client, pair, metric):
        x_name, y_name, _, x, y = pair
        stored = client.align(x_name, y_name, metric=metric)
        given = client.align_arrays(x, y, metric=metric)
        assert given.score == pytest.approx(stored.score, rel=1e-9)
        assert consilience.align_arrays(x, y, metric=metric).score == pytest.approx(given.score, rel=1e-12)

    def test_cka_is_that_of_the_definition(self, client, pair):
        x, y = (each.astype(float) - each.mean(axis=0, dtype=float) for each in pair[3:])
        expected = np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
        assert client.align(pair[0], pair[1], metric="cka").score == pytest.approx(expected, rel=1e-9)

    def test_pairs_of_items_are_compared_as_scipy_does(self, client, pair):
        x_name, y_name, _, x, y = pair
        u, v = (pdist(side.astype(float), "correlation") for side in (x, y))
        report = client.align(x_name, y_name, metric="rsa", permutations=99)
        assert report.score == pytest.approx(spearmanr(u, v).statistic, abs=1e-12)
        assert (report.rdm_distance, report.rdm_comparison, report.sampled_items) == ("correlation", "spearman", None)
        assert repr(report).startswith("rsa (spearman of correlation) = ")
        tau = client.align(x_name, y_name, metric="rsa", rdm_comparison="kendall_tau_b", permutations=0)
        assert tau.score == pytest.approx(kendalltau(u, v).statistic, abs=1e-12)
        kernels = client.align(x_name, y_name, metric="rbf_cka", bandwidth_factor=0.5, permutations=0)
        assert kernels.bandwidths == pytest.approx([0.5 * np.median(pdist(side.astype(float))) for side in (x, y)])
        assert client.align(x_name, y_name, metric="rbf_cka", bandwidth=1.5, permutations=0).bandwidths == (1.5, 1.5)

    def test_a_sample_of_items_is_named(self, client, pair):
        x_name, y_name, ids, x, y = pair
        report = client.align(x_name, y_name, metric="rsa", sample_items=30, permutations=99)
        sample = report.sampled_items
        assert (report.n, sample.count, sample.common, len(sample.ids)) == (30, 30, 80, 30)
        rows = [list(ids).index(item) for item in sample.ids]
        expected = spearmanr(*(pdist(side[rows].astype(float), "correlation") for side in (x, y))).statistic
        assert report.score == pytest.approx(expected, abs=1e-12)
        assert "n = 30 (a sample of 80 items)" in repr(report)
        matrix = client.align_matrix([x_name, y_name], metric="rsa", sample_items=30, permutations=99)
        assert matrix.sampled_items == sample
        assert matrix.scores[0, 1] == report.score
        given = client.align_arrays(x, y, metric="rsa", sample_items=30, permutations=0)
        expected = spearmanr(*(pdist(side[list(given.sampled_items.rows)].astype(float), "correlation") for side in (x, y))).statistic
        assert given.score == pytest.approx(expected, abs=1e-12)
        whole = client.align(x_name, y_name, metric="rsa", sample_items="all", permutations=0)
        assert (whole.n, whole.sampled_items) == (80, None)

    def test_shapes_tell_their_angle_and_their_directions(self, client, pair):
        x_name, y_name, *_ = pair
        report = client.align(x_name, y_name, metric="angular_shape")
        assert report.angle == pytest.approx((1 - report.score) * np.pi / 2)
        assert report.to_dict()["angle"] == report.angle
        few = client.align(x_name, y_name, metric="svcca", components=3)
        assert (few.headline.components_x, few.headline.components_y) == (3, 3)
        assert few.score != client.align(x_name, y_name, metric="svcca", components=4).score
        assert few.angle is None
        matrix = client.align_matrix([x_name, y_name], metric="procrustes")
        assert matrix.scores[0, 1] == pytest.approx(client.align(x_name, y_name, metric="procrustes").score)
        assert matrix.scores[1, 0] == pytest.approx(client.align(y_name, x_name, metric="procrustes").score)

    def test_linear_predictivity_tells_each_column_and_keeps_groups_together(self, client, pair):
        x_name, y_name, _, x, y = pair
        report = client.align(x_name, y_name, metric="linear_predictivity", permutations=99)
        assert report.score == pytest.approx(np.mean(report.fit.target_scores), abs=1e-12)
        assert len(report.fit.target_scores) == y.shape[1]
        assert sum(report.fit.choices) == 5 * y.shape[1]
        assert report.to_dict()["fit"]["target_score"] == "r2"
        options = {"target_score": "pearson", "aggregate": "median", "folds": 4, "penalties": [0.1, 1], "permutations": 0}
        other = client.align(y_name, x_name, metric="linear_predictivity", **options)
        assert other.score == pytest.approx(np.median(other.fit.target_scores), abs=1e-12)
        assert (other.fit.folds, other.fit.penalties, other.fit.aggregate) == (4, (0.1, 1.0), "median")
        matrix = client.align_matrix([x_name, y_name], metric="linear_predictivity", **options)
        assert matrix.scores[1, 0] == pytest.approx(other.score, abs=1e-12)
        labels = [f"scene-{row // 8}" for row in range(len(x))]
        grouped = client.align_arrays(x, y, metric="linear_predictivity", folds_by=labels, permutations=0)
        assert grouped.score != client.align_arrays(x, y, metric="linear_predictivity", permutations=0).score

    def test_an_attribute_of_either_space_keeps_groups_in_one_fold(self, client):
        random = np.random.default_rng(3)
        x, ids = random.normal(size=(60, 4)), [f"item-{row:02}" for row in range(60)]
        groups = [f"scene-{row // 6}" for row in range(60)]
        client.create_space("seen", dim=4)
        client.create_space("said", dim=3)
        client.upsert("seen", ids, x, attributes={"group_id": groups})
        client.upsert("said", ids, x[:, :3] + random.normal(size=(60, 3)))
        options = {"metric": "linear_predictivity", "permutations": 0}
        report = client.align("seen", "said", folds_by="group_id", **options)
        assert (report.fit.folds_by, report.fit.fold_groups) == ("group_id", 10)
        assert client.align("said", "seen", folds_by="group_id", **options).fit.fold_groups == 10
        assert client.align("seen", "said", **options).fit.fold_groups == 0
        with pytest.raises(consilience.InvalidArgumentError, match="10 groups cannot be spread over 20 folds"):
            client.align("seen", "said", folds_by="group_id", folds=20, **options)
        for name in ("seen", "said"):
            client.delete_space(name)

    def test_preprocessing_is_named_and_recorded(self, client, pair):
        x_name, y_name, _, x, y = pair
        by_hand = {
            "centre": lambda side: side - side.mean(axis=0, dtype=float),
            "standardize": lambda side: (side - side.mean(axis=0, dtype=float)) / side.std(axis=0, dtype=float),
            "unit": lambda side: side / np.linalg.norm(side.astype(float), axis=1, keepdims=True),
        }
        for name, prepared in by_hand.items():
            report = client.align(x_name, y_name, k=5, preprocess=name, permutations=0)
            assert report.score == pytest.approx(mutual_knn(prepared(x), prepared(y), 5), abs=1e-12), name
            assert report.preprocess == name
            assert report.constant_columns == ((0, 0) if name == "standardize" else ())
        plain = client.align(x_name, y_name, k=5, permutations=0)
        assert plain.score == pytest.approx(mutual_knn(x, y, 5), abs=1e-12)
        assert client.align_matrix([x_name, y_name], k=5, preprocess="centre", permutations=0).preprocess == "centre"

    def test_a_repeat_comes_from_the_cache_unchanged_until_a_space_changes(self, client, pair):
        first = client.align(pair[0], pair[1], k=7)
        again = client.align(pair[0], pair[1], k=7)
        assert (first.cache_tier, again.cache_tier) == ("", "memory")
        assert again == first
        client.upsert(pair[0], pair[2][:1], -pair[3][:1])
        assert client.align(pair[0], pair[1], k=7).cache_tier == ""


class TestBridgesAndMatches:
    @pytest.fixture
    def rotated(self, client, name):
        """A space and its rotation: what an orthogonal bridge recovers exactly."""
        random = np.random.default_rng(11)
        x = random.standard_normal((100, 8), dtype=np.float32)
        rotation = np.linalg.qr(random.standard_normal((8, 8)))[0]
        ids = fill(client, f"{name}-source", x).ids
        fill(client, f"{name}-target", (x @ rotation).astype(np.float32))
        bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-bridge", method="procrustes", pair_ids=ids[:60])
        return bridge, ids, x

    @pytest.mark.parametrize("method", ["scaled_procrustes", "affine", "relative", "whitened", "cca", "csa"])
    def test_every_method_is_fitted_and_matched_through(self, client, rotated, name, method):
        _, ids, _ = rotated
        bridge = client.fit_bridge(f"{name}-source", f"{name}-target", name=f"{name}-{method.replace('_', '-')}", method=method)
        assert bridge.method == method
        assert (bridge.source_dim, bridge.target_dim) == (8, 8)
        assert [report.method for report in bridge.candidates] == ["identity", "mean_shift", method]
        assert bridge.leads_into_target == (method in {"scaled_procrustes", "affine"})
        for report in bridge.candidates:
            for told in (report.foscttm, report.neighbour_retention, report.hubness, report.hubness_csls):
                assert told.interval.low <= told.value <= told.interval.high
        assert bridge.learning_curve[-1].pairs == bridge.fit_pairs
        assert bridge.learning_curve[-1].recalls == bridge.held_out.recalls
        assert bridge.held_out.foscttm.value < 0.1
        assert bridge.candidates[0].foscttm.interval.high > 0.3
        found = client.match(query_ids=ids[:20], bridge=bridge.name, k=10, correction="csls")
        assert np.mean([item in row for item, row in zip(ids[:20], found.ids, strict=True)]) > 0.8
        assert found.similarities.max() <= 1.0 + 1e-9
        assert len(client.mutual_pairs(f"{name}-source", f"{name}-target", bridge=bridge.name).source_ids) > 0

    def test_a_bridge_is_measured_on_new_pairs(self, client, rotated):
        bridge, ids, x = rotated
        classes = ["left" if row[0] < 0 else "right" for row in x]
        found = client.evaluate_bridge(bridge.name, ids, labels=classes)
        assert found.fitted_pairs == bridge.fit_pairs
        assert found.report.queries == 100 - bridge.fit_pairs
        assert found.report.recalls[1].recall == 1.0
        assert [report.method for report in found.baselines] == ["identity", "mean_shift"]
        assert found.baselines[0].recalls[1].recall < 0.3
        stitching = found.stitching
        assert (stitching.classes, stitching.items) == (2, found.report.queries)
        assert stitching.native.value == stitching.bridged.value > stitching.mean_only.value
        assert stitching.penalty.value == 0.0
        assert "left out" in found.notes[0]
        assert client.evaluate_bridge(bridge.name, ids[60:]).stitching is None

    def test_a_bridge_is_measured_by_the_callers_own_head(self, client, rotated, tmp_path):
        bridge, ids, _ = rotated
        target = client.get_embeddings(bridge.target.name, ids).vectors
        weights = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
        names = np.array(["cat", "dog", "owl"])
        classes = names[(target @ weights).argmax(axis=1)].tolist()
        path = tmp_path / "head.onnx"
        path.write_bytes(linear_head(weights))
        found = client.evaluate_bridge(bridge.name, ids, labels=classes, head=path, head_classes=names).stitching
        assert found.own_head
        # A rotation is recovered exactly, and no score depends on lengths.
        assert found.native.value == found.bridged.value == 1.0 > found.mean_only.value
        numbers = [str(list(names).index(name)) for name in classes]
        assert client.evaluate_bridge(bridge, ids, labels=numbers, head=label_head(weights)).stitching.bridged.value == 1.0
        assert "head of 3 classes" in repr(client.evaluate_bridge(bridge, ids, labels=numbers, head=label_head(weights)))
        for options, match in (
            ({"head": tmp_path / "none.onnx"}, "cannot be read"),
            ({"head": b"no model"}, "no ONNX model"),
            ({"head": linear_head(weights[:5])}, "width 5; the target space has 8"),
            ({"head": linear_head(weights)}, "give head_classes"),
        ):
            with pytest.raises(consilience.InvalidArgumentError, match=match):
                client.evaluate_bridge(bridge, ids, labels=classes, **options)

    def test_a_bridge_whose_space_moved_on_says_so(self, client, rotated, name):
        bridge, ids, x = rotated
        client.upsert(f"{name}-target", ["new"], x[:1])
        found = client.evaluate_bridge(bridge, ids[60:])
        assert found.target.version == bridge.target.version + 1
        assert any("version" in note for note in found.notes)

    def test_pairs_and_labels_that_tell_nothing_are_refused(self, client, rotated):
        bridge, ids, _ = rotated
        with pytest.raises(consilience.InvalidArgumentError, match="one label"):
            client.evaluate_bridge(bridge, ids, labels=["same"] * 100)
        with pytest.raises(consilience.InvalidArgumentError, match="3 labels"):
            client.evaluate_bridge(bridge, ids, labels=["a", "b", "c"])
        with pytest.raises(consilience.InvalidArgumentError, match="no attribute 'colour'"):
            client.evaluate_bridge(bridge, ids, labels="colour")
        with pytest.raises(consilience.NotFoundError):
            client.evaluate_bridge("nobody")

    def test_a_bridge_finds_what_it_was_not_fitted_on(self, client, rotated):
        bridge, ids, x = rotated
        assert bridge.method == "procrustes"
        assert bridge.held_out.recalls[1].recall == 1.0
        for found in (
            client.match(query_ids=ids[60:], bridge=bridge.name, k=3),
            client.match(queries=x[60:], bridge=bridge.name, k=3),
            client.match(query_ids=ids[60:], bridge=bridge.name, k=3, correction="csls"),
        ):
            assert found.ids.shape == found.similarities.shape == found.scores.shape == (40, 3)
            assert found.ids[:, 0].tolist() == ids[60:]
            assert (np.diff(found.scores, axis=1) <= 0).all()
        np.testing.assert_allclose(found.similarities[:, 0], 1, atol=1e-5)

    def test_bridges_are_kept_listed_and_deleted(self, client, rotated):
        bridge = rotated[0]
        assert client.get_bridge(bridge.name) == bridge
        assert bridge.name in [each.name for each in client.list_bridges()]
        client.delete_bridge(bridge.name)
        with pytest.raises(consilience.NotFoundError):
            client.get_bridge(bridge.name)

    def test_mutual_pairs_of_a_rotation_are_all_true(self, client, rotated):
        bridge, ids, _ = rotated
        pairs = client.mutual_pairs(bridge.source.name, bridge.target.name, bridge=bridge.name)
        assert sorted(zip(pairs.source_ids, pairs.target_ids, strict=True)) == list(zip(ids, ids, strict=True))
        assert (np.diff(pairs.scores) <= 0).all()

    def test_within_a_space_the_nearest_are_those_of_the_definition(self, client, space):
        order = neighbours(space.vectors, 4)
        found = client.match(query_ids=space.ids, space=space.name, k=4)
        assert found.ids.tolist() == [[space.ids[column] for column in row] for row in order]
        expected = np.take_along_axis(cosines(space.vectors, space.vectors), order, axis=1)
        np.testing.assert_allclose(found.similarities, expected, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found.scores, found.similarities)

    def test_vectors_of_a_space_find_themselves_where_ids_do_not(self, client, space):
        assert client.match(queries=space.vectors[:5], space=space.name, k=1).ids[:, 0].tolist() == space.ids[:5]
        assert not set(client.match(query_ids=space.ids[:1], space=space.name, k=5).ids[0]) & set(space.ids[:1])

    @pytest.mark.parametrize("index", ["hnsw", "ivf"])
    def test_an_approximate_index_is_named_and_tells_its_recall(self, client, space, index):
        exact = client.match(query_ids=space.ids, space=space.name, k=4)
        found = client.match(query_ids=space.ids, space=space.name, k=4, index=index)
        assert (exact.index, exact.recall, found.index, found.certificate) == ("exact", None, index, None)
        assert found.recall.k == 4
        assert 0 <= found.recall.low <= float(found.recall) == found.measured_recall <= found.recall.high <= 1
        expected = cosines(space.vectors, space.vectors)
        rows = [[space.ids.index(item) for item in line] for line in found.ids]
        np.testing.assert_allclose(found.scores, np.take_along_axis(expected, np.array(rows), axis=1), rtol=0, atol=1e-12)
        assert (np.diff(found.scores, axis=1) <= 0).all()
        assert index in client.server_info().indexes

    @pytest.mark.parametrize("index", ["cagra", "gpu_flat"])
    def test_an_index_that_needs_a_gpu_is_refused_with_the_remedy_where_there_is_none(self, client, space, index):
        if index in client.server_info().indexes:
            assert client.match(query_ids=space.ids[:3], space=space.name, k=4, index=index).recall is not None
            return
        with pytest.raises(consilience.FailedPreconditionError, match="hnsw or ivf") as refused:
            client.match(query_ids=space.ids[:3], space=space.name, k=4, index=index)
        assert (refused.value.reason, refused.value.field) == ("DEVICE_MISSING", "index")

    def test_a_filter_is_the_ranking_without_the_others(self, client, space):
        full = client.match(queries=space.vectors, space=space.name, k=len(space.ids), correction="csls")
        some = space.ids[::3]
        found = client.match(queries=space.vectors, space=space.name, k=4, correction="csls", gallery_ids=some)
        without = client.match(
            queries=space.vectors, space=space.name, k=4, correction="csls", exclude_ids=[item for item in space.ids if item not in some]
        )
        for row, line in enumerate(full.ids):
            left = [(item, score) for item, score in zip(line, full.scores[row], strict=True) if item in some][:4]
            assert found.ids[row].tolist() == without.ids[row].tolist() == [item for item, _ in left]
            assert found.scores[row].tolist() == without.scores[row].tolist() == [score for _, score in left]
        assert found.gallery_items == without.gallery_items == len(some)
        with pytest.raises(consilience.NotFoundError, match="'nobody'") as refused:
            client.match(queries=space.vectors, space=space.name, exclude_ids=["nobody"])
        assert refused.value.field == "exclude_ids.ids"


class TestServer:
    def test_it_tells_what_it_takes_and_serves(self, client):
        told = client.server_info()
        assert told.version == consilience.__version__
        assert set(METRICS) <= set(told.metrics)
        assert {"identity", "ridge", "procrustes", "auto"} <= set(told.bridge_methods)
        assert set(told.corrections) == {"none", "csls", "inverted_softmax", "margin_ratio", "margin_distance"}
        assert told.cache_tiers == ("memory",)
        assert told.limits.max_message_bytes > told.limits.upload_batch_bytes > 0
        assert told.engine.backend in {"native", "torch", "faiss-cpu", "faiss-gpu"}

    def test_it_closes_twice_and_refuses_calls_then(self, tmp_path):
        made = consilience.Client.local(tmp_path / "store")
        made.close()
        made.close()
        with pytest.raises(consilience.ConsilienceError):
            made.list_spaces()
