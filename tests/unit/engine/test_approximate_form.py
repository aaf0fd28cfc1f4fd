"""The form of approximate indexes: nearest by Euclidean distance is best by score, whatever the similarity."""

import threading

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate_form import form_gallery, form_width

RANDOM = np.random.default_rng(0)
PLAIN = RANDOM.standard_normal((300, 17)).astype(np.float32) * RANDOM.uniform(0.1, 30, (300, 1)).astype(np.float32)
GALLERIES = {
    "plain": PLAIN,
    "huge": PLAIN * np.float32(1e36),
    "tiny": PLAIN * np.float32(1e-36),
    "denormal": np.ldexp(RANDOM.integers(1, 5000, (300, 17)), -149).astype(np.float32),
}


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", GALLERIES)
def test_the_order_of_distances_is_that_of_scores(name, similarity):
    gallery = GALLERIES[name]
    queries = gallery[:40] * np.float32(0.9)
    form, columns = form_gallery(gallery, similarity, Control())
    asked = form.of_queries(queries)
    assert columns.dtype == asked.dtype == np.float32
    assert columns.shape == (300, form_width(17, similarity))
    assert np.linalg.norm(columns.astype(np.float64), axis=1).max() <= 1 + 1e-6
    scores = exact_scores(queries, gallery, similarity)
    distances = ((asked[:, None].astype(np.float64) - columns[None]) ** 2).sum(axis=2)
    for row in range(40):
        # Float32 may swap what differs by its rounding; the best must be the best up to that.
        spread = np.ptp(scores[row])
        best = scores[row][np.argsort(distances[row], kind="stable")][:10]
        assert np.allclose(best, -np.sort(-scores[row])[:10], rtol=0, atol=1e-5 * spread)


def test_scaling_by_a_power_of_two_rounds_nothing():
    form, columns = form_gallery(PLAIN, Similarity.SQUARED_L2, Control())
    assert np.log2(form.scale) % 1 == 0
    assert np.array_equal(columns / np.float32(form.scale), PLAIN)


@pytest.mark.parametrize("similarity", [Similarity.INNER_PRODUCT, Similarity.SQUARED_L2])
def test_zero_vectors_and_far_queries_stay_finite(similarity):
    form, columns = form_gallery(np.zeros((3, 4), np.float32), similarity, Control())
    assert np.isfinite(columns).all()
    form, columns = form_gallery(np.full((3, 4), 1e-30, np.float32), similarity, Control())
    asked = form.of_queries(np.array([[3e38] * 4, [0.0] * 4], np.float32))
    assert np.isfinite(asked.astype(np.float32) @ asked.T.astype(np.float32)).all()


def test_cancelled_work_stops():
    control = Control()
    threading.Thread(target=control.cancel).start()
    with pytest.raises(Cancelled):
        for _ in range(10_000):
            form_gallery(PLAIN, Similarity.COSINE, control)
