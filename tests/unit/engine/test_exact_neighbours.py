"""The engine against the oracle on hard spaces; what it refuses; how it stops; and that it would notice a scan that lies."""

import threading
import time
import tracemalloc

import faiss
import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DimensionMismatch, InvalidK, ShapeMismatch
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbours import nearest, neighbour_sets, self_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine import exact_neighbours, exact_rows, neighbour_table
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.scan import Proposals

SIMILARITIES = pytest.mark.parametrize("similarity", list(Similarity))


def spaces():
    random = np.random.default_rng(0)
    plain = random.standard_normal((240, 24)).astype(np.float32)
    copies, near, huge = plain.copy(), plain.copy(), plain.copy()
    copies[:150] = copies[0]
    near[:150] = near[0]
    near[75:150] *= np.float32(1 + 2.0**-23)
    last_bit = near.copy()
    last_bit[np.arange(150), random.integers(0, 24, 150)] *= np.float32(1 + 2.0**-22)
    huge[3, 3] = 1e38
    halves = plain * np.float32(1e36)
    halves[:120] = plain[:120] * np.float32(1e-38)
    return {
        "plain": plain,
        "copies": copies,
        "two blobs one bit apart": near,
        "last-bit differences": last_bit,
        "huge coordinate": huge,
        "two magnitudes": halves,
        "denormal": np.ldexp(random.integers(1, 50, (240, 24)), -149).astype(np.float32),
        "one-hot": np.eye(9, dtype=np.float32)[random.integers(0, 9, 240)],
        "identity": np.eye(120, dtype=np.float32),
        "binary": random.integers(0, 2, (240, 12)).astype(np.float32) + np.float32(0.25),
        "all equal": np.ones((60, 5), dtype=np.float32),
        "far from the origin": plain + np.float32(1000),
    }


@SIMILARITIES
@pytest.mark.parametrize("name", list(spaces()))
def test_a_self_join_is_the_oracles(assert_self_join, name, similarity):
    assert_self_join(spaces()[name], similarity, 10)


@SIMILARITIES
@pytest.mark.parametrize(("n", "k_max"), [(2, 1), (3, 1), (3, 2), (50, 49), (300, 150)])
def test_k_may_reach_the_whole_gallery(assert_self_join, n, k_max, similarity):
    assert_self_join(np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32), similarity, k_max)


def test_the_largest_k_of_the_contract(assert_self_join):
    table = assert_self_join(np.random.default_rng(1).standard_normal((2051, 2)).astype(np.float32), Similarity.INNER_PRODUCT, 2048)
    assert table.indices.shape == (2051, 2049)


@SIMILARITIES
@pytest.mark.parametrize("name", ["plain", "copies", "huge coordinate", "one-hot", "all equal"])
def test_queries_with_exclusions_and_bias_are_the_oracles(engine, control, assert_oracle, name, similarity):
    gallery = spaces()[name]
    random = np.random.default_rng(2)
    queries = np.concatenate([gallery[:20], random.standard_normal((20, gallery.shape[1])).astype(np.float32)])
    exclude = np.concatenate([np.arange(20), np.full(20, -1)])
    scores = exact_scores(queries, gallery, similarity)
    bias = np.sort(scores, axis=0)[-5:].mean(axis=0)
    for subtracted in (None, bias):
        ranked = scores if subtracted is None else 2.0 * scores - subtracted
        assert_oracle(engine.query(queries, gallery, similarity, 7, bias=subtracted, control=control), ranked)
        ranked = ranked.copy()
        ranked[np.arange(20), np.arange(20)] = -np.inf
        assert_oracle(engine.query(queries, gallery, similarity, 7, exclude=exclude, bias=subtracted, control=control), ranked)


def test_a_bias_parts_items_with_equal_vectors(engine, control, assert_oracle):
    gallery = np.repeat(np.random.default_rng(3).standard_normal((4, 6)).astype(np.float32), 40, axis=0)
    bias = np.tile([0.0, 0.0, 0.5, 0.25], 40)
    scores = 2.0 * exact_scores(gallery[:10], gallery, Similarity.COSINE) - bias
    assert_oracle(engine.query(gallery[:10], gallery, Similarity.COSINE, 12, bias=bias, control=control), scores)


@SIMILARITIES
def test_k_up_to_all_items_where_nothing_is_excluded(engine, control, assert_oracle, similarity):
    x = spaces()["plain"][:30]
    assert_oracle(engine.query(x[:5], x, similarity, 30, control=control), exact_scores(x[:5], x, similarity))


@pytest.mark.parametrize("name", ["copies", "one-hot", "identity", "all equal"])
def test_a_group_that_outgrows_the_table_goes_by_key(engine, control, monkeypatch, name):
    """With small tails: weights as if the last group's members differed in the order of their keys."""
    monkeypatch.setattr(neighbour_table, "_TAIL_ENTRIES", 0)
    monkeypatch.setattr(neighbour_table, "_LEAST_LIMIT", 15)
    x = spaces()[name]
    keys = np.random.default_rng(4).integers(0, 2**63, len(x)).astype(np.uint64)
    table = engine.self_join(x, Similarity.COSINE, 10, tie_keys=keys, control=control)
    scores = self_scores(x, Similarity.COSINE)
    indices, values = nearest(scores, 11)
    assert np.array_equal(table.indices, indices)
    assert np.array_equal(table.scores, values)
    ordered_rows = 0
    for k in (1, 4, 10):
        sets, plain = table.sets(k), neighbour_sets(scores, k)
        assert np.array_equal(sets.tied, plain.tied)
        for row in range(len(x)):
            own = slice(sets.indptr[row], sets.indptr[row + 1])
            group = np.flatnonzero(scores[row] == values[row, -1])
            kth = values[row, k - 1]
            if kth == values[row, -1] and len(group) - (values[row] == kth).sum() > 15:
                above = np.flatnonzero(scores[row] > kth)
                first = group[np.argsort(keys[group])][: k - len(above)]
                assert sets.indices[own].tolist() == sorted([*above, *first])
                assert set(sets.weights[own]) == {1.0}
                assert table.places(k).n_tied[row] == len(group)
                ordered_rows += 1
            else:
                expected = slice(plain.indptr[row], plain.indptr[row + 1])
                assert np.array_equal(sets.indices[own], plain.indices[expected])
                assert np.array_equal(sets.weights[own], plain.weights[expected])
    assert ordered_rows


@pytest.mark.parametrize("small_tails", [False, True])
@pytest.mark.parametrize("name", ["copies", "one-hot", "binary", "identity", "all equal", "plain"])
def test_sets_do_not_depend_on_the_order_of_rows(engine, control, monkeypatch, name, small_tails):
    if small_tails:
        monkeypatch.setattr(neighbour_table, "_TAIL_ENTRIES", 0)
        monkeypatch.setattr(neighbour_table, "_LEAST_LIMIT", 15)
    x = spaces()[name]
    random = np.random.default_rng(5)
    keys = random.integers(0, 2**63, len(x)).astype(np.uint64)
    order = random.permutation(len(x))
    for k in (3, 10):
        sets = [
            engine.self_join(x[rows], Similarity.COSINE, 10, tie_keys=keys[rows], control=control).sets(k)
            for rows in (np.arange(len(x)), order)
        ]
        dense = [np.zeros((len(x), len(x))) for _ in range(2)]
        for own, rows, weights in zip(sets, (np.arange(len(x)), order), dense, strict=True):
            weights[rows[np.repeat(np.arange(len(x)), np.diff(own.indptr))], rows[own.indices]] = own.weights
        assert np.array_equal(*dense)


@pytest.mark.parametrize("name", ["plain", "copies", "two blobs one bit apart", "binary"])
def test_tiles_threads_and_refinement_tiles_do_not_matter(cpu_scan, control, monkeypatch, name):
    x = spaces()[name]
    keys = np.arange(len(x), dtype=np.uint64)
    tables = []
    for tile_rows, threads, scores in [(None, 1, 1 << 21), (1, 1, 1), (7, 2, 1000), (1000, 3, 5000)]:
        monkeypatch.setattr(exact_rows, "TILE_SCORES", scores)
        engine = ExactNeighbours(cpu_scan, threads, tile_rows=tile_rows)
        tables.append(engine.self_join(x, Similarity.COSINE, 9, tie_keys=keys, control=control))
    for table in tables[1:]:
        for name_ in ("indices", "scores"):
            assert getattr(table, name_).tobytes() == getattr(tables[0], name_).tobytes()
        for name_ in ("indptr", "items", "beyond", "ordered"):
            assert np.array_equal(getattr(table.tails, name_), getattr(tables[0].tails, name_))


def test_gallery_parts_do_not_matter(engine, control, assert_self_join, monkeypatch):
    from consilience_server.engine import faiss_cpu

    monkeypatch.setattr(faiss_cpu, "_LEAST_ROWS", 50)
    monkeypatch.setattr(faiss_cpu, "_PART_PRODUCTS", 1)
    for name in ("plain", "copies", "one-hot"):
        assert_self_join(spaces()[name], Similarity.SQUARED_L2, 10)


def test_ordinary_rows_are_certified_and_copies_are_refined(assert_self_join):
    table = assert_self_join(spaces()["plain"], Similarity.COSINE, 10)
    assert (table.certificate.certified_rows, table.certificate.refined_rows) == (240, 0)
    # Little more than what the table holds was scored exactly.
    assert 240 * 11 <= table.certificate.exact_dots <= 240 * 12
    scanned_in, bound = {"native": ("int16", 1e-3), "torch": ("float16", 1e-2)}.get(table.certificate.backend, ("float32", 1e-5))
    assert table.certificate.scan_dtype == scanned_in
    assert 0 < table.certificate.error_bound < bound
    assert assert_self_join(spaces()["copies"], Similarity.COSINE, 10).certificate.refined_rows >= 150


def test_faiss_agrees_on_ordinary_rows(engine, control):
    random = np.random.default_rng(6)
    centres = random.standard_normal((15, 64))
    x = (centres[random.integers(0, 15, 3000)] + 0.5 * random.standard_normal((3000, 64))).astype(np.float32)
    table = engine.self_join(x, Similarity.COSINE, 10, tie_keys=np.arange(3000, dtype=np.uint64), control=control)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(64)
    index.add(unit)
    _, found = index.search(unit, 11)
    own = [[item for item in row if item != position][:10] for position, row in enumerate(found)]
    agreeing = [set(row) == set(mine) for row, mine in zip(own, table.indices[:, :10].tolist(), strict=True)]
    assert np.mean(agreeing) >= 0.999


class LyingScan:
    """Proposes from a real scan, except that it forgets the best row of every query, and its ceiling tells so."""

    backend = device = "lie"
    scan_dtype = "float32"
    concurrent_tiles = 1
    tile_bytes = 0

    def __init__(self, scan):
        self._scan = scan

    def held_bytes(self, n, d):
        return 0

    def load(self, columns):
        return self._scan.load(columns)

    def propose(self, loaded, queries, count, threads, control):
        found = self._scan.propose(loaded, queries, count + 1, threads, control)
        order = np.argsort(-found.values, axis=1, kind="stable")
        values = np.take_along_axis(found.values, order, axis=1)
        rows = np.take_along_axis(found.rows, order, axis=1)
        # The second best is forgotten (the best is the item itself).
        kept = np.delete(np.arange(count + 1), 1)
        return Proposals(values[:, kept], rows[:, kept], values[:, 1])


def test_a_row_whose_proposals_miss_something_is_done_again(cpu_scan, control, assert_oracle):
    x = spaces()["plain"]
    engine = ExactNeighbours(LyingScan(cpu_scan), threads=1)
    table = engine.self_join(x, Similarity.COSINE, 10, tie_keys=np.arange(240, dtype=np.uint64), control=control)
    assert table.certificate.refined_rows == 240
    assert table.certificate.backend == "lie"
    assert_oracle(table, self_scores(x, Similarity.COSINE))


def test_without_refinement_that_scan_would_be_believed(cpu_scan, control, monkeypatch):
    # So the test above can fail.
    monkeypatch.setattr(exact_neighbours, "redo_rows", lambda *_: ([], 0))
    x = spaces()["plain"]
    engine = ExactNeighbours(LyingScan(cpu_scan), threads=1)
    table = engine.self_join(x, Similarity.COSINE, 10, tie_keys=np.arange(240, dtype=np.uint64), control=control)
    assert not np.array_equal(table.indices, nearest(self_scores(x, Similarity.COSINE), 11)[0])


@pytest.mark.parametrize("k_max", [0, 30])
def test_k_out_of_range_is_refused(engine, control, k_max):
    x = spaces()["plain"][:30]
    with pytest.raises(InvalidK, match=f"k = {k_max}, but k must be between 1 and 29"):
        engine.self_join(x, Similarity.COSINE, k_max, tie_keys=np.arange(30, dtype=np.uint64), control=control)
    with pytest.raises(InvalidK, match="between 1 and 29"):
        engine.query(x[:3], x, Similarity.COSINE, 30, exclude=np.full(3, -1), control=control)


def test_arrays_that_do_not_fit_are_refused(engine, control):
    x = spaces()["plain"]
    with pytest.raises(DimensionMismatch, match="the queries have 20 dimensions, the gallery has 24"):
        engine.query(np.ascontiguousarray(x[:, :20]), x, Similarity.COSINE, 3, control=control)
    for name, array in (("exclude", np.zeros(5, np.int64)), ("bias", np.zeros(5)), ("tie_keys", np.zeros(5, np.uint64))):
        with pytest.raises(ShapeMismatch, match=name):
            engine.query(x[:3], x, Similarity.COSINE, 3, control=control, **{name: array})


@pytest.mark.parametrize("name", ["plain", "copies"])
def test_cancellation_is_heard_at_every_stage(cpu_scan, name):
    """Cancel at the n-th check, for every n there is: the work never finishes, and the next request works."""

    class CancelAt(Control):
        def __init__(self, at):
            super().__init__()
            self.left = at

        def check(self):
            self.left -= 1
            if self.left == 0:
                self.cancel()
            super().check()

    x = spaces()[name]
    engine = ExactNeighbours(cpu_scan, threads=1, tile_rows=100)
    keys = np.arange(len(x), dtype=np.uint64)
    counting = CancelAt(10**9)
    engine.self_join(x, Similarity.COSINE, 5, tie_keys=keys, control=counting)
    checks = 10**9 - counting.left
    assert checks > 5
    for at in range(1, checks + 1):
        with pytest.raises(Cancelled):
            engine.self_join(x, Similarity.COSINE, 5, tie_keys=keys, control=CancelAt(at))


def test_every_row_of_a_group_of_copies_hears_a_cancellation(cpu_scan):
    """One distinct vector answers all rows at once: without a check for each, a million copies would not stop for a minute."""

    class Counting(Control):
        checks = 0

        def check(self):
            self.checks += 1
            super().check()

    control = Counting()
    x = np.ones((500, 3), dtype=np.float32)
    keys = np.arange(500, dtype=np.uint64)
    table = ExactNeighbours(cpu_scan, threads=1).self_join(x, Similarity.COSINE, 5, tie_keys=keys, control=control)
    assert table.certificate.refined_rows == 500
    assert control.checks > 500


def test_a_long_join_stops_within_a_second(engine):
    x = np.random.default_rng(7).standard_normal((80_000, 256)).astype(np.float32)
    control = Control()
    timer = threading.Timer(0.5, control.cancel)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        engine.self_join(x, Similarity.COSINE, 10, tie_keys=np.arange(80_000, dtype=np.uint64), control=control)
    # 0.5 s until it is told, then at most 1 s; the rest is for a busy machine.
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("name", ["plain", "copies"])
def test_progress_grows_to_one(cpu_scan, name):
    told = []
    x = spaces()[name]
    engine = ExactNeighbours(cpu_scan, threads=1, tile_rows=50)
    engine.self_join(x, Similarity.COSINE, 5, tie_keys=np.arange(240, dtype=np.uint64), control=Control(told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) >= 5


def test_callers_in_many_threads_get_their_own_answers(engine, control):
    xs = [np.random.default_rng(seed).standard_normal((400, 16)).astype(np.float32) for seed in range(4)]
    keys = np.arange(400, dtype=np.uint64)
    alone = [engine.self_join(x, Similarity.COSINE, 5, tie_keys=keys, control=control).indices for x in xs]
    together = [None] * 4

    def work(position):
        for _ in range(5):
            together[position] = engine.self_join(xs[position], Similarity.COSINE, 5, tie_keys=keys, control=Control()).indices

    threads = [threading.Thread(target=work, args=(position,)) for position in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(alone, together, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(("n", "d", "k_max"), [(2000, 32, 10), (700, 512, 100), (1000, 8, 600)])
@pytest.mark.parametrize("kind", ["plain", "few", "equal"])
def test_the_memory_estimate_holds_and_is_no_fantasy(engine, control, n, d, k_max, kind):
    random = np.random.default_rng(8)
    x = random.standard_normal((n, d)).astype(np.float32)
    if kind == "few":
        x = np.ascontiguousarray(x[random.integers(0, 5, n)])
    if kind == "equal":
        x[:] = x[0]
    keys = np.arange(n, dtype=np.uint64)
    tracemalloc.start()
    try:
        table = engine.self_join(x, Similarity.COSINE, k_max, tie_keys=keys, control=control)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    estimate = engine.self_join_bytes(n, d, k_max)
    assert table.nbytes <= peak <= estimate
    if kind == "plain":
        assert engine.query_bytes(10, n, d, k_max) < estimate


@SIMILARITIES
@pytest.mark.parametrize("name", ["plain", "copies", "one-hot", "huge coordinate"])
def test_sampled_queries_are_rows_of_the_self_join(engine, control, name, similarity):
    x = spaces()[name]
    keys = np.random.default_rng(10).integers(0, 2**63, len(x)).astype(np.uint64)
    whole = engine.self_join(x, similarity, 6, tie_keys=keys, control=control)
    rows = np.sort(np.random.default_rng(11).choice(len(x), 40, replace=False))
    sample = engine.query(x[rows], x, similarity, 6, exclude=rows, tie_keys=keys, control=control)
    assert sample.indices.tobytes() == whole.indices[rows].tobytes()
    assert sample.scores.tobytes() == whole.scores[rows].tobytes()
    for k in (1, 6):
        a, b = sample.places(k), whole.places(k)
        assert np.array_equal(a.n_above, b.n_above[rows])
        assert np.array_equal(a.n_tied, b.n_tied[rows])


def test_k_of_2048_and_every_smaller_one_from_one_table(engine, control):
    x = np.random.default_rng(12).standard_normal((2100, 16)).astype(np.float32)
    table = engine.self_join(x, Similarity.COSINE, 2048, tie_keys=np.arange(2100, dtype=np.uint64), control=control)
    scores = self_scores(x, Similarity.COSINE)
    indices, values = nearest(scores, 2049)
    assert np.array_equal(table.indices, indices)
    assert np.array_equal(table.scores, values)
    for k in (1, 10, 511, 2048):
        found, expected = table.sets(k), neighbour_sets(scores, k)
        assert np.array_equal(found.indices, expected.indices)
        assert np.array_equal(found.weights, expected.weights)
