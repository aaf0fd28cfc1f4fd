import pytest

from consilience_server.adapters.circuit_breaker import CircuitBreaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, open_seconds=5.0, clock=clock)


def open_it(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        assert breaker.allow()
        breaker.failed()


def test_failures_in_a_row_open_it(breaker: CircuitBreaker) -> None:
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.state == "closed"
    breaker.failed()
    assert breaker.state == "open"
    assert not breaker.allow()


def test_one_probe_passes_and_its_success_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now = 4.9
    assert not breaker.allow()
    clock.now = 5.0
    assert breaker.allow()
    assert breaker.state == "half-open"
    assert not breaker.allow()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.allow()


def test_a_failing_probe_opens_it_for_another_while(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now = 6.0
    assert breaker.allow()
    breaker.failed()
    assert breaker.state == "open"
    clock.now = 10.9
    assert not breaker.allow()
    clock.now = 11.0
    assert breaker.allow()


def test_after_closing_it_takes_the_whole_number_of_failures_again(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now = 5.0
    breaker.allow()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.state == "closed"


def test_a_straggler_of_before_does_not_close_it(breaker: CircuitBreaker) -> None:
    open_it(breaker)
    breaker.succeeded()
    assert breaker.state == "open"


def test_a_lost_probe_does_not_block_it_for_ever(breaker: CircuitBreaker, clock: Clock) -> None:
    open_it(breaker)
    clock.now = 5.0
    assert breaker.allow()
    clock.now = 10.0
    assert breaker.allow()


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1.0), (1, 0.0)])
def test_senseless_limits_are_refused(failures: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="failures"):
        CircuitBreaker(failures, seconds)
