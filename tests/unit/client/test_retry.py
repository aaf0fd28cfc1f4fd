import pytest

from consilience import errors
from consilience._retry import CALLS, UPLOADS, RetryPolicy

POLICY = RetryPolicy(attempts=4, base=1.0, cap=3.0)
GONE = errors.Unavailable("gone")


def highest(low, high):
    return high


def lowest(low, high):
    return low


def test_the_wait_is_drawn_from_nothing_to_a_doubling_ceiling():
    assert [POLICY.delay(GONE, failures, 100, highest) for failures in (1, 2, 3)] == [1.0, 2.0, 3.0]
    assert [POLICY.delay(GONE, failures, 100, lowest) for failures in (1, 2, 3)] == [0.0, 0.0, 0.0]


def test_it_gives_up_after_its_attempts():
    assert POLICY.delay(GONE, 4, 100, lowest) is None


def test_a_wait_beyond_the_deadline_is_not_begun():
    assert POLICY.delay(GONE, 3, 3.0, highest) is None
    assert POLICY.delay(GONE, 3, 3.1, highest) == 3.0


def test_an_overloaded_server_is_left_alone_for_as_long_as_it_says():
    busy = errors.OverloadedError("busy", retry_after=7.0)
    assert POLICY.delay(busy, 1, 100, lowest) == 7.0
    assert POLICY.delay(busy, 1, 100, highest) == 8.0
    assert POLICY.delay(busy, 1, 6.9, lowest) is None
    assert POLICY.delay(errors.OverloadedError("full"), 1, 100, lowest) is None


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ConsilienceError)]
)
def test_nothing_else_is_retried(kind):
    assert (POLICY.delay(kind("no"), 1, 100, lowest) is not None) == (kind is errors.Unavailable)


def test_uploads_also_outwait_a_stream_that_is_still_staging():
    conflict = errors.AbortedError("not there yet", reason="UPLOAD_CONFLICT")
    assert CALLS.delay(conflict, 1, 100, lowest) is None
    assert UPLOADS.delay(conflict, 1, 100, lowest) == 0.0
    assert UPLOADS.attempts > CALLS.attempts
