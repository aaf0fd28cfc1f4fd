"""A Prometheus of the tests' own, on a free loopback port."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.free_port import free_port

START_SECONDS = 30.0


def require(program: str) -> str:
    """The path of `prometheus` or `promtool`, or a skip."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"no {program} on this machine")
    return path


class PrometheusServer:
    """A started server; `query` asks its HTTP API."""

    def __init__(self, configuration: Mapping[str, Any], folder: Path) -> None:
        program = require("prometheus")
        self.port = free_port()
        self._log = folder / "prometheus.log"
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(dict(configuration)))
        arguments = [
            program,
            f"--config.file={file}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            "--log.level=warn",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            assert self._process.poll() is None, f"prometheus exited:\n{self._log.read_text()}"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2):
                    return
            except OSError:
                assert time.monotonic() < end, f"prometheus was not ready in {START_SECONDS} s:\n{self._log.read_text()}"
                time.sleep(0.05)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector (or scalar, as one sample) of an expression now; AssertionError with Prometheus's words where it refuses."""
        data = self._get("query", query=expression)
        return [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else data["result"]

    def rule_errors(self) -> list[str]:
        """What the last evaluation of each rule failed with."""
        return [rule["lastError"] for group in self._get("rules")["groups"] for rule in group["rules"] if rule.get("lastError")]

    def _get(self, method: str, **parameters: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/api/v1/{method}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def until(self, expression: str, seconds: float = 30.0) -> list[dict[str, Any]]:
        """Ask until the answer is not empty."""
        end = time.monotonic() + seconds
        while not (result := self.query(expression)):
            assert time.monotonic() < end, f"no data for {expression} after {seconds} s"
            time.sleep(0.1)
        return result

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


@contextmanager
def running_prometheus(configuration: Mapping[str, Any], folder: Path) -> Iterator[PrometheusServer]:
    """A server for the length of a block, its files in `folder`."""
    server = PrometheusServer(configuration, folder)
    try:
        yield server
    finally:
        server.close()


def scraping(deployed: Path, target: str, scrape_seconds: float) -> dict[str, Any]:
    """The configuration in the folder `deployed`, made to scrape one `host:port` often."""
    configuration = yaml.safe_load((deployed / "prometheus.yml").read_text())
    interval = f"{int(scrape_seconds * 1000)}ms"
    configuration["global"] = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
    configuration["rule_files"] = [str(deployed / name) for name in configuration["rule_files"]]
    for job in configuration["scrape_configs"]:
        job["static_configs"] = [{"targets": [target]}]
    return configuration
