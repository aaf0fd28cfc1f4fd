"""Every query of the dashboard gets data from a real Prometheus, and dashboard, rules and code know the same metrics."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.deployed_queries import DASHBOARD, DEPLOY, all_expressions, dashboard_queries, metric_names, panels, rules
from support.prometheus_server import PrometheusServer, running_prometheus, scraping
from support.scripted_metrics import scripted_server

from consilience_server.adapters.prometheus_metrics import PrometheusMetrics
from consilience_server.adapters.prometheus_rpc_metrics import PrometheusRpcMetrics

SCRAPE_SECONDS = 0.25


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """`host:port` of a /metrics that a scripted run fills while the tests ask."""
    with scripted_server() as server:
        yield server.target


@pytest.fixture(scope="module")
def prometheus(target: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus with the deployed configuration and rules that has scraped the target for a while."""
    configuration = scraping(DEPLOY / "prometheus", target, SCRAPE_SECONDS)
    with running_prometheus(configuration, tmp_path_factory.mktemp("prometheus")) as server:
        server.until("consilience:cache_hit_ratio:rate5m")
        server.until("consilience:rpc_fault_ratio:rate3d")
        time.sleep(8 * SCRAPE_SECONDS)
        yield server


def as_asked(expression: str) -> str:
    """The expression after Grafana put its variables in."""
    filled = expression.replace("$__rate_interval", f"{max(1, round(8 * SCRAPE_SECONDS))}s").replace("$instance", ".*")
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
