"""The native list kernels against plain sets, and the engine with them against the engine without."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.neighbours import neighbour_sets, self_scores
from consilience_server.core.permutation import Pairings, permutation
from consilience_server.core.similarity import Similarity
from consilience_server.engine import overlap, permutation_null
from consilience_server.engine.overlap import keyed_sets, overlap_scores
from consilience_server.engine.permutation_null import permuted_overlaps

kernels = pytest.importorskip("consilience_kernels", reason="the native kernels are not built")


def lists(n, k, seed):
    random = np.random.default_rng(seed)
    return np.array([random.choice(n, k, replace=False) for _ in range(n)], dtype=np.int32)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 1000, 70_000])
def test_permutations_are_the_definitions(n):
    drawn = kernels.draw_permutations(2**63 + 5, 2**40, 3, n, 2)
    assert drawn.dtype == np.int32
    for row in range(3):
        assert np.array_equal(drawn[row], permutation(2**63 + 5, 2**40 + row, n))


def test_draws_that_agree_in_their_leading_bits_are_in_order_too():
    """The sort keeps 42 leading bits of three million draws: about one pair of each permutation agrees in them."""
    n = 3_000_000
    drawn = kernels.draw_permutations(1, 0, 3, n, 2)
    draws = [np.random.Philox(key=np.array([1, row], dtype=np.uint64)).random_raw(n) for row in range(3)]
    leading = [np.sort(one >> np.uint64(22)) for one in draws]
    assert any((one[1:] == one[:-1]).any() for one in leading)
    for found, one in zip(drawn, draws, strict=True):
        assert np.array_equal(found, np.argsort(one))


@pytest.mark.parametrize("isa", kernels.supported())
def test_items_alike_in_their_lower_halves_are_not_the_same(isa):
    n, k = 200_000, 3
    start = np.random.default_rng(5).integers(0, 60_000, n)
    x = np.stack([start, start + 65_536, start + 131_072], axis=1).astype(np.int32)
    x[:, 2] %= n
    y = x.copy()
    y[::2, 0] += 1
    drawn = np.stack([np.arange(n), np.roll(np.arange(n), 65_536)]).astype(np.int32)
    expected = [sum(int((x[p][:, [place]] == p[y]).sum()) for place in range(k)) for p in drawn]
    assert kernels.permuted_shared_items(x, y, drawn, 2, isa).tolist() == expected
    assert kernels.shared_items(x, y, 2, isa) == expected[0]


@pytest.mark.parametrize("isa", kernels.supported())
@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (17, 16), (18, 17), (60, 10), (300, 100)])
def test_shared_items_are_those_of_sets(isa, n, k):
    x, y = lists(n, k, 0), lists(n, k, 1)
    together = sum(len(set(a) & set(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True))
    assert {kernels.shared_items(x, y, threads, isa) for threads in (1, 3)} == {together}
    # More than are counted together, and no multiple of it.
    drawn = kernels.draw_permutations(7, 0, 37, n, 1)
    expected = [sum(len(set(x[p[row]].tolist()) & set(p[y[row]].tolist())) for row in range(n)) for p in drawn]
    for count, threads in ((1, 1), (5, 1), (17, 2), (37, 1), (37, 5)):
        assert kernels.permuted_shared_items(x, y, drawn[:count], threads, isa).tolist() == expected[:count]


def test_what_does_not_fit_is_refused():
    x = lists(10, 3, 0)
    for wrong in (x[:, :2].copy(), x + np.int32(8), x - np.int32(1)):
        with pytest.raises(ValueError, match=r"same shape|0\.\.n-1"):
            kernels.shared_items(x, wrong, 1)
    with pytest.raises(ValueError, match=r"\(count, n\)"):
        kernels.permuted_shared_items(x, x, np.zeros((1, 9), dtype=np.int32), 1)
    with pytest.raises(ValueError, match="this processor runs"):
        kernels.shared_items(x, x, 1, "sse9")


@pytest.mark.parametrize("kind", ["plain", "tied"])
def test_the_engine_answers_the_same_without_them(monkeypatch, kind):
    random = np.random.default_rng(3)
    spaces = []
    for _ in range(3):
        vectors = random.standard_normal((150, 6)).astype(np.float32)
        if kind == "tied":
            vectors = np.sign(vectors)
        scores = self_scores(vectors, Similarity.COSINE)
        spaces.append(keyed_sets([neighbour_sets(scores, k) for k in (1, 5, 20)], random.permutation(150)))
    assert (spaces[0].lists is None) == (kind == "tied")
    answers = []
    for door in (overlap.load_kernels, lambda: None):
        monkeypatch.setattr(overlap, "load_kernels", door)
        monkeypatch.setattr(permutation_null, "load_kernels", door)
        null = permuted_overlaps(spaces, 40, Pairings(spaces[0].n, 11), 2, Control())
        answers.append([overlap_scores(spaces[0], spaces[1]), *(null[pair] for pair in sorted(null))])
    for with_kernels, without in zip(*answers, strict=True):
        assert with_kernels.tobytes() == without.tobytes()
