import random

import pytest

from consilience_server.app.memory_cache import _ENTRY_BYTES, MemoryCache


def test_the_least_recently_used_goes_first() -> None:
    cache = MemoryCache(3 * (10 + _ENTRY_BYTES))
    for key in "abc":
        cache.put(key, bytes(10))
    assert cache.get("a") is not None
    cache.put("d", bytes(10))
    assert [cache.get(key) is not None for key in "abcd"] == [True, False, True, True]


def test_bytes_never_exceed_the_capacity_and_are_counted_right() -> None:
    capacity = 20_000
    cache, kept, draw = MemoryCache(capacity), {}, random.Random(0)
    for _ in range(3000):
        key, value = str(draw.randrange(60)), bytes(draw.randrange(3000))
        cache.put(key, value)
        kept[key] = value
        assert cache.nbytes <= capacity
        present = {key: cache.get(key) for key in kept if cache.get(key) is not None}
        assert all(present[key] == kept[key] for key in present)
        assert cache.nbytes == sum(len(value) + _ENTRY_BYTES for value in present.values())
        assert len(cache) == len(present)


def test_a_value_beyond_the_capacity_is_not_kept_and_displaces_nothing() -> None:
    cache = MemoryCache(1000)
    cache.put("small", b"x")
    cache.put("large", bytes(1000))
    assert cache.get("large") is None
    assert cache.get("small") == b"x"


def test_a_value_that_outgrew_the_capacity_does_not_leave_its_older_self() -> None:
    cache = MemoryCache(1000)
    cache.put("key", b"old")
    cache.put("key", bytes(1000))
    assert cache.get("key") is None
    assert cache.nbytes == 0


def test_no_capacity_keeps_nothing_and_a_negative_one_is_refused() -> None:
    cache = MemoryCache(0)
    cache.put("key", b"")
    assert cache.get("key") is None
    with pytest.raises(ValueError, match="-1"):
        MemoryCache(-1)


def test_an_empty_value_is_a_value() -> None:
    cache = MemoryCache(1000)
    cache.put("key", b"")
    assert cache.get("key") == b""
