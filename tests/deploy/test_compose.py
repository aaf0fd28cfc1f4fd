"""The compose file, as far as it can be checked without containers: loopback only, nothing named that is not there."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.deployed_queries import DEPLOY
from support.prometheus_server import require
from support.redis_server import running_redis

from consilience_server.settings import Settings, parse_settings

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY.parent / "Dockerfile").read_text()


def test_the_services_are_the_promised_ones() -> None:
    assert set(SERVICES) == {"consilience", "redis", "prometheus", "grafana", "load"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:"), port
    assert "network_mode" not in SERVICES[name]


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_named_with_its_version_or_built_here(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image == "consilience" or (":" in image and not image.endswith(":latest")), image


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_file_and_volume_exists(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), mount
            assert mount.endswith(":ro"), mount
        else:
            assert source in COMPOSE["volumes"], mount


@pytest.mark.parametrize("name", SERVICES)
def test_services_depend_on_services(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", [])) <= set(SERVICES)


def test_the_image_is_built_from_a_target_that_exists() -> None:
    build = SERVICES["consilience"]["build"]
    assert (DEPLOY / build["context"] / "Dockerfile").is_file()
    assert f"AS {build['target']}\n" in DOCKERFILE


def test_the_server_starts_with_settings_that_hold_together(monkeypatch: pytest.MonkeyPatch) -> None:
    # The image's own environment, as its Dockerfile sets it.
    for variable, value in (("CONSILIENCE_HOST", "0.0.0.0"), ("CONSILIENCE_METRICS_HOST", "0.0.0.0"), ("CONSILIENCE_DATA_DIR", "/data")):
        assert f"{variable}={value}" in DOCKERFILE
        monkeypatch.setenv(variable, value)
    settings, _ = parse_settings(SERVICES["consilience"]["command"])
    assert settings.insecure
    assert settings.redis is not None
    assert settings.redis.get_secret_value() == "redis://redis:6379/0"
    published = {int(port.rsplit(":", 1)[1]) for port in SERVICES["consilience"]["ports"]}
    assert published == {settings.port, settings.metrics_port}
    assert int(SERVICES["consilience"]["stop_grace_period"].removesuffix("s")) > settings.drain_seconds


def test_prometheus_scrapes_the_server_where_it_listens() -> None:
    configuration = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = configuration["scrape_configs"]
    default_port = Settings.model_fields["metrics_port"].default
    assert job["job_name"] == "consilience"
    assert job["static_configs"] == [{"targets": [f"consilience:{default_port}"]}]
    source = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"


def test_redis_knows_its_flags() -> None:
    command = SERVICES["redis"]["command"]
    assert command[0] == "redis-server"
    with running_redis(*command[1:]):
        pass


def test_prometheus_knows_its_flags() -> None:
    listed = subprocess.run([require("prometheus"), "--help"], capture_output=True, text=True, timeout=30, check=False).stderr
    listed += subprocess.run([require("prometheus"), "--help"], capture_output=True, text=True, timeout=30, check=False).stdout
    for flag in SERVICES["prometheus"]["command"]:
        assert flag.split("=")[0] in listed


def test_the_load_generator_knows_its_flags() -> None:
    mounted = {mount.split(":")[1]: DEPLOY / mount.split(":")[0] for mount in SERVICES["load"]["volumes"]}
    script = Path(SERVICES["load"]["entrypoint"][1])
    program = mounted[str(script.parent)] / script.name
    arguments = [sys.executable, str(program), *SERVICES["load"]["command"], "--help"]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "--rounds" in ended.stdout
