import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience_server.adapters.cache_value import HEADER_BYTES, seal, unseal


@given(st.text(), st.binary())
def test_what_was_sealed_comes_back(key: str, payload: bytes) -> None:
    assert unseal(key, seal(key, payload)) == payload


@given(st.text(), st.text(), st.binary())
def test_another_key_does_not_open_it(key: str, other: str, payload: bytes) -> None:
    assert key == other or unseal(other, seal(key, payload)) is None


def test_any_flipped_bit_is_seen() -> None:
    sealed = seal("key", b"payload")
    for position in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[position] ^= 1 << bit
            assert unseal("key", bytes(altered)) is None, (position, bit)


def test_any_truncation_and_any_appendix_is_seen() -> None:
    sealed = seal("key", b"payload")
    assert all(unseal("key", sealed[:length]) is None for length in range(len(sealed)))
    assert unseal("key", sealed + b"\0") is None
    assert len(sealed) == HEADER_BYTES + len(b"payload")


@pytest.mark.parametrize("foreign", [b"", b"hello", pickle.dumps("answer"), bytes(200), b"CSLC" + bytes(100)])
def test_foreign_values_are_no_answers(foreign: bytes) -> None:
    assert unseal("key", foreign) is None
