"""Every query of the dashboard gets data from a real Prometheus, and dashboard, rules and code know the same metrics."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.deployed_queries import DASHBOARD, DEPLOY, all_expressions, dashboard_queries, metric_names, panels, rules
from support.prometheus_server import PrometheusServer, require, running_prometheus, scraping
from support.redis_server import running_redis
from support.server_process import running_server

from consilience_server.adapters.prometheus_metrics import PrometheusMetrics
from consilience_server.adapters.prometheus_rpc_metrics import PrometheusRpcMetrics
from consilience_server.adapters.prometheus_watch_gauges import PrometheusWatchGauges

SCRAPE_SECONDS = 0.5
# Grafana's $__rate_interval; long enough for a round of the load.
WINDOW_SECONDS = 30


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of the /metrics of a server with Redis, under the load that deploy/ ships, for as long as the tests ask."""
    # Without Prometheus nobody waits for the load: it would be stopped before it does anything.
    require("prometheus")
    folder = tmp_path_factory.mktemp("server")
    # So little time within a call that alignments become operations.
    flags = ("--inline-seconds", "0.01", "--threads", "2")
    with running_redis() as redis, running_server(folder / "data", "--redis", redis.url, *flags) as server:
        arguments = [sys.executable, str(DEPLOY / "load" / "generate.py"), "--address", server.address, "--pause", "0.2"]
        with (folder / "load.log").open("wb") as log:
            load = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield f"127.0.0.1:{server.metrics_port}"
        finally:
            load.terminate()
            status = load.wait(30)
        output = (folder / "load.log").read_text()
        assert status == 0, output
        assert "mutual_knn@10" in output
        assert "round " not in output, output


@pytest.fixture(scope="module")
def prometheus(target: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus with the deployed configuration and rules that has scraped the target for a while."""
    configuration = scraping(DEPLOY / "prometheus", target, SCRAPE_SECONDS)
    with running_prometheus(configuration, tmp_path_factory.mktemp("prometheus")) as server:
        # What comes late: the first refusal ends a round of the load, the store is measured every few seconds.
        server.until('grpc_server_handled_total{grpc_code="InvalidArgument"} > 1', seconds=60)
        server.until("consilience_spaces > 0", seconds=60)
        server.until("consilience:refined_ratio:rate1h >= 0", seconds=60)
        server.until("consilience:rpc_fault_ratio:rate3d >= 0", seconds=60)
        yield server


def as_asked(expression: str) -> str:
    """The expression after Grafana put its variables in."""
    filled = expression.replace("$__rate_interval", f"{WINDOW_SECONDS}s").replace("$instance", ".*")
    assert "$" not in filled, f"an unknown variable in {expression}"
    return filled


@pytest.mark.parametrize(("title", "expression"), dashboard_queries(), ids=[title for title, _ in dashboard_queries()])
def test_every_query_of_the_dashboard_gets_data(prometheus: PrometheusServer, title: str, expression: str) -> None:
    result = prometheus.query(as_asked(expression))
    assert result, f"{title}: no data for {expression}"
    assert any(math.isfinite(float(sample["value"][1])) for sample in result), f"{title}: only NaN for {expression}"


def test_every_rule_evaluates(prometheus: PrometheusServer) -> None:
    assert prometheus.rule_errors() == []
    for rule in rules():
        prometheus.query(rule["expr"])
        if "record" in rule:
            assert prometheus.query(rule["record"]), f"{rule['record']} records nothing"


def exported_families() -> set[str]:
    """The families that the server exports, counters with their `_total`."""
    metrics = PrometheusMetrics("0")
    PrometheusRpcMetrics(metrics.registry)
    PrometheusWatchGauges(metrics.registry)
    return {
        family.name + ("_total" if family.type == "counter" else "_info" if family.type == "info" else "")
        for family in metrics.registry.collect()
    }


def test_every_metric_asked_for_exists() -> None:
    known = exported_families() | {rule["record"] for rule in rules() if "record" in rule}
    asked = set().union(*(metric_names(expression) for expression in all_expressions()))
    assert asked - known == set()


def test_every_metric_of_ours_is_shown_or_watched() -> None:
    asked = set().union(*(metric_names(expression) for expression in all_expressions()))
    ours = {name for name in exported_families() if name.startswith(("consilience_", "grpc_"))}
    assert ours - asked == set()
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    assert recorded - asked == set()


def test_panels_are_whole() -> None:
    shown = panels()
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(ids) == len(set(ids))
    for panel in shown:
        assert panel["title"]
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs, panel["title"]
        assert len(refs) == len(set(refs)), panel["title"]


def test_panels_do_not_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]


def test_what_is_provisioned_is_there() -> None:
    provider = (DEPLOY / "grafana" / "provisioning" / "dashboards" / "consilience.yaml").read_text()
    assert "/var/lib/grafana/dashboards" in provider
    assert Path(DASHBOARD).is_file()
