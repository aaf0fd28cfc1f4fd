import math

import numpy as np
import pytest

from consilience_server.core.relevance import Relevance, ndcgs_at, recalls_at, reciprocal_ranks_at

LISTS = np.array([[3, 1, 2, 0], [5, 6, 7, 8], [0, 1, 2, 3]])
GRADES = [{1: 2.0, 2: 1.0, 9: 3.0}, {0: 1.0}, {0: 1.0}]


def relevance(graded):
    triples = [(query, item, grade) for query, grades in enumerate(graded) for item, grade in sorted(grades.items())]
    queries, items, grades = (np.array(column) for column in zip(*triples, strict=True))
    return Relevance(queries.astype(np.int64), items.astype(np.int64), grades.astype(float), len(graded))


def plain_ndcg(found, grades, k):
    """As trec_eval's ndcg_cut: gains as they are, the ideal cut at k too."""
    gained = sum(grades.get(item, 0.0) / math.log2(place + 2) for place, item in enumerate(found[:k]))
    ideal = sum(grade / math.log2(place + 2) for place, grade in enumerate(sorted(grades.values(), reverse=True)[:k]))
    return gained / ideal


def test_worked():
    judged = relevance(GRADES)
    gains = judged.gains(LISTS)
    assert gains.tolist() == [[0, 2, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert recalls_at(gains, judged.sizes, 2).tolist() == [1 / 3, 0, 1]
    assert reciprocal_ranks_at(gains, 4).tolist() == [0.5, 0, 1]
    assert reciprocal_ranks_at(gains, 1).tolist() == [0, 0, 1]
    ideal = 3 + 2 / math.log2(3) + 1 / 2
    assert ndcgs_at(gains, judged, 4) == pytest.approx([(2 / math.log2(3) + 1 / 2) / ideal, 0, 1])


@pytest.mark.parametrize("k", [1, 3, 10])
def test_against_plain_definitions(k):
    rng = np.random.default_rng(0)
    lists = np.array([rng.permutation(40)[:10] for _ in range(30)])
    graded = [{int(item): float(rng.integers(1, 4)) for item in rng.choice(40, size=rng.integers(1, 15), replace=False)} for _ in range(30)]
    judged = relevance(graded)
    gains = judged.gains(lists)
    for row, grades in enumerate(graded):
        found = lists[row].tolist()
        assert recalls_at(gains, judged.sizes, k)[row] == pytest.approx(len(set(found[:k]) & set(grades)) / len(grades))
        assert ndcgs_at(gains, judged, k)[row] == pytest.approx(plain_ndcg(found, grades, k))
        first = next((1 / (place + 1) for place, item in enumerate(found[:k]) if item in grades), 0.0)
        assert reciprocal_ranks_at(gains, k)[row] == first


def test_lists_as_the_truth_are_the_shared_neighbours():
    rng = np.random.default_rng(1)
    one, other = (np.array([rng.permutation(25)[:5] for _ in range(20)]) for _ in range(2))
    truth = Relevance.of_lists(one)
    shared = [len(np.intersect1d(a, b)) / 5 for a, b in zip(one, other, strict=True)]
    assert recalls_at(truth.gains(other), truth.sizes, 5).tolist() == shared
    assert recalls_at(truth.gains(one), truth.sizes, 5).tolist() == [1.0] * 20


def test_some_queries_are_numbered_anew():
    judged = relevance(GRADES).some(np.array([0, 2]))
    assert (judged.count, judged.queries.tolist(), judged.items.tolist()) == (2, [0, 0, 0, 1], [1, 2, 9, 0])
