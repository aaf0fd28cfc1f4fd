import numpy as np
import pytest

from consilience_server.core.cka import linear_cka
from consilience_server.core.consensus import generalised_procrustes, mean_kernel, unit_kernel
from consilience_server.core.errors import ConstantFeatures


def views(noises, n=60, d=5, seed=0):
    """Rotations of one latent with noise, of different widths; and the latent."""
    random = np.random.default_rng(seed)
    latent = random.standard_normal((n, d))
    found = []
    for at, noise in enumerate(noises):
        rotation = np.linalg.qr(random.standard_normal((d + at, d)))[0]
        found.append((3.0**at) * (latent @ rotation.T + noise * random.standard_normal((n, d + at))) + at)
    return found, latent


def similarity(kernel, x):
    other = unit_kernel(x)
    return float((kernel * other).sum() / np.linalg.norm(kernel))


def test_the_mean_kernel_of_one_space_is_its_own_and_all_spaces_weigh_the_same():
    (x, y), _ = views([0.5, 0.5])
    np.testing.assert_allclose(mean_kernel([x, x]), unit_kernel(x), atol=1e-15)
    np.testing.assert_allclose(mean_kernel([x, y]), mean_kernel([1000 * x, y - 7]), atol=1e-14)
    kernel = mean_kernel([x, y])
    assert np.linalg.eigvalsh(kernel)[0] > -1e-12
    np.testing.assert_allclose(kernel.sum(axis=0), 0, atol=1e-12)


def test_its_norm_is_the_mean_of_cka():
    spaces, _ = views([0.5, 1.0, 2.0])

    expected = np.mean([[linear_cka(x, y) for y in spaces] for x in spaces])
    assert (mean_kernel(spaces) ** 2).sum() == pytest.approx(expected, abs=1e-12)


def test_the_consensus_is_nearer_to_the_latent_than_any_space():
    spaces, latent = views([1.0] * 6)
    best = max(similarity(unit_kernel(x), latent) for x in spaces)
    assert similarity(mean_kernel(spaces), latent) > best
    assert similarity(unit_kernel(generalised_procrustes(spaces).mean), latent) > best


def test_rotations_of_one_space_are_brought_together():
    spaces, latent = views([0.0] * 4)
    found = generalised_procrustes(spaces)
    assert found.converged
    assert (found.mean**2).sum() == pytest.approx(1.0, abs=1e-12)
    for rotated in found.rotated:
        np.testing.assert_allclose(rotated, found.mean, atol=1e-9)
    np.testing.assert_allclose(unit_kernel(found.mean), unit_kernel(latent), atol=1e-12)


def test_no_rotation_of_a_single_space_comes_nearer():
    spaces, _ = views([1.0, 2.0, 0.5])
    found = generalised_procrustes(spaces)
    random = np.random.default_rng(0)
    for rotated in found.rotated:
        loss = ((rotated - found.mean) ** 2).sum()
        for _ in range(20):
            turned = rotated @ np.linalg.qr(random.standard_normal((rotated.shape[1],) * 2))[0]
            assert ((turned - found.mean) ** 2).sum() >= loss


def test_the_order_of_spaces_does_not_matter():
    spaces, _ = views([1.0, 2.0, 0.5])
    one, other = generalised_procrustes(spaces), generalised_procrustes(spaces[::-1])
    np.testing.assert_allclose(unit_kernel(one.mean), unit_kernel(other.mean), atol=1e-4)


def test_a_space_without_variance_is_refused():
    with pytest.raises(ConstantFeatures):
        mean_kernel([np.ones((5, 2)), np.eye(5)])
