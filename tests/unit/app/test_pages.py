import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience_server.app.pages import decode_token, encode_token, page_size
from consilience_server.core.errors import InvalidArgument, InvalidPageToken


@given(st.text(), st.text())
def test_a_token_comes_back_for_its_own_listing(arguments, after):
    assert decode_token("spaces", arguments, encode_token("spaces", arguments, after)) == after


@pytest.mark.parametrize(
    "token",
    [
        encode_token("bridges", "", "a"),
        encode_token("spaces", "other", "a"),
        "not base64!",
        "é",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b"7").decode(),
        base64.urlsafe_b64encode(json.dumps([1, "0", "a"]).encode()).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_any_other_token_is_refused(token):
    with pytest.raises(InvalidPageToken):
        decode_token("spaces", "", token)


def test_sizes():
    assert page_size(0, 100, 1000) == 100
    assert page_size(5000, 100, 1000) == 1000
    assert page_size(7, 100, 1000) == 7


def test_a_negative_size_is_refused():
    with pytest.raises(InvalidArgument, match="page_size"):
        page_size(-1, 100, 1000)
