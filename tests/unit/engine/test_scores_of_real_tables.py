"""Scores on the engine's own tables: the same as on brute-force ones, and independent of row order even where ties outgrow a table."""

from dataclasses import replace

import numpy as np
import pytest
from support.brute_table import table

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine import exact_rows
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.choose import make_engine
from consilience_server.engine.neighbour_scores import mutual_knn_scores, table_depth

N, K = 300, 10
DRAW = np.random.default_rng(8)
OPTIONS = ScoreOptions(99, 0, 0.05, "items", 0.95, DRAW.integers(0, 2**64, N, dtype=np.uint64), 1)
KEYS = DRAW.integers(0, 2**64, (2, N), dtype=np.uint64)


@pytest.fixture(scope="module")
def engine():
    return make_engine(1, "cpu")


def real_tables(engine, spaces, rows, depth):
    return [
        engine.self_join(np.ascontiguousarray(x[rows]), Similarity.COSINE, depth, tie_keys=keys[rows], control=Control())
        for x, keys in zip(spaces, KEYS, strict=True)
    ]


def spaces_of(kind):
    if kind == "continuous":
        z = DRAW.normal(size=(N, 4))
        return [(z @ DRAW.normal(size=(4, 12)) + DRAW.normal(size=(N, 12))).astype(np.float32) for _ in range(2)]
    return [np.eye(3, dtype=np.float32)[DRAW.integers(0, 3, N)] for _ in range(2)]


@pytest.mark.parametrize("kind", ["continuous", "one-hot"])
def test_real_tables_score_as_brute_force(engine, kind):
    spaces = spaces_of(kind)
    depth = table_depth((K,), N, "items")
    real = mutual_knn_scores(*real_tables(engine, spaces, np.arange(N), depth), (K,), OPTIONS, Control())
    assert real == mutual_knn_scores(*(table(x, depth) for x in spaces), (K,), OPTIONS, Control())


@pytest.mark.parametrize("limit", [4, 10**6], ids=["ordered by key", "kept whole"])
@pytest.mark.parametrize("deeper", [0, 25])
def test_row_order_and_table_depth_do_not_show(engine, monkeypatch, limit, deeper):
    monkeypatch.setattr(exact_rows, "tail_limit", lambda _: limit)
    spaces = spaces_of("one-hot")
    depth = table_depth((K,), N, "items")
    expected = mutual_knn_scores(*real_tables(engine, spaces, np.arange(N), depth), (K,), OPTIONS, Control())
    rho = np.random.default_rng(1).permutation(N)
    moved = replace(OPTIONS, item_order=OPTIONS.item_order[rho])
    assert mutual_knn_scores(*real_tables(engine, spaces, rho, depth + deeper), (K,), moved, Control()) == expected
    assert (expected[0].self_score_x == 1.0) == (limit == 4)
