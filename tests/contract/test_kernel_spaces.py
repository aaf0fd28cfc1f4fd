"""Kernel spaces as users have them: stored whole, aligned, matched, refused."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

import consilience
from consilience import _methods as methods
from consilience._kernels import to_kernel
from consilience._wire import upload_batch, upload_header
from consilience.v1 import space_pb2

INVALID = consilience.InvalidArgumentError
N, K = 40, 5
DRAW = np.random.default_rng(3)
POINTS = DRAW.normal(size=(N, 4)).astype(np.float32)
OTHERS = POINTS @ DRAW.normal(size=(4, 6)).astype(np.float32) + DRAW.normal(size=(N, 6)).astype(np.float32)
IDS = [f"item-{row}" for row in DRAW.permutation(N)]
COUNTER = itertools.count()


@pytest.fixture
def distances(client, name):
    """The Euclidean distances of POINTS, as a kernel space."""
    client.create_space(name, kind="kernel", dissimilarity=True, dissimilarity_kind="euclidean")
    client.upsert(name, IDS, pdist(POINTS), attributes={"label": [row % 2 for row in range(N)]})
    return name


@pytest.fixture
def points(client, name):
    """The same POINTS as vectors."""
    client.create_space(f"{name}-points", dim=4, similarity="squared_l2")
    client.upsert(f"{name}-points", IDS, POINTS)
    return f"{name}-points"


@pytest.fixture
def others(client, name):
    """Other vectors of the same items."""
    client.create_space(f"{name}-others", dim=6)
    client.upsert(f"{name}-others", IDS, OTHERS)
    return f"{name}-others"


def test_a_kernel_tells_what_it_is(client, distances):
    space = client.get_space(distances)
    assert (space.kind, space.dim, space.item_count, space.version) == ("kernel", N, N, 1)
    assert (space.dissimilarity, space.dissimilarity_kind, space.similarity) == (True, "euclidean", "unspecified")
    assert "kernel of 40 items · euclidean" in repr(space)


def test_rows_and_columns_read_back_in_row_order(client, distances):
    found = client.get_embeddings(distances)
    assert found.ids == sorted(IDS)
    order = [IDS.index(item) for item in found.ids]
    assert found.vectors.tobytes() == np.float32(squareform(pdist(POINTS)))[np.ix_(order, order)].tobytes()
    assert found.attributes["label"] == [row % 2 for row in order]
    two = client.get_embeddings(distances, [IDS[3], IDS[0]])
    assert two.vectors.shape == (2, N)


def test_the_neighbours_of_distances_are_those_of_the_points(client, distances, points, others):
    for metric in ("mutual_knn", "cycle_knn", "lcs_knn", "edit_distance_knn"):
        of_kernel, of_points = (client.align(x, others, k=[K, 9], metric=metric, permutations=99) for x in (distances, points))
        assert (of_kernel.score, of_kernel.p_value, of_kernel.interval) == (of_points.score, of_points.p_value, of_points.interval)
        assert (of_kernel.kernel_rule_x, of_kernel.kernel_rule_y, of_points.kernel_rule_x) == ("-d", "", "")
    assert client.align(distances, points, k=K).score == 1
    assert of_kernel.certificate_x.backend == "precomputed"


def test_cknna_of_inner_products_is_that_of_the_vectors(client, others, name):
    client.create_space(name, kind="kernel")
    client.upsert(name, IDS, POINTS.astype(np.float64) @ POINTS.T)
    client.create_space(f"{name}-points", dim=4, similarity="inner_product")
    client.upsert(f"{name}-points", IDS, POINTS)
    for metric in ("cknna", "cknna_paper", "cknna_centred"):
        of_kernel, of_points = (client.align(x, others, k=K, metric=metric, permutations=99) for x in (name, f"{name}-points"))
        # The matrix is rounded to float32, the products of the vectors are not.
        assert of_kernel.score == pytest.approx(of_points.score, abs=1e-6)
        assert tuple(of_kernel.interval) == pytest.approx(tuple(of_points.interval), abs=1e-5)
        assert of_kernel.chance == pytest.approx(of_points.chance, abs=1e-6)
        assert of_kernel.kernel_rule_x == "s"


@pytest.mark.parametrize("metric", ["cka", "unbiased_cka"])
def test_cka_of_distances_is_that_of_the_points(client, distances, points, others, metric):
    of_kernel, of_points = (client.align(x, others, metric=metric, permutations=99) for x in (distances, points))
    for name in ("score", "chance", "p_value", "calibrated"):
        # The distances are rounded to float32, and their squares are taken.
        assert getattr(of_kernel, name) == pytest.approx(getattr(of_points, name), abs=1e-6), name
    assert tuple(of_kernel.interval) == pytest.approx(tuple(of_points.interval), abs=1e-5)
    assert (of_kernel.kernel_rule_x, of_kernel.kernel_rule_y) == ("-d^2/2", "")
    matrix = client.align_matrix([distances, points, others], metric=metric, permutations=0)
    assert matrix.scores[0, 1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("metric", "rule"), [("rsa", "d"), ("rbf_cka", "d")])
def test_dissimilarities_are_read_as_they_are(client, distances, points, others, metric, rule):
    of_kernel = client.align(distances, others, metric=metric, permutations=0)
    of_points = client.align(points, others, metric=metric, rdm_distance="euclidean", permutations=0)
    if metric == "rbf_cka":
        assert of_kernel.score == pytest.approx(of_points.score, abs=1e-6)
    assert of_kernel.kernel_rule_x == rule
    assert client.align(distances, points, metric=metric, rdm_distance="euclidean", permutations=0).score == pytest.approx(1, abs=1e-6)


def test_a_matrix_of_kernels_and_vectors(client, distances, points, others):
    matrix = client.align_matrix([distances, points, others], k=K, permutations=99)
    assert matrix.scores[0, 1] == 1
    assert matrix.scores[0, 2] == matrix.scores[1, 2] == client.align(points, others, k=K, permutations=0).score


def test_common_items_are_the_sub_matrix(client, distances, points, name):
    part = f"{name}-part"
    client.create_space(part, dim=6)
    client.upsert(part, IDS[5:30], OTHERS[5:30])
    report = client.align(distances, part, k=K, permutations=0)
    assert (report.n, report.dropped_x) == (25, 15)
    assert report.score == client.align(points, part, k=K, permutations=0).score


def test_arrays_may_be_matrices_and_row_order_does_not_matter(client):
    square, gram = squareform(pdist(POINTS)), OTHERS @ OTHERS.T
    report = client.align_arrays(square, gram, k=K, x_kernel="euclidean", y_kernel="similarity", permutations=99)
    vectors = client.align_arrays(POINTS, gram, k=K, similarity="squared_l2", y_kernel="similarity", permutations=0)
    assert report.score == vectors.score
    order = np.random.default_rng(1).permutation(N)
    moved = client.align_arrays(
        square[np.ix_(order, order)], gram[np.ix_(order, order)], k=K, x_kernel="euclidean", y_kernel="similarity", permutations=99
    )
    assert (moved.score, moved.p_value, moved.interval) == (report.score, report.p_value, report.interval)
    alone = consilience.align_arrays(pdist(POINTS), gram, k=K, x_kernel="dissimilarity", y_kernel="similarity", permutations=99)
    assert (alone.score, alone.p_value) == (report.score, report.p_value)


@pytest.mark.parametrize("correction", ["none", "csls"])
def test_matches_within_a_kernel_are_those_of_the_points(client, distances, points, correction):
    asked = IDS[:6]
    of_kernel = client.match(space=distances, query_ids=asked, k=K, correction=correction)
    if correction == "none":
        of_points = client.match(space=points, query_ids=asked, k=K)
        assert of_kernel.ids.tolist() == of_points.ids.tolist()
    assert of_kernel.similarities == pytest.approx(
        np.array([[-np.linalg.norm(POINTS[row] - POINTS[IDS.index(item)]) for item in of_kernel.ids[row]] for row in range(6)])
    )
    if correction == "csls":
        scores = -squareform(pdist(POINTS)) + np.diag(np.full(N, -np.inf))
        r = np.sort(scores, axis=1)[:, -10:].mean(axis=1)
        ranked = 2 * scores - r[:, None] - r[None]
        rows = [IDS.index(item) for item in asked]
        assert of_kernel.scores == pytest.approx(-np.sort(-ranked[rows], axis=1)[:, :K], abs=1e-6)


def test_each_upload_is_one_version_and_replaces_all(client, distances):
    same = client.upsert(distances, IDS, squareform(pdist(POINTS)))
    assert (same.version, same.unchanged) == (1, N)
    smaller = client.upsert(distances, IDS[:10], pdist(POINTS[:10]))
    assert repr(smaller).endswith(" · 10 items in all")
    assert (smaller.version, smaller.space.item_count) == (2, 10)
    assert client.get_embeddings(f"{distances}@1").vectors.shape == (N, N)
    assert client.align(distances, f"{distances}@1", k=3, permutations=0).score == 1


def test_asymmetric_judgements_are_averaged_only_when_asked(client, name):
    judged = squareform(pdist(POINTS))
    judged[3, 7] += 1
    client.create_space(name, kind="kernel", dissimilarity=True)
    with pytest.raises(INVALID, match=r"\[3, 7\].*symmetrize=True") as refused:
        client.upsert(name, IDS, judged)
    assert refused.value.reason == "INVALID_KERNEL"
    result = client.upsert(name, IDS, judged, symmetrize=True)
    assert result.asymmetry == pytest.approx(1)
    row = client.get_embeddings(name, [IDS[3]]).vectors[0]
    assert row[sorted(IDS).index(IDS[7])] == pytest.approx(judged[7, 3] + 0.5)


def rated(seed=0, share=0.7):
    """Three raters' noisy distances, the second and third not of every pair, condensed."""
    draw = np.random.default_rng(seed)
    matrices = pdist(POINTS) + draw.random((3, N * (N - 1) // 2))
    matrices[1:][draw.random((2, matrices.shape[1])) > share] = np.nan
    return matrices


@pytest.mark.parametrize("condensed", [True, False])
def test_repeats_are_kept_and_their_mean_is_the_matrix(client, name, points, condensed):
    client.create_space(name, kind="kernel", dissimilarity=True, repeats=["ann", "bob", "cyd"])
    given = rated() if condensed else np.array([squareform(matrix) for matrix in rated()])
    result = client.upsert(name, IDS, given)
    assert (result.space.repeats, result.space.dim, result.space.item_count) == (("ann", "bob", "cyd"), N, N)
    stored = client.get_embeddings(name)
    order = [IDS.index(item) for item in stored.ids]
    for at, matrix in enumerate(rated()):
        expected = np.float32(squareform(matrix))[np.ix_(order, order)]
        np.testing.assert_array_equal(stored.vectors.reshape(N, 3, N)[:, at], expected)
    mean = np.nanmean(np.float32(rated()).astype(np.float64), axis=0)
    of_mean = client.align_arrays(mean, POINTS[:, :3], x_kernel="dissimilarity", k=K, permutations=0)
    client.create_space(f"{name}-three", dim=3)
    client.upsert(f"{name}-three", IDS, POINTS[:, :3])
    assert client.align(name, f"{name}-three", k=K, permutations=0).score == of_mean.score


BAD_REPEATS = {
    "one matrix": (rated()[0], "one matrix|give a matrix"),
    "too few": (rated()[:2], "each of 3 repeats"),
    "a pair that nobody rated": (np.where(np.arange(rated().shape[1]) == 4, np.nan, rated()), "NaN in all 3 repeats"),
}


@pytest.mark.parametrize("case", BAD_REPEATS)
def test_bad_repeats_are_refused(client, name, case):
    values, told = BAD_REPEATS[case]
    client.create_space(name, kind="kernel", dissimilarity=True, repeats=["ann", "bob", "cyd"])
    with pytest.raises(INVALID, match=told) as refused:
        client.upsert(name, IDS, values)
    assert refused.value.reason == "INVALID_KERNEL"


@pytest.mark.parametrize("repeats", [["ann"], ["ann", "ann"], ["ann", ""], ["ann", "b" * 61]])
def test_names_of_repeats(client, name, repeats):
    with pytest.raises(INVALID, match="2 to 1,024 names") as refused:
        client.create_space(name, kind="kernel", dissimilarity=True, repeats=repeats)
    assert refused.value.field == "repeats"
    with pytest.raises(INVALID, match="vectors has no repeats"):
        client.create_space(name, 3, repeats=["ann", "bob"])


BAD = {
    "a similarity of distances": ("similarity", squareform(pdist(POINTS)), "INVALID_KERNEL", "exceeds both diagonal entries"),
    "distances of similarities": ("dissimilarity", np.float32(np.corrcoef(OTHERS)), "INVALID_KERNEL", "a dissimilarity is zero"),
    "NaN": ("dissimilarity", squareform(np.where(np.arange(N * (N - 1) // 2) == 7, np.nan, pdist(POINTS))), "NOT_FINITE", "nan"),
    "part of the rows": ("dissimilarity", squareform(pdist(POINTS))[:9], "INVALID_KERNEL", "all of them"),
    "not square": ("dissimilarity", np.zeros((N, N + 1)), "INVALID_KERNEL", "one row and one column"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_matrix_is_refused_whole(client, name, case):
    kind, values, reason, told = BAD[case]
    client.create_space(name, kind="kernel", dissimilarity=kind == "dissimilarity")
    client.upsert(name, ["a", "b"], np.eye(2) if kind == "similarity" else 1 - np.eye(2))
    with pytest.raises(INVALID, match=told) as refused:
        client.upsert(name, IDS[: len(values)], values)
    assert refused.value.reason == reason
    assert client.get_space(name).version == 1


def test_rows_out_of_order_are_refused_on_the_wire(client, name):
    client.create_space(name, kind="kernel", dissimilarity=True)
    kernel = to_kernel(1 - np.eye(2), "vectors", dissimilarity=True)
    requests = [
        (upload_header(f"spaces/{name}", "request", 2, 0), 0),
        (upload_batch(["b", "a"], kernel.vectors, [], 0, 2), 2),
    ]
    with pytest.raises(INVALID, match="byte order") as refused:
        client._transport.upload(methods.UPSERT_EMBEDDINGS, iter(requests), 10, "request", lambda _rows: None)
    assert refused.value.reason == "INVALID_ID"


CALLS = {
    "a metric of vectors": lambda client, space, other: client.align(other, space, metric="procrustes"),
    "a metric of similarities": lambda client, space, other: client.align(other, space, metric="cknna", k=3),
    "preprocessing": lambda client, space, _: client.align(space, space, preprocess="platonic_rep", k=3),
    "query vectors": lambda client, space, _: client.match(space=space, queries=np.ones((1, N)), k=1),
    "an index": lambda client, space, _: client.match(space=space, query_ids=IDS[:1], k=1, index="hnsw"),
    "a part of the gallery": lambda client, space, _: client.match(space=space, query_ids=IDS[:1], k=1, exclude_ids=IDS[1:2]),
    "a bridge": lambda client, space, other: client.fit_bridge(space, other, name=f"bridge-{next(COUNTER)}"),
    "mutual pairs": lambda client, space, other: client.mutual_pairs(space, other),
    "a delete of items": lambda client, space, _: client.delete_embeddings(space, IDS[:1]),
}


@pytest.mark.parametrize("case", CALLS)
def test_what_needs_vectors_refuses_a_kernel_by_name(client, distances, others, case):
    with pytest.raises(INVALID) as refused:
        CALLS[case](client, distances, others)
    assert refused.value.reason == ("INVALID_ARGUMENT" if case == "preprocessing" else "KERNEL_SPACE")
    assert "kernel" in str(refused.value)


def test_preprocessing_of_the_vectors_leaves_the_kernel_as_it_is(client, distances, others):
    report = client.align(distances, others, k=K, preprocess="platonic_rep", permutations=0)
    assert np.isnan(report.clips[0])
    assert report.clips[1] > 0


SPACES = {
    "a kernel with a width": {"kind": "kernel", "dim": 3},
    "vectors without a width": {},
    "vectors of dissimilarities": {"dim": 3, "dissimilarity": True},
    "similarities of a kind of distance": {"kind": "kernel", "dissimilarity_kind": "euclidean"},
    "an unknown kind of distance": {"kind": "kernel", "dissimilarity": True, "dissimilarity_kind": "manhattan"},
    "symmetrize": None,
}


@pytest.mark.parametrize("case", SPACES)
def test_what_contradicts_itself_is_refused(client, name, others, case):
    with pytest.raises(INVALID):
        if SPACES[case] is None:
            client.upsert(others, IDS, OTHERS, symmetrize=True)
        else:
            client.create_space(name, **SPACES[case])


def test_a_kernel_without_a_kind_on_the_wire_names_its_field(client, name):
    space = space_pb2.Space(kind=space_pb2.SPACE_KIND_KERNEL, similarity=space_pb2.SIMILARITY_COSINE)
    with pytest.raises(INVALID, match="similarity") as refused:
        client._call(methods.CREATE_SPACE, space_pb2.CreateSpaceRequest(space_id=name, space=space), 10)
    assert refused.value.field == "similarity"


@pytest.mark.parametrize(
    ("metric", "options"), [("rsa", {"rdm_distance": "euclidean"}), ("rsa", {"rdm_comparison": "kendall_tau_b"}), ("rbf_cka", {})]
)
def test_metrics_of_all_pairs_take_kernels_and_vectors_alike(client, distances, points, others, metric, options):
    options = {"metric": metric, "permutations": 99, **options}
    if "rdm_comparison" in options:
        # Vectors by correlation distance are another question than their Euclidean distances.
        options["rdm_distance"] = "euclidean"
    mixed, plain = client.align(distances, others, **options), client.align(points, others, **options)
    assert mixed.score == pytest.approx(plain.score, abs=1e-6)
    assert mixed.p_value == pytest.approx(plain.p_value, abs=0.011)
    assert mixed.interval.low == pytest.approx(plain.interval.low, abs=1e-5)
    assert (mixed.kernel_rule_x, mixed.kernel_rule_y) == ("d", "")
    gram = client.align_arrays(POINTS @ POINTS.T, OTHERS, x_kernel="similarity", metric="rbf_cka", permutations=0)
    assert gram.score == pytest.approx(client.align(points, others, metric="rbf_cka", permutations=0).score, abs=1e-5)
    sampled = client.align(distances, others, **{**options, "sample_items": 20})
    assert (sampled.n, sampled.sampled_items.common) == (20, N)


def test_a_similarity_that_is_no_kernel_has_no_gaussian_kernel(client):
    gram = np.eye(N, dtype=np.float32)
    gram[0, 0], gram[0, 1], gram[1, 0] = 5.0, 4.0, 4.0
    with pytest.raises(INVALID, match="positive semidefinite"):
        client.align_arrays(gram, OTHERS, x_kernel="similarity", metric="rbf_cka", permutations=0)
