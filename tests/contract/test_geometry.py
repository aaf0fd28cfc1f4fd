"""One space by itself: the same over the wire and in process, alone and beside an alignment."""

import numpy as np
import pytest
from scipy.stats import skew

import consilience


@pytest.fixture(scope="module")
def plane(client):
    """A plane in twelve dimensions, and a space of unrelated vectors."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(400, 2)) @ np.linalg.qr(random.normal(size=(12, 2)))[0].T
    y = random.normal(size=(400, 5))
    ids = [f"item-{row:03}" for row in range(400)]
    for name, vectors in (("plane", x), ("cloud", y)):
        client.create_space(name, dim=vectors.shape[1], similarity="squared_l2")
        client.upsert(name, ids, vectors)
    yield np.float32(x), np.float32(y)
    for name in ("plane", "cloud"):
        client.delete_space(name)


def test_a_plane_is_two_dimensional(client, plane):
    told = client.describe_space("plane", k=5)
    assert told.intrinsic_dimension == pytest.approx(2, abs=0.3)
    assert told.effective_rank == pytest.approx(2, abs=0.1)
    assert 1 < told.participation_ratio <= 2.001
    assert (told.n, told.dim, told.geometry.k, told.preprocess) == (400, 12, 5, "none")
    x = plane[0].astype(float)
    distances = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    counts = np.bincount(np.argsort(distances, axis=1)[:, :5].ravel(), minlength=400)
    assert told.hubness == pytest.approx(skew(counts), abs=1e-9)
    assert told.to_dict()["hubness"] == told.hubness
    assert "intrinsic dimension 2" in repr(told) or "intrinsic dimension 1.9" in repr(told)


def test_an_alignment_carries_what_it_had_at_hand(client, plane):
    report = client.align("plane", "cloud", k=5, permutations=0)
    alone = client.describe_space("plane", k=5)
    assert report.context_x.hubness == alone.hubness
    assert report.context_x.intrinsic_dimension == alone.intrinsic_dimension
    assert report.context_x.effective_rank is None
    assert report.context_y.intrinsic_dimension == pytest.approx(5, abs=1)
    whole = client.align("plane", "cloud", metric="cka", context=True, permutations=0)
    assert whole.context_x == client.describe_space("plane").geometry
    assert client.align("plane", "cloud", metric="cka", permutations=0).context_x is None
    arrays = consilience.align_arrays(*plane, k=5, similarity="squared_l2", context=True, permutations=0)
    assert arrays.context_x == alone.geometry


@pytest.mark.parametrize("metric", ["mutual_knn", "cka"])
def test_the_spaces_of_a_matrix_and_layers_are_described_one_by_one(client, plane, metric):
    matrix = client.align_matrix(["plane", "cloud"], k=5, metric=metric, context=True, permutations=0)
    k = 5 if metric == "mutual_knn" else 10
    assert matrix.contexts == tuple(client.describe_space(space, k=k).geometry for space in ("plane", "cloud"))
    assert client.align_matrix(["plane", "cloud"], k=5, metric=metric, permutations=0).contexts == ()
    assert matrix.to_dict()["contexts"][0]["hubness"] == matrix.contexts[0].hubness
    layers = client.align_arrays([plane[0], plane[1]], plane[1], k=5, metric=metric, similarity="squared_l2", context=True, permutations=0)
    assert layers.layer_contexts_x == matrix.contexts
    assert layers.context_x == layers.layer_contexts_x[layers.best_layers[0]]
    assert len(layers.layer_contexts_y) == 1


def test_what_cannot_be_described_is_refused(client, plane):
    with pytest.raises(consilience.InvalidArgumentError) as refused:
        client.describe_space("plane", k=400)
    assert refused.value.reason == "INVALID_K"
    with pytest.raises(consilience.NotFoundError):
        client.describe_space("nobody")
    with pytest.raises(consilience.InvalidArgumentError):
        client.describe_space("plane", preprocess="whiten")
    with pytest.raises(consilience.UnimplementedError, match="of each pair") as unserved:
        client.align_matrix(["plane", "cloud"], items="pairwise", context=True)
    assert unserved.value.field.endswith("context")
    with pytest.raises(consilience.InvalidArgumentError):
        client.align("plane", "cloud", sample_queries=10, context=True)
