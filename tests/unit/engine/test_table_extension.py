"""A table extended by inserted items equals the rebuilt one, to the byte."""

import numpy as np
import pytest

from consilience_server.core.errors import ShapeMismatch
from consilience_server.core.similarity import Similarity
from consilience_server.engine import neighbour_table, table_extension
from consilience_server.engine.table_extension import extend_table

N, D = 150, 6


def space(kind, random):
    plain = random.standard_normal((N, D))
    if kind == "copies":
        plain = plain[random.integers(0, 12, N)]
    elif kind == "one-hot":
        plain = np.eye(D)[random.integers(0, D, N)]
    elif kind == "binary":
        plain = random.integers(0, 2, (N, D)) + 0.25
    elif kind == "equal":
        plain[:] = plain[0]
    return plain.astype(np.float32)


def where(pattern, random):
    """Rows of the old items."""
    inserted = {"one in front": [0], "one behind": [N - 1], "some": random.choice(N, 20, replace=False), "most": np.arange(5, N)}[pattern]
    return np.setdiff1d(np.arange(N), inserted)


def assert_same(a, b):
    for name in ("indices", "scores"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name
        assert getattr(a, name).dtype == getattr(b, name).dtype
    for name in ("indptr", "items", "beyond", "ordered"):
        assert np.array_equal(getattr(a.tails, name), getattr(b.tails, name)), name
    assert (a.k_max, a.gallery, a.self_join) == (b.k_max, b.gallery, b.self_join)


@pytest.mark.parametrize("small_tails", [False, True])
@pytest.mark.parametrize("pattern", ["one in front", "one behind", "some", "most"])
@pytest.mark.parametrize("kind", ["plain", "copies", "one-hot", "binary", "equal"])
def test_it_equals_the_rebuilt_table(engine, control, monkeypatch, kind, pattern, small_tails):
    if small_tails:
        # Groups that outgrow the table, which go by key.
        monkeypatch.setattr(neighbour_table, "_LEAST_LIMIT", 4)
        monkeypatch.setattr(neighbour_table, "_TAIL_ENTRIES", 1)
    random = np.random.default_rng(5)
    vectors, keys = space(kind, random), random.integers(0, 2**63, N).astype(np.uint64)
    rows = where(pattern, random)
    for similarity, wanted in ((Similarity.COSINE, 4), (Similarity.SQUARED_L2, 7)):
        k_max = min(wanted, len(rows) - 1)
        old = engine.self_join(vectors[rows], similarity, k_max, tie_keys=keys[rows], control=control)
        extended = extend_table(old, vectors, rows, similarity, engine=engine, tie_keys=keys, control=control)
        rebuilt = engine.self_join(vectors, similarity, k_max, tie_keys=keys, control=control)
        assert_same(extended, rebuilt)
        assert extended.certificate.certified_rows + extended.certificate.refined_rows == N


def test_little_is_searched(engine, control, monkeypatch):
    random = np.random.default_rng(6)
    vectors, keys = space("plain", random), np.arange(N, dtype=np.uint64)
    rows = where("some", random)
    old = engine.self_join(vectors[rows], Similarity.COSINE, 5, tie_keys=keys[rows], control=control)
    pairs = []
    query = type(engine).query

    def counted(self, queries, gallery, *arguments, **options):
        pairs.append(len(queries) * len(gallery))
        return query(self, queries, gallery, *arguments, **options)

    monkeypatch.setattr(type(engine), "query", counted)
    monkeypatch.setattr(type(engine), "self_join", None)
    extend_table(old, vectors, rows, Similarity.COSINE, engine=engine, tie_keys=keys, control=control)
    assert sum(pairs) == 20 * N + len(rows) * 20


def test_nothing_inserted_is_the_same_table(engine, control):
    vectors, keys = space("plain", np.random.default_rng(7)), np.arange(N, dtype=np.uint64)
    old = engine.self_join(vectors, Similarity.COSINE, 5, tie_keys=keys, control=control)
    assert extend_table(old, vectors, np.arange(N), Similarity.COSINE, engine=engine, tie_keys=keys, control=control) is old


@pytest.mark.parametrize("rows", [np.arange(9), np.arange(10)[::-1], np.arange(10) - 1, np.arange(10) + 3])
def test_rows_that_do_not_fit_are_refused(engine, control, rows):
    vectors, keys = space("plain", np.random.default_rng(8))[:12], np.arange(12, dtype=np.uint64)
    old = engine.self_join(vectors[:10], Similarity.COSINE, 2, tie_keys=keys[:10], control=control)
    with pytest.raises(ShapeMismatch, match="ascending rows"):
        extend_table(old, vectors, rows, Similarity.COSINE, engine=engine, tie_keys=keys, control=control)


def test_the_limit_of_tails_is_the_tables(monkeypatch):
    # The test above patches the table's module: both must read it there.
    assert table_extension.tail_limit is neighbour_table.tail_limit
