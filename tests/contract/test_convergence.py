"""What many spaces tell together: through a server and in this process."""

import numpy as np
import pytest

import consilience

NOISE = {"n1": 0.25, "n2": 0.5, "n3": 1.0, "n4": 2.0, "n5": 4.0, "n6": 8.0}


@pytest.fixture(scope="module")
def spaces(client):
    """Six noisy views of one latent, and the latent."""
    random = np.random.default_rng(0)
    ids = [f"item-{row:03d}" for row in range(120)]
    latent = random.standard_normal((120, 6))
    client.create_space("latent", dim=6)
    client.upsert("latent", ids, latent)
    for name, noise in NOISE.items():
        client.create_space(name, dim=10)
        client.upsert(name, ids, latent @ np.linalg.qr(random.standard_normal((10, 6)))[0].T + noise * random.standard_normal((120, 10)))
    for name in ("n1", "n2", "n3"):
        client.create_space(f"{name}-labelled", dim=10)
        held = client.get_embeddings(name)
        labels = [str(int(value > 0)) for value in latent[:, 0]]
        client.upsert(f"{name}-labelled", held.ids, held.vectors, attributes={"label": labels})
    return list(NOISE)


class TestTrend:
    def test_alignment_falls_with_noise(self, client, spaces):
        told = client.trend(spaces, NOISE, reference="latent", k=8, scale="log10", permutations=99)
        assert told.spearman < -0.9
        assert told.p_value < 0.05
        assert told.interval.high < 0
        assert (told.exact, told.pairings, told.n) == (True, 720, 120)
        single = client.align("n3", "latent", k=8, permutations=99)
        assert single == told.reports[2]
        assert told.scores[2] == single.score
        assert told.slope == pytest.approx(np.polyfit(np.log10(list(NOISE.values())), told.scores, 1)[0])

    def test_a_kernel_can_be_the_reference(self, client, spaces, name):
        held = client.get_embeddings("latent")
        unit = held.vectors / np.linalg.norm(held.vectors, axis=1, keepdims=True)
        client.create_space(name, kind="kernel")
        client.upsert(name, held.ids, unit @ unit.T)
        told = client.trend(spaces, NOISE, reference=name, k=8, permutations=9)
        by_vectors = client.trend(spaces, NOISE, reference="latent", k=8, permutations=9)
        np.testing.assert_allclose(told.scores, by_vectors.scores, atol=0.02)

    def test_without_a_reference_the_pairs_are_those_of_the_matrix(self, client, spaces):
        told = client.trend(spaces, NOISE, k=8, buckets=2)
        matrix = client.align_matrix(spaces, k=8, permutations=0)
        off = ~np.eye(6, dtype=bool)
        np.testing.assert_allclose(told.pair_scores[off], matrix.scores[off], atol=1e-12)
        assert told.buckets[0].mean > told.buckets[1].mean
        assert told.across.shape == (2, 2)

    def test_how_it_was_measured_is_told(self, client, spaces):
        told = client.trend(spaces, NOISE, metric="rsa", rdm_distance="euclidean", sample_items=100, permutations=9, against_name="noise")
        how = told.measurement
        assert (how.gallery, how.sampled_items.common, how.rdm_distance, told.against_name) == (100, 120, "euclidean", "noise")
        assert "Spearman's rho of euclidean distances, over the 100 items common to all (a sample of 120" in told.cite()
        queries = client.trend(spaces, NOISE, k=8, sample_queries=50, permutations=9)
        assert "50 queries chosen by a hash of their ids among the 120 items" in queries.cite()
        sigmas = client.trend(spaces, NOISE, metric="rbf_cka", permutations=9).measurement.bandwidths
        assert sigmas == client.align_matrix(spaces, metric="rbf_cka", permutations=9).bandwidths
        twice = client.trend(spaces, NOISE, k=8, deduplicate=0.999, permutations=9)
        assert (twice.measurement.deduplicate, twice.measurement.duplicates) == (0.999, 0)

    def test_the_same_as_an_operation(self, client, spaces):
        started = client.trend(spaces, NOISE, reference="latent", k=8, permutations=99, wait=False)
        assert client.wait_operation(started, timeout=60) == client.trend(spaces, NOISE, reference="latent", k=8, permutations=99)

    @pytest.mark.parametrize(
        ("names", "more", "field"),
        [
            (["n1", "n2"], {}, "spaces"),
            (["n1", "n2", "n2"], {}, "spaces"),
            (["n1", "n2", "latent"], {"reference": "latent"}, "reference"),
            (["n1", "n2", "n3"], {"k": 120}, "k"),
        ],
    )
    def test_what_cannot_be_is_refused(self, client, spaces, names, more, field):
        with pytest.raises(consilience.InvalidArgumentError) as refused:
            client.trend(names, {**NOISE, "latent": 0.1}, **more)
        assert refused.value.field == field

    def test_equal_numbers_and_missing_spaces_are_refused(self, client, spaces):
        with pytest.raises(consilience.InvalidArgumentError, match="differ"):
            client.trend(spaces, dict.fromkeys(spaces, 1.0))
        with pytest.raises(consilience.NotFoundError):
            client.trend([*spaces, "nobody"], {**NOISE, "nobody": 1.0})


class TestConsensus:
    @pytest.mark.parametrize("method", ["mean_kernel", "procrustes"])
    def test_it_orders_spaces_by_their_noise_and_is_a_space(self, client, spaces, method, name):
        told = client.consensus(spaces, name=name, method=method, k=8, permutations=99)
        assert list(told.scores[:5]) == sorted(told.scores[:5], reverse=True)
        assert told.exact
        assert (told.space.name, told.space.similarity, told.space.item_count) == (name, "squared_l2", 120)
        assert f"consensus {method} of n1@1" in told.space.model
        with_it = client.align(name, "latent", k=8, permutations=0)
        assert with_it.score > client.align("n3", "latent", k=8, permutations=0).score
        assert told.mean_agreement == pytest.approx(told.agreement.mean())
        assert told.most[0].agreement == told.agreement.max()
        client.delete_space(name)

    def test_the_same_as_an_operation(self, client, spaces):
        started = client.consensus(spaces, k=8, permutations=9, wait=False)
        assert client.wait_operation(started, timeout=60) == client.consensus(spaces, k=8, permutations=9)

    def test_with_the_same_request_id_a_space_that_was_made_is_found(self, client, spaces, name):
        first = client.consensus(spaces[:3], name=name, k=8, permutations=9, request_id=f"{name}-once")
        again = client.consensus(spaces[:3], name=name, k=8, permutations=9, request_id=f"{name}-once")
        assert (again.space.uid, again.space.version) == (first.space.uid, 1)
        with pytest.raises(consilience.AlreadyExistsError):
            client.consensus(spaces[:3], name=name, k=8, permutations=9)

    def test_pairings_can_stay_within_groups(self, client, spaces):
        told = client.consensus(["n1-labelled", "n2-labelled", "n3-labelled"], k=8, permutations=99, within="label")
        assert all(report.chance > 8 / 119 for report in told.leave_one_out)

    def test_queries_may_be_sampled_by_strata_that_one_space_knows(self, client, spaces):
        asked = {"k": 8, "sample_queries": 40, "strata": "label", "permutations": 19}
        told = client.consensus(["n1-labelled", "n2", "n3"], **asked)
        for report in told.leave_one_out:
            assert (report.n, report.gallery, report.query_sampling, report.strata) == (40, 120, "stratified", "label")
        # The same queries: with itself as the consensus of the others, each space has them all.
        pair = client.align("n1-labelled", "n2", **asked)
        both = client.consensus(["n1-labelled", "n2"], **asked)
        assert [report.score for report in both.leave_one_out] == pytest.approx([pair.score, pair.score], abs=0.1)
        within = client.consensus(["n1-labelled", "n2", "n3"], k=8, permutations=19, within="label")
        assert all(report.within.attribute == "label" for report in within.leave_one_out)
        trend = client.trend(["n1-labelled", "n2", "n3"], {"n1-labelled": 1, "n2": 2, "n3": 3}, reference="n4", **asked)
        assert (trend.n, trend.measurement.strata, trend.measurement.query_sampling) == (40, "label", "stratified")
        alone = client.trend(["n1-labelled", "n2", "n3"], {"n1-labelled": 1, "n2": 2, "n3": 3}, **asked)
        matrix = client.align_matrix(["n1-labelled", "n2", "n3"], **asked)
        np.testing.assert_allclose(alone.pair_scores[0, 1:], matrix.scores[0, 1:], atol=1e-12)
        with pytest.raises(consilience.InvalidArgumentError, match="label"):
            client.consensus(["n1", "n2", "n3"], **asked)

    @pytest.mark.parametrize("method", ["mean_kernel", "procrustes"])
    def test_kernels_stand_beside_vectors_as_what_they_are_kernels_of(self, client, spaces, name, method):
        held = client.get_embeddings("n2")
        unit = held.vectors / np.linalg.norm(held.vectors, axis=1, keepdims=True)
        squared = ((unit[:, None].astype(float) - unit[None]) ** 2).sum(axis=2)
        client.create_space(name, kind="kernel", dissimilarity=True, dissimilarity_kind="squared_euclidean")
        client.upsert(name, held.ids, squared)
        mixed = client.consensus(["n1", name, "n3"], method=method, k=8, permutations=99, metric="cka")
        plain = client.consensus(["n1", "n2", "n3"], method=method, k=8, permutations=99, metric="cka")
        assert mixed.kernel_rules == ("", "-d", "")
        assert mixed.ratio == pytest.approx(plain.ratio, abs=1e-5)
        # The space itself is aligned as a kernel, whose rows are of unit length; that of vectors by its raw ones.
        np.testing.assert_allclose(mixed.scores[[0, 2]], plain.scores[[0, 2]], atol=1e-5)
        assert mixed.mean_agreement == pytest.approx(plain.mean_agreement, abs=0.01)
        assert f"the stored matrices of {name} (version 1) as -d" in mixed.cite()

    def test_judgements_that_are_no_distances_are_averaged_as_written_down(self, client, spaces, name):
        random, ids = np.random.default_rng(4), [f"item-{row:03d}" for row in range(120)]
        parts = []
        for at in range(3):
            judged = random.uniform(0.1, 1.0, (120, 120)).astype(np.float32)
            judged = np.maximum(judged, judged.T)
            np.fill_diagonal(judged, 0.0)
            client.create_space(f"{name}-{at}", kind="kernel", dissimilarity=True)
            client.upsert(f"{name}-{at}", ids, judged)
            h = np.eye(120) - 1 / 120
            kernel = -h @ judged.astype(float) @ h
            parts.append(kernel / np.sqrt((kernel**2).sum()))
        told = client.consensus([f"{name}-{at}" for at in range(3)], name=f"{name}-all", k=8, permutations=99)
        mean = sum(parts) / 3
        values, axes = np.linalg.eigh(mean)
        assert told.ratio == pytest.approx((mean**2).sum(), abs=1e-9)
        held = client.get_embeddings(f"{name}-all").vectors.astype(float)
        np.testing.assert_allclose(held @ held.T, (axes * np.maximum(values, 0)) @ axes.T, atol=1e-6)
        assert told.kept == pytest.approx(values[values > 0].sum() / np.abs(values).sum(), abs=1e-6)
        assert not told.exact
        assert any("spectrum is negative" in warning for warning in told.warnings)

    @pytest.mark.parametrize(
        ("asked", "field", "says"),
        [
            ({"metric": "procrustes"}, "metric", "angular_shape"),
            ({"metric": "cknna"}, "metric", "mutual_knn"),
            ({"metric": "rbf_cka", "bandwidth": 1.0}, "bandwidth", "bandwidth_factor"),
            ({"metric": "rsa"}, "rdm_distance", "euclidean"),
        ],
    )
    def test_a_metric_that_needs_units_or_axes_is_refused(self, client, spaces, asked, field, says):
        with pytest.raises(consilience.InvalidArgumentError, match=says) as refused:
            client.consensus(spaces[:3], k=8, **asked)
        assert refused.value.field.rpartition(".")[2] == field

    @pytest.mark.parametrize("metric", ["angular_shape", "cka", "svcca", "lcs_knn", "rbf_cka", "rsa", "linear_predictivity"])
    def test_other_metrics_are_on_their_scale_whatever_the_units_of_the_spaces(self, client, spaces, name, metric):
        held = client.get_embeddings("n1")
        client.create_space(name, dim=10)
        client.upsert(name, held.ids, 1000 * held.vectors)
        asked = {"k": 8, "permutations": 9, "metric": metric, "rdm_distance": "euclidean"}
        scaled, plain = (client.consensus([first, "n2", "n3"], **asked) for first in (name, "n1"))
        np.testing.assert_allclose(scaled.scores, plain.scores, atol=1e-4)
        assert (np.abs(plain.scores) <= 1.0).all()

    def test_what_cannot_be_is_refused(self, client, spaces):
        with pytest.raises(consilience.InvalidArgumentError, match="no consensus"):
            client.consensus(["n1"])
        with pytest.raises(consilience.InvalidArgumentError, match="one of the spaces"):
            client.consensus(["n1", "n2"], name="n1")
        with pytest.raises(consilience.UnimplementedError):
            client.consensus(["n1", "n2"], preprocess="platonic_rep")
        with pytest.raises(consilience.NotFoundError):
            client.consensus(["n1", "nobody"])
