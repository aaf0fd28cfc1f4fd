import numpy as np
import pytest
from scipy.stats import skew
from support.brute_table import BruteTable, table

from consilience_server.core.control import Control
from consilience_server.core.effective_rank import effective_rank
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.engine.space_geometry import neighbour_geometry, spectrum, spectrum_bytes

RANDOM = np.random.default_rng(0)


def squared_l2(x):
    return -((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)


def test_a_sphere_has_one_dimension_less_under_cosine():
    x = RANDOM.normal(size=(1000, 4))
    found = neighbour_geometry(table(x, 10), 10, Similarity.COSINE, None)
    assert found.intrinsic_dimension == pytest.approx(3, rel=0.15)
    assert found.intrinsic_dimension_items == 1000
    counts = np.bincount(table(x, 10).indices[:, :10].ravel(), minlength=1000)
    assert found.hubness == pytest.approx(skew(counts), abs=1e-12)
    assert found.largest_occurrence == counts.max()


def test_distances_of_every_kind_tell_the_same():
    x = RANDOM.normal(size=(300, 3))
    squares = squared_l2(x)
    tables = {kind: BruteTable(scores, 6) for kind, scores in (("l2", squares), ("euclidean", -np.sqrt(-squares)))}
    by_vectors = neighbour_geometry(tables["l2"], 5, Similarity.SQUARED_L2, None)
    for kind, of in ((KernelKind.EUCLIDEAN, tables["euclidean"]), (KernelKind.SQUARED_EUCLIDEAN, tables["l2"])):
        assert neighbour_geometry(of, 5, Similarity.COSINE, kind).intrinsic_dimension == pytest.approx(by_vectors.intrinsic_dimension)


def test_what_is_no_distance_has_no_dimension():
    found = table(RANDOM.normal(size=(100, 3)), 5)
    for similarity, kernel in (
        (Similarity.INNER_PRODUCT, None),
        (Similarity.COSINE, KernelKind.SIMILARITY),
        (Similarity.COSINE, KernelKind.DISSIMILARITY),
    ):
        assert neighbour_geometry(found, 5, similarity, kernel).intrinsic_dimension is None


@pytest.mark.parametrize("shape", [(9000, 12), (20, 300)])
def test_the_spectrum_is_that_of_the_centred_vectors(shape):
    x = (RANDOM.normal(size=shape) + 3).astype(np.float32)
    expected = np.linalg.svd(x - x.mean(axis=0, dtype=np.float64), compute_uv=False)
    found = spectrum(x, Control())
    assert found == pytest.approx(expected[: len(found)], rel=1e-6)
    assert len(found) == min(shape[0] - 1, shape[1])


def test_an_exactly_low_rank_space_uses_its_rank():
    left = np.linalg.qr(RANDOM.normal(size=(400, 5)) - 0.0)[0]
    left -= left.mean(axis=0)
    left = np.linalg.qr(left)[0]
    x = (left @ np.linalg.qr(RANDOM.normal(size=(64, 5)))[0].T).astype(np.float32)
    strengths = spectrum(x, Control())
    assert len(strengths) == 5
    assert effective_rank(strengths) == pytest.approx(5, abs=1e-4)


def test_equal_items_have_no_spectrum():
    assert len(spectrum(np.ones((20, 3), np.float32), Control())) == 0
    assert spectrum_bytes(10**6, 512) < 1e8
