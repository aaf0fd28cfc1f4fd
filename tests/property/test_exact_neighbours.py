"""The engine equals the oracle to the bit on whatever hypothesis finds, and what it answers does not depend on how it worked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engines import available_engines

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbours import nearest, neighbour_sets, self_scores
from consilience_server.core.similarity import Similarity

CHECKED = settings(max_examples=120, deadline=None, derandomize=True)


ENGINES = available_engines()
EVERY_ENGINE = pytest.mark.parametrize("name", sorted(ENGINES))


@st.composite
def spaces(draw):
    """(n, d) float32 of a hard kind: no zero rows, so that every similarity is defined."""
    n, d = draw(st.integers(2, 70)), draw(st.integers(1, 70))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    plain = random.standard_normal((n, d))
    kind = draw(
        st.sampled_from(["plain", "copies", "one-hot", "binary", "near", "last bit", "huge", "denormal", "equal", "magnitudes", "offset"])
    )
    if kind == "copies":
        plain = plain[random.integers(0, max(1, n // 5), n)]
    elif kind == "one-hot":
        plain = np.eye(d)[random.integers(0, d, n)]
    elif kind == "binary":
        plain = random.integers(0, 2, (n, d)).astype(float)
    elif kind == "near":
        plain = plain[:1] + 1e-6 * plain
    elif kind == "huge":
        plain[random.integers(0, n), random.integers(0, d)] = draw(st.sampled_from([1e10, 1e25, 3.4e38]))
    elif kind == "denormal":
        plain = np.ldexp(random.integers(-3, 4, (n, d)).astype(float), -149)
    elif kind == "equal":
        plain = np.repeat(plain[:1], n, axis=0)
    elif kind == "magnitudes":
        plain *= 10.0 ** random.integers(-40, 37, (n, 1))
    elif kind == "offset":
        plain += draw(st.sampled_from([1.0, 1e3, 1e6]))
    vectors = plain.astype(np.float32)
    if kind == "last bit":
        vectors = vectors[random.integers(0, max(1, n // 5), n)]
        place = (np.arange(n), random.integers(0, d, n))
        vectors[place] = np.nextafter(vectors[place], np.float32(np.inf))
    vectors[~vectors.any(axis=1), 0] = 1.0
    return vectors


def assert_exact(table, scores):
    indices, values = nearest(scores, table.indices.shape[1])
    assert np.array_equal(table.indices, indices)
    assert np.array_equal(table.scores, values)
    for k in {1, table.k_max}:
        found, expected = table.sets(k), neighbour_sets(scores, k)
        for field in ("indptr", "indices", "weights", "tied"):
            assert np.array_equal(getattr(found, field), getattr(expected, field)), field


@EVERY_ENGINE
@CHECKED
@given(vectors=spaces(), similarity=st.sampled_from(list(Similarity)), data=st.data())
def test_a_self_join_is_the_oracles(name, vectors, similarity, data):
    n = len(vectors)
    k_max = data.draw(st.integers(1, n - 1))
    engine = ENGINES[name](data.draw(st.sampled_from([1, 3])))
    table = engine.self_join(vectors, similarity, k_max, tie_keys=np.arange(n, dtype=np.uint64), control=Control())
    assert table.certificate.certified_rows + table.certificate.refined_rows == n
    assert_exact(table, self_scores(vectors, similarity))


@EVERY_ENGINE
@CHECKED
@given(vectors=spaces(), similarity=st.sampled_from(list(Similarity)), data=st.data())
def test_a_query_is_the_oracles(name, vectors, similarity, data):
    n = len(vectors)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    queries = vectors[random.integers(0, n, 9)]
    scores = exact_scores(queries, vectors, similarity)
    bias = scores.mean(axis=0) if data.draw(st.booleans()) else None
    if bias is not None:
        scores = 2.0 * scores - bias
    exclude = random.integers(-1, n, 9) if data.draw(st.booleans()) else None
    if exclude is not None:
        chosen = exclude >= 0
        scores[np.flatnonzero(chosen), exclude[chosen]] = -np.inf
    k_max = data.draw(st.integers(1, n - (exclude is not None)))
    engine = ENGINES[name](2)
    assert_exact(engine.query(queries, vectors, similarity, k_max, exclude=exclude, bias=bias, control=Control()), scores)


@EVERY_ENGINE
@CHECKED
@given(vectors=spaces(), similarity=st.sampled_from(list(Similarity)), seed=st.integers(0, 2**32))
def test_sets_follow_a_permutation_of_the_rows(name, vectors, similarity, seed):
    n = len(vectors)
    random = np.random.default_rng(seed)
    keys, order = random.integers(0, 2**63, n).astype(np.uint64), random.permutation(n)
    k = int(random.integers(1, n))
    dense = []
    for rows in (np.arange(n), order):
        sets = ENGINES[name](1).self_join(vectors[rows], similarity, k, tie_keys=keys[rows], control=Control()).sets(k)
        weights = np.zeros((n, n))
        weights[rows[np.repeat(np.arange(n), np.diff(sets.indptr))], rows[sets.indices]] = sets.weights
        dense.append(weights)
        assert np.allclose(weights.sum(axis=1), k)
    assert np.array_equal(*dense)
