import hashlib

import pytest

from consilience_server.core.errors import Unauthenticated
from consilience_server.rpc.api_keys import ApiKeys, KeyFileError

PLAIN, HASHED = "plain-key-0123456789", "other-key-0123456789"


@pytest.fixture
def key_file(tmp_path):
    def write(text):
        path = tmp_path / "keys"
        path.write_text(text)
        return path

    return write


def test_plain_and_hashed_keys_open(key_file):
    digest = hashlib.sha256(HASHED.encode()).hexdigest()
    keys = ApiKeys.read(key_file(f"# comment\n\n  {PLAIN}  \nsha256:{digest}\n"))
    keys.check(f"Bearer {PLAIN}")
    keys.check(f"Bearer  {HASHED} ")
    for wrong in (f"Bearer sha256:{digest}", f"Bearer {digest}", "Bearer # comment", b"Bearer " + PLAIN.encode()):
        with pytest.raises(Unauthenticated):
            keys.check(wrong)


@pytest.mark.parametrize("text", ["short", "sha256:abc", "sha256:" + "G" * 64, "key with spaces in it", "schlüssel-0123456789"])
def test_malformed_lines_are_refused_without_showing_them(key_file, text):
    with pytest.raises(KeyFileError, match="line 2") as caught:
        ApiKeys.read(key_file(f"{PLAIN}\n{text}\n"))
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_a_file_without_keys_is_refused(key_file, text):
    with pytest.raises(KeyFileError, match="no keys"):
        ApiKeys.read(key_file(text))
