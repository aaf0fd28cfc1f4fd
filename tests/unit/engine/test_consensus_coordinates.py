import numpy as np
import pytest

from consilience_server.core import errors
from consilience_server.core.consensus import generalised_procrustes, mean_kernel, unit_kernel
from consilience_server.core.control import Control
from consilience_server.engine import consensus_coordinates
from consilience_server.engine.consensus_coordinates import Configurations, ConsensusEngine, consensus_bytes


def spaces(n=80, widths=(4, 7, 5), seed=0):
    random = np.random.default_rng(seed)
    latent = random.standard_normal((n, 4))
    arrays = [latent @ random.standard_normal((4, d)) + 0.5 * random.standard_normal((n, d)) + 2 for d in widths]
    return [array.astype(np.float32) for array in arrays]


def engine(arrays, method="mean_kernel", unit=None):
    names = [f"spaces/{at}" for at in range(len(arrays))]
    return ConsensusEngine(Configurations(names, arrays, unit or [False] * len(arrays)), method, Control())


def gram(found):
    wide = found.vectors.astype(np.float64)
    return wide @ wide.T


@pytest.mark.parametrize("n", [80, 12])
@pytest.mark.parametrize("members", [(0, 1, 2), (0, 2), (1,)])
def test_inner_products_are_the_mean_kernel_by_columns_and_by_items(n, members, monkeypatch):
    monkeypatch.setattr(consensus_coordinates, "_BLOCK", 7)
    arrays = spaces(n)
    found = engine(arrays).of(members, 100, Control())
    expected = mean_kernel([arrays[at] for at in members])
    np.testing.assert_allclose(gram(found), expected, atol=2e-7)
    assert (found.kept, found.exact) == (1.0, True)
    assert found.ratio == pytest.approx((expected**2).sum(), abs=1e-9)


@pytest.mark.parametrize("members", [(0, 1, 2), (0, 2)])
def test_procrustes_is_that_of_the_definition(members, monkeypatch):
    monkeypatch.setattr(consensus_coordinates, "_BLOCK", 9)
    arrays = spaces()
    found = engine(arrays, "procrustes").of(members, 100, Control())
    plain = generalised_procrustes([arrays[at] for at in members])
    np.testing.assert_allclose(gram(found), plain.mean @ plain.mean.T, atol=1e-6)
    assert (found.iterations, found.converged) == (plain.iterations, plain.converged)
    assert found.ratio == pytest.approx((plain.mean**2).sum(), abs=1e-9)


def test_a_rank_keeps_the_leading_axes_and_says_what_they_hold():
    arrays = spaces()
    everything, found = engine(arrays).of((0, 1, 2), 100, Control()), engine(arrays).of((0, 1, 2), 3, Control())
    np.testing.assert_allclose(found.vectors, everything.vectors[:, :3], atol=1e-6)
    variance = everything.vectors.astype(np.float64).var(axis=0)
    assert found.kept == pytest.approx(variance[:3].sum() / variance.sum(), abs=1e-6)
    assert not found.exact
    assert (np.diff(variance) <= 1e-9).all()
    assert (found.vectors[np.abs(found.vectors).argmax(axis=0), range(3)] > 0).all()


def test_under_cosine_only_directions_count():
    arrays = spaces()
    lengths = np.random.default_rng(1).uniform(0.5, 2, (80, 1)).astype(np.float32)
    one = engine(arrays, unit=[True] * 3).of((0, 1, 2), 100, Control())
    other = engine([array * lengths for array in arrays], unit=[True] * 3).of((0, 1, 2), 100, Control())
    np.testing.assert_allclose(gram(one), gram(other), atol=1e-6)


def test_the_order_of_rows_only_reorders():
    arrays, order = spaces(), np.random.default_rng(2).permutation(80)
    one, other = engine(arrays).of((0, 1, 2), 5, Control()), engine([array[order] for array in arrays]).of((0, 1, 2), 5, Control())
    np.testing.assert_allclose(one.vectors[order], other.vectors, atol=1e-6)


def test_distances_are_means_of_the_spaces_distances():
    arrays = spaces()
    found = engine(arrays).of((0, 1, 2), 100, Control()).vectors.astype(np.float64)
    kernels = [unit_kernel(array) for array in arrays]
    expected = np.mean([kernel[3, 3] + kernel[9, 9] - 2 * kernel[3, 9] for kernel in kernels])
    assert ((found[3] - found[9]) ** 2).sum() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("n", [80, 12])
def test_a_space_without_variance_is_refused_by_name(n):
    arrays = [*spaces(n), np.full((n, 3), 0.1, dtype=np.float32)]
    with pytest.raises(errors.ConstantFeatures, match="spaces/3"):
        engine(arrays)


def test_it_stops_when_nobody_waits():
    control = Control()
    control.cancel()
    with pytest.raises(errors.Cancelled):
        engine(spaces()).of((0, 1), 5, control)


def test_wide_spaces_of_few_items_cost_items_squared():
    assert consensus_bytes(100, [4000, 4000], "mean_kernel", 50) < consensus_bytes(100, [4000, 4000], "procrustes", 50)
