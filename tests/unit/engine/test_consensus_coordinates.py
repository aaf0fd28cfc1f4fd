import numpy as np
import pytest

from consilience_server.core import errors
from consilience_server.core.consensus import generalised_procrustes, mean_kernel, unit_kernel
from consilience_server.core.control import Control
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.engine import consensus_configurations, consensus_coordinates
from consilience_server.engine.consensus_configurations import Configurations
from consilience_server.engine.consensus_coordinates import ConsensusEngine, consensus_bytes


def spaces(n=80, widths=(4, 7, 5), seed=0):
    random = np.random.default_rng(seed)
    latent = random.standard_normal((n, 4))
    arrays = [latent @ random.standard_normal((4, d)) + 0.5 * random.standard_normal((n, d)) + 2 for d in widths]
    return [array.astype(np.float32) for array in arrays]


def engine(arrays, method="mean_kernel", unit=None):
    names = [f"spaces/{at}" for at in range(len(arrays))]
    return ConsensusEngine(Configurations(names, arrays, unit or [False] * len(arrays)), method, Control())


def double_centred(kernel):
    """Written out, independently of the product: H K H entry by entry."""
    n = len(kernel)
    h = np.eye(n) - np.full((n, n), 1.0 / n)
    return h @ kernel @ h


def distances(x):
    return np.sqrt(((x[:, None].astype(np.float64) - x[None].astype(np.float64)) ** 2).sum(axis=2))


def of_kernels(arrays, kinds, method="mean_kernel"):
    names = [f"spaces/{at}" for at in range(len(arrays))]
    return ConsensusEngine(Configurations(names, arrays, [False] * len(arrays), kinds), method, Control())


def gram(found):
    wide = found.vectors.astype(np.float64)
    return wide @ wide.T


@pytest.mark.parametrize("n", [80, 12])
@pytest.mark.parametrize("members", [(0, 1, 2), (0, 2), (1,)])
def test_inner_products_are_the_mean_kernel_by_columns_and_by_items(n, members, monkeypatch):
    for module in (consensus_coordinates, consensus_configurations):
        monkeypatch.setattr(module, "BLOCK", 7)
    arrays = spaces(n)
    found = engine(arrays).of(members, 100, Control())
    expected = mean_kernel([arrays[at] for at in members])
    np.testing.assert_allclose(gram(found), expected, atol=2e-7)
    assert (found.kept, found.exact) == (1.0, True)
    assert found.ratio == pytest.approx((expected**2).sum(), abs=1e-9)


@pytest.mark.parametrize("members", [(0, 1, 2), (0, 2)])
def test_procrustes_is_that_of_the_definition(members, monkeypatch):
    for module in (consensus_coordinates, consensus_configurations):
        monkeypatch.setattr(module, "BLOCK", 9)
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
    for method in ("mean_kernel", "procrustes"):
        assert consensus_bytes(100, [4000, 4000], method, 50) < 8 * 8000 * 8000 < consensus_bytes(9000, [4000, 4000], method, 50)


@pytest.mark.parametrize("members", [(0, 1, 2), (1, 2), (0, 2)])
def test_a_kernel_of_points_is_the_space_of_those_points(members):
    x, y, z = spaces(n=30)
    squared = (distances(y) ** 2).astype(np.float64)
    inner = z.astype(np.float64) @ z.astype(np.float64).T
    kinds = [None, KernelKind.SQUARED_EUCLIDEAN, KernelKind.SIMILARITY]
    for method in ("mean_kernel", "procrustes"):
        found = of_kernels([x, squared, inner], kinds, method).of(members, 100, Control())
        expected = engine([x, y, z], method).of(members, 100, Control())
        np.testing.assert_allclose(gram(found), gram(expected), atol=2e-6)
        assert found.ratio == pytest.approx(expected.ratio, abs=1e-6)
        assert found.beyond < 1e-6
    euclidean = of_kernels([x, distances(y), inner], [None, KernelKind.EUCLIDEAN, KernelKind.SIMILARITY])
    np.testing.assert_allclose(gram(euclidean.of(members, 100, Control())), gram(engine([x, y, z]).of(members, 100, Control())), atol=2e-6)


def test_the_mean_of_kernels_is_the_written_out_one_and_its_negative_part_is_told():
    random = np.random.default_rng(3)
    judged = random.uniform(0.1, 1.0, (25, 25))
    judged = 0.5 * (judged + judged.T)
    np.fill_diagonal(judged, 0.0)
    x = random.standard_normal((25, 4)).astype(np.float32)
    rows = x.astype(np.float64) - x.astype(np.float64).mean(axis=0)
    parts = [double_centred(-judged), rows @ rows.T]
    mean = sum(part / np.sqrt((part**2).sum()) for part in parts) / 2
    np.testing.assert_allclose(mean_kernel([judged, x], [KernelKind.DISSIMILARITY, None]), mean, atol=1e-12)
    values, axes = np.linalg.eigh(mean)
    positive = (axes * np.maximum(values, 0.0)) @ axes.T
    found = of_kernels([judged, x], [KernelKind.DISSIMILARITY, None]).of((0, 1), 100, Control())
    np.testing.assert_allclose(gram(found), positive, atol=1e-6)
    below = -values[values < -1e-12].sum()
    assert found.beyond == pytest.approx(below / np.abs(values).sum(), abs=1e-9)
    assert found.kept == pytest.approx(1.0 - found.beyond, abs=1e-9)
    assert found.beyond > 0.05
    assert not found.exact
    assert found.ratio == pytest.approx((mean**2).sum(), abs=1e-12)


def test_procrustes_of_spaces_wider_than_long_is_that_of_the_definition():
    arrays = spaces(n=12, widths=(40, 7, 25))
    found = engine(arrays, "procrustes").of((0, 1, 2), 100, Control())
    plain = generalised_procrustes(arrays)
    np.testing.assert_allclose(gram(found), plain.mean @ plain.mean.T, atol=1e-6)
    assert found.ratio == pytest.approx((plain.mean**2).sum(), abs=1e-7)
    assert found.vectors.shape[1] <= 11
    unit = engine(arrays, "procrustes", unit=[True, False, True]).of((0, 1, 2), 100, Control())
    rows = [x / np.linalg.norm(x, axis=1, keepdims=True) if at != 1 else x for at, x in enumerate(a.astype(np.float64) for a in arrays)]
    assert unit.ratio == pytest.approx((generalised_procrustes(rows).mean ** 2).sum(), abs=1e-7)


def test_procrustes_agrees_with_scipy_where_two_spaces_have_an_answer_in_one_step():
    from scipy.spatial import procrustes

    x, y = (array[:, :4] for array in spaces(widths=(4, 5)))
    found = engine([x, y], "procrustes").of((0, 1), 100, Control())
    # SciPy scales the second to trace s of X'Y: its disparity is 1 - s^2, and |G|^2 = (2 + 2 s) / 4.
    s = np.sqrt(1.0 - procrustes(x, y)[2])
    assert found.ratio == pytest.approx(0.5 * (1.0 + s), abs=1e-6)


def test_a_kernel_without_geometry_is_refused():
    flat = np.where(np.eye(10, dtype=bool), 0.0, 0.0)
    for method in ("mean_kernel", "procrustes"):
        with pytest.raises(errors.ConstantFeatures, match="spaces/1"):
            of_kernels([spaces(n=10)[0], flat], [None, KernelKind.SIMILARITY], method).of((0, 1), 5, Control())
