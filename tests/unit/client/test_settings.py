import pytest

from consilience import Client, InvalidArgumentError, Tls
from consilience._channel import call_metadata
from consilience._settings import resolve_settings


def resolved(address=None, api_key=None, tls=None, timeout=30, environment=None):
    return resolve_settings(address, api_key, tls, timeout, environment or {})


def test_arguments_come_before_the_environment_and_that_before_the_default():
    environment = {"CONSILIENCE_ADDRESS": "there:1", "CONSILIENCE_API_KEY": "k"}
    assert resolved().address == "localhost:50051"
    assert resolved(environment=environment, tls=True).address == "there:1"
    assert resolved("here:2", environment=environment, tls=True).address == "here:2"
    assert resolved(environment=environment, tls=True).api_key == "k"
    assert resolved(api_key="mine", environment=environment, tls=True).api_key == "mine"


def test_a_client_reads_the_environment(monkeypatch):
    monkeypatch.setenv("CONSILIENCE_ADDRESS", "localhost:7")
    with Client() as client:
        assert client.settings.address == "localhost:7"


def test_a_key_is_neither_sent_in_the_clear_nor_printed():
    with pytest.raises(InvalidArgumentError, match="in the clear"):
        resolved("example.org:50051", "secret")
    for address, tls in (
        ("localhost:1", None),
        ("127.0.0.1:1", None),
        ("unix:/run/c", None),
        ("example.org:1", True),
        ("example.org:1", False),
    ):
        settings = resolved(address, "secret", tls)
        assert "secret" not in repr(settings)
        assert ("authorization", "Bearer secret") in call_metadata(settings, "r")
    with Client("localhost:1", api_key="secret") as client:
        assert "secret" not in repr(client)


def test_tls_is_the_systems_roots_or_a_file(tmp_path):
    assert resolved(tls=None).tls is None
    assert resolved(tls=False).tls is None
    assert resolved(tls=True).tls == Tls()
    roots = tmp_path / "roots.pem"
    roots.write_bytes(b"roots")
    assert resolved(tls=str(roots)).tls == resolved(tls=roots).tls == Tls(ca=b"roots")
    assert resolved(tls=Tls(key=b"k")).tls == Tls(key=b"k")
    assert "private" not in repr(Tls(key=b"private"))
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        resolved(tls=tmp_path / "nothing.pem")


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_above_zero(timeout):
    with pytest.raises(InvalidArgumentError, match="timeout"):
        resolved(timeout=timeout)
