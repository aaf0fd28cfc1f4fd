import gc
import weakref

import numpy as np

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.prepared import PreparedGalleries
from consilience_server.engine.scan_form import gallery_form


class CountingScan:
    """Prepares scan forms, and counts how often."""

    def __init__(self):
        self.loads = 0

    def __call__(self, vectors, similarity, bias, control):
        self.loads += 1
        return gallery_form(vectors, similarity, bias)


def read_only(seed, rows=50):
    vectors = np.random.default_rng(seed).standard_normal((rows, 8)).astype(np.float32)
    vectors.flags.writeable = False
    return vectors


def test_a_read_only_gallery_is_prepared_once_for_each_similarity():
    scan, x = CountingScan(), read_only(0)
    kept = PreparedGalleries(scan, 1 << 20)
    first = kept.get(x, Similarity.COSINE, None, Control())
    assert kept.get(x, Similarity.COSINE, None, Control()) is first
    assert kept.get(x, Similarity.SQUARED_L2, None, Control()) is not first
    assert scan.loads == 2
    assert kept.nbytes == first.nbytes + kept.get(x, Similarity.SQUARED_L2, None, Control()).nbytes


def test_a_writable_gallery_is_never_kept():
    scan, x = CountingScan(), np.ones((5, 8), dtype=np.float32)
    kept = PreparedGalleries(scan, 1 << 20)
    before = kept.get(x, Similarity.INNER_PRODUCT, None, Control()).norms.copy()
    x *= 2
    assert np.array_equal(kept.get(x, Similarity.INNER_PRODUCT, None, Control()).norms, 2 * before)
    assert (scan.loads, kept.nbytes) == (2, 0)
    # Nor is a read-only gallery whose bias may change.
    kept.get(read_only(1), Similarity.COSINE, np.zeros(50), Control())
    assert kept.nbytes == 0


def test_a_gallery_is_forgotten_when_it_is_freed():
    scan, x = CountingScan(), read_only(0)
    kept = PreparedGalleries(scan, 1 << 20)
    kept.get(x, Similarity.COSINE, None, Control())
    assert kept.nbytes > 0
    del x
    gc.collect()
    assert kept.nbytes == 0


def test_a_bias_belongs_to_the_key():
    scan, x = CountingScan(), read_only(0)
    kept = PreparedGalleries(scan, 1 << 20)
    one, two = np.zeros(50), np.ones(50)
    one.flags.writeable = two.flags.writeable = False
    forms = [kept.get(x, Similarity.COSINE, bias, Control()) for bias in (None, one, two)]
    assert len({id(form) for form in forms}) == 3
    assert kept.get(x, Similarity.COSINE, two, Control()) is forms[2]


def test_the_least_recently_used_goes_first():
    scan = CountingScan()
    xs = [read_only(seed) for seed in range(3)]
    size = PreparedGalleries(scan, 1 << 20).get(xs[0], Similarity.COSINE, None, Control()).nbytes
    kept = PreparedGalleries(scan, 2 * size)
    forms = [kept.get(x, Similarity.COSINE, None, Control()) for x in xs[:2]]
    assert kept.get(xs[0], Similarity.COSINE, None, Control()) is forms[0]
    kept.get(xs[2], Similarity.COSINE, None, Control())
    assert kept.nbytes == 2 * size
    assert kept.get(xs[0], Similarity.COSINE, None, Control()) is forms[0]
    assert kept.get(xs[1], Similarity.COSINE, None, Control()) is not forms[1]


def test_what_exceeds_the_limit_alone_is_not_kept():
    kept = PreparedGalleries(CountingScan(), 10)
    kept.get(read_only(0), Similarity.COSINE, None, Control())
    assert kept.nbytes == 0


def test_a_gallery_that_outlives_many_biases_gathers_nothing():
    x = read_only(0)
    kept = PreparedGalleries(CountingScan(), 1 << 20)
    before = len(weakref.finalize._registry)
    for _ in range(20):
        bias = np.zeros(50)
        bias.flags.writeable = False
        kept.get(x, Similarity.COSINE, bias, Control())
        del bias
    assert len(weakref.finalize._registry) - before <= 2
    assert kept.nbytes == 0


def test_what_was_evicted_leaves_no_trace_on_its_gallery():
    x = read_only(0)
    size = PreparedGalleries(CountingScan(), 1 << 20).get(x, Similarity.COSINE, None, Control()).nbytes
    kept = PreparedGalleries(CountingScan(), size)
    before = len(weakref.finalize._registry)
    for _ in range(10):
        kept.get(x, Similarity.COSINE, None, Control())
        kept.get(x, Similarity.INNER_PRODUCT, None, Control())
    assert len(weakref.finalize._registry) - before == 1
    assert kept.nbytes == size
