import numpy as np
import pytest

from consilience_server.core.retention import kept_share
from consilience_server.core.upgrade_verdict import all_of, decide, judge_share


def share(value, m):
    """Hits and misses with this mean."""
    hits = round(value * m)
    return kept_share(np.array([1.0] * hits + [0.0] * (m - hits)), np.ones(m))


def held(value, m, threshold=0.9, tests=1):
    return judge_share("recall@10", threshold, share(value, m), m, tests)


def test_decided_by_the_ends_of_the_interval():
    assert held(0.97, 400).outcome == "passes"
    assert held(0.80, 400).outcome == "fails"
    middle = held(0.92, 100)
    assert (middle.outcome, middle.low < 0.9 < middle.high) == ("undecided", True)


def test_at_the_threshold_no_number_of_queries_decides():
    exact = held(0.9, 10)
    assert (exact.outcome, exact.queries_needed) == ("undecided", None)
    assert held(0.9, 1000).outcome == "undecided"


def test_a_higher_value_on_few_queries_does_not_pass():
    assert held(1.0, 20).outcome == "undecided"
    assert held(1.0, 40).outcome == "passes"


@pytest.mark.parametrize(("value", "m"), [(0.93, 100), (0.87, 100), (1.0, 10)])
def test_the_needed_queries_decide(value, m):
    undecided = held(value, m)
    assert undecided.outcome == "undecided"
    needed = undecided.queries_needed
    assert held(value, round(1.1 * needed)).outcome == ("passes" if value > 0.9 else "fails")
    assert held(value, round(0.85 * needed)).outcome == "undecided"


def test_more_tests_make_a_failure_harder_and_a_pass_no_easier():
    assert held(0.84, 220).outcome == "fails"
    assert held(0.84, 220, tests=100).outcome == "undecided"
    assert held(0.97, 400, tests=100).outcome == "passes"


def test_all_must_pass_and_one_failure_is_enough():
    passes, fails, undecided = held(0.97, 400), held(0.8, 400), held(0.92, 100)
    assert all_of([passes, passes]) == "passes"
    assert all_of([passes, undecided]) == "undecided"
    assert all_of([undecided, fails]) == "fails"
    assert all_of([]) == "undecided"


@pytest.mark.parametrize(
    ("outcomes", "enough", "verdict"),
    [
        ({"identity": "passes", "bridge": "fails"}, True, "drop_in"),
        ({"identity": "fails", "bridge": "passes"}, False, "bridge"),
        ({"identity": "fails", "bridge": "fails"}, True, "reembed"),
        ({"bridge": "fails"}, True, "reembed"),
        ({"identity": "fails", "bridge": "fails"}, False, "undecided"),
        ({"identity": "undecided", "bridge": "fails"}, True, "undecided"),
        ({"identity": "fails"}, True, "undecided"),
        ({}, True, "undecided"),
    ],
)
def test_verdicts(outcomes, enough, verdict):
    assert decide(outcomes, enough_pairs=enough) == verdict
    assert decide(outcomes, enough_pairs=enough, new_is_worse=True) == "keep"
