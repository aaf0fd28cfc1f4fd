"""The bound is a proof only if no arithmetic that it allows breaks it: float32 sums in several orders, fused or not, flushed or not."""

import numpy as np
import pytest

from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.scan_form import accumulation_bound, gallery_form, proven, query_form

TINY = np.float32(2.0**-126)


def chain(terms):
    """One float32 after the other: the order with the largest error."""
    total = np.zeros(terms.shape[:-1], dtype=np.float32)
    for place in range(terms.shape[-1]):
        total = total + terms[..., place]
    return total


def flush(values):
    return np.where(np.abs(values) < TINY, np.float32(0), values)


def products(q, x):
    return q[:, None, :] * x[None, :, :]


ARITHMETICS = {
    "blas": lambda q, x: q @ x.T,
    "forward": lambda q, x: chain(products(q, x)),
    "backward": lambda q, x: chain(products(q, x)[..., ::-1]),
    "fused": lambda q, x: (q.astype(np.float64) @ x.astype(np.float64).T).astype(np.float32),
    "flushed": lambda q, x: flush(chain(flush(products(flush(q), flush(x))))),
}


def spaces():
    random = np.random.default_rng(0)
    plain = random.standard_normal((60, 40)).astype(np.float32)
    huge = plain.copy()
    huge[5, 3] = 1e38
    mixed = (plain * 10.0 ** random.integers(-38, 37, (60, 1))).astype(np.float32)
    return {
        "plain": plain,
        "far from the origin": plain + np.float32(1000),
        "one direction": np.abs(plain) * np.float32(1e-3) + np.float32(1),
        "huge coordinate": huge,
        "all magnitudes": mixed,
        "denormal": np.ldexp(random.integers(1, 50, (60, 40)), -149).astype(np.float32),
        "largest": np.where(plain > 0, np.float32(3.4e38), np.float32(-3.4e38)),
        "one-hot": np.eye(12, dtype=np.float32)[random.integers(0, 12, 60)],
        "narrow": plain[:, :1] + np.float32(5),
    }


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", list(spaces()))
@pytest.mark.parametrize("arithmetic", list(ARITHMETICS))
def test_what_scans_below_an_exact_value_is_worse(arithmetic, name, similarity, with_bias):
    vectors = spaces()[name]
    values = exact_scores(vectors[:20], vectors, similarity)
    bias = None
    if with_bias:
        bias = values.mean(axis=0)
        values = 2.0 * values - bias
    gallery = gallery_form(vectors, similarity, bias)
    queries = query_form(vectors[:20], gallery)
    with np.errstate(under="ignore", invalid="ignore"):
        scanned = proven(ARITHMETICS[arithmetic](queries.columns, gallery.columns))
    for column in range(len(vectors)):
        # Upper bound: no item scans below the proven lower bound of its own exact value.
        least = queries.least(values[:, column])
        assert (scanned[:, column] >= least).all()
        # Lower bound: nor above its value by more than twice its allowance.
        most = queries.alpha * values[:, column] + queries.beta + 2.0 * queries.slack * (1.0 + np.abs(queries.beta))
        if np.isfinite(gallery.allowance[column]):
            assert (scanned[:, column] - 2.0 * gallery.allowance[column] <= most + queries.slack * np.abs(most)).all()


def test_the_bound_is_tight_enough_to_be_of_use():
    random = np.random.default_rng(1)
    vectors = random.standard_normal((500, 768)).astype(np.float32)
    gallery = gallery_form(vectors, Similarity.COSINE)
    queries = query_form(vectors, gallery)
    # In units of the cosine: twice gamma of 770 terms, up to another 2 for the scaling of queries by powers of two.
    width = (2.0 * gallery.allowance[None, :] / queries.alpha[:, None]).max()
    assert accumulation_bound(770) < width < 4.2 * accumulation_bound(770)


def test_a_common_mean_does_not_widen_the_bound():
    random = np.random.default_rng(2)
    vectors = random.standard_normal((200, 50)).astype(np.float32)
    for similarity in (Similarity.INNER_PRODUCT, Similarity.SQUARED_L2):
        near = gallery_form(vectors, similarity).allowance.max()
        far = gallery_form(vectors + np.float32(100), similarity).allowance.max()
        assert far < 1.5 * near


def test_an_outlier_is_proposed_to_all_and_leaves_the_others_their_bound():
    random = np.random.default_rng(3)
    vectors = random.standard_normal((200, 50)).astype(np.float32)
    plain = gallery_form(vectors, Similarity.SQUARED_L2).allowance.max()
    vectors[7, 0] = 3e38
    gallery = gallery_form(vectors, Similarity.SQUARED_L2)
    assert np.flatnonzero(np.isinf(gallery.allowance)).tolist() == [7]
    assert np.delete(gallery.allowance, 7).max() < 1.5 * plain
    assert (query_form(vectors, gallery).columns @ gallery.columns.T)[:, 7].min() == np.float32(2.0**100)


def test_what_is_beyond_range_or_unordered_proves_nothing():
    scanned = np.array([-3.5, 2.0**62, 2.0**100, np.inf, np.nan, -np.inf], dtype=np.float32)
    assert proven(scanned).tolist() == [-3.5, 2.0**62, np.inf, np.inf, np.inf, -np.inf]


def test_threads_change_nothing():
    vectors = np.random.default_rng(4).standard_normal((9000, 70)).astype(np.float32)
    one, two = (gallery_form(vectors, Similarity.COSINE, threads=threads) for threads in (1, 2))
    assert np.array_equal(one.columns, two.columns)
