import pytest
from support.silent_metrics import SilentMetrics

from consilience_server.app.memory_budget import Account
from consilience_server.core.errors import MemoryBudget


def account(budget=100):
    return Account(budget, SilentMetrics())


def test_what_does_not_fit_is_refused_with_the_numbers_and_changes_nothing():
    books = account()
    books.take("requests", 60, "a")
    with pytest.raises(MemoryBudget, match="needs about 50 bytes; 40 of the budget of 100") as refusal:
        books.take("requests", 50, "b")
    assert refusal.value.metadata == {"needed_bytes": "50", "free_bytes": "40", "budget_bytes": "100"}
    assert refusal.value.retry_after is not None
    assert books.used == 60


def test_what_can_never_fit_is_not_worth_a_retry():
    with pytest.raises(MemoryBudget) as refusal:
        account().take("requests", 101, "c")
    assert refusal.value.retry_after is None


def test_the_least_recently_used_holding_goes_first():
    books, dropped = account(), []
    for name in ("old", "new"):
        books.take("tables", 40, name)
        books.allow_eviction(name, "tables", 40, lambda name=name: dropped.append(name))
    books.touch("old")
    books.take("requests", 30, "work")
    assert dropped == ["new"]
    assert books.used == 70


def test_a_holding_in_use_is_never_evicted():
    books = account()
    books.take("snapshots", 80, "held")
    books.allow_eviction("held", "snapshots", 80, lambda: pytest.fail("evicted while in use"))
    books.forbid_eviction("held")
    with pytest.raises(MemoryBudget):
        books.take("requests", 30, "work")
    assert not books.try_take("tables", 30)


def test_borrowed_bytes_come_back_after_an_error():
    books = account()
    with pytest.raises(RuntimeError), books.borrowed(50, "work"):
        assert books.used == 50
        raise RuntimeError
    assert books.used == 0


def test_what_can_never_fit_evicts_nothing():
    books = account()
    books.take("snapshots", 30, "held")
    books.take("tables", 40, "kept")
    books.allow_eviction("kept", "tables", 40, lambda: pytest.fail("evicted for nothing"))
    with pytest.raises(MemoryBudget) as refusal:
        books.take("requests", 71, "work")
    assert refusal.value.metadata["free_bytes"] == "70"
    assert books.used == 70
