import numpy as np
import pytest
import scipy.sparse

from consilience_server.core.pmi import PmiOptions, pmi
from consilience_server.engine import pmi_embedding
from consilience_server.engine.pmi_embedding import embed, pmi_bytes, pmi_values


def counts(n=40, m=40, seed=0):
    random = np.random.default_rng(seed)
    rates = np.outer(random.gamma(1, size=n), random.gamma(1, size=m))
    return random.poisson(rates).astype(np.float64)


@pytest.mark.parametrize(
    "options",
    [
        PmiOptions(),
        PmiOptions(shift=0.7),
        PmiOptions(context_smoothing=0.75),
        PmiOptions(smoothing=0.1),
        PmiOptions(positive=False, smoothing=0.1),
    ],
)
@pytest.mark.parametrize("shape", [(40, 40), (30, 50)])
def test_sparse_counts_give_what_dense_ones_do(options, shape):
    dense = counts(*shape)
    found = pmi_values(scipy.sparse.csr_array(dense), options)
    assert scipy.sparse.issparse(found) == options.is_sparse
    np.testing.assert_allclose(found.toarray() if scipy.sparse.issparse(found) else found, pmi(dense, options), atol=1e-12)


@pytest.mark.parametrize("dense_below", [1000, 10])
def test_an_embedding_is_the_truncated_decomposition(dense_below, monkeypatch):
    monkeypatch.setattr(pmi_embedding, "_DENSE_BELOW", dense_below)
    matrix = pmi_values(scipy.sparse.csr_array(counts(60, 50)), PmiOptions())
    found = embed(matrix, 6)
    left, values, _ = np.linalg.svd(matrix.toarray())
    np.testing.assert_allclose(found.singular_values, values[:6], rtol=1e-10)
    np.testing.assert_allclose(np.abs(found.vectors), np.abs(left[:, :6] * np.sqrt(values[:6])), atol=1e-5)
    assert (found.vectors[np.abs(found.vectors).argmax(axis=0), range(6)] > 0).all()
    assert found.kept == pytest.approx((values[:6] ** 2).sum() / (values**2).sum())
    np.testing.assert_array_equal(found.vectors, embed(matrix, 6).vectors)


def test_axes_beyond_the_rank_are_left_out():
    found = embed(np.outer(np.arange(1.0, 9), np.arange(1.0, 6)), 4)
    assert found.vectors.shape == (8, 1)
    assert found.kept == pytest.approx(1.0)


def test_a_latent_geometry_is_recovered_from_counts_up_to_a_constant():
    """Pairs drawn as a contrastive learner's optimum says: p(i, j) ~ p(i) p(j) exp(<z_i, z_j>)."""
    random = np.random.default_rng(0)
    z = random.standard_normal((30, 3))
    z *= 1.2 / np.linalg.norm(z, axis=1, keepdims=True)
    z = np.concatenate([z, -z])
    weights = np.tile(random.uniform(0.5, 2, 30), 2)
    joint = np.exp(z @ z.T) * np.outer(weights, weights)
    # Kernels of PMI are <z_i, z_j> + a_i + a_j + constant; centring takes the rest away.
    expected, centre = z @ z.T, np.eye(60) - 1 / 60
    exact = pmi(joint, PmiOptions(positive=False))
    np.testing.assert_allclose(centre @ exact @ centre, centre @ expected @ centre, atol=1e-10)
    drawn = random.poisson(2e7 * joint / joint.sum()).astype(np.float64)
    values = pmi_values(scipy.sparse.csr_array(drawn + drawn.T), PmiOptions(positive=False, smoothing=0.5))
    found = embed(centre @ values @ centre, 3)
    gram = found.vectors.astype(np.float64) @ found.vectors.T.astype(np.float64)
    assert np.corrcoef(gram.ravel(), (centre @ expected @ centre).ravel())[0, 1] > 0.999
    np.testing.assert_allclose(gram, centre @ expected @ centre, atol=0.08)


def test_sparse_work_costs_less():
    assert pmi_bytes(50_000, 50_000, 10**6, 200, PmiOptions()) < pmi_bytes(50_000, 50_000, 10**6, 200, PmiOptions(smoothing=1.0)) / 10
