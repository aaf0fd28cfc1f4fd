"""Tables of stored matrices against the definition: all scores, full sorts."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, InvalidK, ShapeMismatch
from consilience_server.core.kernel_kind import KernelKind, nearness
from consilience_server.core.neighbours import nearest, neighbour_sets
from consilience_server.core.ordered_lists import ordered_lists
from consilience_server.engine import precomputed_neighbours
from consilience_server.engine.keyed_lists import keyed_lists
from consilience_server.engine.precomputed_neighbours import kernel_join, kernel_query

N = 60


def symmetric(values):
    upper = np.triu(values, 1)
    return np.float32(upper + upper.T)


def matrices():
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 4, N)
    return {
        "distinct": symmetric(draw.random((N, N))),
        "ties": symmetric(draw.integers(1, 4, (N, N))),
        "classes": np.float32(labels[:, None] != labels[None]),
        "all equal": np.float32(1 - np.eye(N)),
    }


CASES = [(name, kind) for name in matrices() for kind in (KernelKind.SIMILARITY, KernelKind.DISSIMILARITY)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def kernel(request):
    name, kind = request.param
    return matrices()[name], kind


@pytest.fixture(params=[1 << 22, 100])
def tiles(request, monkeypatch):
    monkeypatch.setattr(precomputed_neighbours, "_TILE_SCORES", request.param)


@pytest.fixture
def keys():
    return np.random.default_rng(1).integers(0, 2**64, N, dtype=np.uint64)


def oracle_scores(matrix, kind):
    scores = nearness(matrix, kind).copy()
    np.fill_diagonal(scores, -np.inf)
    return scores


@pytest.mark.usefixtures("tiles")
@pytest.mark.parametrize("k_max", [1, 7, N - 1])
def test_a_table_is_that_of_the_definition(kernel, keys, k_max):
    matrix, kind = kernel
    table = kernel_join(matrix, kind, k_max, tie_keys=keys, control=Control())
    scores = oracle_scores(matrix, kind)
    depth = min(k_max + 1, N - 1)
    indices, values = nearest(scores, depth)
    assert table.indices.tolist() == indices.tolist()
    assert table.scores.tobytes() == values.tobytes()
    for k in {1, k_max}:
        found, wanted = table.sets(k), neighbour_sets(scores, k)
        assert found.indices.tolist() == wanted.indices.tolist()
        assert found.weights == pytest.approx(wanted.weights, abs=1e-15)
        assert found.tied.tolist() == wanted.tied.tolist()


def test_tied_groups_that_outgrow_the_table_count_by_their_keys(kernel, keys, monkeypatch):
    monkeypatch.setattr(precomputed_neighbours, "tail_limit", lambda _gallery: 0)
    matrix, kind = kernel
    table = kernel_join(matrix, kind, 5, tie_keys=keys, control=Control())
    scores = oracle_scores(matrix, kind)
    by_key = np.argsort(keys)
    sets = table.sets(5)
    for row in np.flatnonzero(table.tails.ordered):
        kth = np.sort(scores[row])[::-1][4]
        wanted = np.flatnonzero(scores[row] > kth).tolist()
        wanted += [item for item in by_key if scores[row, item] == kth][: 5 - len(wanted)]
        assert sets.indices[sets.indptr[row] : sets.indptr[row + 1]].tolist() == sorted(wanted)


def test_ordered_lists_decide_ties_by_key(kernel, keys):
    matrix, kind = kernel
    rows = np.arange(N)
    lists = keyed_lists(kernel_join(matrix, kind, 6, tie_keys=keys, control=Control()), 6, rows, rows, keys)
    assert lists.columns.tolist() == ordered_lists(oracle_scores(matrix, kind), 6, keys).indices.tolist()


@pytest.mark.usefixtures("tiles")
@pytest.mark.parametrize("biased", [False, True])
def test_a_query_leaves_the_item_out_and_ties_go_by_row(kernel, biased):
    matrix, kind = kernel
    own = np.array([3, 59, 3, 0])
    bias = np.random.default_rng(2).random(N) if biased else None
    table = kernel_query(matrix[own], own, kind, 4, bias=bias, control=Control())
    scores = nearness(matrix, kind)[own]
    scores = scores.copy() if bias is None else 2 * scores - bias
    scores[np.arange(4), own] = -np.inf
    indices, values = nearest(scores, 5)
    assert (table.indices.tolist(), table.scores.tolist()) == (indices.tolist(), values.tolist())
    assert not table.self_join


def test_some_items_have_the_lines_that_they_have_among_all(kernel, keys):
    matrix, kind = kernel
    rows = np.array([7, 2, 55])
    some = kernel_join(matrix, kind, 5, queries=rows, tie_keys=keys, control=Control())
    all_items = kernel_join(matrix, kind, 5, tie_keys=keys, control=Control())
    assert some.indices.tolist() == all_items.indices[rows].tolist()
    assert not some.self_join
    found, wanted = some.sets(5), all_items.sets(5)
    for line, row in enumerate(rows):
        mine, theirs = (slice(*sets.indptr[at : at + 2]) for sets, at in ((found, line), (wanted, row)))
        assert found.indices[mine].tolist() == wanted.indices[theirs].tolist()
        assert found.weights[mine].tolist() == wanted.weights[theirs].tolist()


@pytest.mark.parametrize("k_max", [0, N])
def test_k_must_leave_an_item_out(keys, k_max):
    with pytest.raises(InvalidK, match=f"k = {k_max}, but k must be between 1 and {N - 1}"):
        kernel_join(matrices()["ties"], KernelKind.SIMILARITY, k_max, tie_keys=keys, control=Control())


def test_what_does_not_fit_is_refused(keys):
    with pytest.raises(ShapeMismatch, match="not square"):
        kernel_join(np.ones((3, 4), np.float32), KernelKind.SIMILARITY, 1, tie_keys=keys[:3], control=Control())
    with pytest.raises(ShapeMismatch, match="tie_keys"):
        kernel_join(matrices()["ties"], KernelKind.SIMILARITY, 1, tie_keys=keys[:3], control=Control())


def test_a_cancelled_join_stops(keys):
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        kernel_join(matrices()["ties"], KernelKind.SIMILARITY, 1, tie_keys=keys, control=control)
