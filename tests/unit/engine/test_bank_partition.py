import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.inverted_softmax import log_sum_exp
from consilience_server.core.similarity import Similarity
from consilience_server.engine import bank_partition
from consilience_server.engine.bank_partition import log_partition


def vectors(n, d=20, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32) * np.float32(3)


@pytest.mark.parametrize("beta", [1.0, 30.0, 1e5])
@pytest.mark.parametrize("block", [1, 16, 1024])
def test_terms_by_the_definition(beta, block, monkeypatch):
    monkeypatch.setattr(bank_partition, "_BLOCK", block)
    items, bank = vectors(45), vectors(33, seed=1)
    expected = log_sum_exp(beta * exact_scores(items, bank, Similarity.COSINE))
    assert np.allclose(log_partition(items, bank, beta, Control()) / beta, expected / beta, rtol=0, atol=1e-9)


@pytest.mark.parametrize("block", [1, 7, 1024])
def test_no_item_counts_in_its_own_sum(block, monkeypatch):
    monkeypatch.setattr(bank_partition, "_BLOCK", block)
    items = vectors(30)
    scores = 30 * exact_scores(items, items, Similarity.COSINE)
    np.fill_diagonal(scores, -np.inf)
    assert np.allclose(log_partition(items, items, 30.0, Control(), itself=True), log_sum_exp(scores), rtol=0, atol=1e-7)


def test_equal_items_have_equal_terms_wherever_they_stand():
    items = vectors(2100)
    items[[7, 1023, 1024, 2099]] = items[0]
    terms = log_partition(items, vectors(300, seed=1), 30.0, Control())
    assert np.array_equal(terms[[7, 1023, 1024, 2099]], np.full(4, terms[0]))
    alone = log_partition(items[:1], vectors(300, seed=1), 30.0, Control())
    assert alone[0] == terms[0]


def test_it_hears_cancellation_and_tells_progress():
    told = []
    control = Control(told.append)
    log_partition(vectors(10), vectors(10), 30.0, control)
    assert told == [1.0]
    control.cancel()
    with pytest.raises(Cancelled):
        log_partition(vectors(10), vectors(10), 30.0, control)
