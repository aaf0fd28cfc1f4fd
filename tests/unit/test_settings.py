"""Settings: which source wins, what holds together, and that secrets stay masked."""

import pytest
from pydantic import ValidationError

from consilience_server.settings import Settings, SettingsError, argument_parser, load_settings, parse_settings

PASSWORD = "hunter2-secret"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("CONSILIENCE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def protection(tmp_path):
    """Flags of a server that may be reached from outside."""
    for name in ("cert", "key", "keys"):
        (tmp_path / name).write_text("x")
    return ["--tls-cert", str(tmp_path / "cert"), "--tls-key", str(tmp_path / "key"), "--api-keys", str(tmp_path / "keys")]


def test_metrics_beyond_loopback_are_allowed_and_known():
    assert not load_settings({}).exposes_metrics
    assert not load_settings({"metrics_host": "localhost"}).exposes_metrics
    assert load_settings({"metrics_host": "0.0.0.0"}).exposes_metrics
    assert not load_settings({"metrics_host": "0.0.0.0", "metrics_port": None}).exposes_metrics


def test_the_defaults_hold_together_and_are_loopback():
    settings = load_settings({})
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 50051, 9464)
    assert settings.is_loopback
    assert not settings.reflection
    assert settings.max_message_bytes == 64 << 20
    assert settings.upload_batch_bytes == 4 << 20
    assert (settings.max_k, settings.max_id_bytes) == (2048, 512)
    assert settings.effective_threads >= 1
    assert settings.effective_memory_budget_bytes > 0


def test_flags_win_over_environment_over_file_over_defaults(toml, monkeypatch):
    path = toml("max_k = 3\nmax_dim = 3\nport = 3\n")
    monkeypatch.setenv("CONSILIENCE_MAX_K", "2")
    monkeypatch.setenv("CONSILIENCE_MAX_DIM", "2")
    settings, only_print = parse_settings(["--config", path, "--max-k", "1"])
    assert (settings.max_k, settings.max_dim, settings.port, settings.max_id_bytes) == (1, 2, 3, 512)
    assert not only_print


def test_the_file_may_be_named_by_the_environment(toml, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_CONFIG", toml("max_k = 7\n"))
    assert load_settings({}).max_k == 7


def test_one_file_does_not_leak_into_the_next_call(toml):
    assert load_settings({}, toml("max_k = 7\n")).max_k == 7
    assert load_settings({}).max_k == 2048


def test_every_setting_has_a_flag_and_a_description():
    flags = {flag for action in argument_parser("x")._actions for flag in action.option_strings}
    for name, info in Settings.model_fields.items():
        assert "--" + name.replace("_", "-") in flags
        assert info.description


def test_the_folder_by_its_short_name_and_booleans_both_ways():
    settings, _ = parse_settings(["--data", "x", "--reflection", "--no-insecure"])
    assert (str(settings.data_dir), settings.reflection, settings.insecure) == ("x", True, False)


def test_print_settings():
    assert parse_settings(["--print-settings"])[1]


def test_the_printed_form_is_the_file_again(toml):
    settings = load_settings({"max_k": 5, "metrics_port": "", "data_dir": 'a "quoted\\ path'})
    assert load_settings({}, toml(str(settings))).model_dump() == settings.model_dump()


@pytest.mark.parametrize("show", [str, repr, lambda settings: str(settings.model_dump(mode="json"))])
def test_secrets_are_masked(show):
    settings = load_settings({"redis": f"redis://user:{PASSWORD}@host/0"})
    assert PASSWORD in settings.redis.get_secret_value()
    assert PASSWORD not in show(settings)


def test_secrets_are_masked_in_refusals():
    with pytest.raises(SettingsError) as caught:
        load_settings({"redis": f"http://user:{PASSWORD}@host", "max_k": "x"})
    assert PASSWORD not in str(caught.value)
    assert "redis://" in str(caught.value)
    assert "max_k" in str(caught.value)


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        load_settings({}).max_k = 3


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_loopback_needs_nothing(host):
    assert load_settings({"host": host}).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])
def test_beyond_loopback_is_refused_without_protection(host):
    with pytest.raises(SettingsError, match=r"insecure|host"):
        load_settings({"host": host})


def test_half_a_protection_is_none(protection):
    for start in (0, 4):
        with pytest.raises(SettingsError):
            parse_settings(["--host", "0.0.0.0", *protection[start : start + (4 if start == 0 else 2)]])


def test_protection_or_insecure_opens(protection):
    settings, _ = parse_settings(["--host", "0.0.0.0", *protection])
    assert settings.is_protected
    settings, _ = parse_settings(["--host", "0.0.0.0", "--insecure"])
    assert not settings.is_protected


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"port": 65536}, "port"),
        ({"port": "x"}, "given: 'x'"),
        ({"max_k": 0}, "max_k"),
        ({"drain_seconds": 0}, "drain_seconds"),
        ({"drain_seconds": "inf"}, "drain_seconds"),
        ({"device": "tpu"}, "device"),
        ({"log_level": "loud"}, "log_level"),
        ({"tls_cert": "/does/not/exist"}, "no file"),
        ({"api_keys": "/does/not/exist"}, "no file"),
        ({"redis": "localhost:6379"}, "redis://"),
        ({"max_message_bytes": 1}, "max_message_bytes"),
        ({"upload_batch_bytes": 64 << 20}, "at most half"),
        ({"max_message_bytes": 2**31}, "max_message_bytes"),
        ({"no_such": 1}, "there is no such setting"),
    ],
)
def test_what_cannot_be_is_refused_by_name(flags, words):
    with pytest.raises(SettingsError, match=words):
        load_settings(flags)


def test_a_certificate_without_its_key(protection):
    with pytest.raises(SettingsError, match="go together"):
        parse_settings(protection[:2])


def test_unknown_lines_of_the_file_are_refused(toml):
    with pytest.raises(SettingsError, match="max_kk: there is no such setting"):
        load_settings({}, toml("max_kk = 3\n"))


def test_files_that_are_no_toml_or_absent(toml):
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings({}, toml("max_k: 3"))
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings({}, "/does/not/exist.toml")


def test_other_variables_with_our_prefix_belong_to_others(monkeypatch):
    monkeypatch.setenv("CONSILIENCE_ADDRESS", "somewhere:1")
    load_settings({})


def test_an_empty_value_switches_off(monkeypatch):
    monkeypatch.setenv("CONSILIENCE_REDIS", "")
    monkeypatch.setenv("CONSILIENCE_METRICS_PORT", "")
    settings = load_settings({})
    assert settings.redis is None
    assert settings.metrics_port is None
