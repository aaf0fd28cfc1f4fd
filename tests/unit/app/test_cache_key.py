import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience_server.app import cache_key as module
from consilience_server.app.cache_key import cache_key
from consilience_server.app.reports import SpaceUse

A = SpaceUse("a", "uid-a", 3)
B = SpaceUse("b", "uid-b", 3)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8)


def exactly(value: object) -> object:
    """A form in which == is the equality that keys should have: 1, 1.0 and True differ, 0.0 and -0.0 too."""
    if isinstance(value, list):
        return ("list", tuple(exactly(entry) for entry in value))
    if isinstance(value, dict):
        return ("dict", frozenset((key, exactly(entry)) for key, entry in value.items()))
    if isinstance(value, float):
        return ("float", value.hex())
    return (type(value).__name__, value)


@given(values, values)
def test_parameters_are_equal_exactly_when_keys_are(first: object, second: object) -> None:
    same = exactly(first) == exactly(second)
    assert (cache_key("align", {"p": first}, [A]) == cache_key("align", {"p": second}, [A])) == same


@given(values)
def test_the_same_request_has_the_same_key(value: object) -> None:
    assert cache_key("align", {"p": value, "q": 1}, [A, B], b"x") == cache_key("align", {"q": 1, "p": value}, [A, B], b"x")


def test_every_ingredient_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    base = ("align", {"k": 10}, [A, B], b"query", "tenant")
    variants = [
        base,
        ("match", *base[1:]),
        (base[0], {"k": 11}, *base[2:]),
        (base[0], {"k": 10, "seed": 0}, *base[2:]),
        (*base[:2], [B, A], *base[3:]),
        (*base[:2], [A], *base[3:]),
        (*base[:2], [A, SpaceUse("b", "uid-b", 4)], *base[3:]),
        (*base[:2], [A, SpaceUse("b", "uid-c", 3)], *base[3:]),
        (*base[:3], b"querz", base[4]),
        (*base[:4], "another"),
    ]
    keys = {cache_key(*variant) for variant in variants}
    monkeypatch.setattr(module, "ENGINE_VERSION", "next")
    keys.add(cache_key(*base))
    assert len(keys) == len(variants) + 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["ab", "c"], ["a", "bc"]),
        ([["a"], "b"], ["a", ["b"]]),
        ([[], []], [[[]]]),
        ("1", 1),
        (1, True),
        (1, 1.0),
        (0, None),
        ("", None),
        ("", b""),
        ([], {}),
        (0.0, -0.0),
        ({"a": {"b": 1}}, {"a": {}, "b": 1}),
    ],
)
def test_values_that_look_alike_differ(first: object, second: object) -> None:
    assert cache_key("align", {"p": first}, []) != cache_key("align", {"p": second}, [])


def test_neighbouring_ingredients_do_not_flow_into_each_other() -> None:
    assert cache_key("ab", {}, [], tenant="c") != cache_key("b", {}, [], tenant="ca")
    assert cache_key("a", {"p": b"xy"}, [], b"") != cache_key("a", {"p": b"x"}, [], b"y")


def test_kinds_of_the_same_value_are_the_same() -> None:
    assert cache_key("a", {"p": (1, 2)}, []) == cache_key("a", {"p": [1, 2]}, [])
    assert cache_key("a", {"p": np.int32(7), "q": np.float32(0.5)}, []) == cache_key("a", {"p": 7, "q": 0.5}, [])
    assert cache_key("a", {"p": math.nan}, []) == cache_key("a", {"p": -math.nan}, [])


def test_query_bytes_are_taken_as_they_lie_in_memory() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert cache_key("match", {}, [], memoryview(rows)) == cache_key("match", {}, [], rows.tobytes())


@pytest.mark.parametrize("value", [object(), {1, 2}, np.zeros(2), 1j, {1: 2}])
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        cache_key("align", {"p": value}, [])


def test_the_key_does_not_change_between_releases_by_accident() -> None:
    # A change of the encoding must raise the personalisation, or a new release reads an old one's entries under another meaning.
    key = cache_key("align", {"ks": (10, 20), "metric": "mutual_knn"}, [A, B], b"\x00\x01", "t")
    assert (module._PERSON, module.ENGINE_VERSION, key) == (
        b"consilience-key1",
        "1",
        "6e1acfcf47e280b91605f31e7fe92cd765f45f2f742991c1980a7eb08bc4aa92",
    )
